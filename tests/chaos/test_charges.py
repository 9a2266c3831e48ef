"""The charges' chaos, small: the honest one loses and doubles nothing, and the same harness fails both broken ones."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed")

ROOT = Path(__file__).parents[2]
ENDS_S = 240.0  # of a short one, on a machine with better things to do
FIRST_KEYS = ["sold", "acknowledged", "lost", "doubled", "foreign", "kills", "cuts", "heal_s"]


def play(folder: Path, *words: str, within_s: float = ENDS_S) -> tuple[int, dict[str, Any]]:
    """Exit code and figures of one run."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.chaos", "--folder", str(folder), *words],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip  # a list
        try:
            said, told = process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            process.terminate()  # it takes what it started along
            said, told = "", process.communicate()[1]
    assert said, told
    figures: dict[str, Any] = json.loads(said.splitlines()[-1])
    assert list(figures)[: len(FIRST_KEYS)] == FIRST_KEYS
    assert figures["kills"] >= 4, "nobody was killed: nothing was shown"
    return process.returncode, figures


def test_nothing_is_lost_or_doubled_whatever_is_killed_cut_repeated_and_forged(tmp_path: Path) -> None:
    code, figures = play(tmp_path, "--sales", "120", "--seconds", "9", "--seed", "7")
    assert (figures["lost"], figures["doubled"], figures["foreign"], code) == (0, 0, 0, 0), figures
    assert figures["sold"] == figures["acknowledged"] >= 120
    assert figures["cuts"] > 0 < min(figures["pranks"].values()), figures
    assert figures["audit_ok"], figures
    assert "edge" not in figures["ended_by_itself"], figures


def test_a_cabinet_that_trusts_the_brokers_puback_is_seen_to_lose_and_a_cloud_without_unique_keys_to_charge_twice(
    tmp_path: Path,
) -> None:
    """Both at once; each alone is among the campaigns."""
    code, figures = play(tmp_path, "--sales", "50", "--seconds", "3", "--seed", "7", "--variant", "both")
    assert figures["lost"] > 0, figures
    assert figures["doubled"] > 0, figures
    assert code == 1
