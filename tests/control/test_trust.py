"""Trust and refused attempts as a technician sees them, and what a technician may write."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from cabinet import clock
from cabinet.control.requests import RequestError
from cabinet.identity.credit import Terms
from cabinet.identity.risk import Deny
from cabinet.ledger import ClosedVisit, Consent
from cabinet.session.states import Idle
from cabinet.units import MemberId, VisitId
from tests.control.room import Room
from tests.ledger.examples import opened, visit_id


def ask(room: Room, operation: str, who: str = "tom", **arguments: Any) -> dict[str, Any]:
    return asyncio.run(room.ask(operation, who, **arguments))


@pytest.fixture
def ann(room: Room) -> MemberId:
    room.trust.keeper.start()
    return room.ledger.add_member("Ann Wonder", Consent("1", 0, "en"))


def visits(room: Room, member: MemberId, number: int = 1, why: str | None = None) -> VisitId:
    """Let in by face; closed as a review that says why, where it does."""
    visit = visit_id(number)
    room.trust.keeper.assess(visit, member, "face")
    terms = Terms("cloud", 1_500)
    room.ledger.commit(Idle(), [replace(opened(number), member=member, terms=terms)], clock.stamp())
    if why is not None:
        room.ledger.commit(Idle(), [ClosedVisit(visit, "review", why)], clock.stamp())
        room.trust.keeper.read()
    return visit


SWAP = "s1: Cola may have been exchanged for another thing"


def test_a_newcomers_trust_is_told_with_its_bounds(room: Room, ann: MemberId) -> None:
    told = ask(room, "members.trust", member=ann)
    assert (told["trust"], told["start"], told["lost"], told["owed"], told["events"]) == (70, 70, 0.0, 0, [])
    assert told["bounds"] == [
        {"asks": "refused", "below": 20, "passed_in_days": 0.0},
        {"asks": "digits", "below": 50, "passed_in_days": 0.0},
    ]


def test_what_lowered_the_trust_is_told_and_when_it_comes_back(room: Room, ann: MemberId) -> None:
    visit = visits(room, ann, why=SWAP)
    told = ask(room, "members.trust", member=ann)
    (event,) = told["events"]
    assert (event["kind"], event["points"], event["visit"], event["who"]) == ("swap", 25, visit, None)
    assert (told["trust"], told["incidents"]) == (45, 1)
    assert told["bounds"][1]["passed_in_days"] == pytest.approx(8.6, abs=0.1)  # 30 d * log2(25 / 20.5)


def test_a_technician_books_by_kind_with_a_note_and_their_name(room: Room, ann: MemberId) -> None:
    told = ask(room, "members.trust_book", member=ann, kind="dispute-lost", note="the camera shows it")
    (event,) = told["events"]
    assert (event["kind"], event["points"], event["note"], event["who"]) == (
        "dispute-lost", 20, "the camera shows it", "tom",
    )  # fmt: skip  # a row
    assert (told["kind"], told["points"], told["trust"]) == ("dispute-lost", 20, 50)


def test_a_technician_forgives(room: Room, ann: MemberId) -> None:
    visits(room, ann, why=SWAP)
    told = ask(room, "members.trust_book", member=ann, kind="forgiven", points=25, note="a mistake of the scale")
    assert (told["trust"], told["incidents"]) == (70, 0)


def test_a_technician_vouches(room: Room, ann: MemberId) -> None:
    assert ask(room, "members.trust_book", member=ann, kind="vouched", note="a neighbour")["trust"] == 80


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"kind": "unpaid", "note": "x"}, "nothing that a technician books"),
        ({"kind": "paid", "note": "x"}, "nothing that a technician books"),
        ({"kind": "swap"}, "note is missing"),
        ({"kind": "swap", "note": "  "}, "note is missing"),
        ({"kind": "swap", "note": "x" * 201}, "201 characters"),
        ({"kind": "forgiven", "note": "x"}, "points is None"),
        ({"kind": "forgiven", "points": 101, "note": "x"}, "points is 101"),
        ({"kind": "forgiven", "points": -5, "note": "x"}, "points is -5"),
        ({"note": "x"}, "kind is missing"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_written(
    room: Room, ann: MemberId, arguments: dict[str, Any], error: str
) -> None:
    with pytest.raises(RequestError, match=error):
        ask(room, "members.trust_book", member=ann, **arguments)
    assert room.ledger.trust_events(ann) == []


def test_a_technician_chooses_no_weight_of_their_own(room: Room, ann: MemberId) -> None:
    assert ask(room, "members.trust_book", member=ann, kind="swap", points=99, note="x")["points"] == 25


@pytest.mark.parametrize("operation", ["members.trust", "members.trust_book"])
def test_a_member_who_never_was_is_refused(room: Room, operation: str) -> None:
    with pytest.raises(RequestError, match="no such member"):
        ask(room, operation, member="01NOBODY", kind="swap", note="x")


def test_a_visit_tells_who_was_let_in_how_for_how_much_and_why(room: Room, ann: MemberId) -> None:
    admission = ask(room, "visits.show", visit=visits(room, ann))["admission"]
    assert (admission["member"], admission["way"], admission["judgement"]) == (ann, "face", "allow")
    assert (admission["limit_minor"], admission["reasons"], admission["why"]) == (2_000, ["new: limit 2000"], "")
    assert admission["terms"] == {"by": "cloud", "hold_minor": 1_500}


def test_a_visit_of_which_no_admission_is_kept_says_so(room: Room, ann: MemberId) -> None:
    room.ledger.commit(Idle(), [replace(opened(9), member=ann)], clock.stamp())
    assert ask(room, "visits.show", visit=visit_id(9))["admission"] is None


def test_refused_attempts_are_told_without_a_name(room: Room, ann: MemberId) -> None:
    for _ in range(2):
        ask(room, "members.trust_book", member=ann, kind="tamper", note="x")
    assert isinstance(room.trust.keeper.assess(visit_id(5), ann, "face"), Deny)
    room.trust.keeper.turned_away(visit_id(6), None, None, "not recognised")
    told = ask(room, "visits.refused")
    stranger, member = told["refused"]
    assert (stranger["member"], stranger["way"], stranger["why"]) == (None, None, "not recognised")
    assert (member["attempt"], member["member"], member["why"]) == (visit_id(5), ann, "low trust")
    assert member["reasons"][0] == "trust 10 < 20"
    assert "Wonder" not in json.dumps(told)


def test_digits_that_never_came_are_a_refusal(room: Room, ann: MemberId) -> None:
    visits(room, ann, why=SWAP)
    room.trust.keeper.assess(visit_id(5), ann, "face")
    (one,) = ask(room, "visits.refused")["refused"]
    assert (one["attempt"], one["why"]) == (visit_id(5), "digits were asked for and did not come")


def test_refused_attempts_come_bounded(room: Room) -> None:
    for number in range(4):
        room.trust.keeper.turned_away(visit_id(number), None, None, "not recognised")
    assert [one["attempt"] for one in ask(room, "visits.refused", limit=2)["refused"]] == [visit_id(3), visit_id(2)]
    with pytest.raises(RequestError, match="limit"):
        ask(room, "visits.refused", limit=0)
