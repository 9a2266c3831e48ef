"""What a technician does with the board, and what its refusals mean."""

import asyncio
import json
from pathlib import Path

import pytest

from cabinet.adapters.mcu import BoardDesk
from cabinet.adapters.mcu.desk import SENTENCES
from cabinet.ports import PortError
from cabinet.units import ZoneId
from firmware_bridge.codes import CellAnswer, Commissioning
from firmware_bridge.errors import LinkDown, NotCommissioned
from firmware_bridge.messages import FaultCode
from tests.support.fake_board import S1, S2, FakeBoard, key_in, parts_of
from tests.support.virtual_time import run_in_virtual_time


def desk_of(board: FakeBoard, key: Path | None = None) -> BoardDesk:
    return BoardDesk(parts_of(board, key=key))


def test_a_reading_is_in_counts_and_grams() -> None:
    reading = asyncio.run(desk_of(FakeBoard()).cell(S1))
    assert (reading.ok, reading.mean_counts, reading.noise_counts, reading.zero_counts) == (True, 101_000, 50.3, 1000)
    assert reading.counts_per_g == pytest.approx(100.0, rel=1e-5)
    assert reading.grams == pytest.approx(1000.0, rel=1e-5)
    assert reading.noise_g == pytest.approx(0.503, rel=1e-4)


def test_zones_are_ordered_by_their_channel() -> None:
    board = FakeBoard()
    desk = desk_of(board)

    async def all_of_it() -> None:
        await desk.tare(S2)
        await desk.point(S2, 1, 1000.0)
        await desk.calibrate(S2)

    asyncio.run(all_of_it())
    assert board.orders == [("tare", 1), ("point", 1, 1, 1000.0), ("calibrate", 1)]


def test_a_zone_without_a_channel_is_refused() -> None:
    with pytest.raises(PortError, match="zone s9 has no channel"):
        asyncio.run(desk_of(FakeBoard()).cell(ZoneId("s9")))


@pytest.mark.parametrize("answer", [a for a in CellAnswer if a is not CellAnswer.OK], ids=lambda a: a.name)
def test_every_refusal_of_the_board_has_a_sentence_and_a_remedy(answer: CellAnswer) -> None:
    reading = asyncio.run(desk_of(FakeBoard(answer=answer)).calibrate(S1))
    assert not reading.ok
    assert reading.why
    assert reading.remedy
    assert "{" not in reading.why
    assert answer in SENTENCES


def test_a_residual_is_named_with_its_grams() -> None:
    reading = asyncio.run(desk_of(FakeBoard(answer=CellAnswer.RESIDUAL)).calibrate(S1))
    assert "-12.3 g off the line" in reading.why


def test_a_board_that_is_away_fails_the_order() -> None:
    with pytest.raises(PortError, match="the board is not connected"):
        asyncio.run(desk_of(FakeBoard(fails=LinkDown("the board is not connected"))).tare(S1))


# Commissioning.


def test_a_commissioned_board_and_the_key_file_have_the_same_fresh_key(tmp_path: Path) -> None:
    board = FakeBoard()
    parts = parts_of(board, key=tmp_path / "board.key")
    parts.keyed = False
    file = asyncio.run(BoardDesk(parts).commission(60, 400))
    ((order, key, per_hour, per_day),) = board.orders
    assert (order, per_hour, per_day, file) == ("commission", 60, 400, str(tmp_path / "board.key"))
    assert Path(file).read_text().strip() == key.hex()
    assert parts.why_no_lock() is None


def test_a_board_that_keeps_its_key_leaves_ours_as_it_was(tmp_path: Path) -> None:
    file = key_in(tmp_path)
    before = file.read_text()
    board = FakeBoard(fails=NotCommissioned("no", Commissioning.HOUSING_SHUT))
    with pytest.raises(PortError, match="open the housing"):
        asyncio.run(desk_of(board, file).commission(60, 400))
    assert (file.read_text(), [path.name for path in tmp_path.iterdir()]) == (before, ["board.key"])


def test_a_board_that_does_not_answer_may_have_the_key_so_it_is_not_thrown_away(tmp_path: Path) -> None:
    with pytest.raises(PortError, match=r"mv .*board\.key\.next .*board\.key"):
        asyncio.run(desk_of(FakeBoard(fails=LinkDown("no answer")), key_in(tmp_path)).commission(60, 400))
    assert (tmp_path / "board.key.next").exists()


# Facts and the port.


def test_the_facts_are_json_and_hold_no_key(tmp_path: Path) -> None:
    async def live() -> str:
        desk = desk_of(FakeBoard(), key_in(tmp_path))
        return json.dumps(dict(desk.facts()))

    told = asyncio.run(live())
    facts = json.loads(told)
    assert (facts["connected"], facts["board"], facts["link"]["jitter_ms"]) == (True, (b"i" * 8).hex(), 1.5)
    assert "11" * 32 not in told


def test_of_a_board_that_is_away_it_is_known_why() -> None:
    facts = asyncio.run(_facts(FakeBoard(connected=False)))
    assert (facts["connected"], facts["why"], "board" in facts) == (False, "not connected yet", False)


def test_raised_faults_are_listed_with_zone_and_remedy() -> None:
    async def live() -> list[dict[str, object]]:
        parts = parts_of(FakeBoard())
        parts.book.add(FaultCode.CELL_DEAD, 1)
        return list(BoardDesk(parts).facts()["faults"])

    ((fault),) = asyncio.run(live())
    assert (fault["fault"], fault["zone"]) == ("cell dead", "s2")
    assert fault["remedy"]


async def _facts(board: FakeBoard) -> dict[str, object]:
    return dict(desk_of(board).facts())


def test_a_port_that_nobody_gives_back_is_taken_back_after_its_time() -> None:
    async def live() -> list[bool]:
        board = FakeBoard()
        parts = parts_of(board)
        desk = BoardDesk(parts)
        running = asyncio.create_task(parts.run())
        await asyncio.sleep(0.1)
        assert desk.let_go(60.0) == "/dev/ttyACM0"
        seen = []
        for wait_s in (59.0, 2.0):
            await asyncio.sleep(wait_s)
            seen.append(board.running)
        desk.take_back()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return seen

    assert run_in_virtual_time(live()) == [False, True]
