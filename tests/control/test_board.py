"""What a technician asks of the board: facts, journal, key, and its port for a while."""

import asyncio
from typing import Any

import pytest

from cabinet.control.board import FLASH_S
from cabinet.control.requests import RequestError
from cabinet.ledger import JournalEntry
from cabinet.ports import PortError
from cabinet.session.states import Unlocked
from cabinet.units import MemberId, VisitId
from tests.control.room import Room
from tests.ledger.examples import stamp
from tests.support.virtual_time import run_in_virtual_time

V = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
OURS = "aa" * 8


def ask(room: Room, *steps: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    async def live() -> list[dict[str, Any]]:
        async with room.running():
            return [await room.ask(op, "rosa", **arguments) for op, arguments in steps]

    return run_in_virtual_time(live())


def kept(room: Room, index: int, *, boot: int = 1, t_ms: int = 1000, board: str = OURS) -> None:
    room.ledger.journal(JournalEntry(board, index, boot, t_ms, "door opened", V, {}), stamp())


def test_the_facts_come_with_budget_and_journal(room: Room) -> None:
    kept(room, 3)
    (answer,) = ask(room, ("board.info", {}))
    assert (answer["connected"], answer["board"], answer["journal_stored"], answer["journal_next"]) == (
        True,
        OURS,
        3,
        4,
    )
    assert answer["budget"] == {"per_hour": 60, "per_day": 400}


def test_of_a_board_that_is_away_the_reason_is_told(room: Room) -> None:
    room.desk.away = "unplugged"
    (answer,) = ask(room, ("board.info", {}))
    assert (answer["connected"], answer["why"], answer["journal_stored"]) == (False, "unplugged", 0)


def test_the_journal_is_told_in_order_and_the_newest_alone_where_so_asked(room: Room) -> None:
    for index in (1, 2, 3):
        kept(room, index)
    whole, last = ask(room, ("board.log", {}), ("board.log", {"last": 2}))
    assert [entry["index"] for entry in whole["entries"]] == [1, 2, 3]
    assert [entry["index"] for entry in last["entries"]] == [2, 3]


def test_entries_of_the_boot_that_still_runs_have_a_time_of_day(room: Room) -> None:
    kept(room, 1, boot=1, t_ms=5000)
    kept(room, 2, boot=2, t_ms=40_000)
    kept(room, 3, boot=2, t_ms=60_000)
    (answer,) = ask(room, ("board.log", {}))
    older, first, second = answer["entries"]
    assert older["at_wall_ms"] is None
    assert second["at_wall_ms"] - first["at_wall_ms"] == 20_000


@pytest.mark.parametrize("last", [0, 10_001, "many"])
def test_more_entries_than_there_can_be_are_refused(room: Room, last: Any) -> None:
    with pytest.raises(RequestError, match="last is"):
        ask(room, ("board.log", {"last": last}))


def test_a_board_is_commissioned_with_the_configured_budget(room: Room) -> None:
    (answer,) = ask(room, ("board.commission", {}))
    assert answer == {"key_file": "/data/board.key", "per_hour": 60, "per_day": 400}
    assert (room.desk.orders, room.maintenance.doing) == ([("commission", 60, 400)], None)


def test_a_board_that_refuses_the_key_leaves_the_cabinet_free(room: Room) -> None:
    room.desk.away = "the board has a key already"
    with pytest.raises(PortError, match="has a key already"):
        ask(room, ("board.commission", {}))
    assert room.maintenance.doing is None


@pytest.mark.parametrize("op", ["board.commission", "board.let_go", "board.selftest"])
def test_during_a_visit_none_of_it_is_done(room: Room, op: str) -> None:
    room.daemon.state = Unlocked(V, MemberId("ann"), 9.0)
    with pytest.raises(RequestError, match="the cabinet is Unlocked"):
        ask(room, (op, {}))
    assert (room.desk.orders, room.hands.told) == ([], [])


def test_the_port_is_lent_and_taken_back(room: Room) -> None:
    lent, _ = ask(room, ("board.let_go", {}), ("board.take_back", {}))
    assert lent == {"port": "/dev/ttyACM0", "for_s": FLASH_S}
    assert (room.desk.orders, room.maintenance.doing) == ([("let go", FLASH_S), ("take back",)], None)


def test_while_the_port_is_lent_nothing_is_sold_for_so_long_and_no_longer(room: Room) -> None:
    async def live() -> list[str | None]:
        async with room.running():
            await room.ask("board.let_go", "rosa")
            seen = [room.maintenance.doing]
            await asyncio.sleep(FLASH_S + 1)
            return [*seen, room.maintenance.doing]

    assert run_in_virtual_time(live()) == ["flash", None]


def test_nobody_takes_the_port_from_other_work(room: Room) -> None:
    with pytest.raises(RequestError, match="calibrate s1 is under way"):
        ask(room, ("scale.tare", {"zone": "s1", "then": "calibrate"}), ("board.take_back", {}))
