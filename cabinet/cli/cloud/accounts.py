"""`cabinet cloud visit`, `balance`, `disputes`, `provider-export`: what the books, and the provider's, say of money."""

import contextlib
import dataclasses
import json as json_text
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cabinet.cli import show, words
from cabinet.cli.cloud.running import Db, place
from cabinet.cli.errors import BadInputError, NotReachableError, RefusedError
from cabinet.cli.outfile import new_file

if TYPE_CHECKING:
    from cabinet.cloud.books import Books

app = typer.Typer()

EXPORTED: Final = (
    "key", "visit", "intent", "status", "amount_minor", "captured_minor", "refunded_minor", "currency",
)  # fmt: skip  # a list; cabinet audit --provider reads them by these names


@app.command("visit", epilog="Example: cabinet cloud visit 01J9ZQ5T3N8W4V6X7Y8Z9A0B1C --db cloud.db")
def visit(
    visit: Annotated[str, typer.Argument(metavar="VISIT", help="Its id, as on the receipt.")],
    db: Db,
    json: show.AsJson = False,
) -> None:
    """The whole story of a visit's money: charge, holds, calls to the provider, postings, refunds, disputes."""
    from cabinet.cloud.money.office import story  # noqa: PLC0415  # as needed

    with reading(db) as books:
        told = story(books, visit)
    if told is None:
        raise RefusedError(f"nothing is known of the money of a visit {visit}", "cabinet cloud charges lists charges")
    if json:
        show.as_json(told)
        return
    now_ms = time.time() * 1000
    currency = (told["payment"] or told["charge"])["currency"]
    console = show.console()
    console.print(show.facts(_facts(told, currency, now_ms)))
    for name in ("attempts", "postings", "adjustments", "disputes"):
        if rows := told[name]:
            cells = [[_cell(key, value, currency, now_ms) for key, value in row.items()] for row in rows]
            columns = [key.removesuffix("_ms").replace("_minor", ">") for key in rows[0]]
            console.print(show.table(name, columns, cells))


@app.command("balance", epilog="Example: cabinet cloud balance --db cloud.db")
def balance(db: Db, json: show.AsJson = False) -> None:
    """Every account with its debits and credits; exits with 1 where they do not add up to nothing."""
    from cabinet.cloud.money.accounts import trial_balance  # noqa: PLC0415  # as needed

    with reading(db) as books:
        rows = trial_balance(books)
    off = {row["currency"]: 0 for row in rows}
    for row in rows:
        off[row["currency"]] += row["minor"]
    if json:
        show.as_json({"accounts": rows, "off_minor": off})
    else:
        sums = ("debit_minor", "credit_minor", "minor")
        cells = [(row["account"], *(words.money(row[name], row["currency"]) for name in sums)) for row in rows]
        show.console().print(show.table("balance", ["account", "debit>", "credit>", "left>"], cells))
    if any(off.values()):
        raise RefusedError(f"the books are out of balance: {off}", "restore them and report this: it cannot happen")


@app.command("disputes", epilog="Example: cabinet cloud disputes --due --db cloud.db")
def disputes(
    db: Db,
    due: Annotated[bool, typer.Option("--due", help="Only those whose answer is due within three days.")] = False,
    json: show.AsJson = False,
) -> None:
    """Disputes, the one that must be answered first at the top."""
    from cabinet.cloud.money.office import disputes as found  # noqa: PLC0415  # as needed

    now_ms = time.time_ns() // 1_000_000
    with reading(db) as books:
        rows = found(books, now_ms + 3 * 86_400_000 if due else None)
    if json:
        show.as_json({"disputes": rows})
        return
    if not rows:
        typer.echo("no disputes")
        return
    names = ("id", "visit", "who", "reason", "evidence", "due_ms", "outcome")
    cells = [[_cell(name, row[name], "", now_ms) for name in names] for row in rows]
    show.console().print(show.table("disputes", ["id", "visit", "who", "reason", "evidence", "due", "outcome"], cells))


@app.command(
    "provider-export", epilog="Example: cabinet cloud provider-export --provider sandbox:pay.db --out pay.jsonl"
)
def provider_export(
    provider: Annotated[str, typer.Option("--provider", metavar="P", help="sandbox:FILE or stripe:KEYFILE[@URL].")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="One JSON object a line.")],
    json: show.AsJson = False,
) -> None:
    """Everything in the provider's books, for cabinet audit --provider."""
    from cabinet.cloud.money.provider import (  # noqa: PLC0415  # as needed
        ProviderAwayError,
        ProviderRefusedError,
        provider_of,
    )

    try:
        asked = provider_of(provider)
    except ValueError as error:
        raise BadInputError(f"--provider: {error}", "see cabinet cloud provider-export --help") from error
    if asked is None:
        raise BadInputError("--provider: none has no books", "name the provider that cabinet cloud run has")
    n = 0
    try:
        with new_file(out, "--out") as file:
            for n, intent in enumerate(asked.export(), start=1):  # noqa: B007  # how many is told below
                row = dataclasses.asdict(intent)
                line = json_text.dumps({name: row[name] for name in EXPORTED})
                file.write(f"{line}\n".encode())
    except (ProviderAwayError, ProviderRefusedError) as error:
        raise NotReachableError(f"the provider does not tell: {error}") from error
    if json:
        show.as_json({"intents": n, "out": str(out)})
    else:
        show.done(f"{n} intents written to {out}")


@contextlib.contextmanager
def reading(db: str) -> "Iterator[Books]":
    """The books, for looking only."""
    from cabinet.cloud.books import open_books  # noqa: PLC0415  # its drivers take their time
    from cabinet.ledger.errors import LedgerError  # noqa: PLC0415  # likewise

    where = place(db)
    try:
        with contextlib.closing(open_books(where, read_only=True)) as books:
            yield books
    except LedgerError as error:
        raise RefusedError(str(error)) from error


def _facts(told: dict[str, Any], currency: str, now_ms: float) -> list[tuple[str, object]]:
    """What there is one of: charge, payment, decision.  Zeros and empty texts say nothing."""
    charge, payment, decision = (told[name] or {} for name in ("charge", "payment", "decision"))
    decided = {"decided_minor": decision.get("capture_minor"), "decided by": decision.get("who")}
    return [
        (name.removesuffix("_minor").removesuffix("_ms"), _cell(name, value, currency, now_ms))
        for name, value in {**payment, **charge, **decided}.items()
        if name != "currency" and value not in {None, "", 0}
    ]


def _cell(name: str, value: Any, currency: str, now_ms: float) -> object:  # noqa: ANN401  # a column's value
    if name.endswith("_minor"):
        return words.money(value, currency)
    return words.when(value, now_ms) if name.endswith("_ms") and value is not None else value
