"""One cabinet with one member, a keeper of trust, and a clock that a test moves."""

from dataclasses import dataclass, field, replace
from typing import Any

from cabinet.basket.verdict import Line
from cabinet.daemon import Happened
from cabinet.identity.risk import Policy
from cabinet.ledger import ClosedVisit, Consent, Incident, Ledger, Stamp
from cabinet.session import effects as do
from cabinet.session import events as ev
from cabinet.session.states import Idle
from cabinet.trustkeeper import TrustKeeper
from cabinet.units import VisitId
from tests.ledger.examples import opened, visit_id

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
NOON_MS = 1_795_003_200_000  # 2026-11-18, 12:00 UTC


@dataclass
class Stage:
    """One cabinet with one member, and a clock that a test moves."""

    ledger: Ledger
    now: Stamp = field(default_factory=lambda: Stamp(DAY_MS, NOON_MS, "ntp"))
    policy: Policy = field(default_factory=Policy)
    attempts: int = 100

    def __post_init__(self) -> None:
        self.ann = self.ledger.add_member("Ann Wonder", Consent("1", 0, "en"))
        self.keeper = self.restarted("boot-1")

    def restarted(self, machine: str, **more: Any) -> TrustKeeper:
        self.keeper = TrustKeeper(self.ledger, self.policy, lambda: self.now, machine, **more)
        self.keeper.start()
        return self.keeper

    def passes(self, ms: int) -> None:
        self.now = replace(self.now, mono_ms=self.now.mono_ms + ms, wall_ms=self.now.wall_ms + ms)

    def at_door(self, way: Any = "face", offered_minor: int | None = None) -> tuple[VisitId, Any]:
        self.attempts += 1
        visit = visit_id(self.attempts)
        return visit, self.keeper.assess(visit, self.ann, way, offered_minor)

    def visits(self, closing: ClosedVisit | None = None, way: Any = "face") -> VisitId:
        """Let in, whatever is thought of it; closed like that, or left open."""
        visit, _ = self.at_door(way)
        self.ledger.commit(Idle(), [replace(opened(1), visit=visit, member=self.ann)], self.now)
        if closing is not None:
            self.closes(replace(closing, visit=visit))
        return visit

    def closes(self, closing: ClosedVisit) -> None:
        self.ledger.commit(Idle(), [closing], self.now)
        closed = do.CloseVisit(closing.visit, closing.outcome)
        self.keeper.happened(Happened(0.0, ev.DoorClosed(0.0), Idle(), Idle(), (closed,)))

    def incident(self, why: str, visit: VisitId | None) -> None:
        self.ledger.commit(Idle(), [Incident(why, visit)], self.now)
        raised = do.RaiseIncident(why, visit)
        self.keeper.happened(Happened(0.0, ev.DoorClosed(0.0), Idle(), Idle(), (raised,)))

    def booked(self) -> list[str]:
        return [row.kind for row in self.ledger.trust_events(self.ann)]

    def trust(self) -> int:
        return self.keeper.standing(self.ann).trust


def reviewed(why: str, *guess: Line) -> ClosedVisit:
    return ClosedVisit(visit_id(1), "review", why, best_guess=guess)


SWAP = reviewed("s1: Cola may have been exchanged for another thing")
