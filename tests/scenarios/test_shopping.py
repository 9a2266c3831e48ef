"""Whole visits, told as the shopper would tell them."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cabinet.cli.demo.goods import DRAWN_SHELVES
from cabinet.cli.demo.people import Person, code_picture
from cabinet.cli.demo.shop import FORGED, Member, Shop, basket
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from cabinet.cloud.run import charges
from cabinet.sim.pictures import Picture
from tests.scenarios.conftest import bench_in

COLA, LIME, OATS, CHIPS = "5000000000011", "5000000000028", "5000000000035", "5000000000042"


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """One cabinet for all of them, with a third cola; every story leaves it idle with its door shut."""
    with TemporaryDirectory(prefix="shop-") as folder, bench_in(Path(folder)) as bench:
        shop = Shop(bench)
        shop.stock_drawn({**DRAWN_SHELVES, "s1": (COLA, COLA, COLA, CHIPS, CHIPS, None)})
        yield shop


@pytest.fixture(scope="module")
def ann(shop: Shop) -> Member:
    return shop.enrol(Person("Ann", None, None))


@pytest.fixture(autouse=True)
def ready(shop: Shop) -> Iterator[None]:
    shop.bench.wait_for_state("Idle")
    yield
    shop.nobody()


def billed(shop: Shop, *visits: str) -> list[int]:
    """What the cloud charged for these, once it has as many charges of them, in the order of arrival."""

    def found() -> list[int]:
        return [charge.total_minor for charge in charges(shop.bench.cloud_db) if charge.visit in visits]

    wait_until(lambda: len(found()) >= len(visits), PATIENCE_S, lambda: f"of {visits} the cloud has only {found()}")
    return found()


def emptied(shop: Shop) -> None:
    wait_until(lambda: bool(shop.bench.ask("outbox")["count"] == 0), PATIENCE_S, "the outbox does not empty")


def turned_away(shop: Shop, picture: Picture) -> None:
    """Shown until it has been refused; the door is locked and no visit was opened."""

    def refused() -> int:
        return int(shop.bench.ask("doctor")["counters"]["greeter"].get("refused", 0))

    before, visits = refused(), shop.bench.ask("visits.list")["visits"]
    shop.somebody(picture)
    wait_until(lambda: refused() > before, PATIENCE_S, "nobody looks at the code")
    assert not shop.world.pull()
    assert shop.bench.ask("visits.list")["visits"] == visits


def test_what_i_took_is_what_i_pay_and_the_cloud_hears_it_once(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    shop.take("s1", COLA)
    shop.take("s2", OATS)
    shown = shop.shut(visit)
    assert shown["visit"]["outcome"] == "charge", shown
    assert basket(shown) == {COLA: 1, OATS: 1}
    assert billed(shop, visit) == [530]


def test_what_i_put_back_i_do_not_pay(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    place = shop.take("s1", CHIPS)
    shop.take("s2", LIME)
    shop.put_back("s1", CHIPS, place)
    shown = shop.shut(visit)
    assert basket(shown) == {LIME: 1}


def test_i_looked_and_took_nothing(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    shown = shop.shut(visit)
    assert (shown["visit"]["outcome"], shown["visit"]["total_minor"]) == ("nothing", 0)


def test_i_took_two_and_slammed_the_door(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    shop.take("s1", COLA)
    place = shop.shelves["s1"].index(COLA)
    shop.shelves["s1"][place] = None
    shop.draw()
    shop.lift("s1", COLA)
    shown = shop.shut(visit)
    assert basket(shown) == {COLA: 2}


@pytest.mark.campaign
def test_i_never_opened_the_door_and_paid_nothing(shop: Shop, ann: Member) -> None:
    visit = shop.come(ann.code)
    shop.nobody()
    shown = shop.bench.wait_for_closed(visit)
    assert shown["visit"]["outcome"] == "void"
    assert not shop.world.pull()


def test_visits_while_the_broker_is_down_arrive_in_order_and_once(shop: Shop, ann: Member) -> None:
    emptied(shop)
    shop.bench.broker.stop()
    visits = []
    for sku in (LIME, OATS):
        visits.append(shop.open_as(ann.code))
        shop.take("s2", sku)
        assert basket(shop.shut(visits[-1])) == {sku: 1}
        shop.bench.wait_for_state("Idle")
    shop.bench.broker.start()
    assert billed(shop, *visits) == [180, 310]
    emptied(shop)
    assert billed(shop, *visits) == [180, 310]


def test_a_stranger_with_a_made_up_code_finds_the_door_locked(shop: Shop) -> None:
    turned_away(shop, code_picture(FORGED))


@pytest.mark.campaign
def test_a_code_of_somebody_elses_shop_is_dropped_and_counted(shop: Shop, ann: Member) -> None:
    def foreign() -> int:
        return int(shop.bench.ask("doctor")["counters"]["greeter"].get("foreign codes", 0))

    shop.somebody(code_picture("https://example.org/menu"))
    wait_until(lambda: foreign() > 0, PATIENCE_S, "nobody looks at the code")
    assert not shop.world.pull()
    shop.nobody()
    shop.shut(shop.open_as(ann.code))


def test_an_erased_member_is_a_stranger(shop: Shop) -> None:
    bob = shop.enrol(Person("Bob", None, None))
    shop.bench.ask("members.erase", member=bob.member)
    turned_away(shop, bob.code)


@pytest.mark.campaign
def test_a_door_left_open_is_told_and_the_visit_stays_mine(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    wait_until(lambda: "close the door" in shop.bench.status()["screen"], PATIENCE_S, "no prompt")
    wait_until(lambda: shop.bench.board.control({"do": "state"})["buzzer"] == "alarm", PATIENCE_S, "no alarm")
    shop.take("s1", CHIPS)
    shown = shop.shut(visit)
    assert basket(shown) == {CHIPS: 1}
    incidents = [row for row in shop.bench.ask("visits.list")["visits"] if row["visit"] == visit]
    assert len(incidents) == 1


def test_the_price_at_the_unlock_holds(shop: Shop, ann: Member) -> None:
    chips = shop.prices[CHIPS]
    visit = shop.open_as(ann.code)
    shop.bench.ask("catalog.add", sku=CHIPS, name=chips.name, mass_g=chips.mass_g, unit_price=999, tax=chips.tax)
    shop.take("s1", CHIPS)
    assert shop.shut(visit)["visit"]["total_minor"] == 260
