"""`cabinet cloud roster …`: the list of members that every cabinet of the fleet gets.

Everything the commands need is imported by the command itself.
"""

import contextlib
import dataclasses
import getpass
import json as json_text
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from cabinet.cli import show, words
from cabinet.cli.cloud.accounts import reading
from cabinet.cli.cloud.money import Who, now_ms
from cabinet.cli.cloud.running import Db, place
from cabinet.cli.errors import BadInputError, RefusedError

if TYPE_CHECKING:
    from cabinet.cloud.roster import FleetRoster
    from cabinet.cloud.roster_file import Said
    from cabinet.cloud.roster_values import Listed

app = typer.Typer()
roster = typer.Typer(no_args_is_help=True, help="The list of members that the cabinets get.")
app.add_typer(roster, name="roster", epilog="Example: cabinet cloud roster list --db cloud.db")

MAX_FILE: Final = 1_000_000
LISTS: Final = "cabinet cloud roster list shows who is on it"

MemberFile = Annotated[
    Path, typer.Argument(metavar="MEMBER_FILE", help="JSON: an entry, or what cabinet members export wrote.")
]
Member = Annotated[str, typer.Argument(metavar="MEMBER", help="The member's id.")]
Cabinets = Annotated[
    list[str] | None, typer.Option("--cabinet", metavar="CAB", help="Known there alone; may be repeated.")
]
NoFaces = Annotated[bool, typer.Option("--without-faces", help="Leave out the faces that the file holds.")]


@roster.command("add", epilog="Example: cabinet cloud roster add ada.json --cabinet cab-1 --db cloud.db")
def add(
    file: MemberFile, db: Db, cabinet: Cabinets = None, without_faces: NoFaces = False, who: Who = None,
    json: show.AsJson = False,
) -> None:  # fmt: skip  # a list
    """Put a member on the list. Without an id they get a new one; without --cabinet every cabinet knows them.

    Fields: consent {version, language, at_ms}; member, verified, age, digits, keys, cards (SHA-256), templates
    [{model, numbers}], share_face (the consent that templates need), cabinets.
    """
    from ulid import ULID  # noqa: PLC0415  # as needed

    said = _read(file, faces=not without_faces)
    entry = {"member": str(ULID()), **said.entry}
    with changing(db) as fleet:
        version = fleet.add(entry, cabinet or said.cabinets, who or getpass.getuser(), now_ms())
    _tell(json, {"member": entry["member"], "version": version}, f"{entry['member']} is on the list, version {version}")


@roster.command("change", epilog="Example: cabinet cloud roster change ada.json --db cloud.db")
def change(
    file: MemberFile, db: Db, cabinet: Cabinets = None, without_faces: NoFaces = False, who: Who = None,
    json: show.AsJson = False,
) -> None:  # fmt: skip  # a list
    """Change a member by the fields of the file; what it does not name stays as it is."""
    said = _read(file, faces=not without_faces)
    member = said.entry.get("member")
    if not isinstance(member, str):
        raise BadInputError(f"{file}: member: is missing", LISTS)
    with changing(db) as fleet:
        keep = not (cabinet or said.named)
        version = fleet.change(said.entry, cabinet or said.cabinets, who or getpass.getuser(), now_ms(), keep=keep)
    _tell(json, {"member": member, "version": version}, f"{member} is as the file says, version {version}")


@roster.command("remove", epilog="Example: cabinet cloud roster remove 01JD0000000000000000000000 --db cloud.db")
def remove(member: Member, db: Db, who: Who = None, json: show.AsJson = False) -> None:
    """Take a member off for good, at every cabinet; their id alone is kept, and is not given out again."""
    with changing(db) as fleet:
        version = fleet.remove(member, who or getpass.getuser(), now_ms())
    _tell(json, {"member": member, "version": version}, f"{member} is off the list, version {version}")


