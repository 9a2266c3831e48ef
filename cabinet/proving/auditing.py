"""Holds the far end's money against the provider's own books, visit by visit, and against what the cabinet charged.

It trusts no state of the payment machine where the provider knows better.  Four things may never be wrong:

- `captured`  a charge is captured once and whole, less what was given back; or it is owed, waits for a person, or for
              a provider that does not answer; never is more captured than was charged
- `holds`     a hold that nothing needs any more is captured or released
- `balance`   debits and credits add up to nothing, and `clearing` and `holds` say what the provider's books say
- `owing`     whoever owes was not let in by the cloud (the watchman asks when a visit is opened)
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from cabinet.proving.paying import PayingFarEnd
from cabinet.units import VisitId

OPEN: Final = frozenset({"waiting", "owed", "overdue", "unknown"})  # there is a reason why it is not captured yet
CHARGE: Final = (
    "SELECT p.visit, p.state, p.closed_ms, c.total_minor, (SELECT coalesce(sum(back_minor), 0) FROM adjustment a"
    " WHERE a.visit = p.visit AND a.state IN ('booked', 'paid')) AS back_minor"
    " FROM (SELECT y.visit, y.state, v.closed_ms FROM payment y LEFT JOIN visit v ON v.visit = y.visit"
    " WHERE y.visit = ?) p LEFT JOIN charge c ON c.visit = p.visit"
)
ACCOUNTS: Final = (
    "SELECT sum(amount_minor) AS total, sum(iif(account = 'clearing', amount_minor, 0)) AS clearing,"
    " sum(iif(account = 'holds', -amount_minor, 0)) AS holds FROM posting WHERE visit = ?"
)


def wrong(far_end: PayingFarEnd, visits: Iterable[VisitId], *, at_rest: bool) -> Iterator[tuple[str, str]]:
    """Invariant and what is wrong.  `at_rest`: nothing is to come any more, so that nothing may be open or held."""
    for visit in visits:
        row = far_end.store.books.row(CHARGE, visit)
        if row is not None:
            yield from _wrong_visit(far_end, row, at_rest=at_rest)


def off_balance(far_end: PayingFarEnd) -> Iterator[tuple[str, str]]:
    """Over all there is."""
    off = far_end.store.books.row("SELECT coalesce(sum(amount_minor), 0) AS minor FROM posting")
    if off is not None and off["minor"]:
        yield "balance", f"debits and credits differ by {off['minor']}"


def _wrong_visit(far_end: PayingFarEnd, row: dict[str, Any], *, at_rest: bool) -> Iterator[tuple[str, str]]:
    visit, asked = row["visit"], far_end.provider.asked_for(row["visit"])
    captured = sum(int(one["captured_minor"]) for one in asked)
    kept = captured - sum(int(one["refunded_minor"]) for one in asked)
    held = sum(int(one["amount_minor"]) for one in asked if one["status"] == "held")
    charged = int(row["total_minor"] or 0)
    due = charged - int(row["back_minor"])
    told = f"visit {visit} ({row['state']}): {charged} charged, {due} of it due"
    excused = row["state"] in OPEN and not at_rest
    if captured > charged:
        yield "captured", f"{told}, {captured} captured"
    if row["closed_ms"] is not None and kept != due and not excused:
        yield "captured", f"{told}, {kept} captured and kept"
    if held and (at_rest or (row["closed_ms"] is not None and not excused)):
        yield "holds", f"{told}, {held} is held"
    books = far_end.store.books.row(ACCOUNTS, visit) or {}
    total, clearing, holds = (int(books.get(name) or 0) for name in ("total", "clearing", "holds"))
    if total or (row["state"] != "unknown" and (clearing, holds) != (kept, held)):
        yield "balance", f"{told}: off by {total}; clearing {clearing}, provider {kept}; holds {holds}, provider {held}"
