"""`cabinet technicians`: who they are, a code for one visit of service, and what was done here, line by line."""

import base64
import binascii
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cabinet.cli import show, words
from cabinet.cli.errors import BadInputError, RefusedError
from cabinet.cli.outfile import new_file
from cabinet.cli.place import ConfigFile, SocketPath, socket_of

MAX_NAME = 120  # the ledger's own bound
MAX_MINUTES = 60  # likewise
VERIFY_S = 60.0  # a hundred thousand lines

Technician = Annotated[str, typer.Argument(metavar="ID", help="The technician's id: cabinet technicians list")]

app = typer.Typer(no_args_is_help=True, help="Technicians: who they are, codes for one visit, and the audit log.")


@app.command("add", epilog='Example: cabinet technicians add "Tina Turner" --user tina')
def add_technician(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What they are called in the audit log.")],
    user: Annotated[
        str | None,
        typer.Option("--user", metavar="UNIX", help="Their user of this computer: what it types is theirs."),
    ] = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Add a technician. It opens nothing by itself: ask for a code when they are to come."""
    if not name.strip() or len(name) > MAX_NAME:
        raise BadInputError(f"NAME: has 1 to {MAX_NAME} characters")
    data = show.ask(socket_of(config, socket), "technicians.add", name=name, user=user)
    if json:
        show.as_json(data)
    else:
        typed = f"; what the user {data.get('user')} types is theirs" if data.get("user") else ""
        show.done(f"{data.get('name')} is technician {data.get('technician')}{typed}")


@app.command("list", epilog="Example: cabinet technicians list --json")
def list_technicians(config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """The technicians, those who were removed as well: their names stay for what they did."""
    data = show.ask(socket_of(config, socket), "technicians.list")
    if json:
        show.as_json(data)
        return
    technicians = data.get("technicians") or []
    if not technicians:
        typer.echo("no technicians yet: cabinet technicians add NAME")
        return
    now_ms = time.time() * 1000
    rows = [
        (
            one.get("technician"), one.get("name"), one.get("user"), ", ".join(one.get("kids") or []) or None,
            words.when(one.get("since_wall_ms"), now_ms), words.when(one.get("removed_wall_ms"), now_ms),
        )
        for one in technicians
    ]  # fmt: skip  # a row
    title = f"Technicians ({data.get('live_codes') or 0} codes are good now)"
    columns = ["technician", "name", "user", "keys", "since", "removed"]
    show.console().print(show.table(title, columns, rows))


@app.command("remove", epilog="Example: cabinet technicians remove 01JD0000000000000000000000 --yes")
def remove_technician(
    technician: Technician,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Their codes and keys open nothing any more. The name stays beside what they did."""
    path, named = socket_of(config, socket), _id(technician)
    if not yes and not _sure(named):
        raise RefusedError("nobody was removed", "answer y, or add --yes")
    data = show.ask(path, "technicians.remove", technician=named)
    if json:
        show.as_json(data)
    else:
        show.done(f"{data.get('technician')} is no technician any more: codes and {data.get('keys')} keys are void")


@app.command("code", epilog="Example: cabinet technicians code 01JD0000000000000000000000 --purpose restock")
def issue_code(
    technician: Technician,
    *,
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=MAX_MINUTES, help="For how long it is good.")] = 10,
    purpose: Annotated[
        Literal["restock", "service"], typer.Option("--purpose", help="Restock: goods come. Service: repair.")
    ] = "service",
    qr_out: Annotated[Path | None, typer.Option("--qr-out", metavar="PNG", help="Write the QR code there.")] = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """A code for the front camera: it opens one visit of service or restock, never one of shopping.

    It ends when it was used, after the minutes, and when the computer restarts.
    """
    path = socket_of(config, socket)
    asked: dict[str, Any] = {"technician": _id(technician), "purpose": purpose, "minutes": minutes}
    if qr_out is None:
        data = show.ask(path, "technicians.code", **asked)
    else:
        with new_file(qr_out, "--qr-out") as file:
            data = show.ask(path, "technicians.code", **asked)
            file.write(_png(data))
    if json:
        show.as_json(data)
    else:
        _tell_code(data, qr_out)


