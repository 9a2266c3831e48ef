"""A visit's receipt: a page of plain text, or a dictionary for the screen and the cloud.

Refuses to state an amount that nobody decided: a visit for a person has none.  What was given back stands below the
bill as it was, with what is charged in the end.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from cabinet.basket.evidence import Header
from cabinet.basket.pricing import tax_table
from cabinet.basket.rules import per_cent
from cabinet.basket.verdict import Charge, Line, Nothing, Review, Tax, Verdict
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


class Change(Protocol):
    """A refund, a correction or a dispute, as the ledger keeps it."""

    @property
    def kind(self) -> Literal["refund", "correction", "dispute"]: ...
    @property
    def back_minor(self) -> Minor: ...
    @property
    def lines(self) -> tuple[Line, ...]: ...
    @property
    def reason(self) -> str: ...
    @property
    def at(self) -> Moment | None: ...


@dataclass(frozen=True, slots=True)
class Receipt:
    visit: VisitId  # the receipt's number
    cabinet: str
    at: str  # RFC 3339, when the visit began
    currency: str
    outcome: Outcome | None  # None: not ended
    lines: tuple[Line, ...] = ()
    changes: tuple[Change, ...] = ()  # the oldest first

    @property
    def total_minor(self) -> Minor:
        """As it was charged."""
        return sum(line.total for line in self.lines)

    @property
    def back_minor(self) -> Minor:
        return sum(change.back_minor for change in self.changes)


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


def of_record(record: Record, cabinet: str, changes: Sequence[Change] = ()) -> Receipt:
    """The receipt of a visit from the ledger, where it has been charged, not charged, or not decided."""
    at = datetime.fromtimestamp(record.opened.wall_ms / 1000, UTC).isoformat(timespec="seconds")
    lines = record.lines if record.outcome == "charge" else ()
    return Receipt(record.visit, cabinet, at, record.currency, record.outcome, lines, tuple(changes))


def receipt_text(record: Record, cabinet: str, changes: Sequence[Change] = ()) -> str:
    return as_text(of_record(record, cabinet, changes))


def receipt_dict(record: Record, cabinet: str, changes: Sequence[Change] = ()) -> dict[str, Any]:
    return as_dict(of_record(record, cabinet, changes))


def money(amount_minor: Minor, currency: str) -> str:
    """`5.00`, `1500` (JPY), `0.750` (KWD): minor units as people write them, by integer arithmetic."""
    exponent = EXPONENTS.get(currency, 2)
    whole, part = divmod(abs(amount_minor), 10**exponent)
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{whole}.{part:0{exponent}}" if exponent else f"{sign}{whole}"


def tax_marks(lines: Sequence[Line]) -> dict[str, str]:
    """A letter for each tax class on the bill, the deposits' among them, in the order of the classes' names."""
    classes = sorted({line.tax for line in lines} | {share.name for line in lines for share in line.taxes})
    return {tax: chr(ord("A") + i) if i < 26 else f"Z{i - 25}" for i, tax in enumerate(classes)}


def as_text(record: Receipt) -> str:
    """Lines of at most `WIDTH` columns (a longer visit id keeps its line), ending in a newline."""
    page = [record.cabinet.center(WIDTH).rstrip(), record.at[:16].replace("T", " ").center(WIDTH).rstrip()]
    page += [f"No. {record.visit}", "-" * WIDTH]
    if record.outcome == "charge":
        page += _bill(record.lines, record.currency) + _changes(record)
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
                "deposit_minor": line.deposit,
                "discount_minor": line.discount,
                "reason": line.reason,
                "tax_added_minor": line.tax_added,
                "total_minor": line.total,
                "tax": line.tax,
                "mark": marks[line.tax],
            }
            for line in record.lines
        ],
        "taxes": [
            {
                "tax": tax.name,
                "mark": marks[tax.name],
                "rate_ppm": tax.rate_ppm,
                "net_minor": tax.net,
                "tax_minor": tax.tax,
                "gross_minor": tax.gross,
                "added": tax.added,
            }
            for tax in tax_table(record.lines)
        ],
        "total_minor": None if record.outcome in {"review", None} else record.total_minor,
        "changes": [
            {"kind": change.kind, "back_minor": change.back_minor, "reason": change.reason} for change in record.changes
        ],
        "back_minor": record.back_minor,
        "still_minor": None if record.outcome in {"review", None} else record.total_minor - record.back_minor,
    }


def _bill(lines: Sequence[Line], currency: str) -> list[str]:
    marks, page = tax_marks(lines), []
    for line in lines:
        page += _line(line, marks, currency)
    page.append("-" * WIDTH)
    added_minor = sum(line.tax_added for line in lines)
    if added_minor:
        page.append(_columns("Tax added", f"{money(added_minor, currency)}  "))
    page.append(_columns("TOTAL", f"{currency} {money(sum(line.total for line in lines), currency)}  "))
    page += [f"{mark} = tax class {tax}" for tax, mark in marks.items()]
    return page + _taxes(tax_table(lines), marks, currency)


def _changes(record: Receipt) -> list[str]:
    """What was given back, one by one; of a correction the bill as it is now, with its taxes."""
    page: list[str] = []
    for change in record.changes:
        day = "" if change.at is None else datetime.fromtimestamp(change.at.wall_ms / 1000, UTC).strftime(" %Y-%m-%d")
        less = f"{money(-change.back_minor, record.currency)}  "
        if change.kind == "dispute":
            page += ["-" * WIDTH, f"Disputed{day}: to be answered."]
            continue
        page += ["-" * WIDTH, _columns(f"{change.kind.capitalize()}{day}", less)]
        page += [f"  {words}" for words in textwrap.wrap(change.reason, WIDTH - 2)]
        if change.kind == "correction" and change.lines:
            page += ["The bill is now:", *_bill(change.lines, record.currency)]
    if record.back_minor:
        left = money(record.total_minor - record.back_minor, record.currency)
        page += ["-" * WIDTH, _columns("NEW TOTAL", f"{record.currency} {left}  ")]
    return page


def _line(line: Line, marks: Mapping[str, str], currency: str) -> list[str]:
    """Goods at their price, the deposit, what was taken off: together the line before any added tax."""
    mark = marks[line.tax]
    price = f"{money(line.quantity * line.unit_price, currency)} {mark}"
    names = textwrap.wrap(line.name, WIDTH - len(price) - 2) or [line.sku]
    lines = [*names[:-1], _columns(names[-1], price)]
    if line.quantity > 1:
        lines.append(f"  {line.quantity} x {money(line.unit_price, currency)}")
    if line.deposit:
        deposit = money(line.quantity * line.deposit, currency)
        each = f" {line.quantity} x {money(line.deposit, currency)}" if line.quantity > 1 else ""
        lines.append(_columns(f"  Deposit{each}", f"{deposit} {marks[_deposit_tax(line)]}"))
    less = f"{money(-line.discount, currency)} {mark}" if line.discount else ""
    if less or line.reason:
        why = textwrap.wrap(line.reason or "Discount", WIDTH - len(less) - 4)
        lines += [f"  {words}" for words in why[:-1]] + [_columns(f"  {why[-1]}", less)]
    return lines


def _deposit_tax(line: Line) -> str:
    """Its own class where it has one: the line has no other share beside that of the goods."""
    return next((share.name for share in line.taxes if share.name != line.tax), line.tax)


def _taxes(taxes: Sequence[Tax], marks: Mapping[str, str], currency: str) -> list[str]:
    if not taxes:
        return []
    rows = [
        f"{marks[tax.name]:<2}{per_cent(tax.rate_ppm) + ' %':>8}"
        + "".join(f"{money(minor, currency):>10}" for minor in (tax.net, tax.tax, tax.gross))
        for tax in taxes
    ]
    return [f"{'':<2}{'rate':>8}{'net':>10}{'tax':>10}{'gross':>10}", *rows]


def _columns(left: str, right: str) -> str:
    return left + right.rjust(WIDTH - len(left)).rstrip()
