"""What is typed at the socket leaves a line: before it is done, and how it ended; or it is not done."""

import asyncio
import contextlib
import os
import pwd
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cabinet.control.requests import Answer, Arguments, RequestError
from cabinet.control.server import Control
from cabinet.control.trail import PRUNE_EVERY, Trail
from cabinet.ledger import Ledger, LedgerError
from cabinet.ledger.audit_chain import Audited
from cabinet.ports import PortError
from tests.control.test_server import Caller, caller, listening, lived
from tests.ledger.examples import stamp

ME = pwd.getpwuid(os.geteuid()).pw_name


class Bench:
    """A control socket with a few operations of the product's names."""

    def __init__(self, path: Path, ledger: Ledger) -> None:
        self.done: list[str] = []
        self.error: Exception | None = None
        self.trail = Trail(ledger, stamp=stamp)
        self.path = path
        self.control = Control(
            path, {name: self.operation(name) for name in ("status", "stock.set", "unlock")}, {}, self.trail.of
        )

    def operation(self, name: str) -> Callable[[Arguments, str], Any]:
        async def do(_: Arguments, __: str) -> Answer:
            if self.error is not None:
                raise self.error
            self.done.append(name)
            return {"visit": "01JD000000000000000000000V", "secret": "s3cret"}

        return do

    @contextlib.asynccontextmanager
    async def caller(self) -> AsyncIterator[Caller]:
        task = asyncio.create_task(self.control.run())
        while not listening(self.path):  # noqa: ASYNC110  the server tells nobody
            await asyncio.sleep(0)
        try:
            async with caller(self.path) as one:
                yield one
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def ask(self, op: str, **arguments: Any) -> dict[str, Any]:
        answers: list[dict[str, Any]] = []

        async def story() -> None:
            async with self.caller() as one:
                answers.append(await one.ask(op, **arguments))

        lived(story())
        return answers[0]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "l.db") as ledger:
        yield ledger


@pytest.fixture
def bench(tmp_path: Path, ledger: Ledger) -> Bench:
    return Bench(tmp_path / "ctl", ledger)


def full(monkeypatch: pytest.MonkeyPatch, ledger: Ledger, *, after: int = 0) -> None:
    """The disk takes so many more lines."""
    write, left = ledger.note_audit, [after]

    def no_room(*arguments: Any, **more: Any) -> int:
        if not left[0]:
            raise LedgerError("no room on the disk")
        left[0] -= 1
        return write(*arguments, **more)

    monkeypatch.setattr(ledger, "note_audit", no_room)


def only(ledger: Ledger) -> Audited:
    (entry,) = ledger.audited(10)
    return entry


def test_a_change_leaves_one_entry_with_who_what_and_its_end(bench: Bench, ledger: Ledger) -> None:
    assert bench.ask("unlock", purpose="restock", reason="weekly")["ok"]
    entry = only(ledger)
    assert (entry.who, entry.op, entry.subject, entry.result, entry.error) == (
        ME, "unlock", "purpose=restock visit=01JD000000000000000000000V", "ok", "",
    )  # fmt: skip  # a row


def test_looking_leaves_no_line_and_is_counted(bench: Bench, ledger: Ledger) -> None:
    assert bench.ask("status")["ok"]
    assert (ledger.audited(10), bench.trail.counts["looked"]) == ([], 1)


def test_a_line_names_the_technician_whose_user_typed_it(bench: Bench, ledger: Ledger) -> None:
    tina = ledger.add_technician("Tina", stamp(), user=ME)
    bench.ask("stock.set", zone="s1")
    assert (only(ledger).technician, only(ledger).name) == (tina, "Tina")


@pytest.mark.parametrize(
    "error", [RequestError("the door is open"), PortError("the door is open"), LedgerError("the door is open")]
)
def test_a_refusal_is_written_down_with_its_reason(bench: Bench, ledger: Ledger, error: Exception) -> None:
    bench.error = error
    assert not bench.ask("unlock")["ok"]
    assert (only(ledger).result, only(ledger).error) == ("refused", "the door is open")


def test_nothing_of_an_answer_comes_into_the_trail_but_what_may(bench: Bench, ledger: Ledger) -> None:
    bench.ask("stock.set", zone="s1", sku="C1", count=3, reason="s3cret too")
    assert "s3cret" not in repr(ledger.audit_lines(0, 10))


def test_a_change_that_cannot_be_written_down_is_not_done_and_told_so(
    bench: Bench, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(monkeypatch, ledger)
    answer = bench.ask("stock.set", zone="s1")
    assert (answer["ok"], bench.done) == (False, [])
    assert "stock.set changes something and is refused: it cannot be written into the audit log" in answer["error"]
    assert "looking still works" in answer["remedy"]


def test_a_full_disk_locks_nobody_out_of_looking(bench: Bench, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    full(monkeypatch, ledger)
    assert bench.ask("status")["ok"]


def test_a_file_that_can_grow_no_more_refuses_changes_and_shows_everything(bench: Bench, ledger: Ledger) -> None:
    ledger.note_audit("tina", "stock.set", stamp())
    ledger._file.connection.execute("PRAGMA max_page_count = 1")  # SQLite makes of it as many as there are
    while (answer := bench.ask("stock.set", zone="s1", sku="x" * 64))["ok"]:
        assert len(bench.done) < 1000
    assert "no room on the disk" in answer["error"]
    assert bench.ask("status")["ok"]
    assert ledger.audited(1000)


def test_a_change_whose_end_cannot_be_written_down_was_done_and_shows_as_begun(
    bench: Bench, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(monkeypatch, ledger, after=1)
    assert bench.ask("stock.set", zone="s1")["ok"]
    assert (bench.done, only(ledger).result, bench.trail.counts["ends not written"]) == (["stock.set"], "begun", 1)


def test_what_is_no_operation_leaves_no_line(bench: Bench, ledger: Ledger) -> None:
    assert not bench.ask("open.sesame")["ok"]
    assert ledger.audited(10) == []


def test_lines_that_are_too_old_go_while_new_ones_come(ledger: Ledger) -> None:
    trail = Trail(ledger, stamp=lambda: stamp(1, stamp().wall_ms + 500 * 86_400_000))
    for _ in range(PRUNE_EVERY - 1):
        ledger.note_audit("tina", "stock.set", stamp())
    with trail.of("stock.set", {}, "tina"):
        pass
    assert ledger.audit_floor()[0] == PRUNE_EVERY - 1


def test_an_end_of_the_daemon_in_the_middle_leaves_the_beginning(ledger: Ledger) -> None:
    trail = Trail(ledger, stamp=stamp)
    with pytest.raises(asyncio.CancelledError), trail.of("unlock", {}, "tina"):
        raise asyncio.CancelledError
    assert only(ledger).result == "begun"
