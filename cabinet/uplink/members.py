"""The fleet's list of members over a pipe that may lose anything: says what is known here, puts the answer together.

Pure: time and messages come in as arguments.  Whether a message is the cloud's is known before it comes here; what it
does to the roster, the keeper says.  Lost, doubled and reordered parts are weather: whoever waits asks again, and parts
of the same answer count whenever they come.

It asks after each welcome, every ten minutes, and after whatever did not fit.  An answer is fresh only if it names the
nonce of the newest ask: an old one that somebody kept back may still be right, but makes nothing younger.
"""

import random
import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from cabinet import wire
from cabinet.identity.roster import BUSY, GAP, OLD, Delta, RosterError, change_of

MAX_PARTS: Final = 4_000  # 64 MB; more is an attack on our memory
MAX_IN_PART: Final = 250  # removals are short
MAX_NONCE: Final = 64
EVERY_MS: Final = 600_000
SOONEST_MS: Final = 2_000  # between two asks
LONGEST_MS: Final = 600_000
QUIET_MS: Final = 5_000  # between two parts of one answer
SPREAD: Final = 0.25  # a fleet must not ask at one instant


class Keeper(Protocol):
    """Who has the roster here."""

    def known(self) -> tuple[int, str]:
        """Its version, and its digest."""
        ...

    def take(self, delta: Delta, *, fresh: bool) -> str:
        """Why it is refused, one of the words of cabinet.identity.roster or another; "": it is in force now."""
        ...


@dataclass(slots=True)
class Parts:
    """Collects the parts of one answer; another answer begins anew, an older one is dropped."""

    place: tuple[int, int, int, str] = (0, -1, 0, "")  # from, to, how many, digest afterwards
    found: dict[int, list[Any]] = field(default_factory=dict)

    def add(self, said: wire.Payload) -> list[Any] | None:
        """All changes once the last part has come.  Raises WireError, and changes nothing then."""
        begin, to, part, parts = (wire.whole_of(said, key) for key in ("from", "to", "part", "parts"))
        place = (begin, to, parts, wire.text_of(said, "hash", 64))
        changes = said.get("changes")
        if not 1 <= parts <= MAX_PARTS or not 1 <= part <= parts or begin > to:
            raise wire.WireError(f"part {part} of {parts}")
        if not isinstance(changes, list) or len(changes) > MAX_IN_PART:
            raise wire.WireError(f"changes is no list of at most {MAX_IN_PART}")
        if place != self.place:
            if to < self.place[1]:
                return None
            self.place, self.found = place, {}
        self.found[part] = changes
        if len(self.found) < parts:
            return None
        whole = [change for number in range(1, parts + 1) for change in self.found[number]]
        self.place, self.found = (0, -1, 0, ""), {}  # the next time it is said counts anew
        return whole


class MemberTalk:
    def __init__(self, dice: random.Random, counts: Counter[str]) -> None:
        self.keeper: Keeper | None = None  # None: nobody keeps a roster, and nothing is asked
        self._dice, self._counts = dice, counts
        self._live = False
        self._asked_ms: int | None = None
        self._due_ms = 0
        self._wait_ms = SOONEST_MS
        self._nonce: str | None = None  # of the newest ask
        self._all = False  # what is here cannot be brought to what is there: ask for all of it
        self._parts = Parts()

    def welcomed(self, now_ms: int) -> None:
        self._live, self._wait_ms = self.keeper is not None, SOONEST_MS
        self._due_ms = now_ms if self._asked_ms is None else max(now_ms, self._asked_ms + SOONEST_MS)

    def disconnected(self) -> None:
        self._live = False

    def next_ms(self) -> int | None:
        return self._due_ms if self._live else None

    def wake(self, now_ms: int) -> wire.Payload | None:
        """What to ask now, not signed yet."""
        if not self._live or self.keeper is None or now_ms < self._due_ms:
            return None
        version, digest = self.keeper.known()
        self._asked_ms, self._nonce = now_ms, secrets.token_hex(8)
        self._again(now_ms)
        self._counts["members asked"] += 1
        return {"version": version, "hash": digest, "all": self._all, "nonce": self._nonce}

    def heard(self, said: wire.Payload, now_ms: int) -> None:
        """Raises WireError for what is no such message."""
        nonce = wire.text_of(said, "nonce", MAX_NONCE)
        if self.keeper is None:
            return
        before = len(self._parts.found)
        changes = self._parts.add(said)
        if changes is None:
            if len(self._parts.found) > before:  # more of it is on its way
                latest_ms = now_ms if self._asked_ms is None else self._asked_ms + LONGEST_MS
                self._due_ms = max(self._due_ms, min(now_ms + QUIET_MS, latest_ms))
            return
        fresh, (version, _) = nonce == self._nonce, self.keeper.known()
        try:
            delta = Delta(said["from"], said["to"], tuple(change_of(raw) for raw in changes), said["hash"])
            why = self.keeper.take(delta, fresh=fresh)
        except RosterError as error:
            why = error.why
        if not why:
            self._settled(now_ms, fresh=fresh, news=said["to"] != version)
        elif why == OLD:
            self._counts["members old"] += 1
        else:
            self._counts["members refused"] += 1
            self._all = self._all or why not in {BUSY, GAP}
            self._due_ms = min(self._due_ms, self._spread(now_ms, self._wait_ms))

    def _settled(self, now_ms: int, *, fresh: bool, news: bool) -> None:
        self._counts["members"] += 1
        self._all = False
        if fresh:
            self._wait_ms = SOONEST_MS
            self._due_ms = self._spread(now_ms, EVERY_MS)
        elif news:  # told without being asked: only an answer says that it is the newest
            self._due_ms = min(self._due_ms, self._spread(now_ms, SOONEST_MS))

    def _again(self, now_ms: int) -> None:
        self._due_ms = self._spread(now_ms, self._wait_ms)
        self._wait_ms = min(2 * self._wait_ms, LONGEST_MS)

    def _spread(self, now_ms: int, wait_ms: int) -> int:
        return now_ms + round(wait_ms * self._dice.uniform(1 - SPREAD, 1 + SPREAD))
