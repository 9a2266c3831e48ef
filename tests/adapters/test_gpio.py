"""The pins of this computer, on gpiozero's mock pins and a virtual clock: lease, debounce, lamp and buzzer."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import gpiozero.output_devices
import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin
from gpiozero.threads import GPIOThread

from cabinet.adapters.gpio import LEASE_CAP_S, GpioLock, GpioSignals, GpioSwitches
from cabinet.ports import PortError
from cabinet.units import VisitId, ZoneId
from tests.support.virtual_time import run_in_virtual_time

RELAY, DOOR, BOLT, LAMP, BUZZER = 17, 22, 23, 24, 25  # as systemd/WIRING.md draws them
VISIT = VisitId("01JD0000000000000000000000")
TICK_S = 0.2


@pytest.fixture(autouse=True)
def pins() -> Iterator[MockFactory]:
    """Mock pins for one test; afterwards no device and no factory is left."""
    before = Device.pin_factory
    factory = Device.pin_factory = MockFactory()
    yield factory
    factory.reset()
    Device.pin_factory = before


# --- the lock ---------------------------------------------------------------------------------------------------------


def lock_of(*, active_high: bool = True) -> GpioLock:
    """A lock whose guard thread reads the loop's clock, so that real time has no say."""
    return GpioLock(RELAY, active_high=active_high, now=asyncio.get_running_loop().time)


async def hold(lock: GpioLock, seconds: float) -> None:
    """The state machine lives on for so long and then is silent."""
    for _ in range(round(seconds / TICK_S)):
        lock.keep_alive()
        await asyncio.sleep(TICK_S)


@pytest.mark.parametrize("active_high", [True, False])
def test_the_relay_is_off_from_the_start(pins: MockFactory, *, active_high: bool) -> None:
    async def life() -> None:
        lock_of(active_high=active_high)

    run_in_virtual_time(life())
    states = [bool(change.state) for change in pins.pin(RELAY).states]
    assert pins.pin(RELAY).function == "output"
    assert states[-1] is not active_high


def test_a_relay_that_pulls_at_high_never_sees_high_before_a_release(pins: MockFactory) -> None:
    async def life() -> None:
        lock_of()

    run_in_virtual_time(life())
    assert [bool(change.state) for change in pins.pin(RELAY).states] == [False]


def driven(pins: MockFactory, story: Callable[[GpioLock], Coroutine[Any, Any, None]]) -> list[bool]:
    """Every position the relay went through, the first one included."""

    async def life() -> None:
        lock = lock_of()
        await story(lock)
        await lock.engage()

    run_in_virtual_time(life())
    return [bool(change.state) for change in pins.pin(RELAY).states]


def on_after(pins: MockFactory, story: Callable[[GpioLock], Coroutine[Any, Any, None]]) -> bool:
    """Whether the relay is on when the story has been told."""
    found: list[bool] = []

    async def told(lock: GpioLock) -> None:
        await story(lock)
        found.append(bool(pins.pin(RELAY).state))

    driven(pins, told)
    return found[0]


def test_a_release_drives_the_relay(pins: MockFactory) -> None:
    assert on_after(pins, lambda lock: lock.release(VISIT, 5.0))


@pytest.mark.parametrize(("held_s", "still_on"), [(2.8, True), (3.0, False)])
def test_the_lease_ends_although_the_machine_lives(pins: MockFactory, held_s: float, *, still_on: bool) -> None:
    async def story(lock: GpioLock) -> None:
        await lock.release(VISIT, 2.9)
        await hold(lock, held_s)

    assert on_after(pins, story) is still_on


@pytest.mark.parametrize(("held_s", "still_on"), [(9.8, True), (10.2, False)])
def test_no_lease_is_longer_than_ten_seconds(pins: MockFactory, held_s: float, *, still_on: bool) -> None:
    async def story(lock: GpioLock) -> None:
        await lock.release(VISIT, 3600.0)
        await hold(lock, held_s)

    assert LEASE_CAP_S == 10.0
    assert on_after(pins, story) is still_on


@pytest.mark.parametrize(("silent_s", "still_on"), [(0.49, True), (0.51, False)])
def test_half_a_second_of_silence_locks(pins: MockFactory, silent_s: float, *, still_on: bool) -> None:
    async def story(lock: GpioLock) -> None:
        await lock.release(VISIT, 8.0)
        await hold(lock, 1.0)
        lock.keep_alive()
        await asyncio.sleep(silent_s)

    assert on_after(pins, story) is still_on


def test_the_machine_is_not_heard_once_the_lease_has_ended(pins: MockFactory) -> None:
    async def story(lock: GpioLock) -> None:
        await lock.release(VISIT, 8.0)
        await asyncio.sleep(0.6)
        await hold(lock, 1.0)

    assert driven(pins, story) == [False, True, False]


