"""The main loop: the only place that touches pins, and the only one that feeds pump and watchdog.

Whatever stops it - a hang, an exception, a reset - takes the pump's edges away, and the lock is locked.
"""

from .board import Board
from .fitted_by import Fitted
from .lease import TICK_MS
from .memory import Nv
from .switches import Inputs

IDLE_MS = 5  # the longest wait
BUSY_MS = 1  # while the pump wants its edges or the UART its bytes


class Pins:
    """What a pin layer must be: the Pico's, or a simulated one."""

    nv: Nv
    board_id: bytes  # 8 bytes of the chip, for ever
    cause: int  # of the last reset, as in HelloReply

    def now_ms(self) -> int:
        """Since any origin; never wraps, never goes back."""
        raise NotImplementedError

    def wait(self, ms: int) -> None:
        """At most so long: less when bytes, a conversion or a switch came."""
        raise NotImplementedError

    def inputs(self) -> Inputs:
        """As the switches stand now."""
        raise NotImplementedError

    def samples(self) -> list[tuple[int, list[int | None], int]]:
        """Conversions since last asked: (end in µs of the clock of `now_ms`, counts zone by zone, slips)."""
        raise NotImplementedError

    def relay(self, on: bool) -> None:
        raise NotImplementedError

    def pump(self) -> None:
        """One edge."""
        raise NotImplementedError

    def lamp(self, mode: int) -> None:
        raise NotImplementedError

    def buzzer(self, pattern: int) -> None:
        """Begin this pattern, the same one too."""
        raise NotImplementedError

    def feed(self) -> None:
        """The watchdog, which may be armed at the first time."""
        raise NotImplementedError

    def entropy(self, n: int) -> bytes:
        raise NotImplementedError

    def uart_read(self) -> bytes:
        """What has come, of any length; b"" for nothing."""
        raise NotImplementedError

    def uart_room(self) -> int:
        """How many bytes it can take now and send within 3 ms."""
        raise NotImplementedError

    def uart_write(self, data: bytes) -> None:
        raise NotImplementedError


class Loop:
    """`turn` for ever."""

    def __init__(self, pins: Pins, fitted: Fitted) -> None:
        self._pins = pins
        pins.relay(False)
        now_ms = pins.now_ms()
        self.board = Board(fitted, pins.nv, pins.board_id, pins.entropy, pins.cause, now_ms)
        self._ticked_ms = now_ms - TICK_MS
        self._edge_ms = now_ms
        self._switches = -1  # none seen yet
        self._relay = False
        self._lamp = self._sounds = 0

    def turn(self) -> None:
        """Look, think, act, feed, wait."""
        pins, board = self._pins, self.board
        ticked = self._look()
        self._act()
        data = pins.uart_read()
        if data:
            board.receive(data, pins.now_ms())
            self._act()
        for t_us, raws, slips in pins.samples():
            board.sampled(t_us, raws, slips)
            self._edge()
        more = self._send()
        board.write_down()
        if ticked:
            pins.feed()  # here only: a tick's work is done
        due_ms = self._ticked_ms + TICK_MS - pins.now_ms()
        self._edge()
        if due_ms > 0:
            pins.wait(min(BUSY_MS if more or board.pump else IDLE_MS, due_ms))

    def _look(self) -> bool:
        """Tick if it is time, or if a switch moved."""
        pins = self._pins
        now_ms, inputs = pins.now_ms(), pins.inputs()
        switches = inputs.door_a_shut | inputs.door_b_shut << 1 | inputs.bolt_home << 2 | inputs.housing_open << 3
        if now_ms - self._ticked_ms < TICK_MS and switches == self._switches:
            return False
        self._switches, self._ticked_ms = switches, now_ms
        self.board.tick(now_ms, inputs)
        return True

    def _act(self) -> None:
        """Set the pins as the board wants them, the lock's first."""
        pins, board = self._pins, self.board
        if board.relay != self._relay:
            self._relay = board.relay
            pins.relay(self._relay)
        self._edge()
        if board.lamp != self._lamp:
            self._lamp = board.lamp
            pins.lamp(self._lamp)
        if board.panel.sounds != self._sounds:
            self._sounds = board.panel.sounds
            pins.buzzer(board.buzzer)

    def _edge(self) -> None:
        """One edge for the pump, if it is to run and has had none in this millisecond."""
        if self.board.pump:
            now_ms = self._pins.now_ms()
            if now_ms != self._edge_ms:
                self._edge_ms = now_ms
                self._pins.pump()

    def _send(self) -> bool:
        """Hand on what the UART takes; whether there is more."""
        room = self._pins.uart_room()
        if room > 0:
            data = self.board.data_to_send(room)
            if data:
                self._pins.uart_write(data)
        return self.board.link.has_data


def run(pins: Pins, fitted: Fitted) -> None:
    """Never returns.  An exception leaves the lock undriven, and whoever catches it must let the watchdog bite."""
    try:
        loop = Loop(pins, fitted)
        while True:
            loop.turn()
    finally:
        pins.relay(False)
