"""Frame by frame: let in, turned away, or not yet."""

from collections.abc import Sequence

from cabinet.identity.decide import Accepted, Attempt, Decision, Refused, Rules, Undecided, by_code, by_face, nearest
from cabinet.identity.match import Answer, Match, Stranger, Unclear
from cabinet.ports import Face
from cabinet.units import MemberId

ANNA, BEN = MemberId("anna"), MemberId("ben")
SEES_ANNA, SEES_BEN, SEES_NOBODY, NOT_SURE = Match(ANNA, 0.3), Match(BEN, 0.3), Stranger(0.8), Unclear(0.3, 0.32)


USUAL = Rules()


def after(answers: Sequence[Answer], rules: Rules = USUAL) -> Decision:
    decision: Decision = Undecided(Attempt())
    for answer in answers:
        assert isinstance(decision, Undecided), "decided too early"
        decision = by_face(answer, decision.attempt, rules)
    return decision


def face(left: int, top: int, right: int, bottom: int) -> Face:
    return Face(left, top, right, bottom, ())


def test_one_frame_lets_nobody_in() -> None:
    assert isinstance(after([SEES_ANNA]), Undecided)


def test_two_agreeing_frames_let_a_member_in() -> None:
    assert after([SEES_ANNA, SEES_ANNA]) == Accepted(ANNA, "face")


def test_two_frames_of_two_members_let_nobody_in() -> None:
    assert isinstance(after([SEES_ANNA, SEES_BEN]), Undecided)


def test_a_stranger_between_two_matches_starts_them_anew() -> None:
    assert isinstance(after([SEES_ANNA, SEES_NOBODY, SEES_ANNA]), Undecided)


def test_an_unclear_frame_counts_for_nothing() -> None:
    assert after([SEES_ANNA, NOT_SURE, SEES_ANNA]) == Accepted(ANNA, "face")


def test_unclear_frames_alone_never_decide() -> None:
    assert isinstance(after([NOT_SURE] * 50), Undecided)


def test_five_frames_of_a_stranger_turn_them_away() -> None:
    assert isinstance(after([SEES_NOBODY] * 5), Refused)


def test_four_frames_of_a_stranger_do_not() -> None:
    assert isinstance(after([SEES_NOBODY] * 4), Undecided)


def test_the_numbers_of_frames_are_configuration() -> None:
    assert after([SEES_ANNA], Rules(agreeing_frames=1)) == Accepted(ANNA, "face")


def test_a_members_code_lets_in_at_once() -> None:
    assert by_code(BEN, Attempt(ANNA, 1)) == Accepted(BEN, "code")


def test_an_unknown_code_changes_nothing() -> None:
    assert by_code(None, Attempt(ANNA, 1)) == Undecided(Attempt(ANNA, 1))


def test_the_only_face_is_the_nearest() -> None:
    assert nearest([face(0, 0, 10, 10)]) == face(0, 0, 10, 10)


def test_whoever_is_clearly_larger_is_the_nearest() -> None:
    assert nearest([face(0, 0, 100, 100), face(200, 0, 360, 160)]) == face(200, 0, 360, 160)


def test_two_people_side_by_side_are_asked_to_wait() -> None:
    assert nearest([face(0, 0, 100, 100), face(200, 0, 310, 110)]) is None


def test_no_face_is_nobody() -> None:
    assert nearest([]) is None


def test_a_face_without_area_is_nobody() -> None:
    assert nearest([face(5, 5, 5, 9)]) is None
