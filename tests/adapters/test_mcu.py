"""The serial board in the cabinet's words, both ways."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ulid import ULID

from cabinet.adapters.mcu import SIGNAL_ATTEMPT_S, BoardParts
from cabinet.ports import Charged, PortError
from cabinet.units import VisitId, ZoneId
from firmware_bridge import happenings as felt
from firmware_bridge.codes import Answer, Bad, ProbeBad
from firmware_bridge.errors import LinkDown, Refused
from firmware_bridge.messages import BuzzerPattern, FaultCode, JournalEntry, LampMode, LeaseEnd
from tests.support.fake_board import FakeBoard, Senses, hello, parts_of, status
from tests.support.virtual_time import run_in_virtual_time

V = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
S1, S2 = ZoneId("s1"), ZoneId("s2")


def told(
    *happenings: felt.Happening | Callable[[FakeBoard], None],
    zones: Sequence[ZoneId | None] = (S1, S2),
    switches: bool = True,
    lock: bool = True,
) -> list[Any]:
    """What the senses hear of it; a function is done to the board in between."""

    async def live() -> list[Any]:
        board = FakeBoard()
        parts = parts_of(board, zones, switches=switches, lock=lock)
        running = asyncio.create_task(parts.run())
        for happening in happenings:
            if callable(happening):
                happening(board)
            else:
                board.happenings.put_nowait(happening)
            await asyncio.sleep(0.1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert isinstance(parts._senses, Senses)
        return parts._senses.told

    return run_in_virtual_time(live())


def whys(heard: list[Any], part: str) -> list[str | None]:
    """Everything said of a part."""
    return [line[2] for line in heard if line[:2] == ("part", part)]


# What it feels.


def test_a_connected_board_tells_that_it_is_there_and_where_door_and_bolt_are() -> None:
    heard = told(felt.Connected(hello(), status(door_open=True, locked=False)))
    assert heard[-3:] == [("part", "board", None), ("bolt", False), ("door found", True)]


def test_the_board_is_in_order_only_after_everything_on_it_was_told() -> None:
    heard = told(felt.Connected(hello(), status()))
    named = [line[1] for line in heard if line[0] == "part"]
    assert named == ["lock", "housing", "probe", "scale:s1", "scale:s2", "board"]


def test_a_board_without_a_channel_of_ours_is_named_with_the_zone() -> None:
    heard = told(felt.Connected(hello(zones=1), status()))
    assert whys(heard, "board") == ["has 1 channels and none for s2: correct zones.channel"]


def test_a_channel_that_nobody_uses_may_be_missing() -> None:
    assert whys(told(felt.Connected(hello(zones=1), status()), zones=(S1, None)), "board") == [None]


def test_a_board_that_connects_with_a_fault_has_no_lock_in_order() -> None:
    heard = told(felt.Connected(hello(), status(1 << FaultCode.NOT_LATCHED | 1 << FaultCode.DOOR_FORCED)))
    (why,) = whys(heard, "lock")
    assert why is not None
    assert why.startswith("the door was forced open: look at")
    assert "; the door rests shut but the bolt is not home: " in why


def test_a_fault_takes_its_part_until_it_is_gone() -> None:
    heard = told(
        felt.Connected(hello(), status()),
        felt.FaultRaised(FaultCode.HOUSING_OPEN, 0, 1.0),
        felt.FaultGone(FaultCode.HOUSING_OPEN, 0, 2.0),
    )
    assert whys(heard, "housing") == [None, "the board's housing is open: shut it, and look who was at it", None]


def test_a_cells_fault_is_one_of_its_zone_alone() -> None:
    heard = told(felt.Connected(hello(), status()), felt.FaultRaised(FaultCode.CELL_STUCK, 1, 1.0))
    assert whys(heard, "scale:s1") == [None, None]
    assert "repeats one number" in str(whys(heard, "scale:s2")[-1])


def test_a_fault_that_is_only_told_takes_no_part_and_is_remembered() -> None:
    async def live() -> None:
        board = FakeBoard()
        parts = parts_of(board)
        running = asyncio.create_task(parts.run())
        board.happenings.put_nowait(felt.FaultRaised(FaultCode.UNSIGNED_UNLOCKS, 0, 1.0))
        await asyncio.sleep(0.1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert isinstance(parts._senses, Senses)
        assert all(line[2] is None for line in parts._senses.told)
        assert list(parts.told) == ["unsigned unlocks"]

    run_in_virtual_time(live())


def test_a_lost_board_is_named_with_its_port() -> None:
    assert told(felt.Disconnected("unplugged")) == [
        ("part", "board", "unplugged: check the cable and board.port (/dev/ttyACM0)")
    ]


def test_door_and_bolt_are_passed_on_with_the_boards_time() -> None:
    heard = told(felt.DoorChanged(open=True, at_s=4.5), felt.BoltChanged(locked=False, at_s=4.4))
    assert heard == [("door", 4.5, True), ("bolt", False)]


def test_switches_that_are_elsewhere_are_not_asked_of_the_board() -> None:
    changes = felt.DoorChanged(open=True, at_s=4.5), felt.BoltChanged(locked=False, at_s=4.4)
    heard = told(felt.Connected(hello(), status(door_open=True)), *changes, switches=False)
    assert {line[0] for line in heard} == {"part"}


def test_masses_go_to_the_zone_of_their_channel() -> None:
    assert told(felt.Masses(1, 2.0, 80, [1.0, None])) == [("masses", S2, 2.0, 80, [1.0, None])]


def test_why_samples_are_bad_is_told_in_words() -> None:
    heard = told(felt.Masses(0, 2.0, 80.0, [None, 1.0, None], (Bad.SATURATED, None, Bad.BIT_SLIP)))
    assert heard == [("masses", S1, 2.0, 80.0, [None, 1.0, None]), ("bad", S1, 2.0, ["saturated", "bit slip"])]


@pytest.mark.parametrize("channel", [0, 7])
def test_masses_of_a_channel_without_a_zone_are_dropped(channel: int) -> None:
    assert told(felt.Masses(channel, 2.0, 80, [1.0]), zones=(None, S2)) == []


@pytest.mark.parametrize(
    ("what", "part"),
    [("mass zone 1", "scale:s2"), ("mass zone 0", "board"), ("mass zone 9", "board"), ("link", "board")],
)
def test_a_gap_is_told_of_the_part_that_has_it(what: str, part: str) -> None:
    assert told(felt.Gap(0.5, what), zones=(None, S2)) == [("gap", part, 0.5)]


def test_a_temperature_is_told_of_its_probe() -> None:
    assert told(felt.TemperatureRead(2, 4.5)) == [("temperature", "probe2", 4.5)]


def test_a_temperature_that_is_none_is_not_told() -> None:
    assert told(felt.TemperatureBad(0, ProbeBad.FROZEN)) == []


def test_the_end_of_a_lease_is_no_news() -> None:
    assert told(felt.LeaseOver(b"v" * 16, LeaseEnd.EXPIRED)) == []


def entry(index: int, kind: int = 4) -> felt.Journaled:
    return felt.Journaled(JournalEntry(index, 3, 100 * index, kind, ULID.from_str(V).bytes))


def knows_next(index: int) -> Callable[[FakeBoard], None]:
    def learn(board: FakeBoard) -> None:
        board.journal_next = index

    return learn


def test_an_entry_of_the_journal_carries_the_board_and_its_visit() -> None:
    heard = told(felt.Connected(hello(), status()), entry(7))
    ((_, told_entry, _),) = [line for line in heard if line[0] == "journaled"]
    assert (told_entry.board, told_entry.index, told_entry.boot, told_entry.t_ms) == ((b"i" * 8).hex(), 7, 3, 700)
    assert (told_entry.kind, told_entry.visit, told_entry.facts) == ("door opened", V, {})


def test_an_entry_that_is_read_late_still_names_its_board() -> None:
    def unplug(board: FakeBoard) -> None:
        board.connected = False

    heard = told(felt.Connected(hello(), status()), unplug, entry(7))
    assert heard[-1][1].board == (b"i" * 8).hex()


def test_entries_older_than_the_connection_happened_while_away() -> None:
    heard = told(felt.Connected(hello(), status()), entry(7), knows_next(9), entry(8), knows_next(10), entry(9))
    assert [(e.index, away) for kind, e, away in heard[-3:] if kind == "journaled"] == [
        (7, True),
        (8, True),
        (9, False),
    ]


def test_after_another_connection_it_is_asked_anew_what_is_old() -> None:
    heard = told(
        felt.Connected(hello(), status()), knows_next(2), entry(2),
        felt.Disconnected("unplugged"), felt.Connected(hello(), status()), knows_next(5), entry(3),
    )  # fmt: skip  # a story
    assert [(line[1].index, line[2]) for line in heard if line[0] == "journaled"] == [(2, False), (3, True)]


# What it is told.


def test_an_unlock_carries_the_visit_as_its_sixteen_bytes() -> None:
    board = FakeBoard()
    asyncio.run(parts_of(board).release(V, 8.0))
    ((order, visit, lease_s),) = board.orders
    assert (order, len(visit), lease_s) == ("unlock", 16, 8.0)


@pytest.mark.parametrize("verb", ["release", "engage", "clear_faults", "check"])
def test_a_board_that_is_away_fails_the_lock(verb: str) -> None:
    parts = parts_of(FakeBoard(fails=LinkDown("the board is not connected")))
    arguments = (V, 8.0) if verb == "release" else ()
    with pytest.raises(PortError, match="lock: the board is not connected"):
        asyncio.run(getattr(parts, verb)(*arguments))


def test_the_boards_own_reason_for_a_refusal_is_told() -> None:
    parts = parts_of(FakeBoard(fails=Refused("unlock refused: door open", Answer.DOOR_OPEN)))
    with pytest.raises(PortError, match="lock: the board sees the door open: shut it"):
        asyncio.run(parts.release(V, 8.0))


@pytest.mark.parametrize("answer", [answer for answer in Answer if answer is not Answer.OK])
def test_every_refusal_says_what_to_do(answer: Answer) -> None:
    parts = parts_of(FakeBoard(fails=Refused("unlock refused", answer)))
    with pytest.raises(PortError) as refused:
        asyncio.run(parts.release(V, 8.0))
    assert len(str(refused.value)) > len("lock: unlock refused")


def test_a_board_with_another_key_has_no_lock_in_order_until_an_unlock_was_taken() -> None:
    board = FakeBoard(fails=Refused("unlock refused: unsigned", Answer.UNSIGNED))
    parts = parts_of(board)
    with pytest.raises(PortError, match=r"another key than .*board\.key"):
        asyncio.run(parts.release(V, 8.0))
    board.fails = None
    with pytest.raises(PortError, match=r"another key than .*board\.key"):
        asyncio.run(parts.check())
    asyncio.run(parts.release(V, 8.0))
    asyncio.run(parts.check())


def test_without_a_key_the_lock_says_how_to_get_one(tmp_path: Path) -> None:
    parts = parts_of(FakeBoard(), key=tmp_path / "none.key")
    with pytest.raises(PortError, match=r"^no key: run cabinet board commission$"):
        asyncio.run(parts.check())


def connected(parts: BoardParts, *, keyed: bool) -> str | None:
    """What stands against the lock after it was heard whether the board has a key."""

    async def live() -> str | None:
        running = asyncio.create_task(parts.run())
        parts.board.happenings.put_nowait(felt.Connected(hello(keyed=keyed), status()))
        await asyncio.sleep(0.1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return parts.why_no_lock()

    return run_in_virtual_time(live())


def test_a_board_with_a_key_and_a_host_without_is_told_to_put_it_back(tmp_path: Path) -> None:
    why = connected(parts_of(FakeBoard(), key=tmp_path / "none.key"), keyed=True)
    assert "this computer has none: put" in str(why)


def test_a_board_without_a_key_is_told_to_be_commissioned() -> None:
    assert connected(parts_of(FakeBoard()), keyed=False) == "the board has no key: cabinet board commission"


def test_where_the_lock_is_on_a_pin_no_key_is_asked_for(tmp_path: Path) -> None:
    parts = parts_of(FakeBoard(), key=tmp_path / "none.key", lock=False)
    assert connected(parts, keyed=False) is None


def test_a_lock_without_faults_is_in_order() -> None:
    asyncio.run(parts_of(FakeBoard()).check())


def test_a_lock_with_faults_names_them_and_the_remedy() -> None:
    with pytest.raises(PortError, match="the lock draws current without an order: cut its supply"):
        asyncio.run(parts_of(FakeBoard(faults=1 << FaultCode.DRIVE_STUCK)).check())


def test_a_fault_that_this_program_does_not_know_is_one_all_the_same() -> None:
    with pytest.raises(PortError, match="reports fault 25, which this program does not know"):
        asyncio.run(parts_of(FakeBoard(faults=1 << 25)).check())


def test_a_look_at_the_lock_finds_faults_whose_edge_was_missed() -> None:
    board = FakeBoard(faults=1 << FaultCode.PROBE_OPEN)
    parts = parts_of(board)
    asyncio.run(parts.check())
    assert isinstance(parts._senses, Senses)
    assert "wire is open" in str(whys(parts._senses.told, "probe")[-1])


def test_a_charge_is_mirrored_with_visit_amount_and_hash() -> None:
    board = FakeBoard()
    asyncio.run(parts_of(board).mirror(Charged(V, 450, "EUR", b"h" * 32)))
    assert board.orders == [("mirror", ULID.from_str(V).bytes, 450, "EUR", b"h" * 32)]


def test_a_mirror_of_a_board_that_is_away_fails_as_a_port_does() -> None:
    with pytest.raises(PortError, match="board: the board is not connected"):
        asyncio.run(parts_of(FakeBoard(fails=LinkDown("the board is not connected"))).mirror(Charged(V, 1, "EUR", b"")))


def test_a_port_that_was_let_go_is_closed_and_used_again_when_taken_back() -> None:
    async def live() -> list[Any]:
        board = FakeBoard()
        parts = parts_of(board)
        running = asyncio.create_task(parts.run())
        seen: list[Any] = []
        await asyncio.sleep(0.1)
        seen.append(board.running)
        parts.let_go("flashing")
        await asyncio.sleep(0.1)
        seen.append(board.running)
        parts.take_back()
        await asyncio.sleep(0.1)
        seen.append(board.running)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert isinstance(parts._senses, Senses)
        return [*seen, *whys(parts._senses.told, "board")]

    assert run_in_virtual_time(live()) == [True, False, True, "flashing", "is being connected again"]


@pytest.mark.parametrize("mode", ["off", "ready", "busy", "open", "alarm"])
def test_every_lamp_mode_of_the_port_is_one_of_the_board(mode: str) -> None:
    board = FakeBoard()
    asyncio.run(parts_of(board).lamp(mode))
    assert board.orders == [("lamp", LampMode[mode.upper()])]


@pytest.mark.parametrize("pattern", ["none", "ok", "prompt", "alarm"])
def test_every_buzzer_pattern_of_the_port_is_one_of_the_board(pattern: str) -> None:
    board = FakeBoard()
    asyncio.run(parts_of(board).buzzer(pattern))
    assert board.orders == [("buzzer", BuzzerPattern[pattern.upper()])]


def test_a_lamp_is_not_worth_a_long_wait() -> None:
    async def live() -> float:
        with pytest.raises(PortError, match="lamp: the board did not answer"):
            await parts_of(FakeBoard(hangs=True)).lamp("open")
        return asyncio.get_running_loop().time()

    assert run_in_virtual_time(live()) == pytest.approx(SIGNAL_ATTEMPT_S)


def test_a_buzzer_of_a_board_that_is_away_fails() -> None:
    with pytest.raises(PortError, match="buzzer: the board is not connected"):
        asyncio.run(parts_of(FakeBoard(fails=LinkDown("the board is not connected"))).buzzer("ok"))


def test_a_tick_of_the_machine_is_a_heartbeat() -> None:
    board = FakeBoard()
    parts_of(board).keep_alive()
    assert board.orders == [("heartbeat",)]
