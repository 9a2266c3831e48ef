"""What is refused, that it is counted in the books, and that the honest traffic beside it goes on."""

import contextlib
import json
import logging
from typing import Any

import pytest

from cabinet import wire
from cabinet.cloud.service import CloudService
from tests.cloud.counterpart import CAB, KEYS, OTHER, Counterpart, chain, forged
from tests.ledger.examples import visit_id

CARD = "4111 1111 1111 1111"
BARE = "4111111111111111"


def honest(desk: Counterpart) -> int:
    """The mark after all honest events have been told."""
    for event in desk.events:
        desk.tell(event)
    return desk.store.mark(CAB, desk.ledger.store).hwm


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "garbage"),
        (b"\xff\xfe", "garbage"),
        (b"[1, 2]", "garbage"),
        (b'{"a":' * 2_000 + b"1" + b"}" * 2_000, "oversize"),
        (b'{"a":' * 600 + b"1" + b"}" * 600, "garbage"),
        (b"x" * 4_097, "oversize"),
        (b'{"seq": "1"}', "garbage"),
        (b'{"store": null, "seq": 1e400}', "garbage"),
    ],
)
def test_garbage_is_counted_in_the_books_and_honest_events_go_on(desk: Counterpart, payload: bytes, why: str) -> None:
    for _ in range(3):
        assert desk.say("ev", payload) == []
    assert honest(desk) == 4
    assert desk.refused() == {(CAB, why): 3}


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": "1"}, {"seq": 0}, {"seq": -1}, {"seq": True}, {"seq": 2**60}, {"visit": 5}, {"visit": "x" * 200},
        {"body": []}, {"body": {"a": 1.5}}, {"clock": "sundial"}, {"store": "a\x00b"}, {"type": "a\nb"},
        {"more": 1}, {"h": 5}, {"prev": "\ud800"},
    ],
    ids=str,
)  # fmt: skip  # a list
def test_an_event_of_wrong_types_is_refused(desk: Counterpart, changes: dict[str, Any]) -> None:
    event = {**desk.events[0], **changes}
    with contextlib.suppress(wire.WireError, UnicodeEncodeError):  # no hash can be made of it; the old one stands there
        event = forged(event) if "h" not in changes else event
    assert desk.say("ev", json.dumps(event).encode()) == []
    assert desk.store.events() == []
    assert sum(desk.refused().values()) == 1
    assert honest(desk) == 4


def test_an_event_with_a_bad_hash_is_refused(desk: Counterpart) -> None:
    assert desk.tell({**desk.events[0], "wall_ms": 1}) == []
    assert honest(desk) == 4
    assert desk.refused() == {(CAB, "bad hash"): 1}


def test_cabinets_without_a_key_are_counted_together(desk: Counterpart) -> None:
    for number in range(5):
        assert desk.tell(desk.events[0], cab=f"cab-{number}00") == []
    assert desk.refused() == {("?", "stranger"): 5}


def test_a_store_of_another_cabinet_is_foreign(desk: Counterpart) -> None:
    honest(desk)
    for event in desk.events:
        assert desk.tell(event, cab=OTHER) == []
    assert len(desk.store.events()) == 4
    assert desk.refused() == {(OTHER, "foreign"): 4}
    assert desk.alarms() == ["foreign"]


def test_a_hello_with_the_store_of_another_cabinet_is_not_welcome(desk: Counterpart) -> None:
    honest(desk)
    said = {"store": desk.ledger.store, "nonce": "n", "head": 4, "h": desk.events[3]["h"]}
    assert desk.say("hello", wire.canonical(said), cab=OTHER) == []
    assert desk.refused() == {(OTHER, "foreign"): 1}


def test_a_visit_of_another_cabinet_is_neither_opened_nor_closed_again(desk: Counterpart) -> None:
    honest(desk)
    before = list(desk.notebook.lines)
    for event in chain(1, store="9" * 32, visit=visit_id(1), type="visit.opened", body={"member": "01EVE"}):
        desk.tell(event, cab=OTHER)
    body = {"outcome": "nothing"}
    for event in chain(1, store="8" * 32, visit=visit_id(1), type="visit.closed", body=body):
        desk.tell(event, cab=OTHER)
    assert desk.alarms() == ["foreign", "foreign"]
    assert desk.notebook.lines == before


