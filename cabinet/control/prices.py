"""The technician's price rules and proofs of age: shown, tried, or changed for the visits that begin afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cabinet import clock
from cabinet.basket.prices import PriceRules
from cabinet.basket.rules import RulesError, against, idle, rules_from, rules_to
from cabinet.config import Config
from cabinet.control.requests import Answer, Arguments, Refusals, RequestError, integer, text
from cabinet.ledger import Ledger
from cabinet.ledger.members import MAX_AGE
from cabinet.units import MemberId

REMEDY = "cabinet prices check --help explains every key"


@dataclass
class PriceDesk:
    config: Config
    ledger: Ledger
    changed: Callable[[], None]

    def operations(self) -> dict[str, Any]:
        return {
            "prices.show": self.show,
            "prices.check": self.check,
            "prices.set": self.set,
            "members.age": self.verify_age,
        }

    async def show(self, _: Arguments, __: str) -> Answer:
        return self._told(self.ledger.price_rules())

    async def check(self, arguments: Arguments, _: str) -> Answer:
        """What `set` would say, and nothing done."""
        rules = _rules(arguments)
        misfits = against(rules, self.ledger.catalog())
        if misfits:
            raise RequestError("; ".join(misfits), REMEDY)
        return self._told(rules)

    async def set(self, arguments: Arguments, who: str) -> Answer:
        rules = _rules(arguments)
        with Refusals():
            self.ledger.set_price_rules(rules, who, clock.stamp())
        self.changed()
        return self._told(rules)

    async def verify_age(self, arguments: Arguments, who: str) -> Answer:
        """Who asks has seen the proof: their name is kept beside it, no birth date."""
        member = self.ledger.member(MemberId(text(arguments, "member")))
        if member is None:
            raise RequestError("there is no such member", "cabinet members list shows the ids")
        years = integer(arguments, "years", low=0, high=MAX_AGE)
        with Refusals():
            self.ledger.verify_age(member.member, years, who, clock.stamp())
        self.changed()
        return {"member": member.member, "years": years or None, "by": who}

    def _told(self, rules: PriceRules) -> Answer:
        return {
            "price_version": self.ledger.price_version(),
            "currency": self.config.cabinet.currency,
            "tax_included": self.config.prices.tax_included,
            "time_zone": self.config.prices.time_zone,
            "clock_trusted": clock.quality() in {"ntp", "cloud"},
            "rules": rules_to(rules),
            "warnings": idle(rules, self.ledger.catalog()),
        }


def _rules(arguments: Arguments) -> PriceRules:
    try:
        return rules_from(arguments.get("rules"))
    except RulesError as error:
        raise RequestError(str(error), REMEDY) from error
