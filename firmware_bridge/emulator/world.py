"""The cabinet and the electronics round the chip: door, bolt, contacts, relay, charge pump, cells, probe, memory.

Physics only: it obeys forces and pins, not orders, and knows neither frames nor leases.  Time is an argument, in
milliseconds that never go back.  The door cannot be opened with the bolt in the strike, short of force.
"""

import random
from collections import deque

from firmware_bridge.emulator.cells import CELL_BREAKS, Cell, Signal
from firmware_bridge.emulator.drive import DRIVE_BREAKS, Drive
from firmware_bridge.emulator.fram import CORRUPT, DEAD, SOUND, Fram
from firmware_bridge.emulator.thermometer import PROBE_BREAKS, Thermometer
from firmware_bridge.firmware.switches import Inputs

RETRACT_MS = 20  # coil on to bolt out of the strike: a small solenoid
SEAT_MS = 30  # door shut, or coil off, to bolt in the strike: the spring
LAGGING_MS = 1000  # conversions older than this at the next look are gone

BOARD_BREAKS = (
    *DRIVE_BREAKS,
    "door_a_shut", "door_a_open", "door_b_shut", "door_b_open", "magnet",
    "bolt_home", "bolt_out", "bolt_jammed_in", "bolt_jammed_out",
    "housing_open", "memory_dead", "memory_corrupt", *PROBE_BREAKS,
)  # fmt: skip
BREAKS = (*BOARD_BREAKS, *CELL_BREAKS)

SEEN = ("door", "bolt", "relay", "coil")  # open, in the strike, its pin, current: what `changes` tells
CHANGES_KEPT = 200

Conversion = tuple[int, list[int | None], int]  # end in µs, counts zone by zone, bit n: zone n slipped


