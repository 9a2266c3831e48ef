"""Who is let in front of the camera: noticed once, known by code or face, turned away politely, never twice at once."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from cabinet.greeter import LINGER_S, RETRY_S, UNKNOWN_CODES, Greeter
from cabinet.ports import Face, Frame, PortError, Template
from cabinet.session.events import Event, MemberRecognised, MemberRefused, ShopperApproached
from cabinet.session.states import Authenticating, Idle, State, Watching
from cabinet.sim import pictures
from cabinet.units import CameraId, MemberId, VisitId
from cabinet.vision.presence import QUIET_S
from tests.support.virtual_time import VirtualTimeLoop, run_in_virtual_time

ANN, V = MemberId("ann"), VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
CODE, NOBODYS, FOREIGN = "CAB1:" + "A" * 26, "CAB1:" + "Q" * 25 + "A", "https://example.org/menu"
FRONT = CameraId("front")
EMPTY = pictures.lobby(1)
SOMEBODY = pictures.before_camera(np.full((300, 200, 3), (40, 60, 90), np.uint8), 1)
EVERY_S = 0.25


def face(like: float, size: int = 100) -> Face:
    """A face whose template is `like` in every number; members differ by far more than the threshold."""
    return Face(0, 0, size, size, (like,) * 128)


ANNS, STRANGERS = face(0.0), face(1.0)


@dataclass
class Rules:
    face_distance: float = 0.5
    face_margin: float = 0.05
    agreeing_frames: int = 2
    stranger_frames: int = 3


@dataclass
class Library:
    """Faces: says what it was told to say."""

    found: Sequence[Face] = ()
    broken: str | None = None
    asked: int = 0
    until: asyncio.Event | None = None  # the answer takes so long

    async def find(self, picture: pictures.Picture) -> Sequence[Face]:
        self.asked += 1
        if self.until is not None:
            await self.until.wait()
        if self.broken is not None:
            raise PortError(self.broken)
        return self.found


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


@dataclass
class Stage:
    """A greeter, and what the machine would do with what it posts."""

    faces: Library = field(default_factory=Library)
    codes: Reader = field(default_factory=Reader)
    eye: Eye = field(default_factory=Eye)
    state: State = field(default_factory=Idle)
    posted: list[Event] = field(default_factory=list)
    parts: list[tuple[str, str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.greeter = Greeter(
            self.eye,
            self.faces,
            self.codes,
            {CODE: ANN}.get,
            self.posted.append,
            Rules(),
            lambda: self.state,
            lambda part, why: self.parts.append((part, why)),
        )
        self.greeter.templates = [Template(ANN, ANNS.template)]

    async def see(self, picture: pictures.Picture, frames: int = 1) -> None:
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


def test_an_empty_lobby_is_no_news() -> None:
    async def story(stage: Stage) -> None:
        await stage.see(EMPTY, 20)

    assert lived(story).posted == []


def test_somebody_who_steps_up_is_announced_once() -> None:
    async def story(stage: Stage) -> None:
        await stage.step_up()
        stage.state = Authenticating(V, 1e9)
        await stage.see(SOMEBODY, 10)

    assert len(lived(story).said(ShopperApproached)) == 1


def test_nobody_is_announced_while_the_cabinet_is_not_idle() -> None:
    async def story(stage: Stage) -> None:
        stage.state = Watching(V, ANN, 0.0, 1e9)
        await stage.step_up()

    assert lived(story).posted == []


def test_who_stays_without_being_known_is_announced_again_after_four_seconds() -> None:
    async def story(stage: Stage) -> None:
        await stage.step_up()
        await stage.see(SOMEBODY, round(2 * RETRY_S / EVERY_S))

    assert len(lived(story).said(ShopperApproached)) == 3


def test_a_members_code_opens_at_the_first_frame() -> None:
    async def story(stage: Stage) -> None:
        stage.codes.texts = [FOREIGN, CODE]
        await stage.attempt(1)

    (event,) = lived(story).posted
    assert isinstance(event, MemberRecognised)
    assert (event.visit, event.member, event.by) == (V, ANN, "code")


def test_an_answered_attempt_is_answered_once() -> None:
    async def story(stage: Stage) -> None:
        stage.codes.texts = [CODE]
        await stage.attempt(5)

    assert len(lived(story).posted) == 1


def test_one_frame_of_a_members_face_opens_nothing() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found = [ANNS]
        await stage.attempt(1)

    assert lived(story).posted == []


def test_two_agreeing_frames_of_a_members_face_open() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found = [ANNS]
        await stage.attempt(2)

    (event,) = lived(story).posted
    assert isinstance(event, MemberRecognised)
    assert (event.member, event.by) == (ANN, "face")


def test_frames_with_a_stranger_between_do_not_agree() -> None:
    async def story(stage: Stage) -> None:
        for found in ([ANNS], [STRANGERS], [ANNS], [STRANGERS]):
            stage.faces.found = found
            await (stage.attempt(1) if stage.greeter._looking is None else stage.see(SOMEBODY))

    assert lived(story).posted == []


def test_two_faces_as_large_as_each_other_open_nothing() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found = [ANNS, face(1.0, 95)]
        await stage.attempt(6)

    stage = lived(story)
    assert (stage.posted, stage.greeter.counts["no clear face"]) == ([], 6)


def test_a_stranger_is_refused_after_the_frames_of_the_rule() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found = [STRANGERS]
        await stage.attempt(Rules().stranger_frames)

    (event,) = lived(story).posted
    assert isinstance(event, MemberRefused)
    assert (event.visit, event.why) == (V, "not recognised")


def test_faces_are_not_looked_at_while_nobody_is_enrolled() -> None:
    async def story(stage: Stage) -> None:
        stage.greeter.templates = ()
        await stage.attempt(3)

    assert lived(story).faces.asked == 0


def test_a_late_answer_of_the_face_library_opens_nothing() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found, stage.faces.until = [ANNS], asyncio.Event()
        stage.greeter._rules = Rules(agreeing_frames=1)
        asking = asyncio.create_task(stage.attempt(1))
        while not stage.faces.asked:  # noqa: ASYNC110  the code reader's thread comes first
            await asyncio.sleep(0)
        stage.back_to_idle()
        stage.faces.until.set()
        await asking

    assert lived(story).posted == []


def test_a_late_answer_does_not_answer_the_next_attempt() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found, stage.faces.until = [ANNS], asyncio.Event()
        stage.greeter._rules = Rules(agreeing_frames=1)
        asking = asyncio.create_task(stage.attempt(1))
        while not stage.faces.asked:  # noqa: ASYNC110  likewise
            await asyncio.sleep(0)
        stage.greeter.stop()
        stage.greeter.look(VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAW"))
        stage.faces.until.set()
        await asking

    assert lived(story).posted == []


def test_who_lingers_after_a_visit_is_not_greeted_for_15_s() -> None:
    async def story(stage: Stage) -> None:
        await stage.see(EMPTY, round(QUIET_S / EVERY_S) + 2)  # the greeter knows the empty room
        await stage.step_up()
        stage.state = Watching(V, ANN, 0.0, 1e9)
        await stage.see(SOMEBODY, 20)
        stage.back_to_idle()
        stage.posted.clear()
        await stage.see(SOMEBODY, round(LINGER_S / EVERY_S))
        assert stage.posted == []
        await stage.see(SOMEBODY, 2)

    assert len(lived(story).said(ShopperApproached)) == 1


def test_who_comes_after_an_absence_is_greeted_at_once() -> None:
    async def story(stage: Stage) -> None:
        await stage.step_up()
        stage.state = Watching(V, ANN, 0.0, 1e9)
        await stage.see(SOMEBODY, 4)
        stage.back_to_idle()
        stage.posted.clear()
        await stage.see(SOMEBODY, 2)
        await stage.see(EMPTY, 5)
        assert stage.posted == []
        await stage.see(SOMEBODY, 2)

    assert len(lived(story).said(ShopperApproached)) == 1


def test_who_left_during_the_visit_leaves_no_waiting_behind() -> None:
    async def story(stage: Stage) -> None:
        await stage.step_up()
        stage.state = Watching(V, ANN, 0.0, 1e9)
        await stage.see(EMPTY, 8)
        stage.back_to_idle()
        stage.posted.clear()
        await stage.see(EMPTY, 1)
        await stage.see(SOMEBODY, 2)

    assert len(lived(story).said(ShopperApproached)) == 1


async def refuse_five(stage: Stage) -> None:
    stage.faces.found = [STRANGERS]
    for _ in range(5):
        await stage.attempt(Rules().stranger_frames)
        stage.back_to_idle()
    stage.posted.clear()


def test_five_refusals_lock_faces_out_for_half_a_minute() -> None:
    async def story(stage: Stage) -> None:
        await refuse_five(stage)
        asked, stage.faces.found = stage.faces.asked, [ANNS]
        await stage.attempt(round(29.0 / EVERY_S))
        assert (stage.faces.asked, stage.posted) == (asked, [])
        await stage.see(SOMEBODY, 8)

    assert len(lived(story).said(MemberRecognised)) == 1


def test_a_code_opens_while_faces_are_locked_out() -> None:
    async def story(stage: Stage) -> None:
        await refuse_five(stage)
        stage.codes.texts = [CODE]
        await stage.attempt(1)

    assert len(lived(story).said(MemberRecognised)) == 1


def test_a_failing_face_library_is_reported_as_a_part() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.broken = "faces: no models"
        await stage.attempt(2)

    stage = lived(story)
    assert set(stage.parts) == {("faces", "faces: no models")}


def test_codes_open_while_the_face_library_fails() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.broken = "faces: no models"
        await stage.attempt(2)
        stage.codes.texts = [CODE]
        await stage.see(SOMEBODY)

    assert len(lived(story).said(MemberRecognised)) == 1


def test_a_face_library_that_works_again_is_reported_in_order() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.broken = "faces: no models"
        await stage.attempt(1)
        stage.faces.broken = None
        await stage.see(SOMEBODY)

    assert lived(story).parts[-1] == ("faces", None)


def test_an_unknown_code_of_ours_is_refused_at_the_third_frame() -> None:
    async def story(stage: Stage) -> None:
        stage.codes.texts = [NOBODYS]
        await stage.attempt(UNKNOWN_CODES - 1)
        assert stage.posted == []
        await stage.see(SOMEBODY)

    (event,) = lived(story).posted
    assert isinstance(event, MemberRefused)
    assert event.why == "unknown code"


def test_foreign_codes_are_counted_and_refuse_nobody() -> None:
    async def story(stage: Stage) -> None:
        stage.codes.texts = [FOREIGN, "4006381333931"]
        await stage.attempt(5)

    stage = lived(story)
    assert (stage.posted, stage.greeter.counts["foreign codes"]) == ([], 10)


def test_the_camera_is_asked_for_more_frames_only_while_somebody_is_looked_for() -> None:
    async def story(stage: Stage) -> None:
        stage.greeter.look(V)
        stage.greeter.stop()

    fast, slow = lived(story).eye.paces
    assert fast is not None
    assert slow is not None
    assert fast > slow


@pytest.mark.parametrize("absent", ["eye", "faces", "codes"])
def test_without_a_part_the_others_still_serve(absent: str) -> None:
    async def story(stage: Stage) -> None:
        setattr(stage.greeter, f"_{absent}", None)
        stage.codes.texts, stage.faces.found = [CODE], [ANNS]
        await stage.attempt(3)

    assert len(lived(story).said(MemberRecognised)) == 1


def test_the_loop_itself_looks_at_each_frame_once() -> None:
    async def story(stage: Stage) -> None:
        seen: list[float] = []

        async def consider(frame: Frame) -> None:
            seen.append(frame.at_s)

        stage.greeter.consider = consider  # type: ignore[method-assign]  # what it does with a frame is told above
        running = asyncio.create_task(stage.greeter.run())
        for at_s in (0.5, 2.0):
            stage.eye.frame = Frame(FRONT, at_s, EMPTY)
            await asyncio.sleep(2.0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert seen == [0.5, 2.0]

    lived(story)
