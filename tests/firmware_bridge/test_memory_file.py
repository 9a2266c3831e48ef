"""The emulated board's memory in a file: it outlives the board, as non-volatile memory does."""

from pathlib import Path

import pytest

from firmware_bridge import messages as m
from firmware_bridge.bench import EmulatedBoard
from firmware_bridge.emulator.commissioned import TEST_KEY
from firmware_bridge.emulator.fram import SIZE
from firmware_bridge.errors import BridgeError
from tests.firmware_bridge.running.raw import RawHost

VISIT = b"visit number one"


def granted(board: EmulatedBoard) -> list[bytes]:
    """The visits that the journal says were let in."""
    with RawHost(board.port) as host:
        return [entry.body[:16] for entry in host.journal() if entry.kind == 2]


def test_a_file_that_is_not_there_is_made_with_what_the_memory_holds(tmp_path: Path) -> None:
    file = tmp_path / "fram"
    with EmulatedBoard(zones=1, options=["--memory", str(file)]) as board:
        shown = bytes.fromhex(board.control({"do": "memory"})["hex"])
        assert file.read_bytes() == shown
        assert TEST_KEY in shown


def test_what_one_board_has_written_the_next_one_reads(tmp_path: Path) -> None:
    options = ["--memory", str(tmp_path / "fram")]
    with EmulatedBoard(zones=1, options=options) as board, RawHost(board.port) as host:
        host.beat()
        assert host.signed_unlock(TEST_KEY, VISIT, 5000) == m.Answer.OK
        host.until(lambda: board.control({"do": "state"})["journal_next"] >= 3)
    with EmulatedBoard(zones=1, options=options) as board:
        assert granted(board) == [VISIT]


def test_what_was_written_stays_written_through_a_reset(tmp_path: Path) -> None:
    with EmulatedBoard(zones=1) as board:
        with RawHost(board.port) as host:
            host.beat()
            assert host.signed_unlock(TEST_KEY, VISIT, 5000) == m.Answer.OK
            host.until(lambda: board.control({"do": "state"})["journal_next"] >= 3)
        board.control({"do": "brownout"})
        assert granted(board) == [VISIT]


def test_a_blank_board_with_a_file_keeps_the_key_it_is_given_later(tmp_path: Path) -> None:
    options = ["--memory", str(tmp_path / "fram")]
    with EmulatedBoard(zones=1, key=None, options=options) as board, RawHost(board.port) as host:
        host.send(m.Commission(TEST_KEY, 10, 100))
        host.wait(m.Commissioned)
    with EmulatedBoard(zones=1, key=None, options=options) as board:
        assert board.control({"do": "state"})["keyed"]


def test_a_file_of_another_size_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "fram"
    file.write_bytes(bytes(SIZE - 1))
    with pytest.raises(BridgeError, match="did not start"):
        EmulatedBoard(zones=1, options=["--memory", str(file)]).start()
    assert file.read_bytes() == bytes(SIZE - 1)
