"""Whom no cabinet lets in: who owes from an earlier visit, and the deny list.

Its version rises by one whenever its content is another, in whichever process that was noticed first.
"""

import hashlib
import json
from typing import Final

from cabinet.cloud.books import Books
from cabinet.cloud.forgetting import is_forgotten

OWING: Final = ("owed", "overdue")
PART: Final = 100  # members in one message: it stays far below 16 KiB
RESEND_MS: Final = 10 * 60_000

Blocked = list[dict[str, str]]


def why_not(books: Books, member: str) -> str:
    """Why this member is not let in: "denied", "unpaid" or ""."""
    denied = books.row("SELECT 1 AS one FROM blocked WHERE member = ?", member) is not None
    if denied or is_forgotten(books, member):
        return "denied"
    owing = books.row("SELECT 1 AS one FROM payment WHERE member = ? AND state IN (?, ?) LIMIT 1", member, *OWING)
    return "" if owing is None else "unpaid"


def blocked(books: Books) -> Blocked:
    denied = {row["member"] for row in books.rows("SELECT member FROM blocked")}
    owing = books.rows("SELECT DISTINCT member FROM payment WHERE state IN (?, ?) AND member IS NOT NULL", *OWING)
    whys = {row["member"]: "unpaid" for row in owing} | dict.fromkeys(denied, "denied")
    return [{"member": member, "why": whys[member]} for member in sorted(whys)]


def current(books: Books) -> tuple[int, Blocked]:
    """The roster and its version."""
    with books.writing("roster"):
        found = blocked(books)
        digest = hashlib.sha256(json.dumps(found).encode()).hexdigest()
        version, known = _pair(books, "roster", "0 -")
        if known != digest:
            version = str(int(version) + 1)
            _set(books, "roster", f"{version} {digest}")
        return int(version), found


def take_turn(books: Books, version: int, now_ms: int) -> bool:
    """Has this version to be sent to everybody now, and by us?  One process gets a yes."""
    with books.writing("roster"):
        sent, at_ms = _pair(books, "roster sent", "-1 0")
        if int(sent) >= version and now_ms - int(at_ms) < RESEND_MS:
            return False
        _set(books, "roster sent", f"{version} {now_ms}")
        return True


def parts(found: Blocked) -> list[Blocked]:
    """An empty roster has one part too: it says that nobody is blocked."""
    return [found[at : at + PART] for at in range(0, len(found), PART)] or [[]]


def _pair(books: Books, name: str, default: str) -> tuple[str, str]:
    row = books.row("SELECT value FROM setting WHERE name = ?", name)
    first, _, second = (default if row is None else str(row["value"])).partition(" ")
    return first, second


def _set(books: Books, name: str, value: str) -> None:
    books.run(
        "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        name, value,
    )  # fmt: skip  # a table
