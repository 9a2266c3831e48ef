"""The whole board: what the pins show and what the host says go in, what the lock does and what is told come out.

Pure: no pins, no clock.  Nothing a host sends raises; anything else that raises must end in the watchdog.
"""

from . import codes as c
from . import messages
from .calibration import Calibration
from .cells import Cells
from .doorkeeper import Doorkeeper
from .faults import Faults
from .fitted_by import Fitted
from .gate import Gate
from .journal import Journal
from .memory import Memory, Nv
from .orders import Orders, Panel
from .probe import Probe
from .report import Report
from .scales import Scales
from .seal import Budget, Challenges
from .switches import CLOSED, OPENED, Inputs
from .wire import BoardLink

ALIVE_MS = 500
CELLS_MS = 100  # how often the cells are asked for faults
MEMORY_MS = 20  # how often a piece of the memory is held against what it should be
PROBE_MS = 250  # how often the thermometer is looked at: its faults are told well within a second
SECOND_MS = 1000
NOISY, NOISY_MS = 10, 1000
PROBE_FAULTS = (c.PROBE_OPEN, c.PROBE_SHORT, c.PROBE_FROZEN)


class Board:
    """`tick` every 10 ms and when a switch moved; `relay`, `pump`, `lamp` and `buzzer` are true after each call."""

    def __init__(  # type: ignore[no-untyped-def]  # of `entropy`
        self,
        fitted: Fitted,
        nv: Nv,
        board_id: bytes,
        entropy,  # noqa: ANN001  n -> n random bytes; no Callable in MicroPython
        cause: int,
        now_ms: int,
    ) -> None:
        self.fitted, self.board_id, self.cause = fitted, board_id, cause
        self.boot_id = bytes(entropy(8))
        self.link = BoardLink()
        self.memory = Memory(nv, fitted.zones)
        self.journal = Journal(nv)
        self.report = Report(self.link, self.journal, self.memory.boots, now_ms)
        self.faults = Faults(self.report)
        self.doorkeeper = Doorkeeper(fitted, self.faults, self.report, now_ms)
        self.cells = Cells(fitted.zones, fitted.rate_hz, fitted.batch, self.memory, now_ms)
        self.scales = Scales(self.cells, Calibration(self.cells, self.memory), self.memory, self.report)
        budget = Budget(nv, self.memory, now_ms)
        self.gate = Gate(
            board_id, self.memory, Challenges(entropy), budget, self.doorkeeper, self.faults, self.scales, self.report
        )
        self.panel = Panel()
        self._orders = Orders(
            self.link, self.journal, self.doorkeeper, self.faults, self.gate, self.scales, self.panel, self.report
        )
        self._probe = Probe()
        self._noise = Noise()
        self._lost = 0  # entries that the journal had lost when last looked
        self._cells_ms = self._memory_ms = self._probe_ms = self._second_ms = now_ms
        self._centi_c = 0
        self._alive_ms = now_ms - ALIVE_MS
        self.report.mute = fitted.protocol != c.PROTOCOL
        self.report.note(c.BOOTED, bytes((cause,)), now_ms)
        if cause in (c.BY_WATCHDOG, c.BY_BROWN_OUT):
            self.faults.tell(c.WATCHDOG if cause == c.BY_WATCHDOG else c.BROWN_OUT, now_ms)

    # What the pins do.

    @property
    def relay(self) -> bool:
        return self.doorkeeper.drive.relay

    @property
    def pump(self) -> bool:
        return self.doorkeeper.drive.pump

    @property
    def lamp(self) -> int:
        return self.panel.lamp

    @property
    def buzzer(self) -> int:
        return self.panel.buzzer

    # What happens.

    def tick(self, now_ms: int, inputs: Inputs) -> None:
        """The lock first, then the wire, then everything that can wait."""
        self.write_down()
        visit = self.doorkeeper.last_visit
        events = self.doorkeeper.look(inputs, now_ms)
        if events & OPENED:
            self.scales.note_closing(now_ms)
        elif events & CLOSED:
            self.scales.closed(visit, now_ms)
        self.link.step(now_ms)
        if now_ms - self._memory_ms >= MEMORY_MS:
            self._memory_ms = now_ms
            self._watch_memory(now_ms)
        if now_ms - self._cells_ms >= CELLS_MS:
            self._cells_ms = now_ms
            self.faults.hold_cells(self.cells.faults(now_ms), now_ms)
        if self.fitted.probe and now_ms - self._probe_ms >= PROBE_MS:
            self._probe_ms = now_ms
            self._read_probe(inputs.probe, now_ms)
        if now_ms - self._second_ms >= SECOND_MS:
            self._second_ms = now_ms
            self._each_second(now_ms)
        if now_ms - self._alive_ms >= ALIVE_MS:
            self._alive_ms = now_ms
            self._say_alive(now_ms)
        self.scales.stream(self.link.opened_with is not None and not self.report.mute, now_ms)
        self._orders.read_on(now_ms)

    def sampled(self, t_us: int, raws: list[int | None], slips: int) -> None:
        """One conversion of every zone, ended at `t_us` of the same clock as `now_ms`."""
        self.cells.sampled(t_us, raws, slips)

    def receive(self, data: bytes, now_ms: int) -> None:
        """Any bytes."""
        damaged = self.link.bad_frames
        for payload in self.link.receive(data, now_ms):
            if payload is self.link.opened_with:
                self._greet(payload, now_ms)
            elif not self.report.mute and not self._orders.obey(payload, now_ms):
                self.link.bad_frames += 1
        damaged = self.link.bad_frames - damaged
        if damaged and self._noise.heard(damaged, now_ms) and self.doorkeeper.lease.visit is not None:
            self.doorkeeper.end(c.FAULT_ENDED, now_ms)
            self.faults.tell(c.NOISY_WIRE, now_ms)

    def data_to_send(self, room: int = 4096) -> bytes:
        """At most `room` bytes for the wire, the most urgent first."""
        return self.link.data_to_send(room)

    def write_down(self) -> None:
        """The notes of what has happened: once the pins have been set, at the latest at the next tick."""
        self.report.write_down()

    # What only it can say.

    def _greet(self, payload: bytes, now_ms: int) -> None:
        self.report.in_session = False
        self.scales.raw = 0
        self._orders.forget_session()
        if len(payload) != 10 or payload[0] != c.HELLO:
            self.link.bad_frames += 1
            self.link.close()
            return
        fitted = self.fitted
        layout = fitted.zones, fitted.rate_hz, fitted.capabilities()
        uptime_ms, keyed = self.report.uptime(now_ms), self.gate.keyed
        reply = messages.hello_reply(
            fitted.protocol, self.boot_id, uptime_ms, layout, self.board_id, self.cause, keyed, fitted.firmware
        )
        self.link.send(reply, now_ms)

    def _watch_memory(self, now_ms: int) -> None:
        lost, self._lost = self.journal.lost != self._lost, self.journal.lost
        if not self.memory.check() or self.memory.damaged or lost:
            self.doorkeeper.latch(1 << c.MEMORY, now_ms)

    def _read_probe(self, code: int, now_ms: int) -> None:
        self._centi_c, trouble = self._probe.read(code, now_ms), self._probe.fault()
        for fault in PROBE_FAULTS:
            self.faults.hold(fault, fault == trouble, now_ms)

    def _each_second(self, now_ms: int) -> None:
        self.gate.watch_budget(now_ms)
        if self.fitted.probe and self.link.opened_with is not None and not self.report.mute:
            self.link.stream(messages.temperature(0, self._centi_c))

    def _say_alive(self, now_ms: int) -> None:
        link = self.link
        nonce = link.opened_with[2:10] if link.opened_with is not None else bytes(8)
        t_ms, entry = self.report.uptime(now_ms), self.journal.next
        alive = messages.alive(t_ms, self.boot_id, nonce, link.bad_frames, link.lost_frames, self.faults.bits, entry)
        link.stream(alive)


class Noise:
    """Damaged frames: whether there were NOISY of them within NOISY_MS."""

    def __init__(self) -> None:
        self._at_ms: list[int] = []

    def heard(self, count: int, now_ms: int) -> bool:
        for _ in range(min(count, NOISY)):
            if len(self._at_ms) == NOISY:
                self._at_ms.pop(0)
            self._at_ms.append(now_ms)
        return len(self._at_ms) == NOISY and now_ms - self._at_ms[0] < NOISY_MS
