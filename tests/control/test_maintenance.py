"""Work on board and scales, and visits: never both."""

import asyncio

import pytest

from cabinet.control.maintenance import PART
from cabinet.control.requests import RequestError
from cabinet.session import events as ev
from cabinet.session.states import (
    Authenticating,
    Closing,
    Fault,
    Idle,
    OutOfService,
    Recovering,
    Servicing,
    State,
    Tallying,
    Unlocked,
    Watching,
    faults,
)
from cabinet.units import MemberId, VisitId
from tests.control.room import Room
from tests.support.virtual_time import run_in_virtual_time

V, ANN = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV"), MemberId("ann")
SERVICE = Servicing(V, "rosa", "service", door_open=True, deadline_s=900.0)
VISITS: list[State] = [
    Authenticating(V, 9.0),
    Unlocked(V, ANN, 9.0),
    Watching(V, ANN, 1.0, 9.0),
    Closing(V, ANN, 9.0),
    Tallying(V, ANN, 9.0),
    Recovering(V, ANN, 9.0),
]


def test_while_somebody_works_nobody_is_let_in(room: Room) -> None:
    async def live() -> State:
        async with room.running(), room.maintenance.during("tare s1", "rosa"):
            happened = await room.daemon.ask(ev.ShopperApproached(1.0, V))
            return happened.after

    during = run_in_virtual_time(live())
    assert isinstance(during, OutOfService)
    assert [fault.why for fault in faults(during)] == ["rosa is at work (tare s1): nothing is sold until it is done"]


def test_afterwards_the_cabinet_sells_again(room: Room) -> None:
    async def live() -> State:
        async with room.running():
            async with room.maintenance.during("tare s1", "rosa"):
                pass
            return (await room.daemon.ask(ev.DoorClosed(1.0))).after

    assert run_in_virtual_time(live()) == Idle()


@pytest.mark.parametrize("state", VISITS, ids=lambda state: type(state).__name__)
def test_during_a_visit_no_work_begins(room: Room, state: State) -> None:
    async def live() -> None:
        room.daemon.state = state
        async with room.running():
            with pytest.raises(RequestError, match=f"the cabinet is {type(state).__name__}") as refused:
                await room.maintenance.begin("tare s1", "rosa")
            assert "wait" in refused.value.remedy

    run_in_virtual_time(live())
    assert (room.maintenance.doing, room.parts.why(PART)) == (None, None)


def test_a_visit_that_was_in_the_queue_already_comes_first(room: Room) -> None:
    async def live() -> None:
        async with room.running():
            room.daemon.post(ev.ShopperApproached(1.0, V))
            room.daemon.post(ev.MemberRecognised(1.0, V, ANN, "face"))
            assert room.daemon.state == Idle()
            with pytest.raises(RequestError, match="the cabinet is Unlocked"):
                await room.maintenance.begin("tare s1", "rosa")

    run_in_virtual_time(live())
    assert (room.maintenance.doing, room.parts.why(PART)) == (None, None)


def test_in_a_technicians_own_visit_work_may_begin_and_the_visit_goes_on(room: Room) -> None:
    async def live() -> State:
        room.daemon.state = SERVICE
        async with room.running():
            await room.maintenance.begin("calibrate s1", "rosa")
            return room.daemon.state

    assert isinstance(run_in_virtual_time(live()), Servicing)


def test_work_that_wants_the_door_shut_waits_for_the_technicians_visit(room: Room) -> None:
    async def live() -> None:
        room.daemon.state = SERVICE
        async with room.running():
            with pytest.raises(RequestError, match="a technician's visit is open") as refused:
                await room.maintenance.begin("selftest", "rosa", alone=True)
            assert "shut the door" in refused.value.remedy

    run_in_virtual_time(live())


def test_a_cabinet_that_is_out_of_service_may_be_worked_on(room: Room) -> None:
    async def live() -> State:
        room.daemon.state = OutOfService((Fault("lock", "dead"),))
        async with room.running():
            async with room.maintenance.during("selftest", "rosa", alone=True):
                pass
            return (await room.daemon.ask(ev.DoorClosed(1.0))).after

    assert run_in_virtual_time(live()) == OutOfService((Fault("lock", "dead"),))


def test_two_works_exclude_each_other_and_one_may_be_joined(room: Room) -> None:
    async def live() -> None:
        async with room.running():
            await room.maintenance.begin("calibrate s1", "rosa", for_s=60.0)
            async with room.maintenance.during("calibrate s1", "rosa"):
                pass
            assert room.maintenance.doing == "calibrate s1"
            with pytest.raises(RequestError, match="calibrate s1 is under way"):
                await room.maintenance.begin("tare s2", "tom")

    run_in_virtual_time(live())


def test_a_technician_who_never_comes_back_is_waited_for_only_so_long(room: Room) -> None:
    async def live() -> list[str | None]:
        async with room.running():
            await room.maintenance.begin("calibrate s1", "rosa", for_s=60.0)
            seen = []
            for wait_s in (59.0, 2.0):
                await asyncio.sleep(wait_s)
                seen.append(room.maintenance.doing)
            return seen

    assert run_in_virtual_time(live()) == ["calibrate s1", None]


def test_each_step_begins_the_wait_anew(room: Room) -> None:
    async def live() -> str | None:
        async with room.running():
            for _ in range(3):
                await room.maintenance.begin("calibrate s1", "rosa", for_s=60.0)
                await asyncio.sleep(50.0)
            return room.maintenance.doing

    assert run_in_virtual_time(live()) == "calibrate s1"


@pytest.mark.parametrize(("alone", "opens"), [(True, False), (False, True)])
def test_the_door_is_unlocked_beside_it_only_where_the_work_suffers_it(room: Room, *, alone: bool, opens: bool) -> None:
    async def live() -> bool:
        async with room.running(), room.maintenance.during("work", "rosa", alone=alone):
            try:
                await room.ask("unlock", "rosa", reason="to reach the shelf")
            except RequestError:
                return False
            return True

    assert run_in_virtual_time(live()) is opens
