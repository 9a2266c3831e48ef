"""What a technician sees; nothing of it changes anything, and nothing names a face or a token."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from cabinet import clock, trace
from cabinet.basket.verdict import Line
from cabinet.control.requests import RequestError
from cabinet.ledger import ClosedVisit, JournalEntry, OpenedVisit
from cabinet.session.states import Fault, Idle, OutOfService, Unlocked
from cabinet.units import MemberId, Sku, VisitId
from tests.control.room import GOOD, S1, Room, coded, photo
from tests.ledger.examples import stamp
from tests.test_tallier import recorded

V = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
COLA = Line(Sku("111"), "Cola", 2, 220, "beverage")


def ask(room: Room, operation: str, **arguments: Any) -> dict[str, Any]:
    return asyncio.run(room.ask(operation, **arguments))


def shop(room: Room, number: int, outcome: str = "charge") -> VisitId:
    visit = VisitId(f"01J{number:023d}")
    opened = OpenedVisit(visit, MemberId("01JANN"), "shop", "face", "", 1, {S1: 1000.0}, visit)
    room.ledger.commit(Unlocked(visit, MemberId("01JANN"), 9.0), [opened], clock.stamp())
    bought: dict[str, Any] = {"lines": (COLA,), "total_minor": 440, "confidence": 0.97} if outcome == "charge" else {}
    closed = ClosedVisit(visit, outcome, currency="USD", **bought)  # type: ignore[arg-type]  # the tests' own words
    room.ledger.commit(Idle(), [closed], clock.stamp())
    return visit


def test_status_tells_the_state_its_faults_and_the_shelves(room: Room) -> None:
    room.daemon.state = OutOfService((Fault("scale:s1", "silent"),))
    status = ask(room, "status")
    assert (status["cabinet"], status["state"], status["screen"]) == ("c1", "OutOfService", "Hello")
    assert status["faults"] == [{"part": "scale:s1", "why": "silent", "latched": False}]
    assert set(status["zones"]) == {"s1", "s2"}


def test_status_tells_whose_visit_is_open(room: Room) -> None:
    room.daemon.state = Unlocked(V, MemberId("01JANN"), 9.0)
    status = ask(room, "status")
    assert (status["visit"], status["member"]) == (V, "01JANN")


@pytest.mark.parametrize("operation", ["status", "doctor", "visits.list", "outbox", "members.list", "catalog.list"])
def test_every_look_is_plain_json(room: Room, operation: str) -> None:
    shop(room, 1)
    ask(room, "members.add", name="Ann", photos=coded(photo(GOOD)), code=True)
    assert json.loads(json.dumps(ask(room, operation), allow_nan=False))


def test_doctor_tells_each_part_and_the_remedy_of_what_fails(room: Room) -> None:
    room.parts.expect("board", needed=True, remedy="plug it in")
    room.parts.expect("lock", needed=True, why=None, remedy="look at the bolt")
    board, lock = (part for part in ask(room, "doctor")["parts"] if part["part"] in {"board", "lock"})
    assert (board["part"], board["ok"], board["remedy"]) == ("board", False, "plug it in")
    assert (lock["ok"], lock["remedy"]) == (True, "")


def test_doctor_tells_the_counters(room: Room) -> None:
    assert ask(room, "doctor")["counters"] == {"greeter": {"approached": 3}}


def test_visits_come_newest_first_and_bounded(room: Room) -> None:
    first, second, third = (shop(room, n) for n in (1, 2, 3))
    assert [visit["visit"] for visit in ask(room, "visits.list", limit=2)["visits"]] == [third, second]
    assert first not in str(ask(room, "visits.list", limit=2))


def test_visits_can_be_asked_for_by_outcome(room: Room) -> None:
    shop(room, 1)
    review = shop(room, 2, "review")
    shop(room, 3)
    assert [visit["visit"] for visit in ask(room, "visits.list", outcome="review")["visits"]] == [review]


@pytest.mark.parametrize("limit", [0, 1001, "all"])
def test_a_limit_is_a_number_within_bounds(room: Room, limit: object) -> None:
    with pytest.raises(RequestError, match="limit is"):
        ask(room, "visits.list", limit=limit)


def test_a_visit_is_shown_with_its_lines_and_receipt(room: Room) -> None:
    shown = ask(room, "visits.show", visit=shop(room, 1))
    assert [(line["name"], line["quantity"], line["total"]) for line in shown["visit"]["lines"]] == [("Cola", 2, 440)]
    assert "TOTAL" in shown["receipt"]
    assert shown["tally"] is None


def test_a_visit_is_shown_with_how_the_bill_came_about(room: Room) -> None:
    visit = shop(room, 1)
    (room.traces / visit).mkdir()
    (room.traces / visit / "tally.json").write_text('{"outcome": "charge"}')
    assert ask(room, "visits.show", visit=visit)["tally"] == {"outcome": "charge"}


def test_an_open_visit_has_no_receipt(room: Room) -> None:
    opened = OpenedVisit(V, MemberId("01JANN"), "shop", "face", "", 1, {}, V)
    room.ledger.commit(Unlocked(V, MemberId("01JANN"), 9.0), [opened], clock.stamp())
    shown = ask(room, "visits.show", visit=V)
    assert (shown["receipt"], shown["visit"]["outcome"]) == (None, None)


@pytest.mark.parametrize("operation", ["visits.show", "visits.export", "visits.picture"])
def test_a_visit_that_never_was_is_refused(room: Room, operation: str) -> None:
    with pytest.raises(RequestError, match="no such visit"):
        ask(room, operation, visit=V)


def test_a_recording_that_is_no_longer_kept_says_so(room: Room) -> None:
    with pytest.raises(RequestError, match="no longer kept"):
        ask(room, "visits.export", visit=shop(room, 1))


def test_an_exported_recording_is_the_trace(room: Room, tmp_path: Path) -> None:
    visit = shop(room, 1)
    folder = recorded(room.traces, 1, visit)
    answer = ask(room, "visits.export", visit=visit)
    (tmp_path / answer["name"]).write_bytes(base64.b64decode(answer["tar_b64"]))
    assert trace.read(tmp_path / answer["name"]) == trace.read(folder)


def test_what_the_cloud_has_not_confirmed_is_listed(room: Room) -> None:
    shop(room, 1)
    outbox = ask(room, "outbox")
    assert (outbox["count"], outbox["head_seq"]) == (2, 2)
    assert [row["type"] for row in outbox["rows"]] == ["visit.opened", "visit.closed"]


def test_members_are_listed_without_templates_and_tokens(room: Room) -> None:
    token = ask(room, "members.add", name="Ann", photos=coded(photo(GOOD)), code=True)["token"]
    listed = ask(room, "members.list")
    (member,) = listed["members"]
    assert (member["name"], member["templates"], member["tokens"]) == ("Ann", 1, 1)
    assert token not in json.dumps(listed)


def test_products_are_listed_with_where_they_stand(room: Room) -> None:
    ask(room, "catalog.add", sku="111", name="Cola", mass_g=505, unit_price=250, zone="s1", count=6)
    (product,) = ask(room, "catalog.list")["products"]
    assert (product["sku"], product["zones"], product["references"]) == ("111", {"s1": 6}, 0)


def weighed(room: Room, index: int, kind: str, visit: VisitId, **grams: float | None) -> None:
    entry = JournalEntry("aa" * 8, index, 1, 1000 * index, kind, visit, {"masses_g": grams} if grams else {})
    room.ledger.journal(entry, stamp())


def test_a_visit_shows_what_the_board_weighed_by_itself(room: Room) -> None:
    visit = shop(room, 1)
    weighed(room, 1, "unlock granted", visit, s1=3000.5, s2=None)
    weighed(room, 2, "door closed", visit)
    weighed(room, 3, "masses", visit, s1=2495.25, s2=100.0)
    board = ask(room, "visits.show", visit=visit)["board"]
    assert (board["unlock_g"], board["close_g"]) == ({"s1": 3000.5, "s2": None}, {"s1": 2495.25, "s2": 100.0})
    assert board["net_g"] == {"s1": -505.2}
    assert [entry["kind"] for entry in board["entries"]] == ["unlock granted", "door closed", "masses"]


def test_a_door_that_was_shut_twice_is_weighed_by_the_last_closing(room: Room) -> None:
    visit = shop(room, 1)
    weighed(room, 1, "unlock granted", visit, s1=3000.0)
    for index, g in ((2, 2500.0), (3, 2000.0)):
        weighed(room, index, "masses", visit, s1=g)
    assert ask(room, "visits.show", visit=visit)["board"]["net_g"] == {"s1": -1000.0}


def test_a_visit_that_never_closed_has_no_net(room: Room) -> None:
    visit = shop(room, 1)
    weighed(room, 1, "unlock granted", visit, s1=3000.0)
    board = ask(room, "visits.show", visit=visit)["board"]
    assert (board["close_g"], board["net_g"]) == ({}, {})


def test_a_visit_of_which_the_board_wrote_nothing_says_so(room: Room) -> None:
    assert ask(room, "visits.show", visit=shop(room, 1))["board"] is None