class World:
    """One cabinet.  The chip sets `relay` and gives edges; the people pull, shut, force, put and press."""

    def __init__(
        self,
        zones: int,
        seed: int = 0,
        signal: Signal | None = None,
        *,
        celsius: float = 4.0,
        rate_hz: float = 80.0,
        motor_bolt: bool = False,
        now_ms: float = 0,
    ) -> None:
        self.signal = signal or Signal()
        self.motor_bolt = motor_bolt
        self.door_open = False
        self.broken: set[str] = set()
        self.nv = Fram()
        self.drive = Drive(self.broken, now_ms)
        self.clashes = 0  # how often a motor bolt was thrown with the door open
        dice = random.Random(seed)  # noqa: S311  noise, no secret
        self.cells = [Cell.drawn(dice) for _ in range(zones)]
        self.thermometer = Thermometer(celsius, dice)
        self._dice = dice
        self._rate_hz = rate_hz
        self._origin_ms, self._conversions = now_ms, 0
        self._now_ms = now_ms
        self._bolt_thrown = True  # a slam latch: in the strike
        self._bolt_arrives_ms: float | None = None

        self.changes: deque[tuple[float, str, bool | int]] = deque(maxlen=CHANGES_KEPT)  # ms, one of SEEN or "boot"
        self._seen = (False, True, False, False)

    # What the people do.

    def pull(self) -> bool:
        """Pull at the handle; False if the door does not give way."""
        if self.bolt_in_strike:
            return False
        self.door_open = True
        self._settle(self._now_ms)
        return True

    def force(self) -> None:
        """Pry the door open past the bolt."""
        self.door_open = True
        if not self.motor_bolt:
            self._bolt_thrown = False
        self._settle(self._now_ms)

    def shut(self) -> bool:
        """Push the door shut; False if a motor bolt stands in the way."""
        if self.door_open and self.motor_bolt and self._bolt_thrown:
            return False
        self.door_open = False
        self._settle(self._now_ms)
        return True

    def break_part(self, name: str, on: bool = True, zone: int | None = None) -> None:  # noqa: FBT001, FBT002  a switch
        """Break or mend one of BREAKS; those of cells want their zone.  ValueError for nonsense."""
        if name in CELL_BREAKS:
            if zone is None or not 0 <= zone < len(self.cells):
                raise ValueError(f"zone {zone!r}, want 0..{len(self.cells) - 1}")
            broken = self.cells[zone].broken
        elif name in BOARD_BREAKS:
            broken = self.broken
        else:
            raise ValueError(f"cannot break {name!r}: want one of {', '.join(BREAKS)}")
        (broken.add if on else broken.discard)(name)
        dead, corrupt = "memory_dead" in self.broken, "memory_corrupt" in self.broken
        self.nv.mode = DEAD if dead else CORRUPT if corrupt else SOUND
        self._settle(self._now_ms)

    # What the chip does and sees.

    def relay(self, on: bool) -> None:  # noqa: FBT001  a pin
        """The relay's pin; its contact follows some ms after the last step."""
        self.drive.relay(on)
        self._note()

    def edge(self, now_ms: float, count: int = 1) -> None:
        """So many edges for the charge pump, a millisecond apart, the last one now."""
        self.step(now_ms)
        self.drive.edge(self._now_ms, count)
        self._settle(self._now_ms)

    def inputs(self) -> Inputs:
        """As of the last step."""
        broken, shut = self.broken, not self.door_open or "magnet" in self.broken
        return Inputs(
            door_a_shut="door_a_shut" in broken or (shut and "door_a_open" not in broken),
            door_b_shut="door_b_shut" in broken or (shut and "door_b_open" not in broken),
            bolt_home="bolt_home" in broken or (self.bolt_in_strike and "bolt_out" not in broken),
            housing_open="housing_open" in broken,
            coil_on=self.drive.coil,
            probe=self.thermometer.read(self._now_ms, broken),
        )

    def samples(self, now_ms: float) -> list[Conversion]:
        """Conversions that ended since last asked, oldest first; those older than a second are gone."""
        self._conversions = max(self._conversions, int((now_ms - LAGGING_MS - self._origin_ms) * self._rate_hz / 1000))
        due: list[Conversion] = []
        while (at_ms := self.next_sample_ms()) <= now_ms:
            self._conversions += 1
            taken = [cell.convert(at_ms, self.signal, self._dice) for cell in self.cells]
            slips = sum(1 << zone for zone, (_, slipped) in enumerate(taken) if slipped)
            due.append((round(1000 * at_ms), [counts for counts, _ in taken], slips))
        return due

    def next_sample_ms(self) -> float:
        return self._origin_ms + 1000 * (self._conversions + 1) / self._rate_hz

    # What time does.

    @property
    def bolt_in_strike(self) -> bool:
        """The bolt holds the door."""
        return self._bolt_thrown and not self.door_open

    @property
    def coil(self) -> bool:
        """Current flows."""
        return self.drive.coil

    def step(self, now_ms: float) -> None:
        """Let relay, pump and bolt move, each at its own time."""
        while (due_ms := self.next_ms()) is not None and due_ms <= now_ms:
            self._settle(due_ms)
        self._settle(max(now_ms, self._now_ms))

    def next_ms(self) -> float | None:
        """When something moves by itself next; None while all rests."""
        driven_ms, bolt_ms = self.drive.next_ms(), self._bolt_arrives_ms
        if driven_ms is None or bolt_ms is None:
            return bolt_ms if driven_ms is None else driven_ms
        return min(driven_ms, bolt_ms)

    def _settle(self, now_ms: float) -> None:
        self._now_ms = now_ms
        self.drive.settle(now_ms)
        self._move_bolt(now_ms)
        self._note()

    def note(self, what: str, value: bool | int) -> None:  # noqa: FBT001  what a thing is now
        """Into `changes`, with the time."""
        self.changes.append((self._now_ms, what, value))

    def _note(self) -> None:
        seen = self.door_open, self.bolt_in_strike, self.drive.ordered, self.drive.coil
        if seen != self._seen:
            for what, was, now in zip(SEEN, self._seen, seen, strict=True):
                if was != now:
                    self.note(what, now)
            self._seen = seen

    def _move_bolt(self, now_ms: float) -> None:
        wanted = self._bolt_wanted()
        if wanted == self._bolt_thrown:
            self._bolt_arrives_ms = None
        elif self._bolt_arrives_ms is None:
            self._bolt_arrives_ms = now_ms + (SEAT_MS if wanted else RETRACT_MS)
        elif now_ms >= self._bolt_arrives_ms:
            self._bolt_thrown, self._bolt_arrives_ms = wanted, None
            self.clashes += wanted and self.door_open

    def _bolt_wanted(self) -> bool:
        if self._bolt_thrown and "bolt_jammed_in" in self.broken and not self.door_open:
            return True
        if "bolt_jammed_out" in self.broken:
            return False
        return not self.drive.coil and (self.motor_bolt or not self.door_open)
