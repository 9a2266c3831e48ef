"""What a technician may do to a charge: give money back, correct the bill downwards, open a dispute, look.

Each is one more event beside the charge, written through the daemon, so that the cloud hears of it in order.  Who did
it is the user at the other end of the socket.  It refuses to give back more than was charged, and to charge more.
"""

import asyncio
import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cabinet import clock, trace
from cabinet.basket.evidence import Product
from cabinet.basket.prices import PriceList
from cabinet.basket.verdict import Line
from cabinet.control.blurring import Blurring, signer
from cabinet.control.charge_words import brief, pack, told_change, told_line
from cabinet.control.repricing import cost_of, priced_anew, sold_as, tax_is_added
from cabinet.control.requests import Answer, Arguments, Refusals, RequestError, integer, text
from cabinet.ledger import Adjustment, Ledger, Standing, VisitRecord
from cabinet.ledger.adjustments import Kind
from cabinet.receipt import receipt_text
from cabinet.units import Sku, VisitId

ANSWER_DAYS: Final = 7  # until a dispute wants its answer
MAX_REASON: Final = 200  # characters, as an event keeps of it
MAX_UNITS: Final = 10_000


@dataclass
class ChargesDesk:
    ledger: Ledger
    traces: Path
    disputes: Path  # where evidence is packed
    cabinet: str
    prices_of: Callable[[VisitRecord], PriceList]  # in force when this visit was unlocked
    written: Callable[[], None]  # there is something new for the cloud
    answer_days: int = ANSWER_DAYS
    blur: Blurring = field(default_factory=Blurring)
    _packing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)  # one file, one writer

    def operations(self) -> dict[str, Any]:
        return {
            "charges.list": self.list,
            "charges.show": self.show,
            "charges.refund": self.refund,
            "charges.correct": self.correct,
            "charges.dispute": self.dispute,
        }

    async def list(self, arguments: Arguments, _: str) -> Answer:
        limit = integer(arguments, "limit", 20, low=1, high=1000)
        kinds: tuple[Kind, ...] = ()
        if arguments.get("disputed"):
            kinds = ("dispute",)
        elif arguments.get("refunded"):
            kinds = ("refund", "correction")
        return {"charges": [brief(one) for one in self.ledger.charges(limit, kinds)]}

    async def show(self, arguments: Arguments, _: str) -> Answer:
        return self._told(self._standing(arguments))

    async def refund(self, arguments: Arguments, who: str) -> Answer:
        """One of `amount_minor`, `all` and `lines` (SKU -> units) says how much."""
        standing = self._standing(arguments)
        ways = [key for key in ("amount_minor", "all", "lines") if arguments.get(key)]
        if len(ways) != 1:
            raise RequestError("how much is to be given back?", "give one of an amount, all, or lines")
        facts: dict[str, Any] = {}
        if self._again(arguments, standing) is not None:
            back_minor = 0  # what was given back the first time stands
        elif ways == ["lines"]:
            units = _counts(arguments, "lines", low=1)
            back_minor, facts = cost_of(standing.lines, standing.refunded, units), {"units": units}
        elif ways == ["all"]:
            back_minor = standing.still_minor
            if back_minor == 0:
                raise RequestError("nothing is left to give back", "cabinet charges show VISIT tells what was")
        else:
            back_minor = integer(arguments, "amount_minor", low=1, high=2**53 - 1)
        change = self._change("refund", arguments, who, back_minor=back_minor, facts=facts)
        return self._write(change)

    async def correct(self, arguments: Arguments, who: str) -> Answer:
        """`set`: SKU -> the quantity that should have been billed; the others stay."""
        standing = self._standing(arguments)
        counts = _counts(arguments, "set", low=0)
        again = self._again(arguments, standing)
        if again is not None:
            return self._write(self._change("correction", arguments, who))
        prices = self.prices_of(standing.record)
        added = tax_is_added(standing.record.lines, not prices.tax_included)
        prices = dataclasses.replace(prices, tax_included=not added)
        known = {} if set(counts) <= {line.sku for line in standing.record.lines} else self._catalog(standing.record)
        # Of every product ever on this bill the price is known: a correction may take the last one back.
        known |= {line.sku: sold_as(line) for line in standing.record.lines}
        bill = priced_anew(standing.lines, counts, prices, known)
        back_minor = standing.still_minor - sum(line.total for line in bill)
        if back_minor < 0:
            raise RequestError(
                f"the bill would be {-back_minor} (minor units) more than what is still charged:"
                " a correction only ever gives back",
                "cabinet charges show VISIT tells what is still charged",
            )
        if _as_counts(bill) == _as_counts(standing.lines) and back_minor == 0:
            raise RequestError("that is the bill already", "cabinet charges show VISIT tells it")
        return self._write(self._change("correction", arguments, who, back_minor=back_minor, lines=bill))

    async def dispute(self, arguments: Arguments, who: str) -> Answer:
        """The recording is packed first: a dispute that stands has its evidence, or says that there is none."""
        _reason(arguments)
        async with self._packing:
            standing = self._standing(arguments)
            if standing.dispute is not None:
                return {**self._told(standing), "change": told_change(standing.dispute), "again": True}
            visit = standing.record.visit
            self.ledger.note_access(who, "charges.dispute", visit, _reason(arguments), clock.stamp())
            sign = signer(self.ledger)
            packed = await asyncio.to_thread(pack, self.traces / visit, self.disputes, self.blur, sign)
            due_ms = clock.stamp().wall_ms + self.answer_days * 86_400_000
            return self._write(self._change("dispute", arguments, who, facts={**packed, "due_ms": due_ms}))

    def _write(self, change: Adjustment) -> Answer:
        with Refusals():
            known = len(self.ledger.adjustments(change.visit))
            stands = self.ledger.adjust(change, clock.stamp())
            standing = self.ledger.standing(change.visit)
        again = len(standing.changes) == known
        if not again:
            self.written()
        return {**self._told(standing), "change": told_change(stands), "again": again}

    def _change(self, kind: Kind, arguments: Arguments, who: str, **more: Any) -> Adjustment:  # noqa: ANN401  # its fields
        visit = VisitId(text(arguments, "visit"))
        return Adjustment(_id(arguments), visit, kind, _reason(arguments), who, **more)

    def _again(self, arguments: Arguments, standing: Standing) -> Adjustment | None:
        """The same request once more: by the id that whoever asks gave it."""
        given = arguments.get("id")
        return next((one for one in standing.changes if given is not None and one.id == given), None)

    def _standing(self, arguments: Arguments) -> Standing:
        visit = VisitId(text(arguments, "visit"))
        if self.ledger.visit(visit) is None:
            raise RequestError("there is no such visit", "cabinet visits list shows the ids")
        with Refusals():
            return self.ledger.standing(visit)

    def _catalog(self, record: VisitRecord) -> dict[Sku, Product]:
        """Prices at the unlock: as recorded with the visit, else today's where no price has changed since."""
        file = self.traces / record.visit / "visit.json"
        if file.is_file():
            return dict(trace.header_from_dict(json.loads(file.read_bytes())).catalog)
        return dict(self.ledger.catalog()) if self.ledger.price_version() == record.price_version else {}

    def _told(self, standing: Standing) -> Answer:
        record, dispute = standing.record, standing.dispute
        return {
            **brief(standing),
            "bill": [told_line(line) for line in record.lines],
            "lines": [told_line(line) for line in standing.lines],
            "changes": [told_change(one) for one in standing.changes],
            "dispute": None if dispute is None else told_change(dispute),
            "receipt": receipt_text(record, self.cabinet, standing.changes),
        }


def _as_counts(bill: tuple[Line, ...]) -> dict[Sku, int]:
    return {line.sku: line.quantity for line in bill}


def _counts(arguments: Arguments, key: str, *, low: int) -> dict[Sku, int]:
    given = arguments.get(key)
    if not isinstance(given, Mapping) or not given:
        raise RequestError(f"{key} names no product", "give SKU=QTY")
    return {Sku(sku): integer(given, sku, low=low, high=MAX_UNITS) for sku in given}


def _reason(arguments: Arguments) -> str:
    reason = text(arguments, "reason").strip()
    if len(reason) > MAX_REASON:
        raise RequestError(f"the reason has {len(reason)} characters", f"at most {MAX_REASON}")
    return reason


def _id(arguments: Arguments) -> str:
    """A ULID, because the far end knows a change by it, whichever cabinet it came from."""
    given = arguments.get("id")
    if given is None:
        return clock.new_visit()
    if not isinstance(given, str) or len(given) != 26 or not given.isalnum() or given != given.upper():
        raise RequestError(f"the id {given!r} is no ULID", "leave it out, and one is drawn")
    return given
