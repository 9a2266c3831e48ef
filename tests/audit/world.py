"""Small sound books as plain rows: a cabinet's chain, the cloud's copy of it, and what both say of each visit."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from cabinet.audit.chains import Chain
from cabinet.audit.edges import hash_of
from cabinet.audit.rows import Event, Fact, Finding, Tally
from cabinet.audit.told import Scope
from cabinet.audit.visits import check_visits
from cabinet.wire import GENESIS

STORE, CAB, FILE = "ab" * 16, "c1", "ledger.db"
NOW_MS = 1_795_000_000_000
WHOLE = Scope(money=True, provider=True)


def told(seq: int, kind: str, visit: str, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "store": STORE, "boot": "b1", "seq": seq, "visit": visit, "type": kind, "body": body,
        "mono_ms": seq * 10, "wall_ms": NOW_MS + seq, "clock": "ntp",
    }  # fmt: skip  # a table


def event(seq: int, prev: str, kind: str, visit: str, body: dict[str, Any], *, sure: bool = True) -> Event:
    h = hash_of(told(seq, kind, visit, body), prev)
    return Event(seq, h, prev, h, visit, kind, body, f"b1:{seq}", sure=sure, stored_ms=NOW_MS + seq)


def altered(one: Event, **body: Any) -> Event:
    """Its body is another one, its hash stands."""
    new = {**one.body, **body}
    return replace(one, body=new, true_h=hash_of(told(one.seq, one.type, one.visit, new), one.prev))


@dataclass
class World:
    edge: list[Event] = field(default_factory=list)
    cloud: list[Event] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    hwm: int = 0
    newest_ms: int = NOW_MS

    def write(self, kind: str, visit: str, **body: Any) -> Event:
        prev = self.edge[-1].h if self.edge else GENESIS
        self.edge.append(event(len(self.edge) + 1, prev, kind, visit, body))
        self.cloud.append(self.edge[-1])
        self.hwm = len(self.edge)
        return self.edge[-1]

    def sell(self, visit: str, minor: int = 500, back_minor: int = 0, *, money: bool = True) -> None:
        """Opened, closed with a charge, captured, and so much of it given back."""
        self.write("visit.opened", visit, member="m")
        self.write("visit.closed", visit, outcome="charge", total_minor=minor, currency="USD")
        self.facts.append(Fact(visit, "sold", FILE, minor, "USD", "charge"))
        self.facts.append(Fact(visit, "charge", CAB, minor, "USD"))
        if back_minor:
            self.write("visit.refunded", visit, id=f"R{visit}", back_minor=back_minor, currency="USD")
            self.facts.append(Fact(visit, "change", FILE, back_minor, name=f"R{visit}"))
        if not money:
            return
        if back_minor:
            self.facts.append(Fact(visit, "booked", CAB, back_minor, word="paid", name=f"R{visit}"))
        amounts = (minor, back_minor, minor, back_minor, 0)
        self.facts.append(Fact(visit, "payment", CAB, word="paid", amounts=amounts))
        self.facts.append(Fact(visit, "intent", "provider", word="captured", ours=False, amounts=(minor, back_minor)))

    def leave(self, visit: str, outcome: str = "nothing") -> None:
        """Opened and closed without a charge."""
        self.write("visit.opened", visit, member="m")
        self.write("visit.closed", visit, outcome=outcome, total_minor=0, currency="")
        self.facts.append(Fact(visit, "sold", FILE, 0, "", outcome))

    def open(self, visit: str) -> None:
        self.write("visit.opened", visit, member="m")
        self.facts.append(Fact(visit, "sold", FILE, last=True))

    def unsend(self, seq: int) -> None:
        """From this event on nothing has arrived."""
        visits = {one.visit for one in self.cloud if one.seq >= seq and one.type == "visit.closed"}
        backs = {one.body["id"] for one in self.cloud if one.seq >= seq and "id" in one.body}
        self.edge = [replace(one, sure=one.sure and one.seq < seq) for one in self.edge]
        self.cloud = [one for one in self.cloud if one.seq < seq]
        self.hwm = min(self.hwm, seq - 1)
        kept: list[Fact] = []
        for fact in self.facts:
            if fact.of in {"charge", "payment", "intent"} and fact.visit in visits:
                continue
            if fact.of == "booked" and fact.name in backs:
                continue
            kept.append(self._without_back(fact, backs))
        self.facts = kept

    def _without_back(self, fact: Fact, backs: set[str]) -> Fact:
        if f"R{fact.visit}" not in backs or fact.of not in {"payment", "intent"}:
            return fact
        if fact.of == "intent":
            return replace(fact, amounts=(fact.amounts[0], 0))
        return replace(fact, amounts=(fact.amounts[0], 0, fact.amounts[2], 0, 0))

    def fact(self, of: str, visit: str) -> Fact:
        return next(one for one in self.facts if (one.of, one.visit) == (of, visit))

    def change(self, of: str, visit: str, **new: Any) -> None:
        self.facts = [replace(one, **new) if (one.of, one.visit) == (of, visit) else one for one in self.facts]

    def drop(self, of: str, visit: str) -> None:
        self.facts = [one for one in self.facts if (one.of, one.visit) != (of, visit)]

    def alter(self, side: str, at: Callable[[Event], bool], new: Callable[[Event], Iterable[Event]]) -> None:
        """The first such event of one side becomes others, or none."""
        events: list[Event] = getattr(self, side)
        n = next(n for n, one in enumerate(events) if at(one))
        setattr(self, side, [*events[:n], *new(events[n]), *events[n + 1 :]])

    def audit(self, scope: Scope = WHOLE, *, known: bool = True) -> tuple[list[Finding], dict[str, int]]:
        """What is found, and what is counted."""
        head = max((one.seq for one in self.edge), default=0) if known else None
        chain = Chain(STORE, FILE, CAB, head, self.hwm, self.newest_ms)
        facts, findings, counts = list(self.facts), list[Finding](), dict[str, int]()

        def sort(said: Iterable[Finding | Fact | Tally]) -> None:
            for one in said:
                if isinstance(one, Fact):
                    facts.append(one)
                elif isinstance(one, Finding):
                    findings.append(one)
                else:
                    counts[one.name] = counts.get(one.name, 0) + one.n

        sort(chain.compare(self.edge, self.cloud))
        facts.sort(key=lambda one: one.visit)
        sort(check_visits(facts, scope))
        return findings, counts
