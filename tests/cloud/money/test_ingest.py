"""Money behind the real ingest: signed events in, one charge, one capture, and alarms that hold it back."""

from typing import Any

import pytest

from cabinet import wire
from cabinet.cloud.money.counter import Counter
from cabinet.cloud.store import CloudStore
from tests.cloud.money.conftest import CAB, COLA, Shop
from tests.cloud.money.lives import T0

V = "01JVISIT00000000000000000A"


class Edge:
    """A cabinet's chain of events."""

    def __init__(self, store: CloudStore, cab: str = CAB) -> None:
        self._store, self._cab, self._seq, self._prev = store, cab, 0, wire.GENESIS

    def next(self, type_: str, visit: str, **body: Any) -> dict[str, Any]:
        self._seq += 1
        event: dict[str, Any] = {
            "store": f"s-{self._cab}", "boot": "b", "seq": self._seq, "visit": visit, "type": type_, "body": body,
            "mono_ms": self._seq, "wall_ms": T0, "clock": "ntp",
        }  # fmt: skip  # a table
        event["prev"], event["h"] = self._prev, wire.event_hash(event, self._prev)
        self._prev = event["h"]
        return event

    def say(self, type_: str, visit: str, **body: Any) -> dict[str, Any]:
        event = self.next(type_, visit, **body)
        self.again(event)
        return event

    def again(self, event: dict[str, Any]) -> None:
        self._store.take(self._cab, event, T0)


@pytest.fixture
def store(shop: Shop) -> CloudStore:
    made = CloudStore(shop.url)
    made.keep_books(Counter(made.books))
    return made


def charged(total_minor: int = 700, **more: Any) -> dict[str, Any]:
    return {
        "outcome": "charge",
        "total_minor": total_minor,
        "currency": "EUR",
        "lines": [COLA],
        "member": "ada",
        **more,
    }


def test_a_visit_is_charged_and_captured_once_however_often_it_is_said(shop: Shop, store: CloudStore) -> None:
    edge = Edge(store)
    said = [edge.say("visit.opened", V, member="ada", purpose="shop"), edge.say("visit.closed", V, **charged())]
    for event in said * 2:
        edge.again(event)
        shop.work()
    (intent,) = shop.sandbox().export()
    assert (intent.captured_minor, shop.state(V)) == (700, "paid")
    store.close()


def test_a_charge_whose_lines_do_not_add_up_waits_for_a_person(shop: Shop, store: CloudStore) -> None:
    Edge(store).say("visit.closed", V, **charged(699))
    shop.work()
    assert (shop.state(V), list(shop.sandbox().export())) == ("waiting", [])
    store.close()


def test_a_second_closing_with_another_amount_holds_the_capture_back(shop: Shop, store: CloudStore) -> None:
    edge = Edge(store)
    edge.say("visit.closed", V, **charged())
    edge.say("visit.closed", V, **charged(1400, lines=[COLA, COLA]))
    shop.work()
    assert (shop.state(V), shop.row(V)["charged_minor"]) == ("waiting", 700)
    store.close()


def test_a_refund_from_the_edge_comes_back_and_one_beyond_the_charge_does_not(shop: Shop, store: CloudStore) -> None:
    edge = Edge(store)
    back = {"currency": "EUR", "reason": "stale", "who": "desk"}
    edge.say("visit.refunded", V, id="r1", back_minor=200, **back)
    edge.say("visit.closed", V, **charged())
    shop.work()
    edge.say("visit.corrected", V, id="c1", back_minor=100, total_minor=600, lines=[], **back)
    edge.say("visit.refunded", V, id="r2", back_minor=401, **back)
    shop.work()
    assert (shop.row(V)["captured_minor"] - shop.row(V)["returned_minor"], shop.adjustments()) == (
        400,
        {"r1": "paid", "c1": "paid", "r2": "refused"},
    )
    store.close()


def test_a_dispute_keeps_its_evidence_and_when_it_is_due(shop: Shop, store: CloudStore) -> None:
    edge = Edge(store)
    edge.say("visit.closed", V, **charged())
    evidence = {"evidence_hash": "ab" * 32, "evidence": "t.zip"}
    edge.say("visit.disputed", V, id="d1", reason="I had one", who="ada", due_ms=T0, **evidence)
    (row,) = shop.books.rows("SELECT visit, evidence, evidence_hash, due_ms FROM dispute")
    assert row == {"visit": V, "evidence": "t.zip", "evidence_hash": "ab" * 32, "due_ms": T0}
    store.close()
