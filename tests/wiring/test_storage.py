"""The ledger at the start, and a recovered one where no cloud can store its incident."""

import asyncio
import logging
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from cabinet import clock, logsafe
from cabinet.ballast import Ballast
from cabinet.ledger import Incident, Ledger
from cabinet.ledger.outbox import SPLIT, SPLIT_WHY
from cabinet.ledger.recovery import damaged_files
from cabinet.parts import Parts
from cabinet.session import events as ev
from cabinet.session.states import Idle, OutOfService, faults
from cabinet.units import VisitId
from cabinet.wiring import storage
from tests.control.room import facts
from tests.ledger.examples import shop, stamp
from tests.test_daemon import Cabinet, daemon_of, live

V = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV")


def recovered(path: Path) -> Ledger:
    """As a recovery leaves it."""
    ledger = Ledger(path)
    ledger.commit(Idle(), [Incident("the ledger was damaged and recovered", at="ledger")], stamp())
    ledger.set_note(SPLIT, "1")
    ledger.set_note(SPLIT_WHY, "the ledger was damaged and recovered; waiting until the cloud has stored that incident")
    return ledger


def test_without_a_cloud_a_recovered_ledger_waits_for_a_service_visit_also_over_a_restart(tmp_path: Path) -> None:
    with recovered(tmp_path / "ledger.db") as ledger:
        for _ in range(2):  # the second is a restart: the machine's own state remembers
            cabinet = Cabinet(ledger)
            daemon = daemon_of(cabinet)
            parts = Parts(daemon.post, lambda: 0.0)
            parts.expect("history", needed=True)
            storage.without_cloud(ledger, parts, daemon)
            daemon.state = ledger.state() or Idle()
            live(daemon, ev.Restarted(0.0), *queued(daemon.events), ev.PartRestored(1.0, "cabinet"))
            assert isinstance(daemon.state, OutOfService)
            (fault,) = [one for one in faults(daemon.state) if one.part == "history"]
            assert (fault.latched, "before a service visit" in fault.why) == (True, True)
            assert ledger.split() is None
        live(
            daemon,
            ev.ServiceRequested(2.0, V, "rosa", "service", "looked at it"),
            ev.DoorOpened(3.0),
            ev.DoorClosed(4.0),
        )
        assert daemon.state == Idle()


def queued(events: "asyncio.Queue[ev.Event]") -> list[ev.Event]:
    found = []
    while not events.empty():
        found.append(events.get_nowait())
    return found


def test_a_damaged_ledger_is_recovered_at_the_start_and_counted(tmp_path: Path) -> None:
    config = facts(tmp_path)
    folder = config.cabinet.data_dir
    folder.mkdir(exist_ok=True)
    with Ledger(folder / "ledger.db") as ledger:
        shop(ledger, 1)
    content = (folder / "ledger.db").read_bytes()
    (folder / "ledger.db").write_bytes(bytes(100) + content[100:])
    with storage.open_ledger(config) as ledger:
        assert len(ledger.visits()) == 1
    assert len(damaged_files(folder / "ledger.db")) == 1
    assert storage.counters(folder)()["damaged_files_kept"] == 1


def test_time_goes_on_from_where_it_was_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "FLOOR", clock.Floor())
    config = facts(tmp_path)
    config.cabinet.data_dir.mkdir(exist_ok=True)
    with Ledger(config.cabinet.data_dir / "ledger.db") as ledger:
        ledger.keep_time_floor(stamp())
    storage.open_ledger(config).close()
    assert clock.FLOOR.wall_ms == stamp().wall_ms


def test_on_a_disk_without_a_single_mib_the_ballast_goes_before_the_ledger_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = facts(tmp_path)
    config.cabinet.data_dir.mkdir(exist_ok=True)
    ballast: Ballast = storage.ballast(config)
    ballast.make()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    storage.open_ledger(config).close()
    assert not ballast.there


def test_the_daemons_log_is_guarded() -> None:
    """`cabinet run` sets the log up with it: wiring.run."""
    handler = logging.StreamHandler()
    logging.getLogger().addHandler(handler)
    try:
        logsafe.guard()
        assert any(isinstance(one, logsafe.Redaction) for one in handler.filters)
    finally:
        logging.getLogger().removeHandler(handler)
