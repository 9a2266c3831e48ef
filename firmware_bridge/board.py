"""The asyncio shell round one board on a serial port: connects, stays connected, tells what happens.

It decides nothing.  It locks at every connect, and never unlocks or beats the heart unless told to: a thread
or timer here would keep a door released while the daemon that answers for it hangs.
"""

import asyncio
import logging
import os
from collections import deque
from typing import Any, NoReturn, TypeVar

from firmware_bridge import happenings as h
from firmware_bridge.dialogue import Dialogue
from firmware_bridge.errors import BridgeError, LinkDown, Refused, WrongProtocol
from firmware_bridge.line import Line
from firmware_bridge.messages import (
    VISIT_BYTES,
    Answer,
    Buzzer,
    BuzzerPattern,
    ClearFaults,
    Heartbeat,
    Lamp,
    LampMode,
    Lock,
    Message,
    Status,
    StatusRequest,
    Unlock,
    UnlockResult,
)

FIRST_BACKOFF_S = 0.2
LAST_BACKOFF_S = 5.0  # a board plugged in again is back within this
WRONG_PROTOCOL_BACKOFF_S = 30.0  # only a flashed board changes this answer
ANSWER_S = 1.5  # order and answer, each repeated for up to 0.8 s on a bad wire
MAX_WAITING_HAPPENINGS = 2048  # about 50 s of 4 zones; a user further behind is not running

T = TypeVar("T")

log = logging.getLogger(__name__)


