"""Watches the front camera: notices that somebody is there, and finds out who, by face or by code.

It keeps no picture.  Who is let in is `identity`'s rule, for how much is the till's, and when is the machine's; this
loop only carries frames to the one and answers to the other.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NoReturn

from cabinet import clock
from cabinet.greeter.asking import Asked, Looking, words
from cabinet.greeter.codes import TECHNICIAN, by_code
from cabinet.greeter.doorway import UNLIMITED, Doorway, Offered, Service
from cabinet.greeter.faces import FaceDesk
from cabinet.greeter.standing import LINGER_S, RETRY_S, Standing
from cabinet.identity import decide
from cabinet.identity.credit import Terms
from cabinet.identity.decide import Accepted, AskConfirm, AskDigits, AskTurn, Decision, Refused, Undecided
from cabinet.identity.liveness import Move, ask
from cabinet.identity.lockout import Lockout
from cabinet.identity.risk import AllowWithDigits, Deny
from cabinet.ports import Codes, Eye, Frame, PortError
from cabinet.session.events import Event, MemberRecognised, MemberRefused, ServiceRequested, ShopperApproached
from cabinet.session.events import ShopperAsked as Patience
from cabinet.session.states import Idle, OutOfService, State
from cabinet.units import VisitId

__all__ = ["Doorway", "FaceDesk", "Greeter", "Offered", "Service"]

DigitsMode = Literal["never", "when unsure", "always"]

IDLE_FPS = 4.0  # frames looked at while nobody is there: somebody is noticed within half a second
LOOKING_FPS = 8.0
# Refusals that do not count towards the lockout; the tokens' are told only where the signature was right.
NO_ATTACK = frozenset(
    {decide.DECLINED, decide.NO_DIGITS, "token: used nonce", "token: unknown nonce", "token: expired"}
)

log = logging.getLogger(__name__)


class Greeter:
    def __init__(
        self,
        eye: Eye | None,
        faces: FaceDesk | None,
        codes: Codes | None,
        door: Doorway,
        post: Callable[[Event], None],
        state: Callable[[], State],
        digits: DigitsMode = "when unsure",
    ) -> None:
        self._eye, self._codes, self.door = eye, codes, door
        self.faces = faces
        self._post = post
        self._state = state
        self._digits = digits
        self._standing = Standing()
        self._looking: Looking | None = None
        self._lockout = Lockout()
        self.draw: Callable[[], Move] = _draw  # which way to turn the head
        self.told: Callable[[], None] = lambda: None  # what is asked, or the hint, has changed
        self.questions = 0  # asked so far: the same one asked again is another
        self.refusal = ""  # why the last attempt was refused
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
        self.told()

    # What the screen shows, and what is typed or tapped there.

    @property
    def asked(self) -> Asked:
        return "nothing" if self._looking is None else self._looking.asked

    @property
    def hint(self) -> str:
        return "" if self._looking is None else self._looking.hint

    async def digits(self, typed: str) -> bool:
        """Four digits; False: nobody has been asked for any."""
        looking = self._looking
        if looking is None or looking.asked != "digits" or looking.busy or looking.answered:
            return False
        await self._conclude(
            looking, decide.by_digits(typed, self.door.digits(looking.attempt.likely), looking.attempt)
        )
        return True

    async def confirm(self, *, yes: bool) -> bool:
        """False: nobody has been asked."""
        looking = self._looking
        if looking is None or looking.asked != "confirm" or looking.busy or looking.answered:
            return False
        member = looking.attempt.member
        looking.confirmed = yes
        agreed = Accepted(member, "face") if yes and member is not None else Refused(decide.DECLINED)
        await self._conclude(looking, agreed)
        return True

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
        state, looking = self._state(), self._looking
        present = self._standing.see(frame, state)
        if looking is not None:
            if not looking.answered and not looking.busy:
                await self._who(looking, frame)
        elif present and isinstance(state, Idle) and self._standing.greet(frame.at_s):
            self.counts["approached"] += 1
            self._post(ShopperApproached(clock.now_s(), clock.new_visit()))
        elif present and isinstance(state, OutOfService):
            await self._serve(frame)

    async def _serve(self, frame: Frame) -> None:
        """Nothing is sold: a technician's code opens nevertheless, and nothing else is looked at."""
        texts = () if self._codes is None else await asyncio.to_thread(self._codes.read, frame.picture)
        for text in texts:
            found = self.door.technician(text) if text.strip().upper().startswith(TECHNICIAN) else None
            if found is not None:
                self.counts["technicians"] += 1
                self._post(ServiceRequested(clock.now_s(), clock.new_visit(), found.who, found.purpose, found.reason))
                return

    async def _who(self, looking: Looking, frame: Frame) -> None:
        said: Decision | Offered | Service = Undecided(looking.attempt)
        if self._codes is not None:
            texts = await asyncio.to_thread(self._codes.read, frame.picture)
            if self._looking is not looking:
                return  # before a code is used up for nobody
            said = by_code(texts, looking, self.door, self.counts)
        if isinstance(said, Undecided) and self._may_look_at_faces(looking):
            assert self.faces is not None  # noqa: S101  asked just now
            said = await self.faces.consider(looking, frame, self.counts)
        if self._looking is not looking or looking.busy or looking.answered:
            return  # the machine has stopped waiting meanwhile, or the digits came
        await self._conclude(looking, said)

    def _may_look_at_faces(self, looking: Looking) -> bool:
        waiting = looking.asked in {"digits", "confirm"} or self._lockout.waiting_s(clock.now_s())
        return self.faces is not None and self.faces.anybody and not waiting

    async def _conclude(self, looking: Looking, said: Decision | Offered | Service) -> None:
        looking.busy = True
        try:
            known = isinstance(said, Accepted | Offered)
            if isinstance(said, Accepted | Offered):
                said = await self._let_in(looking, said)
            if self._looking is not looking:
                return  # likewise; whatever was answered opens nothing
            match said:
                case Accepted():
                    looking.answered = True
                    self._lockout = self._lockout.accepted()
                    self.counts[f"accepted by {said.by}"] += 1
                    self._post(MemberRecognised(clock.now_s(), looking.visit, said.member, said.by))
                case Service():
                    looking.answered = True
                    self.counts["technicians"] += 1
                    self._post(ServiceRequested(clock.now_s(), looking.visit, said.who, said.purpose, said.reason))
                case Refused(why):
                    self._refuse(looking, why, known=known)
                case _:
                    self._go_on(looking, said)
        finally:
            looking.busy = False

    async def _let_in(self, looking: Looking, said: Accepted | Offered) -> Decision:
        """Whoever was recognised: may they shop now, and for how much."""
        member, offered = said.member, said.limit_minor if isinstance(said, Offered) else None
        by = said.by if isinstance(said, Accepted) else "token"
        match self.door.assess(looking.visit, member, by, offered):
            case Deny(why):
                return Refused(why)
            case judgement if by == "face" and (isinstance(judgement, AllowWithDigits) or self._digits == "always"):
                return AskDigits(replace(looking.attempt, likely=(member,)))
            case judgement:
                least = min(judgement.limit_minor, UNLIMITED if offered is None else offered)
        terms = await self.door.terms(looking.visit, member, least)
        if isinstance(terms, Terms):
            return Accepted(member, by)
        self.door.turned_away(looking.visit, member, by, terms.why)
        looking.owes = True
        return terms

    def _refuse(self, looking: Looking, why: str, *, known: bool) -> None:
        now_s = clock.now_s()
        looking.answered = True
        self.refusal = why
        if not known and why not in NO_ATTACK:  # a member of ours is no attack on the door
            self._lockout = self._lockout.refused(now_s)
            self.door.turned_away(looking.visit, None, None, why)
        self.counts["refused"] += 1
        self.counts[f"refused: {why}"] += 1
        self._standing.wait(now_s + (LINGER_S if looking.owes else RETRY_S))
        self._post(MemberRefused(now_s, looking.visit, why))

    def _go_on(self, looking: Looking, said: Decision) -> None:
        match said:
            case Undecided(attempt):
                looking.attempt = attempt
                self.told()
            case AskDigits(attempt) | AskConfirm(attempt, _) | AskTurn(attempt):
                self._ask(looking, said)

    def _ask(self, looking: Looking, question: AskDigits | AskConfirm | AskTurn) -> None:
        now_s = clock.now_s()
        looking.attempt = question.attempt
        move: Move | None = None
        match question:
            case AskTurn(attempt):
                move = self.draw()
                looking.attempt = decide.challenged(attempt, ask(move, now_s))
                asked: Asked = "turn"
            case AskDigits(attempt):
                if self._digits == "never" or not self.door.digits(attempt.likely):
                    self._refuse(looking, decide.NO_DIGITS, known=True)
                    return
                asked = "digits"
            case _:
                asked = "confirm"
        if looking.asked != asked:
            self._post(Patience(now_s, looking.visit))
            self.counts[f"asked: {asked}"] += 1
        self.questions += 1
        looking.asked, looking.hint = asked, words(question, move)
        self.told()


def _draw() -> Move:
    return "left" if secrets.randbelow(2) else "right"
