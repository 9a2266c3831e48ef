"""What the fleet is told, in the shape the AsyncAPI document describes."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from cabinet import clock
from cabinet.basket.evidence import Product
from cabinet.caretaker import PROBE_SILENT_S
from cabinet.daemon import Happened
from cabinet.ledger import ClosedVisit, Ledger, OpenedVisit
from cabinet.parts import Parts
from cabinet.reporter import SHED_S, Reporter
from cabinet.senses import Nerves
from cabinet.session import effects as do
from cabinet.session import events as ev
from cabinet.session.states import Closing, Fault, Idle, OutOfService, State, Tallying, Unlocked
from cabinet.units import MemberId, Sku, VisitId, ZoneId
from cabinet.uplink.telemetry import state_payload, telemetry_payload
from cabinet.witness import Witness
from tests.support.virtual_time import run_in_virtual_time
from tests.uplink.test_asyncapi import check

V, ANN = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV"), MemberId("01JANN")
AT = {"boot": "0" * 16, "mono_ms": 1, "wall_ms": 2, "clock": "ntp"}


@dataclass
class Fleet:
    states: list[Mapping[str, Any]] = field(default_factory=list)
    telemetry: list[Mapping[str, Any]] = field(default_factory=list)
    pokes: int = 0
    connected: bool = True

    def publish_state(self, state: Mapping[str, Any]) -> None:
        self.states.append(state)

    def publish_telemetry(self, telemetry: Mapping[str, Any]) -> bool:
        if self.connected:
            self.telemetry.append(telemetry)
        return self.connected

    def poke(self) -> None:
        self.pokes += 1


@dataclass
class Stage:
    folder: Path
    ledger: Ledger
    state: State = field(default_factory=Idle)
    fleet: Fleet = field(default_factory=Fleet)

    def __post_init__(self) -> None:
        self.parts = Parts(lambda _: None, clock.now_s)
        self.nerves = Nerves(lambda _: None, cast("Witness", None), self.parts)
        self.reporter = Reporter(
            self.fleet, self.ledger, self.parts, self.nerves, self.folder, 60.0, lambda: "Hello", lambda: self.state
        )

    def step(self, event: ev.Event, before: State, after: State, *effects: do.Effect, at_s: float = 0.0) -> None:
        self.state = after
        self.reporter.happened(Happened(at_s, event, before, after, effects))

    def shop(self, outcome: str) -> None:
        """The visit is opened and closed in the ledger."""
        self.ledger.commit(Unlocked(V, ANN, 9.0), [OpenedVisit(V, ANN, "shop", "face", "", 1, {}, V)], clock.stamp())
        closed = ClosedVisit(V, cast("Any", outcome), currency="USD")
        self.ledger.commit(Idle(), [closed], clock.stamp())


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield Stage(tmp_path, ledger)


def test_a_new_state_is_told_with_screen_and_faults(stage: Stage) -> None:
    fault = Fault("scale:s1", "silent")
    stage.step(ev.PartLost(1.0, fault), Idle(), OutOfService((fault,)))
    (told,) = stage.fleet.states
    assert told == {
        "state": "OutOfService",
        "screen": "Hello",
        "faults": [{"part": "scale:s1", "why": "silent", "latched": False}],
    }
    check("state", state_payload("c1", told, AT))


def test_a_step_that_changes_nothing_is_not_told(stage: Stage) -> None:
    stage.step(ev.DoorClosed(1.0), Idle(), Idle())
    assert (stage.fleet.states, stage.fleet.pokes) == ([], 0)


def test_rows_in_the_outbox_are_poked_through(stage: Stage) -> None:
    stage.step(ev.DoorOpened(1.0), Idle(), OutOfService((Fault("door", "forced"),)), do.RaiseIncident("forced"))
    assert stage.fleet.pokes == 1


def test_health_is_as_the_document_describes(stage: Stage) -> None:
    stage.parts.expect("board", needed=True)
    stage.parts.expect("lock", needed=True, why=None)
    stage.reporter.tell_health()
    (told,) = stage.fleet.telemetry
    assert [(part["part"], part["ok"]) for part in told["parts"]] == [("board", False), ("lock", True)]
    check("telemetry", telemetry_payload("c1", told, AT))


def test_a_reading_of_long_ago_is_not_told_as_the_temperature(stage: Stage) -> None:
    stage.nerves.temperatures_c = {"fresh": (4.0, clock.now_s()), "dead": (21.0, clock.now_s() - PROBE_SILENT_S - 1)}
    stage.reporter.tell_health()
    assert stage.fleet.telemetry[0]["temperature_c"] == 4.0


def test_without_a_probe_no_temperature_is_told(stage: Stage) -> None:
    stage.reporter.tell_health()
    assert stage.fleet.telemetry[0]["temperature_c"] is None


def test_stock_is_told_row_by_row(stage: Stage) -> None:
    stage.ledger.put_product(Sku("1"), Product("Cola", 500.0, 220))
    stage.ledger.set_stock(ZoneId("s1"), Sku("1"), 5)
    stage.reporter.tell_stock()
    (told,) = stage.fleet.telemetry
    assert told["rows"] == [{"zone": "s1", "sku": "1", "count": 5}]
    check("telemetry", telemetry_payload("c1", told, AT))


def test_a_closed_visit_is_told_in_one_line_with_the_time_it_took(stage: Stage) -> None:
    stage.shop("nothing")
    stage.step(ev.DoorClosed(10.0), Unlocked(V, ANN, 9.0), Closing(V, ANN, 15.0))
    tallied = ev.VisitTallied(10.9, V, "nothing")
    stage.step(tallied, Tallying(V, ANN, 20.0), Idle(), do.CloseVisit(V, "nothing"), at_s=10.9)
    (told,) = stage.fleet.telemetry
    assert (told["visit"], told["outcome"], told["t_close_to_verdict_ms"]) == (V, "nothing", 900)
    check("telemetry", telemetry_payload("c1", told, AT))


def test_a_visit_whose_door_was_never_opened_has_no_such_time(stage: Stage) -> None:
    stage.step(ev.DoorClosed(10.0), Idle(), Idle())
    stage.shop("void")
    due = ev.DeadlineReached(500.0)
    stage.step(due, Unlocked(V, ANN, 500.0), Idle(), do.CloseVisit(V, "void"), at_s=500.0)
    assert stage.fleet.telemetry[0]["t_close_to_verdict_ms"] is None


def test_what_was_shed_before_the_connection_is_told_soon_after_it(stage: Stage) -> None:
    async def live() -> None:
        stage.fleet.connected = False
        running = asyncio.create_task(stage.reporter.run())
        await asyncio.sleep(2.0)
        stage.fleet.connected = True
        await asyncio.sleep(SHED_S)
        assert [told["kind"] for told in stage.fleet.telemetry] == ["health", "stock"]
        await asyncio.sleep(57.0)
        assert len(stage.fleet.telemetry) == 2
        await asyncio.sleep(2.0)
        assert len(stage.fleet.telemetry) == 4
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_in_virtual_time(live())


def test_no_telemetry_names_the_member(stage: Stage) -> None:
    stage.shop("nothing")
    stage.step(ev.VisitTallied(1.0, V, "nothing"), Tallying(V, ANN, 2.0), Idle(), do.CloseVisit(V, "nothing"))
    assert ANN not in str(stage.fleet.telemetry + stage.fleet.states)
