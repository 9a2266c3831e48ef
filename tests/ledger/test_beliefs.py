"""What was learnt is kept once a visit, beside a catalogue that stays as it is."""

from dataclasses import replace
from pathlib import Path

import pytest

from cabinet.basket.learning import Belief, Rival
from cabinet.basket.lessons import Strayed
from cabinet.basket.shadow import Opinion
from cabinet.basket.zonechange import ZoneChange
from cabinet.ledger import ClosedVisit, EntryRefusedError, Ledger
from cabinet.ledger.beliefs import Stray
from cabinet.ledger.schema import MIGRATIONS
from cabinet.session.states import Idle
from cabinet.units import Sku, ZoneId
from tests.ledger.examples import CATALOG, COLA, SHELF, WATER, opened, shop, stamp, visit_id

BELIEF = Belief(505.0, 561.0, 6.0, 9.0, 8.0, 0.8, 6, sure=True, visits=1, since_ms=100, last_ms=200)
CHANGE = ZoneChange(SHELF, -545.5, 8.4, ((-545.0, 0.8), (2.0, 0.7)))
OTHER = ZoneId("s2")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "l.db")
    ledger.put_products(CATALOG)
    return ledger


def test_a_belief_comes_back_as_it_was_with_its_rival(ledger: Ledger) -> None:
    doubted = replace(BELIEF, rival=Rival(470.5, 6, 1, 300, 4))
    assert ledger.learn(visit_id(1), 5, {COLA: doubted, WATER: BELIEF})
    assert ledger.beliefs() == {COLA: doubted, WATER: BELIEF}


def test_the_catalogue_and_the_price_version_stay_as_they_are(ledger: Ledger) -> None:
    version = ledger.price_version()
    ledger.learn(visit_id(1), 5, {COLA: BELIEF})
    assert (ledger.catalog(), ledger.price_version()) == (CATALOG, version)


def test_a_visit_teaches_once(ledger: Ledger) -> None:
    opinions = {"mps": Opinion("charge", {}, agrees=True)}
    assert ledger.learn(visit_id(1), 5, {COLA: BELIEF}, [Strayed(OTHER, COLA, 1)], opinions)
    assert not ledger.learn(visit_id(1), 6, {COLA: replace(BELIEF, mean_g=1.0)}, [Strayed(OTHER, COLA, 1)], opinions)
    assert ledger.beliefs()[COLA].mean_g == 561.0
    assert (ledger.strays()[0].count, ledger.shadows()[0].visits) == (1, 1)


def test_a_lesson_that_breaks_half_way_leaves_nothing_and_may_come_again(ledger: Ledger) -> None:
    with pytest.raises(EntryRefusedError):
        ledger.learn(visit_id(1), 5, {COLA: BELIEF, WATER: replace(BELIEF, mean_g=-1.0)})
    assert (ledger.beliefs(), ledger.has_learnt(visit_id(1))) == ({}, False)
    assert ledger.learn(visit_id(1), 5, {COLA: BELIEF})


def test_what_is_learnt_outlives_the_process(ledger: Ledger, tmp_path: Path) -> None:
    ledger.learn(visit_id(1), 5, {COLA: BELIEF})
    ledger.close()
    with Ledger(tmp_path / "l.db") as again:
        assert again.beliefs() == {COLA: BELIEF}
        assert not again.learn(visit_id(1), 5, {})


def test_a_product_that_left_the_catalogue_takes_its_belief_and_strays_with_it(ledger: Ledger) -> None:
    ledger.learn(visit_id(1), 5, {COLA: BELIEF}, [Strayed(OTHER, COLA, 1)])
    ledger.remove_product(COLA)
    assert (ledger.beliefs(), ledger.strays()) == ({}, [])
    assert ledger.learn(visit_id(2), 5, {COLA: BELIEF}, [Strayed(OTHER, COLA, 1)])
    assert (ledger.beliefs(), ledger.strays()) == ({}, [])


def test_a_price_that_changes_forgets_no_mass(ledger: Ledger) -> None:
    ledger.learn(visit_id(1), 5, {COLA: BELIEF})
    ledger.put_product(COLA, replace(CATALOG[COLA], unit_price=999))
    assert COLA in ledger.beliefs()


def test_a_mass_can_be_forgotten(ledger: Ledger) -> None:
    ledger.learn(visit_id(1), 5, {COLA: BELIEF})
    assert ledger.forget_belief(COLA)
    assert not ledger.forget_belief(COLA)
    assert ledger.beliefs() == {}


