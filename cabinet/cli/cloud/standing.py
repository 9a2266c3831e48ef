"""`cabinet cloud status`: where the far end stands, and what a person has to look at."""

import dataclasses
import time
from typing import TYPE_CHECKING

import typer

from cabinet.cli import show, words
from cabinet.cli.cloud.running import Db, place
from cabinet.cli.errors import RefusedError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from cabinet.cloud.overview import Overview

app = typer.Typer()


@app.command("status", epilog="Example: cabinet cloud status --db cloud.db")
def cloud_status(db: Db, json: show.AsJson = False) -> None:
    """Events, charges, how far each cabinet's mark is, gaps, open visits, what was refused, alarms."""
    from cabinet.cloud.run import status  # noqa: PLC0415  # likewise
    from cabinet.ledger import LedgerError  # noqa: PLC0415  # likewise

    try:
        found = status(place(db))
    except LedgerError as error:
        raise RefusedError(str(error)) from error
    if json:
        show.as_json(dataclasses.asdict(found))
        return
    show.console().print(show.group(_parts(found, time.time() * 1000)))


def _parts(found: "Overview", now_ms: float) -> "list[RenderableType]":
    lag = f", {found.behind} behind a gap" if found.behind else ", no gaps"
    parts: list[RenderableType] = [
        show.facts([
            ("cabinets", f"{found.cabinets}, with {found.stores} stores"),
            ("events", f"{found.events}{lag}"),
            ("charges", found.charges),
            ("forks", found.forks),
            ("visits open", found.open_visits),
        ])
    ]  # fmt: skip  # a row a line
    marks = [(row["cab"], row["store"], row["hwm"], row["lag"], row["events"], row["charges"]) for row in found.marks]
    gaps = [(row["cab"], row["missing"], row["head"], words.when(row["since_ms"], now_ms)) for row in found.gaps]
    visits = [
        (row["visit"], row["cab"], row["member"], words.when(row["opened_ms"], now_ms),
         "told" if row["alarmed_ms"] else "")
        for row in found.open
    ]  # fmt: skip  # a row
    refused = [(row["cab"], row["why"], row["n"], words.when(row["last_ms"], now_ms)) for row in found.refusals]
    alarms = [(alarm.cab, alarm.kind, alarm.what, words.when(alarm.at_ms, now_ms)) for alarm in found.alarms]
    for title, columns, rows in (
        ("marks", ["cabinet", "store", "mark>", "behind>", "events>", "charges>"], marks),
        ("gaps", ["cabinet", "missing event>", "newest>", "since"], gaps),
        ("visits open", ["visit", "cabinet", "member", "opened", "alarm"], visits),
        ("refused", ["cabinet", "why", "how often>", "last"], refused),
        ("alarms", ["cabinet", "kind", "what", "when"], alarms),
    ):
        if rows:
            parts.append(show.table(title, columns, rows))
    return parts
