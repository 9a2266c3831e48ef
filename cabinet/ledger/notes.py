"""Small durable things without a table of their own: the time floor, wrong attempts, why the uplink stopped."""

from typing import Final

from cabinet.ledger.entries import Stamp
from cabinet.ledger.room import Room

FLOOR: Final = "clock.floor"


class NoteRoom(Room):
    def note(self, key: str) -> str | None:
        row = self._file.row("SELECT value FROM note WHERE key = ?", key)
        return None if row is None else str(row["value"])

    def set_note(self, key: str, value: str) -> None:
        with self._file.writing() as db:
            db.execute("INSERT INTO note VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", [key, value])

    def time_floor_ms(self) -> int:
        """How late it is at least (ms since 1970); 0: nobody knows."""
        noted = self.note(FLOOR)
        return int(noted) if noted is not None and noted.isdecimal() else 0

    def keep_time_floor(self, clock: Stamp) -> None:
        if clock.quality != "none" and clock.wall_ms > self.time_floor_ms():
            self.set_note(FLOOR, str(clock.wall_ms))

    def drop_note(self, key: str) -> None:
        """Safe where there is none."""
        with self._file.writing() as db:
            db.execute("DELETE FROM note WHERE key = ?", [key])

    def notes(self, prefix: str = "") -> dict[str, str]:
        """Every note whose key begins with `prefix`."""
        found = self._file.rows("SELECT key, value FROM note WHERE substr(key, 1, ?) = ?", len(prefix), prefix)
        return {row["key"]: row["value"] for row in found}
