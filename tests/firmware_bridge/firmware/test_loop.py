"""The main loop on a pin layer in virtual time: its pace, its pump, its watchdog, and how it dies."""

import itertools
import random
import struct
from collections.abc import Callable

import pytest

from firmware_bridge.emulator.commissioned import TEST_KEY, commission
from firmware_bridge.emulator.world import World
from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware import loop as firmware_loop
from firmware_bridge.firmware.fitted_by import Fitted
from firmware_bridge.firmware.loop import Loop, run
from firmware_bridge.firmware.memory import Nv
from firmware_bridge.firmware.switches import Inputs
from firmware_bridge.firmware.wire import DATA, OPEN, STREAM, decode_frame, encode_frame
from tests.firmware_bridge.firmware.bench import BOARD_ID, BORN_MS, VISIT, mac

FITTED = Fitted(zones=2)


class StopTheWorldError(Exception):
    """The time of a test is over."""


class Pins(firmware_loop.Pins):
    """The simulated cabinet as pins.  A millisecond passes only in `wait`: thinking takes no time."""

    def __init__(self, *, room: int = 34) -> None:
        self.world = World(2, now_ms=BORN_MS)
        commission(self.world.nv, TEST_KEY, 100, 1000, self.world.cells)
        self.nv: Nv = self.world.nv
        self.board_id, self.cause = BOARD_ID, 0
        self.clock_ms, self.ends_ms = BORN_MS, BORN_MS + 60_000
        self.room = room
        self.to_read = b""
        self.written: list[tuple[int, bytes]] = []
        self.edges_ms: list[int] = []
        self.fed_ms: list[int] = []
        self.relay_log: list[tuple[int, bool]] = []
        self.lamp_log: list[int] = []
        self.buzzer_log: list[int] = []
        self.looked_ms: list[int] = []
        self.each_ms: Callable[[], None] = lambda: None
        self._dice = random.Random(1)

    def now_ms(self) -> int:
        return self.clock_ms

    def wait(self, ms: int) -> None:
        before = self._switches()
        for _ in range(ms):
            self.clock_ms += 1
            self.world.step(self.clock_ms)
            self.each_ms()
            if self.clock_ms >= self.ends_ms:
                raise StopTheWorldError
            if self.to_read or self._switches() != before:
                return

    def _switches(self) -> tuple[bool, ...]:
        felt = self.world.inputs()
        return felt.door_a_shut, felt.door_b_shut, felt.bolt_home, felt.housing_open

    def inputs(self) -> Inputs:
        self.looked_ms.append(self.clock_ms)
        felt = self.world.inputs()
        return Inputs(
            door_a_shut=felt.door_a_shut, door_b_shut=felt.door_b_shut, bolt_home=felt.bolt_home,
            housing_open=felt.housing_open, coil_on=felt.coil_on, probe=felt.probe,
        )  # fmt: skip

    def samples(self) -> list[tuple[int, list[int | None], int]]:
        return self.world.samples(self.clock_ms)

    def relay(self, on: bool) -> None:  # noqa: FBT001  a pin
        self.world.relay(on)
        self.relay_log.append((self.clock_ms, on))

    def pump(self) -> None:
        self.edges_ms.append(self.clock_ms)
        self.world.edge(self.clock_ms)

    def lamp(self, mode: int) -> None:
        self.lamp_log.append(mode)

    def buzzer(self, pattern: int) -> None:
        self.buzzer_log.append(pattern)

    def feed(self) -> None:
        self.fed_ms.append(self.clock_ms)

    def entropy(self, n: int) -> bytes:
        return self._dice.randbytes(n)

    def uart_read(self) -> bytes:
        data, self.to_read = self.to_read, b""
        return data

    def uart_room(self) -> int:
        return self.room

    def uart_write(self, data: bytes) -> None:
        assert len(data) <= self.room
        self.written.append((self.clock_ms, data))

    def heard(self) -> list[bytes]:
        """The payloads on the wire so far."""
        whole = b"".join(data for _, data in self.written).split(b"\0")[:-1]
        return [frame[2] for frame in map(decode_frame, whole) if frame is not None]


def turning(pins: Pins, for_ms: int, loop: Loop | None = None) -> Loop:
    loop = loop or Loop(pins, FITTED)
    pins.ends_ms = pins.clock_ms + for_ms

    def for_ever() -> None:
        while True:
            loop.turn()

    with pytest.raises(StopTheWorldError):
        for_ever()
    return loop


def unlocking(pins: Pins) -> Loop:
    """A loop that drives the lock, with a host that beats."""
    loop = Loop(pins, FITTED)
    pins.to_read = encode_frame(OPEN, 0, b"\x01\x02hostside") + encode_frame(DATA, 1, bytes((c.CHALLENGE_REQUEST,)))
    turning(pins, 20, loop)
    nonce = loop.board.gate._challenges._open
    order = bytes((c.UNLOCK,)) + VISIT + struct.pack("<H", 9000) + mac(nonce, VISIT, 9000)
    pins.to_read = encode_frame(DATA, 2, order)

    def beat() -> None:
        if pins.clock_ms % 100 == 0:
            pins.to_read = encode_frame(STREAM, 0, bytes((c.HEARTBEAT,)))

    pins.each_ms = beat
    turning(pins, 300, loop)
    assert pins.world.coil
    return loop


def test_it_ticks_every_10_ms() -> None:
    pins = Pins()
    turning(pins, 1000)
    gaps = [b - a for a, b in itertools.pairwise(pins.fed_ms)]
    assert len(gaps) >= 98
    assert max(gaps) <= 10


