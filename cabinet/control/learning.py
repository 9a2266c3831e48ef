"""What the cabinet has learnt, for a technician: masses, goods astray, heuristics in shadow; and forgetting a mass."""

from dataclasses import asdict, dataclass
from typing import Any

from cabinet.basket.learning import LearningPolicy, in_use, off_share, worth_telling
from cabinet.control.requests import Answer, Arguments, RequestError, text
from cabinet.learner import Learner, notices
from cabinet.ledger import Ledger
from cabinet.units import Sku


@dataclass
class LearningRoom:
    ledger: Ledger
    learner: Learner

    def operations(self) -> dict[str, Any]:
        return {
            "catalog.masses": self.masses,
            "catalog.forget_mass": self.forget_mass,
            "stock.strays": self.strays,
            "shadow.show": self.shadow_show,
        }

    async def masses(self, _: Arguments, __: str) -> Answer:
        """Each product: what the catalogue says, what was learnt, from how many units."""
        catalog, beliefs, policy = self.ledger.catalog(), self.ledger.beliefs(), self.learner.policy
        told = notices(catalog, beliefs, policy)
        rows = []
        for sku, product in catalog.items():
            row: Answer = {
                "sku": sku, "name": product.name, "catalogue_g": product.mass_g, "catalogue_sd_g": product.mass_sd_g,
                "learnt_g": None, "learnt_sd_g": None, "units": 0, "visits": 0, "in_use": False, "off_share": None,
                "last_wall_ms": None, "since_wall_ms": None, "notice": told.get(sku, ""), "doubt": "",
            }  # fmt: skip  # a row
            belief = beliefs.get(sku)
            if belief is not None and belief.prior_g == product.mass_g:
                row |= {
                    "units": belief.units, "visits": belief.visits, "in_use": in_use(belief, product, policy),
                    "off_share": round(off_share(belief), 4), "last_wall_ms": belief.last_ms or None,
                    "since_wall_ms": belief.since_ms or None,
                }  # fmt: skip  # a row
                if belief.units:
                    row |= {"learnt_g": round(belief.mean_g, 1), "learnt_sd_g": round(belief.sd_g, 2)}
                if belief.rival is not None:
                    row["doubt"] = f"{belief.rival.units} units weighed {belief.rival.mean_g:.0f} g: a new package?"
            rows.append(row)
        off = sum(worth_telling(beliefs.get(sku), product, policy) for sku, product in catalog.items())
        return {"masses": rows, "far_off": off, "least_units": policy.least_units}

    async def forget_mass(self, arguments: Arguments, _: str) -> Answer:
        sku = Sku(text(arguments, "sku"))
        if sku not in self.ledger.catalog():
            raise RequestError(f"the SKU {sku!r} is not in the catalogue", "cabinet catalog list")
        forgotten = self.ledger.forget_belief(sku)
        self.learner.told()
        return {"sku": sku, "forgotten": forgotten}

    async def strays(self, _: Arguments, __: str) -> Answer:
        return {"strays": strays(self.ledger), "found_visits": self.learner.policy.found_visits}

    async def shadow_show(self, _: Arguments, __: str) -> Answer:
        return {"shadow": [asdict(count) for count in self.ledger.shadows()], "running": list(self.learner.shadow())}


def strays(ledger: Ledger) -> list[Answer]:
    """Goods where the planogram has none; those found there often are proposed for it."""
    catalog = ledger.catalog()
    return [
        {
            "zone": stray.zone, "sku": stray.sku, "name": catalog[stray.sku].name, "count": stray.count,
            "found": stray.found, "since_visit": stray.since_visit, "since_wall_ms": stray.since_ms,
            "proposed": stray.found >= LearningPolicy().found_visits,
        }
        for stray in ledger.strays()
        if stray.count or stray.found
    ]  # fmt: skip  # a row
