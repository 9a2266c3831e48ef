"""`cabinet members qr` and `members key`: a signed token as a phone would make it, and the keys that phones sign with.

For tests and for a phone's first set-up.  A private key stays in the file it was written to; the daemon gets the public
one.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cabinet.cli import show, words
from cabinet.cli.errors import BadInputError, RefusedError
from cabinet.cli.outfile import new_file
from cabinet.cli.place import ConfigFile, SocketPath, socket_of
from cabinet.units import MemberId

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cabinet.identity.token import Token

MAX_KEY_FILE = 16_384  # bytes; ours have 119
MemberArgument = Annotated[str, typer.Argument(metavar="MEMBER", help="The member's id: cabinet members list")]


def register(app: typer.Typer) -> None:
    """Beside the other commands of `cabinet members`."""
    app.command("qr", epilog="Example: cabinet members qr 01JD0000000000000000000000 --key ada.pem --out ada.png")(qr)
    app.command("key", epilog="Example: cabinet members key 01JD0000000000000000000000 --new ada.pem")(key)


def qr(
    member: MemberArgument,
    *,
    key: Annotated[Path, typer.Option("--key", metavar="PEM", help="Private key that signs: member's or issuer's.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="PNG", help="Write the QR code there.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=0, max=2**32 - 1, help="For at most so much, in minor units.")
    ] = None,
    expires_s: Annotated[
        int, typer.Option("--expires-s", min=0, max=10**7, help="Refused so many seconds from now; 0: by no clock.")
    ] = 0,
    cabinet: Annotated[
        str | None, typer.Option("--cabinet", metavar="ID", help="Sign for this cabinet instead: it is refused here.")
    ] = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:  # fmt: skip  # a row per option
    """Sign the number that the screen shows now, as the member's phone would. Good once, for a minute or two."""
    path, private = socket_of(config, socket), _private(key)
    if out is None and not json:
        raise BadInputError("nowhere to put the token", "add --out FILE.png, or --json")
    token = _signed(path, private, member, limit, expires_s, cabinet)
    if out is not None:
        import segno  # noqa: PLC0415  # only where a code is drawn

        with new_file(out, "--out") as file:
            segno.make_qr(token.text, error="l").save(file, kind="png", scale=8)
    if json:
        show.as_json(_told(token, out))
    else:
        show.done(f"a token for member {member} is in {out}: hold it to the camera; it is good once")


def _told(token: "Token", out: Path | None) -> dict[str, Any]:
    return {
        "member": token.member, "kid": token.kid.hex(), "limit_minor": token.limit_minor, "expires_s": token.expires_s,
        "token": token.text, "file": None if out is None else str(out),
    }  # fmt: skip  # a row


def _signed(
    path: Path, private: "Ed25519PrivateKey", member: str, limit: int | None, expires_s: int, cabinet: str | None
) -> "Token":
    from cabinet.identity import token  # noqa: PLC0415  # cryptography takes its time

    shown = str(show.ask(path, "shopper.screen").get("nonce") or "")
    if not shown:
        raise RefusedError("the screen shows no number now", "wait until the visit is over; identity.codes must be on")
    try:
        here, nonce = token.read_nonce(shown)
        place = here if cabinet is None else token.cabinet_hash(cabinet)
        until_s = int(time.time()) + expires_s if expires_s else 0
        most = token.NO_LIMIT if limit is None else limit
        return token.sign(private, (place, nonce), MemberId(member), most, until_s)
    except token.TokenError as error:
        raise BadInputError(f"nothing was signed: {error}", "cabinet members list shows the ids") from error


def key(
    member: MemberArgument,
    *,
    new: Annotated[
        Path | None, typer.Option("--new", metavar="PEM", help="Make a key pair; the private key is written there.")
    ] = None,
    public: Annotated[
        str | None, typer.Option("--public", metavar="HEX", help="Add this public key: 64 hexadecimal digits.")
    ] = None,
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="KID", help="The phone is lost: take its key away.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Show the member's keys.")] = False,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """The public keys of a member's phones: what they sign opens the cabinet for that member, and for nobody else."""
    path = socket_of(config, socket)
    if sum((new is not None, public is not None, remove is not None, listed)) != 1:
        raise BadInputError("one thing at a time", "give one of --new, --public, --remove and --list")
    if new is not None:
        data = _made(path, member, new)
    elif public is not None:
        data = show.ask(path, "members.key_add", member=member, public=public)
    elif remove is not None:
        data = show.ask(path, "members.key_remove", member=member, kid=remove)
    else:
        data = show.ask(path, "members.keys", member=member)
    if json:
        show.as_json(data)
    else:
        _tell(data, new, removed=remove is not None)


def _made(path: Path, member: str, new: Path) -> dict[str, Any]:
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415  # takes its time
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415  # likewise

    private = Ed25519PrivateKey.generate()
    with new_file(new, "--new") as file:
        file.write(private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
        public = private.public_key().public_bytes_raw().hex()
        return show.ask(path, "members.key_add", member=member, public=public)


def _tell(data: dict[str, Any], new: Path | None, *, removed: bool) -> None:
    member, kid = data.get("member"), data.get("kid")
    if removed:
        show.done(f"{member}: key {kid} opens nothing any more")
        return
    if kid is not None:
        show.done(f"{member}: key {kid} may sign for them")
    if new is not None:
        typer.echo(f"  the private key is in {words.clean(new)}: whoever has it can shop as this member")
        return
    keys = data.get("keys", [])
    if not keys:
        typer.echo("no keys yet: cabinet members key MEMBER --new FILE")
        return
    rows = [(one.get("kid"), one.get("public")) for one in keys]
    show.console().print(show.table("Keys", ["key", "public"], rows))


def _private(file: Path) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415  # takes its time
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415  # likewise

    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_KEY_FILE + 1)
    except OSError as error:
        raise BadInputError(f"--key: {file} cannot be read ({error.strerror})", "name the member's .pem") from error
    try:
        private = load_pem_private_key(text[:MAX_KEY_FILE], password=None)
    except (ValueError, TypeError) as error:  # no PEM, or one with a password
        raise BadInputError(f"--key: {file} is no private key in PEM", "cabinet members key makes one") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise BadInputError(f"--key: {file} is a key of another kind", "cabinet members key makes an Ed25519 one")
    return private
