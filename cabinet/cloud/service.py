"""What the cloud answers: store, commit, and only then acknowledge.  No socket here; time and bytes are arguments.

The cabinet of a message is the one its topic names: the broker's access list lets a cabinet publish under its own name
alone (its certificate's CN).  Without such a list anybody on the broker could speak for any cabinet; even then no
cabinet speaks for a store that is another one's.  Everything refused is counted in the books; none of it is answered.

Several services may work on the same books: what one of them remembers (gaps) is looked up again before it speaks.
"""

import logging
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from cabinet import wire
from cabinet.cloud import forgetting, watchdogs
from cabinet.cloud.entries import Mark, Taken
from cabinet.cloud.refusals import Refusals
from cabinet.cloud.roster_desk import RosterDesk
from cabinet.cloud.store import CloudStore, ForeignStoreError
from cabinet.ledger.errors import EntryRefusedError

log = logging.getLogger(__name__)

GAP_PATIENCE_MS: Final = 10_000  # messages may overtake each other for as long as this
MAX_GAPS: Final = 10_000  # clocks in memory; what is beyond is found by the watchdog
PATROL_MS: Final = 15_000
NAMES: Final = ("store", "boot", "visit", "type", "prev", "h")  # an event's own texts, which go into columns


@dataclass(frozen=True, slots=True)
class Reply:
    topic: str
    payload: bytes


class Desk(Protocol):
    """May this member shop?  Fast: an answer that takes time comes later, through `due`."""

    @property
    def answers(self) -> bool:
        """Whether asking is worth a cabinet's while."""
        ...

    def call(self, when_ready: Callable[[], None]) -> None:
        """From any thread, whenever `due` has something new."""
        ...

    def asked(self, cab: str, ask: wire.Payload, now_ms: int) -> list[Reply]:
        """The signature has been checked.  Raises WireError for what is no such question."""
        ...

    def due(self, now_ms: int) -> list[Reply]:
        """Called each turn."""
        ...

    def greeted(self, cab: str, now_ms: int) -> list[Reply]: ...


