"""Tells each cabinet the fleet's list of members: what has changed since the version that it has, or all of it.

All of it where the cabinet's digest is not the one of its version, where its version is too old, or where it asks for
that.  After a change the cabinets are told without asking, once, by whichever worker comes first; who misses it asks.
It answers a cabinet at most twice a second, and never with another cabinet's members.
"""

import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cabinet import wire
from cabinet.cloud.books import Books
from cabinet.cloud.roster import KEPT_VERSIONS, FleetRoster
from cabinet.cloud.roster_values import View
from cabinet.identity.entry import fingerprint
from cabinet.identity.roster import EMPTY

log = logging.getLogger(__name__)

LOOK_MS: Final = 2_000
SOONEST_MS: Final = 500
HEADER: Final = 600  # bytes of a message without its changes, at the most
MAX_IN_PART: Final = 250
VIEWS: Final = 8
TRIES: Final = 3
MOST_AHEAD: Final = 1_000_000  # of a cabinet whose books were lost; beyond, somebody plays with its key

Alarm = Callable[[str, str, str, int], None]  # cabinet, kind, what, when

AT: Final = (
    "INSERT INTO roster_at (cab, version, told_ms, expected) VALUES (?, ?, ?, ?) ON CONFLICT (cab) DO UPDATE SET"
    " version = excluded.version, told_ms = excluded.told_ms, expected = excluded.expected"
)


@dataclass(slots=True)
class RosterDesk:
    books: Books
    keys: Mapping[str, bytes]
    alarm: Alarm
    counts: Counter[str]
    _fleet: FleetRoster = field(init=False)
    _views: OrderedDict[int, View] = field(default_factory=OrderedDict)
    _answered: dict[str, int] = field(default_factory=dict)
    _looked_ms: int | None = None

    def __post_init__(self) -> None:
        self._fleet = FleetRoster(self.books)

    def asked(self, cab: str, said: wire.Payload, now_ms: int) -> list[wire.Payload]:
        """The signature has been checked.  Raises WireError for what is no such question."""
        version, told = wire.whole_of(said, "version"), wire.text_of(said, "hash", 64)
        nonce, everything = wire.text_of(said, "nonce", 64), said.get("all")
        if not isinstance(everything, bool):
            raise wire.WireError("all is neither true nor false")
        if 0 <= now_ms - self._answered.get(cab, -SOONEST_MS) < SOONEST_MS:
            self.counts["known too often"] += 1
            return []
        self._answered[cab] = now_ms
        head = self._fleet.version()
        if version > head:
            self._behind(cab, version, head, now_ms)
        parts = self._answer(cab, None if everything else (version, told), nonce)
        with self.books.writing():
            self.books.run(AT, cab, version, now_ms, parts[0]["to"] if parts else version)
        return parts

    def due(self, now_ms: int) -> list[tuple[str, wire.Payload]]:
        """(cabinet, message) for those that have not heard of the newest change."""
        if self._looked_ms is not None and 0 <= now_ms - self._looked_ms < LOOK_MS:
            return []
        self._looked_ms = now_ms
        row = self.books.row("SELECT version, sent FROM roster_head")
        if row is None or row["sent"] >= row["version"]:
            return []
        with self.books.writing():
            ours = self.books.run("UPDATE roster_head SET sent = version WHERE sent < version")
            behind = self.books.rows(
                "SELECT cab, expected FROM roster_at WHERE expected < ? ORDER BY cab", row["version"]
            )
            self.books.run("UPDATE roster_at SET expected = ? WHERE expected < ?", row["version"], row["version"])
        if not ours:
            return []
        return [
            (at["cab"], part)
            for at in behind
            if at["cab"] in self.keys
            for part in self._answer(at["cab"], (at["expected"], None), "")
        ]

    def _behind(self, cab: str, version: int, head: int, now_ms: int) -> None:
        """These books are older than what a cabinet has: they were put back from a copy, or its key is abused."""
        what = f"{cab} has version {version} of the list of members, the books {head}: were they put back from a copy?"
        self.alarm(cab, "roster", what, now_ms)
        if version - head <= MOST_AHEAD:
            self._fleet.raise_to(version + 1)

    def _answer(self, cab: str, at: tuple[int, str | None] | None, nonce: str) -> list[wire.Payload]:
        """`at`: the version that it has, and its digest (None: the one that it should be); None: whatever it has."""
        for _ in range(TRIES):
            head = self._view(self._fleet.version())
            begin, before = 0, dict[Any, str]()
            if at is not None and self._goes_on(cab, head.version, *at):
                begin, before = at[0], self._view(at[0]).of(cab)
            changes = self._changes(before, head.of(cab))
            if changes is not None:
                cut = _cut(changes)
                self.counts["members deltas" if begin else "members wholes"] += 1
                log.info("members_told cab=%s from=%d to=%d parts=%d", wire.redact(cab), begin, head.version, len(cut))
                same = {"from": begin, "to": head.version, "parts": len(cut), "hash": head.digest(cab), "nonce": nonce}
                return [{**same, "part": number, "changes": part} for number, part in enumerate(cut, 1)]
        return []  # somebody changes it all the time: the cabinet asks again

    def _goes_on(self, cab: str, head: int, version: int, told: str | None) -> bool:
        if not max(0, head - KEPT_VERSIONS) <= version <= head:
            return False
        found = self._view(version).digest(cab) if version else EMPTY
        return told is None or found == told

    def _changes(self, before: Mapping[Any, str], now: Mapping[Any, str]) -> list[dict[str, Any]] | None:
        """None: the members have changed since the view was taken."""
        news = [member for member in now if now[member] != before.get(member)]
        entries = self._fleet.entries(news)
        if any(member not in entries or fingerprint(entries[member]) != now[member] for member in news):
            return None
        gone = [member for member in before if member not in now]
        made = [
            *({"op": "remove", "member": member} for member in gone),
            *({"op": "change" if member in before else "add", "entry": entries[member]} for member in news),
        ]
        return sorted(made, key=lambda change: change.get("member") or change["entry"]["member"])

    def _view(self, version: int) -> View:
        """A version never changes: what was read of it once is true."""
        if version not in self._views:
            self._views[version] = self._fleet.view(version)
            while len(self._views) > VIEWS:
                self._views.popitem(last=False)
        self._views.move_to_end(version)
        return self._views[version]


def _cut(changes: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """As few messages as they fit in, the same for the same changes; one, too, where nothing has changed."""
    cut: list[list[dict[str, Any]]] = [[]]
    size = HEADER
    for change in changes:
        more = len(wire.canonical(change)) + 1
        if cut[-1] and (size + more > wire.MAX_PAYLOAD_BYTES or len(cut[-1]) >= MAX_IN_PART):
            cut.append([])
            size = HEADER
        cut[-1].append(change)
        size += more
    return cut
