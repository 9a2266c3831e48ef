"""The asyncio shell round one board on a serial port: connects, stays connected, tells what happens.

It decides nothing.  It locks at every connect, and never unlocks or beats the heart unless told to: a thread
or timer here would keep a door released while the daemon that answers for it hangs.
"""

import asyncio
import dataclasses
import logging
import os
from typing import NoReturn

from firmware_bridge import happenings as h
from firmware_bridge.dialogue import Dialogue
from firmware_bridge.errors import BridgeError, LinkDown, WrongProtocol
from firmware_bridge.facts import BoardFacts, faults_of
from firmware_bridge.lasting import JournalFrom, Lasting
from firmware_bridge.line import IDLE_LOOK_S, LEASE_LOOK_S, Line
from firmware_bridge.messages import Heartbeat, HelloReply, Message
from firmware_bridge.ordering import Ordering

FIRST_BACKOFF_S = 0.2
LAST_BACKOFF_S = 5.0  # a board plugged in again is back within this
WRONG_PROTOCOL_BACKOFF_S = 30.0  # only a flashed board changes this answer
CALM_AFTER_S = 1.0  # without a heartbeat: no lease is held, and no door edge is expected
MAX_WAITING_MASSES = 2048  # happenings; about 17 s of 12 zones: a user further behind is not running
MAX_WAITING_HAPPENINGS = MAX_WAITING_MASSES + 512  # room for doors, faults and the whole journal besides

log = logging.getLogger(__name__)


class Board(Ordering):
    """The board behind `port`, as long as somebody awaits `run()`.

    `happenings` yields what it tells, in order.  `key` (32 bytes) signs unlocks.  `journal_from` is the first journal
    entry wanted: an index, or a function from the board's id to one.
    """

    def __init__(
        self, port: str, baud: int = 115200, *, key: bytes | None = None, journal_from: JournalFrom = 1
    ) -> None:
        super().__init__(key)
        self.port, self.baud = port, baud
        self.happenings: asyncio.Queue[h.Happening] = asyncio.Queue(MAX_WAITING_HAPPENINGS)
        self.counters = h.Counters()
        self._lasting = Lasting(journal_from)
        self._dialogue: Dialogue | None = None
        self._line: Line | None = None
        self._why_told: str | None = None
        self._heard_s: float | None = None  # when the last session last said anything
        self._beat_s = 0.0  # when the heart was last beaten: soon after, the port is looked at often
        self._looks_s = 0.0  # when the session looks at its deadlines again

    @property
    def connected(self) -> bool:
        return self._dialogue is not None and self._dialogue.connected

    @property
    def facts(self) -> BoardFacts | None:
        """What is known of the board now; None without a session."""
        dialogue = self._dialogue
        if dialogue is None or dialogue.hello is None or dialogue.status is None:
            return None
        clock = self._lasting.clock
        return BoardFacts(
            hello=dialogue.hello,
            status=dialogue.status,
            faults=faults_of(dialogue.faults),
            counters=dataclasses.replace(self.counters),
            offset_s=clock.offset_s,
            drift_ppm=clock.drift_ppm,
            jitter_ms=1000 * clock.jitter_s,
            journal_next=dialogue.journal_next,
            journal_read=self._lasting.journal.next,
        )

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
            finally:
                self._abandoned("the board is not run any more")  # whoever still waits when this is cancelled

    def heartbeat(self) -> None:
        """Tell the board that the machine which holds the lease is alive.  Every 100..200 ms; cheap; not
        awaited.  Without a session it does nothing: then the lease ends, as it should.
        """
        if self._dialogue is not None and self._line is not None and self._dialogue.connected:
            self._dialogue.link.stream(Heartbeat().to_bytes())
            self._line.write(self._dialogue.link.data_to_send())
            self._beat_s, self._line.look_s = asyncio.get_running_loop().time(), LEASE_LOOK_S

    async def _session(self) -> None:
        """One session from open port to BridgeError."""
        loop = asyncio.get_running_loop()
        line = self._line = Line(self.port, self.baud, loop, self._received)
        try:
            dialogue = self._dialogue = Dialogue(os.urandom(8), self.counters, loop.time(), self._lasting)
            while True:
                line.write(dialogue.link.data_to_send())
                self._looks_s = dialogue.deadline_s
                await line.wait(self._looks_s)
                if loop.time() >= dialogue.deadline_s:
                    dialogue.deadline_reached(loop.time())
        finally:
            self._dialogue = self._line = None
            line.close()

    def _received(self, data: bytes) -> None:
        dialogue, line = self._dialogue, self._line
        if dialogue is None or line is None:
            return
        now_s = asyncio.get_running_loop().time()
        try:
            dialogue.receive(data, now_s)
            self._settle(dialogue)
        except Exception as error:  # noqa: BLE001  run() raises what is no BridgeError: nothing is swallowed here
            line.end(error)
            return
        if dialogue.connected:
            self._heard_s = now_s
        if now_s - self._beat_s > CALM_AFTER_S:
            line.look_s = IDLE_LOOK_S
        line.write(dialogue.link.data_to_send())
        if dialogue.deadline_s < self._looks_s:
            line.nudge()

    def _settle(self, dialogue: Dialogue) -> None:
        """Hand on what came: happenings to the queue, answers and deliveries to those who wait."""
        for happening in dialogue.happenings():
            if isinstance(happening, h.Connected):
                self._greet(happening)
            else:
                self._tell(happening)
        self._answered(dialogue.answers(), dialogue.link.acknowledged)

    def _greet(self, connected: h.Connected) -> None:
        self.counters.connects += 1
        self._why_told = None
        log.info("board_connected port=%s firmware=%s", self.port, connected.hello.firmware)
        self._tell(connected)
        if self._heard_s is not None:
            self.counters.gaps += 1
            self._tell(h.Gap(asyncio.get_running_loop().time() - self._heard_s, "link"))

    def _lost(self, error: BridgeError) -> None:
        self._abandoned(str(error))
        if str(error) != self._why_told:
            self._why_told = str(error)
            self.counters.disconnects += 1
            log.warning("board_lost port=%s why=%s", self.port, error)
            self._tell(h.Disconnected(str(error)))

    def _tell(self, happening: h.Happening) -> None:
        waiting = self.happenings.qsize()
        if waiting >= MAX_WAITING_MASSES and isinstance(happening, h.Masses | h.CellCounts):
            self.counters.happenings_dropped += 1
            return
        if waiting >= MAX_WAITING_HAPPENINGS:
            self.counters.happenings_dropped += 1
            self.happenings.get_nowait()
        self.happenings.put_nowait(happening)

    def _greeting(self) -> HelloReply:
        if self._dialogue is None or self._dialogue.hello is None or not self._dialogue.connected:
            raise LinkDown("the board is not connected")
        return self._dialogue.hello

    def _send(self, message: Message) -> int:
        if self._dialogue is None or self._line is None or not self._dialogue.connected:
            raise LinkDown("the board is not connected")
        ticket = self._dialogue.order(message, asyncio.get_running_loop().time())
        self._line.write(self._dialogue.link.data_to_send())
        if self._dialogue.deadline_s < self._looks_s:
            self._line.nudge()
        return ticket
