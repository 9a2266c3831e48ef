"""Whoever stands there is asked for more where a face alone is not enough: digits, a yes, a turn of the head."""

import pytest

from cabinet.greeter import Offered, Service
from cabinet.greeter.asking import AGAIN, CONFIRM, DIGITS, ONE_ONLY, QUALITY, STEP_UP, TURNS
from cabinet.identity import decide
from cabinet.identity.decide import Refused
from cabinet.identity.gallery import FaceGallery
from cabinet.identity.lockout import Lockout
from cabinet.identity.risk import Allow, AllowWithDigits, Judgement, Way
from cabinet.session.events import MemberRecognised, MemberRefused, ServiceRequested, ShopperAsked
from cabinet.units import MemberId, Minor, VisitId
from tests.greeter.stage import ANN, ANNS, BEN, BENS, STRANGERS, Desk, Stage, V, lived, person, vector

LIKE_ANN = person(0.44)  # farther than a face alone may be, near enough with digits
DIGITS_OF = {ANN: "1234", BEN: "9876"}
TOKEN, BADGE = "CAB2:AAAA", "CAB3:AAAA"


async def doubtful(stage: Stage) -> None:
    """Somebody comes who is like Ann, and is asked for digits."""
    stage.door.digits = lambda _: DIGITS_OF
    stage.faces.found = [LIKE_ANN]
    await stage.attempt(4)


def recognised(stage: Stage) -> list[tuple[MemberId, str]]:
    return [(event.member, event.by) for event in stage.posted if isinstance(event, MemberRecognised)]


def refused(stage: Stage) -> list[str]:
    return [event.why for event in stage.posted if isinstance(event, MemberRefused)]


def test_a_face_that_is_not_sure_asks_for_digits_and_for_time() -> None:
    stage = lived(doubtful)
    assert (stage.greeter.asked, stage.greeter.hint) == ("digits", DIGITS)
    assert [type(event) for event in stage.posted] == [ShopperAsked]


def test_the_right_digits_open() -> None:
    async def story(stage: Stage) -> None:
        await doubtful(stage)
        assert await stage.greeter.digits("1234")

    assert recognised(lived(story)) == [(ANN, "digits")]


def test_the_digits_of_somebody_else_open_nothing_and_are_asked_for_again() -> None:
    async def story(stage: Stage) -> None:
        await doubtful(stage)
        await stage.greeter.digits("9876")

    stage = lived(story)
    assert (recognised(stage), stage.greeter.hint) == ([], AGAIN)


def test_three_wrong_tries_refuse_and_count_as_an_attack() -> None:
    async def story(stage: Stage) -> None:
        await doubtful(stage)
        for _ in range(decide.TRIES):
            await stage.greeter.digits("0000")

    stage = lived(story)
    assert refused(stage) == [decide.WRONG_DIGITS]
    assert stage.greeter._lockout.tries == 1


def test_digits_typed_when_nobody_asked_are_not_taken() -> None:
    async def story(stage: Stage) -> None:
        stage.door.digits = lambda _: DIGITS_OF
        await stage.attempt(1)
        assert not await stage.greeter.digits("1234")

    assert lived(story).posted == []


def test_digits_typed_after_the_attempt_is_over_are_not_taken() -> None:
    async def story(stage: Stage) -> None:
        await doubtful(stage)
        stage.back_to_idle()
        assert not await stage.greeter.digits("1234")

    assert recognised(lived(story)) == []


def test_while_digits_are_asked_for_no_face_is_looked_at() -> None:
    async def story(stage: Stage) -> None:
        await doubtful(stage)
        asked, stage.faces.found = stage.faces.asked, [BENS]
        await stage.see(frames=5)
        assert stage.faces.asked == asked

    assert recognised(lived(story)) == []


def test_a_code_opens_while_digits_are_asked_for() -> None:
    async def story(stage: Stage) -> None:
        await doubtful(stage)
        stage.codes.texts = ["CAB1:" + "A" * 26]
        await stage.see()

    assert recognised(lived(story)) == [(ANN, "card")]


def test_who_has_left_no_digits_is_sent_to_a_code_and_is_no_attack() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found = [LIKE_ANN]
        await stage.attempt(4)

    stage = lived(story)
    assert (refused(stage), stage.greeter._lockout) == ([decide.NO_DIGITS], Lockout())


