"""A member who was erased at a cabinet: the wallet goes once what they took is paid; the books keep the bare id."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cabinet import wire
from cabinet.cloud import forgetting
from cabinet.cloud.books import open_books
from cabinet.cloud.money.counter import Counter
from cabinet.cloud.money.office import RefusedHereError
from cabinet.cloud.money.roster import blocked, why_not
from cabinet.cloud.service import CloudService
from cabinet.cloud.store import CloudStore
from tests.cloud.money.conftest import CAB, COLA, Shop
from tests.cloud.money.lives import T0
from tests.cloud.money.test_ingest import Edge

V = "01JVISIT00000000000000000A"
CHARGE: dict[str, Any] = {
    "outcome": "charge", "total_minor": 700, "currency": "EUR", "lines": [COLA], "member": "ada", "evidence_hash": "",
}  # fmt: skip  # a table


@pytest.fixture
def store(shop: Shop) -> Iterator[CloudStore]:
    made = CloudStore(shop.url)
    made.keep_books(Counter(made.books))
    yield made
    made.close()


def bought(edge: Edge) -> None:
    edge.say("visit.opened", V, member="ada", purpose="shop")
    edge.say("visit.closed", V, **CHARGE)


def wallets(shop: Shop) -> list[str]:
    return [row["member"] for row in shop.books.rows("SELECT member FROM wallet ORDER BY member")]


def test_the_wallet_goes_once_everything_is_paid(shop: Shop, store: CloudStore) -> None:
    edge = Edge(store)
    bought(edge)
    edge.say("member.erased", None, member="ada")  # type: ignore[arg-type]  # an event of no visit
    assert (forgetting.sweep(shop.books, T0), wallets(shop)) == (0, ["ada"])
    shop.work()
    assert (shop.state(V), forgetting.sweep(shop.books, T0 + 5), wallets(shop)) == ("paid", 1, [])
    assert shop.books.row("SELECT at_ms, wallet_ms FROM forgotten") == {"at_ms": T0, "wallet_ms": T0 + 5}
    assert shop.row(V)["member"] == "ada"  # the books stay, under the bare id


def test_the_wallet_waits_for_events_from_before_the_erasure(shop: Shop, store: CloudStore) -> None:
    edge = Edge(store)
    late = edge.next("visit.opened", V, member="ada", purpose="shop")
    edge.say("member.erased", None, member="ada")  # type: ignore[arg-type]  # likewise
    assert (forgetting.sweep(shop.books, T0), wallets(shop)) == (0, ["ada"])
    edge.again(late)
    assert (forgetting.sweep(shop.books, T0), wallets(shop)) == (0, ["ada"])  # a visit that is open


def test_whoever_owes_keeps_their_wallet_until_it_is_written_off(shop: Shop, store: CloudStore) -> None:
    shop.books.run("UPDATE wallet SET method = 'pm_declined' WHERE member = 'ada'")
    edge = Edge(store)
    bought(edge)
    edge.say("member.erased", None, member="ada")  # type: ignore[arg-type]  # likewise
    with shop.books.writing():
        shop.books.run("UPDATE payment SET state = 'owed' WHERE visit = ?", V)
    assert (forgetting.sweep(shop.books, T0), wallets(shop)) == (0, ["ada"])
    with shop.books.writing():
        shop.books.run("UPDATE payment SET state = 'written off' WHERE visit = ?", V)
    assert (forgetting.sweep(shop.books, T0), wallets(shop)) == (1, [])


def test_a_forgotten_member_is_let_in_nowhere_and_is_on_no_list(shop: Shop, store: CloudStore) -> None:
    shop.office.block("ada", "shouted at the fridge", T0)
    Edge(store).say("member.erased", None, member="ada")  # type: ignore[arg-type]  # likewise
    assert (why_not(shop.books, "ada"), blocked(shop.books)) == ("denied", [])
    with pytest.raises(RefusedHereError, match="forgotten"):
        shop.office.set_wallet("ada", "cus_2", "pm_2", T0)


def test_a_cabinet_cannot_forget_the_members_of_others(shop: Shop, store: CloudStore) -> None:
    bought(Edge(store))
    shop.work()
    Edge(store, "cab-2").say("member.erased", None, member="ada")  # type: ignore[arg-type]  # likewise
    forgetting.sweep(shop.books, T0)
    assert (wallets(shop), why_not(shop.books, "ada"), shop.alarms()) == (["ada"], "", ["roster"])


def test_the_same_erasure_twice_is_one(shop: Shop, store: CloudStore) -> None:
    edge = Edge(store)
    bought(edge)
    shop.work()
    for _ in range(2):
        edge.say("member.erased", None, member="ada")  # type: ignore[arg-type]  # likewise
    assert (forgetting.sweep(shop.books, T0), forgetting.sweep(shop.books, T0)) == (1, 0)


def test_a_refund_after_the_erasure_still_works(shop: Shop, store: CloudStore) -> None:
    edge = Edge(store)
    bought(edge)
    shop.work()
    edge.say("member.erased", None, member="ada")  # type: ignore[arg-type]  # likewise
    forgetting.sweep(shop.books, T0)
    shop.office.refund(V, 300, "stale", "desk", T0)
    shop.work()
    assert shop.row(V)["returned_minor"] == 300


def test_the_clouds_patrol_sweeps(shop: Shop, store: CloudStore) -> None:
    service = CloudService(store, {CAB: b"k" * 32})
    Edge(store).say("member.erased", None, member="ada")  # type: ignore[arg-type]  # likewise
    service.patrol(T0)
    assert wallets(shop) == []


@pytest.mark.parametrize("body", [{}, {"member": 7}, {"member": "x" * 500}, {"member": "a\nb"}])
def test_an_erasure_of_nobody_changes_nothing(body: dict[str, Any], shop: Shop, store: CloudStore) -> None:
    event = Edge(store).say("member.erased", None, **body)  # type: ignore[arg-type]  # likewise
    assert event["h"] != wire.GENESIS
    assert shop.books.rows("SELECT member FROM forgotten") == []


def test_what_led_to_a_person_is_in_no_file_of_the_books_any_more(tmp_path: Path) -> None:
    with contextlib.closing(open_books(tmp_path / "cloud.db")) as books:
        with books.writing():
            books.run("INSERT INTO wallet VALUES ('ada', 'cus_unmistakable', 'pm_unmistakable', 0)")
            books.run("INSERT INTO mark (cab, store, hwm, h) VALUES (?, 's', 1, 'h')", CAB)
            books.run("INSERT INTO forgotten VALUES ('ada', ?, 's', 1, 0, NULL)", CAB)
        assert b"unmistakable" in written(tmp_path)
        assert forgetting.sweep(books, T0) == 1
        assert b"unmistakable" not in written(tmp_path)


def written(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())
