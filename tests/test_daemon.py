"""The shell: durable first, then done; late or failing parts change nothing about that."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cabinet.basket.verdict import Account, Charge, Line, Review
from cabinet.daemon import SIGNALS, Daemon, Tallied
from cabinet.identity.credit import NO_TERMS, Terms
from cabinet.ledger import Ledger
from cabinet.ports import PortError
from cabinet.session import events as ev
from cabinet.session.effects import Notice
from cabinet.session.policy import Policy
from cabinet.session.states import Authenticating, Closing, Fault, Idle, OutOfService, Recovering, Tallying, Unlocked
from cabinet.units import MemberId, Sku, VisitId, ZoneId

V, WHO = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV"), MemberId("ann")
COLA = Line(Sku("111"), "Cola", 2, 220, "beverage")


@dataclass
class Cabinet:
    """Every part the daemon orders about, writing down what it was told."""

    ledger: Ledger
    told: list[str] = field(default_factory=list)
    lock_fails: bool = False
    disk_fails: bool = False
    tallied: Tallied | None = None
    parts: dict[str, str | None] = field(default_factory=dict)

    async def release(self, visit: VisitId, lease_s: float) -> None:
        opened = [record.visit for record in self.ledger.open_visits()]
        self.told.append(f"release with {opened} durable, {lease_s:g} s")
        if self.lock_fails:
            raise PortError("lock: no answer")

    async def engage(self) -> None:
        self.told.append("engage")

    async def check(self) -> None: ...

    async def clear_faults(self) -> None: ...

    def keep_alive(self) -> None: ...

    async def lamp(self, mode: str) -> None: ...

    async def buzzer(self, pattern: str) -> None: ...

    def look(self, visit: VisitId) -> None:
        self.told.append(f"look {visit}")

    def stop(self) -> None:
        self.told.append("stop looking")

    def baseline_g(self) -> dict[ZoneId, float]:
        return {ZoneId("s1"): 1000.0}

    def trace_of(self, visit: VisitId) -> str:
        return visit

    def start(self, visit: VisitId, purpose: str) -> None:
        self.told.append(f"trace {purpose}")
        if self.disk_fails:
            raise PortError("trace: no space left")

    def finish(self, visit: VisitId) -> None:
        self.told.append("finish")

    def give_up(self, visit: VisitId) -> None:
        self.told.append("give up")

    def end(self, visit: VisitId) -> None:
        self.told.append("end")

    def tally(self, visit: VisitId, *, complete: bool) -> None:
        self.told.append(f"tally complete={complete}")

    def result(self, visit: VisitId) -> Tallied | None:
        return self.tallied

    def show(self, notice: Notice, visit: VisitId | None) -> None:
        self.told.append(notice.value)

    def part(self, name: str, why: str | None) -> None:
        self.parts[name] = why


@pytest.fixture
def cabinet(tmp_path: Path) -> Iterator[Cabinet]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield Cabinet(ledger)


def daemon_of(cabinet: Cabinet) -> Daemon:
    return Daemon(
        ledger=cabinet.ledger,
        lock=cabinet,
        signals=cabinet,
        greeter=cabinet,
        witness=cabinet,
        tallier=cabinet,
        policy=Policy(),
        currency="USD",
        show=cabinet.show,
        part=cabinet.part,
    )


def live(daemon: Daemon, *events: ev.Event) -> None:
    async def handle() -> None:
        for event in events:
            await daemon.handle(event)

    asyncio.run(handle())


def shop(daemon: Daemon) -> None:
    """From the approach to the tally."""
    live(
        daemon,
        ev.ShopperApproached(0.0, V),
        ev.MemberRecognised(1.0, V, WHO, "face"),
        ev.DoorOpened(2.0),
        ev.DoorClosed(9.0),
        ev.EvidenceComplete(10.0, V),
    )


@pytest.mark.parametrize("notice", Notice)
def test_every_notice_has_a_lamp_and_a_sound(notice: Notice) -> None:
    assert notice in SIGNALS


def test_the_visit_is_durable_before_the_lock_is_released(cabinet: Cabinet) -> None:
    live(daemon_of(cabinet), ev.ShopperApproached(0.0, V), ev.MemberRecognised(1.0, V, WHO, "face"))
    assert f"release with ['{V}'] durable, 10 s" in cabinet.told


@pytest.mark.parametrize(("asked_for", "terms"), [(V, Terms("cloud", 1_500)), (VisitId("yesterday"), NO_TERMS)])
def test_the_opening_has_the_terms_of_its_own_visit(cabinet: Cabinet, asked_for: VisitId, terms: Terms) -> None:
    daemon = daemon_of(cabinet)
    daemon.terms_of = lambda visit: Terms("cloud", 1_500) if visit == asked_for else NO_TERMS
    live(daemon, ev.ShopperApproached(0.0, V), ev.MemberRecognised(1.0, V, WHO, "face"))
    record = cabinet.ledger.visit(V)
    assert record is not None
    assert record.terms == terms


def test_a_member_recognised_for_another_visit_opens_nothing(cabinet: Cabinet) -> None:
    old = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAA")
    live(daemon_of(cabinet), ev.ShopperApproached(0.0, V), ev.MemberRecognised(8.3, old, WHO, "face"))
    assert cabinet.ledger.visits() == []
    assert not [line for line in cabinet.told if line.startswith("release")]


def test_what_is_missing_is_written_down_before_the_tally_reads(cabinet: Cabinet) -> None:
    daemon = daemon_of(cabinet)
    live(
        daemon,
        ev.ShopperApproached(0.0, V),
        ev.MemberRecognised(1.0, V, WHO, "face"),
        ev.DoorOpened(2.0),
        ev.DoorClosed(9.0),
        ev.DeadlineReached(14.0),
    )
    assert cabinet.told[-2:] == ["give up", "tally complete=False"]


def test_a_charge_is_written_with_its_lines(cabinet: Cabinet) -> None:
    daemon = daemon_of(cabinet)
    shop(daemon)
    moves = {ZoneId("s1"): {COLA.sku: 2}}
    cabinet.tallied = Tallied(Charge((COLA,), 0.98, Account(moves=moves)), "e" * 64)
    live(daemon, ev.VisitTallied(11.0, V, "charge"))
    record = cabinet.ledger.visit(V)
    assert record is not None
    assert (record.outcome, record.total_minor, record.lines) == ("charge", 440, (COLA,))


def test_a_review_charges_nothing_and_keeps_the_guess(cabinet: Cabinet) -> None:
    daemon = daemon_of(cabinet)
    shop(daemon)
    cabinet.tallied = Tallied(Review("ambiguous", best_guess=(COLA,)), "e" * 64)
    live(daemon, ev.VisitTallied(11.0, V, "review"))
    record = cabinet.ledger.visit(V)
    assert record is not None
    assert (record.outcome, record.total_minor, record.best_guess) == ("review", 0, (COLA,))


def test_a_charge_that_comes_after_the_deadline_is_not_billed(cabinet: Cabinet) -> None:
    daemon = daemon_of(cabinet)
    shop(daemon)
    live(daemon, ev.DeadlineReached(21.0))
    cabinet.tallied = Tallied(Charge((COLA,), 0.98), "e" * 64)
    live(daemon, ev.VisitTallied(22.0, V, "charge"))
    record = cabinet.ledger.visit(V)
    assert record is not None
    assert (record.outcome, record.total_minor) == ("review", 0)


def test_a_lock_that_fails_is_reported_as_a_part(cabinet: Cabinet) -> None:
    cabinet.lock_fails = True
    live(daemon_of(cabinet), ev.ShopperApproached(0.0, V), ev.MemberRecognised(1.0, V, WHO, "face"))
    assert cabinet.parts == {"lock": "lock: no answer"}


def test_a_visit_that_cannot_be_recorded_is_not_unlocked(cabinet: Cabinet) -> None:
    cabinet.disk_fails = True
    live(daemon_of(cabinet), ev.ShopperApproached(0.0, V), ev.MemberRecognised(1.0, V, WHO, "face"))
    assert not [line for line in cabinet.told if line.startswith("release")]
    assert cabinet.parts == {"disk": "trace: no space left"}


def test_an_event_that_changes_nothing_writes_nothing(cabinet: Cabinet) -> None:
    daemon = daemon_of(cabinet)
    live(daemon, ev.DoorClosed(1.0))
    assert cabinet.ledger.state() is None


@pytest.mark.parametrize(
    "state",
    [Unlocked(V, WHO, 10.0), Closing(V, WHO, 10.0), Tallying(V, WHO, 10.0)],
    ids=lambda state: type(state).__name__,
)
def test_a_restart_in_a_visit_goes_on_with_it_and_unlocks_nothing(
    cabinet: Cabinet, state: Unlocked | Closing | Tallying
) -> None:
    daemon = daemon_of(cabinet)
    live(daemon, ev.ShopperApproached(0.0, V), ev.MemberRecognised(1.0, V, WHO, "face"))
    daemon.state = state
    live(daemon, ev.PartLost(2.0, Fault("scale:s1", "silent")))  # commits the state
    cabinet.told.clear()
    again = daemon_of(cabinet)
    again.state = cabinet.ledger.state() or Idle()
    live(again, ev.Restarted(3.0))
    assert isinstance(again.state, Recovering)
    assert not [line for line in cabinet.told if line.startswith("release")]


def test_the_loop_itself_notices_a_deadline(cabinet: Cabinet) -> None:
    daemon = daemon_of(cabinet)

    async def wait() -> None:
        now_s = asyncio.get_running_loop().time()
        daemon.state = Authenticating(V, now_s)
        event = await daemon._next()
        assert isinstance(event, ev.DeadlineReached)

    asyncio.run(wait())


def test_whoever_asks_is_answered_with_the_step(cabinet: Cabinet) -> None:
    daemon = daemon_of(cabinet)

    async def ask() -> None:
        running = asyncio.create_task(daemon.run())
        lost = await daemon.ask(ev.PartLost(1.0, Fault("scale:s1", "silent")))
        assert isinstance(lost.after, OutOfService)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(ask())
