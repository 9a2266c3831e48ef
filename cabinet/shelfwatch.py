"""Watches the shelves while the door is open, and tells what seems to have been taken: for the shopper's eyes.

It reads what the witness writes, decides nothing and is never read by the tally.  Whatever goes wrong in here costs the
picture on the screen, not the visit.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from cabinet.basket.evidence import Happening, Header, Mass, Sighting
from cabinet.basket.interim import Change, changes, interim
from cabinet.basket.online import Detector
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.verdict import Interim
from cabinet.daemon import Happened
from cabinet.session.machine import visit_of
from cabinet.session.states import Recovering, Watching
from cabinet.units import VisitId, ZoneId

MOST_LOOKS = 200  # of one visit; more are people who wave

log = logging.getLogger(__name__)


class Shelf:
    """One zone: its settled changes so far."""

    def __init__(self, zone: ZoneId, header: Header, policy: TallyPolicy) -> None:
        self.zone = zone
        self.calm = False
        self.changes: tuple[Change, ...] = ()
        self._detector = Detector(header.zones[zone], policy)
        self._near_g = policy.step_g / 2
        self._known_g: float | None = None  # where the newest level is

    def add(self, mass: Mass) -> bool:
        """Whether there is news.  The levels are asked for only where the mass has moved."""
        self._detector.add(mass)
        calm, was = self._detector.settled, self.calm
        self.calm = calm
        if not calm:
            return was
        good = [g for g in mass.g if g is not None]
        if not good or (self._known_g is not None and abs(sum(good) / len(good) - self._known_g) < self._near_g):
            return not was
        levels = self._detector.levels()
        if not levels:
            return not was
        self._known_g = levels[-1].last_g
        before, self.changes = self.changes, changes(self.zone, levels)
        return not was or before != self.changes


class Follower:
    """One visit from its unlock on.  `whole`: it was followed from the beginning, so that nothing was missed."""

    def __init__(self, header: Header, policy: TallyPolicy, *, whole: bool = True) -> None:
        self._header, self._policy, self._whole = header, policy, whole
        self._shelves = {zone: Shelf(zone, header, policy) for zone in header.zones}
        self._looks: list[Sighting] = []
        self._stale = True
        self._interim = Interim(settled=False)

    def sensed(self, event: Happening) -> bool:
        """Whether the interim may have changed."""
        if isinstance(event, Mass) and event.zone in self._shelves:
            shelf = self._shelves[event.zone]
            before = shelf.changes
            news = shelf.add(event)
            self._stale |= shelf.changes is not before
            return news
        if isinstance(event, Sighting) and len(self._looks) < MOST_LOOKS:
            self._looks.append(event)
            self._stale = True
            return True
        return False

    def interim(self) -> Interim:
        if self._stale:
            found = [change for shelf in self._shelves.values() for change in shelf.changes]
            self._interim = interim(self._header, found, self._looks, self._policy, settled=self._whole)
            self._stale = False
        calm = all(shelf.calm for shelf in self._shelves.values())
        return replace(self._interim, settled=self._interim.settled and calm)


class ShelfWatch:
    """The daemon's: begins with a visit, shows while the door is open, forgets everything at the end."""

    def __init__(
        self,
        policy: TallyPolicy,
        header: Callable[[VisitId], Header],
        recent: Callable[[], Iterable[Mass]],
        tell: Callable[[Interim | None], None],
    ) -> None:
        """`recent`: what the zones weighed just before; `tell` is called at changes, with None when it is over."""
        self._policy, self._header, self._recent, self._tell = policy, header, recent, tell
        self.interim: Interim | None = None  # None: no door is open for a shopper
        self._visit: VisitId | None = None
        self._follower: Follower | None = None
        self._open = False

    def happened(self, step: Happened) -> None:
        """A watcher of the daemon."""
        under_way = visit_of(step.after)
        visit = None if under_way is None else under_way[0]
        if visit != self._visit:
            self._visit, self._follower = visit, None
            if visit is not None:
                self._guarded(lambda: self._begin(visit, whole=not isinstance(step.after, Recovering)))
        self._open = isinstance(step.after, Watching)
        self._guarded(self._show)

    def sensed(self, event: Happening) -> None:
        """A watcher of the witness."""
        if self._follower is not None:
            self._guarded(lambda: self._follow(event))

    def _begin(self, visit: VisitId, *, whole: bool) -> None:
        self._follower = Follower(self._header(visit), self._policy, whole=whole)
        for mass in self._recent():
            self._follower.sensed(mass)

    def _follow(self, event: Happening) -> None:
        if self._follower is not None and self._follower.sensed(event) and self._open:
            self._show()

    def _show(self) -> None:
        now = self._follower.interim() if self._follower is not None and self._open else None
        if now != self.interim:
            self.interim = now
            self._tell(now)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            log.exception("interim_failed visit=%s", self._visit)
            self._follower, self.interim = None, None
