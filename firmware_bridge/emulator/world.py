"""The cabinet round the emulated board: door, slam latch, shelves on load cells, a thermometer.

Physics only: it obeys forces, not orders, and knows neither frames nor leases.  Time is an argument, in
milliseconds that never go back.  It cannot be opened with the bolt in the strike, short of force.
"""

import math
import random
from dataclasses import dataclass, field

RETRACT_MS = 20  # coil on to bolt out of the strike: a small solenoid
SEAT_MS = 30  # door shut, or coil off, to bolt in the strike: the spring


@dataclass(frozen=True, slots=True)
class Signal:
    """How the cells misbehave: gaussian noise (g, 1 sigma) and a damped swing after each step."""

    noise_g: float = 0.0
    ring_hz: float = 9.0
    ring_decay_s: float = 0.0  # 0: no swing


@dataclass(slots=True)
class Cell:
    """One mass zone: what lies on it and what presses on it."""

    load_g: float = 0.0
    dead: bool = False
    step_g: float = 0.0  # of the last change
    stepped_ms: float = -1e12
    hand_g: float = 0.0
    hand_from_ms: float = 0.0
    hand_ms: float = 0.0

    def put(self, load_g: float, now_ms: float) -> None:
        self.step_g, self.stepped_ms, self.load_g = load_g - self.load_g, now_ms, load_g

    def press(self, hand_g: float, for_ms: float, now_ms: float) -> None:
        self.hand_g, self.hand_from_ms, self.hand_ms = hand_g, now_ms, for_ms

    def felt_g(self, now_ms: float, signal: Signal) -> float:
        """Load, swing and hand at `now_ms`, before noise."""
        felt_g = self.load_g
        if signal.ring_decay_s and self.step_g:
            since_s = (now_ms - self.stepped_ms) / 1000
            swing = math.exp(-since_s / signal.ring_decay_s) * math.cos(math.tau * signal.ring_hz * since_s)
            felt_g -= self.step_g * swing
        if self.hand_g and self.hand_from_ms <= now_ms < self.hand_from_ms + self.hand_ms:
            felt_g += self.hand_g * math.sin(math.pi * (now_ms - self.hand_from_ms) / self.hand_ms)
        return felt_g


@dataclass(slots=True)
class World:
    """One cabinet.  The firmware sets `coil`; the people pull, shut, force, put and press."""

    zones: int
    seed: int = 0
    signal: Signal = field(default_factory=Signal)
    coil: bool = False
    door_open: bool = False
    jammed: bool = False  # the bolt is stuck outside the strike
    celsius: float = 4.0
    cells: list[Cell] = field(init=False)
    _bolt_in: bool = True
    _moves_ms: int | None = None  # when the bolt arrives where it is going
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.cells = [Cell() for _ in range(self.zones)]
        self._dice = random.Random(self.seed)  # noqa: S311  noise, no secret

    @property
    def bolt_in_strike(self) -> bool:
        """What the bolt switch feels: the bolt holds the door."""
        return self._bolt_in

    def step(self, now_ms: int) -> None:
        """Let the bolt travel to where coil and spring want it."""
        wanted = not self.coil and not self.door_open and not self.jammed
        if wanted == self._bolt_in:
            self._moves_ms = None
        elif self._moves_ms is None:
            self._moves_ms = now_ms + (SEAT_MS if wanted else RETRACT_MS)
        elif now_ms >= self._moves_ms:
            self._bolt_in, self._moves_ms = wanted, None

    def pull(self) -> bool:
        """Pull at the handle; False if the door does not give way."""
        if not self.door_open and self._bolt_in:
            return False
        self.door_open = True
        return True

    def force(self) -> None:
        """Pry the door open past the bolt."""
        self.door_open, self._bolt_in = True, False

    def shut(self) -> None:
        self.door_open = False

    def sample_dg(self, zone: int, now_ms: float) -> int | None:
        """What the converter of `zone` reads, in 0.1 g; None from a dead cell."""
        cell = self.cells[zone]
        if cell.dead:
            return None
        noise_g = self._dice.gauss(0.0, self.signal.noise_g) if self.signal.noise_g else 0.0
        return round(10 * (cell.felt_g(now_ms, self.signal) + noise_g))
