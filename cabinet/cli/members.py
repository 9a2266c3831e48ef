"""`cabinet members`: who may open the cabinet.  Reads no photograph before the member has agreed.

What members may ask of us (a copy, their face back, erasure) is in `privacy`, under the same name.
"""

import base64
import re
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

Photos = Annotated[
    list[Path] | None, typer.Option("--photo", metavar="FILE", help="JPEG or PNG of the face; may be repeated.")
]
Agreed = Annotated[bool, typer.Option("--consent", help="The member has read the text shown, and agrees.")]
Language = Annotated[str, typer.Option("--language", help="Of the consent text: en or de.")]
Twin = Annotated[bool, typer.Option("--twin", help="Keep them although another member looks the same.")]
MemberIs = Annotated[str, typer.Argument(metavar="ID", help="The member's id: cabinet members list")]

app = typer.Typer(no_args_is_help=True, help="Members: add, list, change, hand out a copy, withdraw, erase.")


@app.command(
    "add", epilog='Example: cabinet members add "Ada Lovelace" --photo ada1.jpg --photo ada2.jpg --qr-out ada.png'
)
def add_member(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the cabinet calls them.")],
    *,
    photo: Photos = None,
    code: Annotated[bool, typer.Option("--code", help="Issue a QR code that opens the cabinet.")] = False,
    qr_out: Annotated[
        Path | None, typer.Option("--qr-out", metavar="PNG", help="Write the QR code there (means --code).")
    ] = None,
    digits: Annotated[
        str | None, typer.Option("--digits", metavar="LAST4", help="The last four digits of their telephone number.")
    ] = None,
    verified: Annotated[bool, typer.Option("--verified", help="You have seen a proof of who they are.")] = False,
    no_face: Annotated[bool, typer.Option("--no-face", help="Their face is not to be kept, now or later.")] = False,
    share_face: Annotated[
        bool, typer.Option("--share-face", help="They agree that other cabinets of the operator know their face.")
    ] = False,
    twin: Twin = False,
    consent: Agreed = False,
    language: Language = "en",
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Add a member, recognised by face (--photo), by QR code (--code), or both. Shows the consent text first."""
    path, named = socket_of(config, socket), photo or []
    if not name.strip() or len(name) > MAX_NAME:
        raise BadInputError(f"NAME: has 1 to {MAX_NAME} characters")
    if no_face and (named or share_face):
        raise BadInputError("--no-face: goes with neither --photo nor --share-face", "leave one of them out")
    if digits is not None:
        four("--digits", digits)
    if not named and not code and qr_out is None:
        raise BadInputError("nothing to recognise the member by", "add --photo FILE, --code, or both")
    consents.obtain(language, agreed=consent)
    files = photos.files_of(named, "--photo")
    asked = {
        "name": name, "language": language, "consent": consents.VERSION,
        "photos": photos.encoded(files, "--photo"), "code": code or qr_out is not None, "digits": digits,
        "verified": verified, "no_face": no_face, "share_face": share_face, "twin": twin,
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
    show.done(f"{name} is member {data.get('member')}, with {data.get('templates')} faces")
    if qr_out is not None:
        typer.echo(f"  the code is in {qr_out}: whoever has it can open the cabinet; it cannot be shown again")
    elif data.get("token"):
        import segno  # noqa: PLC0415  # only where a code is shown

        segno.make_qr(str(data["token"]), error="m").terminal(compact=True)
        typer.echo("  whoever has this code can open the cabinet; it cannot be shown again")


@app.command("photo", epilog="Example: cabinet members photo 01JD0000000000000000000000 --photo ada3.jpg")
def add_photo(
    member: MemberIs,
    photo: Photos = None,
    twin: Twin = False,
    consent: Agreed = False,
    language: Language = "en",
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """More photographs of a member, or the first of one who had a code alone. Shows the consent text first."""
    path, named = socket_of(config, socket), photo or []
    if not named:
        raise BadInputError("--photo: is missing", "add --photo FILE")
    consents.obtain(language, agreed=consent)
    files = photos.files_of(named, "--photo")
    asked: dict[str, Any] = {
        "member": member_id(member), "photos": photos.encoded(files, "--photo"), "twin": twin, "language": language,
        "consent": consents.VERSION,
    }  # fmt: skip  # a row
    try:
        data = show.ask(path, "members.photo", timeout_s=LONG_ANSWER_S, doing="looking at the photos", **asked)
    except RefusedError as error:
        raise photos.named(error, files) from error
    if json:
        show.as_json(data)
    else:
        show.done(f"{data.get('member')} has {data.get('templates')} faces now")


@app.command("list", epilog="Example: cabinet members list --json")
def list_members(config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """The members: how many faces and codes each has, and their consent; never what is kept of a face.

    Blocked: no cabinet lets them in, and why; the cloud keeps that list.
    """
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
            member.get("member"), _name(member), member.get("templates"), member.get("tokens"),
            "yes" if member.get("digits") else "-", "yes" if member.get("verified") else "-", member.get("age") or "-",
            member.get("blocked") or "-", f"version {member.get('consent_version')}",
            words.when(member.get("consent_wall_ms"), now_ms), words.when(member.get("last_visit_wall_ms"), now_ms),
        )
        for member in members
    ]  # fmt: skip  # a row
    columns = [
        "member", "name", "faces>", "codes>", "digits", "verified", "age>", "blocked", "consent", "given", "last visit",
    ]  # fmt: skip  # a row
    show.console().print(show.table("Members", columns, rows))


def _name(member: dict[str, Any]) -> str:
    if member.get("erased"):
        return "(erased)"
    if member.get("readable") is False:
        return "(sealed by another device.key)"
    return str(member.get("name") or "-")


@app.command("digits", epilog="Example: cabinet members digits 01JD0000000000000000000000 0815")
def set_digits(
    member: MemberIs,
    digits: Annotated[str, typer.Argument(metavar="LAST4", help="The last four of their telephone number; or: none")],
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Asked for at the door where the face alone is not enough. They are kept sealed and shown to nobody."""
    path = socket_of(config, socket)
    said = None if digits == "none" else four("LAST4", digits)
    data = show.ask(path, "members.digits", member=member_id(member), digits=said)
    if json:
        show.as_json(data)
    else:
        show.done(f"{data.get('member')}: {'digits kept' if data.get('digits') else 'no digits any more'}")


@app.command("verify", epilog="Example: cabinet members verify 01JD0000000000000000000000")
def verify_member(
    member: MemberIs,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """You have seen a proof of who the member is. Your name is kept beside it, nothing of the document."""
    path = socket_of(config, socket)
    data = show.ask(path, "members.verify", member=member_id(member), verified=not undo)
    if json:
        show.as_json(data)
    else:
        show.done(f"{data.get('member')}: {'verified' if data.get('verified') else 'not verified any more'}")


@app.command("age", epilog="Example: cabinet members age 01JD0000000000000000000000 18")
def verify_age(
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="The member's id: cabinet members list")],
    years: Annotated[
        int, typer.Argument(metavar="YEARS", min=0, max=150, help="At least so old, in whole years; 0 takes it back.")
    ],
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """You have seen a proof that the member is at least so old. Your name is kept beside it, never a birth date."""
    path = socket_of(config, socket)
    if not member.strip():
        raise BadInputError("MEMBER: is empty", "cabinet members list shows the ids")
    data = show.ask(path, "members.age", member=member, years=years)
    if json:
        show.as_json(data)
        return
    age = data.get("years")
    show.done(f"{data.get('member')}: " + ("no proof of age any more" if age is None else f"at least {age} years old"))


def member_id(text: str) -> str:
    if not text.strip():
        raise BadInputError("ID: is empty", "cabinet members list shows the ids")
    return text.strip()


def four(option: str, text: str) -> str:
    if not re.fullmatch(r"[0-9]{4}", text):
        raise BadInputError(f"{option}: must be four digits", "the last four of the telephone number, such as 0815")
    return text
