"""Lamp and buzzer on gpiozero's mock pins; the patterns run without their pauses."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import gpiozero.output_devices
import pytest
from gpiozero.pins.mock import MockFactory
from gpiozero.threads import GPIOThread

from cabinet.adapters.gpio import GpioSignals
from tests.support.mock_pins import BUZZER, LAMP, mock_pins


@pytest.fixture(autouse=True)
def pins() -> Iterator[MockFactory]:
    with mock_pins() as factory:
        yield factory


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
