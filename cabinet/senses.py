"""From what the hardware felt to who needs to know: the machine, the witness, the list of parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cabinet.parts import Parts
from cabinet.session.events import DoorClosed, DoorFound, DoorOpened, Event
from cabinet.units import ZoneId
from cabinet.witness import Witness


@dataclass
class Nerves:
    """The daemon's `Senses`.  Also remembers where door and bolt are, for status and for the caretaker."""

    post: Callable[[Event], None]
    witness: Witness
    parts: Parts
    door_open: bool | None = None
    bolt_locked: bool | None = None
    bolt_since_s: float = 0.0
    temperatures_c: dict[str, tuple[float, float]] = field(default_factory=dict)  # probe -> (degrees, at_s)
    now: Callable[[], float] = lambda: 0.0

    def door_found(self, at_s: float, *, is_open: bool) -> None:
        self.door_open = is_open
        self.witness.door(at_s, is_open=is_open)
        self.post(DoorFound(at_s, is_open))

    def door(self, at_s: float, *, is_open: bool) -> None:
        self.door_open = is_open
        self.witness.door(at_s, is_open=is_open)
        self.post(DoorOpened(at_s) if is_open else DoorClosed(at_s))

    def bolt(self, at_s: float, *, locked: bool) -> None:
        if locked != self.bolt_locked:
            self.bolt_locked, self.bolt_since_s = locked, at_s
        self.witness.bolt(at_s, locked=locked)

    def masses(self, zone: ZoneId, at_s: float, hz: float, grams: Sequence[float | None]) -> None:
        self.witness.masses(zone, at_s, hz, grams)

    def gap(self, part: str, seconds: float) -> None:
        self.witness.gap(part, seconds)

    def temperature(self, probe: str, celsius: float) -> None:
        self.temperatures_c[probe] = (celsius, self.now())
        self.witness.temperature(probe, celsius)

    def part(self, part: str, why: str | None) -> None:
        self.parts.report(part, why)
