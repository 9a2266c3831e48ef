"""Who is let in before the camera: noticed once, known by code or face, turned away politely, never twice at once."""

import asyncio

import pytest

from cabinet.greeter.codes import UNKNOWN_CODES
from cabinet.greeter.standing import LINGER_S, RETRY_S
from cabinet.identity import decide
from cabinet.identity.credit import UNPAID, Terms
from cabinet.identity.decide import NO_PROOF_OF_AGE, Refused
from cabinet.identity.gallery import FaceGallery
from cabinet.identity.liveness import LiveRules
from cabinet.identity.lockout import Lockout
from cabinet.identity.risk import Deny
from cabinet.ports import Frame
from cabinet.session.events import MemberRecognised, MemberRefused, ShopperApproached
from cabinet.session.states import Authenticating, Watching
from cabinet.units import VisitId
from cabinet.vision.presence import QUIET_S
from tests.greeter.stage import (
    ANN,
    ANNS,
    CODE,
    EMPTY,
    EVERY_S,
    FOREIGN,
    FRONT,
    NOBODYS,
    SOMEBODY,
    STRANGER_FRAMES,
    STRANGERS,
    Desk,
    Stage,
    V,
    lived,
)


def test_an_empty_lobby_is_no_news() -> None:
    async def story(stage: Stage) -> None:
        await stage.see(EMPTY, 20)

    assert lived(story).posted == []


def test_somebody_who_steps_up_is_announced_once() -> None:
    async def story(stage: Stage) -> None:
        await stage.step_up()
        stage.state = Authenticating(V, 1e9)
        await stage.see(SOMEBODY, 10)

    assert len(lived(story).said(ShopperApproached)) == 1


def test_nobody_is_announced_while_the_cabinet_is_not_idle() -> None:
    async def story(stage: Stage) -> None:
        stage.state = Watching(V, ANN, 0.0, 1e9)
        await stage.step_up()

    assert lived(story).posted == []


def test_who_stays_without_being_known_is_announced_again_after_four_seconds() -> None:
    async def story(stage: Stage) -> None:
        await stage.step_up()
        await stage.see(SOMEBODY, round(2 * RETRY_S / EVERY_S))

    assert len(lived(story).said(ShopperApproached)) == 3


def test_a_members_code_opens_at_the_first_frame() -> None:
    async def story(stage: Stage) -> None:
        stage.codes.texts = [FOREIGN, CODE]
        await stage.attempt(1)

    (event,) = lived(story).posted
    assert isinstance(event, MemberRecognised)
    assert (event.visit, event.member, event.by) == (V, ANN, "card")


def test_an_answered_attempt_is_answered_once() -> None:
    async def story(stage: Stage) -> None:
        stage.codes.texts = [CODE]
        await stage.attempt(5)

    assert len(lived(story).posted) == 1


def test_one_frame_of_a_members_face_opens_nothing() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found = [ANNS]
        await stage.attempt(1)

    assert lived(story).posted == []


def test_two_agreeing_frames_of_a_members_face_open() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found = [ANNS]
        await stage.attempt(2)

    (event,) = lived(story).posted
    assert isinstance(event, MemberRecognised)
    assert (event.member, event.by) == (ANN, "face")


def test_frames_with_a_stranger_between_do_not_agree() -> None:
    async def story(stage: Stage) -> None:
        for found in ([ANNS], [STRANGERS], [ANNS], [STRANGERS]):
            stage.faces.found = found
            await (stage.attempt(1) if stage.greeter._looking is None else stage.see(SOMEBODY))

    assert lived(story).posted == []


def test_a_stranger_is_refused_after_the_frames_of_the_rule() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found = [STRANGERS]
        await stage.attempt(STRANGER_FRAMES)

    (event,) = lived(story).posted
    assert isinstance(event, MemberRefused)
    assert (event.visit, event.why) == (V, "not recognised")


def test_whom_the_policy_denies_is_refused_with_its_word_and_is_no_attack_on_the_door() -> None:
    async def story(stage: Stage) -> None:
        stage.door.assess = lambda *_: Deny(NO_PROOF_OF_AGE)
        stage.codes.texts = [CODE]
        for _ in range(10):
            await stage.attempt(1)
            stage.back_to_idle()

    stage = lived(story)
    assert {event.why for event in stage.posted if isinstance(event, MemberRefused)} == {NO_PROOF_OF_AGE}
    assert stage.said(MemberRecognised) == []
    assert (stage.greeter.refusal, stage.greeter._lockout) == (NO_PROOF_OF_AGE, Lockout())


