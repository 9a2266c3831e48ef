"""Tare, calibration and live view at the terminal."""

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cabinet.cli import calibrating
from tests.cli.answers import READING, SCALE
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl, Refusal

MASSES = ("scale", "calibrate", "s1", "--masses", "1000,5000")
ENTERS = "\n\n\n"
UNSTEADY = {**READING, "ok": False, "answer": "not steady", "why": "it swings", "remedy": "wait", "noise_counts": 900.0}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrating, "RETRY_S", 0.0)


def in_turn(*answers: Any) -> Callable[[Any], Any]:
    """One after the other; the last one stays."""
    queue: Iterator[Any] = itertools.chain(answers, itertools.repeat(answers[-1]))
    return lambda _: next(queue)


@pytest.fixture
def bench(control: FakeControl) -> FakeControl:
    """Zero at 4990 counts, 105.16 counts a gram."""
    at = {1: 110_150, 2: 530_790}
    control.answers["scale.point"] = lambda args: {**READING, "mean_counts": at[args["slot"]]}
    control.answers["scale.tare"] = {**READING, "mean_counts": 4990}
    control.answers["scale.calibrate"] = {**READING, "mean_counts": 530_790, "counts_per_g": 105.17}
    return control


# Tare.


def test_a_tare_shows_what_the_shelf_weighs_before_it_asks(cli: Cli, control: FakeControl) -> None:
    done = cli("scale", "tare", "s1", typed="y\n")
    assert "s1 shows 12.3 g. Is it empty" in done.stderr
    assert (done.exit_code, "zero is 4990 counts (was 4990)" in done.stdout) == (0, True)
    assert control.asked[-1] == ("scale.tare", {"zone": "s1"})


@pytest.mark.parametrize("typed", ["", "\n", "n\n"])
def test_silence_is_no_tare(typed: str, cli: Cli, control: FakeControl) -> None:
    done = cli("scale", "tare", "s1", typed=typed)
    assert (done.exit_code, control.ops()) == (1, ["scale.show"])
    assert "nothing was tared" in done.stderr


def test_a_shelf_that_swings_is_waited_for(cli: Cli, control: FakeControl) -> None:
    control.answers["scale.tare"] = in_turn(UNSTEADY, UNSTEADY, READING)
    done = cli("scale", "tare", "s1", "--yes")
    assert (done.exit_code, control.ops().count("scale.tare")) == (0, 3)
    assert "s1 is not still yet: 900.0 counts rms" in done.stderr


def test_a_shelf_that_never_comes_to_rest_is_given_up_with_the_reason(cli: Cli, control: FakeControl) -> None:
    control.answers["scale.tare"] = UNSTEADY
    done = cli("scale", "tare", "s1", "--yes", "--wait", "0")
    assert done.exit_code == 1
    assert "s1: not steady: it swings" in done.stderr
    assert "→ wait" in done.stderr


def test_another_refusal_is_not_waited_for(cli: Cli, control: FakeControl) -> None:
    control.answers["scale.tare"] = {**UNSTEADY, "answer": "no signal"}
    assert cli("scale", "tare", "s1", "--yes").exit_code == 1
    assert control.ops().count("scale.tare") == 1


def test_a_tare_as_json_has_the_zero_before_and_after(cli: Cli, control: FakeControl) -> None:
    control.answers["scale.tare"] = {**READING, "zero_counts": 5010}
    told = json.loads(cli("scale", "tare", "s1", "--yes", "--json").stdout)
    assert (told["before_zero_counts"], told["zero_counts"]) == (4990, 5010)


# The guided calibration.


def test_it_leads_through_zero_and_both_masses(cli: Cli, bench: FakeControl) -> None:
    done = cli(*MASSES, typed=ENTERS)
    assert done.exit_code == 0
    assert bench.asked == [
        ("scale.show", {"zone": "s1"}),
        ("scale.tare", {"zone": "s1", "then": "calibrate"}),
        ("scale.point", {"zone": "s1", "slot": 1, "mass_g": 1000.0}),
        ("scale.point", {"zone": "s1", "slot": 2, "mass_g": 5000.0}),
        ("scale.calibrate", {"zone": "s1"}),
    ]
    prompts = [done.stderr.index(words) for words in ("1/3  Empty s1", "2/3  Put 1000 g", "3/3  Put 5000 g")]
    assert prompts == sorted(prompts)


