"""Frame by frame: let in, turned away, asked for more, or not yet."""

from collections.abc import Sequence

import pytest

from cabinet.identity.decide import (
    DOUBTFUL_FRAMES,
    NOT_LIVE,
    NOT_RECOGNISED,
    TRIES,
    WRONG_DIGITS,
    Accepted,
    AskConfirm,
    AskDigits,
    AskTurn,
    Attempt,
    Decision,
    Refused,
    Rules,
    Undecided,
    by_digits,
    by_face,
    turned,
)
from cabinet.identity.liveness import LiveRules
from cabinet.identity.outcomes import Matched, NeedsDigits, Unknown
from cabinet.units import MemberId

ANNA, BEN = MemberId("anna"), MemberId("ben")
Whose = Matched | NeedsDigits | Unknown
SEES_ANNA, SEES_BEN, SEES_NOBODY = Matched(ANNA, 0.3, 0.8), Matched(BEN, 0.3, 0.8), Unknown(0.8)
LIKE_ANNA, LIKE_BOTH = NeedsDigits((ANNA,)), NeedsDigits((ANNA, BEN))
LIVE, UNSURE, FLAT = 0.9, 0.4, 0.05
USUAL = Rules()


def after(
    outcomes: Sequence[Whose], score: float | None = LIVE, rules: Rules = USUAL, begun: Attempt | None = None
) -> Decision:
    decision: Decision = Undecided(begun or Attempt())
    for outcome in outcomes:
        assert isinstance(decision, Undecided), "decided too early"
        decision = by_face(outcome, score, decision.attempt, rules)
    return decision


def test_one_frame_lets_nobody_in() -> None:
    assert isinstance(after([SEES_ANNA]), Undecided)


def test_two_agreeing_frames_let_a_member_in() -> None:
    assert after([SEES_ANNA, SEES_ANNA]) == Accepted(ANNA, "face")


def test_two_frames_of_two_members_let_nobody_in() -> None:
    assert isinstance(after([SEES_ANNA, SEES_BEN]), Undecided)


def test_a_stranger_between_two_matches_starts_them_anew() -> None:
    assert isinstance(after([SEES_ANNA, SEES_NOBODY, SEES_ANNA]), Undecided)


def test_five_frames_of_a_stranger_turn_them_away() -> None:
    assert after([SEES_NOBODY] * 5) == Refused(NOT_RECOGNISED)


def test_four_frames_of_a_stranger_do_not() -> None:
    assert isinstance(after([SEES_NOBODY] * 4), Undecided)


def test_the_numbers_of_frames_are_configuration() -> None:
    rules = Rules(agreeing_frames=1, live=LiveRules("off"))
    assert after([SEES_ANNA], rules=rules) == Accepted(ANNA, "face")


def test_doubtful_frames_that_agree_ask_for_digits_and_never_let_in() -> None:
    decision = after([LIKE_ANNA] * DOUBTFUL_FRAMES)
    assert isinstance(decision, AskDigits)
    assert decision.attempt.likely == (ANNA,)


def test_doubtful_frames_are_told_apart_from_sure_ones() -> None:
    assert isinstance(after([SEES_ANNA, LIKE_ANNA]), Undecided)


def test_everybody_who_was_likely_is_asked_about() -> None:
    decision = after([LIKE_ANNA, LIKE_BOTH, LIKE_ANNA])
    assert isinstance(decision, AskDigits)
    assert decision.attempt.likely == (ANNA, BEN)


def test_a_flat_picture_of_a_member_is_refused() -> None:
    assert after([SEES_ANNA] * 3, FLAT) == Refused(NOT_LIVE)


def test_a_flat_picture_of_nobody_is_refused_for_being_flat() -> None:
    assert after([SEES_NOBODY] * 3, FLAT) == Refused(NOT_LIVE)


def test_doubt_about_life_asks_for_a_turn_of_the_head() -> None:
    assert isinstance(after([SEES_ANNA] * 3, UNSURE), AskTurn)


def test_doubt_about_life_asks_for_digits_where_nobody_is_to_turn_the_head() -> None:
    assert isinstance(after([SEES_ANNA] * 3, UNSURE, Rules(live=LiveRules("passive"))), AskDigits)


def test_without_a_model_of_life_the_head_is_turned() -> None:
    assert isinstance(after([SEES_ANNA] * 2, None), AskTurn)


def test_without_liveness_nobody_is_asked() -> None:
    assert after([SEES_ANNA] * 2, None, Rules(live=LiveRules("off"))) == Accepted(ANNA, "face")


def test_after_the_turn_of_the_head_the_face_must_be_known_anew() -> None:
    asked = after([SEES_ANNA] * 3, UNSURE)
    assert isinstance(asked, AskTurn)
    again = turned(asked.attempt)
    assert isinstance(after([SEES_BEN], UNSURE, begun=again), Undecided)
    assert after([SEES_BEN, SEES_BEN], UNSURE, begun=again) == Accepted(BEN, "face")


def test_with_somebody_as_near_the_nearest_is_asked_to_confirm() -> None:
    decision = after([SEES_ANNA] * 2, begun=Attempt(several=True))
    assert isinstance(decision, AskConfirm)
    assert decision.member == ANNA


DIGITS = {ANNA: "1234", BEN: "9876"}


def test_the_digits_of_a_likely_member_let_that_member_in() -> None:
    assert by_digits("9876", DIGITS, Attempt(likely=(ANNA, BEN))) == Accepted(BEN, "digits")


def test_the_digits_of_a_member_who_is_not_likely_let_nobody_in() -> None:
    assert isinstance(by_digits("9876", DIGITS, Attempt(likely=(ANNA,))), AskDigits)


def test_digits_that_two_likely_members_share_let_neither_in() -> None:
    assert isinstance(by_digits("1234", {ANNA: "1234", BEN: "1234"}, Attempt(likely=(ANNA, BEN))), AskDigits)


@pytest.mark.parametrize("typed", ["", "0000"])
def test_a_member_without_digits_is_let_in_by_none(typed: str) -> None:
    assert isinstance(by_digits(typed, {}, Attempt(likely=(ANNA,))), AskDigits)


def test_the_third_wrong_try_refuses() -> None:
    decision: Decision = AskDigits(Attempt(likely=(ANNA,)))
    for _ in range(TRIES):
        assert isinstance(decision, AskDigits), "refused too early"
        decision = by_digits("0000", DIGITS, decision.attempt)
    assert decision == Refused(WRONG_DIGITS)
