"""The fleet's list of members at this cabinet: takes what the cloud says, and knows how old it is.

Works from the last good list for as long as it must.  Beyond `members_s` its members are not known by face any more:
somebody may have taken back their consent meanwhile, or have been taken off.  By card or token they still come in, as
far as the till's own rules go without the cloud.  Members who enrolled here are not concerned.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from cabinet.identity.roster import BUSY, OLD, Delta, RosterError
from cabinet.ledger import EntryRefusedError, Ledger, LedgerFullError, Stamp
from cabinet.ledger.aging import KEEP_EVERY_S
from cabinet.ledger.roster import Done
from cabinet.units import MemberId

NOT_KEPT: Final = "not kept"  # the ledger did not take it: a full disk, a device.key that is gone
MANY: Final = 50  # changes
LOOK_S: Final = 60.0  # how soon it is noticed that the list has become too old
DAY_S: Final = 86_400.0

log = logging.getLogger(__name__)


@dataclass
class RosterKeeper:
    """A cabinet.uplink.members.Keeper."""

    ledger: Ledger
    stamp: Callable[[], Stamp]
    machine: str  # names this start of the computer
    members_s: float
    changed: Callable[[], None]  # other faces are known from now on
    busy: Callable[[], bool] = lambda: False  # a visit is open
    counts: Counter[str] = field(default_factory=Counter)
    _why: str | None = field(default=None, init=False)  # why the newest one was not kept
    _stale: bool = field(default=False, init=False)

    def known(self) -> tuple[int, str]:
        return self.ledger.fleet_known()

    def take(self, delta: Delta, *, fresh: bool) -> str:
        """All of it, or nothing and why.  Many changes take their time, in one piece: not while a visit is open."""
        if len(delta.changes) > MANY and self.busy():
            return BUSY
        try:
            done = self.ledger.keep_fleet(delta, self.stamp(), self.machine, fresh=fresh)
        except RosterError as error:
            self.counts[error.why] += 1
            level = logging.DEBUG if error.why == OLD else logging.WARNING
            log.log(level, "members_refused from=%d to=%d why=%r", delta.begin, delta.to, error.why)
            return error.why
        except (EntryRefusedError, LedgerFullError) as error:
            self.counts[NOT_KEPT] += 1
            self._why = str(error)
            log.error("members_not_kept to=%d why=%r", delta.to, self._why)  # noqa: TRY400  # the message says it all
            return NOT_KEPT
        self._why = None
        self._count(delta, done)
        self._look(changed=bool(done.members))
        return ""

    async def run(self) -> NoReturn:
        """Keeps the age over restarts, and notices when it is too great."""
        since_s = KEEP_EVERY_S
        while True:
            if since_s >= KEEP_EVERY_S:
                self.ledger.keep_fleet_age(self.stamp(), self.machine)
                since_s = 0.0
            self._look(changed=False)
            await asyncio.sleep(LOOK_S)
            since_s += LOOK_S

    def templates(self, model: str) -> list[tuple[MemberId, tuple[float, ...]]]:
        """Whom this model may know by face now."""
        found = self.ledger.templates(model)
        self._stale = self.is_stale()
        if not self._stale:
            return found
        clouds = self.ledger.fleet_members()
        return [(member, vector) for member, vector in found if member not in clouds]

    def is_stale(self) -> bool:
        """Nobody can tell how old it is, or it is too old."""
        kept = self.ledger.fleet_age(self.stamp(), self.machine)
        return kept is None or kept.age_s > self.members_s

    def trouble(self) -> str | None:
        """What a technician should know; the cabinet sells none the less."""
        if self._why is not None:
            return f"the fleet's newest list of members was not kept: {self._why}"
        kept = self.ledger.fleet_age(self.stamp(), self.machine)
        if kept is None or kept.age_s <= self.members_s:
            return None
        return f"the fleet's list of members is {kept.age_s / DAY_S:.1f} days old: none of them is known by face"

    def figures(self) -> dict[str, Any]:
        """For status and doctor."""
        kept = self.ledger.fleet_age(self.stamp(), self.machine)
        return {
            "version": 0 if kept is None else kept.version,
            "age_s": None if kept is None else round(kept.age_s),
            "members": len(self.ledger.fleet_members()),
            "stale": kept is not None and kept.age_s > self.members_s,
            "most_s": round(self.members_s),
        }

    def _count(self, delta: Delta, done: Done) -> None:
        told = {
            "put": done.put,
            "removed": done.removed,
            "own": done.own,
            "erased": done.erased,
            "doubled": done.doubled,
        }
        for name, number in told.items():
            if number:
                self.counts[name] += number
        if done.members or done.doubled:
            log.info(
                "members_kept from=%d to=%d %s", delta.begin, delta.to, " ".join(f"{n}={k}" for n, k in told.items())
            )

    def _look(self, *, changed: bool) -> None:
        stale = self.is_stale()
        if changed or stale != self._stale:
            self._stale = stale
            self.changed()
