"""Who stands before the simulated front camera, and what the daemon's greeter would say of them."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from cabinet.identity.decide import NOT_LIVE, NOT_RECOGNISED, UNKNOWN_CODE, Refused
from cabinet.proving.waiting import Waiting
from cabinet.session.events import Event, MemberRecognised, MemberRefused, ShopperApproached, Way
from cabinet.sim.acts import Means
from cabinet.sim.clockwork import Clockwork
from cabinet.till import Till
from cabinet.units import MemberId, VisitId

SEES_S = (0.6, 1.6)  # from the look to the answer: some frames of 180 ms that agree (M: 8 a second, dlib)
REFUSES_S = (1.5, 3.0)  # a stranger is told so after more frames
ULID_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

# What the greeter makes of each means.  Here a photograph never passes; how often one does before a real camera is
# measured (`cabinet eval faces --spoof`), not simulated.
PASSES: dict[Means, bool] = {
    "face": True, "code": True, "other code": True, "photo": False,
    "mask": False, "forged code": False, "stranger": False,
}  # fmt: skip


def _why(by: Means) -> str:
    """As the greeter refuses whoever does not pass."""
    if "code" in by:
        return UNKNOWN_CODE
    return NOT_LIVE if by == "photo" else NOT_RECOGNISED


@dataclass(frozen=True, slots=True)
class Person:
    who: str
    by: Means
    overlooked: bool = False  # the camera does not make a face of this one: no answer comes


@dataclass
class Door:
    """The place before the camera."""

    time: Clockwork
    dice: random.Random
    person: Person | None = None
    knows: Callable[[Person], bool] = lambda _: True  # False: of no member any more

    def visit(self, wall_ms: int) -> VisitId:
        """A ULID out of the simulation's dice."""
        value = (wall_ms << 80) | self.dice.getrandbits(80)
        return VisitId("".join(ULID_LETTERS[(value >> shift) & 31] for shift in range(125, -1, -5)))


class FrontGreeter:
    """The daemon's `Greeter`, one for each life of the daemon."""

    def __init__(
        self, door: Door, post: Callable[[Event], None], till: Till | None = None, waiting: Waiting | None = None
    ) -> None:
        """`till`: who says whether a member may shop, while `waiting` lets it wait; without both everybody may."""
        self._door, self._post, self._till, self._waiting = door, post, till, waiting
        self._looking: VisitId | None = None
        self.refusal = ""  # why the last attempt was refused
        self.owes = False  # whoever stands there is a member whom the till turned away

    def look(self, visit: VisitId) -> None:
        self._looking = visit
        person, time = self._door.person, self._door.time
        if person is None or person.overlooked:
            return
        passes = PASSES[person.by] and self._door.knows(person)
        delay_s = self._door.dice.uniform(*(SEES_S if passes else REFUSES_S))
        time.after(delay_s, lambda: self._answer(visit, person, passes=passes))

    def stop(self) -> None:
        self._looking = None

    def approach(self, wall_ms: int) -> None:
        """Somebody has come near."""
        self._post(ShopperApproached(self._door.time.now_s, self._door.visit(wall_ms)))

    def _answer(self, visit: VisitId, person: Person, *, passes: bool) -> None:
        now_s = self._door.time.now_s
        if self._looking != visit:
            return
        if not passes:
            self._refuse(visit, _why(person.by))
            return
        by: Way = "card" if "code" in person.by else "face"
        if self._till is None or self._waiting is None:
            self._post(MemberRecognised(now_s, visit, MemberId(person.who), by))
        else:
            self._waiting.begin(self._ask(self._till, visit, MemberId(person.who), by))

    async def _ask(self, till: Till, visit: VisitId, member: MemberId, by: Way) -> None:
        """As cabinet.greeter does."""
        said = await till.terms(visit, member)
        if self._looking != visit:
            return  # the machine has stopped waiting meanwhile; whatever was answered opens nothing
        if isinstance(said, Refused):
            self.owes = True
            self._refuse(visit, said.why)
        else:
            self._post(MemberRecognised(self._door.time.now_s, visit, member, by))

    def _refuse(self, visit: VisitId, why: str) -> None:
        self.refusal = why
        self._post(MemberRefused(self._door.time.now_s, visit, why))
