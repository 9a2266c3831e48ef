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


def quality() -> Literal["none", "floor", "ntp", "cloud"]:
    """How far the wall clock may be believed."""
    if time.time() * 1000 < EPOCH_FLOOR_MS:
        return "none"
    return "ntp" if SYNCHRONISED.exists() else "floor"


def stamp() -> Stamp:
    return Stamp(int(now_s() * 1000), int(time.time() * 1000), quality())


def wall_text(wall_ms: int | None = None) -> str:
    """RFC 3339 in UTC with milliseconds; now, unless another instant (ms since 1970) is given."""
    at = dt.datetime.now(dt.UTC) if wall_ms is None else dt.datetime.fromtimestamp(wall_ms / 1000, dt.UTC)
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
