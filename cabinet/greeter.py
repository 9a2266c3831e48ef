"""Watches the front camera: notices that somebody is there, and finds out who, by face or by code.

It keeps no picture.  Who is let in is `identity`'s rule and when is the machine's; this loop only carries frames to
the one and answers to the other.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from cabinet import clock
from cabinet.identity.codes import CodeError, parse_code
from cabinet.identity.decide import Accepted, Attempt, Decision, Refused, Rules, Undecided, by_code, by_face, nearest
from cabinet.identity.lockout import Lockout
from cabinet.identity.match import match
from cabinet.ports import Codes, Eye, Faces, Frame, PortError, Template
from cabinet.session.events import Event, MemberRecognised, MemberRefused, ShopperApproached
from cabinet.session.states import Authenticating, Idle, State
from cabinet.units import MemberId, VisitId
from cabinet.vision.presence import Presence

IDLE_FPS = 4.0  # frames looked at while nobody is there: somebody is noticed within half a second
LOOKING_FPS = 8.0
RETRY_S = 4.0  # who was not recognised and stays is tried again
LINGER_S = 15.0  # who has just shopped and stays is not greeted again at once
UNKNOWN_CODES = 3  # frames with a code of ours that is nobody's

log = logging.getLogger(__name__)


class Thresholds(Protocol):
    @property
    def face_distance(self) -> float: ...
    @property
    def face_margin(self) -> float: ...
    @property
    def agreeing_frames(self) -> int: ...
    @property
    def stranger_frames(self) -> int: ...


@dataclass
class Looking:
    """One attempt to find out who is there."""

    visit: VisitId
    attempt: Attempt = field(default_factory=Attempt)
    unknown_codes: int = 0
    answered: bool = False


class Greeter:
    def __init__(
        self,
        eye: Eye | None,
        faces: Faces | None,
        codes: Codes | None,
        member_of_code: Callable[[str], MemberId | None],
        post: Callable[[Event], None],
        rules: Thresholds,
        state: Callable[[], State],
        report: Callable[[str, str | None], None],
    ) -> None:
        """`report(part, why)` is told when the face library fails (None: when it works)."""
        self._eye, self._faces, self._codes = eye, faces, codes
        self._member_of_code = member_of_code
        self._post = post
        self._rules = rules
        self._state = state
        self._report = report
        self._presence = Presence()
        self._looking: Looking | None = None
        self._lockout = Lockout()
        self._not_before_s = float("-inf")  # when somebody who stays is greeted again
        self._was_idle = True
        self.templates: Sequence[Template] = ()
        self.counts: Counter[str] = Counter()

    # What the machine orders.

    def look(self, visit: VisitId) -> None:
        self._looking = Looking(visit)
        if self._eye is not None:
            self._eye.pace(LOOKING_FPS)

    def stop(self) -> None:
        self._looking = None
        if self._eye is not None:
            self._eye.pace(IDLE_FPS)

    async def run(self) -> NoReturn:
        seen_s = float("-inf")
        self.stop()
        while True:
            frame = None if self._eye is None else self._eye.latest(after_s=seen_s)
            if frame is not None:
                seen_s = frame.at_s
                try:
                    await self.consider(frame)
                except (ValueError, PortError) as error:  # no picture, or a face that is no numbers
                    self.counts["bad frames"] += 1
                    log.warning("frame_dropped why=%s", error)
            await asyncio.sleep(1 / (2 * LOOKING_FPS) if self._looking is not None else 1 / IDLE_FPS)

    async def consider(self, frame: Frame) -> None:
        """One frame: is somebody there and, if that was asked, who is it."""
        self.counts["frames"] += 1
        was_present = self._presence.present
        present = self._presence.update(frame.picture, frame.at_s)
        self._mind_the_visit(frame.at_s)
        if not present and was_present:
            self._not_before_s = float("-inf")  # whoever comes next is somebody else
        looking = self._looking
        if looking is not None:
            if not looking.answered:
                await self._who(looking, frame)
        elif present and isinstance(self._state(), Idle) and frame.at_s >= self._not_before_s:
            self._not_before_s = frame.at_s + RETRY_S
            self.counts["approached"] += 1
            self._post(ShopperApproached(clock.now_s(), clock.new_visit()))

    def _mind_the_visit(self, at_s: float) -> None:
        """After a visit whoever still stands there has shopped; after an attempt they may try again soon."""
        idle = isinstance(self._state(), Idle)
        if idle and not self._was_idle and self._presence.present:
            self._not_before_s = max(self._not_before_s, at_s + LINGER_S)
        self._was_idle = idle or isinstance(self._state(), Authenticating)

    async def _who(self, looking: Looking, frame: Frame) -> None:
        decision = await self._by_code(looking, frame)
        if isinstance(decision, Undecided) and self._may_look_at_faces():
            decision = await self._by_face(looking, frame)
        if self._looking is not looking:
            return  # the machine has stopped waiting meanwhile
        match decision:
            case Undecided(attempt):
                looking.attempt = attempt
            case Accepted(member, by):
                looking.answered = True
                self._lockout = self._lockout.accepted()
                self.counts[f"accepted by {by}"] += 1
                self._post(MemberRecognised(clock.now_s(), looking.visit, member, by))
            case Refused(why):
                looking.answered = True
                self._lockout = self._lockout.refused(clock.now_s())
                self.counts["refused"] += 1
                self._not_before_s = frame.at_s + RETRY_S
                self._post(MemberRefused(clock.now_s(), looking.visit, why))

    async def _by_code(self, looking: Looking, frame: Frame) -> Decision:
        if self._codes is None:
            return Undecided(looking.attempt)
        texts = await asyncio.to_thread(self._codes.read, frame.picture)
        shown = [text for text in texts if _ours(text)]
        self.counts["foreign codes"] += len(texts) - len(shown)
        for text in shown:
            decision = by_code(self._member_of_code(text), looking.attempt)
            if isinstance(decision, Accepted):
                return decision
        if shown:
            looking.unknown_codes += 1
            self.counts["unknown codes"] += 1
            if looking.unknown_codes >= UNKNOWN_CODES:
                return Refused("unknown code")
        return Undecided(looking.attempt)

    def _may_look_at_faces(self) -> bool:
        return self._faces is not None and bool(self.templates) and not self._lockout.waiting_s(clock.now_s())

    async def _by_face(self, looking: Looking, frame: Frame) -> Decision:
        assert self._faces is not None  # noqa: S101  asked before
        try:
            found = await self._faces.find(frame.picture)
        except PortError as error:
            self.counts["face library failed"] += 1
            self._report("faces", str(error))
            return Undecided(looking.attempt)
        self._report("faces", None)
        face = nearest(found)
        if face is None:
            self.counts["no clear face"] += 1
            return Undecided(looking.attempt)
        rules = self._rules
        answer = match(face.template, self.templates, rules.face_distance, rules.face_margin)
        return by_face(answer, looking.attempt, Rules(rules.agreeing_frames, rules.stranger_frames))


def _ours(text: str) -> bool:
    try:
        parse_code(text)
    except CodeError:
        return False
    return True
