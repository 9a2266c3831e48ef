"""The fleet's list of members as it stands at this cabinet: replaced by the cloud's word, all of it or nothing.

Beside the members themselves it keeps of each the fingerprint of what the cloud last said, so that both can tell
whether they have the same.  It never touches a member who enrolled here, and never brings back one who was erased here
before the cloud knew.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from cabinet.identity.entry import Agreed, Entry
from cabinet.identity.roster import GAP, Change, Delta, RosterError, applied, digest
from cabinet.identity.signing import kid_of
from cabinet.ledger.aging import AgeRoom, Kept
from cabinet.ledger.entries import Consent, Stamp
from cabinet.ledger.keys import KeyRoom
from cabinet.ledger.members import MemberRoom
from cabinet.ledger.privacy import PrivacyRoom, What
from cabinet.ledger.scrub import shredded
from cabinet.units import MemberId

FLEET: Final = "members.roster"  # note: JSON of version, and of the age and how it is counted
BY: Final = "the cloud"
NOTE: Final = (
    "INSERT INTO roster (member, fingerprint, kept) VALUES (?, ?, ?) ON CONFLICT (member) DO UPDATE"
    " SET fingerprint = excluded.fingerprint, kept = excluded.kept"
)
LATER: Final = ("member", "blocked")  # last, for what hangs on it; and never, that is another list of the cloud's
ONE_BY_ONE: Final = 4  # members; more are scrubbed together

# For a recovery: `roster` need not be saved.  Without it the cloud's members are known by member.source and the cloud
# is asked for all of them anew.  member TEXT, fingerprint 64 hexadecimal digits, kept 'here', 'own' or 'erased'.
SCHEMA: Final = """
CREATE TABLE roster (
    member TEXT PRIMARY KEY,               -- no foreign key: an erased one stays until the cloud has taken them off
    fingerprint TEXT NOT NULL,             -- of what the cloud said of them, salted; tells nothing by itself
    kept TEXT NOT NULL CHECK (kept IN ('here', 'own', 'erased')) -- own: enrolled here, not the cloud's to change
) STRICT;
CREATE TRIGGER roster_remembers_erasures AFTER DELETE ON member
    BEGIN UPDATE roster SET kept = 'erased' WHERE member = OLD.member; END;