def test_a_member_who_may_not_shop_is_refused_with_the_reason_and_is_no_attack_on_the_door() -> None:
    async def story(stage: Stage) -> None:
        stage.door.terms = Desk(Refused(UNPAID)).terms
        stage.codes.texts = [CODE]
        for _ in range(10):
            await stage.attempt(1)
            stage.back_to_idle()

    stage = lived(story)
    assert {event.why for event in stage.posted if isinstance(event, MemberRefused)} == {UNPAID}
    assert stage.said(MemberRecognised) == []
    assert (stage.greeter.refusal, stage.greeter._lockout) == (UNPAID, Lockout())


def test_the_till_is_asked_once_and_about_members_alone() -> None:
    desk = Desk()

    async def story(stage: Stage) -> None:
        stage.door.terms = desk.terms
        stage.faces.found = [STRANGERS]
        await stage.attempt(STRANGER_FRAMES)
        stage.codes.texts = [CODE]
        await stage.attempt(5)

    assert len(lived(story).said(MemberRecognised)) == 1
    assert [(visit, member) for visit, member, _ in desk.asked] == [(V, ANN)]


def test_the_till_is_not_asked_about_whom_the_policy_denies() -> None:
    desk = Desk()

    async def story(stage: Stage) -> None:
        stage.door.assess, stage.door.terms = (lambda *_: Deny(NO_PROOF_OF_AGE)), desk.terms
        stage.codes.texts = [CODE]
        await stage.attempt(1)

    lived(story)
    assert desk.asked == []


