"""Who kills the processes, each with dice of its own so that the same seed kills at the same moments."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping

from tests.chaos.processes import Victim

FIRST_S = (0.8, 2.0)
LIVES_S: Mapping[str, tuple[float, float]] = {
    "edge": (0.5, 4.5), "broker": (2.0, 8.0), "cloud": (2.0, 7.0), "database": (6.0, 18.0),
}  # fmt: skip  # a table
AWAY_S = (0.0, 0.7)
LOOK_S = 0.2


async def pause(seconds: float, over: asyncio.Event) -> None:
    """So long, or until it is over."""
    try:
        async with asyncio.timeout(seconds):
            await over.wait()
    except TimeoutError:
        return


class Gremlin:
    def __init__(self, victims: Mapping[str, Victim], seed: int) -> None:
        self.kills: Counter[str] = Counter()
        self.exits: Counter[str] = Counter()  # ended by itself, and started again as systemd would
        self._victims = victims
        self._seed = seed
        self._over = asyncio.Event()

    async def haunt(self) -> None:
        """Until `rest`; then everything runs."""
        async with asyncio.TaskGroup() as tasks:
            for name, victim in self._victims.items():
                tasks.create_task(self._haunt(name, victim))

    def rest(self) -> None:
        self._over.set()

    async def kill(self, name: str) -> None:
        self.kills[name] += 1
        await asyncio.to_thread(self._victims[name].kill)

    async def start(self, name: str) -> None:
        await asyncio.to_thread(self._victims[name].start)

    async def nurse(self) -> None:
        """Start again what ended by itself; until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            for name, victim in self._victims.items():
                if victim.gone():
                    self.exits[name] += 1
                    await self.start(name)

    async def _haunt(self, name: str, victim: Victim) -> None:
        dice = random.Random(f"{self._seed} {name}")
        await pause(dice.uniform(*FIRST_S), self._over)
        while not self._over.is_set():
            await self.kill(name)
            await pause(dice.uniform(*AWAY_S), self._over)
            await self.start(name)
            await pause(dice.uniform(*LIVES_S[name]), self._over)
