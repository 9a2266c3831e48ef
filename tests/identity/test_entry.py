"""What the fleet's list may say of a member: each field checked, each refusal naming it."""

import base64
import re
import struct
from typing import Any

import pytest

from cabinet import wire
from cabinet.identity.entry import (
    MAX_CARDS,
    MAX_ENTRY_BYTES,
    MAX_KEYS,
    MAX_TEMPLATES,
    Agreed,
    EntryError,
    canonical,
    entry_of,
    fingerprint,
    packed,
)

AGREED = {"version": "3", "language": "en", "at_ms": 5}
FACE = {"model": "m", "vector": packed([0.5, -0.25])}
ENTRY: dict[str, Any] = {
    "member": "01J00000000000000000000001", "salt": "0" * 32, "consent": AGREED, "share_face": AGREED,
    "verified": True, "age": 21, "digits": "4711", "keys": ["a" * 64], "cards": ["b" * 64], "templates": [FACE],
}  # fmt: skip  # a row


def test_an_entry_says_all_that_stands_in_it() -> None:
    entry = entry_of(ENTRY)
    assert (entry.member, entry.consent, entry.share_face) == (
        ENTRY["member"],
        Agreed("3", "en", 5),
        Agreed("3", "en", 5),
    )
    assert (entry.verified, entry.age, entry.digits, entry.keys, entry.cards) == (
        True, 21, "4711", ("a" * 64,), ("b" * 64,),
    )  # fmt: skip  # a row
    assert entry.templates == (("m", (0.5, -0.25)),)


def test_a_member_without_anything_but_a_consent_is_an_entry() -> None:
    bare: dict[str, Any] = {
        "share_face": None,
        "verified": False,
        "age": 0,
        "digits": "",
        "keys": [],
        "cards": [],
        "templates": [],
    }
    assert entry_of({**ENTRY, **bare}).templates == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("member", "Anna"),
        ("member", "01j00000000000000000000001"),
        ("member", 5),
        ("salt", "0" * 31),
        ("salt", None),
        ("consent", None),
        ("consent", {"version": "3", "language": "en"}),
        ("consent", {**AGREED, "what": "x"}),
        ("consent.version", {**AGREED, "version": " "}),
        ("consent.version", {**AGREED, "version": "3\n"}),
        ("consent.language", {**AGREED, "language": "x" * 65}),
        ("consent.at_ms", {**AGREED, "at_ms": True}),
        ("consent.at_ms", {**AGREED, "at_ms": 2**53}),
        ("share_face", "yes"),
        ("templates", {"share_face": None}),
        ("verified", 1),
        ("age", -1),
        ("age", 151),
        ("age", 20.5),
        ("digits", "123"),
        ("digits", "12345"),
        ("digits", "١٢٣٤"),
        ("digits", 1234),
        ("keys", "a" * 64),
        ("keys", ["a" * 64] * 2),
        ("keys", [f"{n:064x}" for n in range(MAX_KEYS + 1)]),
        ("keys[0]", ["A" * 64]),
        ("keys[1]", ["a" * 64, "a" * 63]),
        ("cards", [f"{n:064x}" for n in range(MAX_CARDS + 1)]),
        ("cards[0]", [5]),
        ("templates", [FACE] * (MAX_TEMPLATES + 1)),
        ("templates[0]", [{"model": "m"}]),
        ("templates[0]", [{**FACE, "name": "Anna"}]),
        ("templates[0].model", [{**FACE, "model": ""}]),
        ("templates[1].vector", [FACE, {**FACE, "vector": ""}]),
        ("templates[0].vector", [{**FACE, "vector": "AAA"}]),
        ("templates[0].vector", [{**FACE, "vector": packed([0.0] * 513)}]),
        ("templates[0].vector", [{**FACE, "vector": base64.b64encode(struct.pack("<f", float("nan"))).decode()}]),
        ("templates[0].vector", [{**FACE, "vector": [0.5]}]),
    ],
    ids=str,
)  # fmt: skip  # a table
def test_a_wrong_field_is_refused_by_its_name_and_never_by_what_it_holds(field: str, value: Any) -> None:
    whole = isinstance(value, dict) and set(value) <= set(ENTRY)
    change = value if whole else {re.split(r"[.\[]", field)[0]: value}
    with pytest.raises(EntryError) as refusal:
        entry_of({**ENTRY, **change})
    assert str(refusal.value).startswith(f"{field}:")
    assert "Anna" not in str(refusal.value)


@pytest.mark.parametrize("field", sorted(ENTRY))
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(EntryError, match=f"^{field}: is missing"):
        entry_of({name: value for name, value in ENTRY.items() if name != field})


def test_a_field_that_nobody_knows_is_refused() -> None:
    with pytest.raises(EntryError, match=r"^name: is no field"):
        entry_of({**ENTRY, "name": "Anna"})


@pytest.mark.parametrize("raw", [None, [], "x", 5])
def test_what_is_no_object_is_refused(raw: object) -> None:
    with pytest.raises(EntryError, match="no JSON object"):
        entry_of(raw)


def test_an_entry_that_no_message_could_hold_is_refused() -> None:
    many = [{"model": "m" * 100, "vector": packed([0.5] * 256)}] * MAX_TEMPLATES
    assert len(canonical({**ENTRY, "templates": many})) > MAX_ENTRY_BYTES
    with pytest.raises(EntryError, match=r"^templates: .* give fewer faces"):
        entry_of({**ENTRY, "templates": many})


def test_fourteen_faces_of_128_numbers_fit() -> None:
    faces = [{"model": "m" * 64, "vector": packed([0.5] * 128)}] * MAX_TEMPLATES
    assert len(entry_of({**ENTRY, "templates": faces}).templates) == MAX_TEMPLATES


def test_it_is_written_as_the_wire_writes_it() -> None:
    assert canonical({**ENTRY, "consent": {**AGREED, "language": "Plattdüütsch"}}) == wire.canonical(
        {**ENTRY, "consent": {**AGREED, "language": "Plattdüütsch"}}
    )


def test_the_same_entry_under_another_salt_has_another_fingerprint() -> None:
    assert fingerprint(ENTRY) == fingerprint(dict(reversed(ENTRY.items())))
    assert fingerprint(ENTRY) != fingerprint({**ENTRY, "salt": "1" * 32})
