"""Members, their consent, templates and QR tokens.

Lists never carry a template or a token; `templates()` exists for matching alone.  Of a token only its SHA-256 is kept,
so a copy of the file opens no door.  Erasing removes everything but the bare id on past visits.
"""

import base64
import binascii
import hashlib
import math
import secrets
from collections.abc import Sequence
from typing import Final

from ulid import ULID

from cabinet.ledger.entries import Consent, Member, Stamp
from cabinet.ledger.errors import EntryRefusedError
from cabinet.ledger.outbox import OutboxRoom
from cabinet.ledger.room import pack, unpack
from cabinet.units import MemberId

TOKEN_PREFIX: Final = "CAB1:"  # noqa: S105  # the public beginning of every code, not a secret
TOKEN_BYTES: Final = 16  # 128 random bits: not to be guessed
MAX_TEMPLATES: Final = 16  # several pictures per member help; more only slow the matching down
MAX_NAME: Final = 120


class MemberRoom(OutboxRoom):
    def add_member(self, name: str, consent: Consent) -> MemberId:
        """Raises EntryRefusedError for an empty name or a consent without version."""
        if not name.strip() or len(name) > MAX_NAME:
            raise EntryRefusedError(f"a member's name has 1 to {MAX_NAME} characters")
        if not consent.version.strip():
            raise EntryRefusedError("a member cannot be added without the version of the consent they gave")
        member = MemberId(str(ULID()))
        with self._file.writing() as db:
            db.table("member").insert(
                {
                    "member": member,
                    "name": name.strip(),
                    "consent_version": consent.version,
                    "consent_at_ms": consent.at_ms,
                    "consent_language": consent.language,
                }
            )
        return member

    def members(self) -> list[Member]:
        """Everybody, in the order of enrolment."""
        rows = self._file.rows(
            "SELECT *, (SELECT count(*) FROM template t WHERE t.member = m.member) AS templates,"
            " (SELECT count(*) FROM token t WHERE t.member = m.member) AS tokens FROM member m ORDER BY m.rowid"
        )
        return [
            Member(
                row["member"],
                row["name"],
                Consent(row["consent_version"], row["consent_at_ms"], row["consent_language"]),
                row["templates"],
                row["tokens"],
            )
            for row in rows
        ]

    def member(self, member: MemberId) -> Member | None:
        return next((one for one in self.members() if one.member == member), None)

    def add_template(self, member: MemberId, vector: Sequence[float], model: str) -> None:
        """One more face of the member, as the named model sees it.  Raises EntryRefusedError."""
        known = self.member(member)
        if known is None:
            raise EntryRefusedError(f"there is no member {member}")
        if known.templates >= MAX_TEMPLATES:
            raise EntryRefusedError(f"the member {member} has {MAX_TEMPLATES} templates already")
        if not vector or not all(math.isfinite(value) for value in vector) or not model:
            raise EntryRefusedError(f"the template of member {member} has no model, is empty or holds no numbers")
        with self._file.writing() as db:
            db.table("template").insert({"member": member, "model": model, "vector": pack(vector)})

    def templates(self, model: str) -> list[tuple[MemberId, tuple[float, ...]]]:
        """Every template that this model made, for matching and for nothing else."""
        rows = self._file.rows("SELECT member, vector FROM template WHERE model = ? ORDER BY n", model)
        return [(MemberId(row["member"]), unpack(row["vector"])) for row in rows]

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

    def erase(self, member: MemberId, clock: Stamp) -> bool:
        """Forget name, consent, templates and tokens, on disk too; past visits keep the bare id.  The cloud is told.
        False if there is no such member.
        """
        with self._file.writing() as db:
            gone = db.execute("DELETE FROM member WHERE member = ?", [member]).rowcount == 1
            if gone:
                self._append("member.erased", None, [{"member": member}], clock)
        if gone:
            self._file.forget_deleted()
        return gone


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