def test_the_door_opening_ends_the_drive_at_once(pins: MockFactory) -> None:
    async def story(lock: GpioLock) -> None:
        await lock.release(VISIT, 8.0)
        lock.door_opened()

    assert not on_after(pins, story)


def test_nothing_drives_the_relay_again_after_the_door_was_open(pins: MockFactory) -> None:
    async def story(lock: GpioLock) -> None:
        await lock.release(VISIT, 8.0)
        lock.door_opened()
        await hold(lock, 9.0)

    assert driven(pins, story) == [False, True, False]


def test_an_order_to_lock_ends_the_lease(pins: MockFactory) -> None:
    async def story(lock: GpioLock) -> None:
        await lock.release(VISIT, 8.0)
        await lock.engage()

    assert not on_after(pins, story)


def test_the_timers_of_an_ended_lease_do_not_cut_the_next_one(pins: MockFactory) -> None:
    async def story(lock: GpioLock) -> None:
        await lock.release(VISIT, 1.0)
        await lock.engage()
        await lock.release(VISIT, 8.0)
        await hold(lock, 2.0)

    assert on_after(pins, story)


@pytest.mark.parametrize("lease_s", [0.0, -1.0])
def test_a_lease_without_length_is_refused(pins: MockFactory, lease_s: float) -> None:
    async def story(lock: GpioLock) -> None:
        with pytest.raises(PortError, match="length"):
            await lock.release(VISIT, lease_s)

    assert driven(pins, story) == [False]


def test_nobody_unlocks_without_a_visit(pins: MockFactory) -> None:
    async def story(lock: GpioLock) -> None:
        with pytest.raises(PortError, match="visit"):
            await lock.release(VisitId(""), 5.0)

    assert driven(pins, story) == [False]


class TellingPin(MockPin):  # type: ignore[misc]  # gpiozero has no types
    """Tells a test when the relay fell off, so that it need not look again and again."""

    was_on = False
    fell = threading.Event()

    def _change_state(self, value: bool) -> object:  # noqa: FBT001  # gpiozero's own signature
        changed = super()._change_state(value)
        if changed and value:
            TellingPin.was_on = True
        if changed and not value and TellingPin.was_on:
            TellingPin.fell.set()
        return changed


def test_a_hung_event_loop_cannot_hold_the_relay() -> None:
    TellingPin.was_on, TellingPin.fell = False, threading.Event()
    Device.pin_factory = MockFactory(pin_class=TellingPin)

    async def life() -> bool:
        lock = GpioLock(RELAY)
        await lock.release(VISIT, 8.0)
        return TellingPin.fell.wait(5.0)  # blocks the loop on purpose; the lease alone would last 8 s

    assert asyncio.run(life())


def test_a_lock_whose_pin_was_given_up_says_so(pins: MockFactory) -> None:
    async def life() -> None:
        lock = lock_of()
        await lock.check()
        pins.reset()
        lock._relay.close()
        with pytest.raises(PortError, match="restart the daemon"):
            await lock.check()

    run_in_virtual_time(life())


def test_a_taken_pin_is_named_with_the_remedy() -> None:
    async def life() -> None:
        lock_of()
        with pytest.raises(PortError, match=r"gpio 17: .*free the pin or correct pin"):
            GpioSignals(RELAY, None)

    run_in_virtual_time(life())


# --- the switches -----------------------------------------------------------------------------------------------------


@dataclass
class Felt:
    """`Senses` that writes down what door and bolt told, and when."""

    told: list[tuple[float, str]] = field(default_factory=list)

    def door_found(self, at_s: float, *, is_open: bool) -> None:
        self.told.append((round(at_s, 3), "found open" if is_open else "found shut"))

    def door(self, at_s: float, *, is_open: bool) -> None:
        self.told.append((round(at_s, 3), "open" if is_open else "shut"))

    def bolt(self, at_s: float, *, locked: bool) -> None:
        self.told.append((round(at_s, 3), "bolt out" if locked else "bolt in"))

    def masses(self, zone: ZoneId, at_s: float, hz: float, grams: Sequence[float | None]) -> None:
        raise AssertionError("a switch weighs nothing")

    def gap(self, part: str, seconds: float) -> None:
        raise AssertionError("a switch has no samples to lose")

    def temperature(self, probe: str, celsius: float) -> None:
        raise AssertionError("a switch is no thermometer")

    def part(self, part: str, why: str | None) -> None:
        raise AssertionError("a switch does not judge itself")

    @property
    def of_the_door(self) -> list[tuple[float, str]]:
        return [(at_s, what) for at_s, what in self.told if "bolt" not in what]