def test_a_changed_amount_is_counted(desk: Counterpart) -> None:
    honest(desk)
    body = {**desk.events[1]["body"], "total_minor": 9_999}
    desk.tell(forged(desk.events[1], seq=5, prev=desk.events[3]["h"], body=body))
    assert desk.refused() == {(CAB, "changed amount"): 1}
    assert desk.notebook.lines[-2:] == [("alarmed", visit_id(1)), ("closed", visit_id(1), None)]


def test_a_body_with_nul_characters_stops_no_database(desk: Counterpart) -> None:
    body = {**desk.events[1]["body"], "why": "a\x00b", "member": "a\x00b", "currency": "\x00AB"}
    honest_first = desk.tell(desk.events[0])
    assert honest_first
    assert desk.tell(forged(desk.events[1], body=body))
    assert desk.store.events()[1].body["why"] == "a\x00b"


def test_refusals_survive_the_process(desk: Counterpart) -> None:
    desk.say("ev", b"x")
    assert desk.refused() == {(CAB, "garbage"): 1}
    desk.service = CloudService(desk.store, KEYS)
    desk.say("ev", b"x")
    assert desk.refused() == {(CAB, "garbage"): 2}


def test_an_ask_that_is_not_signed_is_forged(desk: Counterpart) -> None:
    assert desk.say("ask", b'{"visit": "1"}') == []
    assert desk.refused() == {(CAB, "forged"): 1}


@pytest.mark.parametrize(
    ("extra", "where"),
    [
        ({"why": f"paid with {CARD}"}, "why"),
        ({"lines": [], "notes": [{"deep": {"er": BARE}}]}, "notes[0].deep.er"),
        ({"number": int(BARE)}, "number"),
        ({BARE: 1}, "[redacted]"),
    ],
)
def test_a_card_number_is_stored_redacted_and_told_without_it(
    desk: Counterpart, extra: dict[str, Any], where: str, caplog: pytest.LogCaptureFixture
) -> None:
    event = forged(desk.events[0], body={**desk.events[0]["body"], **extra})
    with caplog.at_level(logging.DEBUG):
        ((_, ack),) = desk.tell(event)
    (stored,) = desk.store.events()
    (alarm,) = desk.store.alarms()
    visits = desk.store.books.rows("SELECT * FROM visit")
    everything = f"{stored} {alarm} {caplog.text} {visits}"
    assert (ack["h"], stored.h, stored.redacted, alarm.kind) == (event["h"], event["h"], 1, "card")
    assert alarm.what.endswith(f"stood in {where}")
    assert f"event {event['seq']}" in alarm.what
    assert (BARE in everything, CARD in everything) == (False, False)


def test_a_barcode_that_passes_for_a_card_stays(desk: Counterpart) -> None:
    line = {"sku": BARE, "name": "Cola", "quantity": 1, "unit_price_minor": 250, "tax": "standard"}
    desk.tell(desk.events[0])
    desk.tell(forged(desk.events[1], body={**desk.events[1]["body"], "lines": [line]}))
    assert desk.store.charges()[0].lines[0]["sku"] == BARE
    assert (desk.alarms(), [event.redacted for event in desk.store.events()]) == ([], [0, 0])


def test_a_card_number_in_a_products_name_is_redacted_in_the_charge_as_well(desk: Counterpart) -> None:
    line = {"sku": "1", "name": CARD, "quantity": 1, "unit_price_minor": 250, "tax": "standard"}
    desk.tell(desk.events[0])
    desk.tell(forged(desk.events[1], body={**desk.events[1]["body"], "lines": [line]}))
    assert desk.store.charges()[0].lines[0]["name"] == "[redacted]"


@pytest.mark.parametrize("value", ["a name", "123", 1_795_000_000_000, 4_111_111, True, None, "4111 1111 1111 1112"])
def test_what_is_no_card_is_left_alone(value: object) -> None:
    assert wire.redact_payload({"x": [value]}) == ({"x": [value]}, [])
