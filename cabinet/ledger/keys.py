"""Public keys of members' phones: what they sign their tokens with.  And how often a printed card has let one in.

A public key opens nothing by itself; it goes with its member when they are erased.
"""

from dataclasses import dataclass
from typing import Final

from cabinet.identity.signing import PublicKeyError, SigningKey, check_public, kid_of
from cabinet.ledger.errors import EntryRefusedError
from cabinet.ledger.outbox import OutboxRoom
from cabinet.units import MemberId

# For a recovery: member_key.kid is 16 hexadecimal digits (of the key's SHA-256), .public 32 bytes, .member a member's
# id, unique by kid.  Nothing in it is secret.
SCHEMA: Final = """
CREATE TABLE member_key (
    kid TEXT PRIMARY KEY CHECK (length(kid) = 16),
    member TEXT NOT NULL REFERENCES member ON DELETE CASCADE,
    public BLOB NOT NULL CHECK (length(public) = 32) -- Ed25519
) STRICT;
CREATE INDEX member_key_of ON member_key (member);
CREATE INDEX visit_by_card ON visit (member, opened_wall_ms) WHERE who = 'card';
"""

MAX_KEYS: Final = 8  # phones of one member, the lost ones with them


@dataclass(frozen=True, slots=True)
class MemberKey:
    kid: str  # hexadecimal
    member: MemberId
    public: bytes


class KeyRoom(OutboxRoom):
    def add_key(self, member: MemberId, public: bytes) -> str:
        """The name of the key (kid, hexadecimal).  Raises EntryRefusedError."""
        try:
            check_public(public)
        except PublicKeyError as error:
            raise EntryRefusedError(f"the key of member {member}: {error}") from error
        if self._file.row("SELECT 1 FROM member WHERE member = ?", member) is None:
            raise EntryRefusedError(f"there is no member {member}")
        kid = kid_of(public).hex()
        if self._file.row("SELECT 1 FROM member_key WHERE kid = ?", kid) is not None:
            raise EntryRefusedError(f"the key {kid} is known already: a phone makes a key of its own for each member")
        if len(self.keys(member)) >= MAX_KEYS:
            raise EntryRefusedError(f"the member {member} has {MAX_KEYS} keys already: remove one that is not used")
        with self._file.writing() as db:
            db.execute("INSERT INTO member_key (kid, member, public) VALUES (?, ?, ?)", [kid, member, public])
        return kid

    def keys(self, member: MemberId | None = None) -> list[MemberKey]:
        """Everybody's, or those of one member, in the order they came."""
        rows = self._file.rows("SELECT * FROM member_key WHERE ?1 IS NULL OR member = ?1 ORDER BY rowid", member)
        return [MemberKey(row["kid"], MemberId(row["member"]), bytes(row["public"])) for row in rows]

    def key(self, kid: bytes) -> SigningKey | None:
        """What a token names: whose key this is."""
        row = self._file.row("SELECT member, public FROM member_key WHERE kid = ?", kid.hex())
        return None if row is None else SigningKey(bytes(row["public"]), MemberId(row["member"]))

    def remove_key(self, kid: str) -> bool:
        """The phone is lost: its tokens open nothing any more.  False if there is no such key."""
        with self._file.writing() as db:
            return db.execute("DELETE FROM member_key WHERE kid = ?", [kid.lower()]).rowcount == 1

    def card_visits_since(self, member: MemberId, wall_ms: int) -> int:
        """How often the member's printed card has let somebody in since; an unlock that nobody used does not count."""
        row = self._file.row(
            "SELECT count(*) AS n FROM visit WHERE member = ? AND who = 'card' AND opened_wall_ms >= ?"
            " AND outcome IS NOT 'void'",
            member, wall_ms,
        )  # fmt: skip  # a row
        return 0 if row is None else int(row["n"])
