"""Members, their consent, templates, QR tokens and proofs of age.

Lists never carry a template or a token; `templates()` exists for matching alone.  Of a token only its SHA-256 is kept,
so a copy of the file opens no door.  What is sealed, and how, says `vault`; withdrawing and erasing are in `privacy`.
"""

import base64
import binascii
import hashlib
import math
import re
import secrets
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from ulid import ULID

from cabinet.ledger.entries import Consent, Stamp
from cabinet.ledger.errors import EntryRefusedError
from cabinet.ledger.people import DIGITS, NAME, PeopleRoom, sealed_text, template_of
from cabinet.ledger.room import pack, unpack
from cabinet.ledger.vault import MemberKey
from cabinet.units import MemberId

TOKEN_PREFIX: Final = "CAB1:"  # noqa: S105  # the public beginning of every code, not a secret
TOKEN_BYTES: Final = 16  # 128 random bits: not to be guessed
MAX_TEMPLATES: Final = 16  # several pictures per member help; by one model; more only slow the matching down
MAX_NAME: Final = 120
MAX_AGE: Final = 150
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FOUR: Final = re.compile(r"[0-9]{4}")


class MemberRoom(PeopleRoom):
    def add_member(
        self,
        name: str,
        consent: Consent,
        *,
        member: MemberId | None = None,
        source: Literal["cabinet", "cloud"] = "cabinet",
    ) -> MemberId:
        """`member`: the id by which the cloud knows them; else one is drawn.  The cloud may tell no name.

        Raises EntryRefusedError for an empty name, a consent without version, and an id that is here already.
        """
        if not (name.strip() or source == "cloud") or len(name) > MAX_NAME:
            raise EntryRefusedError(f"a member's name has 1 to {MAX_NAME} characters")
        if not consent.version.strip():
            raise EntryRefusedError("a member cannot be added without the version of the consent they gave")
        new = MemberId(str(ULID())) if member is None else _checked(member)
        with self._file.writing() as db:
            if self._file.row("SELECT 1 AS one FROM member WHERE member = ?", new) is not None:
                raise EntryRefusedError(f"the member {new} is here already: change them, or erase them first")
            key, wrapped = self.vault.new_key(new)
            db.execute(
                "INSERT INTO member (member, name, consent_version, consent_at_ms, consent_language, wrapped, source)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                [new, sealed_text(key.seal(name.strip().encode(), NAME)), consent.version, consent.at_ms,
                 consent.language, wrapped, source],
            )  # fmt: skip  # a row
            db.execute(
                "INSERT INTO consent (member, what, given, version, language, at_ms) VALUES (?, 'enrol', 1, ?, ?, ?)",
                [new, consent.version, consent.language, consent.at_ms],
            )
        return new

    def set_digits(self, member: MemberId, digits: str | None) -> None:
        """The last four of the telephone number; None takes them away.  Raises EntryRefusedError."""
        if digits is not None and not _FOUR.fullmatch(digits):
            raise EntryRefusedError(f"the digits of member {member} must be the last four of a telephone number")
        key = self._own_key(member)
        sealed = None if digits is None else key.seal(digits.encode(), DIGITS)
        with self._file.writing() as db:
            db.execute("UPDATE member SET digits = ? WHERE member = ?", [sealed, member])

    def digits_of(self, members: Iterable[MemberId]) -> dict[MemberId, str]:
        """Of those of them who have left some: the few who may be standing at the door."""
        return {member: found[member] for member in members if member in (found := self.digits(member))}

    def digits(self, member: MemberId | None = None) -> dict[MemberId, str]:
        """Of every member who has left some, or of one, for comparing and for nothing else."""
        found, unopened = {}, 0
        vault, whose = self.vault, "" if member is None else " AND member = ?"
        sql = f"SELECT member, wrapped, digits FROM member WHERE digits IS NOT NULL{whose}"  # noqa: S608  our own text
        for row in self._file.rows(sql, *(() if member is None else (member,))):
            key = vault.key_of(row["member"], row["wrapped"])
            opened = None if key is None else key.open(row["digits"], DIGITS)
            if opened is None:
                unopened += 1
            else:
                found[MemberId(row["member"])] = opened.decode()
        if member is None or unopened:
            self._did_not_open("members' digits", unopened)
        return found

    def set_verified(self, member: MemberId, verified: bool, by: str, clock: Stamp) -> None:  # noqa: FBT001  # fixed by those who call it
        """`by` has seen a proof of who the member is; False takes it back.  Raises EntryRefusedError."""
        row = [int(verified), by if verified else "", clock.wall_ms if verified else None, member]
        with self._file.writing() as db:
            sql = "UPDATE member SET verified = ?, verified_by = ?, verified_at_ms = ? WHERE member = ?"
            if db.execute(sql, row).rowcount != 1:
                raise EntryRefusedError(f"there is no member {member}")

    def verify_age(self, member: MemberId, years: int, by: str, clock: Stamp) -> None:
        """`by` has seen a proof that the member is at least so old; 0 takes it back.  No birth date is kept.

        Raises EntryRefusedError.
        """
        if isinstance(years, bool) or not 0 <= years <= MAX_AGE:
            raise EntryRefusedError(f"the age of member {member} is {years!r}, must be whole years from 0 to {MAX_AGE}")
        with self._file.writing() as db:
            row = [years or None, by if years else "", clock.wall_ms if years else None, member]
            sql = "UPDATE member SET age = ?, age_by = ?, age_at_ms = ? WHERE member = ?"
            if db.execute(sql, row).rowcount != 1:
                raise EntryRefusedError(f"there is no member {member}")

    def member_age(self, member: MemberId) -> int | None:
        """Verified, in years, at least; None: no proof was seen."""
        row = self._file.row("SELECT age FROM member WHERE member = ?", member)
        return None if row is None else row["age"]

    def add_template(self, member: MemberId, vector: Sequence[float], model: str) -> None:
        """One more face of the member, as the named model sees it.  Raises EntryRefusedError, also for one whose
        face is not to be kept.
        """
        if not vector or not all(math.isfinite(value) for value in vector) or not model:
            raise EntryRefusedError(f"the template of member {member} has no model, is empty or holds no numbers")
        key = self._own_key(member)
        with self._file.writing() as db:
            there = self._file.rows("SELECT 1 FROM template WHERE member = ? AND model = ?", member, model)
            if len(there) >= MAX_TEMPLATES:
                raise EntryRefusedError(f"the member {member} has {MAX_TEMPLATES} templates already")
            if self.face_refused(member):
                raise EntryRefusedError(f"the member {member} does not want their face kept: a consent comes first")
            sealed = key.seal(pack(vector), template_of(model))
            db.execute("INSERT INTO template (member, model, vector) VALUES (?, ?, ?)", [member, model, sealed])

    def face_refused(self, member: MemberId) -> bool:
        """They have said that their face is not to be kept, and nothing else since."""
        said = "SELECT given FROM consent WHERE member = ? AND what = 'face' ORDER BY n DESC LIMIT 1"
        row = self._file.row(said, member)
        return row is not None and row["given"] == 0

    def templates(self, model: str) -> list[tuple[MemberId, tuple[float, ...]]]:
        """Every template that this model made and that opens, for matching and for nothing else."""
        vault, keys, found, unopened = self.vault, dict[str, MemberKey | None](), [], 0
        rows = self._file.rows(
            "SELECT t.member, t.vector, m.wrapped FROM template t JOIN member m USING (member) WHERE t.model = ?"
            " ORDER BY t.n",
            model,
        )
        for row in rows:
            if row["member"] not in keys:
                keys[row["member"]] = vault.key_of(row["member"], row["wrapped"])
            key = keys[row["member"]]
            opened = None if key is None else key.open(row["vector"], template_of(model))
            if opened is None or len(opened) % 4:
                unopened += 1
            else:
                found.append((MemberId(row["member"]), unpack(opened)))
        self._did_not_open("face templates", unopened)
        return found

    def add_token(self, member: MemberId) -> str:
        """A new QR text for the member, shown once: it cannot be read back.  Earlier ones stay valid."""
        if self.member(member) is None:
            raise EntryRefusedError(f"there is no member {member}")
        secret = secrets.token_bytes(TOKEN_BYTES)
        with self._file.writing() as db:
            db.table("token").insert({"sha256": hashlib.sha256(secret).hexdigest(), "member": member})
        return TOKEN_PREFIX + base64.b32encode(secret).decode().rstrip("=")

    def revoke_tokens(self, member: MemberId) -> int:
        """The phone is lost: none of the member's codes opens any more.  Returns how many there were."""
        with self._file.writing() as db:
            return db.execute("DELETE FROM token WHERE member = ?", [member]).rowcount

    def member_of_token(self, text: str) -> MemberId | None:
        """Whose code this is; None for an unknown one and for any text that is no code of ours."""
        secret = _secret_of(text)
        if secret is None:
            return None
        row = self._file.row("SELECT member FROM token WHERE sha256 = ?", hashlib.sha256(secret).hexdigest())
        return None if row is None else MemberId(row["member"])


def _checked(member: MemberId) -> MemberId:
    if not _ID.fullmatch(member):
        raise EntryRefusedError(f"{member!r} is no id of a member: 1 to 64 letters, digits, - and _")
    return member


def _secret_of(text: str) -> bytes | None:
    body = text.strip().upper()
    if not body.startswith(TOKEN_PREFIX):
        return None
    body = body.removeprefix(TOKEN_PREFIX)
    if len(body) != 26 or not body.isascii():  # 16 bytes in base32 without padding
        return None
    try:
        return base64.b32decode(body + "=" * 6)
    except binascii.Error:
        return None
