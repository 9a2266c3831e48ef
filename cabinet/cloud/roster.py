"""The fleet's list of members in the books: add, change, remove, and what it was at any version.

Each change has the next version, given out under one row's lock, so that versions commit in order whichever process
makes them.  It refuses what no cabinet would take, a card or key that is somebody else's, and a member who was removed:
their id is not given out again.
"""

import contextlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cabinet.cloud.books import Books
from cabinet.cloud.roster_values import Listed, View, listed, places
from cabinet.identity.entry import EntryError, canonical, entry_of, fingerprint
from cabinet.identity.signing import PublicKeyError, check_public
from cabinet.units import MemberId

KEPT_VERSIONS: Final = 10_000  # a cabinet that is farther behind gets the whole list
TIDY_EVERY: Final = 256
MAX_BYTES: Final = 24_000_000  # of all entries; what a cabinet takes in one go, see cabinet.uplink.members
MAX_CABS: Final = 1_000
CHUNK: Final = 500
CAB: Final = re.compile(r"[^/+#\s]{1,128}")  # part of a topic

VIEW: Final = (
    "SELECT l.member AS member, l.fingerprint AS fingerprint, l.cabs AS cabs FROM roster_log l"
    " JOIN (SELECT member, max(version) AS version FROM roster_log WHERE version <= ? GROUP BY member) n"
    " ON n.version = l.version WHERE l.fingerprint <> ''"
)
PUT: Final = (
    "INSERT INTO roster_member (member, version, entry, cabs, who, at_ms) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT"
    " (member) DO UPDATE SET version = excluded.version, entry = excluded.entry, cabs = excluded.cabs,"
    " who = excluded.who, at_ms = excluded.at_ms"
)
TIDY: Final = (  # what nobody's version needs any more
    "DELETE FROM roster_log WHERE version <= ? AND EXISTS (SELECT 1 FROM roster_log n"
    " WHERE n.member = roster_log.member AND n.version > roster_log.version AND n.version <= ?)"
)

NEW: Final[dict[str, Any]] = {
    "share_face": None, "verified": False, "age": 0, "digits": "", "keys": [], "cards": [], "templates": [],
}  # fmt: skip  # what a new member has if nothing is said of it


class RosterRefusedError(Exception):
    """The list does not allow what was asked; the message names the field or the member."""


