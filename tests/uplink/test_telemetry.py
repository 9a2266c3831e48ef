"""What may be told beside money, and what never leaves."""

from cabinet.uplink.telemetry import state_payload, telemetry_payload
from cabinet.wire import plain

AT = {"boot": "0" * 16, "mono_ms": 1, "wall_ms": 2, "clock": "ntp"}


def test_a_field_nobody_named_does_not_leave() -> None:
    parts = [{"part": "lock", "ok": True, "why": "", "member": "Anna"}]
    told = telemetry_payload("c1", {"kind": "health", "parts": parts, "token": "CAB1:X", "name": "Anna"}, AT)
    assert told == {"cab": "c1", "kind": "health", "at": AT, "parts": [{"part": "lock", "ok": True, "why": ""}]}


def test_free_text_is_redacted_and_skus_are_not() -> None:
    card = "4242424242424242"
    state = state_payload("c1", {"state": "Idle", "screen": f"paid {card}", "faults": [{"part": "x", "why": card}]}, AT)
    assert card not in str(state)
    stock = telemetry_payload("c1", {"kind": "stock", "rows": [{"zone": "s1", "sku": card, "count": 1}]}, AT)
    assert stock["rows"][0]["sku"] == card


def test_numbers_that_json_has_no_word_for_become_null() -> None:
    told = telemetry_payload("c1", {"kind": "health", "parts": [], "temperature_c": float("nan")}, AT)
    assert b'"temperature_c":null' in plain(told)


def test_a_face_in_place_of_a_number_does_not_leave() -> None:
    told = telemetry_payload("c1", {"kind": "health", "parts": [], "rss_mib": (0.1, 0.2)}, AT)
    assert told["rss_mib"] is None
