"""The far end: stored once, charged once, acknowledged only after the commit."""

from pathlib import Path

import pytest

from cabinet import wire
from cabinet.cloud.books.sqlite import SqliteBooks
from cabinet.cloud.service import CloudService
from cabinet.cloud.store import CloudStore
from cabinet.ledger import Ledger, LedgerError
from tests.cloud.counterpart import CAB, KEY, Counterpart, forged, opened
from tests.ledger.examples import shop, stamp, visit_id


def charges(desk: Counterpart) -> list[tuple[str, int]]:
    return [(charge.visit, charge.total_minor) for charge in desk.store.charges()]


def test_an_event_is_acknowledged_with_its_hash(desk: Counterpart) -> None:
    ((kind, ack),) = desk.tell(desk.events[0])
    assert (kind, ack["upto"], ack["h"], ack["selective"]) == ("ack", 1, desk.events[0]["h"], [])


def test_what_is_acknowledged_is_on_disk_already(desk: Counterpart) -> None:
    desk.tell(desk.events[0])
    reader = CloudStore(desk.place, read_only=True)
    assert [event.seq for event in reader.events()] == [1]
    reader.close()


def test_a_disk_that_fails_acknowledges_nothing(desk: Counterpart) -> None:
    if not isinstance(desk.store.books, SqliteBooks):
        pytest.skip("of a file; a server that fails is in test_away.py")
    desk.store.books._file._lost = "broken"
    with pytest.raises(LedgerError):
        desk.tell(desk.events[0])


def test_a_duplicate_is_stored_once_and_acknowledged_again(desk: Counterpart) -> None:
    answers = [desk.tell(event) for event in (desk.events[0], desk.events[1], desk.events[1])]
    assert answers[1] == answers[2]
    assert len(desk.store.events()) == 2
    assert charges(desk) == [(visit_id(1), 250)]


def test_a_charge_knows_member_lines_and_currency(desk: Counterpart) -> None:
    for event in desk.events:
        desk.tell(event)
    charge = desk.store.charges()[1]
    assert (charge.cab, charge.member, charge.total_minor, charge.currency) == (CAB, "01ANNA", 500, "USD")
    assert charge.lines[0]["quantity"] == 2


def test_beyond_a_gap_events_are_acknowledged_one_by_one(desk: Counterpart) -> None:
    desk.tell(desk.events[0])
    ((_, ack),) = desk.tell(desk.events[3])
    assert (ack["upto"], ack["selective"]) == (1, [{"seq": 4, "h": desk.events[3]["h"]}])


def test_a_gap_that_closes_moves_the_mark_over_all_of_it(desk: Counterpart) -> None:
    for seq in (4, 2, 3, 1):
        ((_, ack),) = desk.tell(desk.events[seq - 1])
    assert (ack["upto"], ack["selective"]) == (4, [])


def test_a_gap_of_ten_seconds_is_asked_for_and_not_before(desk: Counterpart) -> None:
    desk.tell(desk.events[0], mono_ms=0)
    desk.tell(desk.events[3], mono_ms=1_000)
    assert desk.service.tick(10_999) == []
    ((kind, nak),) = opened(desk.service.tick(11_000))
    assert (kind, nak["from"], nak["to"], nak["why"]) == ("nak", 2, 3, "gap")
    assert desk.service.tick(11_001) == []


def test_a_gap_that_closed_is_not_asked_for(desk: Counterpart) -> None:
    for seq in (1, 4, 2, 3):
        desk.tell(desk.events[seq - 1])
    assert desk.service.tick(100_000) == []


def test_another_event_at_the_same_place_is_a_fork_and_both_are_kept(desk: Counterpart) -> None:
    for event in desk.events:
        desk.tell(event)
    other = forged(desk.events[3], visit="01OTHER")
    kinds = [(kind, payload.get("why")) for kind, payload in desk.tell(other)]
    assert kinds == [("ack", None), ("nak", "fork")]
    assert [event.seq for event in desk.store.events()] == [1, 2, 3, 4, 4]
    assert [alarm.kind for alarm in desk.store.alarms()] == ["fork"]
    assert ("01OTHER", 500) in charges(desk)


def test_an_event_that_does_not_follow_the_mark_is_a_fork(desk: Counterpart) -> None:
    desk.tell(desk.events[0])
    desk.tell(forged(desk.events[1], prev="a" * 64))
    assert [alarm.kind for alarm in desk.store.alarms()] == ["fork"]
    assert desk.store.mark(CAB, desk.ledger.store).hwm == 1


def test_a_fork_told_twice_alarms_once(desk: Counterpart) -> None:
    desk.tell(desk.events[0])
    for body in ({"why": "a", "at": ""}, {"why": "b", "at": ""}):
        desk.tell(forged(desk.events[0], body=body, type="incident"))
    assert len(desk.store.alarms()) == 1


def test_a_hello_from_another_history_is_a_fork(desk: Counterpart) -> None:
    for event in desk.events:
        desk.tell(event)
    desk.hello(head=3, h="a" * 64)
    assert [alarm.kind for alarm in desk.store.alarms()] == ["fork"]


def test_a_late_hello_of_our_own_history_is_no_alarm(desk: Counterpart) -> None:
    for event in desk.events:
        desk.tell(event)
    desk.hello(head=2, h=desk.events[1]["h"])
    assert desk.store.alarms() == []


