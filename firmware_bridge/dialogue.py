"""One session with one board: hello, the first orders, then messages into happenings.  No I/O, no clock.

It locks at every start, notices a board that fell silent, rebooted or forgot the session, and counts what
was lost.  It never unlocks by itself and never beats the heart: both are for its user to order.
"""

from firmware_bridge import happenings as h
from firmware_bridge.clock import LAP_MS, BoardClock
from firmware_bridge.errors import LinkDown, MessageError
from firmware_bridge.link import Link
from firmware_bridge.messages import (
    PROTOCOL,
    Alive,
    Bolt,
    Door,
    Fault,
    Hello,
    HelloReply,
    LeaseEnded,
    Lock,
    Mass,
    Message,
    Status,
    StatusRequest,
    Temperature,
    UnlockResult,
    decode,
)

HANDSHAKE_S = 5.0  # 3 s of OPEN plus two round trips on a bad wire
SILENCE_S = 1.5  # the board speaks at least every 0.5 s (Alive)

Answer = UnlockResult | Status


class Dialogue:
    """Feed `receive`, write `data_to_send`, hand on `happenings` and `answers`, call `deadline_reached`.

    All times are seconds on the host's monotonic clock.  BridgeError from any method ends the session.
    """

    def __init__(self, nonce: bytes, counters: h.Counters, now_s: float) -> None:
        self.link = Link()
        self.hello: HelloReply | None = None
        self.connected = False
        self._nonce = nonce
        self._counters = counters
        self._seen_dropped = self._seen_lost = 0
        self._clock = BoardClock()
        self._next_ms: dict[int, int] = {}  # zone index -> board time its next sample is due
        self._happenings: list[h.Happening] = []
        self._answers: list[Answer] = []
        self._silence_deadline_s = now_s + HANDSHAKE_S
        self.link.open(Hello(PROTOCOL, nonce).to_bytes(), now_s)

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
                self._weighed(message, self.hello, now_s)
            case Alive():
                self._alive(message, self.hello, now_s)
            case Door(open=is_open, t_ms=t_ms) if self.connected:
                self._happenings.append(h.DoorChanged(is_open, self._clock.host_s(t_ms)))
            case Bolt(locked=locked, t_ms=t_ms) if self.connected:
                self._happenings.append(h.BoltChanged(locked, self._clock.host_s(t_ms)))
            case LeaseEnded(visit=visit, reason=reason):
                self._happenings.append(h.LeaseOver(visit, reason))
            case Fault(code=code):
                self._happenings.append(h.FaultRaised(code))
            case Temperature(probe=probe, centi_c=centi_c):
                self._happenings.append(h.TemperatureRead(probe, centi_c / 100))
            case UnlockResult():
                self._answers.append(message)
            case Status():
                self._status(message, self.hello)
            case _:
                pass  # Door and Bolt before the first Status are told by it; orders of ours do not come back

    def _greeted(self, hello: HelloReply, now_s: float) -> None:
        self.hello = hello
        self._clock.observe(hello.uptime_ms, now_s)
        self.order(Lock(), now_s)
        self.order(StatusRequest(), now_s)

    def _status(self, status: Status, hello: HelloReply) -> None:
        self._answers.append(status)
        if not self.connected:
            self.connected = True
            self._happenings.insert(0, h.Connected(hello, status))

    def _alive(self, alive: Alive, hello: HelloReply, now_s: float) -> None:
        if alive.boot_id != hello.boot_id:
            raise LinkDown("the board rebooted")
        if alive.nonce != self._nonce:
            raise LinkDown("the board lost the session")
        self._counters.board_bad_frames = alive.bad_frames
        self._counters.board_lost_frames = alive.lost_frames
        self._clock.observe(alive.t_ms, now_s)

    def _weighed(self, mass: Mass, hello: HelloReply, now_s: float) -> None:
        if mass.zone >= hello.zones:
            self._counters.messages_refused += 1
            return
        spacing_ms = 1000 / hello.rate_hz
        last_ms = round(mass.t_ms + (len(mass.samples_dg) - 1) * spacing_ms) % LAP_MS
        self._clock.observe(last_ms, now_s)
        missing_ms = (mass.t_ms - self._next_ms.get(mass.zone, mass.t_ms)) % LAP_MS
        if spacing_ms / 2 < missing_ms < LAP_MS // 2:
            self._counters.gaps += 1
            self._happenings.append(h.Gap(missing_ms / 1000, f"mass zone {mass.zone}"))
        self._next_ms[mass.zone] = round(last_ms + spacing_ms) % LAP_MS
        grams = [None if sample is None else sample / 10 for sample in mass.samples_dg]
        self._happenings.append(h.Masses(mass.zone, self._clock.host_s(mass.t_ms), hello.rate_hz, grams))

    def _count(self) -> None:
        link = self.link
        self._counters.frames_dropped += link.frames_dropped - self._seen_dropped
        self._counters.stream_lost += link.stream_lost - self._seen_lost
        self._seen_dropped, self._seen_lost = link.frames_dropped, link.stream_lost
