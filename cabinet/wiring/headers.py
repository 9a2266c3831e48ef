"""What every trace begins with: the cabinet, its goods and their prices, as they are when the visit begins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cabinet import clock
from cabinet.basket.evidence import Header, Product
from cabinet.config import Camera, Config
from cabinet.ledger import Ledger
from cabinet.units import Sku, VisitId
from cabinet.wiring import facts as words


@dataclass(frozen=True, slots=True)
class Headers:
    facts: Config
    ledger: Ledger
    polygons: Callable[[Camera], words.Polygons]  # in force
    catalog: Callable[[], Mapping[Sku, Product]]  # with what was learnt

    def header(self, visit: VisitId, purpose: str) -> Header:
        record = self.ledger.visit(visit)  # durable already: its opening is the instant of the unlock
        member = None if record is None else record.member
        return Header(
            visit=visit,
            cabinet=self.facts.cabinet.id,
            started_at=clock.wall_text(),
            clock_trusted=clock.quality() in {"ntp", "cloud"},
            purpose=purpose,  # type: ignore[arg-type]  # the machine's own words
            currency=self.facts.cabinet.currency,
            zones=words.zones(self.facts),
            cameras=words.cameras(self.facts, self.polygons),
            catalog=self.catalog(),
            planogram=self.ledger.planogram(),
            stock=self.ledger.stock(),
            prices=words.prices(self.facts, self.ledger, clock.stamp() if record is None else record.opened),
            strays=self.ledger.strays_in(),
            member_age=None if member is None else self.ledger.member_age(member),
        )