@app.command("key", epilog=f"Example: cabinet technicians key 01JD0000000000000000000000 {'d7' * 32}")
def add_key(
    technician: Technician,
    public: Annotated[str, typer.Argument(metavar="KEY", help="Public key of their phone: 64 hexadecimal digits.")],
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """The technician's phone may sign tokens of service, in their name alone."""
    data = show.ask(socket_of(config, socket), "technicians.key", technician=_id(technician), public=public.strip())
    if json:
        show.as_json(data)
    else:
        show.done(f"the key {data.get('kid')} signs for {data.get('technician')}")


@app.command("forget-key", epilog="Example: cabinet technicians forget-key 0123456789abcdef")
def forget_key(
    kid: Annotated[str, typer.Argument(metavar="KID", help="As it was told when the key was added.")],
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """The phone is lost: what it signs opens nothing any more."""
    data = show.ask(socket_of(config, socket), "technicians.forget_key", kid=kid.strip())
    if json:
        show.as_json(data)
    else:
        show.done(f"the key {data.get('kid')} is forgotten")


@app.command("log", epilog="Example: cabinet technicians log --limit 20 --who tina")
def read_log(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many, the newest first.")] = 50,
    who: Annotated[
        str | None, typer.Option("--who", metavar="WHO", help="A user, or a technician's name or id.")
    ] = None,
    *,
    verify: Annotated[bool, typer.Option("--verify", help="Is the chain whole? Exit code 1 where it is not.")] = False,
    head: Annotated[
        str | None, typer.Option("--head", metavar="N:HASH", help="With --verify: a line that you have noted before.")
    ] = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Everything that was changed here, by whom: also codes at the camera, wrong ones, and what was refused.

    Each line holds the hash of the one before. A chain that somebody has made anew as a whole shows only against a
    line that was noted elsewhere: --verify prints the newest, --head compares.
    """
    path = socket_of(config, socket)
    if verify:
        _verify(path, head, as_json=json)
        return
    if head is not None:
        raise BadInputError("--head: means nothing without --verify")
    data = show.ask(path, "technicians.log", limit=limit, who=who)
    if json:
        show.as_json(data)
        return
    lines = data.get("lines") or []
    if not lines:
        typer.echo("no such lines")
        return
    now_ms = time.time() * 1000
    rows = [
        (
            one.get("n"), words.when(one.get("wall_ms"), now_ms), one.get("who"),
            one.get("name") or one.get("technician"), one.get("op"), one.get("subject"), _result(one),
        )
        for one in lines
    ]  # fmt: skip  # a row
    show.console().print(show.table("Audit log", ["n>", "when", "who", "technician", "what", "on", "result"], rows))


def _verify(path: Path, head: str | None, *, as_json: bool) -> None:
    noted: dict[str, Any] = {}
    if head is not None:
        n, _, h = head.partition(":")
        if not n.isdecimal() or len(h) != 64:
            raise BadInputError("--head: is a line's number, a colon and 64 hexadecimal digits")
        noted = {"n": int(n), "h": h.lower()}
    data = show.ask(path, "technicians.verify", timeout_s=VERIFY_S, doing="following the chain", **noted)
    if as_json:
        show.as_json(data)
        if not data.get("whole"):
            raise typer.Exit(1)
        return
    if not data.get("whole"):
        raise RefusedError(
            f"the audit log is not whole: {data.get('why')}", "keep a copy of the ledger, and ask who had access to it"
        )
    show.done(f"whole: {data.get('lines')} lines from number {data.get('first')} on, each follows the one before")
    typer.echo(f"  note it elsewhere, to compare with later: --head {data.get('n')}:{data.get('h')}")


def _tell_code(data: dict[str, Any], qr_out: Path | None) -> None:
    typer.echo(str(data.get("code")))
    if qr_out is None:
        import segno  # noqa: PLC0415  # only where a code is shown

        segno.make_qr(str(data.get("code")), error="m").terminal(compact=True)
    place = "" if qr_out is None else f" (in {qr_out})"
    typer.echo(
        f"  good once within {data.get('minutes')} minutes, for {data.get('purpose')}{place}: show it to the camera."
        " Whoever has it can open the cabinet"
    )


def _png(data: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(str(data.get("qr_png_b64") or ""), validate=True)
    except binascii.Error as error:
        raise RefusedError("the daemon sent no picture", "update the command line and the daemon together") from error


def _result(one: dict[str, Any]) -> str:
    match one.get("result"):
        case "begun":
            return "begun, its end was never told"
        case "refused":
            return f"refused: {one.get('error')}"
        case other:
            return str(other)


def _id(technician: str) -> str:
    named = technician.strip().upper()
    if len(named) != 26 or not named.isalnum():
        raise BadInputError("ID: has 26 letters and digits", "cabinet technicians list shows the ids")
    return named


def _sure(technician: str) -> bool:
    try:
        return typer.confirm(f"Remove technician {words.clean(technician)}?", default=False, err=True)
    except typer.Abort:
        return False
