"""The key that signs unlocks: read strictly, written for its owner alone, replaced only once the board has it."""

import stat
from pathlib import Path

import pytest

from cabinet.adapters.mcu import KeyFile
from cabinet.ports import PortError

KEY = bytes(range(32))


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "board.key"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_key_is_read(tmp_path: Path) -> None:
    file = KeyFile(written(tmp_path, KEY.hex() + "\n"))
    assert (file.key, file.why) == (KEY, None)


def test_a_missing_key_says_how_to_get_one(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "board.key")
    assert (file.key, file.why) == (None, "no key: run cabinet board commission")


@pytest.mark.parametrize("text", ["", "00" * 32, "11" * 31, "11" * 33, "x" * 64, "é"], ids=str)
def test_what_is_no_key_is_refused_without_being_shown(text: str, tmp_path: Path) -> None:
    file = KeyFile(written(tmp_path, text))
    assert file.key is None
    assert "is not 64 hexadecimal digits" in str(file.why)
    assert len(text) < 10 or text not in str(file.why)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_key_that_others_may_touch_is_not_used(mode: int, tmp_path: Path) -> None:
    file = KeyFile(written(tmp_path, KEY.hex(), mode))
    assert file.key is None
    assert "chmod 600" in str(file.why)


def test_a_key_that_is_a_folder_is_told(tmp_path: Path) -> None:
    assert "cannot be read" in str(KeyFile(tmp_path).why)


def test_a_fresh_key_is_random_and_changes_nothing_yet(tmp_path: Path) -> None:
    file = KeyFile(written(tmp_path, KEY.hex()))
    assert file.fresh() != file.fresh()
    assert KeyFile(file.path).key == file.key == KEY


def test_a_kept_key_takes_the_place_of_the_old_one_for_its_owner_alone(tmp_path: Path) -> None:
    file = KeyFile(written(tmp_path, KEY.hex()))
    fresh = file.fresh()
    file.keep()
    assert KeyFile(file.path).key == file.key == fresh
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["board.key"]


def test_a_key_that_the_board_did_not_take_leaves_no_trace(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "board.key")
    file.fresh()
    file.drop_fresh()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="look at the folder"):
        KeyFile(tmp_path / "nowhere" / "board.key").fresh()


def test_a_key_file_does_not_show_its_key(tmp_path: Path) -> None:
    assert KEY.hex() not in repr(KeyFile(written(tmp_path, KEY.hex())))
    assert repr(KEY) not in repr(KeyFile(written(tmp_path, KEY.hex())))
