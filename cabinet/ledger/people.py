"""The people's rows as they are at rest: sealed.  What every room of members reads, and how old rows came to be sealed.

Name, digits and templates open only with the member's own key, and that only with device.key.  A row that does not
open (another device's key, a flipped bit) is left out and counted in `sealed_trouble`: never guessed, never fatal.
"""

import base64
import binascii
import contextlib
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from cabinet.ledger.entries import Consent, Member
from cabinet.ledger.errors import EntryRefusedError
from cabinet.ledger.outbox import OutboxRoom
from cabinet.ledger.scrub import holds, shredded
from cabinet.ledger.vault import MemberKey, Vault, mark_of
from cabinet.units import MemberId, VisitId

NAME: Final = "name"
DIGITS: Final = "digits"
ASIDE: Final = ".damaged-"  # as cabinet.ledger.recovery names what it moves aside

PEOPLE: Final = (
    "SELECT m.*, (SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM template t WHERE t.member = m.member"
    " GROUP BY t.model)) AS templates, (SELECT count(*) FROM token t WHERE t.member = m.member) AS tokens,"
    " (SELECT max(opened_wall_ms) FROM visit v WHERE v.member = m.member) AS last_visit_ms FROM member m"
)

log = logging.getLogger(__name__)


class PeopleRoom(OutboxRoom):
    _vault: Vault | None = None
    _owed: Sequence[bytes] = ()  # rows that stood in the open, still to be scrubbed

    @property
    def vault(self) -> Vault:
        return self.seal()

    def seal(self) -> Vault:
        """Rows that an earlier program left in the open are sealed before anybody reads the first."""
        if self._vault is None:
            self._vault = Vault(self._file.path.parent)
            self._owed = self._seal_plain(self._vault)
        if self._owed and not self._file.connection.in_transaction:
            self._owed, owed = (), self._owed
            self._rewrite()
            for path in self._aside():
                shredded(path, owed)
        return self._vault

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """What is done within is done whole, or not at all."""
        with self._file.writing():
            yield

    def sealed_trouble(self) -> str | None:
        """What did not open when it was last asked for, and what to do; None: everything did."""
        vault = self.vault
        counts = ", ".join(f"{n} {what}" for what, n in vault.unopened.items() if n)
        if not counts:
            return vault.trouble
        why = vault.trouble or "they were sealed by another device.key, or have changed since"
        return f"{counts} cannot be opened ({why}): put back device.key, or those members enrol again"

    def members(self) -> list[Member]:
        """Everybody, in the order of enrolment."""
        self.seal()
        found = [self._member(row) for row in self._file.rows(f"{PEOPLE} ORDER BY m.rowid")]
        self._did_not_open("names", sum(not one.readable for one in found))
        return found

    def member(self, member: MemberId) -> Member | None:
        self.seal()
        row = self._file.row(f"{PEOPLE} WHERE m.member = ?", member)
        return None if row is None else self._member(row)

    def visits_of(self, member: MemberId) -> list[VisitId]:
        """All that still name them, oldest first."""
        rows = self._file.rows("SELECT visit FROM visit WHERE member = ? ORDER BY n", member)
        return [VisitId(row["visit"]) for row in rows]

    def _member(self, row: dict[str, Any]) -> Member:
        key = self.vault.key_of(row["member"], row["wrapped"])
        name = None if key is None else self._open_name(key, row["name"])
        return Member(
            row["member"], "" if name is None else name.decode(),
            Consent(row["consent_version"], row["consent_at_ms"], row["consent_language"]),
            row["templates"], row["tokens"], row["age"], row["source"], bool(row["verified"]),
            digits=row["digits"] is not None, enrolled_at_ms=row["consent_at_ms"], last_visit_ms=row["last_visit_ms"],
            readable=name is not None,
        )  # fmt: skip  # a row

    @staticmethod
    def _open_name(key: MemberKey, text: str) -> bytes | None:
        try:
            return key.open(base64.b64decode(text, validate=True), NAME)
        except (binascii.Error, ValueError):
            return None

    def _own_key(self, member: MemberId) -> MemberKey:
        """Of a member who is there.  Raises EntryRefusedError."""
        vault, row = self.vault, self._file.row("SELECT wrapped FROM member WHERE member = ?", member)
        if row is None:
            raise EntryRefusedError(f"there is no member {member}")
        key = vault.key_of(member, row["wrapped"])
        if key is None:
            raise EntryRefusedError(
                f"the member {member} was sealed by another device.key: put it back, or erase and enrol them again"
            )
        return key

    def _did_not_open(self, what: str, unopened: int) -> None:
        before = self.vault.unopened
        if unopened and before.get(what) != unopened:
            log.error("sealed_rows_do_not_open what=%s count=%d", what, unopened)
        before[what] = unopened

    # Scrubbing.

    def _at_rest(self, member: MemberId) -> list[bytes]:
        """Every sealed byte of the member's, as it stands in the file; the wrapped key first."""
        self.seal()
        row = self._file.row("SELECT wrapped, name, digits FROM member WHERE member = ?", member)
        if row is None:
            return []
        vectors = self._file.rows("SELECT vector FROM template WHERE member = ?", member)
        kept = (row["wrapped"], row["name"].encode(), row["digits"], *(one["vector"] for one in vectors))
        return [one for one in kept if one]

    def _scrub(self, at_rest: Sequence[bytes]) -> None:
        """No copy of these rows stays in the ledger's files or in damaged ones moved aside; outside any transaction."""
        self._file.forget_deleted()
        path = self._file.path
        files = (path, path.with_name(f"{path.name}-wal"))
        mark = mark_of(at_rest[0])
        if any(holds(file, (mark, sealed_text(mark).encode())) for file in files):
            self._rewrite()  # SQLite zeroes what it frees, not what it has moved about
        for file in self._aside():
            shredded(file, at_rest)

    def _rewrite(self) -> None:
        """Every page anew.  On a full disk it stays as it is, and that is said."""
        self._file.forget_deleted()
        try:
            self._file.connection.execute("VACUUM")
        except sqlite3.Error as error:
            log.error("ledger_not_rewritten why=%s", error)  # noqa: TRY400  # the traceback says nothing more
        self._file.forget_deleted()

    def _aside(self) -> list[Path]:
        return sorted(self._file.path.parent.glob(f"{self._file.path.name}{ASIDE}*"))

    # Rows of a program that kept them in the open.

    def _seal_plain(self, vault: Vault) -> list[bytes]:
        """All of them or none.  What stood in the open, to be scrubbed once the transaction is over."""
        plain = self._file.rows("SELECT member, name FROM member WHERE wrapped IS NULL")
        if not plain:
            return []
        owed = []
        with self._file.writing() as db:
            for row in plain:
                member = MemberId(row["member"])
                key, wrapped = vault.new_key(member)
                vectors = self._file.rows("SELECT n, model, vector FROM template WHERE member = ?", member)
                for one in vectors:
                    sealed = key.seal(one["vector"], template_of(one["model"]))
                    db.execute("UPDATE template SET vector = ? WHERE n = ?", [sealed, one["n"]])
                name = sealed_text(key.seal(row["name"].encode(), NAME))
                db.execute("UPDATE member SET wrapped = ?, name = ? WHERE member = ?", [wrapped, name, member])
                owed += [one["vector"] for one in vectors] + [f"{member}{row['name']}".encode()]
        log.info("members_sealed count=%d", len(plain))
        return owed


def template_of(model: str) -> str:
    """What a sealed template is for: one model's does not open as another's."""
    return f"template {model}"


def sealed_text(sealed: bytes) -> str:
    """A sealed name stands in a column of text."""
    return base64.b64encode(sealed).decode()
