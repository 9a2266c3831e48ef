"""Door and bolt switches on gpiozero's mock pins and a virtual clock: open at once, shut only after a rest."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory

from cabinet.adapters.gpio import GpioLock, GpioSwitches
from cabinet.units import ZoneId
from tests.support.mock_pins import BOLT, DOOR, RELAY, VISIT, mock_pins
from tests.support.virtual_time import run_in_virtual_time


@pytest.fixture(autouse=True)
def pins() -> Iterator[MockFactory]:
    with mock_pins() as factory:
        yield factory


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

    def open_without_an_edge(self) -> None:
        """The contact opens, and gpiozero's thread has not been told yet."""
        self._door._change_state(True)  # noqa: FBT003  # gpiozero's own signature

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
        door, lock = Door(pins), GpioLock(RELAY, now=asyncio.get_running_loop().time)
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


def test_a_door_found_open_at_the_end_of_the_rest_is_not_shut(pins: MockFactory) -> None:
    async def story(door: Door, _switches: GpioSwitches) -> None:
        await opened(door)
        door.shut()
        door.bolt_out()
        await asyncio.sleep(0.1)
        door.open_without_an_edge()

    assert felt_in(pins, story).of_the_door == [(0.2, "open")]


def test_a_door_opened_while_the_switches_were_set_up_is_found_open(pins: MockFactory) -> None:
    async def story(door: Door, switches: GpioSwitches) -> None:
        door.open_without_an_edge()
        switches.tell_where()

    assert felt_in(pins, story).of_the_door == [(0.0, "found open")]