"""


@dataclass(slots=True)
class Done:
    """What a message has changed here."""

    put: int = 0
    removed: int = 0
    own: int = 0  # left alone: enrolled here
    erased: int = 0  # not brought back: erased here
    doubled: int = 0  # cards or keys that somebody else has already
    members: set[MemberId] = field(default_factory=set)


class RosterRoom(AgeRoom, PrivacyRoom, MemberRoom, KeyRoom):
    def fleet_known(self) -> tuple[int, str]:
        """The version in force, and its digest; "" where something of it was lost here, so that all is told again."""
        lost = self._file.row(
            "SELECT 1 FROM roster r WHERE kept <> 'erased'"
            " AND NOT EXISTS (SELECT 1 FROM member m WHERE m.member = r.member) LIMIT 1"
        )
        return self.fleet_version(), digest(self.fleet_rows()) if lost is None else ""

    def fleet_version(self) -> int:
        """0: the cloud has never sent any."""
        kept = self.kept(FLEET, Stamp(0, 0, "none"), "")
        return 0 if kept is None else kept.version

    def fleet_age(self, clock: Stamp, machine: str) -> Kept | None:
        """None: the cloud has never sent any.  How the age is counted: `AgeRoom.kept`."""
        return self.kept(FLEET, clock, machine)

    def keep_fleet_age(self, clock: Stamp, machine: str) -> None:
        self.keep_age(FLEET, clock, machine)

    def fleet_rows(self) -> dict[MemberId, str]:
        """Member → fingerprint, as the cloud has it."""
        rows = self._file.rows("SELECT member, fingerprint FROM roster")
        return {MemberId(row["member"]): row["fingerprint"] for row in rows}

    def fleet_members(self) -> frozenset[MemberId]:
        """Those who are here by the cloud's word."""
        rows = self._file.rows("SELECT member FROM member WHERE source = 'cloud'")
        return frozenset(MemberId(row["member"]) for row in rows)

    def keep_fleet(self, delta: Delta, clock: Stamp, machine: str, *, fresh: bool) -> Done:
        """All of it in one transaction, or nothing.  `fresh`: the cloud has just said that it is the newest.

        Raises RosterError for what must not be applied, EntryRefusedError where a member cannot be kept.
        """
        done, at_rest = Done(), list[list[bytes]]()
        with self._file.writing():
            version = self.fleet_version()
            if not (version or fresh):  # nobody could tell how old it is
                raise RosterError(GAP)
            rows = self.fleet_rows()
            after = applied(version, rows, delta)
            at_rest += self._remove(rows, after, done)
            news = self._news(delta, rows)
            at_rest += self._clear([change.member for change in news])
            self._put(news, clock, done)
            if fresh:
                self.came_now(FLEET, delta.to, clock, machine)
            else:
                self.keep_age(FLEET, clock, machine, delta.to)
        self._scrub_all(at_rest)
        return done

    def _remove(self, rows: dict[MemberId, str], after: dict[MemberId, str], done: Done) -> list[list[bytes]]:
        """Not told to the cloud: it is the cloud's own word, nobody here has asked to be forgotten."""
        db, gone = self._file.db, [(member,) for member in rows if member not in after]
        db.conn.executemany("DELETE FROM roster WHERE member = ?", gone)  # before their members, see the trigger
        removed = sorted(self.fleet_members() - after.keys())  # also those of a roster that was lost here
        at_rest = [self._at_rest(member) for member in removed]
        tables = [table for table in self._tables() if table not in LATER] if removed else []
        for table in (*tables, "member"):
            sql = f'DELETE FROM "{table}" WHERE member = ?'  # noqa: S608  # names by SQLite
            db.conn.executemany(sql, [(member,) for member in removed])
        done.removed += len(removed)
        done.members |= set(removed)
        return at_rest

    def _news(self, delta: Delta, rows: dict[MemberId, str]) -> list[Change]:
        """What is not here as it is said; most of a whole roster is."""
        here = {row["member"] for row in self._file.rows("SELECT member FROM member")}
        here |= {row["member"] for row in self._file.rows("SELECT member FROM roster WHERE kept = 'erased'")}
        return [
            change
            for change in delta.changes
            if change.entry is not None and (rows.get(change.member) != change.fingerprint or change.member not in here)
        ]

    def _clear(self, members: list[MemberId]) -> list[list[bytes]]:
        """Their codes and faces, before any is put: what was one member's may be another's now."""
        ours, at_rest = self.fleet_members(), list[list[bytes]]()
        for member in members:
            if member in ours:
                for table in ("token", "member_key"):
                    self._file.db.execute(f"DELETE FROM {table} WHERE member = ?", [member])  # noqa: S608  # our own names
                old = self._at_rest(member)
                if self._forget_faces(member):
                    at_rest.append(old)
        return at_rest

    def _scrub_all(self, at_rest: list[list[bytes]]) -> None:
        """As after an erasure; of many at once, each page is written anew once."""
        if len(at_rest) <= ONE_BY_ONE:
            for old in at_rest:
                self._scrub(old)
            return
        self._rewrite()
        for file in self._aside():
            shredded(file, [one for old in at_rest for one in old])

    def _put(self, news: list[Change], clock: Stamp, done: Done) -> None:
        sources = {row["member"]: row["source"] for row in self._file.rows("SELECT member, source FROM member")}
        erased = {row["member"] for row in self._file.rows("SELECT member FROM roster WHERE kept = 'erased'")}
        for member, entry, found in ((change.member, change.entry, change.fingerprint) for change in news):
            if member not in sources and member in erased:
                kept, done.erased = "erased", done.erased + 1
            elif sources.get(member, "cloud") != "cloud":
                kept, done.own = "own", done.own + 1
            elif entry is not None:
                kept, done.put = "here", done.put + 1
                done.members.add(member)
                self._bring(entry, clock, done, new=member not in sources)
            self._file.db.execute(NOTE, [member, found, kept])

    def _bring(self, entry: Entry, clock: Stamp, done: Done, *, new: bool) -> None:
        """Of a new member only what is something: thousands may come at once."""
        member = entry.member
        if new:
            self.add_member("", _consent(entry.consent), member=member, source="cloud")
        if entry.verified or not new:
            self.set_verified(member, entry.verified, BY, clock)
        if entry.age or not new:
            self.verify_age(member, entry.age, BY, clock)
        if entry.digits or not new:
            self.set_digits(member, entry.digits or None)
        for card in entry.cards:
            sql = "INSERT INTO token (sha256, member) VALUES (?, ?) ON CONFLICT DO NOTHING"
            done.doubled += self._file.db.execute(sql, [card, member]).rowcount == 0
        for key in entry.keys:
            if self.key(kid_of(bytes.fromhex(key))) is None:
                self.add_key(member, bytes.fromhex(key))
            else:
                done.doubled += 1
        self._bring_faces(entry, clock, new=new)

    def _bring_faces(self, entry: Entry, clock: Stamp, *, new: bool) -> None:
        member = entry.member
        if new:
            if entry.share_face is not None:
                self.set_consent(member, "share-face", _consent(entry.share_face))
        else:
            self._agree(member, "enrol", entry.consent, clock)
            if self.face_refused(member):  # said here, by the member: it outlasts what the cloud was told before
                return
            self._agree(member, "share-face", entry.share_face, clock)
        for model, vector in entry.templates:
            self.add_template(member, vector, model)

    def _agree(self, member: MemberId, what: What, said: Agreed | None, clock: Stamp) -> None:
        """One more consent, or that it was taken back, where that is not what the newest one says."""
        newest = next((one for one in reversed(self.consents(member)) if one.what == what), None)
        given = newest is not None and newest.given
        if said is not None and (newest is None or not given or newest.consent != _consent(said)):
            self.set_consent(member, what, _consent(said))
        elif said is None and newest is not None and given:
            self.set_consent(member, what, replace(newest.consent, at_ms=clock.wall_ms), given=False)


def _consent(agreed: Agreed) -> Consent:
    return Consent(agreed.version, agreed.at_ms, agreed.language)
