"""What a member may ask of us: consents and their withdrawal, and erasure with a receipt.

Erasing takes every row of every table that names the member, save the bare id on past visits (the law on accounts wants
those kept), and with the row the member's own key: whatever copy of a sealed row is left somewhere opens no more.
The receipt says what was removed, by count, and is signed by the device; it names the member only by a hash of the id.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from cabinet.identity.signature import is_signed
from cabinet.ledger.accesses import AccessRoom
from cabinet.ledger.copies import CopyRoom
from cabinet.ledger.entries import Consent, Stamp
from cabinet.ledger.errors import EntryRefusedError
from cabinet.ledger.people import DIGITS, NAME, sealed_text
from cabinet.units import MemberId
from cabinet.wire import canonical

# Of a member: name is sealed, in base64, by the member's own key; that key is in `wrapped`, sealed by device.key.
SCHEMA: Final = """
ALTER TABLE member ADD COLUMN wrapped BLOB; -- NULL: a row from before, in the open, sealed when first asked for
ALTER TABLE member ADD COLUMN source TEXT NOT NULL DEFAULT 'cabinet' CHECK (source IN ('cabinet', 'cloud'));
ALTER TABLE member ADD COLUMN digits BLOB; -- sealed: the last four of the telephone number
ALTER TABLE member ADD COLUMN verified INTEGER NOT NULL DEFAULT 0 CHECK (verified IN (0, 1));
ALTER TABLE member ADD COLUMN verified_by TEXT NOT NULL DEFAULT '';
ALTER TABLE member ADD COLUMN verified_at_ms INTEGER;
CREATE INDEX visit_of_member ON visit (member) WHERE member IS NOT NULL;
CREATE TABLE consent (
    n INTEGER PRIMARY KEY,
    member TEXT NOT NULL REFERENCES member ON DELETE CASCADE,
    what TEXT NOT NULL CHECK (what IN ('enrol', 'face', 'share-face')),
    given INTEGER NOT NULL CHECK (given IN (0, 1)), -- 0: refused or withdrawn; the newest of each counts
    version TEXT NOT NULL,
    language TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX consent_of ON consent (member);
CREATE TRIGGER consent_never_changes BEFORE UPDATE ON consent
    BEGIN SELECT RAISE(ABORT, 'a consent never changes: another one follows it'); END;
INSERT INTO consent (member, what, given, version, language, at_ms)
    SELECT member, 'enrol', 1, consent_version, consent_language, consent_at_ms FROM member ORDER BY rowid;
CREATE TABLE access_log (
    n INTEGER PRIMARY KEY,
    who TEXT NOT NULL,                     -- the user at the other end of the socket
    what TEXT NOT NULL,                    -- the operation
    visit TEXT,                            -- NULL: of no visit (a live camera, say)
    why TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    quality TEXT NOT NULL
) STRICT;
CREATE INDEX access_of ON access_log (visit) WHERE visit IS NOT NULL;
CREATE TRIGGER access_never_changes BEFORE UPDATE ON access_log
    BEGIN SELECT RAISE(ABORT, 'who looked at what never changes'); END;
CREATE TABLE erasure (
    n INTEGER PRIMARY KEY,
    receipt TEXT NOT NULL,                 -- JSON, signed: counts alone, nothing of the member
    at_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER erasure_never_changes BEFORE UPDATE ON erasure
    BEGIN SELECT RAISE(ABORT, 'the receipt of an erasure never changes'); END;
"""

What = Literal["enrol", "face", "share-face"]
FORMAT: Final = "cabinet-erasure/1"
NOTHING: Final[Mapping[str, int]] = {}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Given:
    """One thing that a member has agreed to, or taken back."""

    what: What
    given: bool
    consent: Consent


class PrivacyRoom(CopyRoom, AccessRoom):
    def consents(self, member: MemberId) -> list[Given]:
        """All of them, in order: of each kind the last one counts."""
        rows = self._file.rows("SELECT * FROM consent WHERE member = ? ORDER BY n", member)
        return [
            Given(row["what"], bool(row["given"]), Consent(row["version"], row["at_ms"], row["language"]))
            for row in rows
        ]

    def consented(self, member: MemberId, what: What) -> bool:
        """They have agreed, and have not taken it back."""
        return next((one.given for one in reversed(self.consents(member)) if one.what == what), False)

    def set_consent(self, member: MemberId, what: What, consent: Consent, *, given: bool = True) -> None:
        """Raises EntryRefusedError for a stranger, and for what cannot be agreed to."""
        if what not in get_args(What) or not consent.version.strip():
            raise EntryRefusedError(f"a consent to {what!r} of version {consent.version!r} is none: {get_args(What)}")
        with self._file.writing() as db:
            if self._file.row("SELECT 1 AS one FROM member WHERE member = ?", member) is None:
                raise EntryRefusedError(f"there is no member {member}")
            sql = "INSERT INTO consent (member, what, given, version, language, at_ms) VALUES (?, ?, ?, ?, ?, ?)"
            db.execute(sql, [member, what, int(given), consent.version, consent.language, consent.at_ms])

    def withdraw_face(self, member: MemberId, clock: Stamp) -> int:
        """The member wants to be recognised by face no more: templates go, and whatever copy of them is left opens no
        more; name, digits and codes stay.  The cloud is told, by the id alone: other cabinets may know the face.

        How many templates went.  Raises EntryRefusedError.
        """
        given = self._file.row("SELECT consent_version, consent_language FROM member WHERE member = ?", member)
        if given is None:
            raise EntryRefusedError(f"there is no member {member}")
        taken_back = Consent(given["consent_version"], clock.wall_ms, given["consent_language"])
        old = self._at_rest(member)
        with self._file.writing():
            shared = self.consented(member, "share-face")
            self.set_consent(member, "face", taken_back, given=False)
            if shared:
                self.set_consent(member, "share-face", taken_back, given=False)
            gone = self._forget_faces(member)
            self._append("member.withdrew", None, [{"member": member}], clock)
        self._scrub(old)
        return gone

    def forget_faces(self, unseen_since_ms: int) -> tuple[int, int]:
        """Templates of members who have not come, enrolled or agreed anew since then.  How many members, templates."""
        late = self._file.rows(
            "SELECT member FROM member m WHERE EXISTS (SELECT 1 FROM template t WHERE t.member = m.member)"
            " AND max(consent_at_ms,"
            " coalesce((SELECT max(opened_wall_ms) FROM visit v WHERE v.member = m.member), 0),"
            " coalesce((SELECT max(at_ms) FROM consent c WHERE c.member = m.member), 0)) < ?",
            unseen_since_ms,
        )
        gone = 0
        for member in (MemberId(row["member"]) for row in late):
            old = self._at_rest(member)
            with self._file.writing():
                gone += self._forget_faces(member)
            self._scrub(old)
        return len(late), gone

    def _forget_faces(self, member: MemberId) -> int:
        """And another key for what stays: the old one may still be somewhere, with what it opens."""
        row = self._file.row("SELECT wrapped, name, digits FROM member WHERE member = ?", member)
        gone = self._file.db.execute("DELETE FROM template WHERE member = ?", [member]).rowcount
        key = None if row is None else self.vault.key_of(member, row["wrapped"])
        if row is None or key is None:
            return gone
        name, digits = self._open_name(key, row["name"]), key.open(row["digits"], DIGITS)
        if name is None:
            return gone
        new, wrapped = self.vault.new_key(member)
        self._file.db.execute(
            "UPDATE member SET wrapped = ?, name = ?, digits = ? WHERE member = ?",
            [wrapped, sealed_text(new.seal(name, NAME)), None if digits is None else new.seal(digits, DIGITS), member],
        )
        return gone

    # Erasure.

    def erase(
        self,
        member: MemberId,
        clock: Stamp,
        *,
        cabinet: str = "",
        removed: Mapping[str, int] = NOTHING,
        kept: Mapping[str, int] = NOTHING,
    ) -> dict[str, Any] | None:
        """Forget the member, on disk too; past visits keep the bare id.  The cloud is told, by that id alone.

        The signed receipt; None if there is no such member.  `removed`, `kept`: by count, what is not in the ledger.
        Raises EntryRefusedError where the device's key cannot sign: nothing is erased then.
        """
        at_rest = self._at_rest(member)
        if not at_rest:
            return None
        with self._file.writing() as db:
            rows = {table: n for table, n in self._counts(member).items() if n}
            for table in rows:
                if table != "member":  # last: what hangs on it would go uncounted
                    db.execute(f'DELETE FROM "{table}" WHERE member = ?', [member])  # noqa: S608  # names by SQLite
            db.execute("DELETE FROM member WHERE member = ?", [member])
            told = {
                "removed": {**rows, "keys": 1, **removed},
                "kept": {"visits with the bare id": len(self.visits_of(member)), **kept},
                "cabinet": cabinet,
            }
            receipt = self._receipt(member, told, clock)
            db.execute(
                "INSERT INTO erasure (receipt, at_ms) VALUES (?, ?)", [canonical(receipt).decode(), clock.wall_ms]
            )
            self._append("member.erased", None, [{"member": member}], clock)
        self._scrub(at_rest)
        return receipt

    def erasures(self) -> list[dict[str, Any]]:
        """The receipts, oldest first."""
        return [json.loads(row["receipt"]) for row in self._file.rows("SELECT receipt FROM erasure ORDER BY n")]

    def _receipt(self, member: MemberId, more: Mapping[str, Any], clock: Stamp) -> dict[str, Any]:
        told = {
            "format": FORMAT, "member_sha256": hashed(member), "wall_ms": clock.wall_ms, "clock": clock.quality,
            "store": self.store, "public_key": self.vault.public_key().hex(), **more,
        }  # fmt: skip  # a row
        return {**told, "signature": self.vault.sign(canonical(told))[1].hex()}

    def _counts(self, member: MemberId) -> dict[str, int]:
        """Rows of the member by table, of every table that has such a column: one that comes later is not forgotten."""
        return {
            table: self._file.rows(f'SELECT count(*) AS n FROM "{table}" WHERE member = ?', member)[0]["n"]  # noqa: S608  # names by SQLite
            for table in self._tables()
        }


def hashed(member: MemberId) -> str:
    """How a receipt names a member: whoever has the id can tell, and nobody can guess it (80 random bits)."""
    return hashlib.sha256(member.encode()).hexdigest()


def receipt_is_right(receipt: Mapping[str, Any]) -> bool:
    """Signed by the key that it names, and unchanged since.  Whose key that is, is for the caller to know."""
    told = {name: value for name, value in receipt.items() if name != "signature"}
    try:
        public, signature = bytes.fromhex(str(receipt["public_key"])), bytes.fromhex(str(receipt["signature"]))
        return receipt.get("format") == FORMAT and is_signed(canonical(told), public, signature)
    except (KeyError, ValueError):  # WireError, too
        return False
