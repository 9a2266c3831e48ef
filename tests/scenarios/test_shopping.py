"""Whole visits, told as the shopper would tell them."""

import pytest

from cabinet.cli.demo.people import code_picture
from cabinet.cli.demo.shop import Member, Shop, basket
from cabinet.cli.demo.waiting import wait_until
from cabinet.cloud.run import charges

COLA, LIME, OATS, CHIPS = "5000000000011", "5000000000028", "5000000000035", "5000000000042"


def billed(shop: Shop, count: int) -> list[int]:
    """The cloud's charges once there are `count` of them, in the order of arrival."""
    db = shop.bench.cloud_db
    wait_until(lambda: len(charges(db)) >= count, 20.0, lambda: f"the cloud has only {charges(db)}")
    return [charge.total_minor for charge in charges(db)]


def test_what_i_took_is_what_i_pay_and_the_cloud_hears_it_once(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    shop.take("s1", COLA)
    shop.take("s2", OATS)
    shown = shop.shut(visit)
    assert shown["visit"]["outcome"] == "charge", shown
    assert basket(shown) == {COLA: 1, OATS: 1}
    assert billed(shop, 1) == [530]


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


def test_three_visits_while_the_broker_is_down_arrive_in_order_and_once(shop: Shop, ann: Member) -> None:
    shop.bench.broker.stop()
    for zone, sku in (("s1", COLA), ("s2", LIME), ("s1", CHIPS)):
        visit = shop.open_as(ann.code)
        shop.take(zone, sku)
        assert basket(shop.shut(visit)) == {sku: 1}
        shop.bench.wait_for_state("Idle")
    shop.bench.broker.start()
    assert billed(shop, 3) == [220, 180, 260]
    wait_until(lambda: bool(shop.bench.ask("outbox")["count"] == 0), 20.0, "the outbox does not empty")
    assert billed(shop, 3) == [220, 180, 260]


def test_a_stranger_with_a_made_up_code_finds_the_door_locked(shop: Shop) -> None:
    shop.somebody(code_picture("CAB1:" + "A" * 26))
    shop.bench.wait_for_state("Authenticating")
    shop.bench.wait_for_state("Idle")
    assert not shop.world.pull()
    assert shop.bench.ask("visits.list")["visits"] == []


@pytest.mark.campaign
def test_a_code_of_somebody_elses_shop_is_dropped_and_counted(shop: Shop, ann: Member) -> None:
    shop.somebody(code_picture("https://example.org/menu"))
    shop.bench.wait_for_state("Authenticating")
    shop.bench.wait_for_state("Idle")
    counters = shop.bench.ask("doctor")["counters"]["greeter"]
    assert counters["foreign codes"] > 0
    shop.nobody()
    assert shop.open_as(ann.code)


def test_an_erased_member_is_a_stranger(shop: Shop, ann: Member) -> None:
    shop.bench.ask("members.erase", member=ann.member)
    shop.somebody(ann.code)
    shop.bench.wait_for_state("Authenticating")
    shop.bench.wait_for_state("Idle")
    assert not shop.world.pull()


@pytest.mark.campaign
def test_a_door_left_open_is_told_and_the_visit_stays_mine(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    shop.take("s1", COLA)
    wait_until(lambda: "close the door" in shop.bench.status()["screen"], 10.0, "no prompt")
    wait_until(lambda: shop.bench.board.control({"do": "state"})["buzzer"] == "alarm", 15.0, "no alarm")
    shown = shop.shut(visit)
    assert basket(shown) == {COLA: 1}
    incidents = [row for row in shop.bench.ask("visits.list")["visits"] if row["visit"] == visit]
    assert len(incidents) == 1


def test_the_price_at_the_unlock_holds(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    shop.bench.ask("catalog.add", sku=COLA, name="Cola 0.5 l", mass_g=545.0, unit_price=999, tax="beverage")
    shop.take("s1", COLA)
    assert shop.shut(visit)["visit"]["total_minor"] == 220
