"""One session with one board: hello, the first orders, then messages into happenings.  No I/O, no clock.

It locks at every start, notices a board that fell silent, rebooted or forgot the session, reads the board's journal,
and counts what was lost.  It never unlocks by itself and never beats the heart: both are for its user to order.
"""

from firmware_bridge import happenings as h
from firmware_bridge.clock import BoardClock
from firmware_bridge.codes import Capability
from firmware_bridge.errors import LinkDown, MessageError
from firmware_bridge.lasting import Lasting
from firmware_bridge.link import MAX_WAITING, Link
from firmware_bridge.messages import (
    PROTOCOL,
    Alive,
    Bolt,
    CellReport,
    Challenge,
    Commissioned,
    Door,
    Fault,
    Hello,
    HelloReply,
    JournalEnd,
    JournalEntry,
    JournalRead,
    LeaseEnded,
    Lock,
    Mass,
    Message,
    Raw,
    Status,
    StatusRequest,
    Temperature,
    UnlockResult,
    decode,
)

HANDSHAKE_S = 5.0  # 3 s of OPEN plus two round trips on a bad wire
SILENCE_S = 1.5  # the board speaks at least every 0.5 s (Alive)
MAX_EARLY = 256  # happenings between hello and status: a tenth of a second's worth

Answer = UnlockResult | Status | Challenge | Commissioned | CellReport