def test_a_policy_that_wants_digits_asks_a_matched_member_for_theirs_alone() -> None:
    asked: list[Way] = []

    def assess(_: VisitId, __: MemberId, way: Way, ___: Minor | None) -> Judgement:
        asked.append(way)
        return AllowWithDigits(500)

    async def story(stage: Stage) -> None:
        stage.door.digits, stage.door.assess = (lambda _: DIGITS_OF), assess
        stage.faces.found = [ANNS]
        await stage.attempt(2)
        assert recognised(stage) == []
        await stage.greeter.digits("9876")
        assert recognised(stage) == []
        await stage.greeter.digits("1234")

    assert recognised(lived(story)) == [(ANN, "digits")]
    assert asked == ["face", "digits"]


def test_the_slower_network_is_asked_once_where_the_small_one_is_not_sure() -> None:
    async def story(stage: Stage) -> None:
        stage.desk.references = FaceGallery([(ANN, vector(0.0)), (BEN, vector(2.0))])
        stage.faces.slower = 0.2
        stage.faces.found = [LIKE_ANN]
        stage.door.digits = lambda _: DIGITS_OF
        await stage.attempt(4)

    assert lived(story).faces.asked_slower == 1


def test_a_matched_face_needs_no_second_opinion() -> None:
    async def story(stage: Stage) -> None:
        stage.desk.references = FaceGallery([(ANN, vector(0.0))])
        stage.faces.found = [ANNS]
        await stage.attempt(2)

    stage = lived(story)
    assert (stage.faces.asked_slower, recognised(stage)) == (0, [(ANN, "face")])


def test_two_people_as_near_as_each_other_open_nothing_before_one_says_yes() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found = [ANNS, person(9.0, 95, left=200)]
        await stage.attempt(6)

    stage = lived(story)
    assert (recognised(stage), stage.greeter.asked, stage.greeter.hint) == ([], "confirm", CONFIRM)


@pytest.mark.parametrize(("yes", "opens"), [(True, [(ANN, "face")]), (False, [])])
def test_a_yes_opens_and_a_no_does_not(opens: list[tuple[MemberId, str]], *, yes: bool) -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found = [ANNS, person(9.0, 95, left=200)]
        await stage.attempt(3)
        assert await stage.greeter.confirm(yes=yes)

    stage = lived(story)
    assert recognised(stage) == opens
    assert refused(stage) == ([] if yes else [decide.DECLINED])


def test_a_yes_that_nobody_asked_for_is_not_taken() -> None:
    async def story(stage: Stage) -> None:
        await stage.attempt(1)
        assert not await stage.greeter.confirm(yes=True)

    assert lived(story).posted == []


def test_a_stranger_beside_a_member_does_not_shop_as_the_member() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found = [person(9.0, 100), person(0.0, 95, left=200)]
        await stage.attempt(6)

    assert recognised(lived(story)) == []


def test_several_who_look_away_are_asked_to_look() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found = [ANNS.but(yaw=0.9), person(9.0, 95, left=200).but(yaw=0.9)]
        await stage.attempt(2)

    assert lived(story).greeter.hint == ONE_ONLY


def test_a_face_that_is_too_far_is_told_to_come_nearer_and_opens_nothing() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found = [ANNS.but(height_px=20.0)]
        await stage.attempt(5)

    stage = lived(story)
    assert (stage.posted, stage.greeter.hint) == ([], QUALITY["too far"])


def test_without_a_face_whoever_stands_there_is_told_to_step_up() -> None:
    async def story(stage: Stage) -> None:
        await stage.attempt(2)

    assert lived(story).greeter.hint == STEP_UP


def test_a_picture_of_a_member_is_refused_and_counts_as_an_attack() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found = [ANNS.alive(0.02)]
        await stage.attempt(3)

    stage = lived(story)
    assert (refused(stage), stage.greeter._lockout.tries) == ([decide.NOT_LIVE], 1)


async def unsure(stage: Stage) -> None:
    stage.greeter.draw = lambda: "left"
    stage.faces.found = [ANNS.alive(0.4)]
    await stage.attempt(3)


