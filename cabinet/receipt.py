"""A visit's receipt: a page of plain text, or a dictionary for the screen and the cloud.

Refuses to state an amount that nobody decided: a visit for a person has none.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from cabinet.basket.evidence import Header
from cabinet.basket.verdict import Charge, Line, Nothing, Review, Verdict
from cabinet.units import Minor, VisitId

WIDTH = 40  # columns: the narrow roll of a receipt printer, and a phone held upright
# Digits after the point where it is not two (ISO 4217, the currencies in use that differ).
NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
EXPONENTS = dict.fromkeys(NO_DIGITS.split(), 0) | dict.fromkeys(THREE_DIGITS.split(), 3)


Outcome = Literal["charge", "nothing", "review", "void", "serviced"]
WORDS: dict[Outcome | None, str] = {
    "nothing": "Nothing was taken. You pay nothing.",
    "review": "A person will check this visit; you will be told the amount.",
    "void": "The door was never opened. You pay nothing.",
    "serviced": "A service visit: nothing is charged.",
    None: "This visit has not ended yet.",
}


class Moment(Protocol):
    @property
    def wall_ms(self) -> int: ...


class Record(Protocol):
    """A visit as the ledger keeps it."""

    @property
    def visit(self) -> VisitId: ...
    @property
    def opened(self) -> Moment: ...
    @property
    def outcome(self) -> Outcome | None: ...
    @property
    def lines(self) -> tuple[Line, ...]: ...
    @property
    def currency(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Receipt:
    visit: VisitId  # the receipt's number
    cabinet: str
    at: str  # RFC 3339, when the visit began
    currency: str
    outcome: Outcome | None  # None: not ended
    lines: tuple[Line, ...] = ()

    @property
    def total_minor(self) -> Minor:
        return sum(line.total for line in self.lines)


def receipt(verdict: Verdict, header: Header) -> Receipt:
    """The receipt of a verdict.  A review's guess is not on it: it is for the person who decides."""
    outcome: Outcome
    match verdict:
        case Charge():
            outcome = "charge"
        case Nothing():
            outcome = "nothing"
        case Review():
            outcome = "review"
    lines = verdict.lines if isinstance(verdict, Charge) else ()
    return Receipt(header.visit, header.cabinet, header.started_at, header.currency, outcome, lines)


def of_record(record: Record, cabinet: str) -> Receipt:
    """The receipt of a visit from the ledger, where it has been charged, not charged, or not decided."""
    at = datetime.fromtimestamp(record.opened.wall_ms / 1000, UTC).isoformat(timespec="seconds")
    lines = record.lines if record.outcome == "charge" else ()
    return Receipt(record.visit, cabinet, at, record.currency, record.outcome, lines)


def receipt_text(record: Record, cabinet: str) -> str:
    return as_text(of_record(record, cabinet))


def receipt_dict(record: Record, cabinet: str) -> dict[str, Any]:
    return as_dict(of_record(record, cabinet))


def money(amount_minor: Minor, currency: str) -> str:
    """`5.00`, `1500` (JPY), `0.750` (KWD): minor units as people write them, by integer arithmetic."""
    exponent = EXPONENTS.get(currency, 2)
    whole, part = divmod(abs(amount_minor), 10**exponent)
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{whole}.{part:0{exponent}}" if exponent else f"{sign}{whole}"


def tax_marks(lines: Sequence[Line]) -> dict[str, str]:
    """A letter for each tax class on the bill, in the order of the classes' names."""
    classes = sorted({line.tax for line in lines})
    return {tax: chr(ord("A") + i) if i < 26 else f"Z{i - 25}" for i, tax in enumerate(classes)}


def as_text(record: Receipt) -> str:
    """Lines of at most `WIDTH` columns (a longer visit id keeps its line), ending in a newline."""
    page = [record.cabinet.center(WIDTH).rstrip(), record.at[:16].replace("T", " ").center(WIDTH).rstrip()]
    page += [f"No. {record.visit}", "-" * WIDTH]
    if record.outcome == "charge":
        marks = tax_marks(record.lines)
        for line in record.lines:
            page += _line(line, marks[line.tax], record.currency)
        page.append("-" * WIDTH)
        page.append(_columns("TOTAL", f"{record.currency} {money(record.total_minor, record.currency)}  "))
        page += [f"{mark} = tax class {tax}" for tax, mark in marks.items()]
    else:
        page += textwrap.wrap(WORDS[record.outcome], WIDTH)
    return "\n".join(page) + "\n"


def as_dict(record: Receipt) -> dict[str, Any]:
    """The same for machines.  `total_minor` is None where nobody has decided yet."""
    marks = tax_marks(record.lines)
    return {
        "number": record.visit,
        "cabinet": record.cabinet,
        "at": record.at,
        "currency": record.currency,
        "outcome": record.outcome,
        "lines": [
            {
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price_minor": line.unit_price,
                "total_minor": line.total,
                "tax": line.tax,
                "mark": marks[line.tax],
            }
            for line in record.lines
        ],
        "total_minor": None if record.outcome in {"review", None} else record.total_minor,
    }


def _line(line: Line, mark: str, currency: str) -> list[str]:
    price = f"{money(line.total, currency)} {mark}"
    names = textwrap.wrap(line.name, WIDTH - len(price) - 2) or [line.sku]
    lines = [*names[:-1], _columns(names[-1], price)]
    if line.quantity > 1:
        lines.append(f"  {line.quantity} x {money(line.unit_price, currency)}")
    return lines


def _columns(left: str, right: str) -> str:
    return left + right.rjust(WIDTH - len(left)).rstrip()
