"""From one visit to the next: greeter, policy, daemon and ledger together, with nothing put in their place."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cabinet.basket.verdict import Charge, Line, Review, Verdict
from cabinet.daemon import Tallied
from cabinet.greeter import Offered
from cabinet.identity.credit import UNPAID, Roster
from cabinet.identity.decide import Refused
from cabinet.identity.gallery import FaceGallery
from cabinet.identity.risk import LOW_TRUST, Policy
from cabinet.ledger import Consent, Ledger
from cabinet.session import events as ev
from cabinet.session.states import Idle
from cabinet.trustkeeper import TrustKeeper
from cabinet.units import Sku, VisitId
from tests.greeter.stage import ANNS, CODE, Desk, Stage, vector
from tests.ledger.examples import visit_id
from tests.support.trust_stage import SWAP
from tests.support.virtual_time import run_in_virtual_time
from tests.test_daemon import Cabinet, daemon_of

PAID = Charge((Line(Sku("111"), "Cola", 2, 220, "beverage"),), 0.98)
SUSPECTED = Review(SWAP.why)


@dataclass
class Door:
    """A cabinet whose greeter sees Ann; `attempt` begins one, `shops` goes on to the bill."""

    ledger: Ledger

    def __post_init__(self) -> None:
        self.ann = self.ledger.add_member("Ann", Consent("1", 0, "en"))
        self.ledger.set_digits(self.ann, "1234")
        self.stage = Stage()
        self.stage.desk.gallery = FaceGallery([(self.ann, vector(ANNS.like))])
        self.stage.faces.found = [ANNS]
        self.parts = Cabinet(self.ledger)
        self.daemon = daemon_of(self.parts)
        self.daemon.greeter = self.stage.greeter
        self.keeper = TrustKeeper(self.ledger, Policy(), self.daemon.stamp, "boot-1")
        self.keeper.start()
        self.daemon.watchers.append(self.keeper.happened)
        door = self.stage.door
        door.assess, door.turned_away, door.digits = self.keeper.assess, self.keeper.turned_away, self.ledger.digits_of
        door.card = {CODE: self.ann}.get
        self.till = Desk()
        door.terms = self.till.terms
        self.attempts = 0

    async def attempt(self) -> VisitId:
        """She looks at the camera for four frames; what the greeter says is told to the machine."""
        self.attempts += 1
        visit = visit_id(self.attempts)
        await self.daemon.handle(ev.ShopperApproached(self.daemon.now(), visit))
        self.stage.state = self.daemon.state
        await self.stage.see(frames=4)
        await self.told()
        return visit

    async def told(self) -> None:
        while self.stage.posted:
            await self.daemon.handle(self.stage.posted.pop(0))

    async def shops(self, verdict: Verdict) -> None:
        """Once the door is unlocked."""
        visit = visit_id(self.attempts)
        for event in (ev.DoorOpened(0.0), ev.DoorClosed(0.0), ev.EvidenceComplete(0.0, visit)):
            await self.daemon.handle(event)
        self.parts.tallied = Tallied(verdict, "e" * 64)
        billed = isinstance(verdict, Charge)
        await self.daemon.handle(ev.VisitTallied(0.0, visit, "charge" if billed else "review"))
        assert isinstance(self.daemon.state, Idle)

    def let_in_by(self) -> str | None:
        record = self.ledger.visit(visit_id(self.attempts))
        return None if record is None else record.who


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with Ledger(tmp_path / "l.db") as ledger:
        yield Door(ledger)


def test_misconduct_in_one_visit_asks_for_digits_in_the_next(door: Door) -> None:
    async def story() -> None:
        await door.attempt()
        assert door.let_in_by() == "face"
        await door.shops(SUSPECTED)
        second = await door.attempt()
        assert door.let_in_by() is None
        assert door.stage.greeter.asked == "digits"
        await door.stage.greeter.digits("1234")
        await door.told()
        assert door.let_in_by() == "digits"
        kept = door.ledger.admission(second)
        assert kept is not None
        assert (kept.judgement, kept.reasons[0]) == ("allow", "trust 45 < 50")

    run_in_virtual_time(story())


def test_an_honest_visit_asks_for_nothing_more_and_raises_the_limit(door: Door) -> None:
    async def story() -> None:
        await door.attempt()
        await door.shops(PAID)
        await door.attempt()
        assert door.let_in_by() == "face"
        assert [minor for _, _, minor in door.till.asked] == [2_000, 5_000]

    run_in_virtual_time(story())


def test_a_token_is_the_second_proof_and_a_card_a_small_one(door: Door) -> None:
    async def story() -> None:
        await door.attempt()
        await door.shops(SUSPECTED)
        door.stage.codes.texts = ["CAB2:AAAA"]
        door.stage.door.token = lambda _: Offered(door.ann, 1_700)
        await door.attempt()
        assert door.let_in_by() == "token"
        await door.shops(PAID)
        door.stage.codes.texts = [CODE]
        await door.attempt()
        assert door.let_in_by() == "card"
        assert [minor for _, _, minor in door.till.asked] == [2_000, 1_700, 1_000]

    run_in_virtual_time(story())


def test_three_suspicions_within_days_refuse_kindly_and_tell_why(door: Door) -> None:
    async def story() -> None:
        for number in range(3):
            await door.attempt()
            if number:
                await door.stage.greeter.digits("1234")
                await door.told()
            await door.shops(SUSPECTED)
        await door.attempt()
        assert door.let_in_by() is None
        assert door.stage.greeter.refusal == LOW_TRUST

    run_in_virtual_time(story())
    (refused,) = door.ledger.refused()
    assert (refused.why, refused.reasons[0]) == (LOW_TRUST, "trust 0 < 20")


def test_wrong_digits_are_a_refused_attempt_and_no_misconduct_of_hers(door: Door) -> None:
    async def story() -> None:
        await door.attempt()
        await door.shops(SUSPECTED)
        await door.attempt()
        for _ in range(3):
            await door.stage.greeter.digits("0000")
        await door.told()

    run_in_virtual_time(story())
    (refused,) = door.ledger.refused()
    assert (refused.member, refused.why) == (door.ann, "wrong digits")
    assert door.keeper.standing(door.ann).trust == 45


def test_whom_the_till_refuses_is_kept_with_the_tills_reason(door: Door) -> None:
    async def story() -> None:
        door.till.says = Refused(UNPAID)
        await door.attempt()

    run_in_virtual_time(story())
    (refused,) = door.ledger.refused()
    assert (refused.why, refused.reasons) == (UNPAID, (UNPAID, "new: limit 2000"))


def test_a_debt_makes_careful_until_it_is_paid(door: Door) -> None:
    async def story() -> None:
        door.ledger.keep_roster(Roster(1, {door.ann: "unpaid"}), door.daemon.stamp(), "boot-1")
        door.keeper.debts()
        await door.attempt()
        assert door.stage.greeter.asked == "digits"
        await door.daemon.handle(ev.DeadlineReached(0.0))
        door.ledger.keep_roster(Roster(2, {}), door.daemon.stamp(), "boot-1")
        door.keeper.debts()
        await door.attempt()
        assert door.let_in_by() == "face"

    run_in_virtual_time(story())
