"""Whom the cloud does not let in, how old that knowledge is, and what the cloud has not confirmed yet.

The roster is the cloud's: here it is replaced whole or not at all, and an older version never replaces a newer one.
"""

from typing import Final

from cabinet.identity.credit import Exposure, Roster
from cabinet.ledger.aging import KEEP_EVERY_S, AgeRoom, Kept
from cabinet.ledger.entries import Stamp
from cabinet.ledger.outbox import OutboxRoom
from cabinet.ledger.room import from_json
from cabinet.units import MemberId

__all__ = ["KEEP_EVERY_S", "CreditRoom", "Kept"]

ROSTER: Final = "credit.roster"  # note: JSON of version, and of the age and how it is counted

EXPOSURE: Final = """
SELECT v.member AS member, v.total_minor AS minor FROM outbox o JOIN visit v ON v.visit = o.visit
    WHERE o.acked_at_ms IS NULL AND o.type = 'visit.closed' AND v.outcome IN ('charge', 'review')
UNION ALL SELECT member, 0 FROM visit WHERE outcome IS NULL AND purpose = 'shop'
"""


class CreditRoom(AgeRoom, OutboxRoom):
    def blocked(self) -> dict[MemberId, str]:
        """Member → why, of members of other cabinets too."""
        rows = self._file.rows("SELECT member, why FROM blocked ORDER BY member")
        return {MemberId(row["member"]): row["why"] for row in rows}

    def blocked_count(self) -> int:
        row = self._file.row("SELECT count(*) AS n FROM blocked")
        return 0 if row is None else int(row["n"])

    def blocked_why(self, member: MemberId) -> str | None:
        row = self._file.row("SELECT why FROM blocked WHERE member = ?", member)
        return None if row is None else str(row["why"])

    def keep_roster(self, roster: Roster, clock: Stamp, machine: str) -> bool:
        """All of it or nothing, and its age begins anew.  False: a newer one is known already."""
        with self._file.writing() as db:
            noted = self.note(ROSTER)
            if noted is not None and roster.version < from_json(noted)["version"]:
                return False
            if roster.blocked != self.blocked():  # most rosters only say that nothing has changed
                db.execute("DELETE FROM blocked")
                for member, why in roster.blocked.items():
                    db.execute("INSERT INTO blocked (member, why) VALUES (?, ?)", [member, why])
            self.came_now(ROSTER, roster.version, clock, machine)
        return True

    def roster(self, clock: Stamp, machine: str) -> Kept | None:
        """None: the cloud has never sent one.  How its age is counted: `AgeRoom.kept`."""
        return self.kept(ROSTER, clock, machine)

    def keep_roster_age(self, clock: Stamp, machine: str) -> None:
        """Write the age down; at the start, and every `KEEP_EVERY_S`."""
        self.keep_age(ROSTER, clock, machine)

    def exposure(self, member: MemberId | None = None) -> Exposure:
        """What the cloud has not confirmed: of the member, and of everybody.  A visit that cost nothing is no risk."""
        row = self._file.row(
            "SELECT count(*) AS visits, coalesce(sum(minor), 0) AS minor,"  # noqa: S608  our own text
            " coalesce(sum(member = ?), 0) AS their_visits, coalesce(sum(iif(member = ?, minor, 0)), 0) AS their_minor"
            f" FROM ({EXPOSURE})",
            member,
            member,
        )
        if row is None:  # an aggregate has a row; the type cannot know
            return Exposure()
        return Exposure(row["their_visits"], row["their_minor"], row["visits"], row["minor"])
