"""`cabinet members trust`: what a member's trust is made of, when it comes back, and a technician's word about it; and
`cabinet visits refused`: who was turned away, and why.
"""

import time
from typing import Annotated, Any, Final, Literal

import typer

from cabinet.cli import show, words
from cabinet.cli.errors import BadInputError
from cabinet.cli.place import ConfigFile, SocketPath, socket_of

Kind = Literal["swap", "tamper", "foreign", "covered", "dispute-lost", "misconduct", "vouched"]
SAID: Final = {
    "swap": "goods left and another thing stands in their place: suspected",
    "tamper": "the door was forced, or opened again before the bill",
    "foreign": "left a thing that is not from here",
    "covered": "a camera or the door's switch was covered",
    "dispute-lost": "disputed a bill that was right",
    "misconduct": "as the note says",
    "unpaid": "owes, by the cloud's list",
    "paid": "has paid what was owed",
    "paid-visit": "a paid visit",
    "dispute": "disputed a bill: costs nothing",
    "forgiven": "forgiven",
    "vouched": "vouched for",
}
GIVING: Final = frozenset({"paid", "paid-visit", "forgiven", "vouched"})
WAYS: Final = {"face": "face", "digits": "face and digits", "token": "signed token", "card": "card"}
BOUNDS: Final = {"refused": "let in at all", "digits": "by face alone"}


def register(members: typer.Typer) -> None:
    epilog = 'Example: cabinet members trust 01JD0000000000000000000000 --forgive 25 --note "it was a mistake"'
    members.command("trust", epilog=epilog)(trust_member)


def trust_member(
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="The member's id: cabinet members list")],
    add: Annotated[
        Kind | None, typer.Option("--add", help="Book this for or against them; each kind has its own weight.")
    ] = None,
    forgive: Annotated[
        int | None, typer.Option("--forgive", metavar="N", min=1, max=100, help="Give back so many points.")
    ] = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; kept with your name.")] = "",
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """How far a member is trusted (0 to 100), what has made it so, and when it comes back.

    Everybody begins at 70. Time gives back half of what was lost every restore_days, paid visits a point each; a debt
    counts until it is paid.
    """
    path = socket_of(config, socket)
    if not member.strip():
        raise BadInputError("MEMBER: is empty", "cabinet members list shows the ids")
    if add is not None and forgive is not None:
        raise BadInputError("--add and --forgive are two things", "do one after the other")
    wanted = (add, None) if forgive is None else ("forgiven", forgive)
    if wanted[0] is None:
        data = show.ask(path, "members.trust", member=member)
    elif not note.strip():
        raise BadInputError("--note TEXT is missing", "say why: it is kept with your name")
    else:
        data = show.ask(path, "members.trust_book", member=member, kind=wanted[0], points=wanted[1], note=note)
    if json:
        show.as_json(data)
        return
    if data.get("kind"):
        show.done(f"{data['kind']}, {data.get('points')} points, written down")
    _tell(data)


def list_refused(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many, the newest first.")] = 20,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Attempts that were turned away, and why: no name is told, and of a stranger nothing was ever known."""
    data = show.ask(socket_of(config, socket), "visits.refused", limit=limit)
    if json:
        show.as_json(data)
        return
    refused = data.get("refused") or []
    if not refused:
        typer.echo("nobody was turned away yet")
        return
    now_ms = time.time() * 1000
    rows = [
        (
            words.when(one.get("wall_ms"), now_ms), one.get("member") or "nobody we know",
            WAYS.get(str(one.get("way")), one.get("way") or "-"), one.get("why"), because(one),
        )
        for one in refused
    ]  # fmt: skip  # a row
    show.console().print(show.table("Turned away", ["when", "member", "by", "why", "because"], rows))


def _tell(data: dict[str, Any]) -> None:
    pairs: list[tuple[str, object]] = [
        ("trust", f"{data.get('trust')} of 100; everybody begins at {data.get('start')}"),
        ("lost", f"{data.get('lost')}, half of it comes back in {data.get('restore_days'):g} days"),
        ("owed", f"{data.get('owed')} until it is paid" if data.get("owed") else "nothing"),
        ("vouched", data.get("vouched") or "-"),
        *(_bound(bound, data) for bound in data.get("bounds") or []),
    ]
    console = show.console()
    console.print(show.facts(pairs))
    now_ms = time.time() * 1000
    rows = [
        (
            words.when(event.get("wall_ms"), now_ms), _points(event),
            SAID.get(str(event.get("kind")), event.get("kind")),
            event.get("visit") or "-", event.get("note") or "-", event.get("who") or "the cabinet",
        )
        for event in data.get("events") or []
    ]  # fmt: skip  # a row
    if rows:
        columns = ["when", "points>", "what", "visit", "note", "by"]
        console.print(show.table("What has made it so, the oldest first", columns, rows))
    else:
        typer.echo("nothing is kept of this member: no misconduct, no debt")


def _bound(bound: dict[str, Any], data: dict[str, Any]) -> tuple[str, str]:
    name, below, days = BOUNDS.get(str(bound.get("asks")), "?"), bound.get("below"), bound.get("passed_in_days")
    if (data.get("trust") or 0) >= (below or 0):
        return name, f"yes: {below} or more"
    if days is None:
        return name, f"no: below {below}, and time alone does not change that"
    return name, f"no: below {below} for {days:g} more days"


def _points(event: dict[str, Any]) -> str:
    points, kind = event.get("points") or 0, event.get("kind")
    return f"+{points}" if kind in GIVING else f"-{points}" if points else "0"


def admitted(admission: Any, currency: object) -> list[tuple[str, object]]:  # noqa: ANN401  whatever the daemon said
    """Of a visit: how its member was let in, for how much, and why so."""
    if not isinstance(admission, dict):
        return []
    terms = admission.get("terms") or {}
    most = f"for at most {words.money(admission.get('limit_minor'), currency)}"
    held = ""
    if terms.get("by") in {"cloud", "offline"}:
        by = "the cloud" if terms["by"] == "cloud" else "the cabinet without the cloud"
        held = f", {words.money(terms.get('hold_minor'), currency)} held by {by}"
    way = WAYS.get(str(admission.get("way")), admission.get("way"))
    return [("let in", f"by {way}, {most}{held}"), ("because", because(admission))]


def because(admission: dict[str, Any]) -> str:
    return "; ".join(str(reason) for reason in admission.get("reasons") or []) or "-"
