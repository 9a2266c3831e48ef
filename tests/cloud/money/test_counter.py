"""From events to money: order does not matter, at most what was charged comes back, every transaction adds up."""

import itertools
from collections.abc import Callable

import pytest

from cabinet.cloud.money.accounts import Line, parts_of, post, trial_balance
from cabinet.cloud.money.office import RefusedHereError
from cabinet.cloud.money.register import Register
from cabinet.cloud.money.sandbox import Moods
from cabinet.cloud.money.values import DAY_MS, HOUR_MS, Asked, Payment
from cabinet.ledger.errors import EntryRefusedError
from tests.cloud.money.conftest import CAB, Shop, event

V = "01JVISIT00000000000000000A"


def balanced(shop: Shop) -> bool:
    rows = shop.books.rows("SELECT txn, sum(amount_minor) AS off FROM posting GROUP BY txn")
    return bool(rows) and not [row["txn"] for row in rows if row["off"]]


def test_a_visit_from_the_hold_to_the_capture_leaves_revenue_and_money_and_no_debt(shop: Shop) -> None:
    shop.ask(V)
    shop.work()
    assert shop.row(V)["held_minor"] == 1000
    shop.open(V)
    shop.close(V)
    shop.work()
    assert (shop.state(V), shop.accounts(V), balanced(shop)) == ("paid", {"clearing": 700, "revenue": -700}, True)
    (intent,) = shop.sandbox().export()
    assert (intent.key, intent.status, intent.captured_minor) == (V, "captured", 700)


STEPS: dict[str, Callable[[Shop], None]] = {
    "opened": lambda shop: shop.open(V),
    "closed": lambda shop: shop.close(V),
    "refunded": lambda shop: shop.adjust(V, "r1", 200),
    "collected": lambda shop: shop.work(),
}


@pytest.mark.parametrize("order", list(itertools.permutations(STEPS)), ids="-".join)
def test_the_order_of_arrival_changes_nothing(shop: Shop, order: tuple[str, ...]) -> None:
    for name in order:
        STEPS[name](shop)
    shop.work()
    row = shop.row(V)
    assert (row["state"], row["captured_minor"] - row["returned_minor"], shop.adjustments()) == (
        "paid",
        500,
        {"r1": "paid"},
    )
    assert (shop.accounts(V), balanced(shop)) == ({"clearing": 500, "revenue": -500}, True)


def test_at_most_what_was_charged_comes_back_edge_and_cloud_together(shop: Shop) -> None:
    shop.close(V)
    shop.adjust(V, "r1", 500)
    with pytest.raises(RefusedHereError, match="200"):
        shop.office.refund(V, 300, "stale", "desk", shop.clock.ms)
    shop.office.refund(V, 150, "stale", "desk", shop.clock.ms)
    shop.adjust(V, "r2", 51)
    assert (shop.adjustments()["r2"], shop.alarms()) == ("refused", ["refund"])
    shop.work()
    assert shop.row(V)["captured_minor"] == 50


def test_refunds_that_waited_are_booked_as_far_as_the_charge_goes(shop: Shop) -> None:
    shop.adjust(V, "r1", 500)
    shop.adjust(V, "r2", 500)
    assert shop.adjustments() == {"r1": "waiting", "r2": "waiting"}
    shop.close(V)
    assert (shop.adjustments(), shop.alarms()) == ({"r1": "paid", "r2": "refused"}, ["refund"])


def test_a_refund_told_twice_counts_once_and_one_told_differently_raises_an_alarm(shop: Shop) -> None:
    shop.close(V)
    shop.adjust(V, "r1", 200)
    shop.adjust(V, "r1", 200)
    assert (shop.row(V)["back_minor"], shop.alarms()) == (200, [])
    shop.adjust(V, "r1", 300)
    assert (shop.row(V)["back_minor"], shop.alarms()) == (200, ["refund"])


def test_another_cabinet_refunds_nothing_and_closes_nothing_unseen(shop: Shop) -> None:
    shop.ask(V)
    shop.close(V, cab="cab-2")
    assert (shop.state(V), shop.row(V)["captured_minor"]) == ("waiting", 0)
    shop.adjust(V, "r1", 100, cab="cab-2")
    assert (shop.adjustments()["r1"], shop.alarms()) == ("refused", ["refund"])


def hold_in_yen(shop: Shop) -> None:
    with shop.books.writing(CAB):
        Register(shop.books).start(Payment(V, CAB, "ada", "JPY"), Asked(1000), shop.clock.ms)


def test_a_hold_in_another_currency_is_given_back_and_what_a_person_decides_is_asked_for_in_the_charges_own(
    shop: Shop,
) -> None:
    hold_in_yen(shop)
    shop.work()
    shop.close(V)
    shop.work()
    assert (shop.state(V), shop.row(V)["captured_minor"], shop.row(V)["held_minor"]) == ("waiting", 0, 0)
    shop.office.settle(V, 700, "looked at it", "eve", shop.clock.ms)
    shop.work()
    assert shop.state(V) == "paid"
    told = [(one.currency, one.status, one.captured_minor) for one in shop.sandbox().export()]
    assert told == [("JPY", "canceled", 0), ("EUR", "captured", 700)]
    assert {(row["account"], row["currency"]): row["minor"] for row in trial_balance(shop.books) if row["minor"]} == {
        ("clearing", "EUR"): 700, ("revenue", "EUR"): -700,
    }  # fmt: skip  # a table


