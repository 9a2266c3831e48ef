"""Both clocks, read together and never mixed: monotonic for every decision, wall for people and the far end."""

import asyncio
import datetime as dt
import time
from pathlib import Path
from typing import Literal

from ulid import ULID

from cabinet.ledger import Stamp
from cabinet.units import VisitId

EPOCH_FLOOR_MS = 1_767_225_600_000  # 2026-01-01: a clock before the software was written is no clock
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
SYNCHRONISED = Path("/run/systemd/timesync/synchronized")  # systemd-timesyncd leaves it once NTP has answered


def now_s() -> float:
    """Monotonic seconds: the event loop's clock where one runs (the same clock, and the one a test may drive)."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return time.monotonic()


class Floor:
    """How late it is at least: a computer without a clock begins in 1970 until somebody tells it better."""

    def __init__(self) -> None:
        self.wall_ms, self.since_s = 0, 0.0

    def begin(self, wall_ms: int) -> None:
        """Time goes on from here where the system's own clock is behind."""
        self.wall_ms, self.since_s = wall_ms, time.monotonic()

    def now_ms(self) -> int:
        return 0 if self.wall_ms == 0 else self.wall_ms + int((time.monotonic() - self.since_s) * 1000)


class Told:
    """The cloud's wall clock, from its signed answer to a hello of ours: at most a slow answer behind."""

    def __init__(self) -> None:
        self.wall_ms, self.since_s = 0, 0.0

    def hear(self, wall_ms: int) -> None:
        if wall_ms >= EPOCH_FLOOR_MS:
            self.wall_ms, self.since_s = wall_ms, time.monotonic()

    def now_ms(self) -> int:
        return 0 if self.wall_ms == 0 else self.wall_ms + int((time.monotonic() - self.since_s) * 1000)


FLOOR = Floor()
TOLD = Told()


def wall_ms() -> int:
    """Milliseconds since 1970, UTC, never before the floor.  Without NTP the cloud's word counts for more than ours."""
    own_ms = int(time.time() * 1000)
    return max(own_ms if SYNCHRONISED.exists() else TOLD.now_ms() or own_ms, FLOOR.now_ms())


def quality() -> Literal["none", "floor", "ntp", "cloud"]:
    """How far the wall clock may be believed."""
    if wall_ms() < EPOCH_FLOOR_MS:
        return "none"
    if SYNCHRONISED.exists():
        return "ntp" if time.time() * 1000 >= FLOOR.now_ms() else "floor"
    return "cloud" if TOLD.wall_ms and TOLD.now_ms() >= FLOOR.now_ms() else "floor"


def stamp() -> Stamp:
    return Stamp(int(now_s() * 1000), wall_ms(), quality())


def wall_text(at_ms: int | None = None) -> str:
    """RFC 3339 in UTC with milliseconds; now, unless another instant (ms since 1970) is given."""
    at = dt.datetime.fromtimestamp((wall_ms() if at_ms is None else at_ms) / 1000, dt.UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_visit() -> VisitId:
    """A ULID.  Its 80 random bits make it unique even where the clock is wrong."""
    return VisitId(str(ULID()))


def boot_id() -> str:
    """Changes when the machine restarts: only within one boot do monotonic times compare."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return "unknown"
