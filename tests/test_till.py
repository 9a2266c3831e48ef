"""Between recognising and unlocking: one ask, 0.8 s at most, and the offline policy where no answer comes."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from cabinet.identity.credit import (
    DECLINED,
    DENIED,
    MEMBER_LIMIT,
    NO_TERMS,
    OLD_ROSTER,
    UNPAID,
    Answer,
    Limits,
    Roster,
    Terms,
)
from cabinet.identity.decide import Refused
from cabinet.ledger import Ledger, Stamp
from cabinet.ledger.credit import KEEP_EVERY_S, ROSTER
from cabinet.till import REMEMBERED, Till
from cabinet.units import VisitId
from tests.ledger.examples import ANNA, shop
from tests.support.virtual_time import run_in_virtual_time

V, W = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV"), VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAW")
BUDGET_S = 0.8
OFFLINE = Terms("offline", 2_000)
Said = Terms | Refused


@dataclass
class Cloud:
    """Writes down what it is asked; answers when a test lets it."""

    there: bool = True
    asked: list[dict[str, Any]] = field(default_factory=list)
    at_once: Callable[[dict[str, Any]], None] | None = None

    def ask(self, payload: dict[str, Any]) -> bool:
        if self.there:
            self.asked.append(payload)
            if self.at_once is not None:
                self.at_once(payload)
        return self.there


@dataclass
class Stage:
    ledger: Ledger
    cloud: Cloud = field(default_factory=Cloud)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self.till = Till(self.ledger, self.cloud, self.limits, "USD", BUDGET_S, self.stamp, "boot-1")

    def stamp(self) -> Stamp:
        return Stamp(round(asyncio.get_running_loop().time() * 1000), 0, "none")

    def answer(self, *, granted: bool = True, why: str = "", **other: Any) -> None:
        """To the latest ask."""
        ask = self.cloud.asked[-1]
        self.till.answer(replace(Answer(ask["visit"], ask["nonce"], granted, 1_500, why), **other))

    async def terms(self, after_s: float, answer: Callable[[], None], visit: VisitId = V) -> tuple[Said, float]:
        """What the till says where this happens after so long, and how long it took."""
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        loop.call_later(after_s, answer)
        said = await self.till.terms(visit, ANNA)
        return said, round(loop.time() - begin_s, 3)


Story = Callable[[Stage], Coroutine[Any, Any, None]]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(Ledger(tmp_path / "l.db"))


def lived(stage: Stage, story: Story) -> None:
    """The story on a clock of its own."""
    run_in_virtual_time(story(stage))


def test_the_cloud_is_asked_by_visit_member_and_amount(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        await stage.terms(0.1, stage.answer)

    lived(stage, story)
    (ask,) = stage.cloud.asked
    nonce = ask.pop("nonce")
    assert ask == {"visit": V, "member": ANNA, "currency": "USD", "hold_minor": 2_000}
    assert len(bytes.fromhex(nonce)) == 8


def test_an_answer_opens_at_once(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        assert await stage.terms(0.3, stage.answer) == (Terms("cloud", 1_500), 0.3)
        assert stage.till.terms_of(V) == Terms("cloud", 1_500)

    lived(stage, story)


def test_an_answer_that_comes_while_it_is_being_asked_for_is_heard(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        stage.cloud.at_once = lambda _: stage.answer()
        assert await stage.terms(0.5, lambda: None) == (Terms("cloud", 1_500), 0.0)

    lived(stage, story)


@pytest.mark.parametrize("why", [UNPAID, DENIED, DECLINED, "no wallet"])
def test_a_refusal_says_why(stage: Stage, why: str) -> None:
    async def story(stage: Stage) -> None:
        said = await stage.terms(0.3, lambda: stage.answer(granted=False, why=why))
        assert said == (Refused(why), 0.3)
        assert stage.till.terms_of(V) == NO_TERMS

    lived(stage, story)


def test_no_answer_within_the_budget_goes_on_by_the_offline_policy(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        assert await stage.terms(9.0, lambda: None) == (OFFLINE, BUDGET_S)
        assert stage.till.terms_of(V) == OFFLINE

    lived(stage, story)
    assert stage.till.counts["no answer"] == 1


def test_a_late_answer_changes_nothing(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        assert (await stage.terms(9.0, lambda: None))[0] == OFFLINE
        stage.answer(granted=False, why=DENIED)
        assert stage.till.terms_of(V) == OFFLINE
        assert (await stage.terms(9.0, lambda: None, W))[0] == OFFLINE  # nor does it answer the next ask

    lived(stage, story)
    assert stage.till.counts["late"] == 1


@pytest.mark.parametrize("other", [{"nonce": "0" * 16}, {"visit": W}], ids=["nonce", "visit"])
def test_an_answer_to_another_ask_changes_nothing(stage: Stage, other: dict[str, Any]) -> None:
    async def story(stage: Stage) -> None:
        said = await stage.terms(0.3, lambda: stage.answer(**other))
        assert said == (OFFLINE, BUDGET_S)

    lived(stage, story)
    assert stage.till.counts["foreign"] == 1


def test_yesterdays_answer_replayed_opens_nothing_today(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        await stage.terms(0.1, stage.answer)
        yesterdays = Answer(V, stage.cloud.asked[0]["nonce"], granted=True, hold_minor=9_999, why="")
        said = await stage.terms(0.1, lambda: stage.till.answer(yesterdays), W)
        assert said == (OFFLINE, BUDGET_S)
        assert stage.till.terms_of(V) == Terms("cloud", 1_500)

    lived(stage, story)
    assert stage.till.counts["replayed"] == 1


def test_two_answers_to_one_ask_count_once(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        def both() -> None:
            stage.answer()
            stage.answer(granted=False, why=DENIED)

        assert (await stage.terms(0.1, both))[0] == Terms("cloud", 1_500)

    lived(stage, story)
    assert stage.till.counts["replayed"] == 1


def test_nobody_waits_for_a_cloud_that_is_not_there(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        stage.cloud.there = False
        assert await stage.terms(0.5, lambda: None) == (OFFLINE, 0.0)

    lived(stage, story)


def test_a_visit_is_asked_for_once(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        await stage.terms(9.0, lambda: None)
        assert await stage.terms(9.0, lambda: None) == (OFFLINE, 0.0)

    lived(stage, story)
    assert len(stage.cloud.asked) == 1


def test_without_a_cloud_in_the_config_everybody_shops_and_nobody_keeps_an_account(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        stage.till.cloud = None
        for number in range(1, 5):
            shop(stage.ledger, number)
        assert await stage.terms(0.5, lambda: None) == (NO_TERMS, 0.0)

    lived(stage, story)
    assert stage.till.figures() == {"policy": "none"}


def block(stage: Stage) -> None:
    assert stage.till.take_roster(Roster(1, {ANNA: UNPAID}))


@pytest.mark.parametrize("there", [True, False], ids=["silent", "away"])
def test_a_blocked_member_is_refused_without_the_clouds_word(stage: Stage, *, there: bool) -> None:
    async def story(stage: Stage) -> None:
        block(stage)
        stage.cloud.there = there
        assert (await stage.terms(9.0, lambda: None))[0] == Refused(UNPAID)

    lived(stage, story)


def test_a_blocked_member_is_refused_also_when_a_grant_comes_late(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        block(stage)
        assert (await stage.terms(BUDGET_S + 0.01, stage.answer))[0] == Refused(UNPAID)
        await asyncio.sleep(1.0)
        assert stage.till.terms_of(V) == NO_TERMS

    lived(stage, story)
    assert stage.till.counts["late"] == 1


def test_who_has_paid_meanwhile_is_let_in_by_the_clouds_newer_word(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        block(stage)
        assert (await stage.terms(0.1, stage.answer))[0] == Terms("cloud", 1_500)

    lived(stage, story)


def test_the_third_unconfirmed_visit_of_a_member_is_the_last(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        for number in range(1, 4):
            assert (await stage.terms(9.0, lambda: None, VisitId(f"v{number}")))[0] == OFFLINE
            shop(stage.ledger, number)
        assert (await stage.terms(9.0, lambda: None))[0] == Refused(MEMBER_LIMIT)

    lived(stage, replaced(story, limits=Limits(member_minor=99_999)))


def replaced(story: Story, limits: Limits) -> Story:
    async def told(stage: Stage) -> None:
        stage.till.limits = limits
        await story(stage)

    return told


def test_an_old_roster_lets_nobody_in_and_is_told_to_the_doctor(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        stage.till.take_roster(Roster(1, {}))
        assert stage.till.trouble() is None
        await asyncio.sleep(8 * 86_400)
        assert (await stage.terms(9.0, lambda: None))[0] == Refused(OLD_ROSTER)
        assert "8.0 days old" in (stage.till.trouble() or "")

    lived(stage, story)


def test_a_cloud_that_never_sent_a_roster_is_no_trouble(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        assert stage.till.trouble() is None

    lived(stage, story)


def test_the_age_of_the_roster_is_written_down_every_ten_minutes(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        stage.till.take_roster(Roster(1, {}))
        running = asyncio.create_task(stage.till.run())
        await asyncio.sleep(2 * KEEP_EVERY_S + 1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert f'"age_ms": {round(2 * KEEP_EVERY_S * 1000)}' in (stage.ledger.note(ROSTER) or "")

    lived(stage, story)


def test_the_figures_name_roster_blocked_and_what_is_at_risk(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        block(stage)
        shop(stage.ledger, 1)
        await asyncio.sleep(60.0)
        figures = stage.till.figures()
        assert (figures["roster"], figures["blocked"]) == ({"version": 1, "age_s": 60}, 1)
        assert figures["unconfirmed"] == {"visits": 1, "minor": 250}
        assert figures["limits"]["cabinet_visits"] == 200

    lived(stage, story)


def test_a_year_of_visits_leaves_no_pile(stage: Stage) -> None:
    async def story(stage: Stage) -> None:
        stage.cloud.at_once = lambda _: stage.answer()
        for number in range(5 * REMEMBERED):
            await stage.terms(0.0, lambda: None, VisitId(f"v{number}"))
        till = stage.till
        assert max(len(pile) for pile in (till._asked, till._used, till._granted, till._waiting)) <= REMEMBERED

    lived(stage, story)
