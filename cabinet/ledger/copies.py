"""A copy of everything that is kept of a member, for them: every row of every table that names them.

Of codes only how many there are, because they open the door; fingerprints of codes are nobody's to read.
"""

import json
from typing import Any, Final

from cabinet.ledger.people import DIGITS, PeopleRoom, template_of
from cabinet.ledger.room import unpack
from cabinet.ledger.vault import MemberKey
from cabinet.units import MemberId

STAYS: Final = frozenset({"visit", "roster"})  # the bare id: what was bought, and whom the cloud must not bring back
SECRET: Final = frozenset({"wrapped", "name", "digits", "vector", "sha256"})  # columns that stand sealed, or hashed


class CopyRoom(PeopleRoom):
    def export_member(self, member: MemberId) -> dict[str, Any]:
        """Everything held of the member, in the open; {} for a stranger.  Of codes only when and how many."""
        known = self.member(member)
        if known is None:
            return {}
        row = self._file.rows("SELECT wrapped, digits FROM member WHERE member = ?", member)[0]
        key = self.vault.key_of(member, row["wrapped"])
        digits = None if key is None else key.open(row["digits"], DIGITS)
        return {
            "member": member,
            "name": known.name if known.readable else None,
            "source": known.source,
            "digits": None if digits is None else digits.decode(),
            "codes": known.tokens,
            "templates": self._templates_of(member, key),
            "visits": self._visits_of(member),
            "accesses": self._accesses_of(member),
            "rows": {table: self._rows_of(table, member) for table in self._tables() if table != "template"},
        }

    def _templates_of(self, member: MemberId, key: MemberKey | None) -> list[dict[str, Any]]:
        """A template that does not open is told as such."""
        told = []
        for row in self._file.rows("SELECT model, vector FROM template WHERE member = ? ORDER BY n", member):
            opened = None if key is None else key.open(row["vector"], template_of(row["model"]))
            told.append({"model": row["model"], "numbers": None if opened is None else list(unpack(opened))})
        return told

    def _visits_of(self, member: MemberId) -> list[dict[str, Any]]:
        fields = (
            "visit, purpose, who, reason, opened_wall_ms, closed_wall_ms, outcome, why, lines, total_minor, currency,"
            " evidence_hash, terms"
        )
        visits = self._file.rows(f"SELECT {fields} FROM visit WHERE member = ? ORDER BY n", member)  # noqa: S608  # our own text
        changes = self._file.rows(
            "SELECT a.visit, a.kind, a.back_minor, a.reason, a.wall_ms FROM adjustment a JOIN visit v USING (visit)"
            " WHERE v.member = ? ORDER BY a.n",
            member,
        )
        return [
            {
                **visit, "lines": json.loads(visit["lines"]), "terms": json.loads(visit["terms"]),
                "changes": [change for change in changes if change["visit"] == visit["visit"]],
            }
            for visit in visits
        ]  # fmt: skip  # a row

    def _accesses_of(self, member: MemberId) -> list[dict[str, Any]]:
        return self._file.rows(
            "SELECT a.who, a.what, a.visit, a.why, a.at_ms FROM access_log a JOIN visit v USING (visit)"
            " WHERE v.member = ? ORDER BY a.n",
            member,
        )

    def _rows_of(self, table: str, member: MemberId) -> list[dict[str, Any]]:
        rows = self._file.rows(f'SELECT * FROM "{table}" WHERE member = ?', member)  # noqa: S608  # names by SQLite
        return [{name: _plain(value) for name, value in row.items() if name not in SECRET} for row in rows]

    def _tables(self) -> list[str]:
        found = self._file.rows(
            "SELECT DISTINCT s.name FROM sqlite_schema s, pragma_table_info(s.name) c"
            " WHERE s.type = 'table' AND c.name = 'member' ORDER BY s.name"
        )
        return [row["name"] for row in found if row["name"] not in STAYS]


def _plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value
