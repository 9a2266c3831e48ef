"""Members as a technician keeps them: whole or not at all, agreed to, handed out in full, and gone when they ask."""

import asyncio
import base64
import json
from typing import Any

import pytest

from cabinet.basket.policy import TallyPolicy
from cabinet.control.requests import RequestError
from cabinet.identity.credit import Roster
from cabinet.ledger import Consent, OpenedVisit
from cabinet.ledger.members import MAX_TEMPLATES
from cabinet.ledger.privacy import receipt_is_right
from cabinet.session.states import Idle
from cabinet.tallier import work_out
from cabinet.units import MemberId, VisitId
from tests.control.room import DARK, FACE_MODEL, GOOD, Room, coded, photo
from tests.ledger.examples import charged, stamp, visit_id
from tests.test_tallier import recorded

OTHER = 120  # grey of somebody else's photograph


def ask(room: Room, operation: str, who: str = "tech", **arguments: Any) -> dict[str, Any]:
    return asyncio.run(room.ask(operation, who, **arguments))


def test_a_member_has_a_template_a_photograph_and_a_code_that_is_theirs(room: Room) -> None:
    answer = ask(room, "members.add", name="Ann", photos=coded(photo(GOOD), photo(GOOD + 9)), code=True)
    assert (answer["templates"], len(room.ledger.templates(FACE_MODEL)), room.changes) == (2, 2, 1)
    assert room.ledger.member_of_token(answer["token"]) == answer["member"]
    assert base64.b64decode(answer["qr_png_b64"]).startswith(b"\x89PNG")


def test_a_member_without_a_code_is_given_none(room: Room) -> None:
    answer = ask(room, "members.add", name="Ann", photos=coded(photo(GOOD)))
    assert (answer["token"], answer["qr_png_b64"]) == (None, None)


