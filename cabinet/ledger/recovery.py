"""Opening the ledger at boot: sound, or damaged and then recovered into a new one.

A damaged file is never deleted: it is moved aside with its log, as `ledger.db.damaged-ULID`.  Everything readable goes
into a new file with a new store, and an incident tells of it; nothing is sold until the cloud has stored that incident.
A file of something else, and one of a newer program, are refused as ever.  A power cut at any instant of this leaves
either the damaged file where it was, or a finished new one that the next start puts in its place.
"""

import contextlib
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cabinet.ledger import Incident, Ledger, Stamp
from cabinet.ledger.errors import LedgerDamagedError, LedgerError, LedgerForeignError
from cabinet.ledger.journal import AGAIN
from cabinet.ledger.outbox import SPLIT, SPLIT_WHY
from cabinet.ledger.pages import whole
from cabinet.ledger.rebuild import Rebuild
from cabinet.ledger.salvage import salvaged
from cabinet.ledger.schema import APPLICATION_ID, MIGRATIONS

DAMAGED: Final = ".damaged-"  # what was moved aside, with the ULID of its recovery
DONE: Final = ".recovered-"  # a finished new file that is not in its place yet
DRAFT: Final = ".recovering"
LOGS: Final = ("", "-wal", "-shm")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery kept and lost; `kept` and `lost` count rows by table."""

    aside: Path
    how: str
    kept: Mapping[str, int]
    lost: Mapping[str, int]

    def told(self) -> str:
        kept = ", ".join(f"{self.kept[name]} {name}" for name in ("visits", "events", "member", "product", "stock"))
        lost = ", ".join(f"{n} {name}" for name, n in self.lost.items() if n) or "nothing that is known"
        return f"the ledger was damaged and recovered {self.how}: kept {kept}; lost {lost}"


def opened(path: Path, clock: Stamp, new_id: Callable[[], str]) -> tuple[Ledger, Recovered | None]:
    """The ledger, and what had to be done for it.  Raises LedgerError where nothing can be done; it says what."""
    _finish(path)
    try:
        return _sound(path), None
    except LedgerForeignError:
        raise
    except LedgerDamagedError as error:
        why = " ".join(str(error).partition("; stop the cabinet")[0].split())
        log.error("ledger_damaged why=%s", why)  # noqa: TRY400  # the traceback says nothing more
        try:
            recovered = _recover(path, clock, new_id(), error)
        except LedgerDamagedError:
            _forget(path.with_name(path.name + DRAFT))
            raise
        except (OSError, sqlite3.Error) as failed:
            raise LedgerError(f"{error}; recovering it failed as well: {failed}") from failed
    log.warning("ledger_recovered aside=%s what=%s", recovered.aside, recovered.told())
    return Ledger(path), recovered


def damaged_files(path: Path) -> list[Path]:
    """What was moved aside in the ledger's life, oldest first."""
    found = path.parent.glob(f"{path.name}{DAMAGED}*")
    return sorted(file for file in found if not file.name.endswith(("-wal", "-shm")))


def _sound(path: Path) -> Ledger:
    """SQLite looks at its pages, we at what waits for the cloud: an event that has rotted would be refused for ever."""
    with contextlib.ExitStack() as failing:
        ledger = failing.enter_context(Ledger(path))
        rotten = ledger.rotten()
        if rotten is not None:
            raise LedgerDamagedError(f"the ledger {path} is damaged ({rotten})")
        failing.pop_all()
    return ledger


def _recover(path: Path, clock: Stamp, name: str, error: LedgerDamagedError) -> Recovered:
    """Raises the error itself where not one row is readable: that is for a person, who may have a copy."""
    draft, done = (path.with_name(path.name + ending) for ending in (DRAFT, DONE + name))
    _forget(draft)
    content = bytes(whole(path, mark=APPLICATION_ID, version=len(MIGRATIONS)))
    with Ledger(draft) as ledger:
        found, how = salvaged(content, _columns(ledger))
        if not any(found.values()):
            raise error
        with ledger._file.writing():  # noqa: SLF001  # the new ledger is made here
            rebuild = Rebuild(ledger, found)
            rebuild.run()
            recovered = Recovered(_aside(path, name), how, rebuild.kept, rebuild.lost)
            _tell(ledger, recovered, clock)
        ledger._file.forget_deleted()  # noqa: SLF001  # all of it in one file
    _forget_logs(draft)
    draft.replace(done)
    _sync(path.parent)
    _finish(path)
    return recovered


def _tell(ledger: Ledger, recovered: Recovered, clock: Stamp) -> None:
    """The incident; nothing is sold before the cloud has it.  The board is to tell its whole journal again."""
    state = ledger.state()
    if state is None:
        raise LedgerError("the recovered ledger has no state")
    ledger.commit(state, [Incident(recovered.told(), at="ledger")], clock)
    ledger.set_note(SPLIT, str(ledger.head()[0]))
    ledger.set_note(SPLIT_WHY, "the ledger was damaged and recovered; waiting until the cloud has stored that incident")
    ledger.set_note(AGAIN, "1")


def _columns(ledger: Ledger) -> dict[str, list[str]]:
    tables = ledger._file.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")  # noqa: SLF001  # likewise
    return {
        table["name"]: [row["name"] for row in ledger._file.rows(f"PRAGMA table_info({table['name']})")]  # noqa: SLF001  # likewise
        for table in tables
    }


def _finish(path: Path) -> None:
    """Put a finished recovery in its place; each step may be done already.

    The log goes before the new file comes: SQLite would write the old one's pages into it.
    """
    for done in sorted(path.parent.glob(f"{path.name}{DONE}*")):
        aside = _aside(path, done.name.removeprefix(path.name + DONE))
        for ending in LOGS:
            _keep(path.with_name(path.name + ending), aside.with_name(aside.name + ending))
        _sync(path.parent)
        _forget_logs(path)
        _sync(path.parent)
        done.replace(path)
        _sync(path.parent)


def _aside(path: Path, name: str) -> Path:
    return path.with_name(path.name + DAMAGED + name)


def _keep(old: Path, aside: Path) -> None:
    """A second name for the same bytes; a copy where the file system knows no second names."""
    if not old.exists() or aside.exists():
        return
    try:
        aside.hardlink_to(old)
    except OSError:
        shutil.copy2(old, aside)
        with aside.open("rb") as copy:
            os.fsync(copy.fileno())


def _forget(path: Path) -> None:
    path.unlink(missing_ok=True)
    _forget_logs(path)


def _forget_logs(path: Path) -> None:
    for ending in LOGS[1:]:
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system that cannot: nothing better can be done
            os.fsync(handle)
    finally:
        os.close(handle)
