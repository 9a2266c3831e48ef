"""What a person reads of what was learnt."""

from pathlib import Path

from tests.cli.answers import ANSWERS
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl


def test_masses_are_shown_beside_the_catalogues_with_notices_and_doubts(cli: Cli, control: FakeControl) -> None:
    said = cli("catalog", "masses").stdout
    for words in ("505.0 g", "561.2 g ± 4.1", "+11.1 %", "the catalogue says 505 g (since 2026-05-28, 12 units)",
                  "0709: 3 units weighed 470 g: a new package?"):  # fmt: skip  # a list
        assert words in said
    assert control.ops() == ["catalog.masses"]


def test_masses_are_drawn(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    done = cli("catalog", "masses", "--picture", str(tmp_path / "masses.png"))
    assert done.exit_code == 0
    assert (tmp_path / "masses.png").read_bytes().startswith(b"\x89PNG")
    assert control.ops() == ["catalog.masses"]


def test_nothing_learnt_is_no_picture(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    control.answers["catalog.masses"] = {"masses": [ANSWERS["catalog.masses"]["masses"][1]]}
    done = cli("catalog", "masses", "--picture", str(tmp_path / "masses.png"))
    assert (done.exit_code, "no mass was learnt yet" in done.stderr) == (1, True)


def test_strays_are_shown_and_proposed_and_offered_to_whoever_opens_for_service(cli: Cli, control: FakeControl) -> None:
    for words in (("stock", "strays"), ("unlock", "--purpose", "restock", "--reason", "weekly")):
        assert "proposed for the planogram: 0708 in s2, found there 3 times" in cli(*words).stdout
    assert control.ops() == ["stock.strays", "unlock"]


def test_shadow_is_a_table_or_says_what_to_configure(cli: Cli, control: FakeControl) -> None:
    said = cli("shadow", "show").stdout
    for words in ("mps", "200", "150", "75", "30", "20"):
        assert words in said
    control.answers["shadow.show"] = {"shadow": [], "running": []}
    assert '[tally] shadow = ["mps"]' in cli("shadow", "show").stdout


def test_forgetting_says_whether_there_was_anything(cli: Cli, control: FakeControl) -> None:
    assert "is forgotten" in cli("catalog", "forget-mass", "0708").stdout
    control.answers["catalog.forget_mass"] = {"sku": "0708", "forgotten": False}
    assert "nothing was learnt of 0708" in cli("catalog", "forget-mass", "0708").stdout
