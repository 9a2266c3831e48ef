"""Who stands before the simulated front camera, and what the daemon's greeter would say of them."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from cabinet.session.events import Event, MemberRecognised, MemberRefused, ShopperApproached
from cabinet.sim.acts import Means
from cabinet.sim.clockwork import Clockwork
from cabinet.units import MemberId, VisitId

SEES_S = (0.6, 1.6)  # from the look to the answer: some frames of 180 ms that agree (M: 8 a second, dlib)
REFUSES_S = (1.5, 3.0)  # a stranger is told so after more frames
ULID_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

# What today's greeter makes of each means: there is no liveness check yet, so a good photograph passes as its subject.
PASSES: dict[Means, bool] = {
    "face": True, "code": True, "other code": True, "photo": True,
    "mask": False, "forged code": False, "stranger": False,
}  # fmt: skip


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

    def visit(self, wall_ms: int) -> VisitId:
        """A ULID out of the simulation's dice."""
        value = (wall_ms << 80) | self.dice.getrandbits(80)
        return VisitId("".join(ULID_LETTERS[(value >> shift) & 31] for shift in range(125, -1, -5)))


class FrontGreeter:
    """The daemon's `Greeter`, one for each life of the daemon."""

    def __init__(self, door: Door, post: Callable[[Event], None]) -> None:
        self._door, self._post = door, post
        self._looking: VisitId | None = None

    def look(self, visit: VisitId) -> None:
        self._looking = visit
        person, time = self._door.person, self._door.time
        if person is None or person.overlooked:
            return
        passes = PASSES[person.by]
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
        if passes:
            by = "code" if "code" in person.by else "face"
            self._post(MemberRecognised(now_s, visit, MemberId(person.who), by))  # type: ignore[arg-type]  # one of two
        else:
            why = "unknown code" if person.by == "forged code" else "nobody we know"
            self._post(MemberRefused(now_s, visit, why))
