"""The daemon's learner: a technician's trace is read from disk once it is whole, and the incident is on disk."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet import clock, trace
from cabinet.basket.evidence import Bolt, Door, Happening, Header, Mass, Product, Zone
from cabinet.basket.policy import TallyPolicy
from cabinet.learner import Learner
from cabinet.ledger import Ledger
from cabinet.parts import Parts
from cabinet.session.events import DoorClosed, DoorOpened, Restarted, ServiceRequested
from cabinet.session.states import Idle
from cabinet.tallier import Tallier
from cabinet.units import Sku, VisitId, ZoneId
from cabinet.wiring import learning
from tests.test_daemon import Cabinet, daemon_of

V, S1, COLA = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV"), ZoneId("s1"), Sku("cola")
CATALOG = {COLA: Product("Cola", 500.0, 220)}
HEADER = Header(
    visit=V, cabinet="c1", started_at="2026-11-22T06:00:00Z", clock_trusted=True, purpose="service", currency="USD",
    zones={S1: Zone()}, cameras={}, catalog=CATALOG, planogram={S1: (COLA,)}, stock={S1: {COLA: 5}},
)  # fmt: skip  # a row


def recorded(folder: Path, left_g: float) -> None:
    events: list[Happening] = [Bolt(0.1, locked=False), Door(0.5, open=True)]
    for tenth in range(-30, 60):
        gone = left_g if tenth >= 15 else 0.0
        noise = [0.3 * ((7 * i + tenth) % 5 - 2) for i in range(8)]
        events.append(Mass(tenth / 10, S1, 80.0, tuple(2500.0 - gone + n for n in noise)))
    recorder = trace.Recorder.create(folder, HEADER)
    for event in [*events, Door(3.5, open=False)]:
        recorder.write(event)
    recorder.finish()


class Desk:
    """A daemon on a real ledger, with its learner, told of a technician's visit."""

    def __init__(self, folder: Path) -> None:
        self.traces = folder / "traces"
        self.ledger = Ledger(folder / "l.db")
        self.ledger.put_products(CATALOG)
        self.ledger.set_stock(S1, COLA, 5)
        self.daemon = daemon_of(Cabinet(self.ledger))
        self.parts = Parts(self.daemon.post, clock.now_s)
        tallier = Tallier(self.traces, TallyPolicy(), self.daemon.post)
        self.poked = 0
        self.learner: Learner = learning.learner(self.ledger, self.daemon, tallier, self.parts, self.traces, self._poke)
        assert tallier.taught == self.learner.taught

    def _poke(self) -> None:
        self.poked += 1

    async def serve(self) -> None:
        for event in (
            Restarted(0.0), ServiceRequested(1.0, V, "tom", "service", "lamp"), DoorOpened(2.0), DoorClosed(9.0),
        ):  # fmt: skip  # a row
            if isinstance(event, ServiceRequested):
                self.daemon.state = Idle()
            await self.daemon.handle(event)
        await asyncio.sleep(0)
        while len(asyncio.all_tasks()) > 1:
            await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})

    @property
    def incidents(self) -> list[str]:
        return [row.body["why"] for row in self.ledger.outbox(limit=50) if row.type == "incident"]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(learning, "TRACE_ENDS_S", 0.0)
    one = Desk(tmp_path)
    yield one
    one.ledger.close()


def test_a_bottle_that_left_during_a_service_is_an_incident_with_the_visits_name(desk: Desk) -> None:
    recorded(desk.traces / V, 500.0)
    asyncio.run(desk.serve())
    (why,) = desk.incidents
    assert why == "goods left during a service: zone s1 weighs 500 g less; 1 x Cola (cola) would explain it"
    assert desk.poked == 1


def test_a_service_in_which_nothing_left_is_none(desk: Desk) -> None:
    recorded(desk.traces / V, 0.0)
    asyncio.run(desk.serve())
    assert (desk.incidents, desk.ledger.uncounted()) == ([], [])


@pytest.mark.parametrize("content", [None, "{}", "no json"])
def test_a_trace_that_cannot_be_read_is_no_incident_and_stops_nothing(desk: Desk, content: str | None) -> None:
    if content is not None:
        (desk.traces / V).mkdir(parents=True)
        (desk.traces / V / "visit.json").write_text(content)
        (desk.traces / V / "events.jsonl").write_text("")
    asyncio.run(desk.serve())
    record = desk.ledger.visit(V)
    assert record is not None
    assert (record.outcome, desk.incidents) == ("serviced", [])


def test_nothing_is_written_before_the_machine_knows_where_it_is(desk: Desk) -> None:
    desk.learner.counted()
    desk.learner.conclude()
    assert desk.ledger.state() is None
