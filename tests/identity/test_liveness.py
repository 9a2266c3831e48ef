"""A person, a picture, or doubt; and the turn of the head that a picture cannot make."""

from collections.abc import Sequence

import pytest

from cabinet.identity.liveness import TIME_S, Alive, Challenge, LiveRules, Move, alive, ask, watch

RULES = LiveRules("challenge", live_from=0.6, spoof_below=0.2)


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ((0.9,), None),
        ((0.9, 0.9), "live"),
        ((0.1, 0.1), None),
        ((0.1, 0.1, 0.1), "attack"),
        ((0.4, 0.4, 0.4), "unsure"),
        ((0.9, 0.1, 0.9), "live"),
        ((0.1, 0.9, 0.1), "attack"),
    ],
)
def test_the_middle_of_the_latest_scores_decides(scores: Sequence[float], said: Alive | None) -> None:
    assert alive(scores, RULES) == said


def test_without_a_model_every_face_is_in_doubt() -> None:
    assert alive((), RULES, no_model=True) == "unsure"


def test_switched_off_every_face_is_alive() -> None:
    assert alive((0.0, 0.0, 0.0), LiveRules("off")) == "live"


def played(move: Move, yaws: Sequence[float], every_s: float = 0.125) -> Challenge | str:
    challenge: Challenge | str = ask(move, 0.0)
    for n, yaw in enumerate(yaws, start=1):
        assert isinstance(challenge, Challenge), "over too early"
        challenge = watch(challenge, yaw, n * every_s)
    return challenge


LEFT, RIGHT, AHEAD = 0.6, -0.6, 0.05  # of whoever turns: their left is the picture's right


@pytest.mark.parametrize(("move", "yaw"), [("left", LEFT), ("right", RIGHT)])
def test_the_head_turned_the_way_that_was_asked_and_back_is_a_person(move: Move, yaw: float) -> None:
    assert played(move, [AHEAD, yaw, AHEAD]) == "met"


def test_the_head_turned_the_other_way_is_not() -> None:
    assert played("left", [AHEAD, RIGHT, AHEAD]) != "met"


def test_a_face_that_never_looks_to_the_side_is_not() -> None:
    assert played("left", [AHEAD] * 20) != "met"


def test_a_head_that_was_turned_from_the_beginning_must_look_ahead_first() -> None:
    assert played("left", [LEFT, AHEAD, AHEAD]) != "met"


def test_a_head_that_stays_turned_has_not_finished() -> None:
    assert isinstance(played("left", [AHEAD, LEFT, LEFT]), Challenge)


def test_after_its_time_the_turn_is_failed() -> None:
    assert watch(ask("left", 0.0), AHEAD, TIME_S + 0.1) == "failed"
