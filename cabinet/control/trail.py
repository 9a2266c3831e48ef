"""Writes the audit trail while the control socket is served: a line before each change, and how it ended after it.

What cannot be written down is not begun.  Looking is never refused for it, and leaves no line; it is counted.
"""

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cabinet import clock
from cabinet.control.audited import changes, error_text, subject
from cabinet.control.requests import Answer, Arguments, RequestError
from cabinet.ledger import Ledger, LedgerError, Stamp
from cabinet.ledger.audit_chain import Result

PRUNE_EVERY = 64  # lines
MAX_WHO = 64  # characters

log = logging.getLogger(__name__)


@dataclass
class Trail:
    ledger: Ledger
    stamp: Callable[[], Stamp] = clock.stamp
    counts: Counter[str] = field(default_factory=Counter)

    def figures(self) -> dict[str, float]:
        return {"lines": self.ledger.audit_head()[0], **self.counts}

    @contextlib.contextmanager
    def of(self, operation: str, arguments: Arguments, who: str) -> Iterator[Callable[[Answer], None]]:
        """Round one operation; what is yielded is to be told the answer.  Raises RequestError where a change cannot be
        written down.
        """
        change = changes(operation, who)
        if change is None:
            self.counts["looked"] += 1
            yield lambda _: None
            return
        answers: list[Answer] = []
        begun = self._begin(operation, subject(arguments, change.told), who[:MAX_WHO])
        try:
            yield answers.append
        except Exception as error:
            self._end(begun, operation, who[:MAX_WHO], "refused", error=error_text(error, arguments))
            raise
        made = subject(answers[-1], change.made) if answers else ""
        self._end(begun, operation, who[:MAX_WHO], "ok", made=made)

    def _begin(self, operation: str, about: str, who: str) -> int:
        try:
            technician, stamp = self.ledger.technician_of_user(who), self.stamp()
            n = self.ledger.note_audit(who, operation, stamp, technician=technician, subject=about, result="begun")
        except LedgerError as error:
            self.counts["refused for want of a line"] += 1
            log.warning("change_refused op=%s who=%s why=no audit line: %s", operation, who, error)
            raise RequestError(
                f"{operation} changes something and is refused: it cannot be written into the audit log ({error})",
                "looking still works: cabinet doctor; make room on the disk, or restart the cabinet",
            ) from error
        self.counts["changed"] += 1
        self._prune(n, stamp)
        return n

    def _end(self, begun: int, operation: str, who: str, result: Result, *, made: str = "", error: str = "") -> None:
        """Where the end cannot be written, the beginning stands, and tells that nobody knows the end."""
        try:
            technician = self.ledger.technician_of_user(who)
            self.ledger.note_audit(
                who,
                operation,
                self.stamp(),
                technician=technician,
                subject=made,
                result=result,
                error=error,
                ends=begun,
            )
        except LedgerError as failed:
            self.counts["ends not written"] += 1
            log.warning("audit_end_not_written op=%s line=%d why=%s", operation, begun, failed)

    def _prune(self, n: int, stamp: Stamp) -> None:
        if n % PRUNE_EVERY:
            return
        try:
            self.ledger.prune_audit(stamp)
        except LedgerError as error:
            log.warning("audit_not_pruned why=%s", error)
