"""The host's Dialogue and the firmware's Board in the simulated cabinet, and the wire between them, on virtual time."""

from collections.abc import Callable
from typing import Any, TypeVar

from firmware_bridge import happenings as h
from firmware_bridge.dialogue import Answer, Dialogue
from firmware_bridge.emulator.cells import Signal
from firmware_bridge.emulator.commissioned import TEST_KEY
from firmware_bridge.emulator.world import World
from firmware_bridge.firmware.fitted_by import Fitted
from firmware_bridge.lasting import Lasting
from firmware_bridge.messages import Challenge, ChallengeRequest, Heartbeat, Message, Unlock, UnlockResult
from firmware_bridge.signing import unlock_mac
from tests.firmware_bridge.firmware.bench import BOARD_ID, BORN_MS, VISIT, Bench
from tests.firmware_bridge.wires import Way, clean

STARTED_S = 100.0  # the host's clock when the board's shows 0: neither may be taken for the other
READY_MS = 1500  # cells and probe have settled by then
T = TypeVar("T")


class Meeting(Bench):
    """`run(ms)` lets both ends live; `heard` and `answers` are what the host was told.

    `ppm`: how much faster than the host's the board's clock runs.
    """

    def __init__(
        self,
        fitted: Fitted | None = None,
        world: World | None = None,
        *,
        ways: Callable[[], tuple[Way, Way]] = lambda: (Way(clean()), Way(clean())),
        ppm: float = 0.0,
    ) -> None:
        self.ppm = ppm
        self.counters, self.lasting = h.Counters(), Lasting()
        self.to_board, self.to_host = ways()
        self.heard: list[h.Happening] = []
        self.answers: list[Answer] = []
        self.sessions = 0
        self.host: Dialogue | None = None
        super().__init__(fitted or Fitted(zones=2, batch=8), world=world)

    @property
    def now_s(self) -> float:
        """The host's clock."""
        return STARTED_S + (self.now_ms - BORN_MS) / 1000 / (1 + self.ppm * 1e-6)

    def begin(self) -> Dialogue:
        """A new session; not yet connected."""
        self.sessions += 1
        self.host = Dialogue(self.sessions.to_bytes(8, "big"), self.counters, self.now_s, self.lasting)
        return self.host

    def connect(self, bound_ms: int = 20_000) -> "Meeting":
        host = self.begin()
        self.until(lambda: host.connected, bound_ms)
        return self

    def until(self, done: Callable[[], bool], bound_ms: int = 20_000) -> None:
        end_ms = self.now_ms + bound_ms
        while not done():
            self.run(1)
            assert self.now_ms < end_ms

    def drain(self) -> None:
        """Both ends say what they have; called at every millisecond."""
        if self.host is None:
            self.board.data_to_send(1 << 16)
            return
        self.to_board.put(self.host.link.data_to_send(), self.now_ms)
        for data in self.to_board.take(self.now_ms):
            self.board.receive(data, self.now_ms)
        self.to_host.put(self.board.data_to_send(1 << 16), self.now_ms)
        for data in self.to_host.take(self.now_ms):
            self.host.receive(data, self.now_s)
        if self.now_s >= self.host.deadline_s:
            self.host.deadline_reached(self.now_s)
        self.heard += self.host.happenings()
        self.answers += self.host.answers()

    def beat(self) -> None:
        if self.host is not None:
            self.host.link.stream(Heartbeat().to_bytes())

    def tell(self, message: Message) -> None:
        assert self.host is not None
        self.host.order(message, self.now_s)

    def visit(self, visit: bytes = VISIT, ttl_ms: int = 5000) -> None:
        """A signed unlock by the host, granted, and the bolt out."""
        self.beating = True
        answered = len(self.answers)
        self.tell(ChallengeRequest())
        self.until(lambda: any(isinstance(answer, Challenge) for answer in self.answers[answered:]))
        challenge = next(answer for answer in self.answers[answered:] if isinstance(answer, Challenge))
        self.tell(Unlock(visit, ttl_ms, unlock_mac(TEST_KEY, BOARD_ID, challenge.nonce, visit, ttl_ms)))
        self.until(lambda: any(isinstance(answer, UnlockResult) for answer in self.answers[answered:]))
        self.until(lambda: not self.world.bolt_in_strike, 1000)

    def said_to_host(self, kind: type[T]) -> list[T]:
        return [happening for happening in self.heard if isinstance(happening, kind)]


def quiet(zones: int = 1, *, rate_error: float = 0.0, **words: Any) -> Meeting:
    """Cells without noise, their converters' rate off by this share."""
    world = World(zones, signal=Signal(), now_ms=BORN_MS, rate_hz=80 * (1 + rate_error))
    return Meeting(Fitted(zones=zones), world, **words)


def masses(meeting: Meeting, zone: int = 0) -> list[h.Masses]:
    return [said for said in meeting.said_to_host(h.Masses) if said.zone_index == zone]
