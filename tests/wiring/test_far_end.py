"""The uplink as the config names it: keys are checked before anything is sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet.config import Mqtt
from cabinet.ledger import Ledger
from cabinet.ports import PortError
from cabinet.wiring.far_end import uplink


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield ledger


def mqtt(folder: Path, key: str | bytes) -> Mqtt:
    path = folder / "key"
    path.write_bytes(key if isinstance(key, bytes) else key.encode())
    return Mqtt(host="127.0.0.1", port=1, key_file=path)


@pytest.mark.parametrize("key", ["00" * 32, "AB" * 32 + "\n", "00" * 40], ids=["32 bytes", "with a newline", "longer"])
def test_a_key_of_enough_bytes_is_used(tmp_path: Path, ledger: Ledger, key: str) -> None:
    assert uplink(mqtt(tmp_path, key), "c1", ledger, lambda _: None).figures()["connected"] is False


@pytest.mark.parametrize("key", ["", "zz" * 32, "00" * 31, "0" * 63, b"\xff" * 32], ids=repr)
def test_a_key_that_is_none_is_refused_with_file_and_remedy(tmp_path: Path, ledger: Ledger, key: str | bytes) -> None:
    with pytest.raises(PortError, match=f"{tmp_path / 'key'}: .*openssl rand -hex 32"):
        uplink(mqtt(tmp_path, key), "c1", ledger, lambda _: None)


def test_no_message_holds_the_key(tmp_path: Path, ledger: Ledger) -> None:
    with pytest.raises(PortError) as refused:
        uplink(mqtt(tmp_path, "5ec7e7" * 4), "c1", ledger, lambda _: None)
    assert "5ec7e7" not in str(refused.value)


def test_a_history_that_agrees_is_reported_at_once(tmp_path: Path, ledger: Ledger) -> None:
    told: list[str | None] = []
    uplink(mqtt(tmp_path, "00" * 32), "c1", ledger, told.append)
    assert told == [None]


def test_a_password_is_read_from_its_file(tmp_path: Path, ledger: Ledger) -> None:
    (tmp_path / "password").write_text("secret\n")
    config = mqtt(tmp_path, "00" * 32).model_copy(update={"username": "c1", "password_file": tmp_path / "password"})
    pipe = uplink(config, "c1", ledger, lambda _: None)._pipe
    assert "secret" not in repr(pipe)