def test_the_verdict_has_counts_span_residual_and_the_old_beside_the_new(cli: Cli, bench: FakeControl) -> None:
    said = cli(*MASSES, typed=ENTERS).stdout
    for words in ("110150", "530790", "+0.02 g, allowed ±25.00 g", "105.160 counts a gram → 105.170 counts a gram",
                  "(+0.01%)", "accepted", "1,000.0 g"):  # fmt: skip  # a list
        assert words in said


def test_it_asks_for_masses_that_were_not_named_and_again_after_nonsense(cli: Cli, bench: FakeControl) -> None:
    done = cli("scale", "calibrate", "s1", typed="\nmuch\n1000\n\n5\n5000\n\n")
    assert done.exit_code == 0
    assert [args["mass_g"] for op, args in bench.asked if op == "scale.point"] == [1000.0, 5000.0]
    assert "a mass of 'much'" in done.stderr


def test_a_refused_line_is_shown_with_residual_and_remedy_and_is_exit_code_1(cli: Cli, bench: FakeControl) -> None:
    bench.answers["scale.calibrate"] = {
        **READING, "ok": False, "answer": "residual", "residual_g": 2400.0,
        "why": "the lighter mass lies +2400.0 g off the line", "remedy": "were the masses swapped?",
    }  # fmt: skip  # a row
    done = cli(*MASSES, typed=ENTERS)
    assert done.exit_code == 1
    assert "REFUSED" in done.stdout
    assert "residual: the lighter mass lies +2400.0 g off the line; the old line stays" in done.stderr
    assert "→ were the masses swapped?" in done.stderr


def test_a_refused_step_ends_it_and_tells_the_daemon(cli: Cli, bench: FakeControl) -> None:
    bench.answers["scale.point"] = {**UNSTEADY, "answer": "no signal"}
    done = cli(*MASSES, typed=ENTERS)
    assert (done.exit_code, bench.ops()[-1]) == (1, "scale.cancel")
    assert "scale.calibrate" not in bench.ops()


def test_a_daemon_that_says_no_is_told_no_more(cli: Cli, bench: FakeControl) -> None:
    bench.answers["scale.tare"] = Refusal("the cabinet is Watching", "wait until the visit has ended")
    done = cli(*MASSES, typed=ENTERS)
    assert (done.exit_code, "the cabinet is Watching" in done.stderr) == (1, True)


def test_nobody_at_the_terminal_ends_it(cli: Cli, bench: FakeControl) -> None:
    done = cli(*MASSES, typed="\n")
    assert (done.exit_code, bench.ops()[-1]) == (1, "scale.cancel")
    assert "nobody answered" in done.stderr


def test_as_json_everything_is_in_one_answer_and_questions_stay_on_stderr(cli: Cli, bench: FakeControl) -> None:
    told = json.loads(cli(*MASSES, "--json", typed=ENTERS).stdout)
    assert (told["ok"], told["limit_g"], told["tare"]["mean_counts"]) == (True, 25.0, 4990)
    assert [(p["mass_g"], p["mean_counts"]) for p in told["points"]] == [(1000.0, 110_150), (5000.0, 530_790)]
    assert (told["old"]["counts_per_g"], told["new"]["counts_per_g"]) == (105.16, 105.17)


@pytest.mark.parametrize(
    "masses", ["1000", "1000,2000,3000", "1000,many", "10,5000", "1000,300000", "1000,1000", "4000,5000", "-1000,5000"]
)
def test_masses_that_cannot_be_right_are_refused_before_anything_is_asked(
    masses: str, cli: Cli, control: FakeControl
) -> None:
    done = cli("scale", "calibrate", "s1", f"--masses={masses}")
    assert (done.exit_code, control.asked) == (2, [])