class CloudService:
    def __init__(
        self,
        store: CloudStore,
        keys: Mapping[str, bytes],
        *,
        desk: Desk | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        """`share`: (i, n) for the i-th of n workers, so that each greets its own part of the cabinets."""
        self.counts: Counter[str] = Counter()
        self._store, self._keys, self._desk, self._share = store, keys, desk, share
        self._gaps: dict[tuple[str, str], tuple[int, int]] = {}  # (cab, store) → monotonic ms since when, mark then
        self._unsaid: dict[tuple[str, str], Taken] = {}  # the newest of each store: it covers all before it
        self._refusals = Refusals(keys)
        self._roster = RosterDesk(store.books, keys, store.alarm, self.counts)
        self._patrolled_ms: int | None = None

    def heard(self, topic: str, payload: bytes, *, mono_ms: int, wall_ms: int) -> list[Reply]:
        """What to answer.  Everything it acknowledges is on disk.  Raises LedgerError where the disk failed."""
        return self.batch([(topic, payload)], mono_ms=mono_ms, wall_ms=wall_ms)

    def batch(self, messages: Iterable[tuple[str, bytes]], *, mono_ms: int, wall_ms: int) -> list[Reply]:
        """`heard` of several: a transaction an event, one wait for the disk, one acknowledgement a cabinet.

        No answer leaves before all of it is durable, duplicates and welcomes too: they tell what another worker may
        have committed a moment ago.  Raises BooksAwayError or LedgerError; then nothing of it is answered, and what
        was stored none the less is acknowledged when it is said again.
        """
        asks: list[tuple[str, bytes]] = []
        replies: list[Reply] = []
        before = self.counts.copy()
        try:
            with self._store.books.batch():
                for topic, payload in messages:
                    if topic.endswith("/up/ask"):
                        asks.append((topic, payload))
                    else:
                        replies += self._hear(topic, payload, mono_ms, wall_ms)
                replies += [self._ack(cab, store, taken) for (cab, store), taken in self._unsaid.items()]
        finally:
            self._unsaid.clear()
        self._tell(before)
        for topic, payload in asks:  # what one begins at the provider has to be durable by itself before
            replies += self._hear(topic, payload, mono_ms, wall_ms)
        return replies

    def _tell(self, before: Counter[str]) -> None:
        """A line a batch: a line an event would cost a good part of storing it."""
        stored, again, forks = (self.counts[name] - before[name] for name in ("stored", "duplicate", "fork"))
        if stored or again or forks:
            log.info("events stored=%d duplicate=%d fork=%d", stored, again, forks)

    def _hear(self, topic: str, payload: bytes, mono_ms: int, wall_ms: int) -> list[Reply]:
        place = wire.split_topic(topic)
        if place is None or place[1] != "up":
            return self._drop("garbage", "", "topic", wall_ms)
        cab, _, kind = place
        if cab not in self._keys:
            return self._drop("stranger", cab, "stranger", wall_ms)
        try:
            replies = self._understood(cab, kind, payload, mono_ms, wall_ms)
        except ForeignStoreError as error:
            self._store.alarm(cab, "foreign", str(error), wall_ms)
            return self._drop("foreign", cab, "foreign", wall_ms)
        except wire.WrongHashError:
            return self._drop("garbage", cab, "bad hash", wall_ms)
        except (wire.WireError, EntryRefusedError) as error:
            log.warning("message_refused cab=%s kind=%s why=%r", cab, wire.redact(kind), wire.redact(str(error)))
            largest = wire.MAX_EVENT_BYTES if kind == "ev" else wire.MAX_PAYLOAD_BYTES
            return self._drop("garbage", cab, "oversize" if len(payload) > largest else "garbage", wall_ms)
        self._refusals.hear(cab, wall_ms)
        return replies

    def look(self) -> None:
        """Raises BooksAwayError while the database does not answer."""
        self._store.books.row("SELECT 1 AS one")

    def call(self, when_ready: Callable[[], None]) -> None:
        """From any thread, whenever `due` has something new: a shopper waits for it at the door."""
        if self._desk is not None:
            self._desk.call(when_ready)

    def due(self, wall_ms: int) -> list[Reply]:
        """What the desk has found out meanwhile, and what the cabinets have not heard of the members yet."""
        members = [self._reply(cab, "members", part) for cab, part in self._roster.due(wall_ms)]
        return members if self._desk is None else [*self._desk.due(wall_ms), *members]

    def greetings(self, wall_ms: int) -> list[Reply]:
        """A welcome for every cabinet ever heard, so that none waits out its pause after we were away."""
        i, n = self._share
        ours = [at for at in self._store.stores() if at[0] in self._keys and zlib.crc32(at[0].encode()) % n == i]
        with self._store.books.batch():  # a welcome acknowledges as well
            return [self._welcome(cab, store, None, wall_ms) for cab, store in ours]

    def tick(self, mono_ms: int) -> list[Reply]:
        """Ask for what is still missing 10 s after a gap was seen, and again every 10 s."""
        due = [place for place, (since_ms, _) in self._gaps.items() if mono_ms - since_ms >= GAP_PATIENCE_MS]
        replies: list[Reply] = []
        for cab, store in due:
            _, then = self._gaps.pop((cab, store))
            mark, above = self._store.stands(cab, store)
            if above:  # another worker may have closed it, and there may be a younger one behind it
                self._gaps[cab, store] = (mono_ms, mark.hwm)
                replies += self._missing(cab, store, "gap", mark, above) if mark.hwm == then else []
        return replies

    def patrol(self, wall_ms: int) -> None:
        """Write down what was refused, and look after gaps, visits that stay open and wallets that are to go.

        Call every second or so.
        """
        self._refusals.write(self._store.books)
        if self._patrolled_ms is None or not 0 <= wall_ms - self._patrolled_ms < PATROL_MS:
            self._patrolled_ms = wall_ms
            for _ in watchdogs.patrol(self._store, wall_ms):
                self.counts["watchdog alarms"] += 1
            forgetting.sweep(self._store.books, wall_ms)

    def _understood(self, cab: str, kind: str, payload: bytes, mono_ms: int, wall_ms: int) -> list[Reply]:
        match kind:
            case "ev":
                return self._event(cab, payload, mono_ms, wall_ms)
            case "hello":
                return self._hello(cab, wire.parse(payload), wall_ms)
            case "ask":
                return self._ask(cab, wire.parse(payload), wall_ms)
            case "known":
                return self._known(cab, wire.parse(payload), wall_ms)
        wire.parse(payload)
        self.counts[wire.redact(kind) if kind in {"state", "telemetry", "res"} else "other"] += 1
        return []  # for whoever watches; nothing is settled by them

    def _event(self, cab: str, payload: bytes, mono_ms: int, wall_ms: int) -> list[Reply]:
        if len(payload) > wire.MAX_EVENT_BYTES:
            raise wire.WireError(f"an event of {len(payload)} bytes")
        event = wire.checked_event(wire.parse(payload))
        if not all((event[name] or "").isprintable() for name in NAMES):
            raise wire.WireError("a name with control characters")
        taken = self._store.taken(cab, event, wall_ms)  # committed when this returns, durable with the batch
        self.counts[taken.finding] += 1
        if "amount" in taken.alarms:
            self._refusals.refuse(cab, "changed amount", wall_ms)
        store = event["store"]
        if log.isEnabledFor(logging.DEBUG):
            kind, visit = wire.redact(event["type"]), event["visit"]
            log.debug("event_%s cab=%s seq=%d type=%s visit=%s", taken.finding, cab, event["seq"], kind, visit)
        self._note_gap(cab, store, taken, mono_ms)
        if taken.finding == "fork":
            self._unsaid.pop((cab, store), None)
            missing = self._missing(cab, store, "fork", taken.mark, taken.above)
            return [self._ack(cab, store, taken), *missing]
        self._unsaid[cab, store] = taken
        return []

    def _note_gap(self, cab: str, store: str, taken: Taken, mono_ms: int) -> None:
        if not taken.above:
            self._gaps.pop((cab, store), None)
        elif len(self._gaps) < MAX_GAPS and self._gaps.get((cab, store), (0, -1))[1] != taken.mark.hwm:
            self._gaps[cab, store] = (mono_ms, taken.mark.hwm)

    def _hello(self, cab: str, hello: wire.Payload, wall_ms: int) -> list[Reply]:
        store, nonce = wire.text_of(hello, "store", 64), wire.text_of(hello, "nonce", 64)
        head, h = wire.whole_of(hello, "head"), wire.text_of(hello, "h", 64)
        if not (store + h).isprintable():
            raise wire.WireError("a name with control characters")
        if (owner := self._store.owner(store)) not in {None, cab}:
            raise ForeignStoreError(f"the store {store} told by {cab} belongs to {owner}")
        self.counts["hello"] += 1
        if head and self._store.differs(cab, store, head, h):
            self._store.alarm(cab, "fork", f"store {store}: two histories at event {head}", wall_ms)
        roster = [] if self._desk is None else self._desk.greeted(cab, wall_ms)
        return [self._welcome(cab, store, nonce, wall_ms), *roster]

    def _ask(self, cab: str, ask: wire.Payload, wall_ms: int) -> list[Reply]:
        if not wire.authentic(self._keys[cab], cab, "ask", ask):
            return self._drop("forged", cab, "forged", wall_ms)
        self.counts["ask"] += 1
        return [] if self._desk is None else self._desk.asked(cab, ask, wall_ms)

    def _known(self, cab: str, said: wire.Payload, wall_ms: int) -> list[Reply]:
        if not wire.authentic(self._keys[cab], cab, "known", said):
            return self._drop("forged", cab, "forged", wall_ms)
        self.counts["known"] += 1
        return [self._reply(cab, "members", part) for part in self._roster.asked(cab, said, wall_ms)]

    def _welcome(self, cab: str, store: str, nonce: str | None, wall_ms: int) -> Reply:
        mark = self._store.mark(cab, store)
        said = {
            "store": store, "hwm": mark.hwm, "h": mark.h, "nonce": nonce, "cloud_ms": wall_ms, "config_version": 0,
            "terms": self._desk is not None and self._desk.answers,
        }  # fmt: skip
        return self._reply(cab, "welcome", said)

    def _ack(self, cab: str, store: str, taken: Taken) -> Reply:
        above = [{"seq": seq, "h": h} for seq, h in taken.above.items()]
        said = {"store": store, "upto": taken.mark.hwm, "h": taken.mark.h, "selective": above}
        return self._reply(cab, "ack", said)

    def _missing(self, cab: str, store: str, why: str, mark: Mark, above: Mapping[int, str]) -> list[Reply]:
        last = max(mark.hwm + 1, min(above, default=mark.hwm + 2) - 1)
        self.counts[f"nak {why}"] += 1
        log.warning("nak cab=%s from=%d to=%d why=%s", cab, mark.hwm + 1, last, why)
        return [self._reply(cab, "nak", {"store": store, "from": mark.hwm + 1, "to": last, "why": why})]

    def _reply(self, cab: str, kind: str, said: wire.Payload) -> Reply:
        return Reply(wire.topic(cab, "dn", kind), wire.signed(self._keys[cab], cab, kind, said))

    def _drop(self, count: str, cab: str, why: str, wall_ms: int) -> list[Reply]:
        self.counts[count] += 1
        self._refusals.refuse(cab, why, wall_ms)
        if self.counts[count] & (self.counts[count] - 1) == 0:  # 1, 2, 4, 8 …: a flood must not fill the log as well
            log.warning("message_dropped why=%s cab=%r count=%d", why, wire.redact(cab), self.counts[count])
        return []
