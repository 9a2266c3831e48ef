"""`cabinet sim` and `cabinet replay` as a person uses them."""

import json
import logging
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

STORY = """\
# A cola and a bag of chips
ann comes
ann opens
ann takes cola from s1 and chips from s3 with two hands
ann closes
expect charge 1 cola, 1 chips
"""


@pytest.fixture(autouse=True)
def loud_again() -> Iterator[None]:
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def traces(tmp_path: Path, cli: Cli) -> list[Path]:
    assert cli("sim", "traces", str(tmp_path / "out"), "-n", "3", "--seed", "5").exit_code == 0
    return sorted((tmp_path / "out").iterdir())


def test_a_campaign_reports_as_agreed(cli: Cli) -> None:
    done = cli("sim", "campaign", "--visits", "30", "--seed", "7", "--mix", "all", "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == 0
    assert (report["visits"], report["violations"]) == (30, [])
    assert set(report["outcomes"]) >= {"exact", "over", "under", "review"}
    assert set(report) >= {"faults", "seconds", "peak_rss_mb"}


def test_a_campaign_goes_on_where_it_was_kept(cli: Cli, tmp_path: Path) -> None:
    keep = str(tmp_path / "kept.json")
    whole = json.loads(cli("sim", "campaign", "--visits", "20", "--seed", "3", "--json").stdout)
    cli("sim", "campaign", "--visits", "8", "--seed", "3", "--keep", keep)
    parts = json.loads(cli("sim", "campaign", "--visits", "20", "--seed", "3", "--keep", keep, "--json").stdout)
    assert {k: parts[k] for k in ("visits", "outcomes", "faults", "steps")} == {
        k: whole[k] for k in ("visits", "outcomes", "faults", "steps")
    }


def test_a_kept_file_of_another_campaign_is_refused(cli: Cli, tmp_path: Path) -> None:
    keep = tmp_path / "kept.json"
    cli("sim", "campaign", "--visits", "2", "--seed", "3", "--keep", str(keep))
    done = cli("sim", "campaign", "--visits", "4", "--seed", "4", "--keep", str(keep))
    assert (done.exit_code, "--seed 3" in done.stderr) == (2, True)
    keep.write_text("no campaign")
    done = cli("sim", "campaign", "--visits", "4", "--seed", "4", "--keep", str(keep))
    assert (done.exit_code, "no campaign's file" in done.stderr) == (2, True)


def test_a_kept_file_that_cannot_be_written_is_refused_before_any_visit(cli: Cli, tmp_path: Path) -> None:
    done = cli("sim", "campaign", "--visits", "1000000", "--keep", str(tmp_path / "no" / "kept.json"))
    assert (done.exit_code, "--keep" in done.stderr) == (1, True)


def test_a_violation_ends_with_1_and_names_the_seed(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from cabinet.basket.verdict import Nothing

    monkeypatch.setattr("cabinet.proving.cabinet.judge", lambda *_, **__: Nothing(1.0))
    done = cli("sim", "campaign", "--visits", "10", "--seed", "7", "--mix", "honest", "--json")
    violations = json.loads(done.stdout)["violations"]
    assert done.exit_code == 1
    assert {"seed", "invariant", "step"} <= set(violations[0])
    again = cli("sim", "replay", str(violations[0]["seed"]))
    assert again.exit_code == 1
    assert "stock:" in again.stdout


def test_replaying_a_seed_shows_its_story_and_every_step(cli: Cli) -> None:
    done = cli("sim", "replay", "33000119")
    assert done.exit_code == 0
    assert "ann opens" in done.stdout
    assert "MemberRecognised: Authenticating -> Unlocked" in done.stdout
    assert json.loads(cli("sim", "replay", "33000119", "--json").stdout)["kind"] == "faults"


def test_stories_are_one_table_with_pass_fail_and_later(cli: Cli) -> None:
    done = cli("sim", "stories", "01-take-one", "10-two-doors")
    assert done.exit_code == 0
    assert "1 pass, 0 fail, 1 later" in done.stdout
    assert "a second door:" in done.stdout


def test_a_story_of_ones_own_is_told(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "my.story"
    path.write_text(STORY)
    done = cli("sim", "play", str(path))
    assert (done.exit_code, "CloseVisit charge" in done.stdout) == (0, True)
    path.write_text(STORY.replace("1 chips", "2 chips"))
    done = cli("sim", "play", str(path), "--json")
    assert done.exit_code == 1
    assert "line 6" in json.loads(done.stdout)["failures"][0]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ann takes beer from s1", "there is no beer"),
        ("ann flies away", "nobody flies"),
        ("ann takes cola", "which shelf"),
        ("the moon is full", "nothing is known"),
    ],
)
def test_an_impossible_or_unreadable_line_is_refused_with_its_number(
    cli: Cli, tmp_path: Path, line: str, why: str
) -> None:
    path = tmp_path / "my.story"
    path.write_text(f"goods beer 500 g price 300\nann comes\nann opens\n{line}\n")
    done = cli("sim", "play", str(path))
    assert done.exit_code == 2
    assert "my.story line 4" in done.stderr
    assert why in done.stderr


def test_a_story_that_is_not_there_is_named(cli: Cli) -> None:
    done = cli("sim", "play", "nobody-told-it")
    assert (done.exit_code, "nobody-told-it" in done.stderr) == (2, True)


def test_traces_are_not_written_over_something(cli: Cli, traces: list[Path]) -> None:
    done = cli("sim", "traces", str(traces[0].parent), "-n", "1")
    assert (done.exit_code, "not empty" in done.stderr) == (2, True)


def test_replaying_a_trace_gives_the_recorded_verdict(cli: Cli, traces: list[Path]) -> None:
    for folder in traces:
        done = cli("replay", str(folder), "--json")
        assert (done.exit_code, json.loads(done.stdout)["same"]) == (0, True)


def test_a_trace_may_come_as_tar(cli: Cli, traces: list[Path], tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "visit.tar", "w") as tar:
        tar.add(traces[0], arcname=traces[0].name)
    packed = json.loads(cli("replay", str(tmp_path / "visit.tar"), "--json").stdout)
    assert packed == json.loads(cli("replay", str(traces[0]), "--json").stdout)


def test_another_verdict_than_the_recorded_one_ends_with_1(cli: Cli, traces: list[Path]) -> None:
    tally = traces[0] / "tally.json"
    changed = json.loads(tally.read_text())
    changed["confidence"] = 0.123
    tally.write_text(json.dumps(changed))
    done = cli("replay", str(traces[0]))
    assert (done.exit_code, "NOT the one recorded" in done.stdout) == (1, True)


def test_a_torn_trace_ends_at_the_damaged_line_and_is_marked(cli: Cli, traces: list[Path]) -> None:
    events = traces[0] / "events.jsonl"
    lines = events.read_bytes().splitlines(keepends=True)
    events.write_bytes(b"".join(lines[:-5]) + lines[-5][:20])
    (traces[0] / "tally.json").unlink()
    done = cli("replay", str(traces[0]))
    assert (done.exit_code, "incomplete" in done.stdout) == (0, True)


def test_an_unknown_format_is_refused_by_name(cli: Cli, traces: list[Path]) -> None:
    header = json.loads((traces[0] / "visit.json").read_text())
    (traces[0] / "visit.json").write_text(json.dumps({**header, "format": "cabinet-visit/9"}))
    done = cli("replay", str(traces[0]))
    assert (done.exit_code, "cabinet-visit/9" in done.stderr, "cabinet-visit/1" in done.stderr) == (2, True, True)


def test_a_replay_may_be_looked_at(cli: Cli, traces: list[Path], tmp_path: Path) -> None:
    assert cli("replay", str(traces[0]), "--picture", str(tmp_path / "visit.png")).exit_code == 0
    assert (tmp_path / "visit.png").read_bytes().startswith(b"\x89PNG")
    done = cli("replay", str(traces[0]), "--picture", str(tmp_path / "no" / "visit.png"))
    assert (done.exit_code, "--picture" in done.stderr) == (1, True)


def test_a_trace_that_is_not_there_is_refused(cli: Cli, tmp_path: Path) -> None:
    done = cli("replay", str(tmp_path / "none"))
    assert (done.exit_code, "none" in done.stderr) == (2, True)