class Dialogue:
    """Feed `receive`, write `link.data_to_send`, hand on `happenings` and `answers`, call `deadline_reached`.

    All times are seconds on the host's monotonic clock.  BridgeError from any method ends the session.
    """

    def __init__(self, nonce: bytes, counters: h.Counters, now_s: float, lasting: Lasting | None = None) -> None:
        self.link = Link()
        self.hello: HelloReply | None = None
        self.status: Status | None = None  # the last one told
        self.faults = 0  # bits, of the last Alive
        self.journal_next: int | None = None  # likewise
        self.lasting = lasting or Lasting()
        self._nonce = nonce
        self._counters = counters
        self._seen_dropped = self._seen_lost = 0
        self._happenings: list[h.Happening] = []
        self._answers: list[Answer] = []
        self._silence_deadline_s = now_s + HANDSHAKE_S
        self.link.open(Hello(PROTOCOL, nonce).to_bytes(), now_s)

    @property
    def connected(self) -> bool:
        return self.status is not None

    @property
    def deadline_s(self) -> float:
        if self.link.deadline_s is None:
            return self._silence_deadline_s
        return min(self.link.deadline_s, self._silence_deadline_s)

    def deadline_reached(self, now_s: float) -> None:
        if now_s >= self._silence_deadline_s:
            raise LinkDown("the board fell silent" if self.connected else "no handshake in time")
        if self.link.deadline_s is not None and now_s >= self.link.deadline_s:
            self.link.deadline_reached(now_s)

    def receive(self, data: bytes, now_s: float) -> None:
        self.link.receive(data, now_s)
        self._count()
        for payload in self.link.messages():
            try:
                message = decode(payload)
            except MessageError:
                self._counters.messages_refused += 1
                continue
            self._heard(message, now_s)
            if self.connected:
                self._silence_deadline_s = now_s + SILENCE_S

    def order(self, message: Message, now_s: float) -> int:
        """Send reliably; done when `link.acknowledged` reaches the number given back."""
        return self.link.send(message.to_bytes(), now_s)

    def happenings(self) -> list[h.Happening]:
        """What happened since last asked; nothing before Connected."""
        if not self.connected:
            if len(self._happenings) > MAX_EARLY:
                raise LinkDown("the board talks without end and does not answer")
            return []
        happened, self._happenings = self._happenings, []
        return happened

    def answers(self) -> list[Answer]:
        answers, self._answers = self._answers, []
        return answers

    def _heard(self, message: Message, now_s: float) -> None:
        if self.hello is None:
            if isinstance(message, HelloReply):
                self._greeted(message, now_s)
            return  # anything else was on its way before the reply
        match message:
            case Mass():
                self._weighed(message, self.hello)
            case Alive():
                self._alive(message, self.hello, now_s)
            case Raw() if message.zone < self.hello.zones:
                self._tell(self.lasting.series.counts(message))
            case Door() | Bolt():
                if self.connected:  # what was before, the first Status tells
                    self._tell(told(message, self.lasting.clock))
            case LeaseEnded() | Fault() | Temperature():
                self._tell(told(message, self.lasting.clock))
            case JournalEntry() if self.lasting.journal.entry(message):
                pass  # told at the end of its read
            case JournalEnd():
                self._journaled(message, now_s)
            case Status():
                self._answers.append(message)
                self._told(message, self.hello, now_s)
            case UnlockResult() | Challenge() | Commissioned() | CellReport():
                self._answers.append(message)
            case _:
                self._counters.messages_refused += 1  # a second hello, our own orders, a zone that is not there

    def _greeted(self, hello: HelloReply, now_s: float) -> None:
        self.hello = hello
        self.lasting.greeted(hello)
        self.lasting.clock.observe(hello.uptime_ms, now_s)
        self.order(Lock(), now_s)
        self.order(StatusRequest(), now_s)

    def _told(self, status: Status, hello: HelloReply, now_s: float) -> None:
        first = not self.connected
        self.lasting.clock.observe(status.uptime_ms, now_s)
        self.status, self.faults = status, status.faults
        if first:
            self._happenings.insert(0, h.Connected(hello, status))
            if Capability.JOURNAL in hello.capabilities:
                self._read_on(self.lasting.journal.due(None, now_s), now_s)

    def _alive(self, alive: Alive, hello: HelloReply, now_s: float) -> None:
        if alive.boot_id != hello.boot_id:
            raise LinkDown("the board rebooted")
        if alive.nonce != self._nonce:
            raise LinkDown("the board lost the session")
        self._counters.board_bad_frames = alive.bad_frames
        self._counters.board_lost_frames = alive.lost_frames
        self.faults, self.journal_next = alive.faults, alive.journal_next
        self.lasting.clock.observe(alive.t_ms, now_s)
        if self.connected and Capability.JOURNAL in hello.capabilities:
            self._read_on(self.lasting.journal.due(alive.journal_next, now_s), now_s)

    def _journaled(self, end: JournalEnd, now_s: float) -> None:
        journal = self.lasting.journal
        lost = journal.lost
        entries, read = journal.end(end, now_s)
        self._counters.journal_lost += journal.lost - lost
        for entry in entries:
            self._tell(h.Journaled(entry))
        self._read_on(read, now_s)

    def _read_on(self, read: JournalRead | None, now_s: float) -> None:
        if read is not None and self.link.waiting < MAX_WAITING:
            self.order(read, now_s)

    def _weighed(self, mass: Mass, hello: HelloReply) -> None:
        weighed = self.lasting.series.masses(mass) if mass.zone < hello.zones else None
        if weighed is None:
            self._counters.messages_refused += 1
            return
        gap, masses = weighed
        if gap is not None:
            self._counters.gaps += 1
            self._counters.samples_lost += gap.samples
            self._tell(gap)
        self._tell(masses)

    def _tell(self, happening: h.Happening) -> None:
        self._happenings.append(happening)

    def _count(self) -> None:
        link = self.link
        self._counters.frames_dropped += link.frames_dropped - self._seen_dropped
        self._counters.stream_lost += link.stream_lost - self._seen_lost
        self._seen_dropped, self._seen_lost = link.frames_dropped, link.stream_lost


def told(message: Door | Bolt | LeaseEnded | Fault | Temperature, clock: BoardClock) -> h.Happening:
    """The message in the user's words."""
    match message:
        case Door():
            return h.DoorChanged(message.open, clock.host_s(message.t_ms))
        case Bolt():
            return h.BoltChanged(message.locked, clock.host_s(message.t_ms))
        case LeaseEnded():
            return h.LeaseOver(message.visit, message.reason)
        case Fault():
            happening = h.FaultRaised if message.raised else h.FaultGone
            return happening(message.code, message.detail, clock.host_s(message.t_ms))
        case Temperature():
            if message.bad is not None:
                return h.TemperatureBad(message.probe, message.bad)
            return h.TemperatureRead(message.probe, message.centi_c / 100)
