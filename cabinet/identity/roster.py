"""The fleet's list of members as one cabinet sees it, and what a message of changes makes of it.

Pure: rows and a message in, other rows out, or the reason why not.  It refuses a change of what is not there, two
changes of one member, and a result that is not the one the cloud has; so a roster is never a mix of two.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from cabinet.identity.entry import Entry, EntryError, entry_of, fingerprint, member_of
from cabinet.units import MemberId

Op = Literal["add", "change", "remove"]

OLD: Final = "older version"  # known already, or replaced by a newer one: weather
GAP: Final = "wrong from"  # it begins where we are not
SHAPE: Final = "wrong shape"
OP: Final = "unknown op"
CONTRADICTION: Final = "contradiction"  # changes what is not there, or says two things of one member
HASH: Final = "wrong hash"
BUSY: Final = "busy"  # nothing is wrong with it: later


class RosterError(ValueError):
    """`why` is one of the words above, to be counted; the message names the field, never what stands in it."""

    def __init__(self, why: str, message: str = "") -> None:
        super().__init__(message or why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Change:
    op: Op
    member: MemberId
    entry: Entry | None = None  # None: removed
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    """From version `begin` to version `to`; from 0: the whole roster."""

    begin: int
    to: int
    changes: tuple[Change, ...]
    digest: str  # of the roster after it


Rows = Mapping[MemberId, str]  # member → fingerprint


def digest(rows: Rows) -> str:
    """SHA-256 of `MEMBER FINGERPRINT` lines in the order of the members, hexadecimal."""
    lines = "".join(f"{member} {rows[member]}\n" for member in sorted(rows))
    return hashlib.sha256(lines.encode()).hexdigest()


EMPTY: Final = digest({})


def applied(version: int, rows: Rows, delta: Delta) -> dict[MemberId, str]:
    """The rows after it.  Raises RosterError, and then the ones before it hold."""
    if delta.to < version or (delta.to == version and delta.begin not in {0, version}):
        raise RosterError(OLD)
    if delta.begin not in {0, version} or (delta.begin == delta.to and delta.changes):
        raise RosterError(GAP)
    made = {} if delta.begin == 0 else dict(rows)
    seen: set[MemberId] = set()
    for change in delta.changes:
        if change.member in seen or (change.member in made) != (change.op != "add"):
            raise RosterError(CONTRADICTION)
        seen.add(change.member)
        if change.op == "remove":
            del made[change.member]
        else:
            made[change.member] = change.fingerprint
    if digest(made) != delta.digest:
        raise RosterError(HASH)
    return made


def change_of(raw: object) -> Change:
    """{op, entry} or {op: remove, member}.  Raises RosterError."""
    if not isinstance(raw, dict):
        raise RosterError(SHAPE, "changes: holds what is no object")
    op = raw.get("op")
    if op not in {"add", "change", "remove"}:
        raise RosterError(OP, "op: is none of add, change, remove")
    if set(raw) != {"op", "member" if op == "remove" else "entry"}:
        raise RosterError(SHAPE, f"{op}: has other fields than it should")
    try:
        if op == "remove":
            return Change("remove", member_of(raw["member"]))
        entry = entry_of(raw["entry"])
    except EntryError as error:
        raise RosterError(SHAPE, str(error)) from None
    return Change(op, entry.member, entry, fingerprint(raw["entry"]))