def test_masses_may_come_heavier_first(cli: Cli, bench: FakeControl) -> None:
    assert cli("scale", "calibrate", "s1", "--masses", "5000 1000", typed=ENTERS).exit_code == 0


# Step by step, for scripts.


@pytest.mark.parametrize(
    ("words", "op", "asked"),
    [
        (("--step", "tare"), "scale.tare", {"zone": "s1", "then": "calibrate"}),
        (("--step", "1", "--mass", "1000"), "scale.point", {"zone": "s1", "slot": 1, "mass_g": 1000.0}),
        (("--step", "fit"), "scale.calibrate", {"zone": "s1"}),
        (("--step", "cancel"), "scale.cancel", {"zone": "s1"}),
    ],
)
def test_each_step_is_one_request_without_questions(
    words: tuple[str, ...], op: str, asked: dict[str, Any], cli: Cli, control: FakeControl
) -> None:
    done = cli("scale", "calibrate", "s1", *words)
    assert (done.exit_code, control.asked) == (0, [(op, asked)])


@pytest.mark.parametrize(
    "words",
    [("--step", "1"), ("--step", "tare", "--mass", "1000"), ("--mass", "1000"), ("--step", "2", "--mass", "1"),
     ("--step", "3")],
)  # fmt: skip  # a list
def test_a_step_with_the_wrong_words_sends_nothing(words: tuple[str, ...], cli: Cli, control: FakeControl) -> None:
    done = cli("scale", "calibrate", "s1", *words)
    assert (done.exit_code, control.asked) == (2, [])


def test_a_step_that_the_board_refuses_is_exit_code_1(cli: Cli, control: FakeControl) -> None:
    control.answers["scale.calibrate"] = {**UNSTEADY, "answer": "points missing", "why": "one is missing"}
    done = cli("scale", "calibrate", "s1", "--step", "fit", "--json")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "points missing: one is missing" in done.stderr


# Live.


def weighing(*values: float | None) -> dict[str, Any]:
    return {"type": "scales", "at_s": 1.0, "zones": {z: {**SCALE, "new_g": list(values)} for z in ("s1", "s2")}}


def test_the_live_view_as_json_is_a_line_each_and_of_one_zone_where_so_asked(cli: Cli, control: FakeControl) -> None:
    control.happenings, control.vanish = [weighing(1.0), weighing(2.0)], True
    done = cli("scale", "watch", "s2", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["zones"]["s2"]["new_g"] for line in lines] == [[1.0], [2.0]]
    assert all(set(line["zones"]) == {"s2"} for line in lines)


def test_the_live_view_draws_each_zone_with_its_figures(cli: Cli, control: FakeControl) -> None:
    control.happenings, control.vanish = [weighing(100.0, 100.0, None), weighing(200.0)], True
    said = cli("scale", "watch").stdout
    for words in ("s1  12.3 g  noise 0.48 g  80.1 Hz  bad 1.2% (spike 1)  still", "200.0 g", "100.0 g", "█", "·"):
        assert words in said


def test_the_live_view_ends_by_itself_where_so_asked(cli: Cli, control: FakeControl) -> None:
    control.happenings = [weighing(1.0)]
    assert cli("scale", "watch", "--seconds", "0.2", "--json").exit_code == 0


def test_a_zone_that_is_none_is_refused_before_the_view_begins(cli: Cli, control: FakeControl) -> None:
    control.answers["scale.show"] = Refusal("there is no zone 's9'", "zones here: s1")
    done = cli("scale", "watch", "s9")
    assert (done.exit_code, "zones here: s1" in done.stderr) == (1, True)


def test_a_zone_in_trouble_is_shown_so(cli: Cli, control: FakeControl) -> None:
    control.answers["scale.show"] = {"zones": [{**SCALE, "counts_per_g": None, "trouble": "it sends nothing"}]}
    said = cli("scale", "show").stdout
    assert "not calibrated" in said
    assert "it sends nothing" in said
