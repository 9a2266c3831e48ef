"""Visits: one opening, one closing, amounts that never change."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from cabinet.ledger import ClosedVisit, EntryRefusedError, Incident, Ledger, LedgerError
from cabinet.session.states import Idle
from cabinet.units import Sku, ZoneId
from cabinet.wire import MAX_EVENT_BYTES, canonical
from tests.ledger.examples import (
    ANNA,
    CATALOG,
    COLA,
    SHELF,
    WATER,
    charged,
    line,
    opened,
    shop,
    stamp,
    visit_id,
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "l.db")


def test_a_visit_is_read_back_as_it_was_written(ledger: Ledger) -> None:
    shop(ledger, 2, stamp(5_000))
    record = ledger.visit(visit_id(2))
    assert record is not None
    assert (record.member, record.purpose, record.who, record.price_version) == (ANNA, "shop", "face", 1)
    assert record.baseline_g == {SHELF: 3021.25}
    assert (record.outcome, record.total_minor, record.currency) == ("charge", 500, "USD")
    assert record.lines == (line(2),)
    assert record.confidence == pytest.approx(0.97)
    assert record.opened == record.closed == stamp(5_000)


def test_a_second_closing_is_refused_and_changes_nothing(ledger: Ledger) -> None:
    shop(ledger, 1)
    before = ledger.visit(visit_id(1)), ledger.head(), ledger.state()
    with pytest.raises(EntryRefusedError, match=r"is closed already \(charge\)"):
        ledger.commit(Idle(), [replace(charged(1), total_minor=500, lines=(line(2),))], stamp())
    assert (ledger.visit(visit_id(1)), ledger.head(), ledger.state()) == before


def test_a_closing_without_an_opening_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="was never opened"):
        ledger.commit(Idle(), [charged(1)], stamp())
    assert ledger.state() is None


@pytest.mark.parametrize(
    "sql", ["UPDATE visit SET total_minor = 1", "DELETE FROM visit", "UPDATE visit SET outcome = NULL"]
)
def test_the_file_itself_refuses_to_change_a_closed_visit(ledger: Ledger, sql: str) -> None:
    shop(ledger, 1)
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        ledger._file.connection.execute(sql)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (replace(charged(1), total_minor=1), "says 1, its lines add up to 250"),
        (replace(charged(1), lines=(), total_minor=0), "no lines"),
        (replace(charged(1), currency=""), "no currency"),
        (replace(charged(1), outcome="review"), "only a charge has them"),
        (replace(charged(1), confidence=1.5), "confidence"),
        (ClosedVisit(visit_id(1), "nothing", moves={SHELF: {COLA: 1}}), "only a charge may say that"),
        (
            ClosedVisit(visit_id(1), "review", moves={SHELF: {COLA: 1}, ZoneId("s2"): {COLA: -1}}),
            "only a charge may say that",
        ),
        (ClosedVisit(visit_id(1), "review", best_guess=(line(0),)), "0 of"),
    ],
)
def test_a_closing_that_contradicts_itself_is_refused(ledger: Ledger, entry: ClosedVisit, says: str) -> None:
    ledger.commit(Idle(), [opened(1)], stamp())
    with pytest.raises(EntryRefusedError, match=says):
        ledger.commit(Idle(), [entry], stamp())
    assert [record.visit for record in ledger.open_visits()] == [visit_id(1)]


def test_open_visits_are_those_without_a_closing(ledger: Ledger) -> None:
    shop(ledger, 1)
    ledger.commit(Idle(), [opened(2)], stamp())
    assert [record.visit for record in ledger.open_visits()] == [visit_id(2)]


def test_visits_come_newest_first_and_in_pages(ledger: Ledger) -> None:
    for number in range(1, 6):
        shop(ledger, number)
    first = [record.visit for record in ledger.visits(2)]
    assert first == [visit_id(5), visit_id(4)]
    assert [record.visit for record in ledger.visits(2, before=first[-1])] == [visit_id(3), visit_id(2)]


def test_a_review_keeps_the_best_guess_and_charges_nothing(ledger: Ledger) -> None:
    ledger.commit(Idle(), [opened(1), ClosedVisit(visit_id(1), "review", "torn", best_guess=(line(3),))], stamp())
    record = ledger.visit(visit_id(1))
    assert record is not None
    assert (record.outcome, record.total_minor, record.lines, record.best_guess) == ("review", 0, (), (line(3),))


def test_opening_closing_and_incident_become_events_in_order(ledger: Ledger) -> None:
    shop(ledger, 1)
    ledger.commit(Idle(), [Incident("the bolt is stuck", visit_id(1), "lock")], stamp())
    events = ledger.unacknowledged()
    assert [event.type for event in events] == ["visit.opened", "visit.closed", "incident"]
    assert [event.visit for event in events] == [visit_id(1)] * 3
    assert events[0].body["baseline_mg"] == {SHELF: 3_021_250}
    assert (events[1].body["total_minor"], events[1].body["confidence_ppm"]) == (250, 970_000)


def test_a_charge_moves_the_stock(ledger: Ledger) -> None:
    ledger.put_products(CATALOG)
    ledger.set_stock(SHELF, COLA, 6)
    ledger.commit(Idle(), [opened(1), charged(1, moves={SHELF: {COLA: 2, WATER: -1}})], stamp())
    assert ledger.stock() == {SHELF: {COLA: 4, WATER: 1}}


def test_stock_never_goes_below_zero_and_what_was_short_is_noted(ledger: Ledger) -> None:
    ledger.put_products(CATALOG)
    ledger.set_stock(SHELF, COLA, 1)
    for number in (1, 2):
        ledger.commit(Idle(), [opened(number), charged(number, moves={SHELF: {COLA: 2}})], stamp())
    assert ledger.stock() == {SHELF: {COLA: 0}}
    assert ledger.notes("stock.short:") == {f"stock.short:s1:{COLA}": "3"}
    assert "incident" not in {event.type for event in ledger.unacknowledged()}


def test_a_basket_too_large_for_an_event_keeps_its_total_and_its_place(ledger: Ledger) -> None:
    lines = [line(1, sku=Sku(f"{n:013d}"), name="Ünusually long name of a product " * 2) for n in range(80)]
    ledger.commit(Idle(), [opened(1), charged(1, lines)], stamp())
    event = ledger.unacknowledged()[-1]
    assert (event.body["total_minor"], event.body["lines_omitted"]) == (80 * 250, 80)
    record = ledger.visit(visit_id(1))
    assert record is not None
    assert len(record.lines) == 80
    assert len(canonical(event.message())) <= MAX_EVENT_BYTES


@pytest.mark.parametrize("lines", [0, 1, 12, 20, 40, 80])
def test_every_closing_names_the_member_however_large_the_basket(ledger: Ledger, lines: int) -> None:
    bought = [line(1, sku=Sku(f"{n:013d}"), name="Ünusually long name of a product " * 3) for n in range(lines)]
    closing = charged(1, bought) if bought else ClosedVisit(visit_id(1), "review", "torn")
    ledger.commit(Idle(), [opened(1), closing], stamp())
    event = ledger.unacknowledged()[-1]
    assert event.body["member"] == ANNA
    assert len(canonical(event.message())) <= MAX_EVENT_BYTES


def test_a_technicians_closing_names_no_member(ledger: Ledger) -> None:
    ledger.commit(Idle(), [replace(opened(1), member=None, purpose="service")], stamp())
    ledger.commit(Idle(), [ClosedVisit(visit_id(1), "serviced")], stamp())
    assert ledger.unacknowledged()[-1].body["member"] is None


def test_a_basket_that_fits_without_names_keeps_its_lines(ledger: Ledger) -> None:
    lines = [line(1, sku=Sku(f"{n:013d}"), name="Ünusually long name of a product " * 3) for n in range(20)]
    ledger.commit(Idle(), [opened(1), charged(1, lines)], stamp())
    body = ledger.unacknowledged()[-1].body
    assert [one["sku"] for one in body["lines"]] == [one.sku for one in lines]
    assert "name" not in body["lines"][0]


def test_a_card_number_in_a_reason_does_not_leave_the_cabinet(ledger: Ledger) -> None:
    ledger.commit(Idle(), [opened(1, reason="paid with 4242 4242 4242 4242, thanks")], stamp())
    assert ledger.unacknowledged()[0].body["reason"] == "paid with [redacted], thanks"


def test_a_dead_cell_has_no_baseline(ledger: Ledger) -> None:
    ledger.commit(Idle(), [replace(opened(1), baseline_g={SHELF: float("nan")})], stamp())
    assert ledger.unacknowledged()[0].body["baseline_mg"] == {}
