"""Tare and calibration step by step: the board judges, the cabinet sells nothing, and forgets what it weighed."""

import asyncio
from typing import Any

import pytest

from cabinet.control.requests import RequestError
from cabinet.control.scales import CALIBRATION_S
from cabinet.session.states import Unlocked
from cabinet.units import MemberId, VisitId
from tests.control.room import S1, S2, Room
from tests.support.virtual_time import run_in_virtual_time


def ask(room: Room, *steps: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    async def live() -> list[dict[str, Any]]:
        async with room.running():
            return [await room.ask(op, "rosa", **arguments) for op, arguments in steps]

    return run_in_virtual_time(live())


def weigh(room: Room, g: float = 500.0) -> None:
    """Two seconds at rest on s1."""
    for n in range(20):
        room.nerves.masses(S1, n * 0.1, 80.0, [g, g + 0.1] * 4)
    room.nerves.witness.scales.learn_baseline()


TARE = ("scale.tare", {"zone": "s1", "then": "calibrate"})
FIRST = ("scale.point", {"zone": "s1", "slot": 1, "mass_g": 1000})
SECOND = ("scale.point", {"zone": "s1", "slot": 2, "mass_g": 5000})
FIT = ("scale.calibrate", {"zone": "s1"})


def test_every_zone_is_shown_with_what_board_and_cabinet_know(room: Room) -> None:
    weigh(room)
    ((answer,),) = [ask(room, ("scale.show", {}))]
    first, second = answer["zones"]
    assert (first["zone"], first["channel"], first["zero_counts"], first["counts_per_g"]) == ("s1", 0, 1000, 100.0)
    assert (first["g"], first["hz"], first["steady"], first["bad_share"]) == (500.05, 80.0, True, 0.0)
    assert (second["zone"], second["g"], second["samples"]) == ("s2", None, 0)


def test_one_zone_may_be_asked_for_alone(room: Room) -> None:
    (answer,) = ask(room, ("scale.show", {"zone": "s2"}))
    assert [zone["zone"] for zone in answer["zones"]] == ["s2"]


@pytest.mark.parametrize("op", ["scale.show", "scale.tare", "scale.calibrate", "scale.cancel"])
def test_a_zone_that_is_none_is_refused_with_those_there_are(room: Room, op: str) -> None:
    with pytest.raises(RequestError, match="there is no zone 's9'") as refused:
        ask(room, (op, {"zone": "s9"}))
    assert refused.value.remedy == "zones here: s1, s2"


def test_a_tare_forgets_what_the_zone_weighed_before(room: Room) -> None:
    weigh(room)
    (answer,) = ask(room, ("scale.tare", {"zone": "s1"}))
    scale = room.nerves.witness.scales.zones[S1]
    assert (answer["ok"], scale.steady_g, len(scale.chunks)) == (True, None, 0)
    assert "steady" in str(scale.trouble(2.0)) or "no samples" in str(scale.trouble(2.0))
    assert room.maintenance.doing is None


def test_a_tare_that_is_refused_changes_nothing(room: Room) -> None:
    weigh(room)
    room.desk.answers = ["not steady"]
    (answer,) = ask(room, ("scale.tare", {"zone": "s1"}))
    assert (answer["ok"], answer["answer"], answer["why"], answer["remedy"]) == (
        False, "not steady", "it is not steady", "mend it",
    )  # fmt: skip  # a row
    assert room.nerves.witness.scales.zones[S1].steady_g is not None


def test_a_calibration_holds_the_cabinet_from_the_tare_to_the_line(room: Room) -> None:
    doing = []

    async def live() -> None:
        async with room.running():
            for op, arguments in (TARE, FIRST, SECOND, FIT):
                await room.ask(op, "rosa", **arguments)
                doing.append(room.maintenance.doing)

    run_in_virtual_time(live())
    assert doing == ["calibrate s1"] * 3 + [None]
    assert room.desk.orders == [
        ("tare", "s1"), ("point", "s1", 1, 1000.0), ("point", "s1", 2, 5000.0), ("calibrate", "s1"),
    ]  # fmt: skip  # a list


def test_a_line_that_is_refused_frees_the_cabinet_and_keeps_the_weighing(room: Room) -> None:
    weigh(room)
    room.desk.answers = ["ok", "ok", "residual"]
    answers = ask(room, FIRST, SECOND, FIT)
    assert (answers[-1]["answer"], answers[-1]["residual_g"]) == ("residual", 0.25)
    assert room.maintenance.doing is None
    assert room.nerves.witness.scales.zones[S1].steady_g is not None


def test_a_technician_who_leaves_in_the_middle_is_waited_for_ten_minutes(room: Room) -> None:
    async def live() -> tuple[str | None, str | None]:
        async with room.running():
            await room.ask(TARE[0], "rosa", **TARE[1])
            await asyncio.sleep(CALIBRATION_S - 1)
            before = room.maintenance.doing
            await asyncio.sleep(2)
            return before, room.maintenance.doing

    assert run_in_virtual_time(live()) == ("calibrate s1", None)


def test_cancelling_frees_the_cabinet_and_may_be_repeated(room: Room) -> None:
    ask(room, TARE, ("scale.cancel", {"zone": "s1"}), ("scale.cancel", {"zone": "s1"}))
    assert room.maintenance.doing is None


def test_nobody_cancels_the_work_on_another_zone(room: Room) -> None:
    with pytest.raises(RequestError, match="calibrate s1 is under way"):
        ask(room, TARE, ("scale.cancel", {"zone": "s2"}))


@pytest.mark.parametrize("mass_g", [None, "heavy", 49.9, 200_001, True])
def test_a_mass_that_cannot_be_is_refused_before_the_board_hears_of_it(room: Room, mass_g: Any) -> None:
    with pytest.raises(RequestError):
        ask(room, ("scale.point", {"zone": "s1", "slot": 1, "mass_g": mass_g}))
    assert (room.desk.orders, room.maintenance.doing) == ([], None)


@pytest.mark.parametrize("slot", [0, 3, None, "1"])
def test_there_are_two_slots(room: Room, slot: Any) -> None:
    with pytest.raises(RequestError, match="slot is"):
        ask(room, ("scale.point", {"zone": "s1", "slot": slot, "mass_g": 1000}))


@pytest.mark.parametrize("step", [TARE, FIRST, FIT], ids=lambda step: str(step[0]))
def test_during_a_visit_nothing_is_done_to_a_scale(room: Room, step: tuple[str, dict[str, Any]]) -> None:
    room.daemon.state = Unlocked(VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV"), MemberId("ann"), 9.0)
    with pytest.raises(RequestError, match="the cabinet is Unlocked"):
        ask(room, step)
    assert room.desk.orders == []


def test_the_trouble_of_a_zone_is_shown_with_it(room: Room) -> None:
    room.parts.report("scale:s2", "the converter sends nothing")
    (answer,) = ask(room, ("scale.show", {"zone": S2}))
    assert answer["zones"][0]["trouble"] == "the converter sends nothing"
