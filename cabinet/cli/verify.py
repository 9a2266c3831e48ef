"""`cabinet visits verify`: whether a visit's evidence was changed since its bill was made."""

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cabinet.cli import show
from cabinet.cli.client import LONG_ANSWER_S
from cabinet.cli.errors import BadInputError, RefusedError
from cabinet.cli.place import ConfigFile, SocketPath, socket_of
from cabinet.cli.visit_id import is_visit_id, visit_id

if TYPE_CHECKING:
    from cabinet.trace import Verified


def verify_visit(
    what: Annotated[
        str, typer.Argument(metavar="VISIT|TRACE", help="A visit's id, or: last; or a trace's folder or .tar.")
    ],
    wanted: Annotated[
        str | None, typer.Option("--hash", metavar="HEX", help="The charge's evidence hash; the daemon is not asked.")
    ] = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Compute every hash anew and name each file, line and still that was changed, is missing or was added.

    Of a VISIT, the daemon looks at the recording itself and the ledger's hash. Of a TRACE, --hash says what the charge
    was bound to; without it only the trace's own evidence.json is compared, which whoever changed the trace could
    change too. Stills that the cabinet blurred are told, and whose signature says so. Exit code 1 where anything
    differs.
    """
    if wanted is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", wanted):
        raise BadInputError("--hash: expected 64 hex digits", "cabinet visits show VISIT names the charge's")
    asked = what.lower() == "last" or (is_visit_id(what) and not (wanted and Path(what).exists()))
    if asked:
        found = _of_visit(socket_of(config, socket), what, wanted)
    else:
        found = _of_trace(Path(what), (wanted or "").lower())
    if json:
        show.as_json({**dataclasses.asdict(found), "same": found.same, "compared": bool(found.wanted)})
    else:
        _print(found)
    if not found.same:
        raise typer.Exit(1)


def _of_visit(path: Path, visit: str, wanted: str | None) -> "Verified":
    """By the daemon, on the recording itself."""
    from cabinet.trace import Finding, Verified  # noqa: PLC0415  # with the tally's types

    said = show.ask(
        path, "visits.verify", timeout_s=LONG_ANSWER_S, doing="verifying", visit=visit_id(path, visit), hash=wanted
    )
    names = {field.name for field in dataclasses.fields(Verified)} - {"findings"}
    try:
        findings = [Finding(one["where"], one["what"], one.get("why", "")) for one in said.get("findings") or []]
        return Verified(**{name: said[name] for name in names}, findings=findings)
    except (KeyError, TypeError, AttributeError) as error:
        raise RefusedError(f"the daemon's answer is none of ours: {error}", "update it and this together") from error


def _of_trace(path: Path, wanted: str) -> "Verified":
    from cabinet.trace import TraceError, verify  # noqa: PLC0415  with the tally's types

    try:
        return verify(path, wanted)
    except (TraceError, OSError) as error:
        raise BadInputError(f"VISIT|TRACE: {error}", "cabinet visits list shows the ids") from error


def _print(found: "Verified") -> None:
    compared = f"{found.wanted}, the charge's" if found.wanted else "with no charge: give its hash with --hash"
    pairs: list[tuple[str, object]] = [
        ("visit", found.visit or "-"),
        ("evidence", found.hash or "-"),
        ("compared", compared),
        ("bound", f"the header, {found.lines} lines, {found.frames} stills, the verdict"),
        ("kept back", _kept_back(found)),
        ("behind it", f"{found.lines_behind} lines and {found.frames_behind} stills of later, not bound"),
        ("result", show.text("unchanged", "green") if found.same else show.text("DIFFERS", "red")),
    ]
    console = show.console()
    console.print(show.facts(pairs))
    if found.findings:
        rows = [(finding.where, finding.what, finding.why or "-") for finding in found.findings]
        console.print(show.table("What differs", ["where", "how", "why"], rows))


def _kept_back(found: "Verified") -> str:
    """Stills that the cabinet itself has blurred or left out: unchanged as far as its signature says so."""
    if not found.withheld:
        return "-"
    counts = ", ".join(f"{n} stills {why}" for why, n in found.withheld.items())
    return f"{counts}; signed by the cabinet's key {found.signed_by}"
