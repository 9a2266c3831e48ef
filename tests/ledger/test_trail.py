"""The audit trail: nothing in it changes, and whatever was taken out of it or put in shows."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from cabinet.ledger import EntryRefusedError, Ledger
from cabinet.ledger import trail as trail_module
from cabinet.ledger.audit_chain import Chain
from cabinet.ledger.trail import DAY_MS, KEPT_DAYS, MOST_LINES, PRUNE_MOST
from tests.ledger.examples import stamp

NOW = stamp()
TRIGGERS = ("audit_line_never_changes", "audit_line_stays", "audit_line_is_never_replaced")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "l.db")


def write(ledger: Ledger, count: int, *, at_ms: int = NOW.wall_ms, quality: str = "ntp") -> None:
    for n in range(count):
        ledger.note_audit("tina", "stock.set", stamp(n, at_ms, quality), subject=f"sku={n}")


def wrong(ledger: Ledger) -> str:
    chain = Chain(*ledger.audit_floor())
    chain.follow(ledger.audit_lines(chain.n, 10**6))
    chain.ends(ledger.audit_head())
    return chain.broken


def forge(ledger: Ledger, *words: str) -> None:
    """A statement, as somebody would give it who has the file and a shell."""
    for trigger in TRIGGERS:
        ledger._file.connection.execute(f"DROP TRIGGER {trigger}")
    ledger._file.connection.execute(" ".join(words))


def test_a_trail_that_nobody_touched_is_whole(ledger: Ledger) -> None:
    write(ledger, 12)
    assert (wrong(ledger), ledger.audit_head()[0]) == ("", 12)


def test_an_empty_trail_is_whole(ledger: Ledger) -> None:
    assert wrong(ledger) == ""


@pytest.mark.parametrize("column", ["who", "op", "subject", "error", "boot", "quality", "h", "prev"])
def test_a_changed_word_shows(ledger: Ledger, column: str) -> None:
    write(ledger, 12)
    forge(ledger, "UPDATE audit_line SET", column, "= 'x' WHERE n = 7")
    assert wrong(ledger).startswith(("line 7 ", "line 8 "))


@pytest.mark.parametrize("column", ["wall_ms", "mono_ms"])
def test_a_changed_time_shows(ledger: Ledger, column: str) -> None:
    write(ledger, 12)
    forge(ledger, "UPDATE audit_line SET", column, "=", column, "+ 1 WHERE n = 7")
    assert wrong(ledger) == "line 7 is not what was written"


@pytest.mark.parametrize("change", ["technician = 'x'", "result = 'refused'", "ends = 3"])
def test_another_technician_end_or_result_shows(ledger: Ledger, change: str) -> None:
    write(ledger, 12)
    forge(ledger, "UPDATE audit_line SET", change, "WHERE n = 7")
    assert wrong(ledger) == "line 7 is not what was written"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("n = 1", "lines 1 to 1 are missing"),
        ("n BETWEEN 5 AND 6", "lines 5 to 6 are missing"),
        ("n > 10", "lines 11 to 12 are missing at the end"),
        ("n > 0", "lines 1 to 12 are missing at the end"),
    ],
)
def test_lines_that_were_taken_out_show(ledger: Ledger, missing: str, said: str) -> None:
    write(ledger, 12)
    forge(ledger, "DELETE FROM audit_line WHERE", missing)
    assert wrong(ledger) == said


def test_lines_taken_from_the_end_still_show_after_the_next_line(ledger: Ledger) -> None:
    write(ledger, 12)
    forge(ledger, "DELETE FROM audit_line WHERE n > 10")
    write(ledger, 1)
    assert wrong(ledger) == "lines 11 to 12 are missing"


def test_a_line_that_was_put_in_shows(ledger: Ledger) -> None:
    write(ledger, 12)
    columns = "ends, boot, mono_ms, wall_ms, quality, who, technician, op, subject, result, error, prev, h"
    forge(ledger, "INSERT INTO audit_line SELECT 13,", columns, "FROM audit_line WHERE n = 12")
    assert wrong(ledger) == "line 13 does not follow line 12"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_line SET who = 'x' WHERE n = 1",
        "DELETE FROM audit_line WHERE n = 1",
        "DELETE FROM audit_line",
        "UPDATE audit_line SET n = 99 WHERE n = 1",
    ],
)
def test_the_file_itself_refuses_to_change_a_line(ledger: Ledger, statement: str) -> None:
    write(ledger, 3)
    with pytest.raises(sqlite3.IntegrityError, match="audit line"):
        ledger._file.connection.execute(statement)
    assert wrong(ledger) == ""


def test_a_line_is_not_replaced_by_another_of_its_number(ledger: Ledger) -> None:
    write(ledger, 3)
    ledger._file.connection.execute(
        "INSERT OR REPLACE INTO audit_line SELECT n, ends, boot, mono_ms, wall_ms, quality, 'x', technician, op,"
        " subject, result, error, prev, h FROM audit_line WHERE n = 1"
    )
    assert [line.who for line in ledger.audited(9)] == ["tina"] * 3


@pytest.mark.parametrize("floor", [1, 2, 3])
def test_lines_that_are_not_old_are_not_declared_so(ledger: Ledger, floor: int) -> None:
    write(ledger, 3)
    ledger._file.connection.execute("INSERT INTO audit_end VALUES (0, ?, '', ?)", [floor, NOW.wall_ms])
    with pytest.raises(sqlite3.IntegrityError, match="by age alone"):
        ledger._file.connection.execute("DELETE FROM audit_line")


def test_the_beginning_of_the_trail_does_not_move_over_young_lines(ledger: Ledger) -> None:
    write(ledger, 3)
    line = ledger.audit_lines(1, 1)[0]
    ledger._file.connection.execute("INSERT INTO audit_end VALUES (0, 0, '', 0)")
    with pytest.raises(sqlite3.IntegrityError, match="by age alone"):
        ledger._file.connection.execute(
            "UPDATE audit_end SET floor_n = 2, floor_h = ?, at_ms = ?", [line.h, NOW.wall_ms + 80 * DAY_MS]
        )


# What is forgotten.


def test_lines_are_forgotten_after_their_time_and_the_rest_is_whole(ledger: Ledger) -> None:
    write(ledger, 5)
    write(ledger, 5, at_ms=NOW.wall_ms + 100 * DAY_MS)
    later = stamp(1, NOW.wall_ms + KEPT_DAYS * DAY_MS + 1)
    assert (ledger.prune_audit(later), wrong(ledger), ledger.audit_floor()[0]) == (5, "", 5)


def test_the_first_line_after_the_forgotten_ones_is_looked_at_too(ledger: Ledger) -> None:
    write(ledger, 5)
    write(ledger, 5, at_ms=NOW.wall_ms + 100 * DAY_MS)
    ledger.prune_audit(stamp(1, NOW.wall_ms + KEPT_DAYS * DAY_MS + 1))
    forge(ledger, "DELETE FROM audit_line WHERE n = 6")
    assert wrong(ledger) == "lines 6 to 6 are missing"


def test_the_trail_goes_on_where_all_of_it_was_forgotten(ledger: Ledger) -> None:
    write(ledger, 5)
    assert ledger.prune_audit(stamp(1, NOW.wall_ms + 500 * DAY_MS)) == 5
    write(ledger, 1)
    assert (wrong(ledger), ledger.audit_head()[0]) == ("", 6)


@pytest.mark.parametrize(("written", "now"), [("ntp", "floor"), ("none", "ntp")])
def test_nothing_is_forgotten_by_a_clock_that_nobody_vouches_for(ledger: Ledger, written: str, now: str) -> None:
    write(ledger, 5, quality=written)
    assert ledger.prune_audit(stamp(1, NOW.wall_ms + 500 * DAY_MS, now)) == 0


def test_a_younger_line_is_never_forgotten(ledger: Ledger) -> None:
    write(ledger, 5)
    assert ledger.prune_audit(stamp(1, NOW.wall_ms + (KEPT_DAYS - 1) * DAY_MS)) == 0


def test_only_so_many_are_forgotten_at_once(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail_module, "PRUNE_MOST", 3)
    write(ledger, 5)
    later = stamp(1, NOW.wall_ms + 500 * DAY_MS)
    assert [ledger.prune_audit(later) for _ in range(3)] == [3, 2, 0]


def test_a_trail_that_is_too_long_loses_its_oldest_lines(ledger: Ledger) -> None:
    """The file is filled beside the program: a hundred thousand lines take it a minute."""
    write(ledger, 2)
    ledger._file.connection.execute(
        "INSERT INTO audit_line WITH RECURSIVE more(n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM more WHERE n < ?)"
        " SELECT more.n, ends, boot, mono_ms, wall_ms, quality, who, technician, op, subject, result, error, prev, h"
        " FROM more JOIN audit_line a ON a.n = 1",
        [MOST_LINES + 2],
    )
    assert (ledger.prune_audit(NOW), ledger.audit_floor()[0], PRUNE_MOST > 2) == (2, 2, True)


# What people read.


def test_an_operation_is_one_entry_with_its_end(ledger: Ledger) -> None:
    begun = ledger.note_audit("tina", "unlock", NOW, subject="purpose=restock", result="begun")
    ledger.note_audit("tina", "unlock", NOW, subject="visit=V", ends=begun)
    (entry,) = ledger.audited(10)
    assert (entry.subject, entry.result) == ("purpose=restock visit=V", "ok")


def test_an_operation_whose_end_was_never_written_is_told_as_begun(ledger: Ledger) -> None:
    ledger.note_audit("tina", "unlock", NOW, result="begun")
    assert ledger.audited(10)[0].result == "begun"


def test_a_refusal_has_its_reason(ledger: Ledger) -> None:
    begun = ledger.note_audit("tina", "unlock", NOW, result="begun")
    ledger.note_audit("tina", "unlock", NOW, result="refused", error="a visit is open", ends=begun)
    assert [(one.result, one.error) for one in ledger.audited(10)] == [("refused", "a visit is open")]


def by_user(_: Ledger, __: str) -> str:
    return "root"


def by_name(_: Ledger, __: str) -> str:
    return "Tina"


def by_id(_: Ledger, technician: str) -> str:
    return technician


@pytest.mark.parametrize(("asked", "ops"), [(by_user, ["c", "b"]), (by_name, ["b", "a"]), (by_id, ["b", "a"])])
def test_lines_are_found_by_user_name_and_id(
    ledger: Ledger, asked: Callable[[Ledger, str], str], ops: list[str]
) -> None:
    tina = ledger.add_technician("Tina", NOW)
    ledger.note_audit("tina", "a", NOW, technician=tina)
    ledger.note_audit("root", "b", NOW, technician=tina)
    ledger.note_audit("root", "c", NOW)
    assert [one.op for one in ledger.audited(10, asked(ledger, tina))] == ops


def test_the_newest_lines_come_first_and_no_more_than_asked(ledger: Ledger) -> None:
    write(ledger, 9)
    assert [one.n for one in ledger.audited(3)] == [9, 8, 7]


def test_a_line_that_breaks_the_rules_of_the_table_is_refused(ledger: Ledger) -> None:
    with pytest.raises(EntryRefusedError, match="CHECK"):
        ledger.note_audit("tina", "a", NOW, result="perhaps")  # type: ignore[arg-type]  # on purpose
    assert ledger.audit_head()[0] == 0
