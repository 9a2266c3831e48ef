"""The ledger's file and the disk round it: opened, or recovered, at the start; guarded while the cabinet lives."""

import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from cabinet import clock, logsafe
from cabinet.adapters.mcu import BoardParts
from cabinet.ballast import MIB, Ballast
from cabinet.caretaker import Caretaker
from cabinet.config import Config
from cabinet.daemon import Daemon, Happened
from cabinet.ledger import Ledger
from cabinet.ledger.recovery import damaged_files, opened
from cabinet.parts import Parts
from cabinet.senses.diary import Diary
from cabinet.session.states import faults

LEDGER = "ledger.db"
LEAST_MIB = 1  # SQLite needs its log and its index before it can even be asked

log = logging.getLogger(__name__)


def ballast(facts: Config) -> Ballast:
    return Ballast(facts.cabinet.data_dir / "ballast", facts.storage.ballast_mib)


def open_ledger(facts: Config) -> Ledger:
    """Raises LedgerError for what is no ledger of ours, is newer, or cannot be recovered."""
    folder = facts.cabinet.data_dir
    if shutil.disk_usage(folder).free < LEAST_MIB * MIB:
        ballast(facts).give_up()
    ledger, _ = opened(folder / LEDGER, clock.stamp(), clock.new_visit)
    clock.FLOOR.begin(ledger.time_floor_ms())
    return ledger


def attend(facts: Config, ledger: Ledger, caretaker: Caretaker, diary: Diary, board: BoardParts) -> None:
    """Who gives up what on a full disk, and who reads what only the board knows."""
    caretaker.ballast = ballast(facts)
    ledger.on_full_disk(caretaker.ballast.give_up)
    diary.end = lambda: None if board.why_away or board.board.facts is None else board.board.facts.journal_next
    caretaker.chores = (diary.settle,)


def without_cloud(ledger: Ledger, parts: Parts, daemon: Daemon) -> None:
    """A recovered ledger waits for a service visit where no cloud can store its incident.

    What a technician has to look at stays in the machine's own, durable state; only then is it forgotten here.
    """
    why = ledger.split()
    if why is not None:

        def settled(step: Happened) -> None:
            if ledger.split() is not None and any(f.part == "history" and f.latched for f in faults(step.after)):
                ledger.forget_split()

        daemon.watchers.append(settled)
        parts.report("history", f"{why.partition(';')[0]}; nobody is sold to before a service visit", latched=True)
    parts.report("history", None)


def counters(data: Path) -> Callable[[], Mapping[str, float]]:
    return lambda: {"damaged_files_kept": len(damaged_files(data / LEDGER)), **logsafe.COUNTS}
