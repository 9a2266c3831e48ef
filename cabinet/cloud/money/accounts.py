"""Double-entry lines: debits above 0, credits below, and every transaction adds up to 0.

Accounts: `receivable:MEMBER`, `revenue`, `tax:NAME`, `deposit`, `clearing` (what the provider has for us), `writeoff`,
and the memorandum pair `hold:MEMBER` / `holds`.  A transaction's name is unique; saying it again changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from cabinet.basket.pricing import allocate, half_up
from cabinet.cloud.books import Books
from cabinet.cloud.money.values import Entry, Payment
from cabinet.ledger.errors import EntryRefusedError
from cabinet.units import Minor, Sku
from cabinet.wire import SAFE_INTEGER

Kind = Literal["hold", "release", "sale", "tax", "deposit", "capture", "refund", "writeoff"]


@dataclass(frozen=True, slots=True)
class Line:
    kind: Kind
    account: str
    amount_minor: Minor


def post(books: Books, txn: str, payment: Payment, lines: Sequence[Line], now_ms: int) -> bool:
    """Within `writing`.  False: it stands already.  Raises EntryRefusedError for lines that do not add up."""
    off = sum(line.amount_minor for line in lines)
    if off:
        raise EntryRefusedError(f"{txn} is out of balance by {off}: nothing was written")
    if books.row("SELECT 1 AS one FROM posting WHERE txn = ? LIMIT 1", txn) is not None:
        return False
    values: list[object] = []
    told = [line for line in lines if line.amount_minor]
    for number, line in enumerate(told):
        values += [
            txn, number, payment.visit, line.kind, line.account, line.amount_minor, payment.currency, now_ms,
        ]  # fmt: skip  # a row
    if told:
        books.run(
            "INSERT INTO posting (txn, line, visit, kind, account, amount_minor, currency, at_ms) VALUES "  # noqa: S608  # ours
            + ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * len(told)),
            *values,
        )
    return True


def post_entry(books: Books, payment: Payment, entry: Entry, now_ms: int) -> bool:
    """What a step of the payment says to the ledger."""
    amount, owes = entry.amount_minor, receivable(payment.member)
    payment = replace(payment, currency=entry.currency or payment.currency)
    match entry.kind:
        case "hold":
            lines = [Line("hold", _hold(payment), amount), Line("hold", "holds", -amount)]
        case "release":
            lines = [Line("release", "holds", amount), Line("release", _hold(payment), -amount)]
        case "capture":
            lines = [Line("capture", "clearing", amount), Line("capture", owes, -amount)]
        case "repay":
            lines = [Line("refund", owes, amount), Line("refund", "clearing", -amount)]
    return post(books, f"{entry.kind}:{entry.name}", payment, lines, now_ms)


def post_sale(books: Books, payment: Payment, credits_minor: Mapping[str, Minor], now_ms: int) -> bool:
    total = sum(credits_minor.values())
    debit = Line("sale", receivable(payment.member), total)
    lines = [Line(_kind(account), account, -amount) for account, amount in credits_minor.items()]
    return post(books, f"sale:{payment.visit}", payment, [debit, *lines], now_ms)


def post_back(books: Books, payment: Payment, name: str, back_minor: Minor, now_ms: int) -> bool:
    """Revenue, tax and deposit taken back in proportion to what is left of each: the last refund leaves nothing."""
    rows = books.rows(
        "SELECT account, -sum(amount_minor) AS minor FROM posting WHERE visit = ? AND account NOT LIKE 'receivable:%'"
        " AND kind IN ('sale', 'tax', 'deposit', 'refund') AND account <> 'clearing' GROUP BY account ORDER BY account",
        payment.visit,
    )
    left = {Sku(row["account"]): int(row["minor"]) for row in rows if row["minor"] > 0}
    shares = allocate(min(back_minor, sum(left.values())), left)
    lines = [Line("refund", account, amount) for account, amount in shares.items()]
    credit = Line("refund", receivable(payment.member), -sum(shares.values()))
    return post(books, f"refund:{name}", payment, [*lines, credit], now_ms)


def post_writeoff(books: Books, payment: Payment, name: str, minor: Minor, now_ms: int) -> bool:
    lines = [Line("writeoff", "writeoff", minor), Line("writeoff", receivable(payment.member), -minor)]
    return post(books, f"writeoff:{name}", payment, lines, now_ms)


def receivable(member: str | None) -> str:
    return f"receivable:{member or '?'}"


def parts_of(
    total_minor: Minor, lines: Iterable[Mapping[str, Any]], taxes: Iterable[Mapping[str, Any]]
) -> dict[str, Minor]:
    """Account → credit, adding up to the total.  `taxes` is the bill's table, for a closing whose lines were left out.

    What cannot be read, or says more tax and deposit than there is money, is all revenue: the total alone is certain.
    """
    try:
        parts = _parts(list(lines), list(taxes))
    except (AttributeError, KeyError, TypeError, ValueError):
        parts = {}
    revenue = total_minor - sum(parts.values())
    if revenue < 0:
        return {"revenue": total_minor}
    return {"revenue": revenue, **{account: minor for account, minor in sorted(parts.items()) if minor}}


def trial_balance(books: Books) -> list[dict[str, Any]]:
    """Every account with its debits, credits and what is left, by currency; `memo` ones stand beside the books."""
    rows = books.rows(
        "SELECT account, currency, sum(CASE WHEN amount_minor > 0 THEN amount_minor ELSE 0 END) AS debit_minor,"
        " sum(CASE WHEN amount_minor < 0 THEN -amount_minor ELSE 0 END) AS credit_minor, sum(amount_minor) AS minor"
        " FROM posting GROUP BY account, currency ORDER BY currency, account"
    )
    return [
        {**{name: row[name] if name in {"account", "currency"} else int(row[name]) for name in row},
         "memo": str(row["account"]).startswith("hold")}
        for row in rows
    ]  # fmt: skip  # a table


def _parts(lines: list[Mapping[str, Any]], taxes: list[Mapping[str, Any]]) -> dict[str, Minor]:
    parts: dict[str, Minor] = {}
    for tax in [share for line in lines for share in line.get("taxes", [])] if lines else taxes:
        account = f"tax:{str(tax['tax'])[:64]}"
        parts[account] = parts.get(account, 0) + _amount(tax["tax_minor"])
    if deposit := sum(_deposit(line) for line in lines):
        parts["deposit"] = deposit
    return parts


def _deposit(line: Mapping[str, Any]) -> Minor:
    """Of one line, without the tax within it."""
    gross = _amount(line["quantity"]) * _amount(line.get("deposit_minor", 0))
    shares = line.get("taxes", [])
    if not gross or not shares:
        return gross
    apart = [_amount(share["net_minor"]) for share in shares if share["tax"] != line["tax"]]
    if apart:
        return min(gross, sum(apart))
    tax, net = _amount(shares[0]["tax_minor"]), _amount(shares[0]["net_minor"])
    return gross if shares[0].get("added") is True or not tax + net else gross - half_up(gross * tax, tax + net)


def _amount(value: object) -> Minor:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= SAFE_INTEGER:
        raise TypeError(f"{value!r} is no amount")
    return value


def _kind(account: str) -> Kind:
    return "deposit" if account == "deposit" else "tax" if account.startswith("tax:") else "sale"


def _hold(payment: Payment) -> str:
    return f"hold:{payment.member or '?'}"
