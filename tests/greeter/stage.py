"""A greeter on virtual time, whom it asks, and what the machine would do with what it posts."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cabinet.greeter import Doorway, FaceDesk, Greeter
from cabinet.identity import decide
from cabinet.identity.credit import Terms
from cabinet.identity.decide import Refused
from cabinet.identity.gallery import SIZE, FaceGallery
from cabinet.identity.liveness import LiveRules
from cabinet.identity.recognise import Rules
from cabinet.identity.seen import Quality, SeenFace
from cabinet.ports import Face, Frame, PortError
from cabinet.session.events import Event
from cabinet.session.states import Authenticating, Idle, State
from cabinet.sim import pictures
from cabinet.units import CameraId, MemberId, Minor, VisitId
from tests.support.virtual_time import VirtualTimeLoop, run_in_virtual_time

ANN, BEN = MemberId("ann"), MemberId("ben")
V = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
CODE, NOBODYS, FOREIGN = "CAB1:" + "A" * 26, "CAB1:" + "Q" * 25 + "A", "https://example.org/menu"
FRONT = CameraId("front")
EMPTY = pictures.lobby(1)
SOMEBODY = pictures.before_camera(np.full((300, 200, 3), (40, 60, 90), np.uint8), 1)
EVERY_S = 0.25
STRANGER_FRAMES = 3
GOOD = Quality(height_px=160, sharpness=80, brightness=120, contrast=40, yaw=0.0, pitch=0.0, roll_deg=0.0)


def vector(x: float) -> tuple[float, ...]:
    """Members differ by far more than any threshold; `x` is the distance from the first of them."""
    return (x,) + (0.0,) * (SIZE - 1)


@dataclass(frozen=True, slots=True)
class Person:
    """Who stands there: `like` is where their face lies."""

    like: float
    seen: SeenFace

    def but(self, **quality: Any) -> "Person":
        return replace(self, seen=replace(self.seen, quality=replace(self.seen.quality, **quality)))

    def alive(self, score: float | None) -> "Person":
        return replace(self, seen=replace(self.seen, live=score))


def person(like: float, size: int = 100, left: int = 0) -> Person:
    return Person(like, SeenFace(left, 0, left + size, size, 0.9, GOOD, live=0.9))


ANNS, BENS, STRANGERS = person(0.0), person(2.0), person(9.0)


@dataclass
class Library:
    """Faces: says what it was told to say."""

    found: Sequence[Person] = ()
    broken: str | None = None
    asked: int = 0
    slower: float | None = None  # what the other network makes of the face; None: the same
    asked_slower: int = 0
    until: asyncio.Event | None = None  # the answer takes so long
    model: str = "small"
    reference_model: str = "large"

    async def find(self, picture: pictures.Picture) -> Sequence[SeenFace]:
        self.asked += 1
        if self.until is not None:
            await self.until.wait()
        if self.broken is not None:
            raise PortError(self.broken)
        return [one.seen for one in self.found]

    async def encode(self, picture: pictures.Picture, face: SeenFace) -> Sequence[float]:
        return vector(next(one.like for one in self.found if one.seen == face))

    async def reference(self, picture: pictures.Picture, face: SeenFace) -> Sequence[float]:
        self.asked_slower += 1
        return await self.encode(picture, face) if self.slower is None else vector(self.slower)

    async def attend(self, picture: pictures.Picture, face: SeenFace) -> SeenFace:
        return face

    async def enrol(self, picture: pictures.Picture) -> Face:
        raise PortError("nobody enrols at the door")


@dataclass
class Reader:
    texts: Sequence[str] = ()

    def read(self, picture: pictures.Picture) -> Sequence[str]:
        return self.texts


@dataclass
class Eye:
    camera: CameraId = FRONT
    frame: Frame | None = None
    paces: list[float | None] = field(default_factory=list)

    def latest(self, after_s: float = float("-inf")) -> Frame | None:
        return self.frame if self.frame is not None and self.frame.at_s > after_s else None

    def pace(self, fps: float | None) -> None:
        self.paces.append(fps)

    def trouble(self) -> str | None:
        return None


GRANTED = Terms("cloud", 2_000)


@dataclass
class Desk:
    """A till: says what a test wants, when a test wants it."""

    says: Terms | Refused = GRANTED
    asked: list[tuple[VisitId, MemberId, Minor]] = field(default_factory=list)
    until: asyncio.Event | None = None

    async def terms(self, visit: VisitId, member: MemberId, most_minor: Minor) -> Terms | Refused:
        self.asked.append((visit, member, most_minor))
        if self.until is not None:
            await self.until.wait()
        return self.says


@dataclass
class Stage:
    faces: Library = field(default_factory=Library)
    codes: Reader = field(default_factory=Reader)
    eye: Eye = field(default_factory=Eye)
    state: State = field(default_factory=Idle)
    posted: list[Event] = field(default_factory=list)
    parts: list[tuple[str, str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.desk = FaceDesk(
            self.faces,
            Rules(),
            decide.Rules(2, STRANGER_FRAMES, LiveRules("challenge")),
            lambda part, why: self.parts.append((part, why)),
        )
        self.desk.gallery = FaceGallery([(ANN, vector(ANNS.like)), (BEN, vector(BENS.like))])
        self.door = Doorway(card={CODE: ANN}.get)
        self.greeter = Greeter(self.eye, self.desk, self.codes, self.door, self.posted.append, lambda: self.state)

    async def see(self, picture: pictures.Picture = SOMEBODY, frames: int = 1) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        for _ in range(frames):
            loop.advance(EVERY_S)
            await self.greeter.consider(Frame(FRONT, loop.time(), picture))

    async def step_up(self) -> None:
        """Somebody comes before an empty lobby."""
        await self.see(EMPTY, 3)
        await self.see(SOMEBODY, 2)

    async def attempt(self, frames: int, visit: VisitId = V) -> None:
        """The machine asks who it is; then so many frames."""
        self.state = Authenticating(visit, 1e9)
        self.greeter.look(visit)
        await self.see(SOMEBODY, frames)

    def back_to_idle(self) -> None:
        self.greeter.stop()
        self.state = Idle()

    def said(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.posted if isinstance(event, kind)]


Story = Callable[[Stage], Coroutine[Any, Any, None]]


def lived(story: Story) -> Stage:
    """The story on a clock of its own."""

    async def live() -> Stage:
        stage = Stage()
        await story(stage)
        return stage

    return run_in_virtual_time(live())
