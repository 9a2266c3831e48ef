"""The charges' chaos with a provider: whatever is killed, what was sold is captured once, and the books agree."""

import shutil
from pathlib import Path

import pytest

from tests.chaos.test_charges import play

pytestmark = [
    pytest.mark.campaign,
    pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed"),
]


def test_what_was_sold_is_captured_once_whatever_is_killed(tmp_path: Path) -> None:
    words = ("--sales", "150", "--seconds", "12", "--seed", "7", "--provider")
    code, figures = play(tmp_path, *words)
    assert (figures["lost"], figures["doubled"], figures["missing"], figures["beyond"]) == (0, 0, 0, 0), figures
    assert figures["captured"] == figures["sold"] >= 150
    assert (figures["audit_ok"], code) == (True, 0), figures
