"""Ledgers that are wrong on purpose: each loses or doubles what the real one does not, so that the checks can fail."""

from collections.abc import Callable, Sequence
from typing import Final, Literal

from cabinet.ledger import Entry, LedgerError, Stamp
from cabinet.ledger import file as ledger_file
from cabinet.proving import cabinet as proving
from cabinet.proving.mishaps import Book
from cabinet.session.states import State

Variant = Literal["", "relaxed", "late", "stubborn"]


class LateBook(Book):
    """A step is written with the next one, after its effects."""

    _waiting: tuple[State, Sequence[Entry], Stamp] | None = None

    def commit(self, state: State, entries: Sequence[Entry], clock: Stamp) -> None:
        if self._waiting is not None:
            super().commit(*self._waiting)
        self._waiting = state, entries, clock


class StubbornBook(Book):
    """A commit that failed is tried again in place."""

    def commit(self, state: State, entries: Sequence[Entry], clock: Stamp) -> None:
        try:
            super().commit(state, entries, clock)
        except LedgerError:
            super().commit(state, entries, clock)


def _relax() -> None:
    """SQLite does not sync at each commit: what the product refuses."""
    ledger_file.SETTINGS = tuple(  # type: ignore[misc]  # Final, on purpose
        ("synchronous", "NORMAL", 1) if name == "synchronous" else (name, value, wanted)
        for name, value, wanted in ledger_file.SETTINGS
    )


def _be_late() -> None:
    proving.Book = LateBook  # type: ignore[attr-defined]  # on purpose, in a process of its own


def _be_stubborn() -> None:
    proving.Book = StubbornBook  # type: ignore[attr-defined]  # likewise


BREAK: Final[dict[Variant, Callable[[], None]]] = {
    "": lambda: None,
    "relaxed": _relax,
    "late": _be_late,
    "stubborn": _be_stubborn,
}
