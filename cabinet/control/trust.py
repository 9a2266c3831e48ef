"""Trust as a technician sees it: what a member's is made of and when it comes back, who was turned away and why; and
the technician's own word, for a member or against them, always with a reason and their name.

It refuses to write points of one's own choosing against a member: each kind has its weight.  No name is told.
"""

from dataclasses import dataclass
from typing import Any, Final

from cabinet.control.requests import Answer, Arguments, RequestError, integer, text
from cabinet.identity.trust import COSTS, GIVES, MOST, START, Kind, Score, restored_in_days
from cabinet.ledger import Ledger
from cabinet.ledger.admissions import Admission
from cabinet.ledger.trust import TrustRow
from cabinet.trustkeeper import TrustKeeper
from cabinet.units import MemberId

BOOKED: Final[tuple[Kind, ...]] = (*COSTS, "vouched")  # what a technician may book as it is
FORGIVEN: Final[Kind] = "forgiven"
MAX_NOTE: Final = 200  # characters


@dataclass
class TrustDesk:
    ledger: Ledger
    keeper: TrustKeeper

    def operations(self) -> dict[str, Any]:
        return {"members.trust": self.show, "members.trust_book": self.book, "visits.refused": self.refused}

    async def show(self, arguments: Arguments, _: str) -> Answer:
        return self._told(self._member(arguments))

    async def book(self, arguments: Arguments, who: str) -> Answer:
        """`kind` is one of `BOOKED`, or "forgiven" with `points`."""
        member, kind = self._member(arguments), _kind(arguments)
        points = COSTS.get(kind) or GIVES[kind]
        if kind == FORGIVEN:
            points = integer(arguments, "points", low=1, high=MOST)
        self.keeper.book(member, kind, points, _note(arguments), who)
        return {**self._told(member), "kind": kind, "points": points}

    async def refused(self, arguments: Arguments, _: str) -> Answer:
        limit = integer(arguments, "limit", 20, low=1, high=1000)
        return {"refused": [{"attempt": one.visit, **told(one)} for one in self.ledger.refused(limit)]}

    def _member(self, arguments: Arguments) -> MemberId:
        member = MemberId(text(arguments, "member"))
        if self.ledger.at_door(member) is None:
            raise RequestError("there is no such member", "cabinet members list shows the ids")
        return member

    def _told(self, member: MemberId) -> Answer:
        known, policy = self.keeper.standing(member), self.keeper.policy
        return {
            "member": member,
            "trust": known.trust,
            "start": START,
            "lost": round(known.lost, 1),
            "owed": known.owed,
            "vouched": known.vouched,
            "incidents": known.incidents,
            "disputes": known.disputes,
            "restore_days": policy.restore_days,
            "bounds": [
                {"asks": asks, "below": bound, "passed_in_days": _rounded(known, bound, policy.restore_days)}
                for asks, bound in (("refused", policy.least_trust), ("digits", policy.digits_below_trust))
            ],
            "events": [_event(row) for row in self.ledger.trust_events(member)],
        }


def told(one: Admission) -> Answer:
    """An attempt, for `visits show` and the list of those that were refused."""
    return {
        "member": one.member,
        "way": one.way or None,
        "judgement": one.judgement,
        "limit_minor": one.limit_minor,
        "why": one.why or ("digits were asked for and did not come" if not one.opened else ""),
        "reasons": list(one.reasons),
        "wall_ms": one.at.wall_ms,
    }


def _rounded(known: Score, bound: int, restore_days: float) -> float | None:
    days = restored_in_days(known, bound, restore_days)
    return None if days is None else round(days, 1)


def _event(row: TrustRow) -> Answer:
    return {
        "kind": row.kind,
        "points": row.points,
        "visit": row.visit,
        "note": row.note,
        "who": row.who or None,
        "wall_ms": row.at.wall_ms,
        "clock": row.at.quality,
    }


def _kind(arguments: Arguments) -> Kind:
    given = text(arguments, "kind")
    known = (*BOOKED, FORGIVEN)
    kind = next((one for one in known if one == given), None)
    if kind is None:
        raise RequestError(f"{given!r} is nothing that a technician books", f"one of {', '.join(known)}")
    return kind


def _note(arguments: Arguments) -> str:
    note = text(arguments, "note").strip()
    if len(note) > MAX_NOTE:
        raise RequestError(f"the note has {len(note)} characters", f"at most {MAX_NOTE}")
    return note
