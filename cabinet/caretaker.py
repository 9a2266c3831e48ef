"""Looks after everything that is not a visit: is every part in order, is there disk, is it cold, what may be forgotten.

It only reports; what a fault means for selling is the machine's business.  On a short disk it gives up recordings,
the least needed first, and never a row of the ledger.
"""

import asyncio
import logging
import resource
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from cabinet import clock
from cabinet.ballast import Ballast
from cabinet.ledger import Incident, Ledger
from cabinet.parts import Parts
from cabinet.ports import Eye, Lock, PortError
from cabinet.senses import Nerves
from cabinet.session.states import Authenticating, Idle, OutOfService, Servicing, State, open_visit
from cabinet.units import CameraId
from cabinet.witness import Witness

if TYPE_CHECKING:
    from cabinet.vision.health import CameraHealth

ROUND_S = 0.5
SLOW_EVERY = 20  # rounds between the looks at the disk and the traces: 10 s
PRUNE_EVERY = 7200  # rounds between the looks for acknowledged rows over 90 days old: an hour
FLOOR_EVERY = 1200  # rounds between the notes of how late it is at least: 10 min
SPARED_DAYS = 90.0  # recordings of reviews and disputes: as long as their events
LOCK_EVERY = 10  # rounds between the looks at the lock: 5 s
BOLT_GRACE_S = 1.5  # a bolt that springs out takes this long at most
PROBE_SILENT_S = 30.0
MIB = 1 << 20
REMEDIES = {
    "dark": "look at the lens and the lamp",
    "overexposed": "look at the lamp, and for sun on the lens",
    "covered": "look what is before the lens",
    "frozen": "unplug the camera and plug it in again",
    "fogged": "wipe the lens; let the door's frame dry",
    "moved": "put it back, or calibrate it anew: cabinet camera calibrate",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    min_free_mib: int
    traces_mib: int
    traces_days: float
    max_c: float | None = None  # None: ambient goods
    grace_s: float = 1800.0


@dataclass
class Looked:
    """The newest picture of a camera, and what was wrong with it."""

    health: "CameraHealth"
    picture: object = None
    why: str | None = None


@dataclass
class Caretaker:
    parts: Parts
    nerves: Nerves
    witness: Witness
    eyes: Mapping[CameraId, Eye]
    ledger: Ledger
    traces: Path
    limits: Limits
    state: Callable[[], State]
    lock: Lock
    others: Mapping[str, Callable[[], str | None]] = field(default_factory=dict)  # part -> what is wrong with it
    ballast: Ballast | None = None
    chores: Sequence[Callable[[], None]] = ()  # at each slow round
    warm_since_s: float | None = None
    _spoilt: bool = field(default=False, init=False)  # too warm for too long, and nobody has looked since
    _undriven_since_s: float | None = field(default=None, init=False)  # since when the bolt ought to be out
    _rounds: int = field(default=0, init=False)
    _looked: dict[CameraId, "Looked"] = field(default_factory=dict, init=False)

    async def run(self) -> NoReturn:
        while True:
            self.round(clock.now_s())
            if self._rounds % LOCK_EVERY == 1 and open_visit(self.state()) is None:
                await self.check_lock()
            await asyncio.sleep(ROUND_S)

    def round(self, now_s: float) -> None:
        """One look at everything.  Synchronous and short: tests call it with a time of their own.

        Raises LedgerLostError where the disk has failed, so that the program ends and begins anew.
        """
        self.ledger.check()
        locked_state = isinstance(self.state(), Idle | OutOfService | Authenticating)
        if locked_state and self.nerves.door_open is False:
            self.witness.scales.learn_baseline()
        for zone, scale in self.witness.scales.zones.items():
            self.parts.report(f"scale:{zone}", self.nerves.cell_faults.get(zone) or scale.trouble(now_s))
        for camera, eye in self.eyes.items():
            self.parts.report(f"camera:{camera}", eye.trouble() or self._complaint(camera, eye))
        for camera in self.witness.eyes:
            why = self.witness.clock_trouble(camera)
            if why is not None or self.parts.why(f"clock:{camera}") is not None:
                self.parts.report(f"clock:{camera}", why)  # sells on: the pictures of before and after need no clock
        for part, trouble in self.others.items():
            self.parts.report(part, trouble())
        self._undriven_since_s = (self._undriven_since_s or now_s) if locked_state else None
        if self._undriven_since_s is not None:
            self._bolt(now_s - max(self.nerves.bolt_since_s, self._undriven_since_s))
        self._temperature(now_s)
        if self._rounds % SLOW_EVERY == 0:
            self._catalogue()
            self._disk()
            for chore in self.chores:
                chore()
        if self._rounds % FLOOR_EVERY == FLOOR_EVERY - 1:
            self.ledger.keep_time_floor(clock.stamp())
        if self._rounds % PRUNE_EVERY == PRUNE_EVERY - 1:
            self.ledger.prune(clock.stamp())
            self.ledger.prune_journal(clock.stamp())
        self._rounds += 1
        self._started()

    def _complaint(self, camera: CameraId, eye: Eye) -> str | None:
        """What the newest picture shows to be wrong; each new one is looked at, at most two a second.

        A technician who was at the cabinet has looked at the cameras too: how they see then is how they ought to.
        """
        from cabinet.vision.health import CameraHealth  # noqa: PLC0415  OpenCV only where there is a camera

        frame = eye.latest()
        if frame is None:
            return None
        looked = self._looked.setdefault(camera, Looked(CameraHealth()))
        state = self.state()
        if isinstance(state, Servicing):
            looked.health.renew()
        if looked.picture is not frame.picture:
            looked.picture = frame.picture
            nobody = isinstance(state, Idle | OutOfService) and self.nerves.door_open is False
            inside = camera in self.witness.eyes
            what = looked.health.look(frame.picture, frame.at_s, shut=nobody and inside, fixed=inside)
            looked.why = None if what is None else f"the picture is {what}: {REMEDIES[what.partition(':')[0]]}"
        return looked.why

    async def check_lock(self) -> None:
        try:
            await self.lock.check()
        except PortError as error:
            self.parts.report("lock", str(error))
        else:
            self.parts.report("lock", None)

    def _bolt(self, for_s: float) -> None:
        """`for_s`: how long it has had to spring out."""
        if self.nerves.bolt_locked is False and for_s > BOLT_GRACE_S:
            self.parts.report("bolt", "is not out although the lock is not driven: look for an item in its way")
        elif self.nerves.bolt_locked:
            self.parts.report("bolt", None)

    def _temperature(self, now_s: float) -> None:
        """FDA Food Code 4-204.111: above the limit for longer than the grace, no sale until serviced."""
        if self.limits.max_c is None:
            return
        state = self.state()
        if isinstance(state, Servicing) and state.door_open:  # whoever opened it looks after the goods
            self.warm_since_s, self._spoilt = None, False
        if self._spoilt:
            return
        fresh = [c for c, at_s in self.nerves.temperatures_c.values() if now_s - at_s < PROBE_SILENT_S]
        if not fresh:
            self.parts.report("temperature", "no reading for 30 s: check the probe")
            return
        warmest_c = max(fresh)
        if warmest_c <= self.limits.max_c:
            self.warm_since_s = None
            self.parts.report("temperature", None)
        else:
            self.warm_since_s = now_s if self.warm_since_s is None else self.warm_since_s
            if now_s - self.warm_since_s > self.limits.grace_s:
                self._spoilt = True
                why = f"over {self.limits.max_c:g} °C for too long: service and restock"
                self.parts.report("temperature", why, latched=True)
            elif self.parts.why("temperature") is not None:
                self.parts.report("temperature", None)

    def _catalogue(self) -> None:
        empty = not self.ledger.catalog()
        self.parts.report("catalogue", "is empty: cabinet catalog add SKU --name ..." if empty else None)

    def look_at_catalogue(self) -> None:
        """After a change, so that nobody waits for the next slow round."""
        self._catalogue()

    def _disk(self) -> None:
        """Room for the next visit, with the ballast in its place; recordings make way for it."""
        ballast = self.ballast
        if ballast is not None and ballast.given_up:
            ballast.given_up = False
            self.ledger.raise_incident(
                Incident("the disk was full: the ballast was given up", at="disk"), clock.stamp()
            )
        needed_mib = self.limits.min_free_mib + (0 if ballast is None or ballast.there else ballast.mib)
        if self._free_mib() < needed_mib:
            self._shed(lambda: self._free_mib() >= needed_mib)
        free_mib = self._free_mib()
        why = f"{free_mib} MiB free, {needed_mib} needed: remove files from {self.traces}"
        if free_mib >= needed_mib:
            why = self._lay_ballast()
        self.parts.report("disk", why or None)
        self.forget(self.limits.traces_mib)

    def _free_mib(self) -> int:
        return shutil.disk_usage(self.traces).free // MIB

    def _lay_ballast(self) -> str:
        """Why it cannot be had; empty: it is there."""
        if self.ballast is None or self.ballast.there:
            return ""
        try:
            self.ballast.make()
        except OSError as error:
            return f"{self.ballast.path} cannot be written ({error.strerror}): remove files from {self.traces}"
        return ""

    def _shed(self, enough: Callable[[], bool]) -> None:
        """Telemetry is never on the disk, so recordings are all there is to shed."""
        for folder in self._by_need():
            if enough():
                return
            _remove(folder)

    def _by_need(self) -> list[Path]:
        """Recordings of closed visits in the order in which they may go: oldest first, but what a person or the cloud
        may still ask for comes last.
        """
        still_open = {record.visit for record in self.ledger.open_visits()}
        folders = [path for path in self.traces.iterdir() if path.is_dir() and path.name not in still_open]
        doubt, waiting = self.ledger.in_doubt(), self.ledger.unconfirmed()
        return sorted(folders, key=lambda path: (path.name in doubt, path.name in waiting, path.name))  # ULIDs

    def forget(self, keep_mib: float) -> None:
        """Remove the traces over the size budget or the age.  The ledger's rows stay."""
        folders, doubt = self._by_need(), self.ledger.in_doubt()
        sizes = {folder: _size_mib(folder) for folder in folders}
        total_mib = sum(sizes.values())
        for folder in folders:
            days = max(SPARED_DAYS, self.limits.traces_days) if folder.name in doubt else self.limits.traces_days
            oldest_ms = clock.stamp().wall_ms - days * 86_400_000
            too_old = folder.stat().st_mtime * 1000 < oldest_ms and clock.quality() != "none"
            if total_mib > keep_mib or too_old:
                _remove(folder)
                total_mib -= sizes[folder]

    def _started(self) -> None:
        """The machine may sell once door and bolt are known; every other part answers for itself."""
        if self.nerves.door_open is not None and self.nerves.bolt_locked is not None:
            self.parts.report("cabinet", None)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    log.info("trace_forgotten visit=%s", folder.name)


def _size_mib(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / MIB


def rss_mib() -> float:
    """Resident memory of this process, now."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return round(pages * resource.getpagesize() / (1 << 20), 1)
    except (OSError, ValueError, IndexError):
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
