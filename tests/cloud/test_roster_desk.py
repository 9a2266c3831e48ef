"""What the far end tells each cabinet of the fleet's list of members, and what it takes from their erasures."""

from typing import Any

import pytest

from cabinet import wire
from cabinet.cloud.roster import FleetRoster
from cabinet.identity.entry import fingerprint
from cabinet.identity.roster import EMPTY, digest
from tests.cloud.counterpart import CAB, KEY, OTHER, Counterpart, forged, opened
from tests.uplink.fleet import member_id, said, with_face


def ask(desk: Counterpart, *, cab: str = CAB, wall_ms: int = 10_000, **more: Any) -> list[wire.Payload]:
    known = {"version": 0, "hash": EMPTY, "all": False, "nonce": "n1", **more}
    replies = desk.say("known", wire.signed(KEY, cab, "known", known), cab=cab, wall_ms=wall_ms)
    assert {kind for kind, _ in replies} <= {"members"}
    return [payload for _, payload in replies]


def test_a_cabinet_is_told_its_members_with_the_nonce_of_its_ask(desk: Counterpart) -> None:
    fleet = FleetRoster(desk.store.books)
    fleet.add(said(1), None, "ann", 1)
    fleet.add(said(2), [OTHER], "ann", 1)
    (told,) = ask(desk)
    ((change),) = told["changes"]
    assert (told["from"], told["to"], told["part"], told["parts"], told["nonce"]) == (0, 2, 1, 1, "n1")
    assert (change["op"], change["entry"]["member"]) == ("add", member_id(1))
    assert fingerprint(change["entry"]) == fleet.view(2).of(CAB)[member_id(1)]
    assert told["hash"] == digest(fleet.view(2).of(CAB))
    (told,) = ask(desk, cab=OTHER)
    assert len(told["changes"]) == 2
    assert told["hash"] == digest(fleet.view(2).of(OTHER))


def test_who_has_the_newest_is_told_so_and_nothing_more(desk: Counterpart) -> None:
    FleetRoster(desk.store.books).add(said(1), None, "ann", 1)
    (first,) = ask(desk)
    (told,) = ask(desk, wall_ms=20_000, version=1, hash=first["hash"])
    assert (told["from"], told["to"], told["changes"], told["hash"]) == (1, 1, [], first["hash"])


@pytest.mark.parametrize("more", [{"hash": "0" * 64}, {"hash": ""}, {"all": True}])
def test_who_has_something_else_or_asks_for_all_gets_all(desk: Counterpart, more: dict[str, Any]) -> None:
    FleetRoster(desk.store.books).add(said(1), None, "ann", 1)
    (first,) = ask(desk)
    (told,) = ask(desk, wall_ms=20_000, **{"version": 1, "hash": first["hash"], **more})
    assert (told["from"], told["to"], len(told["changes"])) == (0, 1, 1)