def test_doubt_about_life_asks_for_a_turn_of_the_head() -> None:
    stage = lived(unsure)
    assert (stage.greeter.asked, stage.greeter.hint, recognised(stage)) == ("turn", TURNS["left"], [])


def test_the_head_turned_and_the_face_known_again_opens() -> None:
    async def story(stage: Stage) -> None:
        await unsure(stage)
        for yaw in (0.0, 0.6, 0.0):
            stage.faces.found = [ANNS.alive(0.4).but(yaw=yaw)]
            await stage.see()
        assert recognised(stage) == []
        await stage.see(frames=2)

    assert recognised(lived(story)) == [(ANN, "face")]


def test_a_picture_held_up_after_the_turn_is_known_for_itself() -> None:
    async def story(stage: Stage) -> None:
        await unsure(stage)
        for yaw in (0.0, 0.6, 0.0):
            stage.faces.found = [STRANGERS.alive(0.4).but(yaw=yaw)]
            await stage.see()
        await stage.see(frames=3)

    assert recognised(lived(story)) == []


def test_a_head_that_does_not_turn_in_time_is_refused() -> None:
    async def story(stage: Stage) -> None:
        await unsure(stage)
        await stage.see(frames=40)

    assert refused(lived(story)) == [decide.NOT_LIVE]


def test_a_valid_token_opens_for_what_it_offers() -> None:
    desk = Desk()

    async def story(stage: Stage) -> None:
        stage.door.token, stage.door.terms = {TOKEN: Offered(BEN, 700)}.get, desk.terms
        stage.codes.texts = [TOKEN]
        await stage.attempt(1)

    assert recognised(lived(story)) == [(BEN, "token")]
    assert desk.asked == [(V, BEN, 700)]


def test_a_token_that_is_refused_says_why_after_three_frames() -> None:
    async def story(stage: Stage) -> None:
        stage.door.token = {TOKEN: Refused("expired")}.get
        stage.codes.texts = [TOKEN]
        await stage.attempt(3)

    assert refused(lived(story)) == ["expired"]


def test_the_least_of_policy_and_token_is_what_the_till_is_asked_for() -> None:
    desk = Desk()

    async def story(stage: Stage) -> None:
        stage.door.token, stage.door.terms = {TOKEN: Offered(BEN, 700)}.get, desk.terms
        stage.door.assess = lambda *_: Allow(300)
        stage.codes.texts = [TOKEN]
        await stage.attempt(1)

    lived(story)
    assert desk.asked == [(V, BEN, 300)]


def test_a_cabinet_that_always_wants_digits_asks_a_matched_member() -> None:
    async def story(stage: Stage) -> None:
        stage.greeter._digits, stage.door.digits = "always", lambda _: DIGITS_OF
        stage.faces.found = [ANNS]
        await stage.attempt(2)

    stage = lived(story)
    assert (recognised(stage), stage.greeter.asked) == ([], "digits")


def test_a_cabinet_that_never_wants_digits_sends_to_a_code() -> None:
    async def story(stage: Stage) -> None:
        stage.greeter._digits = "never"
        await doubtful(stage)

    assert refused(lived(story)) == [decide.NO_DIGITS]


def test_who_is_turned_away_is_kept_with_the_reason() -> None:
    kept: list[tuple[MemberId | None, Way | None, str]] = []

    async def story(stage: Stage) -> None:
        stage.door.turned_away = lambda _, member, way, why: kept.append((member, way, why))
        stage.door.terms = Desk(Refused("unpaid")).terms
        stage.faces.found = [ANNS]
        await stage.attempt(2)
        stage.back_to_idle()
        stage.faces.found = [STRANGERS]
        await stage.attempt(3)

    lived(story)
    assert kept == [(ANN, "face", "unpaid"), (None, None, decide.NOT_RECOGNISED)]


def test_a_technicians_code_opens_for_service_and_never_for_shopping() -> None:
    async def story(stage: Stage) -> None:
        stage.door.technician = {BADGE: Service("tom", "restock")}.get
        stage.codes.texts = [BADGE]
        await stage.attempt(3)

    stage = lived(story)
    (event,) = stage.posted
    assert isinstance(event, ServiceRequested)
    assert (event.visit, event.who, event.purpose) == (V, "tom", "restock")
