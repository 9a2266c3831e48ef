"""A fake daemon on a socket, the command line in this process, and small photographs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from cabinet.cli.app import app
from tests.cli.answers import ANSWERS
from tests.support.fake_control import FakeControl

Cli = Callable[..., Result]


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CABINET_SOCKET", "CABINET_CONFIG", "FORCE_COLOR", "TERMINAL_WIDTH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")


@pytest.fixture
def control(tmp_path: Path) -> Iterator[FakeControl]:
    with FakeControl(tmp_path / "control.sock", dict(ANSWERS)) as server:
        yield server


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Runs a command; it finds the fake daemon's socket in the environment."""
    runner = CliRunner(env={"CABINET_SOCKET": str(tmp_path / "control.sock")})

    def run(*words: str, typed: str = "") -> Result:
        return runner.invoke(app, list(words), input=typed, prog_name="cabinet")

    return run


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "ada.jpg"
    Image.new("RGB", (64, 48), (200, 120, 40)).save(path)
    return path
