"""What the books say of one visit, by kind.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from cabinet.audit.rows import Fact, Finding, Kind, Of, Tally

Said = Finding | Tally


@dataclass(frozen=True, slots=True)
class Scope:
    """Which books there are beside the cabinets' and the cloud's events and charges."""

    money: bool = False  # the cloud keeps payments
    provider: bool = False  # an export was given


class Told:
    def __init__(self, visit: str, facts: Sequence[Fact], scope: Scope) -> None:
        self.visit, self.scope = visit, scope
        self._of: dict[Of, list[Fact]] = {}
        for fact in facts:
            self._of.setdefault(fact.of, []).append(fact)
        self.ours = any(fact.ours and fact.of != "intent" for fact in facts)
        self.somewhere = facts[0].where
        self.sold, self.charges = self.all("sold"), self.all("charge")
        self.billed = [one for one in self.sold if one.word == "charge"]
        self.payment = next(iter(self.all("payment")), None)
        self.intents = self.all("intent")

    def all(self, of: Of) -> list[Fact]:
        return self._of.get(of, [])

    def wrong(self, kind: Kind, where: str, what: str) -> Finding:
        return Finding(kind, where, what, self.visit)
