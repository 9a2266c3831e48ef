"""Small true-looking entries for the tests of ledger, uplink and cloud."""

from collections.abc import Mapping, Sequence

from cabinet.basket.evidence import Product
from cabinet.basket.verdict import Line
from cabinet.ledger import ClosedVisit, Ledger, OpenedVisit, Stamp
from cabinet.session.states import Idle, Unlocked
from cabinet.units import MemberId, Sku, VisitId, ZoneId

COLA = Sku("070847811169")
WATER = Sku("W1")
SHELF = ZoneId("s1")
ANNA = MemberId("01ANNA")
CATALOG = {COLA: Product("Cola", 505.0, 250, 3.0), WATER: Product("Water", 520.0, 120, tax="reduced")}


def stamp(mono_ms: int = 1_000, wall_ms: int = 1_795_000_000_000, quality: str = "ntp") -> Stamp:
    return Stamp(mono_ms, wall_ms, quality)  # type: ignore[arg-type]  # tests name qualities as plain text


def visit_id(number: int) -> VisitId:
    return VisitId(f"01J{number:023d}")


def opened(number: int, *, reason: str = "") -> OpenedVisit:
    return OpenedVisit(visit_id(number), ANNA, "shop", "face", reason, 1, {SHELF: 3021.25}, f"visits/{number}")


def line(quantity: int = 1, *, sku: Sku = COLA, price: int = 250, name: str = "Cola") -> Line:
    return Line(sku, name, quantity, price, "standard")


def charged(
    number: int,
    lines: Sequence[Line] | None = None,
    *,
    moves: Mapping[ZoneId, Mapping[Sku, int]] | None = None,
) -> ClosedVisit:
    bought = tuple(lines or (line(number),))
    total = sum(one.total for one in bought)
    return ClosedVisit(
        visit_id(number), "charge", "", bought, total, "USD", 0.97, "e" * 64, moves=moves if moves is not None else {}
    )


def shop(ledger: Ledger, number: int, now: Stamp | None = None) -> VisitId:
    """One whole visit, as the daemon writes it: opened with the unlocking, closed with the tally.  Two events."""
    ledger.commit(Unlocked(visit_id(number), ANNA, 12.5), [opened(number)], now or stamp())
    ledger.commit(Idle(), [charged(number)], now or stamp())
    return visit_id(number)
