"""What members may ask of us: `cabinet members withdraw|export|erase|receipt`; who has looked: `visits accesses`."""

import contextlib
import json as jsons
import re
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cabinet.cli import show, words
from cabinet.cli.errors import BadInputError, RefusedError
from cabinet.cli.members import MemberIs, app, member_id
from cabinet.cli.outfile import new_file
from cabinet.cli.place import ConfigFile, SocketPath, socket_of
from cabinet.cli.visit_id import visit_id

Why = Annotated[str | None, typer.Option("--why", metavar="TEXT", help="What it is for: kept in the list of accesses.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

MAX_RECEIPT = 64 * 1024  # bytes; one has about 1 KiB
ERASE_S = 120.0  # stills of many visits, and every page of the ledger looked at


@app.command("withdraw", epilog="Example: cabinet members withdraw 01JD0000000000000000000000 --yes")
def withdraw_face(
    member: MemberIs,
    yes: Yes = False,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """The member takes their face back: what is kept of it goes for good, their codes and digits stay."""
    path, named = socket_of(config, socket), member_id(member)
    _sure(f"Forget the face of {words.clean(named)} for good?", yes=yes)
    data = show.ask(path, "members.withdraw", timeout_s=ERASE_S, doing="forgetting", member=named)
    if json:
        show.as_json(data)
        return
    show.done(f"{data.get('member')}: {data.get('templates')} face templates gone, {data.get('tokens')} codes stay")
    if not data.get("tokens"):
        typer.echo("  without a face and without a code nothing opens for them: cabinet members add NAME --code")


@app.command("export", epilog="Example: cabinet members export 01JD0000000000000000000000 --out ada.json")
def export_member(
    member: MemberIs,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to write it; nobody else may read it.")
    ] = None,
    why: Why = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Everything that is kept of a member, in the open, as JSON: for them alone. Printed with --json, else a file."""
    path, named = socket_of(config, socket), member_id(member)
    if out is None and not json:
        raise BadInputError("--out: is missing", "add --out FILE, or --json to print it")
    with contextlib.ExitStack() as stack:
        file = None if out is None else stack.enter_context(new_file(out, "--out"))
        data = show.ask(path, "members.export", member=named, why=why)
        if file is not None:
            file.write(jsons.dumps(data, indent=1, ensure_ascii=False).encode() + b"\n")
    if json:
        show.as_json(data)
    elif out is not None:
        show.done(f"{out}, {out.stat().st_size:,} bytes: hand it to the member, and keep no copy")


@app.command("erase", epilog="Example: cabinet members erase 01JD0000000000000000000000 --yes --receipt erased.json")
def erase_member(
    member: MemberIs,
    yes: Yes = False,
    receipt: Annotated[
        Path | None, typer.Option("--receipt", metavar="FILE", help="Write the signed receipt there.")
    ] = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Erase a member: name, consents, face, digits, codes, and all that names them; stills of their visits too.

    Works without the cloud, which is told later. Past visits keep the bare id. There is no way back.
    """
    path, named = socket_of(config, socket), member_id(member)
    _sure(f"Erase {words.clean(named)} for good?", yes=yes)
    with contextlib.ExitStack() as stack:
        file = None if receipt is None else stack.enter_context(new_file(receipt, "--receipt"))
        data = show.ask(path, "members.erase", timeout_s=ERASE_S, doing="erasing", member=named)
        if file is not None:
            file.write(jsons.dumps(data.get("receipt"), indent=1, ensure_ascii=False).encode() + b"\n")
    if json:
        show.as_json(data)
        return
    show.done(f"{data.get('member')} erased: {data.get('templates')} faces, {data.get('tokens')} codes")
    if receipt is not None:
        typer.echo(f"  the receipt is in {receipt}: cabinet members receipt {receipt}")


@app.command("receipt", epilog="Example: cabinet members receipt erased.json --member 01JD0000000000000000000000")
def verify_receipt(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A receipt of an erasure.")],
    member: Annotated[
        str | None, typer.Option("--member", metavar="ID", help="Whose it should be: the receipt names no id.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", metavar="HEX", help="The cabinet's public key, as an earlier receipt has it.")
    ] = None,
    json: show.AsJson = False,
) -> None:
    """Verify a receipt: signed by the key that it names, and unchanged since. Asks no daemon. Exit code 1 if not.

    Whose key that is, only another receipt of the same cabinet, or --key, can tell.
    """
    told = _receipt(file)
    from cabinet.ledger.privacy import hashed, receipt_is_right  # noqa: PLC0415  # the ledger, for this one command
    from cabinet.units import MemberId  # noqa: PLC0415  # likewise

    right = receipt_is_right(told)
    theirs = None if member is None else told.get("member_sha256") == hashed(MemberId(member.strip()))
    known = None if key is None else str(told.get("public_key")) == key.strip().lower()
    good = right and theirs is not False and known is not False
    if json:
        show.as_json({**told, "signature_is_right": right, "of_the_member": theirs, "of_the_key": known, "good": good})
    else:
        _print_receipt(told, right=right, theirs=theirs, known=known)
    if not good:
        raise typer.Exit(1)


def list_accesses(
    visit: Annotated[str | None, typer.Argument(metavar="[VISIT]", help="Only of this visit; or: last")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many, the newest first.")] = 100,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Who has looked at recordings and live pictures, when, and what they said it was for."""
    path = socket_of(config, socket)
    asked = None if visit is None else visit_id(path, visit)
    data = show.ask(path, "visits.accesses", visit=asked, limit=limit)
    if json:
        show.as_json(data)
        return
    accesses = data.get("accesses") or []
    if not accesses:
        typer.echo("nobody has looked")
        return
    now_ms = time.time() * 1000
    rows = [
        (words.when(one.get("wall_ms"), now_ms), one.get("who"), one.get("what"), one.get("visit"), one.get("why"))
        for one in accesses
    ]
    show.console().print(show.table("Who has looked", ["when", "who", "what", "visit", "why"], rows))


def _sure(question: str, *, yes: bool) -> None:
    if yes:
        return
    try:
        agreed = typer.confirm(question, default=False, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise RefusedError("nothing was erased", "answer y, or add --yes")


def _receipt(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > MAX_RECEIPT:
            raise BadInputError(f"FILE: {file} is larger than {MAX_RECEIPT} bytes: no receipt of ours")
        told = jsons.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInputError(f"FILE: {file} cannot be read ({error.strerror})", "name a receipt") from error
    except (ValueError, RecursionError) as error:
        raise BadInputError(
            f"FILE: {file} is no JSON: {error}", "name a receipt as erase --receipt wrote it"
        ) from error
    if not isinstance(told, dict):
        raise BadInputError(f"FILE: {file} is no receipt", "name one as erase --receipt wrote it")
    return told


def _print_receipt(told: dict[str, Any], *, right: bool, theirs: bool | None, known: bool | None) -> None:
    def answered(value: bool | None, yes: str, no: str) -> Any:  # noqa: ANN401  # Rich's text, which is imported late
        return "not asked" if value is None else show.text(yes, "green") if value else show.text(no, "red")

    counts = ("removed", "kept")
    pairs: list[tuple[str, object]] = [
        ("signature", answered(right, "right", "NOT right: changed, or signed by nobody")),
        ("member", answered(theirs, "theirs", "NOT theirs")),
        ("key", answered(known, "the cabinet's", "ANOTHER one's")),
        ("public key", told.get("public_key") if re.fullmatch(r"[0-9a-f]{64}", str(told.get("public_key"))) else "-"),
        ("cabinet", told.get("cabinet")),
        ("when", f"{words.when(told.get('wall_ms'), time.time() * 1000)}, clock: {told.get('clock')}"),
        *((name, _counted(told.get(name))) for name in counts),
    ]
    show.console().print(show.facts(pairs))


def _counted(counts: object) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items()) if isinstance(counts, dict) and counts else "-"