def test_strays_add_up_remember_since_when_and_never_fall_below_none(ledger: Ledger) -> None:
    ledger.learn(visit_id(1), 5, {}, [Strayed(OTHER, COLA, 2)], certain=True)
    ledger.learn(visit_id(2), 6, {}, [Strayed(OTHER, COLA, -1, found=True)], certain=True)
    assert ledger.strays() == [Stray(OTHER, COLA, visit_id(1), 5, 1, 1)]
    ledger.learn(visit_id(3), 7, {}, [Strayed(OTHER, COLA, -5, found=True)], certain=False)
    assert ledger.strays() == [Stray(OTHER, COLA, visit_id(1), 5, 0, 1)]


def test_shadow_counts_who_agreed_and_who_would_have_charged_more_or_less(ledger: Ledger) -> None:
    agreed, more = Opinion("charge", {}, agrees=True), Opinion("charge", {}, more_minor=250)
    for n, opinion in enumerate((agreed, more, Opinion("review", {}, more_minor=-90), Opinion("failed"))):
        ledger.learn(visit_id(n), 5, {}, (), {"mps": opinion})
    (count,) = ledger.shadows()
    assert (count.visits, count.agreed, count.more, count.less, count.failed) == (4, 1, 1, 1, 1)
    assert (count.more_minor, count.less_minor) == (250, 90)


def test_a_technicians_zones_wait_for_their_counts_and_are_concluded_once(ledger: Ledger) -> None:
    told = [(CHANGE, {COLA: 5}), (replace(CHANGE, zone=OTHER), {})]
    assert ledger.await_counts(visit_id(1), "restock", told)
    assert not ledger.await_counts(visit_id(1), "restock", told)
    first, second = ledger.uncounted()
    assert (first.change, first.before, first.purpose) == (CHANGE, {COLA: 5}, "restock")
    assert ledger.conclude(first, {COLA: BELIEF}, touched=True)
    assert not ledger.conclude(first, {COLA: replace(BELIEF, mean_g=1.0)}, touched=True)
    assert ledger.uncounted() == [second]
    assert ledger.beliefs() == {COLA: BELIEF}


def test_a_zone_that_was_tidied_has_nothing_astray_any_more(ledger: Ledger) -> None:
    ledger.learn(visit_id(1), 5, {}, [Strayed(OTHER, COLA, 1), Strayed(SHELF, WATER, 1)])
    ledger.await_counts(visit_id(2), "restock", [(CHANGE, {}), (replace(CHANGE, zone=OTHER), {})])
    for zone in ledger.uncounted():
        ledger.conclude(zone, {}, touched=zone.change.zone == OTHER)
    assert [stray.zone for stray in ledger.strays()] == [SHELF]


def test_only_the_newest_visit_is_weighed_after_a_crash_and_only_a_technicians(ledger: Ledger) -> None:
    def served(number: int) -> None:
        entry = replace(opened(number), member=None, purpose="restock")
        ledger.commit(Idle(), [entry], stamp())
        ledger.commit(Idle(), [ClosedVisit(visit_id(number), "serviced")], stamp())

    assert ledger.last_service() is None
    served(1)
    assert ledger.last_service() == visit_id(1)
    shop(ledger, 2)
    assert ledger.last_service() is None
    served(3)
    ledger.await_counts(visit_id(3), "restock", [])
    assert ledger.last_service() is None


def test_everything_learnt_can_be_forgotten(ledger: Ledger) -> None:
    ledger.learn(visit_id(1), 5, {COLA: BELIEF}, [Strayed(OTHER, COLA, 1)], {"mps": Opinion("charge")})
    ledger.forget_learning()
    assert (ledger.beliefs(), ledger.strays(), ledger.shadows()) == ({}, [], [])
    assert ledger.learn(visit_id(1), 5, {})


def test_a_ledger_from_before_learns_after_its_upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cabinet.ledger.MIGRATIONS", MIGRATIONS[:4])
    with Ledger(tmp_path / "old.db") as old:
        old.put_products(CATALOG)
    monkeypatch.setattr("cabinet.ledger.MIGRATIONS", MIGRATIONS)
    with Ledger(tmp_path / "old.db") as new:
        assert new.learn(visit_id(1), 5, {Sku(COLA): BELIEF})
        assert new.beliefs() == {COLA: BELIEF}
