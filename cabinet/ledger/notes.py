"""Small durable things without a table of their own: the time floor, wrong attempts, why the uplink stopped."""

from cabinet.ledger.room import Room


class NoteRoom(Room):
    def note(self, key: str) -> str | None:
        row = self._file.row("SELECT value FROM note WHERE key = ?", key)
        return None if row is None else str(row["value"])

    def set_note(self, key: str, value: str) -> None:
        with self._file.writing() as db:
            db.execute("INSERT INTO note VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", [key, value])

    def drop_note(self, key: str) -> None:
        """Safe where there is none."""
        with self._file.writing() as db:
            db.execute("DELETE FROM note WHERE key = ?", [key])

    def notes(self, prefix: str = "") -> dict[str, str]:
        """Every note whose key begins with `prefix`."""
        found = self._file.rows("SELECT key, value FROM note WHERE substr(key, 1, ?) = ?", len(prefix), prefix)
        return {row["key"]: row["value"] for row in found}