def test_a_hold_that_is_being_asked_for_keeps_its_currency_whatever_the_charge_says_meanwhile(shop: Shop) -> None:
    hold_in_yen(shop)
    shop.work(shop.sandbox(Moods(lost_after=1.0)))  # held, and nobody knows yet
    shop.close(V)
    shop.office.settle(V, 700, "looked at it", "eve", shop.clock.ms)
    shop.clock.ms += HOUR_MS
    shop.work()
    told = [(one.currency, one.status, one.captured_minor) for one in shop.sandbox().export()]
    assert (shop.state(V), told) == ("paid", [("JPY", "canceled", 0), ("EUR", "captured", 700)])


@pytest.mark.parametrize("amount", ["200", -1, True, None, 2**53])
def test_an_adjustment_that_makes_no_sense_raises_an_alarm_and_nothing_else(shop: Shop, amount: object) -> None:
    shop.close(V)
    shop.adjust(V, "r1", amount)
    assert (shop.adjustments(), shop.alarms()) == ({}, ["malformed"])


def test_a_correction_reduces_what_is_captured(shop: Shop) -> None:
    shop.close(V)
    shop.adjust(V, "c1", 300, type_="visit.corrected")
    shop.work()
    assert (shop.row(V)["captured_minor"], shop.accounts(V)) == (400, {"clearing": 400, "revenue": -400})


@pytest.mark.parametrize("outcome", ["nothing", "void"])
def test_a_visit_without_a_charge_releases_its_hold(shop: Shop, outcome: str) -> None:
    shop.ask(V)
    shop.work()
    shop.open(V)
    shop.close_without(V, outcome)
    shop.work()
    assert (shop.state(V), shop.accounts(V)) == ("released", {})
    assert [intent.status for intent in shop.sandbox().export()] == ["canceled"]


def test_a_service_visit_is_no_ones_money(shop: Shop) -> None:
    shop.counter.opened(CAB, event("visit.opened", V, member=None, purpose="service"), shop.clock.ms)
    shop.close_without(V, "serviced")
    assert shop.books.rows("SELECT 1 AS one FROM payment") == []


def test_a_visit_in_doubt_is_captured_as_a_person_decides(shop: Shop) -> None:
    shop.ask(V)
    shop.work()
    shop.open(V)
    shop.close_without(V, "review")
    shop.work()
    assert shop.state(V) == "waiting"
    shop.office.settle(V, 450, "the camera shows two", "eve", shop.clock.ms)
    shop.work()
    assert (shop.state(V), shop.accounts(V), balanced(shop)) == ("paid", {"clearing": 450, "revenue": -450}, True)
    with pytest.raises(RefusedHereError, match="nothing to decide"):
        shop.office.settle(V, 1, "again", "eve", shop.clock.ms)


def test_a_charge_in_doubt_is_captured_in_part_and_the_ledger_says_so(shop: Shop) -> None:
    shop.close(V, review="its lines add up to 701")
    shop.work()
    assert (shop.state(V), shop.row(V)["captured_minor"]) == ("waiting", 0)
    with pytest.raises(RefusedHereError, match="within 0 and 700"):
        shop.office.settle(V, 701, "", "eve", shop.clock.ms)
    shop.office.settle(V, 300, "one was broken", "eve", shop.clock.ms)
    shop.work()
    assert (shop.state(V), shop.accounts(V)) == ("paid", {"clearing": 300, "revenue": -300})


def test_a_debt_blocks_its_member_until_it_is_paid_or_written_off(shop: Shop) -> None:
    shop.office.set_wallet("ada", "cus_ada", "declines", shop.clock.ms)
    shop.close(V)
    shop.work()
    assert (shop.state(V), shop.accounts(V)) == ("owed", {"receivable:ada": 700, "revenue": -700})
    shop.office.set_wallet("ada", "cus_ada", "pm_new", shop.clock.ms)
    shop.clock.ms += HOUR_MS
    shop.work()
    assert (shop.state(V), shop.accounts(V)) == ("paid", {"clearing": 700, "revenue": -700})


def test_an_overdue_debt_is_written_off_by_a_person(shop: Shop) -> None:
    shop.office.set_wallet("ada", "cus_ada", "declines", shop.clock.ms)
    shop.close(V)
    for _ in range(6):
        shop.work()
        shop.clock.ms += 8 * DAY_MS
    assert shop.state(V) == "overdue"
    assert shop.office.write_off(V, "moved away", "eve", shop.clock.ms) == 700
    assert (shop.state(V), shop.accounts(V), balanced(shop)) == (
        "written off",
        {"writeoff": 700, "revenue": -700},
        True,
    )


