"""The daemon's own pieces in the simulated world: visits teach, restocks are compared, a crash costs a lesson."""

import logging
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cabinet.basket.evidence import Header
from cabinet.ledger import Incident, Ledger
from cabinet.proving.player import Player
from cabinet.proving.stage import Settings, Stage
from cabinet.proving.watchman import Watchman
from cabinet.sim import shop
from cabinet.sim.story import parse
from cabinet.units import Sku, ZoneId

JUICE, COLA, S1, S2, S3 = Sku("juice"), Sku("cola"), ZoneId("s1"), ZoneId("s2"), ZoneId("s3")
SHOP = """
goods juice 330 g sd 3 g really 370 g price 240
shelf s1 holds 2 juice, 6 water
shelf s2 holds 6 lime, 4 cola
shelf s3 holds 6 chips
"""
RESTOCK = "tom serves to restock\ntom opens\n" + "tom stocks juice on s1\n" * 4 + "tom closes\n"


class Told:
    """A cabinet that stories are told in, one after the other."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.plan: shop.Plan = parse(SHOP + "ann comes\n").plan
        (folder / "traces").mkdir()
        self.stage = Stage(folder, self.plan, random.Random(seed), Settings(learning=True))
        self.watchman = Watchman(self.stage)
        self.stage.start()

    def tell(self, text: str) -> None:
        player = Player(self.stage, self.watchman)
        player.play(parse(text, plan=self.plan))
        player.rest()
        self.stage.run_for(4.0)
        assert player.failures == []
        assert self.watchman.violations == []

    @property
    def ledger(self) -> Ledger:
        return self.stage.cabinet.ledger

    @property
    def incidents(self) -> list[str]:
        return [entry.why for entry in self.stage.cabinet.committed.entries if isinstance(entry, Incident)]

    @property
    def header(self) -> Header:
        """The last visit's."""
        return list(self.stage.notebook.pages.values())[-1].header


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    logging.disable(logging.CRITICAL)
    one = Told(tmp_path)
    yield one
    one.stage.cabinet.close()
    logging.disable(logging.NOTSET)


def shopped(what: str, who: str = "ann") -> str:
    return f"{who} comes\n{who} opens\n{who} takes {what}\n{who} closes\n"


def test_a_restock_teaches_the_mass_that_the_next_visits_header_tells(told: Told) -> None:
    told.tell(RESTOCK + "tom counts 6 juice on s1\n")
    assert told.ledger.catalog()[JUICE].mass_g == 330.0
    told.tell(shopped("juice from s1") + "expect charge 1 juice\n")
    assert told.header.catalog[JUICE].mass_g == pytest.approx(370.0, abs=5.0)
    assert told.header.catalog[JUICE].mass_sd_g is not None
    assert told.incidents == []


def test_counts_that_come_with_the_next_shopper_before_the_door_are_in_time(told: Told) -> None:
    told.tell(RESTOCK)
    told.stage.cabinet.ledger.set_stock(S1, JUICE, 6)  # nobody tells the learner
    told.tell(shopped("juice from s1") + "expect charge 1 juice\n")


def test_doctor_names_the_product_with_both_masses_and_since_when(told: Told) -> None:
    told.tell(RESTOCK + "tom counts 6 juice on s1\n")
    why = told.stage.cabinet.parts.why("masses") or ""
    assert why.startswith("juice juice weighs 3")
    assert "the catalogue says 330 g (since 2026-11-18, 4 units)" in why
    told.ledger.forget_belief(JUICE)
    assert told.stage.cabinet.learner is not None
    told.stage.cabinet.learner.told()
    assert told.stage.cabinet.parts.why("masses") is None


def test_a_certain_visit_teaches_and_the_same_visit_only_once(told: Told) -> None:
    told.tell(shopped("chips from s3") + "expect charge 1 chips\n")
    belief = told.ledger.beliefs()[Sku("chips")]
    assert (belief.units, belief.visits) == (1, 1)
    told.stage.cabinet.die()
    told.stage.boot()
    told.stage.run_for(5.0)
    assert told.ledger.beliefs()[Sku("chips")] == belief


def test_a_review_teaches_nothing(told: Told) -> None:
    told.tell(
        "ann comes\nann opens\nann takes chips from s3\nann leaves stone of 700 g on s3\nann closes\nexpect review\n"
    )
    assert (told.ledger.beliefs(), told.ledger.strays()) == ({}, [])


