"""The conversation with the cloud, without any I/O but the book of events: time and bytes come in as arguments.

hello → welcome → the 16 lowest unacknowledged events, each repeated until an acknowledgement names its hash.  No
attempt limit and no time to live; but an ask is said once or not at all, for somebody waits at the door.

It never believes a message without the right signature, never frees a row for anything but its hash, and carries out
no command yet.
"""

import logging
import random
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from cabinet import wire
from cabinet.identity.credit import Answer, Roster
from cabinet.ledger.entries import OutboxRow, Stamp
from cabinet.uplink.credit import Assembly, answer_of
from cabinet.uplink.members import MemberTalk

log = logging.getLogger(__name__)

WINDOW: Final = 16  # half of MQTT's receive maximum, so that hello and state always get through
FIRST_WAIT_MS: Final = 2_000
LONGEST_WAIT_MS: Final = 60_000
JITTER: Final = 0.5  # a fleet that lost its broker at one instant must not come back at one instant
MAX_SELECTIVE: Final = 64
MAX_TTL_S: Final = 10  # nobody waits longer at a locked door
STORELESS: Final = ("cmd", "terms", "roster", "members")  # about a person or a moment, not about this store's events


class Book(Protocol):
    """The outbox.  `Ledger` is one."""

    @property
    def store(self) -> str: ...
    @property
    def boot(self) -> str: ...
    def head(self) -> tuple[int, str]: ...
    def hash_at(self, seq: int) -> str | None: ...
    def waiting(self, limit: int = 16) -> Sequence[int]: ...
    def events(self, seqs: Sequence[int]) -> Sequence[OutboxRow]: ...
    def acknowledge(self, upto: int, h: str, selective: Mapping[int, str] | None = None, *, clock: Stamp) -> int: ...
    def highest_freed(self) -> int: ...
    def reopen(self, above: int) -> int: ...
    def renew_store(self, why: str, clock: Stamp) -> str: ...
    def split(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Message:
    """To be published on `up/{kind}`."""

    kind: str
    payload: bytes


@dataclass(slots=True)
class _Timer:
    """When to say it again.  The wait doubles from 2 s to 60 s; each due time is spread by ± 50 %."""

    due_ms: int = 0
    wait_ms: int = FIRST_WAIT_MS

    def again(self, now_ms: int, dice: random.Random) -> None:
        self.due_ms = now_ms + round(self.wait_ms * dice.uniform(1 - JITTER, 1 + JITTER))
        self.wait_ms = min(2 * self.wait_ms, LONGEST_WAIT_MS)


class Sender:
    def __init__(
        self,
        book: Book,
        key: bytes,
        cab: str,
        *,
        dice: random.Random,
        version: str = "",
        told_time: Callable[[int], None] | None = None,
        told_terms: Callable[[Answer], None] = lambda _: None,
        told_roster: Callable[[Roster], bool] = lambda _: True,
    ) -> None:
        """`told_time` gets the cloud's wall clock (ms) at each welcome, `told_terms` its answers to asks, `told_roster`
        each whole roster; False: it is older than what is known.
        """
        self.counts: Counter[str] = Counter()  # garbage, forged, foreign, sent, freed …
        self.welcomed = False
        self._book, self._key, self._cab, self._dice, self._version = book, key, cab, dice, version
        self._told_time, self._told_terms, self._told_roster = told_time, told_terms, told_roster
        self._desk = False  # has the cloud said that it answers asks?
        self._roster = Assembly()
        self._online = False
        self._hello = _Timer()
        self._nonce: str | None = None  # of the hello that waits for its welcome
        self._asked_ms: int | None = None
        self._freed_then = 0  # up to where we held anything for stored when we said that hello
        self._timers: dict[int, _Timer] = {}
        self._command_nonce: tuple[str, int] | None = None  # with the monotonic ms of its birth
        self.members = MemberTalk(dice, self.counts)

    def connected(self, now: Stamp) -> list[Message]:
        self._online, self.welcomed, self._hello = True, False, _Timer()
        self._timers.clear()
        return [self._say_hello(now)]

    def disconnected(self) -> None:
        self._online = self.welcomed = False
        self.members.disconnected()

    @property
    def answers_asks(self) -> bool:
        return self.welcomed and self._desk

    def ask(self, payload: wire.Payload) -> Message | None:
        """None: there is nobody to ask now."""
        if not self.answers_asks:
            return None
        self.counts["asked"] += 1
        return Message("ask", wire.signed(self._key, self._cab, "ask", payload))

    def wake(self, now: Stamp) -> list[Message]:
        """What is due now.  Call at `next_ms`, and whenever there may be new rows."""
        if not self._online:
            return []
        if not self.welcomed:
            return [self._say_hello(now)] if now.mono_ms >= self._hello.due_ms else []
        window = self._book.waiting(WINDOW)
        old, self._timers = self._timers, {}
        for seq in window:
            self._timers[seq] = old.get(seq) or _Timer()
        due = [seq for seq in window if now.mono_ms >= self._timers[seq].due_ms]
        return [*(self._say(row, now) for row in self._book.events(due)), *self._ask_members(now)]

    def next_ms(self) -> int | None:
        """The monotonic time (ms) of the next thing to say; None while there is nothing to wait for."""
        if not self._online:
            return None
        if not self.welcomed:
            return self._hello.due_ms
        members_ms = self.members.next_ms()
        others = [] if members_ms is None else [members_ms]
        return min([*others, *(timer.due_ms for timer in self._timers.values())], default=None)

    def heard(self, topic: str, payload: bytes, now: Stamp) -> list[Message]:
        """Bad bytes are weather: counted and dropped."""
        place = wire.split_topic(topic)
        handlers = {
            "welcome": self._welcome, "ack": self._ack, "nak": self._nak, "cmd": self._command, "terms": self._terms,
            "roster": self._take_roster, "members": self._take_members,
        }  # fmt: skip  # a table
        if place is None or place[:2] != (self._cab, "dn") or place[2] not in handlers:
            return self._drop("garbage", "topic")
        kind = place[2]
        try:
            said = wire.parse(payload)
            if not wire.authentic(self._key, self._cab, kind, said):
                return self._drop("forged", kind)
            if kind not in STORELESS and wire.text_of(said, "store") != self._book.store:
                return self._drop("foreign", kind)
            return handlers[kind](said, now)
        except wire.WireError:
            return self._drop("garbage", kind)

    def _drop(self, why: str, kind: str) -> list[Message]:
        self.counts[why] += 1
        log.warning("message_dropped why=%s kind=%s count=%d", why, kind, self.counts[why])
        return []

    def _say_hello(self, now: Stamp) -> Message:
        self._hello.again(now.mono_ms, self._dice)
        self._asked_ms = now.mono_ms
        self._nonce = secrets.token_hex(8)
        head, h = self._book.head()
        waiting = self._book.waiting(1)
        self._freed_then = self._book.highest_freed()
        hello = {
            "store": self._book.store, "boot": self._book.boot, "head": head, "h": h,
            "lowest": waiting[0] if waiting else None, "nonce": self._nonce, "protocol": wire.PROTOCOL,
            "version": self._version, "clock": now.quality, "wall_ms": now.wall_ms,
        }  # fmt: skip  # one line per group
        return Message("hello", wire.canonical(hello))

    def _ask_again(self, now: Stamp) -> list[Message]:
        """Something does not add up: a new hello brings the cloud's mark.  At most one in 2 s."""
        if self._asked_ms is not None and now.mono_ms - self._asked_ms < FIRST_WAIT_MS:
            return []
        return [self._say_hello(now)]

    def _say(self, row: OutboxRow, now: Stamp) -> Message:
        self._timers[row.seq].again(now.mono_ms, self._dice)
        self.counts["sent"] += 1
        return Message("ev", wire.canonical(row.message()))

    def _welcome(self, said: wire.Payload, now: Stamp) -> list[Message]:
        mark, h = wire.whole_of(said, "hwm"), wire.text_of(said, "h")
        cloud_ms = wire.whole_of(said, "cloud_ms")
        fresh = self._nonce is not None and said.get("nonce") == self._nonce
        head, _ = self._book.head()
        ours = self._book.hash_at(mark)  # None: pruned long ago, or never ours
        if mark > head or ours not in {None, h}:
            return self._split(f"the cloud's mark is {mark} with another hash, our newest event is {head}", now)
        if fresh and mark < self._freed_then:  # single rows above a gap too: saying them again costs nothing
            log.warning("cloud_is_behind mark=%d reopened=%d", mark, self._book.reopen(mark))
        elif not fresh and mark < self._book.highest_freed():  # late, replayed, or behind: only a hello can tell
            return self._ask_again(now)
        self.counts["freed"] += self._book.acknowledge(mark, h, clock=now)
        if fresh:
            self._nonce = None
        if fresh and self._told_time is not None:  # a replayed welcome tells an old time
            self._told_time(cloud_ms)
        self.welcomed = self._online
        self._desk = said.get("terms") is True
        if self.welcomed:
            self.members.welcomed(now.mono_ms)
        self._timers.clear()
        return self.wake(now)

    def _split(self, why: str, now: Stamp) -> list[Message]:
        self.counts["split"] += 1
        self.welcomed = False
        if self._book.split() is not None:  # once is a restored copy, twice is for a person to look at
            log.error("split_again why=%r", why)
            return []
        self._book.renew_store(why, now)
        self._timers.clear()
        self._hello = _Timer()
        return [self._say_hello(now)]

    def _ack(self, said: wire.Payload, now: Stamp) -> list[Message]:
        upto, h = wire.whole_of(said, "upto"), wire.text_of(said, "h")
        freed = self._book.acknowledge(upto, h, _selective(said), clock=now)
        self.counts["freed"] += freed
        if self._book.hash_at(upto) not in {None, h}:
            self.counts["wrong hash"] += 1
            return self._ask_again(now)
        return self.wake(now)

    def _nak(self, said: wire.Payload, now: Stamp) -> list[Message]:
        begin = wire.whole_of(said, "from")
        self.counts["nak"] += 1
        log.warning("nak from=%d to=%d why=%s", begin, wire.whole_of(said, "to"), wire.text_of(said, "why"))
        for seq in [seq for seq in self._timers if seq >= begin]:
            del self._timers[seq]
        return [*self._ask_again(now), *self.wake(now)]

    def _terms(self, said: wire.Payload, _: Stamp) -> list[Message]:
        self._told_terms(answer_of(said))
        return []

    def _take_roster(self, said: wire.Payload, _: Stamp) -> list[Message]:
        older = wire.whole_of(said, "version") < self._roster.version
        whole = self._roster.add(said)
        if older or (whole is not None and not self._told_roster(whole)):
            return self._drop("old roster", "roster")
        self.counts["rosters"] += whole is not None
        return []

    def _ask_members(self, now: Stamp) -> list[Message]:
        ask = self.members.wake(now.mono_ms)
        return [] if ask is None else [Message("known", wire.signed(self._key, self._cab, "known", ask))]

    def _take_members(self, said: wire.Payload, now: Stamp) -> list[Message]:
        self.members.heard(said, now.mono_ms)
        return self._ask_members(now)

    def _command(self, said: wire.Payload, now: Stamp) -> list[Message]:
        """Answers `expired` with a fresh nonce, or `unknown kind`: there are no kinds yet.

        A command must carry the nonce of our last answer, and come within its own ttl of that answer: no wall clock
        is compared, and a command kept back by anybody opens nothing.
        """
        name, kind, ttl_s = wire.text_of(said, "id"), wire.text_of(said, "kind"), wire.whole_of(said, "ttl_s")
        nonce = wire.text_of(said, "nonce")
        born = self._command_nonce
        self._command_nonce = (secrets.token_hex(8), now.mono_ms)
        age_ms = None if born is None or born[0] != nonce else now.mono_ms - born[1]
        in_time = age_ms is not None and age_ms <= 1000 * min(ttl_s, MAX_TTL_S)
        result = "unknown kind" if in_time else "expired"
        self.counts[f"command {result}"] += 1
        log.info("command_refused id=%s kind=%s result=%r", name, kind, result)
        answer = {"id": name, "result": result, "nonce": self._command_nonce[0]}
        return [Message("res", wire.canonical(answer))]


def _selective(said: Mapping[str, Any]) -> dict[int, str]:
    """The single rows stored above a gap, as seq → hash.  Raises WireError."""
    found = said.get("selective", [])
    if not isinstance(found, list) or len(found) > MAX_SELECTIVE:
        raise wire.WireError(f"selective is no list of at most {MAX_SELECTIVE}")
    rows: dict[int, str] = {}
    for pair in found:
        if not isinstance(pair, dict):
            raise wire.WireError("selective holds what is no object")
        rows[wire.whole_of(pair, "seq")] = wire.text_of(pair, "h")
    return rows