class Door:
    """The pins of a real door: high is open; the bolt contact is high while the bolt is in, as WIRING.md has it."""

    def __init__(self, pins: MockFactory) -> None:
        self._door, self._bolt = pins.pin(DOOR), pins.pin(BOLT)
        self._door.drive_low()
        self._bolt.drive_low()

    def open(self) -> None:
        self._door.drive_high()

    def shut(self) -> None:
        self._door.drive_low()

    def bolt_in(self) -> None:
        self._bolt.drive_high()

    def bolt_out(self) -> None:
        self._bolt.drive_low()


Story = Callable[[Door, GpioSwitches], Coroutine[Any, Any, None]]


def felt_in(pins: MockFactory, story: Story, on_open: Callable[[], None] = lambda: None) -> Felt:
    """What is told while the story happens and in the second after it."""
    felt = Felt()

    async def life() -> None:
        door = Door(pins)
        switches = GpioSwitches(DOOR, BOLT, felt, locked_high=False, on_open=on_open)
        await story(door, switches)
        await asyncio.sleep(1.0)

    run_in_virtual_time(life())
    return felt


async def opened(door: Door) -> None:
    """0.1 s: the bolt goes in; 0.2 s: the door opens; then 0.8 s pass, so that it is 1.0 s."""
    await asyncio.sleep(0.1)
    door.bolt_in()
    await asyncio.sleep(0.1)
    door.open()
    await asyncio.sleep(0.8)


def test_an_opening_is_believed_at_once(pins: MockFactory) -> None:
    async def story(door: Door, _switches: GpioSwitches) -> None:
        await opened(door)

    assert felt_in(pins, story).told == [(0.1, "bolt in"), (0.2, "open")]


def test_an_opening_calls_for_the_relay_before_it_is_told(pins: MockFactory) -> None:
    called: list[str] = []

    async def story(door: Door, _switches: GpioSwitches) -> None:
        await opened(door)

    felt_in(pins, story, on_open=lambda: called.append("relay"))
    assert called == ["relay"]


def test_the_first_opening_edge_takes_the_relay_off(pins: MockFactory) -> None:
    async def life() -> bool:
        door, lock = Door(pins), lock_of()
        GpioSwitches(DOOR, BOLT, Felt(), locked_high=False, on_open=lock.door_opened)
        await lock.release(VISIT, 8.0)
        door.open()
        await asyncio.sleep(0.001)
        return bool(pins.pin(RELAY).state)

    assert run_in_virtual_time(life()) is False


def test_shut_is_believed_after_a_rest_of_0_3_s_with_the_bolt_out(pins: MockFactory) -> None:
    async def story(door: Door, _switches: GpioSwitches) -> None:
        await opened(door)
        door.shut()
        door.bolt_out()

    assert felt_in(pins, story).of_the_door == [(0.2, "open"), (1.3, "shut")]


def test_the_rest_counts_from_the_bolt_when_it_springs_out_last(pins: MockFactory) -> None:
    async def story(door: Door, _switches: GpioSwitches) -> None:
        await opened(door)
        door.shut()
        await asyncio.sleep(2.0)
        door.bolt_out()

    assert felt_in(pins, story).of_the_door == [(0.2, "open"), (3.3, "shut")]


def test_a_shut_door_without_its_bolt_is_not_shut(pins: MockFactory) -> None:
    async def story(door: Door, _switches: GpioSwitches) -> None:
        await opened(door)
        door.shut()
        await asyncio.sleep(60.0)

    assert felt_in(pins, story).of_the_door == [(0.2, "open")]


def test_a_bolt_sprung_out_beside_an_open_door_does_not_shut_it(pins: MockFactory) -> None:
    async def story(door: Door, _switches: GpioSwitches) -> None:
        await opened(door)
        door.bolt_out()
        await asyncio.sleep(60.0)

    assert felt_in(pins, story).of_the_door == [(0.2, "open")]


def test_bounces_of_a_slammed_door_tell_nothing_and_begin_the_rest_anew(pins: MockFactory) -> None:
    async def story(door: Door, _switches: GpioSwitches) -> None:
        await opened(door)
        door.bolt_out()
        for _ in range(5):
            door.shut()
            await asyncio.sleep(0.1)
            door.open()
            await asyncio.sleep(0.1)
        door.shut()  # at 2.0 s

    assert felt_in(pins, story).of_the_door == [(0.2, "open"), (2.3, "shut")]


def test_a_bouncing_bolt_begins_the_rest_anew(pins: MockFactory) -> None:
    async def story(door: Door, _switches: GpioSwitches) -> None:
        await opened(door)
        door.shut()
        door.bolt_out()
        await asyncio.sleep(0.2)
        door.bolt_in()
        await asyncio.sleep(0.1)
        door.bolt_out()  # at 1.3 s

    assert felt_in(pins, story).of_the_door == [(0.2, "open"), (1.6, "shut")]


