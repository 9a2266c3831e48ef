"""Tells the cabinets whom none of them lets in: after each greeting, each change, and every ten minutes.

The desk of a cloud without a provider: it answers no asks and does not say that it would, so that cabinets do not wait
for it and go by the roster and their own limits.
"""

from collections.abc import Callable, Mapping
from typing import Final

from cabinet import wire
from cabinet.cloud.books import Books
from cabinet.cloud.money import roster
from cabinet.cloud.service import Reply

LOOK_MS: Final = 2_000


class Gate:
    """A cabinet.cloud.service.Desk."""

    answers = False

    def __init__(self, books: Books, keys: Mapping[str, bytes]) -> None:
        self._books, self._keys = books, keys
        self._looked_ms = 0
        self._known: tuple[int, tuple[int, roster.Blocked]] | None = None  # when it was read, and the roster

    def asked(self, cab: str, ask: wire.Payload, now_ms: int) -> list[Reply]:
        del cab, ask, now_ms
        return []

    def due(self, now_ms: int) -> list[Reply]:
        if now_ms - self._looked_ms < LOOK_MS:
            return []
        self._looked_ms = now_ms
        version, found = self._current(now_ms)
        if not roster.take_turn(self._books, version, now_ms):
            return []
        cabs = [row["cab"] for row in self._books.rows("SELECT cab FROM heard UNION SELECT cab FROM mark ORDER BY cab")]
        return [reply for cab in cabs if cab in self._keys for reply in self._roster(cab, version, found)]

    def greeted(self, cab: str, now_ms: int) -> list[Reply]:
        return self._roster(cab, *self._current(now_ms))

    def call(self, when_ready: Callable[[], None]) -> None:
        """Nothing here is found out meanwhile."""

    def close(self) -> None: ...

    def _current(self, now_ms: int) -> tuple[int, roster.Blocked]:
        """Read at most every two seconds: a whole fleet may come back at once."""
        if self._known is None or not 0 <= now_ms - self._known[0] < LOOK_MS:
            self._known = now_ms, roster.current(self._books)
        return self._known[1]

    def _roster(self, cab: str, version: int, found: roster.Blocked) -> list[Reply]:
        cut = roster.parts(found)
        said = [{"version": version, "part": n, "parts": len(cut), "blocked": part} for n, part in enumerate(cut, 1)]
        key, topic = self._keys[cab], wire.topic(cab, "dn", "roster")
        return [Reply(topic, wire.signed(key, cab, "roster", part)) for part in said]
