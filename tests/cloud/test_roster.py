"""The fleet's list of members in the books: on a SQLite file and on a PostgreSQL server."""

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from cabinet.cloud import roster as module
from cabinet.cloud.books import Books, open_books
from cabinet.cloud.roster import FleetRoster, RosterRefusedError
from tests.cloud.counterpart import CAB, OTHER
from tests.uplink.fleet import MODEL, card, member_id, said, with_face

PUBLIC = "58" + "66" * 31


@pytest.fixture
def books(place: str) -> Iterator[Books]:
    books = open_books(place)
    yield books
    books.close()


@pytest.fixture
def fleet(books: Books) -> FleetRoster:
    return FleetRoster(books)


def test_each_change_has_the_next_version(fleet: FleetRoster) -> None:
    assert fleet.version() == 0
    assert fleet.add(said(1), None, "ann", 1) == 1
    assert fleet.add(said(2), None, "ann", 1) == 2
    assert fleet.change({"member": member_id(1), "age": 18}, None, "ann", 2, keep=True) == 3
    assert fleet.remove(member_id(2), "ann", 3) == 4
    assert fleet.version() == 4


def test_a_change_that_changes_nothing_has_no_version(fleet: FleetRoster) -> None:
    fleet.add(said(1, age=18), [CAB], "ann", 1)
    assert fleet.change({"member": member_id(1), "age": 18}, None, "ann", 2, keep=True) == 1
    assert fleet.change({"member": member_id(1)}, [CAB], "ann", 2, keep=False) == 1
    assert fleet.change({"member": member_id(1)}, None, "ann", 2, keep=False) == 2


def test_what_a_change_does_not_name_stays(fleet: FleetRoster) -> None:
    fleet.add(said(1, digits="4711", **with_face(0.5)), [CAB], "ann", 1)
    fleet.change({"member": member_id(1), "verified": True}, None, "eve", 2, keep=True)
    (found,) = fleet.members()
    assert (found.verified, found.digits, found.templates, found.cards) == (True, True, {MODEL: 1}, 1)
    assert (found.cabinets, found.who, found.at_ms) == ((CAB,), "eve", 2)


def test_a_list_of_members_shows_no_face_no_key_and_no_digits(fleet: FleetRoster) -> None:
    fleet.add(said(1, digits="4711", keys=[PUBLIC], **with_face(0.5)), None, "ann", 1)
    shown = repr(fleet.members())
    assert not any(secret in shown for secret in ("4711", PUBLIC, card(1), with_face(0.5)["templates"][0]["vector"]))


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("age", {"age": -1}),
        ("digits", {"digits": "47"}),
        ("name", {"name": "Ada"}),
        ("keys[0]", {"keys": ["00" * 32]}),
        ("keys[1]", {"keys": [PUBLIC, "07" + "00" * 31]}),
        ("cards[0]", {"cards": ["x"]}),
        ("templates", {**with_face(0.5), "share_face": None}),
        ("templates[0].vector", {**with_face(0.5), "templates": [{"model": MODEL, "vector": "?"}]}),
        ("consent", {"consent": {}}),
        ("member", {"member": "ada"}),
    ],
)
def test_a_wrong_field_is_refused_by_its_name_and_nothing_is_kept(
    fleet: FleetRoster, field: str, more: dict[str, Any]
) -> None:
    with pytest.raises(RosterRefusedError) as refusal:
        fleet.add(said(1, **more) if "member" not in more else {**said(1), **more}, None, "ann", 1)
    assert str(refusal.value).startswith(f"{field}:")
    assert (fleet.version(), fleet.members()) == (0, [])


@pytest.mark.parametrize("cabs", [[], ["a/b"], ["#"], [""], [5], "cab-1", ["x" * 129]], ids=str)
def test_cabinets_that_cannot_be_are_refused(fleet: FleetRoster, cabs: object) -> None:
    with pytest.raises(RosterRefusedError, match="cabinets:"):
        fleet.add(said(1), cabs, "ann", 1)


def test_a_member_is_added_once_and_not_again_after_a_removal(fleet: FleetRoster) -> None:
    fleet.add(said(1), None, "ann", 1)
    with pytest.raises(RosterRefusedError, match="is on it: change them"):
        fleet.add(said(1), None, "ann", 1)
    fleet.remove(member_id(1), "ann", 2)
    with pytest.raises(RosterRefusedError, match="removed for good"):
        fleet.add(said(1), None, "ann", 1)
    with pytest.raises(RosterRefusedError, match="not on the list"):
        fleet.remove(member_id(1), "ann", 2)
    with pytest.raises(RosterRefusedError, match="not on the list"):
        fleet.change({"member": member_id(1)}, None, "ann", 1, keep=True)


