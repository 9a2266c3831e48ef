"""What was refused, and who was heard when: counted in memory, written to the books once in a while.

A flood of garbage must not cost a disk write a piece.  Bounded: the reasons are ours, the cabinets are those with a
key; every other name goes under "?".  A kill loses at most what was counted since the last `write`.
"""

from collections.abc import Container
from typing import Final

from cabinet.cloud.books import Books

STRANGER: Final = "?"
HEARD_EVERY_MS: Final = 60_000  # "heard" is true to the minute; a write per message would double our writes

REFUSED: Final = (
    "INSERT INTO refusal (cab, why, n, first_ms, last_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (cab, why) DO UPDATE SET"
    " n = refusal.n + excluded.n, last_ms = CASE WHEN excluded.last_ms > refusal.last_ms"
    " THEN excluded.last_ms ELSE refusal.last_ms END"
)
HEARD: Final = (
    "INSERT INTO heard (cab, last_ms) VALUES (?, ?) ON CONFLICT (cab) DO UPDATE SET last_ms = excluded.last_ms"
    " WHERE heard.last_ms < excluded.last_ms"
)


class Refusals:
    def __init__(self, known: Container[str]) -> None:
        self._known = known
        self._refused: dict[tuple[str, str], tuple[int, int, int]] = {}  # (cab, why) → n, first, last
        self._heard: dict[str, int] = {}  # cab → when it was last heard, of those not written yet
        self._written: dict[str, int] = {}

    def refuse(self, cab: str, why: str, now_ms: int) -> None:
        place = (cab if cab in self._known else STRANGER, why)
        n, first_ms, _ = self._refused.get(place, (0, now_ms, now_ms))
        self._refused[place] = (n + 1, first_ms, now_ms)

    def hear(self, cab: str, now_ms: int) -> None:
        """Of a cabinet with a key."""
        if now_ms - self._written.get(cab, -HEARD_EVERY_MS) >= HEARD_EVERY_MS:
            self._heard[cab] = now_ms

    def write(self, books: Books) -> None:
        """In one transaction, always in the same order: several workers do the same.  What fails is kept for later."""
        if not self._refused and not self._heard:
            return
        with books.writing("cabinet: refusals"):
            for (cab, why), (n, first_ms, last_ms) in sorted(self._refused.items()):
                books.run(REFUSED, cab, why, n, first_ms, last_ms)
            for cab, last_ms in sorted(self._heard.items()):
                books.run(HEARD, cab, last_ms)
        self._written |= self._heard
        self._refused.clear()
        self._heard.clear()