@pytest.mark.parametrize("says", [Terms("cloud", 2_000), Refused(UNPAID)], ids=["granted", "refused"])
@pytest.mark.parametrize("next_visit", [None, VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAW")], ids=["nobody", "another"])
def test_terms_that_come_after_the_machine_stopped_waiting_say_nothing(
    says: Terms | Refused, next_visit: VisitId | None
) -> None:
    desk = Desk(says, until=asyncio.Event())

    async def story(stage: Stage) -> None:
        assert desk.until is not None
        stage.door.terms, stage.codes.texts = desk.terms, [CODE]
        asking = asyncio.create_task(stage.attempt(1))
        while not desk.asked:  # noqa: ASYNC110  the code reader's thread comes first
            await asyncio.sleep(0)
        stage.back_to_idle()  # its deadline, or a part was lost
        if next_visit is not None:
            stage.greeter.look(next_visit)
        desk.until.set()
        await asking

    assert lived(story).posted == []


def test_who_may_not_shop_and_stays_is_not_asked_about_every_four_seconds() -> None:
    async def story(stage: Stage) -> None:
        await stage.see(EMPTY, round(QUIET_S / EVERY_S) + 2)  # the greeter knows the empty room
        await stage.step_up()
        stage.door.terms = Desk(Refused(UNPAID)).terms
        stage.codes.texts = [CODE]
        await stage.attempt(1)
        stage.back_to_idle()
        stage.posted.clear()
        await stage.see(SOMEBODY, round((LINGER_S - 1.0) / EVERY_S))
        assert stage.posted == []
        await stage.see(SOMEBODY, 8)

    assert len(lived(story).said(ShopperApproached)) == 1


def test_faces_are_not_looked_at_while_nobody_is_enrolled() -> None:
    async def story(stage: Stage) -> None:
        stage.desk.gallery = FaceGallery()
        await stage.attempt(3)

    assert lived(story).faces.asked == 0


def test_a_late_answer_of_the_face_library_opens_nothing() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found, stage.faces.until = [ANNS], asyncio.Event()
        stage.desk.frames = decide.Rules(agreeing_frames=1, live=LiveRules("off"))
        asking = asyncio.create_task(stage.attempt(1))
        while not stage.faces.asked:  # noqa: ASYNC110  the code reader's thread comes first
            await asyncio.sleep(0)
        stage.back_to_idle()
        stage.faces.until.set()
        await asking

    assert lived(story).posted == []


def test_a_late_answer_does_not_answer_the_next_attempt() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.found, stage.faces.until = [ANNS], asyncio.Event()
        stage.desk.frames = decide.Rules(agreeing_frames=1, live=LiveRules("off"))
        asking = asyncio.create_task(stage.attempt(1))
        while not stage.faces.asked:  # noqa: ASYNC110  likewise
            await asyncio.sleep(0)
        stage.greeter.stop()
        stage.greeter.look(VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAW"))
        stage.faces.until.set()
        await asking

    assert lived(story).posted == []


def test_who_lingers_after_a_visit_is_not_greeted_for_15_s() -> None:
    async def story(stage: Stage) -> None:
        await stage.see(EMPTY, round(QUIET_S / EVERY_S) + 2)  # the greeter knows the empty room
        await stage.step_up()
        stage.state = Watching(V, ANN, 0.0, 1e9)
        await stage.see(SOMEBODY, 20)
        stage.back_to_idle()
        stage.posted.clear()
        await stage.see(SOMEBODY, round(LINGER_S / EVERY_S))
        assert stage.posted == []
        await stage.see(SOMEBODY, 2)

    assert len(lived(story).said(ShopperApproached)) == 1


def test_who_comes_after_an_absence_is_greeted_at_once() -> None:
    async def story(stage: Stage) -> None:
        await stage.step_up()
        stage.state = Watching(V, ANN, 0.0, 1e9)
        await stage.see(SOMEBODY, 4)
        stage.back_to_idle()
        stage.posted.clear()
        await stage.see(SOMEBODY, 2)
        await stage.see(EMPTY, 5)
        assert stage.posted == []
        await stage.see(SOMEBODY, 2)

    assert len(lived(story).said(ShopperApproached)) == 1


def test_who_left_during_the_visit_leaves_no_waiting_behind() -> None:
    async def story(stage: Stage) -> None:
        await stage.step_up()
        stage.state = Watching(V, ANN, 0.0, 1e9)
        await stage.see(EMPTY, 8)
        stage.back_to_idle()
        stage.posted.clear()
        await stage.see(EMPTY, 1)
        await stage.see(SOMEBODY, 2)

    assert len(lived(story).said(ShopperApproached)) == 1


async def refuse_five(stage: Stage) -> None:
    stage.faces.found = [STRANGERS]
    for _ in range(5):
        await stage.attempt(STRANGER_FRAMES)
        stage.back_to_idle()
    stage.posted.clear()


def test_five_refusals_lock_faces_out_for_half_a_minute() -> None:
    async def story(stage: Stage) -> None:
        await refuse_five(stage)
        asked, stage.faces.found = stage.faces.asked, [ANNS]
        await stage.attempt(round(29.0 / EVERY_S))
        assert (stage.faces.asked, stage.posted) == (asked, [])
        await stage.see(SOMEBODY, 8)

    assert len(lived(story).said(MemberRecognised)) == 1


def test_a_code_opens_while_faces_are_locked_out() -> None:
    async def story(stage: Stage) -> None:
        await refuse_five(stage)
        stage.codes.texts = [CODE]
        await stage.attempt(1)

    assert len(lived(story).said(MemberRecognised)) == 1


def test_a_failing_face_library_is_reported_as_a_part() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.broken = "faces: no models"
        await stage.attempt(2)

    stage = lived(story)
    assert set(stage.parts) == {("faces", "faces: no models")}


def test_codes_open_while_the_face_library_fails() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.broken = "faces: no models"
        await stage.attempt(2)
        stage.codes.texts = [CODE]
        await stage.see(SOMEBODY)

    assert len(lived(story).said(MemberRecognised)) == 1


def test_a_face_library_that_works_again_is_reported_in_order() -> None:
    async def story(stage: Stage) -> None:
        stage.faces.broken = "faces: no models"
        await stage.attempt(1)
        stage.faces.broken = None
        await stage.see(SOMEBODY)

    assert lived(story).parts[-1] == ("faces", None)


def test_an_unknown_code_of_ours_is_refused_at_the_third_frame() -> None:
    async def story(stage: Stage) -> None:
        stage.codes.texts = [NOBODYS]
        await stage.attempt(UNKNOWN_CODES - 1)
        assert stage.posted == []
        await stage.see(SOMEBODY)

    (event,) = lived(story).posted
    assert isinstance(event, MemberRefused)
    assert event.why == "unknown code"


def test_foreign_codes_are_counted_and_refuse_nobody() -> None:
    async def story(stage: Stage) -> None:
        stage.codes.texts = [FOREIGN, "4006381333931"]
        await stage.attempt(5)

    stage = lived(story)
    assert (stage.posted, stage.greeter.counts["foreign codes"]) == ([], 10)


def test_the_camera_is_asked_for_more_frames_only_while_somebody_is_looked_for() -> None:
    async def story(stage: Stage) -> None:
        stage.greeter.look(V)
        stage.greeter.stop()

    fast, slow = lived(story).eye.paces
    assert fast is not None
    assert slow is not None
    assert fast > slow


@pytest.mark.parametrize("absent", ["eye", "faces", "codes"])
def test_without_a_part_the_others_still_serve(absent: str) -> None:
    async def story(stage: Stage) -> None:
        setattr(stage.greeter, absent if absent == "faces" else f"_{absent}", None)
        stage.codes.texts, stage.faces.found = [CODE], [ANNS]
        await stage.attempt(3)

    assert len(lived(story).said(MemberRecognised)) == 1


def test_the_loop_itself_looks_at_each_frame_once() -> None:
    async def story(stage: Stage) -> None:
        seen: list[float] = []

        async def consider(frame: Frame) -> None:
            seen.append(frame.at_s)

        stage.greeter.consider = consider  # type: ignore[method-assign]  # what it does with a frame is told above
        running = asyncio.create_task(stage.greeter.run())
        for at_s in (0.5, 2.0):
            stage.eye.frame = Frame(FRONT, at_s, EMPTY)
            await asyncio.sleep(2.0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert seen == [0.5, 2.0]

    lived(story)