@roster.command("list", epilog="Example: cabinet cloud roster list --json --db cloud.db")
def list_members(db: Db, json: show.AsJson = False) -> None:
    """Who is on it, and which version each cabinet has; never a face, a key or digits."""
    from cabinet.cloud.roster import FleetRoster  # noqa: PLC0415  # as needed

    with reading(db) as books:
        fleet = FleetRoster(books)
        version, members, removed, cabinets = fleet.version(), fleet.members(), fleet.removed(), fleet.cabinets()
    if json:
        found = [dataclasses.asdict(one) for one in members]
        show.as_json({"version": version, "members": found, "removed": removed, "cabinets": cabinets})
        return
    at_ms, out = time.time() * 1000, show.console()
    rows = [
        (
            one.member, _places(one), _faces(one), one.cards, one.keys, "yes" if one.digits else "-",
            "yes" if one.verified else "-", one.age or "-", one.version, words.when(one.at_ms, at_ms),
        )
        for one in members
    ]  # fmt: skip  # a row
    columns = ["member", "cabinets", "faces>", "cards>", "keys>", "digits", "verified", "age>", "version>", "changed"]
    title = f"{len(members)} members, {removed} removed, version {version}"
    out.print(show.table(title, columns, rows))
    if cabinets:
        known = [(at["cab"], at["version"], words.when(at["told_ms"], at_ms)) for at in cabinets]
        out.print(show.table("cabinets", ["cabinet", "has version>", "said"], known))


@roster.command("show", epilog="Example: cabinet cloud roster show 01JD0000000000000000000000 --db cloud.db")
def show_member(member: Member, db: Db, json: show.AsJson = False) -> None:
    """One member: their consents, and what they may be known by."""
    from cabinet.cloud.roster import FleetRoster  # noqa: PLC0415  # as needed

    with reading(db) as books:
        found = FleetRoster(books).member(member)
    if found is None:
        raise RefusedError(f"there is no member {words.clean(member)} on the list", LISTS)
    if json:
        show.as_json(dataclasses.asdict(found))
        return
    at_ms = time.time() * 1000
    facts: list[tuple[str, object]] = [
        ("member", found.member),
        ("cabinets", _places(found)),
        ("consent", _agreed(found.consent, at_ms)),
        ("share face", "no" if found.share_face is None else _agreed(found.share_face, at_ms)),
        ("faces", ", ".join(f"{n} by {model}" for model, n in found.templates.items()) or "none"),
        ("cards", found.cards),
        ("keys", found.keys),
        ("digits", "yes" if found.digits else "no"),
        ("verified", "yes" if found.verified else "no"),
        ("age", f"at least {found.age}" if found.age else "not shown"),
        ("version", f"{found.version}, by {found.who}, {words.when(found.at_ms, at_ms)}"),
    ]
    show.console().print(show.facts(facts))


@contextlib.contextmanager
def changing(db: str) -> "Iterator[FleetRoster]":
    """On the books that are there already.  What the list refuses is told as such."""
    from cabinet.cloud.books import open_books  # noqa: PLC0415  # its drivers take their time
    from cabinet.cloud.roster import FleetRoster, RosterRefusedError  # noqa: PLC0415  # likewise
    from cabinet.ledger.errors import LedgerError  # noqa: PLC0415  # likewise

    where = place(db)
    try:
        with contextlib.closing(open_books(where)) as books:
            yield FleetRoster(books)
    except RosterRefusedError as error:
        raise RefusedError(str(error), LISTS) from error
    except LedgerError as error:
        raise RefusedError(str(error)) from error


def _read(file: Path, *, faces: bool) -> "Said":
    from cabinet.cloud.roster_file import MemberFileError, read  # noqa: PLC0415  # as needed

    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise BadInputError(f"{file}: is larger than {MAX_FILE} bytes", "give one member's file")
        return read(json_text.loads(content, parse_constant=_no_number), faces=faces)
    except MemberFileError as error:
        remedy = "see cabinet cloud roster add --help"
        if "share-face" in str(error):
            remedy = "ask the member, or add --without-faces"
        raise BadInputError(f"{file}: {error}", remedy) from error
    except OSError as error:
        raise BadInputError(f"{file}: cannot be read ({error.strerror})", "name a file that is there") from error
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"{file}: is no JSON: {error}", "write it with cabinet members export") from error


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _places(one: "Listed") -> str:
    return "all" if one.cabinets is None else ", ".join(one.cabinets)


def _faces(one: "Listed") -> int:
    return max(one.templates.values(), default=0)


def _agreed(agreed: dict[str, Any], at_ms: float) -> str:
    return f"version {agreed['version']} ({agreed['language']}), {words.when(agreed['at_ms'], at_ms)}"


def _tell(json: bool, data: dict[str, object], said: str) -> None:
    if json:
        show.as_json(data)
    else:
        show.done(said)
