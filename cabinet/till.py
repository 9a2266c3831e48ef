"""Between recognising and unlocking: asks the cloud whether this member may shop and for how much, and goes on by the
offline policy where no answer comes in time.

One ask per visit, and nobody waits for a cloud that is not there.  It refuses to believe an answer that does not name
visit and nonce of the ask that is being waited for; whose signature was right is the uplink's business.  It never
charges: what a visit costs is known when the door is shut.
"""

import asyncio
import logging
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, NoReturn, Protocol

from cabinet.identity.credit import NO_TERMS, Answer, Limits, Roster, Terms, answered, decide
from cabinet.identity.decide import Refused
from cabinet.ledger import Ledger, Stamp
from cabinet.ledger.credit import KEEP_EVERY_S
from cabinet.units import MemberId, Minor, VisitId

REMEMBERED: Final = 16  # visits: the one that is being opened, and late answers to those before it

log = logging.getLogger(__name__)


class Cloud(Protocol):
    def ask(self, payload: dict[str, Any]) -> bool:
        """Said at once and once.  False: nobody to ask."""
        ...


@dataclass
class Till:
    ledger: Ledger
    cloud: Cloud | None  # None: no cloud is configured; nobody keeps an account
    limits: Limits
    currency: str
    budget_s: float
    stamp: Callable[[], Stamp]
    machine: str  # names this start of the computer
    counts: Counter[str] = field(default_factory=Counter)
    listed: Callable[[], None] = lambda: None  # others are blocked from now on
    _waiting: dict[VisitId, tuple[str, asyncio.Future[Answer]]] = field(default_factory=dict, init=False)
    _asked: OrderedDict[VisitId, str] = field(default_factory=OrderedDict, init=False)  # visit → nonce of its one ask
    _used: set[VisitId] = field(default_factory=set, init=False)  # those whose answer was taken
    _granted: OrderedDict[VisitId, Terms] = field(default_factory=OrderedDict, init=False)

    async def terms(self, visit: VisitId, member: MemberId, most_minor: Minor | None = None) -> Terms | Refused:
        """Takes at most `budget_s`.  `most_minor`: the hold is at most this, whoever grants it."""
        hold_minor = self.limits.hold_minor if most_minor is None else min(self.limits.hold_minor, most_minor)
        if self.cloud is None:
            return self._remember(visit, NO_TERMS)
        answer = await self._ask(self.cloud, visit, member, hold_minor)
        said = self._offline(member, hold_minor) if answer is None else answered(answer)
        self.counts[f"refused {said.why}" if isinstance(said, Refused) else f"let in by {said.by}"] += 1
        log.info("terms visit=%s asked=%s said=%s", visit, answer is not None, said)
        return self._remember(visit, said)

    def terms_of(self, visit: VisitId) -> Terms:
        """For the visit's opening; nobody let in a technician."""
        return self._granted.get(visit, NO_TERMS)

    def answer(self, answer: Answer) -> None:
        """From the cloud, its signature checked.  What nobody waits for is counted and changes nothing."""
        nonce, future = self._waiting.get(answer.visit, ("", None))
        if future is not None and nonce == answer.nonce and not future.done():
            self._used.add(answer.visit)
            future.set_result(answer)
        elif self._asked.get(answer.visit) != answer.nonce:
            self._drop("foreign", answer.visit)
        else:
            self._drop("replayed" if answer.visit in self._used else "late", answer.visit)

    def take_roster(self, roster: Roster) -> bool:
        """False: a newer one is known."""
        taken = self.ledger.keep_roster(roster, self.stamp(), self.machine)
        if taken:
            self.listed()
        return taken

    async def run(self) -> NoReturn:
        """Keeps the roster's age over restarts."""
        while True:
            self.ledger.keep_roster_age(self.stamp(), self.machine)
            await asyncio.sleep(KEEP_EVERY_S)

    def trouble(self) -> str | None:
        """Why nobody would be let in without the cloud."""
        kept = self.ledger.roster(self.stamp(), self.machine)
        if kept is None or kept.age_s <= self.limits.roster_s:
            return None
        days = kept.age_s / 86_400
        return f"the list of blocked members is {days:.1f} days old: nobody is let in without the cloud"

    def figures(self) -> dict[str, Any]:
        """For status and doctor."""
        if self.cloud is None:
            return {"policy": "none"}
        kept, exposed = self.ledger.roster(self.stamp(), self.machine), self.ledger.exposure()
        return {
            "policy": "cloud",
            "roster": None if kept is None else {"version": kept.version, "age_s": round(kept.age_s)},
            "blocked": self.ledger.blocked_count(),
            "unconfirmed": {"visits": exposed.cabinet_visits, "minor": exposed.cabinet_minor},
            "limits": asdict(self.limits),
            "currency": self.currency,
        }

    async def _ask(self, cloud: Cloud, visit: VisitId, member: MemberId, hold_minor: Minor) -> Answer | None:
        if visit in self._asked:
            return None
        nonce = secrets.token_hex(8)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[visit] = (nonce, future)  # first: an answer may come before `ask` returns
        self._asked[visit] = nonce
        while len(self._asked) > REMEMBERED:
            self._used.discard(self._asked.popitem(last=False)[0])
        ask = {"visit": visit, "member": member, "currency": self.currency, "hold_minor": hold_minor}
        try:
            if not cloud.ask({**ask, "nonce": nonce}):
                del self._asked[visit]
                return None
            async with asyncio.timeout(self.budget_s):
                return await future
        except TimeoutError:
            self.counts["no answer"] += 1
            return None
        finally:
            del self._waiting[visit]

    def _offline(self, member: MemberId, hold_minor: Minor) -> Terms | Refused:
        kept = self.ledger.roster(self.stamp(), self.machine)
        age_s = None if kept is None else kept.age_s
        limits = replace(self.limits, hold_minor=hold_minor)
        return decide(limits, self.ledger.exposure(member), age_s, self.ledger.blocked_why(member))

    def _remember(self, visit: VisitId, said: Terms | Refused) -> Terms | Refused:
        if isinstance(said, Terms):
            self._granted[visit] = said
            while len(self._granted) > REMEMBERED:
                self._granted.popitem(last=False)
        return said

    def _drop(self, why: str, visit: VisitId) -> None:
        self.counts[why] += 1
        log.warning("terms_dropped why=%s visit=%s count=%d", why, visit, self.counts[why])