class FleetRoster:
    def __init__(self, books: Books) -> None:
        self._books = books

    def version(self) -> int:
        row = self._books.row("SELECT version FROM roster_head")
        return 0 if row is None else int(row["version"])

    def add(self, said: Mapping[str, Any], cabs: object, who: str, now_ms: int) -> int:
        """A new member; what is not said of them is nothing.  Returns the version.  Raises RosterRefusedError."""
        with self._changing():
            member = said.get("member")
            if isinstance(member, str) and (row := self._row(member)) is not None:
                gone = "was removed for good: give them a new id" if row["entry"] is None else "is on it: change them"
                raise RosterRefusedError(f"member: {member} {gone}")
            return self._put({**NEW, **said}, _cabs(cabs), who, now_ms)

    def change(self, said: Mapping[str, Any], cabs: object, who: str, now_ms: int, *, keep: bool) -> int:
        """What is not said stays as it is; `keep`: so do the cabinets.  Returns the version, an old one if nothing
        is another than before.  Raises RosterRefusedError.
        """
        with self._changing():
            row = self._there(said.get("member"))
            entry, where = json.loads(row["entry"]), row["cabs"] if keep else _cabs(cabs)
            if {**entry, **said} == entry and where == row["cabs"]:
                return int(row["version"])
            return self._put({**entry, **said}, where, who, now_ms)

    def remove(self, member: str, who: str, now_ms: int) -> int:
        """For good, at every cabinet: their id alone is kept.  Raises RosterRefusedError where they are not on it."""
        with self._changing():
            self._there(member)
            return self._gone(member, who, now_ms)

    def erased(self, cab: str, member: str, now_ms: int) -> str:
        """The member has asked a cabinet to be forgotten.  Within `writing`.  Why a person should look, or ""."""
        row = self._row(member)
        if row is None or row["entry"] is None:  # enrolled at the cabinet itself, or known already
            return ""
        told = self._books.rows("SELECT cabs FROM roster_log WHERE member = ?", member)
        if not any(one is None or cab in one for one in (places(was["cabs"]) for was in [row, *told])):
            return f"{cab} has erased member {member}, who has never been on its list: they stay on it"
        with self._changing():
            self._there(member)
            self._gone(member, f"erased at {cab}", now_ms)
        return ""

    def raise_to(self, version: int) -> None:
        """A cabinet knows a newer version than these books: what comes from now on must be newer still."""
        with self._books.writing():
            self._books.run("UPDATE roster_head SET version = ? WHERE version < ?", version, version)

    def view(self, version: int) -> View:
        found = {
            MemberId(row["member"]): (str(row["fingerprint"]), places(row["cabs"]))
            for row in self._books.rows(VIEW, version)
        }
        return View(version, found)

    def entries(self, members: list[MemberId]) -> dict[MemberId, dict[str, Any]]:
        """As they are now, which may be newer than a view."""
        found: dict[MemberId, dict[str, Any]] = {}
        for at in range(0, len(members), CHUNK):
            some = members[at : at + CHUNK]
            marks = ", ".join("?" * len(some))
            sql = f"SELECT member, entry FROM roster_member WHERE entry IS NOT NULL AND member IN ({marks})"  # noqa: S608  # marks alone
            found |= {row["member"]: json.loads(row["entry"]) for row in self._books.rows(sql, *some)}
        return found

    def members(self) -> list[Listed]:
        """In the order of their ids, which is that of their making."""
        rows = self._books.rows("SELECT * FROM roster_member WHERE entry IS NOT NULL ORDER BY member")
        return [listed(row) for row in rows]

    def member(self, member: str) -> Listed | None:
        row = self._row(member)
        return None if row is None or row["entry"] is None else listed(row)

    def removed(self) -> int:
        row = self._books.row("SELECT count(*) AS n FROM roster_member WHERE entry IS NULL")
        return 0 if row is None else int(row["n"])

    def cabinets(self) -> list[dict[str, Any]]:
        """What each has said that it has."""
        return self._books.rows("SELECT cab, version, told_ms FROM roster_at ORDER BY cab")

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """One at a time, whichever process: what was read within is so until the commit."""
        with self._books.writing():
            self._books.run("UPDATE roster_head SET sent = sent WHERE id = 0")
            yield

    def _put(self, said: dict[str, Any], cabs: str, who: str, now_ms: int) -> int:
        raw = {**said, "salt": secrets.token_hex(16)}
        try:
            entry = entry_of(raw)
            for place, key in enumerate(entry.keys):
                _check_key(f"keys[{place}]", key)
        except EntryError as error:
            raise RosterRefusedError(str(error)) from error
        self._count(entry.member, len(canonical(raw).decode()))
        self._books.run("DELETE FROM roster_code WHERE member = ?", entry.member)
        for name, codes in (("cards", entry.cards), ("keys", entry.keys)):
            for place, code in enumerate(codes):
                if (owner := self._books.row("SELECT member FROM roster_code WHERE code = ?", code)) is not None:
                    raise RosterRefusedError(f"{name}[{place}]: is member {owner['member']}'s already")
                self._books.run("INSERT INTO roster_code (code, member) VALUES (?, ?)", code, entry.member)
        version = self._next(entry.member, fingerprint(raw), cabs)
        self._books.run(PUT, entry.member, version, canonical(raw).decode(), cabs, who, now_ms)
        return version

    def _gone(self, member: str, who: str, now_ms: int) -> int:
        self._books.run("DELETE FROM roster_code WHERE member = ?", member)
        self._count(member, 0)
        version = self._next(member, "", "null")
        self._books.run(PUT, member, version, None, "null", who, now_ms)
        return version

    def _next(self, member: str, found: str, cabs: str) -> int:
        row = self._books.row("UPDATE roster_head SET version = version + 1 WHERE id = 0 RETURNING version")
        version = 0 if row is None else int(row["version"])
        sql = "INSERT INTO roster_log (version, member, fingerprint, cabs) VALUES (?, ?, ?, ?)"
        self._books.run(sql, version, member, found, cabs)
        if version % TIDY_EVERY == 0:
            self._books.run(TIDY, version - KEPT_VERSIONS, version - KEPT_VERSIONS)
        return version

    def _count(self, member: str, size: int) -> None:
        old = self._books.row("SELECT coalesce(length(entry), 0) AS n FROM roster_member WHERE member = ?", member)
        more = size - (0 if old is None else int(old["n"]))
        row = self._books.row("UPDATE roster_head SET bytes = bytes + ? WHERE id = 0 RETURNING bytes", more)
        if size and row is not None and row["bytes"] > MAX_BYTES:
            raise RosterRefusedError(
                f"the list would take {row['bytes']} bytes, more than {MAX_BYTES}: remove somebody"
            )

    def _row(self, member: str) -> dict[str, Any] | None:
        return self._books.row("SELECT * FROM roster_member WHERE member = ?", member)

    def _there(self, member: object) -> dict[str, Any]:
        row = self._row(member) if isinstance(member, str) else None
        if row is None or row["entry"] is None:
            raise RosterRefusedError(f"member: {member} is not on the list")
        return row


def _check_key(name: str, key: str) -> None:
    try:
        check_public(bytes.fromhex(key))
    except PublicKeyError as error:
        raise EntryError(f"{name}: {error}") from error


def _cabs(cabs: object) -> str:
    if cabs is None:
        return "null"
    named = cabs if isinstance(cabs, list) else []
    wrong = [cab for cab in named if not isinstance(cab, str) or not CAB.fullmatch(cab)]
    if not named or len(named) > MAX_CABS or wrong:
        raise RosterRefusedError(f"cabinets: is no list of 1 to {MAX_CABS} cabinets' ids; leave it out for all of them")
    return json.dumps(sorted(set(named)))
