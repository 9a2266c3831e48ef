"""`cabinet doctor`: every part, in order or not, and what to do.  Without a daemon it checks what can be checked."""

from typing import TYPE_CHECKING, Any

import typer

from cabinet.cli import checks, credit, fleet, show, words
from cabinet.cli.errors import CliError, NotReachableError
from cabinet.cli.place import ConfigFile, SocketPath, config_of, socket_of

if TYPE_CHECKING:
    from rich.text import Text


def doctor(config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """Every part of the cabinet: in order or not, and the remedy.  Exit code 1 if a needed part is not in order.

    Without a running daemon (exit code 3): configuration, socket, disk, recogniser's model, libraries, devices.
    """
    try:
        data = show.ask(socket_of(config, socket), "doctor")
    except CliError as error:
        if error.code == 1:
            raise
        data = {"parts": [_daemon(error), *checks.everything(config_of(config))], "counters": {}}
        _tell(data, as_json=json)
        raise typer.Exit(NotReachableError.code) from error
    _tell(data, as_json=json)
    if any(part.get("needed") and not part.get("ok") for part in data.get("parts", [])):
        raise typer.Exit(1)


def _daemon(error: CliError) -> dict[str, Any]:
    return checks.part("daemon", str(error), remedy=error.remedy)


def _tell(data: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show.as_json(data)
        return
    parts = sorted(data.get("parts", []), key=lambda part: (bool(part.get("ok")), not part.get("needed")))
    wrong = sum(not part.get("ok") for part in parts)
    title = f"{wrong} of {len(parts)} parts need you" if wrong else f"all {len(parts)} parts are in order"
    out = show.console()
    out.print(show.table(title, ["", "part", "what is wrong", "remedy"], [_row(part) for part in parts]))
    if (data.get("credit") or {}).get("policy") == "cloud":
        out.print(show.text(f"credit: {credit.in_words(data['credit'])}"))
    if listed := fleet.in_words(data.get("fleet") or {}):
        out.print(show.text(f"fleet's list of members: {listed}"))
    for group, counters in (data.get("counters") or {}).items():
        shown = {name: number for name, number in counters.items() if number}
        if shown:
            out.print(show.text(f"{group}: " + ", ".join(f"{name} {number}" for name, number in shown.items())))


def _row(part: dict[str, Any]) -> "tuple[Text, object, str, str]":
    ok, needed = part.get("ok"), part.get("needed")
    mark = (
        show.text("pass", "green") if ok else show.text("FAIL", "bold red") if needed else show.text("warn", "yellow")
    )
    since = part.get("since_s")
    lasting = f" (for {words.span(since)})" if isinstance(since, int | float) and since >= 1 and not ok else ""
    return (
        mark,
        part.get("part"),
        "" if ok else f"{part.get('why')}{lasting}",
        "" if ok else str(part.get("remedy") or ""),
    )
