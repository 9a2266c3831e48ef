"""The cloud behind the simulated cabinet: its own service and database, over a wire that loses, doubles and reorders.

The conversation is the product's (`cabinet.uplink.core.Sender` and `cabinet.cloud.service`), on virtual time; only the
broker between them is replaced.  The broker itself is proven at true depth.
"""

import random
from collections import Counter
from collections.abc import Set as AbstractSet
from pathlib import Path

from cabinet import wire
from cabinet.cloud.service import CloudService, Reply
from cabinet.cloud.store import CloudStore
from cabinet.ledger import Ledger, Stamp
from cabinet.units import VisitId
from cabinet.uplink.core import Message, Sender

CAB = "proving-001"
KEY = bytes(range(32))
LOST, DOUBLED = 0.15, 0.1  # shares of messages either way while the wire is bad
MOST_ROUNDS = 2000  # each is at least one message or one wait


class FarEnd:
    def __init__(self, path: Path, dice: random.Random) -> None:
        self.store = CloudStore(path)
        self.dice = dice
        self._service = CloudService(self.store, {CAB: KEY})

    def close(self) -> None:
        self.store.close()

    def deliver(self, ledger: Ledger, now: Stamp, *, bad: bool) -> bool:
        """Until everything is acknowledged; False where it never is.  `bad`: the wire loses and doubles meanwhile."""
        sender = self.sender(ledger)
        waiting = sender.connected(now)
        mono_ms = now.mono_ms
        for _ in range(MOST_ROUNDS):
            stamp = Stamp(mono_ms, now.wall_ms, now.quality)
            if not waiting:
                if ledger.backlog()[0] == 0 and sender.welcomed:
                    return True
                mono_ms = max(mono_ms + 1, sender.next_ms() or mono_ms + 1)
                waiting = sender.wake(Stamp(mono_ms, now.wall_ms, now.quality))
                continue
            message = waiting.pop(self.dice.randrange(len(waiting)) if bad else 0)
            waiting += self._carry(message, sender, stamp, bad=bad)
        return False

    def sender(self, ledger: Ledger) -> Sender:
        """The cabinet's side of the conversation that begins now."""
        return Sender(ledger, KEY, CAB, dice=self.dice)

    def _carry(self, message: Message, sender: Sender, stamp: Stamp, *, bad: bool) -> list[Message]:
        answers: list[Message] = []
        for _ in range(self._copies(bad=bad)):
            for reply in self._replies(wire.topic(CAB, "up", message.kind), message.payload, stamp):
                for _ in range(self._copies(bad=bad)):
                    answers += sender.heard(reply.topic, reply.payload, stamp)
        return answers

    def _replies(self, topic: str, payload: bytes, stamp: Stamp) -> list[Reply]:
        return self._service.heard(topic, payload, mono_ms=stamp.mono_ms, wall_ms=stamp.wall_ms)

    def _copies(self, *, bad: bool) -> int:
        chance = self.dice.random() if bad else 1.0
        return 0 if chance < LOST else 2 if chance < LOST + DOUBLED else 1

    def disagreements(self, ledger: Ledger, visits: AbstractSet[VisitId] | None = None) -> list[str]:
        """What the far end has otherwise than the cabinet's file, of these visits or all: empty where they agree."""
        records = ledger.visits(limit=100_000 if visits is None else len(visits))
        closed = {r.visit: r for r in records if r.outcome is not None}
        newest = 1_000_000 if visits is None else 50 + 20 * len(visits)
        events = [event for event in self.store.events(limit=newest) if event.type == "visit.closed"]
        there = Counter(event.visit for event in events if visits is None or event.visit in visits)
        found = [f"visit {visit} was closed {n} times there" for visit, n in there.items() if n != 1]
        found += [f"visit {visit} is missing there" for visit in closed if visit not in there]
        charged = {charge.visit: charge.total_minor for charge in self.store.charges()}
        for visit, record in closed.items():
            if record.outcome == "charge" and charged.get(visit) != record.total_minor:
                found.append(f"visit {visit}: {record.total_minor} here, {charged.get(visit)} there")
        if visits is None:
            found += [f"a charge of nobody: {visit}" for visit in charged if visit not in closed]
        return found + [f"alarm: {alarm.what}" for alarm in self.store.alarms()]
