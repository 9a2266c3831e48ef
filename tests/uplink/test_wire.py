"""Canonical JSON, the chain, signatures and redaction."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinet import wire

KEY = b"k" * 32
EXACT = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-wire.SAFE_INTEGER, wire.SAFE_INTEGER)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), EXACT, max_size=4)


def event(**changes: Any) -> wire.Payload:
    made = {
        "store": "s", "boot": "b", "seq": 1, "visit": None, "type": "incident", "body": {"why": "x"},
        "mono_ms": 1, "wall_ms": 2, "clock": "ntp", **changes,
    }  # fmt: skip
    return {**made, "prev": wire.GENESIS, "h": wire.event_hash(made, wire.GENESIS)}


@given(OBJECTS)
def test_canonical_json_means_the_same_and_is_its_own_canonical_form(value: wire.Payload) -> None:
    raw = wire.canonical(value)
    assert wire.parse(raw) == value
    assert wire.canonical(wire.parse(raw)) == raw


def test_canonical_json_is_pinned_byte_for_byte() -> None:
    assert (
        wire.canonical({"b": [1, None, True], "a": 'ß"\n', "é": {}})
        == '{"a":"ß\\"\\n","b":[1,null,true],"é":{}}'.encode()
    )


def test_the_hash_of_an_event_is_pinned() -> None:
    assert event()["h"] == "0c1f53fd974e3170c19cab53d963c6072648b492726fca8a7f1097d68424f1cc"


@pytest.mark.parametrize("value", [1.0, {"a": [0.5]}, 2**53, {"a": -(2**60)}, {1: 2}, "\ud800", b"x", float("nan")])
def test_what_two_languages_would_print_differently_is_refused(value: object) -> None:
    with pytest.raises(wire.WireError):
        wire.canonical(value)


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": 0}, {"seq": True}, {"seq": "1"}, {"clock": "sun"}, {"body": []}, {"visit": 5}, {"wall_ms": -1},
        {"type": None}, {"store": "x" * 200}, {"extra": 1}, {"body": {"x": 0.5}},
    ],
)  # fmt: skip
def test_a_malformed_event_is_refused(changes: wire.Payload) -> None:
    with pytest.raises(wire.WireError):
        wire.checked_event({**event(), **changes})


def test_an_event_with_a_changed_body_has_the_wrong_hash() -> None:
    with pytest.raises(wire.WireError, match="hash"):
        wire.checked_event({**event(), "body": {"why": "y"}})


@given(OBJECTS)
def test_a_signed_payload_is_authentic_for_its_cabinet_and_kind_alone(value: wire.Payload) -> None:
    said = wire.parse(wire.signed(KEY, "c1", "ack", value))
    assert wire.authentic(KEY, "c1", "ack", said)
    assert not wire.authentic(KEY, "c2", "ack", said)
    assert not wire.authentic(KEY, "c1", "nak", said)
    assert not wire.authentic(b"j" * 32, "c1", "ack", said)


@pytest.mark.parametrize("sig", [None, 5, "", "é", "0" * 64])
def test_no_other_signature_is_authentic(sig: object) -> None:
    assert not wire.authentic(KEY, "c1", "ack", {"a": 1, "sig": sig})


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("cab/v1/c1/up/ev", ("c1", "up", "ev")),
        ("cab/v2/c1/up/ev", None),
        ("cab/v1//up/ev", None),
        ("cab/v1/c1/side/ev", None),
        ("cab/v1/c1/up/ev/more", None),
        ("", None),
    ],
)
def test_topics_are_taken_apart(name: str, found: tuple[str, str, str] | None) -> None:
    assert wire.split_topic(name) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("card 4242424242424242 seen", "card [redacted] seen"),
        ("4242-4242-4242-4242", "[redacted]"),
        ("378282246310005", "[redacted]"),
        ("4242424242424241", "4242424242424241"),  # wrong check digit
        ("order 123456789012", "order 123456789012"),  # 12 digits
        ("12345678901234567890123", "12345678901234567890123"),  # 23 digits are no card
        ("two\nlines", "two lines"),
        ("x" * 500, "x" * 200),
        ("\ud800", "?"),
    ],
)
def test_free_text_loses_card_numbers_and_nothing_else(text: str, told: str) -> None:
    assert wire.redact(text) == told


digit_runs = st.text(alphabet='0123456789 -.x\n\x00"', max_size=40)


@given(st.recursive(digit_runs | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(digit_runs, inner)))
def test_what_holds_a_card_number_is_never_passed_over(value: object) -> None:
    _, found = wire.redact_payload(value)
    assert not found or wire.may_hold_cards(json.dumps(value, ensure_ascii=False))


@pytest.mark.parametrize("text", ["4111 1111 1111 1111", "\x004111111111111111", "4111-1111-1111-1111\n"])
def test_a_card_number_is_looked_for_whatever_stands_around_it(text: str) -> None:
    assert wire.redact_payload({"note": text})[1] == ["note"]
    assert wire.may_hold_cards(json.dumps({"note": text}, ensure_ascii=False))


def test_an_ordinary_body_is_not_searched_for_cards() -> None:
    assert not wire.may_hold_cards('{"sku": "070847811169", "total_minor": 250}')
