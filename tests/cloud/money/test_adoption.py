"""Charges from before there was money: each gets a payment once, and nothing is captured unless a person says so."""

import json

from cabinet.cloud.books import open_books
from cabinet.cloud.money.adoption import WHY, adopt
from cabinet.cloud.money.house import Money
from tests.cloud.money.conftest import CAB, COLA, Shop


def stored_before(shop: Shop, n: int, review: str = "") -> None:
    with shop.books.writing(CAB):
        shop.books.run(
            "INSERT INTO charge (store, seq, h, member, currency, visit, cab, total_minor, lines, stored_ms, review)"
            " VALUES ('s', ?, 'h', 'ada', 'EUR', ?, ?, 700, ?, 0, ?)",
            n, f"v{n}", CAB, json.dumps([COLA]), review,
        )  # fmt: skip  # a table


def test_an_old_charge_waits_for_a_person_and_is_booked_as_revenue(shop: Shop) -> None:
    stored_before(shop, 1)
    stored_before(shop, 2, "two stories")
    assert adopt(shop.books, shop.clock.ms) == 2
    shop.work()
    assert (shop.state("v1"), shop.accounts("v1")) == ("waiting", {"receivable:ada": 700, "revenue": -700})
    assert json.loads(shop.row("v1")["facts"])["review"] == WHY
    assert json.loads(shop.row("v2")["facts"])["review"] == "two stories"
    assert list(shop.sandbox().export()) == []


def test_what_a_person_decides_of_an_old_charge_is_captured_once(shop: Shop) -> None:
    stored_before(shop, 1)
    adopt(shop.books, shop.clock.ms)
    shop.office.settle("v1", 700, "not invoiced yet", "eve", shop.clock.ms)
    shop.work()
    assert (shop.state("v1"), [one.captured_minor for one in shop.sandbox().export()]) == ("paid", [700])


def test_adopting_twice_and_more_than_one_batch_changes_nothing_that_is_known(shop: Shop) -> None:
    shop.close("known")
    for n in range(450):
        stored_before(shop, n)
    assert [adopt(shop.books, shop.clock.ms) for _ in range(2)] == [450, 0]
    assert shop.state("known") == "due"


def test_money_opened_on_old_books_adopts_by_itself(shop: Shop) -> None:
    stored_before(shop, 1)
    Money(shop.books, {}, None, lambda: open_books(shop.url)).close()
    assert shop.state("v1") == "waiting"
