"""Refunds, corrections and disputes: new rows and events beside the charge, never more back than was charged."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cabinet.ledger import Adjustment, ClosedVisit, EntryRefusedError, Ledger
from cabinet.ledger.entries import Outcome
from cabinet.session.states import Idle, Unlocked
from cabinet.wire import GENESIS, event_hash
from tests.ledger.examples import ANNA, COLA, WATER, charged, line, opened, shop, stamp, visit_id

FIRST = visit_id(1)


def id_of(number: int) -> str:
    return f"01R{number:023d}"


def refund(number: int = 1, back_minor: int = 100, **more: Any) -> Adjustment:
    return Adjustment(id_of(number), FIRST, "refund", "broken seal", "ann", back_minor, **more)


def correction(number: int, back_minor: int, *lines: Any) -> Adjustment:
    return Adjustment(id_of(number), FIRST, "correction", "counted twice", "ann", back_minor, tuple(lines))


def dispute(number: int = 9) -> Adjustment:
    facts = {"evidence": f"{FIRST}.tar", "evidence_hash": "a" * 64, "due_ms": 5}
    return Adjustment(id_of(number), FIRST, "dispute", "was not me", "ann", facts=facts)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """One charge of 500: 2 colas at 2.50."""
    with Ledger(tmp_path / "l.db") as ledger:
        ledger.commit(Unlocked(FIRST, ANNA, 12.5), [opened(1)], stamp())
        ledger.commit(Idle(), [charged(1, [line(2)])], stamp())
        yield ledger


def chain_holds(ledger: Ledger) -> bool:
    prev = GENESIS
    for row in reversed(ledger.outbox(1000)):
        if row.prev != prev or event_hash(row.message(), prev) != row.h:
            return False
        prev = row.h
    return True


def test_a_refund_is_a_new_event_behind_the_charge_and_edits_nothing(ledger: Ledger) -> None:
    before = ledger.visit(FIRST), ledger.outbox()
    given = ledger.adjust(refund(facts={"units": {COLA: 1}}), stamp(2_000))
    newest, *rest = ledger.outbox()
    assert (ledger.visit(FIRST), rest) == before
    assert (newest.type, newest.visit, newest.acked_at_ms) == ("visit.refunded", FIRST, None)
    assert newest.body == {
        "id": id_of(1), "back_minor": 100, "currency": "USD", "reason": "broken seal", "who": "ann", "units": {COLA: 1},
    }  # fmt: skip  # a table
    assert (given.back_minor, given.at) == (100, stamp(2_000))
    assert chain_holds(ledger)


def test_a_charge_that_still_waits_for_the_cloud_can_be_refunded_and_both_wait_in_order(ledger: Ledger) -> None:
    ledger.adjust(refund(), stamp())
    standing = ledger.standing(FIRST)
    assert [row.type for row in ledger.unacknowledged()] == ["visit.opened", "visit.closed", "visit.refunded"]
    assert (standing.queued, standing.waiting, standing.back_minor, standing.still_minor) == (True, 3, 100, 400)


def test_the_same_id_twice_is_one_refund(ledger: Ledger) -> None:
    first = ledger.adjust(refund(1, 100), stamp())
    assert ledger.adjust(refund(1, 100), stamp(9_999)) == first
    assert (len(ledger.adjustments(FIRST)), ledger.head()[0]) == (1, 3)


def test_an_id_of_another_visit_or_kind_is_refused(ledger: Ledger) -> None:
    shop(ledger, 2)
    ledger.adjust(refund(1), stamp())
    for other in (
        Adjustment(id_of(1), visit_id(2), "refund", "x", "ann", 100),
        Adjustment(id_of(1), FIRST, "dispute", "x", "ann"),
    ):
        with pytest.raises(EntryRefusedError, match="of another change: a refund of visit"):
            ledger.adjust(other, stamp())


def test_all_refunds_together_give_back_at_most_what_was_charged(ledger: Ledger) -> None:
    ledger.adjust(refund(1, 300), stamp())
    with pytest.raises(EntryRefusedError, match="of 500 charged 300 were given back before and 200 are left"):
        ledger.adjust(refund(2, 201), stamp())
    ledger.adjust(refund(3, 200), stamp())
    with pytest.raises(EntryRefusedError, match="0 are left"):
        ledger.adjust(refund(4, 1), stamp())
    assert (ledger.standing(FIRST).still_minor, ledger.head()[0]) == (0, 4)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-50, 600), max_size=8))
def test_whatever_is_asked_never_more_goes_back_than_was_charged(amounts: list[int]) -> None:
    with TemporaryDirectory() as folder, Ledger(Path(folder) / "l.db") as ledger:
        ledger.commit(Unlocked(FIRST, ANNA, 12.5), [opened(1)], stamp())
        ledger.commit(Idle(), [charged(1, [line(2)])], stamp())
        for number, minor in enumerate(amounts):
            try:
                ledger.adjust(refund(number, minor), stamp())
            except EntryRefusedError:
                assert minor < 1 or minor > ledger.standing(FIRST).still_minor
        assert 0 <= ledger.standing(FIRST).still_minor <= 500
        assert chain_holds(ledger)


def test_a_correction_carries_the_new_bill_and_what_goes_back(ledger: Ledger) -> None:
    ledger.adjust(correction(1, 250, line(1)), stamp())
    body = ledger.outbox(1)[0].body
    assert (body["back_minor"], body["total_minor"], body["currency"]) == (250, 250, "USD")
    assert [(one["sku"], one["quantity"]) for one in body["lines"]] == [(COLA, 1)]
    standing = ledger.standing(FIRST)
    assert (standing.lines, standing.still_minor, standing.record.lines) == ((line(1),), 250, (line(2),))


def test_a_correction_that_does_not_add_up_is_refused(ledger: Ledger) -> None:
    with pytest.raises(EntryRefusedError, match="adds up to 250, yet 400 would still be charged"):
        ledger.adjust(correction(1, 100, line(1)), stamp())
    with pytest.raises(EntryRefusedError, match="cannot be given back"):
        ledger.adjust(correction(1, -250, line(3)), stamp())


def test_a_correction_counts_the_refunds_before_it(ledger: Ledger) -> None:
    ledger.adjust(refund(1, 100, facts={"units": {COLA: 1}}), stamp())
    assert ledger.standing(FIRST).refunded == {COLA: 1}
    ledger.adjust(correction(2, 150, line(1)), stamp())
    standing = ledger.standing(FIRST)
    assert (standing.back_minor, standing.still_minor, standing.refunded) == (250, 250, {})


def test_a_long_corrected_bill_still_fits_into_an_event(tmp_path: Path) -> None:
    many = [line(1, sku=f"S{n}", price=10, name="N" * 100) for n in range(60)]  # type: ignore[arg-type]  # plain text
    with Ledger(tmp_path / "l.db") as ledger:
        ledger.commit(Unlocked(FIRST, ANNA, 1.0), [opened(1)], stamp())
        ledger.commit(Idle(), [charged(1, many)], stamp())
        ledger.adjust(correction(1, 10, *many[1:]), stamp())
        body = ledger.outbox(1)[0].body
        assert (body["total_minor"], body["lines_omitted"], body["lines"]) == (590, 59, [])
        assert len(ledger.standing(FIRST).lines) == 59


def test_a_second_dispute_of_a_visit_is_the_first_one(ledger: Ledger) -> None:
    first = ledger.adjust(dispute(1), stamp())
    assert ledger.adjust(dispute(2), stamp()) == first
    assert (ledger.adjustments(FIRST), ledger.head()[0]) == ((first,), 3)
    assert ledger.outbox(1)[0].body == {
        "id": id_of(1), "reason": "was not me", "who": "ann",
        "evidence": f"{FIRST}.tar", "evidence_hash": "a" * 64, "due_ms": 5,
    }  # fmt: skip  # a table


@pytest.mark.parametrize(
    ("outcome", "why"),
    [("nothing", "nothing was taken"), ("review", "a person has not decided"), ("void", "never opened")],
)
@pytest.mark.parametrize("kind", ["refund", "correction", "dispute"])
def test_a_visit_without_a_charge_is_refused_with_why(tmp_path: Path, outcome: Outcome, why: str, kind: Any) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        ledger.commit(Unlocked(FIRST, ANNA, 1.0), [opened(1)], stamp())
        with pytest.raises(EntryRefusedError, match="it has not ended yet"):
            ledger.adjust(Adjustment(id_of(1), FIRST, kind, "x", "ann", 1), stamp())
        ledger.commit(Idle(), [ClosedVisit(FIRST, outcome)], stamp())
        with pytest.raises(EntryRefusedError, match=why):
            ledger.adjust(Adjustment(id_of(1), FIRST, kind, "x", "ann", 1), stamp())
        assert ledger.head()[0] == 2


def test_a_change_needs_a_reason(ledger: Ledger) -> None:
    with pytest.raises(EntryRefusedError, match="needs a reason"):
        ledger.adjust(Adjustment(id_of(1), FIRST, "refund", " ", "ann", 1), stamp())


def test_a_card_number_in_the_reason_does_not_leave_the_cabinet(ledger: Ledger) -> None:
    ledger.adjust(Adjustment(id_of(1), FIRST, "refund", "card 4111 1111 1111 1111", "ann", 1), stamp())
    assert ledger.outbox(1)[0].body["reason"] == "card [redacted]"


def test_a_row_can_be_neither_changed_nor_deleted(ledger: Ledger, tmp_path: Path) -> None:
    ledger.adjust(refund(), stamp())
    with sqlite3.connect(tmp_path / "l.db") as other:
        for sql in ("UPDATE adjustment SET back_minor = 1", "DELETE FROM adjustment"):
            with pytest.raises(sqlite3.IntegrityError, match="refund, correction or dispute"):
                other.execute(sql)


def test_charges_are_listed_the_newest_first_and_by_what_became_of_them(ledger: Ledger) -> None:
    shop(ledger, 2)
    shop(ledger, 3)
    ledger.adjust(dispute(), stamp())
    ledger.adjust(Adjustment(id_of(1), visit_id(2), "refund", "x", "ann", 1), stamp())
    listed = [[one.record.visit for one in ledger.charges(*which)] for which in ((), (20, ("dispute",)), (2,))]
    assert listed == [[visit_id(3), visit_id(2), FIRST], [FIRST], [visit_id(3), visit_id(2)]]
    assert [one.back_minor for one in ledger.charges(20, ("refund", "correction"))] == [1]


def test_what_was_confirmed_waits_no_more(ledger: Ledger) -> None:
    ledger.adjust(refund(), stamp())
    ledger.acknowledge(2, ledger.hash_at(2) or "", clock=stamp())
    standing = ledger.standing(FIRST)
    assert (standing.queued, standing.waiting) == (False, 1)
    assert WATER not in standing.refunded
