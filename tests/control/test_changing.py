"""What a technician may change: refused whole or done whole."""

import asyncio
from typing import Any

import pytest

from cabinet.control.changing import BOARD_WAIT_S
from cabinet.control.requests import RequestError
from cabinet.session import events as ev
from cabinet.session.states import Fault, Idle, OutOfService, Servicing
from cabinet.units import MemberId, Sku, VisitId
from tests.control.room import GOOD, ITEM_MODEL, S1, Room, coded, photo
from tests.support.virtual_time import run_in_virtual_time

V = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
COLA: dict[str, Any] = {"sku": "111", "name": "Cola", "mass_g": 505.0, "unit_price": 250, "tax": "beverage"}


def ask(room: Room, operation: str, **arguments: Any) -> dict[str, Any]:
    return asyncio.run(room.ask(operation, **arguments))


# Goods.


def test_a_product_comes_with_price_pictures_and_stock(room: Room) -> None:
    answer = ask(room, "catalog.add", **COLA, photos=coded(photo(GOOD)), zone="s1", count=6)
    assert answer["references"] == 1
    assert ["only 1 photograph" in warning for warning in answer["warnings"]] == [True]
    assert room.ledger.catalog()[Sku("111")].unit_price == 250
    assert (room.ledger.stock(), list(room.ledger.gallery(ITEM_MODEL))) == ({"s1": {"111": 6}}, ["111"])


def test_a_product_without_pictures_is_warned_of(room: Room) -> None:
    assert "no photographs" in ask(room, "catalog.add", **COLA)["warnings"][0]


def test_a_product_as_heavy_as_another_is_warned_of(room: Room) -> None:
    ask(room, "catalog.add", **COLA)
    answer = ask(room, "catalog.add", **{**COLA, "sku": "222", "name": "Lime", "mass_g": 503.0})
    assert "111 'Cola' weighs within 5 g" in answer["warnings"][1]


@pytest.mark.parametrize(
    "change",
    [
        {"zone": "s9", "count": 1},
        {"zone": "s1", "count": -1},
        {"zone": "s1", "count": "six"},
        {"zone": "s1", "count": 1, "photos": coded(photo(GOOD), b"no picture")},
        {"photos": coded(photo(GOOD, side=4))},
        {"mass_g": 0},
        {"unit_price": None},
        {"sku": "a b"},
    ],
    ids=str,
)
def test_a_product_that_cannot_be_added_whole_is_not_added(room: Room, change: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        ask(room, "catalog.add", **{**COLA, **change})
    assert (room.ledger.catalog(), room.ledger.stock(), room.ledger.price_version(), room.changes) == ({}, {}, 0, 0)


def test_a_wrong_zone_is_told_which_there_are(room: Room) -> None:
    with pytest.raises(RequestError) as refused:
        ask(room, "catalog.add", **COLA, zone="s9")
    assert refused.value.remedy == "zones here: s1, s2"


def test_a_new_price_leaves_the_stock_as_it_was(room: Room) -> None:
    ask(room, "catalog.add", **COLA, zone="s1", count=6)
    ask(room, "catalog.add", **{**COLA, "unit_price": 300}, zone="s1")
    assert room.ledger.stock() == {"s1": {"111": 6}}


def test_stock_is_what_a_person_counted(room: Room) -> None:
    ask(room, "catalog.add", **COLA)
    answer = ask(room, "stock.set", zone="s2", sku="111", count=4)
    assert answer["stock"] == [{"zone": "s2", "sku": "111", "name": "Cola", "count": 4}]


@pytest.mark.parametrize(
    "change", [{"zone": "s9"}, {"sku": "999"}, {"count": -1}, {"count": None}, {"count": 1.5}], ids=str
)
def test_stock_of_what_is_not_there_is_refused(room: Room, change: dict[str, Any]) -> None:
    ask(room, "catalog.add", **COLA)
    with pytest.raises(RequestError):
        ask(room, "stock.set", **{"zone": "s1", "sku": "111", "count": 1, **change})
    assert room.ledger.stock().get(S1, {}) == {}


# Unlocking.


def live(room: Room, *events: ev.Event) -> None:
    async def handle() -> None:
        for event in events:
            await room.daemon.handle(event)

    asyncio.run(handle())


def unlock(room: Room, **arguments: Any) -> dict[str, Any]:
    """Ask while the daemon runs, from the state it is in."""

    async def asking() -> dict[str, Any]:
        async def steps() -> None:
            while True:
                await room.daemon.handle(await room.daemon.events.get())

        running = asyncio.create_task(steps())
        try:
            return await asyncio.wait_for(room.ask("unlock", "rosa", **arguments), 60.0)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    room.daemon.events = asyncio.Queue()
    return asyncio.run(asking())


def test_a_technicians_visit_is_recorded_with_name_and_reason(room: Room) -> None:
    visit = unlock(room, reason="weekly", purpose="restock")["visit"]
    record = room.ledger.visit(visit)
    assert record is not None
    assert (record.who, record.purpose, record.reason, record.member) == ("rosa", "restock", "weekly", None)
    assert isinstance(room.daemon.state, Servicing)


def test_a_cabinet_out_of_service_opens_for_a_technician(room: Room) -> None:
    room.daemon.state = OutOfService((Fault("scale:s1", "silent"),))
    assert unlock(room, reason="look at the scale")["visit"]


def test_nobody_unlocks_during_a_visit(room: Room) -> None:
    live(room, ev.ShopperApproached(0.0, V), ev.MemberRecognised(1.0, V, MemberId("ann"), "face"))
    with pytest.raises(RequestError, match="the cabinet is Unlocked") as refused:
        unlock(room, reason="restock")
    assert "wait" in refused.value.remedy
    assert len(room.ledger.open_visits()) == 1


def test_an_unlock_waits_for_a_board_that_is_about_to_be_there(room: Room) -> None:
    async def live() -> float:
        room.parts.expect("board", needed=True)
        loop = asyncio.get_running_loop()
        loop.call_later(0.5, room.parts.report, "board", None)
        async with room.running():
            await room.ask("unlock", "rosa", reason="right after the start")
        return loop.time()

    assert 0.5 <= run_in_virtual_time(live()) < 0.6


def test_an_unlock_does_not_wait_for_ever(room: Room) -> None:
    async def live() -> float:
        room.parts.expect("board", needed=True)
        async with room.running():
            await room.ask("unlock", "rosa", reason="with the key of the door")
        return asyncio.get_running_loop().time()

    assert run_in_virtual_time(live()) == pytest.approx(BOARD_WAIT_S, abs=0.1)


def test_a_lock_that_refuses_is_told(room: Room) -> None:
    room.parts.expect("lock", needed=True, why=None)
    room.hands.lock_fails = True
    with pytest.raises(RequestError, match="no answer"):
        unlock(room, reason="repair")


@pytest.mark.parametrize("arguments", [{}, {"reason": " "}, {"reason": "x", "purpose": "party"}], ids=str)
def test_an_unlock_without_reason_or_known_purpose_changes_nothing(room: Room, arguments: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        unlock(room, **arguments)
    assert (room.daemon.state, room.ledger.open_visits()) == (Idle(), [])
