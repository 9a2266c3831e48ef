"""One bench whose real daemon is recorded by strace: void, charge, power cut, what came of it, an erased member."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cabinet.cli.demo import goods
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.shop import Shop
from cabinet.cli.demo.waiting import wait_until
from cabinet.sim import pictures
from tests.crash import straces

COLA, LIME = "5000000000011", "5000000000028"
ENDS_S = 60.0


@dataclass
class RecordedBench(Bench):
    """Each life of the daemon leaves a record of its own."""

    records: list[Path] = field(default_factory=list)
    traced: bool = True

    def _run(self, name: str, words: Sequence[str]) -> None:
        if name == "daemon" and self.traced:
            self._run_recorded(words)
        else:
            super()._run(name, words)

    def _run_recorded(self, words: Sequence[str]) -> None:
        self.records.append(self.folder / f"strace.{len(self.records)}")
        command = straces.recording(self.records[-1], [sys.executable, "-m", "cabinet", *words])
        with (self.folder / "daemon.log").open("ab") as log:
            self._processes["daemon"] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def written_out(self) -> None:
        """Wait until strace, which outlives the daemon, has told of its end."""
        wait_until(lambda: b"+++ " in _tail(self.records[-1]), ENDS_S, "strace does not end")


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 300))
        return file.read()


def bench_in(folder: Path, *, traced: bool = True) -> RecordedBench:
    first = {"front": pictures.jpeg(pictures.lobby()), "top": goods.drawn(goods.DRAWN_SHELVES, 1)}
    settings = {"session": {"unlock_timeout_s": 5.0}}
    return RecordedBench(folder, interior=goods.interior(), pictures=first, settings=settings, traced=traced)


def record(folder: Path) -> RecordedBench:
    """Two lives of the daemon; the bench is stopped when this returns.  The folder's name must be short."""
    with bench_in(folder) as bench:
        shop = Shop(bench)
        shop.stock_drawn()
        ann, bob = shop.enrol(Person("Ann", None, None)), shop.enrol(Person("Bob", None, None))
        bench.wait_for_state("Idle")
        unopened = shop.come(ann.code)
        shop.nobody()
        bench.wait_for_closed(unopened)
        visit = shop.open_as(bob.code)
        shop.take("s1", COLA)
        shop.shut(visit)
        bench.wait_for_state("Idle")
        cut = shop.open_as(ann.code)
        shop.take("s2", LIME)
        bench.kill("daemon")
        bench.written_out()
        shop.world.shut()
        bench.start_daemon()
        bench.wait_for_closed(cut)
        bench.ask("members.erase", member=bob.member)
        wait_until(lambda: bool(bench.ask("outbox")["count"] == 0), ENDS_S, "the outbox does not empty")
        bench.end("daemon")
        bench.written_out()
    return bench