def test_who_is_too_far_behind_gets_all(desk: Counterpart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cabinet.cloud.roster_desk.KEPT_VERSIONS", 3)
    fleet = FleetRoster(desk.store.books)
    fleet.add(said(1), None, "ann", 1)
    (first,) = ask(desk)
    for number in (2, 3, 4):
        fleet.add(said(number), None, "ann", 1)
    assert ask(desk, wall_ms=20_000, version=1, hash=first["hash"])[0]["from"] == 1
    fleet.add(said(5), None, "ann", 1)
    assert ask(desk, wall_ms=30_000, version=1, hash=first["hash"])[0]["from"] == 0


def test_a_flood_of_questions_is_answered_twice_a_second(desk: Counterpart) -> None:
    answers = [ask(desk, wall_ms=10_000 + at) for at in range(0, 1_000, 100)]
    assert [bool(answer) for answer in answers] == [True, False, False, False, False] * 2
    assert ask(desk, cab=OTHER, wall_ms=10_000)


@pytest.mark.parametrize("kind", ["another key", "another cabinet", "another kind"])
def test_a_forged_question_is_counted_and_not_answered(desk: Counterpart, kind: str) -> None:
    known = {"version": 0, "hash": EMPTY, "all": False, "nonce": "n1"}
    payload = {
        "another key": wire.signed(b"x" * 32, CAB, "known", known),
        "another cabinet": wire.signed(KEY, OTHER, "known", known),
        "another kind": wire.signed(KEY, CAB, "ask", known),
    }[kind]
    assert desk.say("known", payload) == []
    assert desk.refused()[CAB, "forged"] == 1


@pytest.mark.parametrize(
    "wrong", [{"version": -1}, {"hash": None}, {"hash": "0" * 65}, {"nonce": "x" * 65}, {"all": None}, {"all": 1}]
)
def test_a_question_of_another_shape_is_garbage(desk: Counterpart, wrong: dict[str, Any]) -> None:
    assert ask(desk, **wrong) == []
    assert desk.refused()[CAB, "garbage"] == 1


def test_what_was_told_fits_into_messages_and_adds_up(desk: Counterpart) -> None:
    fleet = FleetRoster(desk.store.books)
    for number in range(40):
        fleet.add(said(number, **with_face(*[0.5] * 128)), None, "ann", 1)
    known = {"version": 0, "hash": EMPTY, "all": False, "nonce": "n" * 64}
    payload = wire.signed(KEY, CAB, "known", known)
    replies = desk.service.heard(wire.topic(CAB, "up", "known"), payload, mono_ms=0, wall_ms=10_000)
    assert max(len(reply.payload) for reply in replies) <= wire.MAX_PAYLOAD_BYTES
    told = [payload for _, payload in opened(replies)]
    assert [part["part"] for part in told] == list(range(1, told[0]["parts"] + 1))
    assert sum(len(part["changes"]) for part in told) == 40


def test_a_change_is_told_once_to_whoever_has_asked_before(desk: Counterpart) -> None:
    fleet = FleetRoster(desk.store.books)
    ask(desk)
    assert desk.service.due(12_000) == []
    fleet.add(said(1), None, "ann", 1)
    assert desk.service.due(13_000) == []  # looked a second ago
    ((kind, told),) = opened(desk.service.due(14_000))
    assert (kind, told["from"], told["to"], told["nonce"], len(told["changes"])) == ("members", 0, 1, "", 1)
    assert desk.service.due(17_000) == []
    fleet.add(said(2), None, "ann", 1)
    ((_, told),) = opened(desk.service.due(20_000))
    assert (told["from"], told["to"]) == (1, 2)


def erased(desk: Counterpart, member: str, cab: str = CAB) -> None:
    event = forged(desk.events[0], seq=9, type="member.erased", visit=None, body={"member": member})
    desk.tell(event, cab=cab)


def test_an_erasure_at_a_cabinet_removes_the_member_for_all(desk: Counterpart) -> None:
    fleet = FleetRoster(desk.store.books)
    fleet.add(said(1), [CAB, OTHER], "ann", 1)
    erased(desk, member_id(1))
    assert (fleet.members(), fleet.removed(), fleet.version()) == ([], 1, 2)
    erased(desk, member_id(1))
    assert fleet.version() == 2
    assert desk.alarms() == []


def test_an_erasure_of_whom_the_cabinet_knew_once_counts(desk: Counterpart) -> None:
    fleet = FleetRoster(desk.store.books)
    fleet.add(said(1), [CAB], "ann", 1)
    fleet.change({"member": member_id(1)}, [OTHER], "ann", 1, keep=False)
    erased(desk, member_id(1))
    assert fleet.members() == []


def test_an_erasure_of_whom_the_cabinet_never_knew_is_for_a_person_to_look_at(desk: Counterpart) -> None:
    fleet = FleetRoster(desk.store.books)
    fleet.add(said(1), [OTHER], "ann", 1)
    erased(desk, member_id(1))
    assert len(fleet.members()) == 1
    assert desk.alarms() == ["roster"]


@pytest.mark.parametrize("member", ["01STRANGER", "", 5])
def test_an_erasure_of_somebody_enrolled_at_the_cabinet_is_none_of_the_lists_business(
    desk: Counterpart, member: Any
) -> None:
    erased(desk, member)
    assert (FleetRoster(desk.store.books).version(), desk.alarms()) == (0, [])
