"""Who kills processes and pulls cables, on a thread of its own, seeded.  Puts everything back before it goes."""

import random
import sqlite3
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Self

from cabinet.cli.demo.processes import Bench
from tests.chaos.visits.lookout import WorldLine

CALM_S = (3.0, 9.0)  # between two misfortunes
AWAY_S = (0.0, 2.5)  # so long a process is gone
UNPLUGGED_S = (0.2, 3.0)
SPITE, MALICE = 0.25, 0.2  # shares of the shopper's moments at which the daemon dies, or anything else happens
SPITE_S = 1.0  # at most so long after such a moment: closing and tally take less
MISFORTUNES = {"daemon": 2, "broker": 2, "cloud": 2, "power": 1, "unplug": 2, "reset": 2}


@dataclass
class Gremlin:
    bench: Bench
    dice: random.Random
    dead: list[tuple[float, float]] = field(default_factory=list)  # monotonic: daemon killed → about to be started
    done: Counter[str] = field(default_factory=Counter)
    killed_in: Counter[str] = field(default_factory=Counter)  # the state that the ledger held after the kill
    failure: BaseException | None = None

    def __post_init__(self) -> None:
        self._line = WorldLine(self.bench.board.socket_path)
        self._moments = threading.Semaphore(0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, name="gremlin", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._moments.release()
        self._thread.join(60.0)
        self._line.close()

    def moment(self) -> None:
        """The shopper does something during which a power cut would be awkward."""
        self._moments.release()

    def check(self) -> None:
        """Raises what went wrong with a restart."""
        if self.failure is not None:
            raise RuntimeError("the cabinet did not come back") from self.failure

    def _live(self) -> None:
        try:
            while not self._over.is_set():
                awkward = self._moments.acquire(timeout=self.dice.uniform(*CALM_S))
                die = self.dice.random() if awkward else SPITE
                if awkward:
                    self._over.wait(self.dice.uniform(0, SPITE_S))
                if die < SPITE:
                    self._do("daemon")
                elif die < SPITE + MALICE:
                    kinds = list(MISFORTUNES)
                    self._do(self.dice.choices(kinds, [MISFORTUNES[kind] for kind in kinds])[0])
        except (RuntimeError, TimeoutError, OSError) as error:
            self.failure = error

    def _do(self, misfortune: str) -> None:
        self.done[misfortune] += 1
        match misfortune:
            case "daemon":
                self._kill_daemon()
                self._start_daemon()
            case "broker":
                self.bench.broker.kill()
                self._away(AWAY_S)
                self.bench.broker.start()
            case "cloud":
                self.bench.kill("cloud")
                self._away(AWAY_S)
                self.bench.start_cloud()
            case "power":  # of everything but the board
                self._kill_daemon()
                self.bench.broker.kill()
                self.bench.kill("cloud")
                self.bench.broker.start()
                self.bench.start_cloud()
                self._start_daemon()
            case "unplug":
                self._line.control({"do": "unplug"})
                self._away(UNPLUGGED_S)
                self._line.control({"do": "replug"})
            case _:
                self._line.control({"do": "reset"})

    def _kill_daemon(self) -> None:
        self.bench.kill("daemon")
        self.dead.append((time.monotonic(), float("inf")))
        self.killed_in[state_on_disk(self.bench)] += 1

    def _start_daemon(self) -> None:
        self._away(AWAY_S)
        self.dead[-1] = (self.dead[-1][0], time.monotonic())
        self.bench.start_daemon()

    def _away(self, bounds_s: tuple[float, float]) -> None:
        threading.Event().wait(self.dice.uniform(*bounds_s))


def state_on_disk(bench: Bench) -> str:
    """The name of the state that a killed daemon left behind."""
    ledger = sqlite3.connect(f"file:{bench.data / 'ledger.db'}?mode=ro", uri=True)
    try:
        row = ledger.execute("SELECT name FROM state").fetchone()
    finally:
        ledger.close()
    return "none" if row is None else str(row[0])
