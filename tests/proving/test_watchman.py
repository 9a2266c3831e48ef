"""Each invariant is broken on purpose, and the watchman must notice; an honest campaign breaks none."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

import cabinet.daemon
import cabinet.tallier
from cabinet.basket.evidence import Visit
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.verdict import Charge, Line, Nothing, Verdict
from cabinet.cloud.books import Books
from cabinet.cloud.money import accounts, payments, roster
from cabinet.cloud.money.sandbox import Sandbox
from cabinet.cloud.money.values import Call, Intent, Payment
from cabinet.cloud.money.values import Entry as Entry_
from cabinet.ledger import ClosedVisit, Entry, Ledger, Stamp
from cabinet.proving.campaign import Ground, Mix, Report, Seed, run
from cabinet.proving.mishaps import Book
from cabinet.session import effects as do
from cabinet.session.effects import Effect
from cabinet.session.events import Event
from cabinet.session.machine import Step
from cabinet.session.machine import step as right
from cabinet.session.policy import Policy
from cabinet.session.states import State
from cabinet.sim.board import SimBoard

Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def without(*kinds: type[Effect]) -> Callable[[State, Event, Policy], Step]:
    """The session machine, forgetting some of its effects."""

    def step(state: State, event: Event, policy: Policy) -> Step:
        after, effects = right(state, event, policy)
        return Step(after, tuple(effect for effect in effects if not isinstance(effect, kinds)))

    return step


def never_relocks(patch: Patch) -> None:
    patch.setattr(cabinet.daemon, "step", without(do.EngageLock))
    patch.setattr(SimBoard, "_end_lease", lambda _: None)


def unlocks_before_it_is_written(patch: Patch) -> None:
    patch.setattr(cabinet.daemon, "step", without(do.OpenVisit))


def tells_nobody_of_doors(patch: Patch) -> None:
    patch.setattr(cabinet.daemon, "step", without(do.RaiseIncident))


def forgets_to_close(patch: Patch) -> None:
    patch.setattr(cabinet.daemon, "step", without(do.CloseVisit))


def charges_what_was_put_back(patch: Patch) -> None:
    def judge(visit: Visit, policy: TallyPolicy, *, complete: bool) -> Verdict:
        verdict = truly(visit, policy, complete=complete)
        sku, product = max(visit.header.catalog.items(), key=lambda pair: pair[1].mass_g)
        line = Line(sku, product.name, 1, product.unit_price, product.tax)
        return Charge((line,), 0.99, verdict.account) if isinstance(verdict, Nothing) else verdict

    truly = cabinet.tallier.judge
    patch.setattr("cabinet.proving.cabinet.judge", judge)


def says_nothing_was_taken(patch: Patch) -> None:
    patch.setattr("cabinet.proving.cabinet.judge", lambda *_, **__: Nothing(1.0))


def writes_another_closing(patch: Patch) -> None:
    def commit(self: Book, state: State, entries: Sequence[Entry], clock: Stamp) -> None:
        kept = [
            replace(e, outcome="void", lines=(), total_minor=0, moves={}) if isinstance(e, ClosedVisit) else e
            for e in entries
        ]
        Ledger.commit(self, state, kept, clock)
        self.committed.saw(state, entries)

    patch.setattr(Book, "commit", commit)


def never_captures(patch: Patch) -> None:
    """The cashier forgets what is due as long as a hold stands."""
    patch.setattr(payments, "_of_hold", lambda *_: None)


def captures_a_cent_more(patch: Patch) -> None:
    """The provider does, and says what it was asked."""

    def capture(self: Sandbox, intent: str, key: str, amount_minor: int, currency: str) -> Intent:
        seen = truly(self, intent, key, amount_minor, currency)
        with self._books() as db:
            db.execute("UPDATE intent SET amount_minor = amount_minor + 1, captured_minor = captured_minor + 1")
        return seen

    truly = Sandbox.capture
    patch.setattr(Sandbox, "capture", capture)


def keeps_holds_of_empty_hands(patch: Patch) -> None:
    def of_hold(payment: Payment, now_ms: int) -> Call | None:
        call = truly(payment, now_ms)
        return None if call is not None and call.op == "cancel" else call

    truly = payments._of_hold
    patch.setattr(payments, "_of_hold", of_hold)


def books_half_a_capture(patch: Patch) -> None:
    def post_entry(books: Books, payment: Payment, entry: Entry_, now_ms: int) -> bool:
        return entry.kind == "capture" or truly(books, payment, entry, now_ms)

    truly = accounts.post_entry
    patch.setattr(accounts, "post_entry", post_entry)


def lets_debtors_in(patch: Patch) -> None:
    patch.setattr(roster, "why_not", lambda *_: "")


SABOTAGE: dict[str, tuple[Callable[[Patch], None], Mix]] = {
    "lock": (never_relocks, "hostile"),
    "order": (unlocks_before_it_is_written, "honest"),
    "door": (tells_nobody_of_doors, "hostile"),
    "once": (forgets_to_close, "honest"),
    "charged": (charges_what_was_put_back, "honest"),
    "stock": (says_nothing_was_taken, "honest"),
    "books": (writes_another_closing, "faults"),
    "captured": (never_captures, "faults"),
    "holds": (keeps_holds_of_empty_hands, "faults"),
    "balance": (books_half_a_capture, "faults"),
    "owing": (lets_debtors_in, "faults"),
}


def test_a_cent_too_much_is_noticed(monkeypatch: Patch) -> None:
    captures_a_cent_more(monkeypatch)
    report = Report("faults", 77, 20)
    for _ in run(report):
        pass
    assert any(
        "captured" in violation["what"] for violation in report.violations if "captured" in violation["invariant"]
    )


@pytest.mark.parametrize("invariant", SABOTAGE)
def test_the_watchman_notices_what_must_never_happen(invariant: str, monkeypatch: Patch) -> None:
    sabotage, mix = SABOTAGE[invariant]
    sabotage(monkeypatch)
    report = Report(mix, 77, 60)
    for _ in run(report):
        if any(violation["invariant"] == invariant for violation in report.violations):
            return
    pytest.fail(f"{report.visits} visits: {report.violations}")


@pytest.mark.parametrize(("mix", "visits"), [("honest", 100), ("hostile", 100), ("faults", 150), ("all", 100)])
def test_a_campaign_breaks_no_invariant(mix: Mix, visits: int) -> None:
    report = Report(mix, 482, visits)
    for _ in run(report):
        pass
    assert report.violations == []
    assert (report.visits, report.outcomes["open"]) == (visits, 0)


def test_honest_people_are_charged_right_and_never_too_much() -> None:
    report = Report("honest", 9, 400)
    for _ in run(report):
        pass
    assert report.outcomes["exact"] >= 390
    assert report.outcomes["over"] + report.outcomes["swap"] <= 3


@pytest.mark.parametrize("mix", ["honest", "hostile", "faults"])
def test_a_seed_plays_the_same_visit_alone_as_in_its_campaign(mix: Mix) -> None:
    with Ground(keep_log=True) as ground:
        together = [ground.play(Seed.of(5, place, mix)) for place in range(40)]
    for wanted in together[::5]:
        with Ground(keep_log=True) as ground:
            alone = ground.play(Seed.read(wanted.seed.number))
        assert (alone.log, alone.outcomes) == (wanted.log, wanted.outcomes)


def test_every_state_of_a_visit_sees_the_program_die() -> None:
    report = Report("faults", 31, 500)
    for _ in run(report):
        pass
    assert set(report.killed_in) >= {"Idle", "Unlocked", "Watching", "Closing"}
    assert report.violations == []