def test_it_ticks_at_once_when_a_switch_moves() -> None:
    pins = Pins()
    loop = turning(pins, 103)
    pins.world.force()
    turning(pins, 1, loop)
    assert loop.board.doorkeeper.switches.door_open


def test_the_watchdog_is_fed_only_when_a_tick_is_done() -> None:
    pins = Pins()
    loop = Loop(pins, FITTED)
    loop.turn()
    for _ in range(100):
        loop.turn() if pins.clock_ms - pins.fed_ms[-1] < 10 else None
    turns_before = len(pins.fed_ms)
    pins.wait = lambda ms: None  # type: ignore[method-assign]  # time stands still: no tick is due
    for _ in range(1000):
        loop.turn()
    assert len(pins.fed_ms) - turns_before <= 1


def test_a_tick_that_hangs_is_not_fed_for() -> None:
    pins = Pins()
    loop = turning(pins, 100)
    fed = len(pins.fed_ms)

    def hang() -> Inputs:
        raise StopTheWorldError

    pins.inputs = hang  # type: ignore[method-assign]  # as good as never coming back
    with pytest.raises(StopTheWorldError):
        loop.turn()
    assert len(pins.fed_ms) == fed


def test_while_it_pumps_there_is_an_edge_every_millisecond_and_without_a_lease_there_is_none() -> None:
    pins = Pins()
    turning(pins, 500)
    assert pins.edges_ms == []
    loop = unlocking(pins)
    pins.edges_ms.clear()
    turning(pins, 1000, loop)
    assert len(pins.edges_ms) >= 980
    assert max(b - a for a, b in itertools.pairwise(pins.edges_ms)) <= 2


def test_a_loop_that_slows_to_3_ms_a_turn_lets_the_lock_go() -> None:
    pins = Pins()
    loop = unlocking(pins)
    patient = pins.wait

    def slow(ms: int) -> None:
        patient(max(ms, 3))

    pins.wait = slow  # type: ignore[method-assign]  # every turn takes longer than the pump may wait
    turning(pins, 300, loop)
    assert not pins.world.coil


def test_relay_and_lamp_are_set_only_when_they_change_and_every_buzzer_order_sounds() -> None:
    pins = Pins()
    loop = unlocking(pins)
    for seq, order in ((3, b"\x05\x03"), (4, b"\x05\x03"), (5, b"\x06\x01"), (6, b"\x06\x01")):
        pins.to_read = encode_frame(DATA, seq, order)
        turning(pins, 10, loop)
    assert pins.lamp_log == [3]
    assert pins.buzzer_log == [1, 1]
    assert [on for _, on in pins.relay_log] == [False, True]


def test_an_order_to_lock_opens_the_relay_in_the_same_turn() -> None:
    pins = Pins()
    loop = unlocking(pins)
    pins.to_read = encode_frame(DATA, 3, bytes((c.LOCK,)))
    turned_ms, pins.ends_ms = pins.clock_ms, pins.clock_ms + 1000
    loop.turn()
    assert pins.relay_log[-1] == (turned_ms, False)


def test_what_happened_is_written_down_in_the_same_turn_once_the_pins_are_set() -> None:
    pins = Pins()
    loop = unlocking(pins)
    entries, pins.ends_ms = loop.board.journal.next, pins.clock_ms + 1000
    pins.to_read = encode_frame(DATA, 3, bytes((c.LOCK,)))
    loop.turn()
    assert loop.board.journal.next == entries + 1


def test_a_uart_without_room_is_given_nothing_and_with_some_all_of_it_in_order() -> None:
    pins = Pins(room=0)
    loop = turning(pins, 700)
    assert pins.written == []
    pins.room = 7
    turning(pins, 200, loop)
    assert {payload[0] for payload in pins.heard()} == {c.ALIVE}


def test_what_waits_for_the_uart_is_sent_within_milliseconds() -> None:
    pins = Pins(room=11)
    loop = Loop(pins, FITTED)
    pins.to_read = encode_frame(OPEN, 0, b"\x01\x02hostside")
    turning(pins, 50, loop)
    assert sum(len(data) for _, data in pins.written) > 60
    assert pins.written[-1][0] - pins.written[0][0] <= 10


CALLS = ["now_ms", "wait", "inputs", "samples", "pump", "feed", "uart_read", "uart_room", "uart_write"]


@pytest.mark.parametrize("call", CALLS)
def test_an_exception_in_any_call_leaves_the_lock_undriven(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pins = Pins()
    loop = unlocking(pins)

    def broken(*_: object) -> None:
        raise ValueError(call)

    def again(_pins: object, _fitted: object) -> Loop:
        setattr(pins, call, broken)
        pins.ends_ms += 10_000
        return loop

    monkeypatch.setattr("firmware_bridge.firmware.loop.Loop", again)
    with pytest.raises(ValueError, match=call):
        run(pins, FITTED)
    assert pins.relay_log[-1][1] is False
    for _ in range(30):
        pins.clock_ms += 1
        pins.world.step(pins.clock_ms)
    assert not pins.world.coil


def test_a_board_that_cannot_be_made_leaves_the_lock_undriven(monkeypatch: pytest.MonkeyPatch) -> None:
    pins = Pins()

    def nothing(_: int) -> bytes:
        raise OSError("no entropy")

    monkeypatch.setattr(pins, "entropy", nothing)  # the first thing a board wants
    with pytest.raises(OSError, match="entropy"):
        run(pins, FITTED)
    assert pins.relay_log[-1][1] is False
