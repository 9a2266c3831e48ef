"""What the cloud answers: store, commit, and only then acknowledge.  No socket here; time and bytes are arguments.

The cabinet of a message is the one its topic names: the broker's access list lets a cabinet publish under its own name
alone (its certificate's CN).  Without such a list anybody on the broker could speak for any cabinet.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cabinet import wire
from cabinet.cloud.store import CloudStore

log = logging.getLogger(__name__)

GAP_PATIENCE_MS: Final = 10_000  # messages may overtake each other for as long as this


@dataclass(frozen=True, slots=True)
class Reply:
    topic: str
    payload: bytes


class CloudService:
    def __init__(self, store: CloudStore, keys: Mapping[str, bytes]) -> None:
        self.counts: Counter[str] = Counter()
        self._store, self._keys = store, keys
        self._gaps: dict[tuple[str, str], int] = {}  # (cab, store) → monotonic ms since when; one a cabinet

    def heard(self, topic: str, payload: bytes, *, mono_ms: int, wall_ms: int) -> list[Reply]:
        """What to answer.  Everything it acknowledges is on disk.  Raises LedgerError where the disk failed."""
        place = wire.split_topic(topic)
        if place is None or place[1] != "up":
            return self._drop("garbage", "topic", "")
        cab, _, kind = place
        if cab not in self._keys:
            return self._drop("stranger", kind, cab)
        try:
            if kind == "ev":
                return self._event(cab, payload, mono_ms, wall_ms)
            if kind == "hello":
                return self._hello(cab, wire.parse(payload), wall_ms)
            wire.parse(payload)
        except wire.WireError as error:
            log.warning("message_refused cab=%s kind=%s why=%r", cab, kind, str(error))
            return self._drop("garbage", kind, cab)
        self.counts[kind] += 1  # state, telemetry and results are for whoever watches; nothing is settled by them
        return []

    def greetings(self, wall_ms: int) -> list[Reply]:
        """A welcome for every cabinet ever heard, so that none waits out its pause after we were away."""
        return [self._welcome(cab, store, None, wall_ms) for cab, store in self._store.stores() if cab in self._keys]

    def tick(self, mono_ms: int) -> list[Reply]:
        """Ask for what is still missing 10 s after a gap was seen, and again every 10 s."""
        due = [place for place, since_ms in self._gaps.items() if mono_ms - since_ms >= GAP_PATIENCE_MS]
        replies: list[Reply] = []
        for cab, store in due:
            self._gaps[cab, store] = mono_ms
            replies += self._missing(cab, store, "gap")
        return replies

    def _event(self, cab: str, payload: bytes, mono_ms: int, wall_ms: int) -> list[Reply]:
        if len(payload) > wire.MAX_EVENT_BYTES:
            raise wire.WireError(f"an event of {len(payload)} bytes")
        event = wire.checked_event(wire.parse(payload))
        found = self._store.take(cab, event, wall_ms)  # committed when this returns
        self.counts[found] += 1
        store = event["store"]
        log.info("event_%s cab=%s seq=%d type=%s visit=%s", found, cab, event["seq"], event["type"], event["visit"])
        if not self._store.above(cab, store, self._store.mark(cab, store)):
            self._gaps.pop((cab, store), None)
        else:
            self._gaps.setdefault((cab, store), mono_ms)
        replies = [self._ack(cab, store)]
        return [*replies, *self._missing(cab, store, "fork")] if found == "fork" else replies

    def _hello(self, cab: str, hello: wire.Payload, wall_ms: int) -> list[Reply]:
        store, nonce = wire.text_of(hello, "store", 64), wire.text_of(hello, "nonce", 64)
        self.counts["hello"] += 1
        head, h = wire.whole_of(hello, "head"), wire.text_of(hello, "h", 64)
        if head and self._store.differs(cab, store, head, h):
            self._store.alarm(cab, "fork", f"store {store}: two histories at event {head}", wall_ms)
        return [self._welcome(cab, store, nonce, wall_ms)]

    def _welcome(self, cab: str, store: str, nonce: str | None, wall_ms: int) -> Reply:
        mark = self._store.mark(cab, store)
        said = {
            "store": store, "hwm": mark.hwm, "h": mark.h, "nonce": nonce, "cloud_ms": wall_ms, "config_version": 0,
        }  # fmt: skip
        return self._reply(cab, "welcome", said)

    def _ack(self, cab: str, store: str) -> Reply:
        mark = self._store.mark(cab, store)
        above = [{"seq": seq, "h": h} for seq, h in self._store.above(cab, store, mark).items()]
        return self._reply(cab, "ack", {"store": store, "upto": mark.hwm, "h": mark.h, "selective": above})

    def _missing(self, cab: str, store: str, why: str) -> list[Reply]:
        mark = self._store.mark(cab, store)
        above = self._store.above(cab, store, mark)
        if why == "gap" and not above:
            return []
        last = max(mark.hwm + 1, min(above, default=mark.hwm + 2) - 1)
        self.counts[f"nak {why}"] += 1
        log.warning("nak cab=%s from=%d to=%d why=%s", cab, mark.hwm + 1, last, why)
        return [self._reply(cab, "nak", {"store": store, "from": mark.hwm + 1, "to": last, "why": why})]

    def _reply(self, cab: str, kind: str, said: wire.Payload) -> Reply:
        return Reply(wire.topic(cab, "dn", kind), wire.signed(self._keys[cab], cab, kind, said))

    def _drop(self, why: str, kind: str, cab: str) -> list[Reply]:
        self.counts[why] += 1
        log.warning("message_dropped why=%s kind=%s cab=%r count=%d", why, kind, cab, self.counts[why])
        return []
