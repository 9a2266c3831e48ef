"""gpiozero's mock pins for one test, and the pins as systemd/WIRING.md draws them (BCM numbers)."""

import contextlib
from collections.abc import Iterator

from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from cabinet.units import VisitId

RELAY, DOOR, BOLT, LAMP, BUZZER = 17, 22, 23, 24, 25
VISIT = VisitId("01JD0000000000000000000000")


@contextlib.contextmanager
def mock_pins() -> Iterator[MockFactory]:
    """Afterwards no device and no factory is left."""
    before = Device.pin_factory
    factory = Device.pin_factory = MockFactory()
    try:
        yield factory
    finally:
        factory.reset()
        Device.pin_factory = before
