"""From what the hardware felt to who needs to know: the machine, the witness, the list of parts, the diary."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cabinet.basket.evidence import SCALE
from cabinet.parts import Parts
from cabinet.ports import BoardEntry
from cabinet.session.events import DoorClosed, DoorFound, DoorOpened, Event
from cabinet.units import ZoneId
from cabinet.witness import Witness


def _forget(entry: BoardEntry, *, while_away: bool) -> None:
    del entry, while_away


@dataclass
class Nerves:
    """The daemon's `BoardSenses`.  Also remembers where door and bolt are, for status and for the caretaker."""

    post: Callable[[Event], None]
    witness: Witness
    parts: Parts
    door_open: bool | None = None
    bolt_locked: bool | None = None
    bolt_since_s: float = 0.0
    temperatures_c: dict[str, tuple[float, float]] = field(default_factory=dict)  # probe -> (degrees, at_s)
    cell_faults: dict[ZoneId, str] = field(default_factory=dict)  # what the board holds against a zone's cells
    now: Callable[[], float] = lambda: 0.0
    diary: Callable[..., None] = _forget  # takes a BoardEntry and while_away=

    def door_found(self, at_s: float, *, is_open: bool) -> None:
        self.door_open = is_open
        self.witness.door(at_s, is_open=is_open)
        self.post(DoorFound(at_s, is_open))

    def door(self, at_s: float, *, is_open: bool) -> None:
        self.door_open = is_open
        self.witness.door(at_s, is_open=is_open)
        if is_open:
            self.post(DoorOpened(at_s))
        else:  # a bolt may latch long after the door was shut: what is waited for now, is waited for from now on
            self.post(DoorClosed(max(at_s, self.now())))

    def bolt(self, at_s: float, *, locked: bool) -> None:
        if locked != self.bolt_locked:
            self.bolt_locked, self.bolt_since_s = locked, at_s
        self.witness.bolt(at_s, locked=locked)

    def masses(self, zone: ZoneId, at_s: float, hz: float, grams: Sequence[float | None]) -> None:
        self.witness.masses(zone, at_s, hz, grams)

    def bad(self, zone: ZoneId, at_s: float, reasons: Sequence[str]) -> None:
        self.witness.scales.zones[zone].note_bad(at_s, reasons)

    def gap(self, part: str, seconds: float) -> None:
        self.witness.gap(part, seconds)

    def temperature(self, probe: str, celsius: float) -> None:
        self.temperatures_c[probe] = (celsius, self.now())
        self.witness.temperature(probe, celsius)

    def part(self, part: str, why: str | None) -> None:
        if part.startswith(SCALE):  # judged by the caretaker, who hears what the board says of it
            self._cells(ZoneId(part.removeprefix(SCALE)), part, why)
        else:
            self.parts.report(part, why)

    def journaled(self, entry: BoardEntry, *, while_away: bool) -> None:
        self.diary(entry, while_away=while_away)

    def _cells(self, zone: ZoneId, part: str, why: str | None) -> None:
        """A fault is told at once; that it is gone makes the zone only as good as its samples are."""
        if why is None:
            self.cell_faults.pop(zone, None)
        else:
            self.cell_faults[zone] = why
            self.parts.report(part, why)
