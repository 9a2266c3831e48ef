"""Time of a simulated world: virtual, as fast as the machine allows, or paced like the real one.

What is due happens in order of time, and what is due at the same instant in order of asking.
"""

import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Deed = Callable[[], None]


@dataclass
class Clockwork:
    now_s: float = 0.0
    pace: float = 0.0  # real seconds a virtual one takes; 0: none
    _due: list[tuple[float, int, Deed]] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def at(self, when_s: float, deed: Deed) -> None:
        heapq.heappush(self._due, (max(when_s, self.now_s), next(self._numbers), deed))

    def after(self, delay_s: float, deed: Deed) -> None:
        self.at(self.now_s + delay_s, deed)

    def next_s(self) -> float | None:
        return self._due[0][0] if self._due else None

    def step(self) -> None:
        """Do the next thing that is due; the clock jumps there."""
        when_s, _, deed = heapq.heappop(self._due)
        self.advance(when_s)
        deed()

    def advance(self, to_s: float) -> None:
        """Nothing happens until then."""
        if to_s > self.now_s:
            if self.pace:
                time.sleep((to_s - self.now_s) * self.pace)
            self.now_s = to_s

    def clear(self) -> None:
        """Whatever was due will not happen: the world ends here."""
        self._due.clear()