def test_a_unit_on_a_wrong_shelf_is_remembered_until_the_shelf_is_restocked(told: Told) -> None:
    told.tell(shopped("cola from s2\nann puts cola back on s3") + "expect nothing\n")
    (stray,) = told.ledger.strays()
    assert (stray.zone, stray.sku, stray.count) == (S3, COLA, 1)
    assert told.ledger.stock()[S3][COLA] == 1
    told.tell("tom serves to restock\ntom opens\ntom takes cola from s3\ntom puts cola on s2\ntom closes\n"
              "tom counts 4 cola on s2\n")  # fmt: skip  # a story
    told.stage.run_for(1000.0)
    assert told.ledger.strays() == []


def test_a_stray_that_is_bought_is_no_stray_any_more_and_counts_as_found_there(told: Told) -> None:
    told.tell(shopped("cola from s2\nann puts cola back on s3") + "expect nothing\n")
    told.tell(shopped("cola from s3", "ben") + "expect charge 1 cola\n")
    (stray,) = told.ledger.strays()
    assert stray.count == 0


def test_a_restock_that_is_never_counted_raises_no_alarm(told: Told) -> None:
    told.tell(RESTOCK)
    told.stage.run_for(1000.0)
    assert told.incidents == []
    assert told.ledger.uncounted() == []
    assert JUICE not in told.ledger.beliefs()


@pytest.mark.parametrize("purpose", ["restock", "service"])
def test_goods_that_a_technician_keeps_are_an_incident(told: Told, purpose: str) -> None:
    told.tell(f"tom serves to {purpose}\ntom opens\ntom takes cola from s2\ntom closes\n")
    told.stage.run_for(1000.0)
    (why,) = told.incidents
    assert "zone s2 weighs 55" in why  # with the drift of that shelf
    assert "1 x Cola 0.5 l (cola) would explain it" in why


def test_a_service_in_which_nothing_was_touched_or_all_was_put_back_is_no_incident(told: Told) -> None:
    told.tell("tom serves to service\ntom opens\ntom takes cola from s2\ntom puts cola back on s2\ntom closes\n")
    told.stage.run_for(1000.0)
    assert told.incidents == []


def test_a_crash_before_the_weighing_costs_nothing(told: Told) -> None:
    player = Player(told.stage, told.watchman)
    player.play(parse("tom serves to service\ntom opens\ntom takes cola from s2\ntom closes\n", plan=told.plan))
    told.stage.kill()
    told.stage.boot()
    told.stage.run_for(10.0)
    assert [why for why in told.incidents if why.startswith("goods left during a service")] != []
    told.stage.kill()
    told.stage.boot()
    told.stage.run_for(10.0)
    assert len([why for why in told.incidents if why.startswith("goods left during a service")]) == 1


def test_counts_survive_a_crash(told: Told) -> None:
    told.tell(RESTOCK)
    told.stage.kill()
    told.stage.boot()
    told.stage.run_for(2.0)
    told.tell("tom counts 6 juice on s1\n")
    assert told.ledger.beliefs()[JUICE].mean_g == pytest.approx(370.0, abs=5.0)


def test_a_disk_that_cannot_keep_a_lesson_does_not_keep_the_visit_from_closing(told: Told) -> None:
    told.stage.cabinet.ledger.learn = _refusing  # type: ignore[method-assign]  # the disk's part
    told.tell(shopped("chips from s3") + "expect charge 1 chips\n")
    assert told.ledger.beliefs() == {}


def _refusing(*_: object, **__: object) -> bool:
    from cabinet.ledger import LedgerError

    raise LedgerError("no space left on the device")


def test_a_campaigns_visits_do_not_teach_each_other(tmp_path: Path) -> None:
    stage = Stage(tmp_path, shop.usual(), random.Random(1), replace(Settings()))
    stage.start()
    assert stage.cabinet.learner is None
    stage.cabinet.close()


def test_a_cabinet_that_begins_anew_has_forgotten(told: Told) -> None:
    told.tell(RESTOCK + "tom counts 6 juice on s1\n")
    told.stage.renew(random.Random(2))
    assert told.ledger.beliefs() == {}
