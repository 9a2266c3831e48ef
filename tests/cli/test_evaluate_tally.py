"""`cabinet eval tally` on small folders of traces: every label, strangers' traces, and what cannot be scored."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cabinet.tallier
from cabinet import trace
from cabinet.basket.evidence import Door, Visit
from cabinet.basket.score import Truth
from cabinet.cli.app import app
from tests.basket.visits import COLA, WATER, Scene, header

LABELS = ("exact", "over", "under", "swap", "review", "wrong_review")
EXAMPLES = Path(__file__).parents[3] / "shared" / "data" / "traces"


def run(*words: object) -> Any:
    return CliRunner().invoke(app, ["eval", "tally", *map(str, words)])


def answer(*words: object) -> dict[str, Any]:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def a_cola(seed: int = 1) -> Visit:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    return scene.visit(6)


def never_shut() -> Visit:
    """The tally can but ask a person: the trace ends with the door open."""
    visit = a_cola()
    return replace(visit, events=tuple(e for e in visit.events if not (isinstance(e, Door) and not e.open)))


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One visit of each label."""
    place = tmp_path_factory.mktemp("traces")
    cola = a_cola()
    for name, visit, truth in (
        ("exact", cola, Truth({COLA: 1}, tags=("honest", "one"))),
        ("over", cola, Truth({}, tags=("honest",))),
        ("under", cola, Truth({COLA: 2}, tags=("honest",))),
        ("swap", cola, Truth({WATER: 1}, tags=("hostile",))),
        ("review", never_shut(), Truth({COLA: 1}, "review", tags=("hostile",))),
        ("wrong_review", never_shut(), Truth({COLA: 1}, tags=("hostile",))),
    ):
        trace.write(place / name, visit, truth)
    return place


@pytest.fixture(scope="module")
def figures(labelled: Path) -> dict[str, Any]:
    return answer(labelled)


def test_each_label_is_counted_once_and_they_sum_to_the_visits(figures: dict[str, Any]) -> None:
    assert [figures[label] for label in LABELS] == [1] * 6
    assert (figures["visits"], figures["sent_to_person"]) == (6, 2)
    assert (figures["overcharged"], figures["undercharged"]) == (2, 2)


def test_counts_are_integers_and_no_key_is_missing(figures: dict[str, Any]) -> None:
    for some in (figures, *figures["by_tag"].values(), *figures["baselines"].values()):
        assert all(type(some[name]) is int for name in ("visits", "sent_to_person", *LABELS))
        assert {"precision", "recall", "f1", "over_minor_per_1000", "under_minor_per_1000"} <= set(some)
        assert set(some["shares"]) >= {*LABELS, "sent_to_person"}
        for share in some["shares"].values():
            assert 0 <= share["wilson"][0] <= share["share"] <= share["wilson"][1] <= 1
    assert set(figures["latency_ms"]) == {"p50", "p95", "max"}
    assert set(figures["baselines"]) == {"weight_only", "mps"}
    assert len(figures["reliability"]) == 10
    assert {"brier", "brier_all", "f1_with_guess", "f1_mean", "skipped", "wrong", "goals"} <= set(figures)


def test_items_are_scored_over_all_units_and_a_rightly_sent_visit_is_left_out(figures: dict[str, Any]) -> None:
    """Right 1 + 0 + 1 + 0 + 0 of 4 billed and 1 + 0 + 2 + 1 + 1 true."""
    assert (figures["precision"], figures["recall"], figures["f1"]) == (0.5, 0.4, pytest.approx(4 / 9, abs=1e-6))
    assert figures["f1_mean"] == pytest.approx((1 + 0 + 2 / 3 + 0 + 0) / 5, abs=1e-6)


def test_money_is_counted_at_the_headers_prices(figures: dict[str, Any]) -> None:
    assert (figures["over_minor"], figures["under_minor"]) == (250 + 250, 250 + 150)
    assert figures["over_minor_per_1000"] == round(1000 * 500 / 6, 1)


def test_a_baseline_never_asks_a_person(figures: dict[str, Any]) -> None:
    for some in figures["baselines"].values():
        assert (some["sent_to_person"], some["visits"], some["exact"]) == (0, 6, 3)