@pytest.mark.parametrize(("kind", "code"), [("cards", card(1)), ("keys", PUBLIC)])
def test_a_card_or_key_belongs_to_one_member(fleet: FleetRoster, kind: str, code: str) -> None:
    fleet.add(said(1, **{kind: [code]}) if kind == "keys" else said(1), None, "ann", 1)
    taken = {**said(2), kind: [code]}
    with pytest.raises(RosterRefusedError, match=rf"{kind}\[0\]: is member {member_id(1)}'s already"):
        fleet.add(taken, None, "ann", 1)
    fleet.remove(member_id(1), "ann", 2)
    assert fleet.add(taken, None, "ann", 1) == 3


def test_of_a_removed_member_nothing_but_the_id_is_kept(fleet: FleetRoster, books: Books) -> None:
    fleet.add(said(1, digits="4711", keys=[PUBLIC], **with_face(0.5)), [CAB], "ann", 1)
    (entry,) = fleet.entries([member_id(1)]).values()
    fleet.remove(member_id(1), "ann", 2)
    tables = ("roster_member", "roster_code", "roster_log", "roster_head")
    left = json.dumps([books.rows(f"SELECT * FROM {table}") for table in tables])  # noqa: S608  # named above
    assert member_id(1) in left
    held = ("4711", PUBLIC, card(1), entry["salt"], entry["templates"][0]["vector"])
    words = set(re.findall(r"[^\s\"',:;{}\[\]\\]+", left))  # a random key may hold the four digits in a row
    assert not words & set(held)
    assert fleet.removed() == 1


def test_a_list_that_no_cabinet_could_take_is_refused(fleet: FleetRoster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 800)
    fleet.add(said(1), None, "ann", 1)
    fleet.add(said(2), None, "ann", 1)
    with pytest.raises(RosterRefusedError, match="more than 800"):
        fleet.add(said(3), None, "ann", 1)
    fleet.remove(member_id(1), "ann", 2)
    fleet.add(said(3), None, "ann", 3)
    assert len(fleet.members()) == 2


def test_a_view_of_a_past_version_is_what_was_then(fleet: FleetRoster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIDY_EVERY", 2)
    monkeypatch.setattr(module, "KEPT_VERSIONS", 4)
    seen = {0: fleet.view(0).of(CAB)}
    for number in range(1, 8):
        fleet.add(said(number), [CAB] if number % 2 else None, "ann", 1)
        seen[fleet.version()] = fleet.view(fleet.version()).of(CAB)
    for number in (1, 2):
        fleet.remove(member_id(number), "ann", 2)
        seen[fleet.version()] = fleet.view(fleet.version()).of(CAB)
    fleet.change({"member": member_id(4), "age": 20}, None, "ann", 2, keep=True)
    for version in range(fleet.version() - 4, fleet.version()):
        assert fleet.view(version).of(CAB) == seen[version]
    assert len(fleet.view(fleet.version()).of(OTHER)) == 2  # 4 and 6


def test_what_nobodys_version_needs_any_more_is_forgotten(
    fleet: FleetRoster, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIDY_EVERY", 2)
    monkeypatch.setattr(module, "KEPT_VERSIONS", 4)
    fleet.add(said(1), None, "ann", 1)
    for age in range(1, 12):
        fleet.change({"member": member_id(1), "age": age}, None, "ann", 2, keep=True)
    assert [row["version"] for row in books.rows("SELECT version FROM roster_log ORDER BY version")] == [
        8,
        9,
        10,
        11,
        12,
    ]


def test_what_was_said_before_cannot_be_found_out_by_its_fingerprint(fleet: FleetRoster) -> None:
    found: list[str] = []
    fleet.add(said(1), None, "ann", 1)
    for digits in ("4711", "0815", "4711"):
        fleet.change({"member": member_id(1), "digits": digits}, None, "ann", 2, keep=True)
        found += fleet.view(fleet.version()).of(CAB).values()
    assert len(set(found)) == 3


def test_two_processes_never_give_out_the_same_version(place: str, fleet: FleetRoster) -> None:
    def work(first: int) -> None:
        mine = open_books(place)
        for number in range(first, first + 8):
            FleetRoster(mine).add(said(number), None, "ann", 1)
        mine.close()

    threads = [threading.Thread(target=work, args=(first,)) for first in (100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fleet.version() == 16
    assert sorted(one.version for one in fleet.members()) == list(range(1, 17))
