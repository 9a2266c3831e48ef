"""Technicians, their short-lived codes, and the public keys of their phones.

Of a code only its SHA-256 is kept.  A code is used together with the line that tells so, or not at all.  Whoever is no
technician any more keeps their name here, for what they did; their codes and keys are gone.
"""

import hashlib
import re
import secrets
from typing import Any, Final

from ulid import ULID

from cabinet.identity.codes import BYTES, CodeError
from cabinet.identity.signing import PublicKeyError, SigningKey, check_public, kid_of
from cabinet.identity.technicians import (
    MAX_MINUTES,
    Issued,
    Now,
    Purpose,
    Service,
    Technician,
    TechnicianId,
    Why,
    format_code,
    is_live,
    judge,
    parse_code,
)
from cabinet.ledger import trail
from cabinet.ledger.entries import Stamp
from cabinet.ledger.errors import EntryRefusedError
from cabinet.ledger.outbox import TRUSTED
from cabinet.ledger.trail import TrailRoom
from cabinet.units import MemberId

MAX_NAME: Final = 120
MAX_TECHNICIANS: Final = 200  # at a time
MAX_LIVE: Final = 8  # codes, of all technicians
MAX_REMEMBERED: Final = 64  # codes, so that one that is shown again is told from a made-up one
MAX_KEYS: Final = 4  # of one technician
AT_CAMERA: Final = "camera"  # who, of a line about a code
USE: Final = "code.use"  # op, likewise
_USER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?")

# For recovery, in this order:
#   technician       6 columns: technician ULID, name TEXT, user TEXT or NULL, since_ms INTEGER, removed_ms INTEGER or
#                    NULL, removed_by TEXT
#   technician_key   4 columns: kid (16 hexadecimal digits), technician ULID, public BLOB of 32 bytes, since_ms INTEGER
#   technician_code  9 columns: n INTEGER, sha256 (64 hexadecimal digits), technician ULID, purpose ('restock',
#                    'service'), start TEXT, made_ms and until_ms INTEGER, until_wall_ms INTEGER or NULL, used 0 or 1.
#                    Better lost than recovered: a code whose use was lost would be good again.
# then what `trail.SCHEMA` says.
SCHEMA: Final = (
    """
CREATE TABLE technician (
    technician TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    user TEXT,                             -- of this computer
    since_ms INTEGER NOT NULL,
    removed_ms INTEGER,
    removed_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX technician_name ON technician (name) WHERE removed_ms IS NULL;
CREATE UNIQUE INDEX technician_user ON technician (user) WHERE removed_ms IS NULL AND user IS NOT NULL;
CREATE TABLE technician_key (
    kid TEXT PRIMARY KEY,                  -- hexadecimal
    technician TEXT NOT NULL REFERENCES technician,
    public BLOB NOT NULL,                  -- Ed25519
    since_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE technician_code (
    n INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    technician TEXT NOT NULL REFERENCES technician,
    purpose TEXT NOT NULL CHECK (purpose IN ('restock', 'service')),
    start TEXT NOT NULL,                   -- of the computer: monotonic times mean something within it alone
    made_ms INTEGER NOT NULL,              -- monotonic
    until_ms INTEGER NOT NULL,             -- monotonic
    until_wall_ms INTEGER,                 -- NULL: nobody vouched for the wall clock
    used INTEGER NOT NULL DEFAULT 0 CHECK (used IN (0, 1))
) STRICT;
CREATE TRIGGER code_is_used_once BEFORE UPDATE ON technician_code WHEN OLD.used = 1 OR NEW.sha256 <> OLD.sha256
    OR NEW.until_ms > OLD.until_ms OR NEW.start <> OLD.start
    BEGIN SELECT RAISE(ABORT, 'a technician''s code is used once'); END;
"""
    + trail.SCHEMA
)

_ISSUED: Final = (
    "SELECT c.technician, t.name, c.purpose, c.start, c.made_ms, c.until_ms, c.until_wall_ms, c.used,"
    " t.removed_ms IS NOT NULL AS removed FROM technician_code c JOIN technician t ON t.technician = c.technician"
)
_LISTED: Final = (
    "SELECT technician, name, since_ms, user, removed_ms,"
    " (SELECT count(*) FROM technician_key k WHERE k.technician = t.technician) AS keys FROM technician t"
)