def test_the_consent_is_kept_with_its_version_and_language(room: Room) -> None:
    ask(room, "members.add", name="Ann", code=True, consent="7", language="de")
    (member,) = room.ledger.members()
    assert (member.consent.version, member.consent.language) == ("7", "de")


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "Ann", "photos": coded(photo(GOOD), photo(DARK))},
        {"name": "Ann", "photos": coded(photo(GOOD), b"no picture")},
        {"name": "", "photos": coded(photo(GOOD))},
        {"name": "A" * 200, "photos": coded(photo(GOOD)), "code": True},
        {"name": "Ann", "photos": coded(photo(GOOD)), "consent": ""},
        {"name": "Ann", "photos": coded(*[photo(GOOD)] * (MAX_TEMPLATES + 1))},
    ],
    ids=["one dark", "one torn", "no name", "long name", "no consent", "too many"],
)
def test_a_member_who_cannot_be_added_whole_is_not_added(room: Room, arguments: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        ask(room, "members.add", **arguments)
    assert (room.ledger.members(), room.ledger.templates(FACE_MODEL), room.changes) == ([], [], 0)


def test_an_erased_member_is_gone_with_code_and_face(room: Room) -> None:
    added = ask(room, "members.add", name="Ann", photos=coded(photo(GOOD)), code=True)
    gone = ask(room, "members.erase", member=added["member"])
    assert (gone["member"], gone["templates"], gone["tokens"]) == (added["member"], 1, 1)
    assert (room.ledger.members(), room.ledger.member_of_token(added["token"])) == ([], None)


def test_a_member_who_is_not_there_cannot_be_erased(room: Room) -> None:
    with pytest.raises(RequestError, match="no such member"):
        ask(room, "members.erase", member="01NOBODY")


# Whose face it is.


def test_a_face_that_is_a_member_already_is_refused_with_whose_and_what_to_do(room: Room) -> None:
    ann = ask(room, "members.add", name="Ann", photos=coded(photo(GOOD)))["member"]
    with pytest.raises(RequestError, match=f"this face is member {ann} already") as refused:
        ask(room, "members.add", name="Ann again", photos=coded(photo(OTHER), photo(GOOD + 1)), code=True)
    assert f"members photo {ann}" in refused.value.remedy
    assert "--twin" in refused.value.remedy
    assert [one.name for one in room.ledger.members()] == ["Ann"]


def test_a_twin_is_kept_where_somebody_says_so(room: Room) -> None:
    ask(room, "members.add", name="Ann", photos=coded(photo(GOOD)))
    ask(room, "members.add", name="Eve", photos=coded(photo(GOOD)), twin=True)
    assert [one.name for one in room.ledger.members()] == ["Ann", "Eve"]


def test_somebody_else_is_no_twin(room: Room) -> None:
    ask(room, "members.add", name="Ann", photos=coded(photo(GOOD)))
    ask(room, "members.add", name="Ben", photos=coded(photo(OTHER)))
    assert len(room.ledger.templates(FACE_MODEL)) == 2


def test_another_photograph_of_a_member_is_added_to_them(room: Room) -> None:
    ann = ask(room, "members.add", name="Ann", photos=coded(photo(GOOD)))["member"]
    assert ask(room, "members.photo", member=ann, photos=coded(photo(GOOD + 4)), consent="3")["templates"] == 2
    assert (len(room.ledger.templates(FACE_MODEL)), room.changes) == (2, 2)


def test_a_photograph_of_another_member_is_not_added(room: Room) -> None:
    ann = ask(room, "members.add", name="Ann", photos=coded(photo(GOOD)))["member"]
    ben = ask(room, "members.add", name="Ben", photos=coded(photo(OTHER)))["member"]
    with pytest.raises(RequestError, match=ann):
        ask(room, "members.photo", member=ben, photos=coded(photo(GOOD)))
    assert len(room.ledger.templates(FACE_MODEL)) == 2


@pytest.mark.parametrize("pictures", [[], coded(photo(DARK)), coded(b"no picture")], ids=["none", "dark", "torn"])
def test_no_good_photograph_changes_nothing(pictures: list[str], room: Room) -> None:
    ann = ask(room, "members.add", name="Ann", code=True)["member"]
    with pytest.raises(RequestError):
        ask(room, "members.photo", member=ann, photos=pictures)
    assert ([one.what for one in room.ledger.consents(ann)], room.ledger.templates(FACE_MODEL)) == (["enrol"], [])


# What was agreed to.


def test_a_photograph_is_a_consent_to_the_face(room: Room) -> None:
    ann = ask(room, "members.add", name="Ann", photos=coded(photo(GOOD)), consent="3", share_face=True)["member"]
    told = [(one.what, one.given, one.consent.version) for one in room.ledger.consents(ann)]
    assert told == [("enrol", True, "3"), ("face", True, "3"), ("share-face", True, "3")]


def test_whoever_wants_no_face_kept_has_none_by_mistake_later(room: Room) -> None:
    ann = ask(room, "members.add", name="Ann", code=True, no_face=True)["member"]
    assert room.ledger.face_refused(ann)
    with pytest.raises(RequestError):
        ask(room, "members.add", name="Ben", photos=coded(photo(GOOD)), no_face=True)


def test_a_face_taken_back_leaves_the_code(room: Room) -> None:
    added = ask(room, "members.add", name="Ann", photos=coded(photo(GOOD)), code=True)
    assert ask(room, "members.withdraw", member=added["member"]) == {
        "member": added["member"], "templates": 1, "tokens": 1,
    }  # fmt: skip  # a row
    assert room.ledger.templates(FACE_MODEL) == []
    assert room.ledger.member_of_token(added["token"]) == added["member"]
    assert room.changes == 2


def test_after_a_new_consent_a_face_taken_back_may_come_again(room: Room) -> None:
    ann = ask(room, "members.add", name="Ann", photos=coded(photo(GOOD)), code=True)["member"]
    ask(room, "members.withdraw", member=ann)
    assert ask(room, "members.photo", member=ann, photos=coded(photo(GOOD)), consent="3")["templates"] == 1


# Digits, proofs, the list.


def test_digits_come_with_the_member_or_later_and_go_again(room: Room) -> None:
    ann = ask(room, "members.add", name="Ann", code=True, digits="0815")["member"]
    assert room.ledger.digits() == {ann: "0815"}
    assert ask(room, "members.digits", member=ann, digits="4711") == {"member": ann, "digits": True}
    assert room.ledger.digits() == {ann: "4711"}
    ask(room, "members.digits", member=ann, digits=None)
    assert room.ledger.digits() == {}


@pytest.mark.parametrize("digits", ["12", "12345", "12a4", 1234])
def test_a_member_with_wrong_digits_is_not_added(digits: object, room: Room) -> None:
    with pytest.raises(RequestError):
        ask(room, "members.add", name="Ann", code=True, digits=digits)
    assert room.ledger.members() == []


def test_who_has_seen_a_proof_is_kept_with_it(room: Room) -> None:
    ann = ask(room, "members.add", "tina", name="Ann", code=True, verified=True)["member"]
    assert room.ledger.export_member(ann)["rows"]["member"][0]["verified_by"] == "tina"
    assert ask(room, "members.verify", "tom", member=ann, verified=False) == {
        "member": ann, "verified": False, "by": "tom",
    }  # fmt: skip  # a row
    with pytest.raises(RequestError):
        ask(room, "members.verify", member=ann, verified="yes")


def test_the_list_tells_what_there_is_and_never_what_it_is(room: Room) -> None:
    answer = ask(room, "members.add", name="Ann", photos=coded(photo(GOOD)), code=True, digits="0815")
    listed = ask(room, "members.list")
    (row,) = listed["members"]
    assert (row["templates"], row["tokens"], row["digits"], row["verified"], row["source"]) == (
        1, 1, True, False, "cabinet",
    )  # fmt: skip  # a row
    assert (answer["token"] in json.dumps(listed), "0815" in json.dumps(listed)) == (False, False)


def test_members_are_listed_with_why_they_are_blocked(room: Room) -> None:
    ann, ben = (room.ledger.add_member(name, Consent("1", 0, "en")) for name in ("Ann", "Ben"))
    room.ledger.keep_roster(Roster(1, {ben: "unpaid", MemberId("01ELSEWHERE"): "denied"}), stamp(), "boot-1")
    listed = ask(room, "members.list")["members"]
    assert [(row["member"], row["name"], row["blocked"]) for row in listed] == [
        (ann, "Ann", None),
        (ben, "Ben", "unpaid"),
    ]


# A copy, and erasure.


def shopped(room: Room, member: MemberId, number: int, outcome: str = "charge") -> VisitId:
    """A visit with a recording, tallied."""
    visit = visit_id(number)
    closed = charged(number)
    if outcome == "review":
        closed = type(closed)(visit, "review", "two stories")
    room.ledger.commit(Idle(), [OpenedVisit(visit, member, "shop", "face", "", 1, {}, ""), closed], stamp())
    folder = recorded(room.traces, 1, visit)
    (folder / "frames" / "inside").mkdir(parents=True)
    for name in ("00000000", "00001000"):
        (folder / "frames" / "inside" / f"{name}.jpg").write_bytes(photo(GOOD, len(name)))
    work_out(folder, TallyPolicy(), complete=True)
    return visit


def test_a_copy_tells_everything_and_that_it_was_handed_out(room: Room) -> None:
    ann = ask(room, "members.add", name="Ann", photos=coded(photo(GOOD)), digits="0815")["member"]
    visit = shopped(room, ann, 1)
    told = ask(room, "members.export", "tina", member=ann, why="she asked")
    assert (told["name"], told["digits"], len(told["templates"][0]["numbers"])) == ("Ann", "0815", 128)
    assert ([one["visit"] for one in told["visits"]], told["recordings_with_stills"]) == ([visit], [visit])
    assert [(one.who, one.what, one.why) for one in room.ledger.accesses()] == [("tina", "members.export", "she asked")]


def test_an_erasure_takes_the_stills_of_settled_visits_and_says_so_in_the_receipt(room: Room) -> None:
    ann = ask(room, "members.add", name="Ann", photos=coded(photo(GOOD)), code=True)["member"]
    settled, doubtful = shopped(room, ann, 1), shopped(room, ann, 2, "review")
    stills = len(list((room.traces / settled).glob("frames/*/*.jpg")))
    assert stills > 0
    receipt = ask(room, "members.erase", member=ann)["receipt"]
    assert (receipt["removed"]["stills"], receipt["removed"]["template"], receipt["cabinet"]) == (stills, 1, "c1")
    assert receipt["kept"] == {"visits with the bare id": 2, "stills of visits in doubt": stills}
    assert receipt_is_right(receipt)
    assert not list((room.traces / settled).glob("frames/*/*.jpg"))
    assert list((room.traces / doubtful).glob("frames/*/*.jpg"))


def test_after_an_erasure_the_evidence_still_explains_itself(room: Room) -> None:
    ann = ask(room, "members.add", name="Ann", code=True)["member"]
    visit = shopped(room, ann, 1)
    hash_ = json.loads((room.traces / visit / "tally.json").read_text())["evidence"]
    ask(room, "members.erase", member=ann)
    told = ask(room, "visits.verify", visit=visit, hash=hash_)
    assert (told["same"], set(told["withheld"])) == (True, {"erased"})


def test_whoever_is_at_the_cabinet_is_erased_afterwards(room: Room) -> None:
    ann = ask(room, "members.add", name="Ann", code=True)["member"]
    room.ledger.commit(Idle(), [OpenedVisit(visit_id(1), ann, "shop", "face", "", 1, {}, "")], stamp())
    with pytest.raises(RequestError, match="at the cabinet"):
        ask(room, "members.erase", member=ann)
    assert len(room.ledger.members()) == 1


@pytest.mark.parametrize(
    "operation", ["members.photo", "members.digits", "members.verify", "members.withdraw", "members.export"]
)
def test_a_stranger_is_refused_with_where_to_look(operation: str, room: Room) -> None:
    with pytest.raises(RequestError, match="no such member") as refused:
        ask(room, operation, member="01NOBODY")
    assert "members list" in refused.value.remedy