def test_tags_have_figures_of_their_own(figures: dict[str, Any]) -> None:
    assert {tag: some["visits"] for tag, some in figures["by_tag"].items()} == {"honest": 3, "hostile": 3, "one": 1}
    assert figures["by_tag"]["one"]["exact"] == 1


def test_goals_are_told_for_honest_and_hostile(figures: dict[str, Any]) -> None:
    told = {(goal["tag"], goal["figure"]): goal["met"] for goal in figures["goals"]}
    assert told["honest", "sent_to_person"] is True
    assert told["honest", "exact"] is told["hostile", "f1"] is False


def test_wrong_visits_are_named_with_truth_and_what_was_said(figures: dict[str, Any]) -> None:
    wrong = {one["label"]: one for one in figures["wrong"]}
    assert set(wrong) == {"over", "under", "swap", "wrong_review"}
    assert figures["wrong_count"] == 4
    assert (wrong["swap"]["truth"], wrong["swap"]["charged"]) == ({WATER: 1}, {COLA: 1})
    assert "door open" in wrong["wrong_review"]["reason"]
    assert wrong["over"]["path"].endswith("/over")


def test_a_person_reads_tables_and_the_list(labelled: Path) -> None:
    told = run(labelled, "--list")
    assert told.exit_code == 0
    for said in ("weight only", "MPS", "By tag", "Goals", "Reliability", "Wrong visits, 4 of 4", "1 × 2-water"):
        assert said in told.stdout


def test_the_same_traces_as_tar_files_score_the_same(labelled: Path, tmp_path: Path, figures: dict[str, Any]) -> None:
    for folder in labelled.iterdir():
        trace.export(folder, tmp_path / f"{folder.name}.tar")
    again = answer(tmp_path)
    assert {name: again[name] for name in LABELS} == {name: figures[name] for name in LABELS}


def test_folders_may_lie_within_folders_and_a_trace_is_counted_once(labelled: Path, tmp_path: Path) -> None:
    shutil.copytree(labelled, tmp_path / "deep" / "er")
    assert answer(tmp_path, tmp_path / "deep", labelled / "exact")["visits"] == 7


def test_more_processes_find_the_same(labelled: Path, tmp_path: Path) -> None:
    for n in range(3):
        shutil.copytree(labelled, tmp_path / str(n))
    one, two = answer(tmp_path, "--jobs", 1), answer(tmp_path, "--jobs", 2)
    for name in ("latency_ms", "latency_histogram"):
        del one[name], two[name]
    assert one == two
    assert one["visits"] == 18


# Traces of strangers


def foreign(folder: Path, change: Callable[[dict[str, Any]], None] = lambda _: None) -> None:
    """By hand, from traces.md alone: no camera, no sighting, no frames, no spread, one reading a line."""
    facts: dict[str, Any] = {
        "format": "cabinet-visit/1", "visit": "elsewhere-1", "cabinet": "x", "started_at": "2026-11-22T08:15:04Z",
        "clock_trusted": False, "purpose": "shop", "currency": "JPY", "zones": {"tray": {}}, "made_by": "a stranger",
        "catalog": {"4901": {"name": "Tea", "mass_g": 540.0, "unit_price": 160, "colour": "green"}},
        "planogram": {"tray": ["4901"]}, "stock": {"tray": {"4901": 5}},
    }  # fmt: skip  # a table
    change(facts)
    folder.mkdir(parents=True)
    (folder / "visit.json").write_text(json.dumps(facts))
    lines: list[dict[str, Any]] = [
        {"t": n / 80, "type": "mass", "zone": "tray", "g": 3000.0 + n % 3 - (540 if n > 240 else 0)}
        for n in range(-200, 720)
    ]
    lines += [
        {"t": 0.0, "type": "bolt", "locked": False},
        {"t": 1.5, "type": "door", "open": True},
        {"t": 2.0, "type": "humidity", "percent": 40},
        {"t": 5.0, "type": "door", "open": False, "by": "hand"},
        {"t": 5.2, "type": "bolt", "locked": True},
    ]
    ordered = sorted(lines, key=lambda line: float(line["t"]))
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in ordered))
    (folder / "truth.json").write_text(json.dumps({"basket": {"4901": 1}, "outcome": "charge", "weather": "rain"}))