class TechnicianRoom(TrailRoom):
    def add_technician(self, name: str, clock: Stamp, *, user: str | None = None) -> TechnicianId:
        """`user`: of this computer; what they type is written down under the technician's name.  Raises
        EntryRefusedError.
        """
        name = name.strip()
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise EntryRefusedError(f"a technician's name has 1 to {MAX_NAME} characters")
        if user is not None and not _USER.fullmatch(user):
            raise EntryRefusedError("that is no name of a user of this computer")
        there = [one for one in self.technicians() if one.removed_ms is None]
        if len(there) >= MAX_TECHNICIANS:
            raise EntryRefusedError(f"there are {MAX_TECHNICIANS} technicians already: remove one first")
        if any(one.name == name for one in there):
            raise EntryRefusedError("there is a technician of that name already: add what tells them apart")
        if user is not None and any(one.user == user for one in there):
            raise EntryRefusedError(f"the user {user} is another technician's")
        technician = TechnicianId(str(ULID()))
        with self._file.writing() as db:
            row = {"technician": technician, "name": name, "user": user, "since_ms": clock.wall_ms}
            db.table("technician").insert(row)
        return technician

    def technicians(self) -> list[Technician]:
        """In the order of their adding, those who were removed as well."""
        return [Technician(**row) for row in self._file.rows(f"{_LISTED} ORDER BY t.rowid")]

    def technician(self, technician: str) -> Technician | None:
        """None for one who was removed, too."""
        row = self._file.row(f"{_LISTED} WHERE technician = ? AND removed_ms IS NULL", technician)
        return None if row is None else Technician(**row)

    def technician_of_user(self, user: str) -> TechnicianId | None:
        row = self._file.row("SELECT technician FROM technician WHERE user = ? AND removed_ms IS NULL", user)
        return None if row is None else TechnicianId(row["technician"])

    def remove_technician(self, technician: str, by: str, clock: Stamp) -> bool:
        """Their codes and keys open nothing any more.  False if there is no such technician."""
        with self._file.writing() as db:
            gone = "UPDATE technician SET removed_ms = ?, removed_by = ? WHERE technician = ? AND removed_ms IS NULL"
            done = db.execute(gone, [clock.wall_ms, by, technician]).rowcount == 1
            db.execute("DELETE FROM technician_key WHERE technician = ?", [technician])
        return done

    # Codes.

    def add_service_code(self, technician: str, purpose: Purpose, minutes: int, clock: Stamp, start: str) -> str:
        """A new code, told once: it cannot be read back.  `start` names this start of the computer (`clock.boot_id`).

        Raises EntryRefusedError.
        """
        if self.technician(technician) is None:
            raise EntryRefusedError("there is no such technician")
        if isinstance(minutes, bool) or not 1 <= minutes <= MAX_MINUTES:
            raise EntryRefusedError(f"a code is good for 1 to {MAX_MINUTES} minutes")
        now = self._now(clock, start)
        if self.live_codes(clock, start) >= MAX_LIVE:
            raise EntryRefusedError(f"{MAX_LIVE} codes are good at the moment: wait until one has ended")
        secret, length_ms = secrets.token_bytes(BYTES), minutes * 60_000
        with self._file.writing() as db:
            row = {
                "sha256": _hash(secret), "technician": technician, "purpose": purpose, "start": now.start,
                "made_ms": now.mono_ms, "until_ms": now.mono_ms + length_ms,
                "until_wall_ms": None if now.wall_ms is None else now.wall_ms + length_ms,
            }  # fmt: skip  # a row
            db.table("technician_code").insert(row)
            db.execute(
                "DELETE FROM technician_code WHERE n <= (SELECT max(n) FROM technician_code) - ?", [MAX_REMEMBERED]
            )
        return format_code(secret)

    def live_codes(self, clock: Stamp, start: str) -> int:
        """How many open the cabinet now."""
        now = self._now(clock, start)
        return sum(is_live(_issued(row), now) for row in self._file.rows(_ISSUED))

    def use_service_code(self, text: str, clock: Stamp, start: str) -> Service | Why:
        """What the code opens, once; or why it opens nothing.  Raises LedgerError, and then the code is good still."""
        try:
            sha256 = _hash(parse_code(text))
        except CodeError:
            return "unknown"
        with self._file.writing() as db:
            row = self._file.row(f"{_ISSUED} WHERE c.sha256 = ?", sha256)
            found = judge(None if row is None else _issued(row), self._now(clock, start))
            if isinstance(found, Service):
                db.execute("UPDATE technician_code SET used = 1 WHERE sha256 = ?", [sha256])
                self.note_audit(AT_CAMERA, USE, clock, technician=found.technician, subject=f"purpose={found.purpose}")
        return found

    def owner_of_code(self, text: str) -> TechnicianId | None:
        """Whose code it is or was, as far as that is remembered."""
        try:
            sha256 = _hash(parse_code(text))
        except CodeError:
            return None
        row = self._file.row("SELECT technician FROM technician_code WHERE sha256 = ?", sha256)
        return None if row is None else TechnicianId(row["technician"])

    def _now(self, clock: Stamp, start: str) -> Now:
        """Where the computer cannot tell its starts apart, a code ends with this program already."""
        named = self.boot if start in {"", "unknown"} else start
        return Now(named, clock.mono_ms, clock.wall_ms if clock.quality in TRUSTED else None)

    # Keys of phones.

    def add_technician_key(self, technician: str, public: bytes, clock: Stamp) -> str:
        """Its kid, hexadecimal.  Raises EntryRefusedError for what is no Ed25519 key, or is somebody's already."""
        known = self.technician(technician)
        if known is None:
            raise EntryRefusedError("there is no such technician")
        try:
            check_public(public)
        except PublicKeyError as error:
            raise EntryRefusedError(str(error)) from error
        if known.keys >= MAX_KEYS:
            raise EntryRefusedError(f"this technician has {MAX_KEYS} keys already: remove one first")
        kid = kid_of(public).hex()
        if self._file.row("SELECT 1 AS there FROM technician_key WHERE kid = ?", kid) is not None:
            raise EntryRefusedError("this key is known already")
        with self._file.writing() as db:
            row = {"kid": kid, "technician": technician, "public": public, "since_ms": clock.wall_ms}
            db.table("technician_key").insert(row)
        return kid

    def technician_keys(self) -> dict[bytes, SigningKey]:
        """By kid.  The owner is a technician: such a key signs service tokens alone, and in their name alone."""
        rows = self._file.rows("SELECT kid, technician, public FROM technician_key")
        return {bytes.fromhex(row["kid"]): SigningKey(row["public"], MemberId(row["technician"])) for row in rows}

    def remove_technician_key(self, kid: str) -> bool:
        with self._file.writing() as db:
            return db.execute("DELETE FROM technician_key WHERE kid = ?", [kid.lower()]).rowcount == 1


def _issued(row: dict[str, Any]) -> Issued:
    return Issued(**{**row, "used": bool(row["used"]), "removed": bool(row["removed"])})


def _hash(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()