def test_bounces_of_an_opening_tell_one_opening(pins: MockFactory) -> None:
    async def story(door: Door, _switches: GpioSwitches) -> None:
        for _ in range(5):
            door.open()
            await asyncio.sleep(0.01)
            door.shut()
            await asyncio.sleep(0.01)
        door.open()

    assert felt_in(pins, story).of_the_door == [(0.0, "open")]


@pytest.mark.parametrize("is_open", [True, False])
def test_where_the_door_is_is_told_when_asked(pins: MockFactory, *, is_open: bool) -> None:
    async def life() -> list[tuple[float, str]]:
        door, felt = Door(pins), Felt()
        if is_open:
            door.open()
        GpioSwitches(DOOR, BOLT, felt, locked_high=False).tell_where()
        return felt.told

    assert run_in_virtual_time(life()) == [(0.0, "bolt out"), (0.0, "found open" if is_open else "found shut")]


# --- lamp and buzzer --------------------------------------------------------------------------------------------------


class Hurried(threading.Event):
    """Writes down how long a pattern would have waited, and ends an endless one after six."""

    waits_s: list[float] = []  # noqa: RUF012  # emptied by the fixture

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        if len(Hurried.waits_s) >= 6:
            return True
        Hurried.waits_s.append(timeout)
        return False


class HurriedThread(GPIOThread):  # type: ignore[misc]  # gpiozero has no types
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.stopping = Hurried()


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Patterns run without waiting; the list holds what they would have waited, in seconds."""
    Hurried.waits_s.clear()
    monkeypatch.setattr(gpiozero.output_devices, "GPIOThread", HurriedThread)
    return Hurried.waits_s


def ended(device: Any) -> None:
    """Wait for the pattern's thread."""
    thread = device._blink_thread
    if thread is not None:
        thread.join(10.0)
        assert not thread.is_alive()


@pytest.mark.parametrize(("mode", "lit"), [("off", False), ("ready", True), ("open", True)])
def test_a_steady_lamp_is_steady(pins: MockFactory, mode: str, *, lit: bool) -> None:
    signals = GpioSignals(LAMP, None)
    asyncio.run(signals.lamp(mode))
    assert bool(pins.pin(LAMP).state) is lit
    assert signals._lamp is not None
    assert signals._lamp._blink_thread is None


@pytest.mark.parametrize(("mode", "pace_s"), [("busy", 0.2), ("alarm", 0.1)])
def test_a_lamp_blinks_at_the_pace_of_its_mode(hurry: list[float], mode: str, pace_s: float) -> None:
    signals = GpioSignals(LAMP, None)
    asyncio.run(signals.lamp(mode))
    ended(signals._lamp)
    assert hurry == [pace_s] * 6


def test_a_new_mode_ends_the_blinking(pins: MockFactory) -> None:
    async def life(signals: GpioSignals) -> None:
        await signals.lamp("alarm")
        await signals.lamp("off")

    signals = GpioSignals(LAMP, None)
    asyncio.run(life(signals))
    assert signals._lamp is not None
    assert signals._lamp._blink_thread is None
    assert not pins.pin(LAMP).state


@pytest.mark.parametrize(("pattern", "waits_s"), [("ok", [0.1, 0.1]), ("prompt", [0.2, 0.8] * 3)])
def test_the_buzzer_sounds_its_pattern_and_falls_silent(
    pins: MockFactory, hurry: list[float], pattern: str, waits_s: list[float]
) -> None:
    signals = GpioSignals(None, BUZZER)
    asyncio.run(signals.buzzer(pattern))
    ended(signals._buzzer)
    assert hurry == waits_s
    assert [bool(change.state) for change in pins.pin(BUZZER).states] == [False, *[True, False] * (len(waits_s) // 2)]


def test_the_alarm_goes_on_until_it_is_silenced(pins: MockFactory) -> None:
    async def life(signals: GpioSignals) -> None:
        await signals.buzzer("alarm")
        await signals.buzzer("none")

    signals = GpioSignals(None, BUZZER)
    asyncio.run(life(signals))
    assert signals._buzzer is not None
    assert signals._buzzer._blink_thread is None
    assert not pins.pin(BUZZER).state


def test_lamp_and_buzzer_have_a_polarity_each(pins: MockFactory) -> None:
    signals = GpioSignals(LAMP, BUZZER, lamp_high=False)
    asyncio.run(signals.lamp("off"))
    assert (bool(pins.pin(LAMP).state), bool(pins.pin(BUZZER).state)) == (True, False)


def test_a_cabinet_without_lamp_and_buzzer_stays_dark_and_silent() -> None:
    async def life() -> None:
        signals = GpioSignals(None, None)
        await signals.lamp("alarm")
        await signals.buzzer("alarm")

    asyncio.run(life())