def test_another_amount_for_a_visit_is_reviewed_and_the_first_one_stands(desk: Counterpart) -> None:
    for event in desk.events[:2]:
        desk.tell(event)
    body = {**desk.events[1]["body"], "total_minor": 9_999}
    desk.tell(forged(desk.events[1], seq=3, prev=desk.events[1]["h"], body=body))
    assert charges(desk) == [(visit_id(1), 250)]
    assert "9999" in desk.store.charges()[0].review
    assert [alarm.kind for alarm in desk.store.alarms()] == ["amount"]


def test_the_same_charge_from_a_renewed_store_is_charged_once(desk: Counterpart) -> None:
    for event in desk.events:
        desk.tell(event)
    desk.ledger.renew_store("restored", stamp())
    for row in desk.ledger.unacknowledged():
        desk.tell(row.message())
    assert charges(desk) == [(visit_id(1), 250), (visit_id(2), 500)]
    assert desk.store.alarms() == []


def test_a_charge_without_an_amount_is_kept_and_alarms(desk: Counterpart) -> None:
    desk.tell(desk.events[0])
    desk.tell(forged(desk.events[1], body={"outcome": "charge", "total_minor": "many"}))
    assert charges(desk) == []
    assert [alarm.kind for alarm in desk.store.alarms()] == ["malformed"]


def test_a_welcome_tells_the_mark_and_echoes_the_nonce(desk: Counterpart) -> None:
    desk.tell(desk.events[0])
    welcome = desk.hello()
    assert (welcome["hwm"], welcome["h"], welcome["nonce"], welcome["cloud_ms"]) == (1, desk.events[0]["h"], "n1", 7)


def test_a_store_never_heard_of_is_welcome_at_zero(desk: Counterpart) -> None:
    assert desk.hello(store="new")["hwm"] == 0


def test_after_its_own_restart_it_greets_every_cabinet_it_knows(desk: Counterpart) -> None:
    desk.tell(desk.events[0])
    ((kind, welcome),) = opened(desk.service.greetings(7))
    assert (kind, welcome["hwm"], welcome["nonce"]) == ("welcome", 1, None)


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"[]", b"\xff", b"[" * 9_000, b'{"seq": 1e400}', b"x" * 20_000, b'{"store": null}']
)
@pytest.mark.parametrize("kind", ["ev", "hello"])
def test_garbage_is_counted_and_answered_with_silence(desk: Counterpart, kind: str, payload: bytes) -> None:
    assert desk.service.heard(wire.topic(CAB, "up", kind), payload, mono_ms=0, wall_ms=0) == []
    assert desk.service.counts["garbage"] == 1


def test_a_cabinet_without_a_key_is_a_stranger(desk: Counterpart) -> None:
    assert desk.tell(desk.events[0], cab="cab-9") == []
    assert desk.store.events() == []


def test_a_visit_that_was_never_closed_is_visible(desk: Counterpart) -> None:
    for event in desk.events[:3]:
        desk.tell(event)
    assert desk.store.unclosed() == [visit_id(2)]


def test_two_cabinets_do_not_share_marks(tmp_path: Path, place: str) -> None:
    store = CloudStore(place)
    service = CloudService(store, {"a": KEY, "b": KEY})
    with Ledger(tmp_path / "e.db") as ledger:
        shop(ledger, 1)
        event = ledger.unacknowledged()[0].message()
    service.heard("cab/v1/a/up/ev", wire.canonical(event), mono_ms=0, wall_ms=0)
    assert store.mark("b", event["store"]).hwm == 0
    store.close()


def closing(desk: Counterpart, **changes: object) -> wire.Payload:
    event = desk.events[1]
    return forged(event, body={**event["body"], **changes})


LINE = {"sku": "1", "quantity": 2, "unit_price_minor": 100, "tax": "t", "deposit_minor": 25, "discount_minor": 30}
ADDED = {"tax": "t", "rate_ppm": 100_000, "net_minor": 220, "tax_minor": 22, "added": True}


@pytest.mark.parametrize(
    ("changes", "review"),
    [
        ({"total_minor": 220, "lines": [LINE]}, False),
        ({"total_minor": 242, "lines": [{**LINE, "taxes": [ADDED]}]}, False),
        ({"total_minor": 220, "lines": [{**LINE, "taxes": [{**ADDED, "added": False}]}]}, False),
        ({"total_minor": 999, "lines": [], "lines_omitted": 3}, False),
        ({"total_minor": 221, "lines": [LINE]}, True),
        ({"total_minor": 220, "lines": [{**LINE, "quantity": "2"}]}, True),
        ({"total_minor": 220, "lines": ["x"]}, True),
    ],
)
def test_a_charge_whose_lines_do_not_add_up_goes_to_a_person(
    desk: Counterpart, changes: dict[str, object], *, review: bool
) -> None:
    desk.tell(desk.events[0])
    desk.tell(closing(desk, **changes))
    (charge,) = desk.store.charges()
    assert bool(charge.review) == review
    assert [alarm.kind for alarm in desk.store.alarms()] == ["sum"] * review
    assert charge.total_minor == changes["total_minor"]
