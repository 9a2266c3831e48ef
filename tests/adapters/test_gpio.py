"""The relay on a pin of this computer, on gpiozero's mock pins and a virtual clock: no lease outlives its reasons."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin

from cabinet.adapters.gpio import LEASE_CAP_S, GpioLock, GpioSignals
from cabinet.ports import PortError
from cabinet.units import VisitId
from tests.support.mock_pins import RELAY, VISIT, mock_pins
from tests.support.virtual_time import run_in_virtual_time

TICK_S = 0.2


@pytest.fixture(autouse=True)
def pins() -> Iterator[MockFactory]:
    with mock_pins() as factory:
        yield factory


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


def test_the_guard_waits_half_a_second_after_each_sign_of_life_but_never_beyond_the_lease() -> None:
    async def life() -> list[float | None]:
        lock, until_s = lock_of(), list[float | None]()
        await lock.release(VISIT, 1.0)
        for _ in range(4):
            until_s.append(lock._guard._until_s)
            await asyncio.sleep(TICK_S)
            lock.keep_alive()
        await lock.engage()
        return [*until_s, lock._guard._until_s]

    found = run_in_virtual_time(life())
    assert found[:4] == pytest.approx([0.5, 0.7, 0.9, 1.0])
    assert found[4] is None


def test_a_taken_pin_is_named_with_the_remedy() -> None:
    async def life() -> None:
        lock_of()
        with pytest.raises(PortError, match=r"gpio 17: .*free the pin or correct pin"):
            GpioSignals(RELAY, None)

    run_in_virtual_time(life())
