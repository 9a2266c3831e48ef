"""The service, and a ledger whose rows are put before it; and a bookkeeper that writes down what it is told."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cabinet import wire
from cabinet.cloud.service import CloudService, Reply
from cabinet.cloud.store import Charge, CloudStore
from cabinet.ledger import Ledger
from tests.ledger.examples import shop

CAB = "cab-1"
OTHER = "cab-2"
KEY = b"k" * 32
KEYS = {CAB: KEY, OTHER: KEY}


@dataclass
class Notebook:
    """A `Bookkeeper`."""

    lines: list[tuple[Any, ...]] = field(default_factory=list)

    def opened(self, cab: str, event: wire.Payload, now_ms: int) -> None:
        self.lines.append(("opened", event["visit"]))

    def closed(self, cab: str, event: wire.Payload, charge: Charge | None, now_ms: int) -> None:
        self.lines.append(("closed", event["visit"], None if charge is None else charge.total_minor))

    def adjusted(self, cab: str, event: wire.Payload, now_ms: int) -> None:
        self.lines.append((event["type"], event["visit"]))

    def alarmed(self, visit: str, why: str, now_ms: int) -> None:
        self.lines.append(("alarmed", visit))


class Counterpart:
    def __init__(self, folder: Path, place: str) -> None:
        self.place = place
        self.notebook = Notebook()
        self.store = CloudStore(place, bookkeeper=self.notebook)
        self.service = CloudService(self.store, KEYS)
        self.ledger = Ledger(folder / "edge.db")
        for number in (1, 2):
            shop(self.ledger, number)
        self.events = [row.message() for row in self.ledger.unacknowledged()]

    def close(self) -> None:
        self.store.close()
        self.ledger.close()

    def tell(
        self, event: wire.Payload, *, cab: str = CAB, mono_ms: int = 0, wall_ms: int = 7
    ) -> list[tuple[str, wire.Payload]]:
        return self.say("ev", wire.canonical(event), cab=cab, mono_ms=mono_ms, wall_ms=wall_ms)

    def say(
        self, kind: str, payload: bytes, *, cab: str = CAB, mono_ms: int = 0, wall_ms: int = 7
    ) -> list[tuple[str, wire.Payload]]:
        return opened(self.service.heard(wire.topic(cab, "up", kind), payload, mono_ms=mono_ms, wall_ms=wall_ms))

    def hello(self, **changes: object) -> wire.Payload:
        said = {"store": self.ledger.store, "nonce": "n1", "head": 4, "h": self.ledger.head()[1], **changes}
        ((_, welcome),) = self.say("hello", wire.canonical(said))
        return welcome

    def refused(self) -> dict[tuple[str, str], int]:
        """What stands in the books, after the service has written it down."""
        self.service.patrol(7)
        return {(row["cab"], row["why"]): row["n"] for row in self.store.books.rows("SELECT * FROM refusal")}

    def alarms(self) -> list[str]:
        return [alarm.kind for alarm in self.store.alarms()]


def opened(replies: list[Reply]) -> list[tuple[str, wire.Payload]]:
    """(kind, payload), each checked to be signed."""
    found = []
    for reply in replies:
        place, payload = wire.split_topic(reply.topic), wire.parse(reply.payload)
        assert place is not None
        assert wire.authentic(KEY, place[0], place[2], payload)
        found.append((place[2], payload))
    return found


def forged(event: wire.Payload, **changes: object) -> wire.Payload:
    """Another event at the same place, with a right hash."""
    other = {**event, **changes}
    return {**other, "h": wire.event_hash(other, other["prev"])}


def chain(length: int, *, store: str = "5" * 32, **changes: object) -> list[wire.Payload]:
    """A store's first events, one incident after the other."""
    events: list[wire.Payload] = []
    prev = wire.GENESIS
    for seq in range(1, length + 1):
        event = {
            "store": store, "boot": "b" * 16, "seq": seq, "visit": None, "type": "incident",
            "body": {"why": "test", "at": ""}, "mono_ms": seq, "wall_ms": seq, "clock": "ntp", "prev": prev, **changes,
        }  # fmt: skip  # a row
        event["h"] = prev = wire.event_hash(event, prev)
        events.append(event)
    return events
