"""A member takes their face back at one cabinet: no cabinet of the fleet keeps it, everything else of them stays."""

import pytest

from cabinet.cloud.roster import FleetRoster
from tests.cloud.counterpart import CAB, OTHER, Counterpart, forged
from tests.uplink.fleet import MODEL, member_id, said, with_face


def withdrew(desk: Counterpart, member: object, cab: str = CAB) -> None:
    event = forged(desk.events[0], seq=9, type="member.withdrew", visit=None, body={"member": member})
    desk.tell(event, cab=cab)


def alarms(desk: Counterpart) -> list[str]:
    return [alarm.kind for alarm in desk.store.alarms()]


def test_the_face_goes_from_the_list_and_the_rest_stays(desk: Counterpart) -> None:
    fleet = FleetRoster(desk.store.books)
    fleet.add(said(1, digits="4711", **with_face(0.5)), None, "ann", 1)
    withdrew(desk, member_id(1))
    (found,) = fleet.members()
    assert (found.templates, found.share_face, found.digits, found.cards) == ({}, None, True, 1)
    assert (found.version, found.who, alarms(desk)) == (2, f"taken back at {CAB}", [])
    assert MODEL not in found.templates


def test_a_cabinet_that_does_not_know_the_member_takes_nothing(desk: Counterpart) -> None:
    fleet = FleetRoster(desk.store.books)
    fleet.add(said(1, **with_face(0.5)), [OTHER], "ann", 1)
    withdrew(desk, member_id(1))
    (found,) = fleet.members()
    assert (found.templates, alarms(desk)) == ({MODEL: 1}, ["roster"])


@pytest.mark.parametrize("member", [member_id(7), 7, None, "x" * 500])
def test_whoever_is_on_no_list_has_nothing_to_take_back_there(member: object, desk: Counterpart) -> None:
    fleet = FleetRoster(desk.store.books)
    fleet.add(said(1, **with_face(0.5)), None, "ann", 1)
    withdrew(desk, member)
    assert (fleet.version(), alarms(desk)) == (1, [])
