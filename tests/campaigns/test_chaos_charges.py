"""Ten thousand charges and three hundred kills: nothing lost, nothing doubled, on either database of the cloud."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.chaos.test_charges import play
from tests.support.postgres import binaries

pytestmark = [
    pytest.mark.campaign,
    pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed"),
]

SALES, SECONDS, KILLS = 10_000, 450, 300
ENDS_S = 1_500.0  # a machine with better things to do


@pytest.mark.parametrize(
    "books",
    [
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed")),
    ],
)
def test_ten_thousand_charges_survive_three_hundred_kills(
    tmp_path: Path, books: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, figures = play(
        tmp_path, "--sales", str(SALES), "--seconds", str(SECONDS), "--seed", "7", "--books", books, within_s=ENDS_S
    )
    with capfd.disabled():
        sys.stderr.write(f"\n{figures}\n")
    assert (figures["lost"], figures["doubled"], figures["foreign"], code) == (0, 0, 0, 0)
    assert figures["sold"] == figures["acknowledged"] >= SALES
    assert figures["kills"] >= KILLS


@pytest.mark.parametrize(("variant", "what"), [("puback", "lost"), ("nodedupe", "doubled")])
def test_each_broken_one_is_seen_for_what_it_is(tmp_path: Path, variant: str, what: str) -> None:
    code, figures = play(tmp_path, "--sales", "50", "--seconds", "4", "--seed", "7", "--variant", variant)
    assert figures[what] > 0, figures
    assert code == 1