def test_a_strangers_bare_trace_is_scored(tmp_path: Path) -> None:
    foreign(tmp_path / "one")
    found = answer(tmp_path)
    assert (found["visits"], found["exact"], found["currencies"], found["by_tag"]) == (1, 1, {"JPY": 1}, {})
    assert [some["exact"] for some in found["baselines"].values()] == [1, 1]


def test_what_cannot_be_scored_is_named_with_its_reason_and_the_rest_is_scored(tmp_path: Path) -> None:
    foreign(tmp_path / "good")
    foreign(tmp_path / "no-truth")
    (tmp_path / "no-truth" / "truth.json").unlink()
    foreign(tmp_path / "restocked", lambda facts: facts.update(purpose="restock"))
    foreign(tmp_path / "later", lambda facts: facts.update(format="cabinet-visit/2"))
    foreign(tmp_path / "torn")
    (tmp_path / "torn" / "visit.json").write_text('{"format": "cab')
    foreign(tmp_path / "odd")
    (tmp_path / "odd" / "truth.json").write_text('{"basket": {}, "outcome": "charge", "moved": [1]}')
    (tmp_path / "empty").mkdir()
    (tmp_path / "noise.tar").write_bytes(b"no tar at all")
    (tmp_path / "README.txt").write_text("not a trace")
    found = answer(tmp_path)
    why = {Path(one["path"]).name: one["why"] for one in found["skipped"]}
    assert found["visits"] == 1
    assert set(why) == {"no-truth", "restocked", "later", "torn", "odd", "empty", "noise.tar"}
    assert found["skipped_count"] == 7
    assert "truth.json" in why["no-truth"]
    assert "restock" in why["restocked"]
    assert "cabinet-visit/2" in why["later"]


def test_where_none_can_be_scored_it_fails_and_says_why(tmp_path: Path) -> None:
    foreign(tmp_path / "bad")
    (tmp_path / "bad" / "truth.json").unlink()
    done = run(tmp_path, "--json")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "truth.json" in done.stderr


def test_a_place_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    done = run(tmp_path / "nowhere")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "nowhere is not there" in done.stderr


def test_a_tally_that_raises_counts_as_sent_to_a_person(labelled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(cabinet.tallier, "judge", broken)
    found = answer(labelled / "exact")
    assert (found["failed"], found["wrong_review"], found["exact"]) == (1, 1, 0)
    assert "a defect" in found["wrong"][0]["reason"]


# Ablations, pictures, results


def test_without_joint_zones_what_is_carried_across_is_not_understood(tmp_path: Path) -> None:
    scene = Scene(header())
    scene.take(3, "s1", COLA)
    scene.put(6, "s2", COLA)
    trace.write(tmp_path / "carried", scene.visit(9), Truth({}))
    assert answer(tmp_path)["exact"] == 1
    apart = answer(tmp_path, "--without", "joint")
    assert (apart["exact"], apart["without"]) == (0, ["joint"])


def test_ablations_may_be_joined(labelled: Path) -> None:
    found = answer(labelled, "--without", "sight", "--without", "learnt")
    assert (found["without"], found["visits"]) == (["learnt", "sight"], 6)


def test_results_are_a_page_with_pictures_that_name_no_place(labelled: Path, tmp_path: Path) -> None:
    page, folder = tmp_path / "page.png", tmp_path / "results"
    answer(labelled, "--picture", page, "--results", folder)
    drawn = {file.name for file in folder.glob("*.png")}
    assert drawn == {"labels.png", "shares.png", "reliability.png", "tags.png", "latency.png"}
    assert all(file.read_bytes()[:4] == b"\x89PNG" for file in (page, *folder.glob("*.png")))
    text, facts = (folder / "results.md").read_text(), (folder / "figures.json").read_text()
    assert all(f"({name})" in text for name in drawn)
    assert json.loads(facts)["wrong"][0]["path"] == "over"
    assert str(labelled) not in text + facts


def test_a_picture_that_cannot_be_written_is_refused(labelled: Path, tmp_path: Path) -> None:
    done = run(labelled, "--picture", tmp_path / "no" / "page.png")
    assert (done.exit_code, "--picture" in done.stderr) == (1, True)


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the example traces lie outside the project")
def test_the_example_traces_are_scored() -> None:
    found = answer(EXAMPLES)
    assert (found["visits"], found["skipped"]) == (3, [])
    assert found["over"] + found["under"] + found["swap"] == 0