class Board:
    """The board behind `port`, as long as somebody awaits `run()`.

    `happenings` yields what it tells, in order.  The orders raise LinkDown when there is no session.
    """

    def __init__(self, port: str, baud: int = 115200) -> None:
        self.port, self.baud = port, baud
        self.happenings: asyncio.Queue[h.Happening] = asyncio.Queue(MAX_WAITING_HAPPENINGS)
        self.counters = h.Counters()
        self._dialogue: Dialogue | None = None
        self._line: Line | None = None
        self._deliveries: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._results: dict[bytes, asyncio.Future[Answer]] = {}
        self._statuses: deque[asyncio.Future[Status]] = deque()
        self._why_told: str | None = None
        self._heard_s: float | None = None  # when the last session last said anything

    @property
    def connected(self) -> bool:
        return self._dialogue is not None and self._dialogue.connected

    async def run(self) -> NoReturn:
        """Connect, and again after every loss, until cancelled."""
        backoff_s = FIRST_BACKOFF_S
        while True:
            connects = self.counters.connects
            try:
                await self._session()
            except BridgeError as error:
                self._lost(error)
                if self.counters.connects > connects:
                    backoff_s = FIRST_BACKOFF_S
                wrong = isinstance(error, WrongProtocol)
                await asyncio.sleep(WRONG_PROTOCOL_BACKOFF_S if wrong else backoff_s)
                backoff_s = min(2 * backoff_s, LAST_BACKOFF_S)

    async def unlock(self, visit: bytes, ttl_s: float) -> None:
        """Release the lock for `visit` (16 bytes) for at most `ttl_s` (0..65 s; the board caps it at 10 s).

        Returns once the board holds the lease.  Refused gives the board's reason, LinkDown its silence.
        Whoever is not told yes (timeout, cancelled) leaves the door locked: a Lock follows.
        """
        if len(visit) != VISIT_BYTES or not 0 < ttl_s <= 65:
            raise ValueError(f"visit of {len(visit)} bytes, ttl {ttl_s} s: want {VISIT_BYTES} bytes, 0..65 s")
        if visit in self._results:
            raise BridgeError("this visit's unlock is under way already")
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._results[visit] = answer
        try:
            self._send(Unlock(visit, round(ttl_s * 1000)))
            said = await _bounded(answer, "unlock")
        except (LinkDown, asyncio.CancelledError):
            if self.connected:
                self._send(Lock())
            raise
        finally:
            del self._results[visit]
        if said is not Answer.OK:
            raise Refused(f"unlock refused: {said.name.lower().replace('_', ' ')}")

    async def lock(self) -> None:
        """End any lease.  Returns once the board has the order."""
        await self._deliver(Lock())

    async def clear_faults(self) -> None:
        """A person has looked: latched faults may end.  Returns once the board has the order."""
        await self._deliver(ClearFaults())

    async def lamp(self, mode: LampMode) -> None:
        await self._deliver(Lamp(mode))

    async def buzzer(self, pattern: BuzzerPattern) -> None:
        await self._deliver(Buzzer(pattern))

    async def status(self) -> Status:
        """The board's answer of this moment."""
        answer: asyncio.Future[Status] = asyncio.get_running_loop().create_future()
        self._send(StatusRequest())
        self._statuses.append(answer)
        return await _bounded(answer, "status")

    def heartbeat(self) -> None:
        """Tell the board that the machine which holds the lease is alive.  Every 100..200 ms; cheap; not
        awaited.  Without a session it does nothing: then the lease ends, as it should.
        """
        if self._dialogue is not None and self._line is not None and self._dialogue.connected:
            self._dialogue.link.stream(Heartbeat().to_bytes())
            self._line.write(self._dialogue.link.data_to_send())

    async def _session(self) -> None:
        """One session from open port to BridgeError."""
        loop = asyncio.get_running_loop()
        line = self._line = Line(self.port, self.baud, loop)
        try:
            dialogue = self._dialogue = Dialogue(os.urandom(8), self.counters, loop.time())
            while True:
                line.write(dialogue.link.data_to_send())
                data = await line.read(dialogue.deadline_s)
                if data:
                    dialogue.receive(data, loop.time())
                    self._settle(dialogue)
                    self._heard_s = loop.time() if dialogue.connected else self._heard_s
                if loop.time() >= dialogue.deadline_s:
                    dialogue.deadline_reached(loop.time())
        finally:
            self._dialogue = self._line = None
            line.close()

    def _settle(self, dialogue: Dialogue) -> None:
        """Hand on what came: happenings to the queue, answers and deliveries to those who wait."""
        for happening in dialogue.happenings():
            if isinstance(happening, h.Connected):
                self._greet(happening)
            else:
                self._tell(happening)
        for answer in dialogue.answers():
            if isinstance(answer, UnlockResult):
                _resolve(self._results.get(answer.visit), answer.answer)
            elif self._statuses:
                _resolve(self._statuses.popleft(), answer)
        while self._deliveries and self._deliveries[0][0] <= dialogue.link.acknowledged:
            _resolve(self._deliveries.popleft()[1], None)

    def _greet(self, connected: h.Connected) -> None:
        self.counters.connects += 1
        self._why_told = None
        log.info("board_connected port=%s firmware=%s", self.port, connected.hello.firmware)
        self._tell(connected)
        if self._heard_s is not None:
            self.counters.gaps += 1
            self._tell(h.Gap(asyncio.get_running_loop().time() - self._heard_s, "link"))

    def _lost(self, error: BridgeError) -> None:
        waiting: list[asyncio.Future[Any]] = [*self._results.values(), *self._statuses]
        waiting += (future for _, future in self._deliveries)
        self._statuses.clear()
        self._deliveries.clear()
        for future in waiting:
            if not future.done():
                future.set_exception(LinkDown(str(error)))
        if str(error) != self._why_told:
            self._why_told = str(error)
            self.counters.disconnects += 1
            log.warning("board_lost port=%s why=%s", self.port, error)
            self._tell(h.Disconnected(str(error)))

    def _tell(self, happening: h.Happening) -> None:
        if self.happenings.full():
            self.counters.happenings_dropped += 1
            if isinstance(happening, h.Masses):
                return
            self.happenings.get_nowait()
        self.happenings.put_nowait(happening)

    def _send(self, message: Message) -> int:
        if self._dialogue is None or self._line is None or not self._dialogue.connected:
            raise LinkDown("the board is not connected")
        ticket = self._dialogue.order(message, asyncio.get_running_loop().time())
        self._line.write(self._dialogue.link.data_to_send())
        self._line.nudge()  # the session waits for a deadline that may just have come nearer
        return ticket

    async def _deliver(self, message: Message) -> None:
        delivered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._deliveries.append((self._send(message), delivered))
        await delivered  # ends: the link gives up by itself


async def _bounded(answer: asyncio.Future[T], what: str) -> T:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await answer
    except TimeoutError:
        raise LinkDown(f"no answer to {what} within {ANSWER_S} s") from None


def _resolve(future: asyncio.Future[T] | None, value: T) -> None:
    if future is not None and not future.done():
        future.set_result(value)
