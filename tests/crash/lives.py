"""Runs lives, each a forked child that strace follows, kills or lies to, and says what was left and how it ended.

A process of its own, `python -m tests.crash.lives FOLDER`: one job a line (JSON) in, one result a line out.  Everything
heavy is imported once, before the first fork.
"""

import contextlib
import json
import random
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from cabinet.ledger import Ledger
from cabinet.proving.cabinet import stocked
from cabinet.proving.far_end import FarEnd
from cabinet.session.states import Idle
from cabinet.sim import shop
from tests.crash import straces
from tests.crash.facts import Fact, Unlocked
from tests.crash.forks import child
from tests.crash.life import SEED, live, live_on, points_of
from tests.crash.oracle import ALL, judge
from tests.crash.variants import BREAK, Variant

TAKEN: Final = Counter({"cola": 1})  # what left the shelves: more may not be charged, in all visits together


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    inject: tuple[str, ...] = ()  # options of strace
    variant: Variant = ""  # broken on purpose
    lasting: bool = False  # what befalls it does not pass until somebody has looked after the disk
    disk_kib: int = 0  # a disk of its own, so large beyond what lies on it
    keep: str = ""  # a folder to leave record and ledger in


@dataclass
class Result:
    name: str
    ended: str  # "ended", "killed", "no ledger" or "failed N"
    found: list[str] = field(default_factory=list)  # broken promises
    outcomes: list[str] = field(default_factory=list)  # of the visits, in the end
    faults: int = 0  # commits that failed
    calls: dict[str, int] = field(default_factory=dict)  # how often each syscall was made, where that was recorded


@dataclass
class Home:
    """Where one job's files are."""

    folder: Path
    stocked: Path
    cloud: FarEnd

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"


def run(job: Job, base: Path) -> Result:
    """Live once as the job says, look at what was left, live on, look again."""
    plain = base / "stocked.db"
    if not plain.exists():
        stocked(plain, shop.usual())
    folder = base / "life"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with _disk(folder, job.disk_kib and job.disk_kib + plain.stat().st_size // 1024):
        return _run_in(folder, job, plain)


@contextlib.contextmanager
def _disk(folder: Path, size_kib: int) -> Iterator[None]:
    """A mounted one, where a size is wanted: it needs a namespace of its own (unshare -rm)."""
    if not size_kib:
        yield
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "small", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def _run_in(folder: Path, job: Job, plain: Path) -> Result:
    shutil.copy(plain, folder / "ledger.db")
    (folder.parent / "cloud.db").unlink(missing_ok=True)
    home = Home(folder, plain, FarEnd(folder.parent / "cloud.db", random.Random(SEED)))
    try:
        return _run(job, home)
    finally:
        home.cloud.close()
        if job.keep:
            shutil.rmtree(job.keep, ignore_errors=True)
            (folder / "where").write_text(str(folder))
            shutil.copy(plain, folder / "stocked.db")
            shutil.copy(folder.parent / "strace", folder)
            shutil.copytree(folder, job.keep)


def _run(job: Job, home: Home) -> Result:
    out = home.folder.parent / "strace"

    def first(cloud: socket.socket) -> None:
        BREAK[job.variant]()
        live(home.folder, cloud)

    ended = child(first, home.folder, home.cloud, lambda pid: straces.attaching(pid, out, *job.inject))
    result = Result(job.name, ended, calls=_counted(out) if not job.inject else {})
    told = points_of(home.folder)
    result.found += [f"after the death: {one}" for one in _left(home, told)]
    result.found += _retries(told)
    result.faults = sum(point["point"] == "before the commit" for point in told) - sum(
        point["point"] == "after the commit" for point in told
    )
    if job.disk_kib:
        subprocess.run(["mount", "-o", "remount,size=64m", home.folder], check=True)
    if ended != "ended" or job.lasting or job.disk_kib:
        again = child(lambda cloud: live_on(home.folder, cloud, home.stocked), home.folder, home.cloud, None)
        if again != "ended":
            result.found.append(f"the restart {again}")
            return result
    result.found += _settled(home, told, result)
    return result


# Looking.


def _left(home: Home, told: Sequence[dict[str, object]]) -> Iterator[str]:
    """In a copy: looking tidies up."""
    copy = home.folder.parent / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for file in home.folder.glob("ledger.db*"):
        if not file.name.endswith("-shm"):
            shutil.copy(file, copy / file.name)
    unlocked: list[Fact] = [Unlocked(str(point["visit"])) for point in told if point["point"] == "before the release"]
    for one in judge(copy / "ledger.db", None, unlocked):
        yield f"{one.invariant}: {one.what}"


def _retries(told: Sequence[dict[str, object]]) -> Iterator[str]:
    """After a commit that failed the process does nothing more: no second try, no order to the lock."""
    for this, then in pairwise(told):
        failed = this["point"] == "before the commit" and then["point"] != "after the commit"
        if failed and then["boot"] == this["boot"]:
            yield f"after a failed commit the same process went on to: {then['point']}"


def _settled(home: Home, told: Sequence[dict[str, object]], result: Result) -> Iterator[str]:
    with Ledger(home.ledger) as ledger:
        visits = ledger.visits(ALL)
        result.outcomes = [str(record.outcome) for record in visits]
        state = ledger.state()
        if not isinstance(state, Idle):
            yield f"the cabinet ends in {state}"
        if ledger.backlog()[0]:
            yield f"{ledger.backlog()[0]} events still wait"
        yield from home.cloud.disagreements(ledger)
    known = {str(record.visit) for record in visits if record.outcome is not None}
    unlocked = {str(point["visit"]) for point in told if point["point"] == "before the release"}
    if not unlocked <= known:
        yield f"unlocked and never closed: {unlocked - known}"
    charged: Counter[str] = Counter()
    for record in visits:
        charged.update({str(line.sku): line.quantity for line in record.lines})
    if not charged <= TAKEN:
        yield f"charged {charged}, taken {TAKEN}"
    for one in judge(home.ledger, None, []):
        yield f"{one.invariant}: {one.what}"


def _counted(out: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for call in straces.read(out):
        found[call.name] = found.get(call.name, 0) + 1
    return found


def main() -> None:
    base = Path(sys.argv[1])
    for line in sys.stdin:
        told: dict[str, Any] = json.loads(line)
        told["inject"] = tuple(told["inject"])
        print(json.dumps(asdict(run(Job(**told), base))), flush=True)  # noqa: T201  the answer


if __name__ == "__main__":
    main()
