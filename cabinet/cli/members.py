"""`cabinet members`: who may open the cabinet.  Reads no photograph before the member has agreed."""

import base64
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cabinet.cli import consent as consents
from cabinet.cli import photos, show, words
from cabinet.cli.client import LONG_ANSWER_S
from cabinet.cli.errors import BadInputError, RefusedError
from cabinet.cli.outfile import new_file
from cabinet.cli.place import ConfigFile, SocketPath, socket_of

MAX_NAME = 120  # the ledger's own bound

app = typer.Typer(no_args_is_help=True, help="Members: add, list, erase.")


@app.command(
    "add", epilog='Example: cabinet members add "Ada Lovelace" --photo ada1.jpg --photo ada2.jpg --qr-out ada.png'
)
def add_member(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the cabinet calls them.")],
    *,
    photo: Annotated[
        list[Path] | None, typer.Option("--photo", metavar="FILE", help="JPEG or PNG of the face; may be repeated.")
    ] = None,
    code: Annotated[bool, typer.Option("--code", help="Issue a QR code that opens the cabinet.")] = False,
    qr_out: Annotated[
        Path | None, typer.Option("--qr-out", metavar="PNG", help="Write the QR code there (means --code).")
    ] = None,
    consent: Annotated[bool, typer.Option("--consent", help="The member has read the text shown, and agrees.")] = False,
    language: Annotated[str, typer.Option("--language", help="Of the consent text.")] = "en",
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Add a member, recognised by face (--photo), by QR code (--code), or both. Shows the consent text first."""
    path, named = socket_of(config, socket), photo or []
    if not name.strip() or len(name) > MAX_NAME:
        raise BadInputError(f"NAME: has 1 to {MAX_NAME} characters")
    if not named and not code and qr_out is None:
        raise BadInputError("nothing to recognise the member by", "add --photo FILE, --code, or both")
    consents.obtain(language, agreed=consent)
    files = photos.files_of(named, "--photo")
    asked = {
        "name": name, "language": language, "consent": consents.VERSION,
        "photos": photos.encoded(files, "--photo"), "code": code or qr_out is not None,
    }  # fmt: skip  # a row
    try:
        data = _add(path, asked, qr_out)
    except RefusedError as error:
        raise photos.named(error, files) from error
    if json:
        show.as_json(data)
    else:
        _tell(name, data, qr_out)


def _add(path: Path, asked: dict[str, Any], qr_out: Path | None) -> dict[str, Any]:
    if qr_out is None:
        return show.ask(path, "members.add", timeout_s=LONG_ANSWER_S, doing="looking at the photos", **asked)
    with new_file(qr_out, "--qr-out") as file:
        data = show.ask(path, "members.add", timeout_s=LONG_ANSWER_S, doing="looking at the photos", **asked)
        file.write(base64.b64decode(str(data.get("qr_png_b64") or "")))
    return data


def _tell(name: str, data: dict[str, Any], qr_out: Path | None) -> None:
    show.done(f"{name} is member {data.get('member')}, with {data.get('templates')} face templates")
    if qr_out is not None:
        typer.echo(f"  the code is in {qr_out}: whoever has it can open the cabinet; it cannot be shown again")
    elif data.get("token"):
        import segno  # noqa: PLC0415  # only where a code is shown

        segno.make_qr(str(data["token"]), error="m").terminal(compact=True)
        typer.echo("  whoever has this code can open the cabinet; it cannot be shown again")


@app.command("list", epilog="Example: cabinet members list --json")
def list_members(config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """The members: how many face templates and codes each has, and their consent; never the templates themselves."""
    data = show.ask(socket_of(config, socket), "members.list")
    if json:
        show.as_json(data)
        return
    members = data.get("members", [])
    if not members:
        typer.echo("no members yet: cabinet members add NAME --photo FILE")
        return
    now_ms = time.time() * 1000
    rows = [
        (
            member.get("member"), "(erased)" if member.get("erased") else member.get("name"), member.get("templates"),
            member.get("tokens"), f"version {member.get('consent_version')}",
            words.when(member.get("consent_wall_ms"), now_ms),
        )
        for member in members
    ]  # fmt: skip  # a row
    show.console().print(show.table("Members", ["member", "name", "faces>", "codes>", "consent", "given"], rows))


@app.command("erase", epilog="Example: cabinet members erase 01JD0000000000000000000000 --yes")
def erase_member(
    member: Annotated[str, typer.Argument(metavar="ID", help="The member's id: cabinet members list")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Erase a member: name, consent, face templates and codes. Past visits keep the bare id. There is no way back."""
    path = socket_of(config, socket)
    if not member.strip():
        raise BadInputError("ID: is empty", "cabinet members list shows the ids")
    if not yes and not _sure(member):
        raise RefusedError("nothing was erased", "answer y, or add --yes")
    data = show.ask(path, "members.erase", member=member)
    if json:
        show.as_json(data)
    else:
        show.done(f"{data.get('member')} erased: {data.get('templates')} face templates, {data.get('tokens')} codes")


def _sure(member: str) -> bool:
    try:
        return typer.confirm(f"Erase {words.clean(member)} for good?", default=False, err=True)
    except typer.Abort:
        return False