def test_a_dispute_is_answered_once_and_gives_back_what_is_left(shop: Shop) -> None:
    shop.close(V)
    shop.work()
    shop.adjust(V, "r1", 100)
    said = {"id": "d1", "reason": "I had one", "who": "ada", "evidence_hash": "ab", "evidence": "t", "due_ms": 9}
    with shop.books.writing(CAB):
        shop.counter.adjusted(CAB, event("visit.disputed", V, **said), shop.clock.ms)
    assert shop.office.answer("d1", "refund", "agreed", "eve", shop.clock.ms) == 600
    with pytest.raises(RefusedHereError, match="answered already"):
        shop.office.answer("d1", "refund", "agreed", "eve", shop.clock.ms)
    shop.work()
    assert (shop.row(V)["returned_minor"], shop.accounts(V)) == (700, {})


def test_a_card_number_is_no_wallet(shop: Shop) -> None:
    with pytest.raises(RefusedHereError, match="never a card's number"):
        shop.office.set_wallet("ada", "cus_ada", "4242 4242 4242 4242", shop.clock.ms)


def test_postings_are_never_changed_nor_deleted_and_never_out_of_balance(shop: Shop) -> None:
    shop.close(V)
    for sql in ("UPDATE posting SET amount_minor = 1", "DELETE FROM posting", "DELETE FROM adjustment"):
        if "adjustment" in sql:
            shop.adjust(V, "r1", 1)
        with pytest.raises(EntryRefusedError), shop.books.writing():
            shop.books.run(sql)
    with pytest.raises(EntryRefusedError, match="out of balance by 1"), shop.books.writing():
        post(shop.books, "x", Payment(V, CAB, "ada", "EUR"), [Line("sale", "revenue", 1)], 0)
    assert not sum(row["minor"] for row in trial_balance(shop.books))


def test_a_transaction_said_again_changes_nothing(shop: Shop) -> None:
    shop.close(V)
    lines = [Line("sale", "revenue", -1), Line("sale", "receivable:ada", 1)]
    with shop.books.writing():
        assert not post(shop.books, f"sale:{V}", Payment(V, CAB, "ada", "EUR"), lines, 0)
    assert shop.accounts(V) == {"revenue": -700, "receivable:ada": 700}


def test_the_database_itself_refuses_a_capture_beyond_the_charge(shop: Shop) -> None:
    shop.close(V)
    with pytest.raises(EntryRefusedError), shop.books.writing():
        shop.books.run("UPDATE payment SET captured_minor = 701")


TAX = {"tax": "full", "rate_ppm": 190_000, "net_minor": 588, "tax_minor": 112, "added": False}
BOTTLE = {"sku": "b", "quantity": 2, "unit_price_minor": 100, "tax": "low", "deposit_minor": 25}


@pytest.mark.parametrize(
    ("total", "lines", "taxes", "parts"),
    [
        (700, [{**BOTTLE, "deposit_minor": 0, "taxes": [TAX]}], [], {"revenue": 588, "tax:full": 112}),
        (700, [], [TAX], {"revenue": 588, "tax:full": 112}),  # lines left out: the bill's own table
        (250, [BOTTLE], [], {"revenue": 200, "deposit": 50}),
        (
            264,  # tax added to goods only
            [{**BOTTLE, "taxes": [{"tax": "low", "net_minor": 200, "tax_minor": 14, "added": True}]}],
            [],
            {"revenue": 200, "deposit": 50, "tax:low": 14},
        ),
        (
            250,  # the deposit has a class of its own, with the tax within
            [{**BOTTLE, "taxes": [{"tax": "full", "net_minor": 42, "tax_minor": 8, "added": False},
                                  {"tax": "low", "net_minor": 187, "tax_minor": 13, "added": False}]}],
            [],
            {"revenue": 187, "deposit": 42, "tax:full": 8, "tax:low": 13},
        ),
        (700, [{**BOTTLE, "taxes": "?"}], [], {"revenue": 700}),
        (100, [BOTTLE, BOTTLE, BOTTLE], [], {"revenue": 100}),
    ],
)  # fmt: skip  # a table
def test_a_sale_is_split_into_revenue_tax_and_deposit(
    total: int, lines: list[dict[str, object]], taxes: list[dict[str, object]], parts: dict[str, int]
) -> None:
    assert parts_of(total, lines, taxes) == parts


def test_refunds_in_any_pieces_take_back_revenue_tax_and_deposit_to_the_last_cent(shop: Shop) -> None:
    shop.close(V, 750, lines=[{**BOTTLE, "taxes": [TAX]}])
    for n, piece in enumerate([1, 2, 333, 111, 303]):
        shop.adjust(V, f"r{n}", piece)
        rows = shop.books.rows(
            "SELECT amount_minor FROM posting WHERE txn = ? AND account <> 'receivable:ada'", f"refund:r{n}"
        )
        assert (sum(row["amount_minor"] for row in rows), min(row["amount_minor"] for row in rows) > 0) == (piece, True)
    assert shop.accounts(V) == {}
