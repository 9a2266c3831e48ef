"""The technician's control, put together: its rooms by what they are about, its live views, its counters."""

import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Protocol

from cabinet.config import Config
from cabinet.control import Control
from cabinet.control.board import BoardRoom
from cabinet.control.cameras import CameraRoom
from cabinet.control.charges import ChargesDesk
from cabinet.control.credit import CreditRoom
from cabinet.control.evidence import watched
from cabinet.control.fleet import FleetRoom
from cabinet.control.learning import LearningRoom
from cabinet.control.looking import Looking
from cabinet.control.maintenance import Maintenance
from cabinet.control.prices import PriceDesk
from cabinet.control.requests import Answer
from cabinet.control.scales import Weighing
from cabinet.control.selftest import Selftest
from cabinet.control.shopper import MemberKeys, walled
from cabinet.control.trail import Trail
from cabinet.control.trust import TrustDesk
from cabinet.learner import Learner
from cabinet.ledger import Ledger
from cabinet.parts import Parts
from cabinet.till import Till
from cabinet.wiring import facts as words
from cabinet.wiring import storage
from cabinet.wiring.hardware import Hardware
from cabinet.wiring.people import People
from cabinet.wiring.sensing import Sensing

Counters = dict[str, Callable[[], Mapping[str, float]]]
Streams = Mapping[str, Callable[[], AsyncIterator[Answer]]]


class Room(Protocol):
    def operations(self) -> dict[str, Any]: ...


def control(facts: Config, ledger: Ledger, trail: Trail, rooms: Sequence[Room], streams: Streams) -> Control:
    """Of two rooms that answer the same question the later one does."""
    operations = {name: operation for room in rooms for name, operation in room.operations().items()}
    return Control(facts.cabinet.socket_path, walled(watched(operations, ledger)), streams, trail.of)


def of_state(looking: Looking, till: Till, people: People) -> tuple[Room, ...]:
    credit = CreditRoom(looking, till.figures)  # adds to what is seen, as does the fleet's
    return looking, FleetRoom(credit, people.roster.figures)


def of_hardware(
    facts: Config, ledger: Ledger, parts: Parts, hardware: Hardware, sensing: Sensing, maintenance: Maintenance
) -> tuple[Room, ...]:
    desk = hardware.desk
    return (
        BoardRoom(facts, ledger, desk, maintenance),
        CameraRoom(facts, sensing.cameras, sensing.geometry, maintenance, sensing.calibrated),
        Weighing(facts, sensing.witness.scales, parts, desk, maintenance),
        Selftest(sensing.nerves, hardware.lock, desk, maintenance),
    )


def of_goods(
    facts: Config, ledger: Ledger, learner: Learner, changed: Callable[[], None], written: Callable[[], None]
) -> tuple[Room, ...]:
    """`changed`: other goods or prices; `written`: something new is in the outbox."""
    charges = ChargesDesk(
        ledger,
        words.traces(facts),
        facts.cabinet.data_dir / "disputes",
        facts.cabinet.id,
        lambda record: words.prices_at(facts, ledger, record.opened, record.price_version),
        written,
    )
    return PriceDesk(facts, ledger, changed), LearningRoom(ledger, learner), charges


def of_people(ledger: Ledger, people: People) -> tuple[Room, ...]:
    return people.technicians, MemberKeys(ledger), TrustDesk(ledger, people.trust)


def counters(facts: Config, hardware: Hardware, people: People, trail: Trail, till: Till, sensing: Sensing) -> Counters:
    return {
        "board": lambda: dataclasses.asdict(hardware.board.board.counters),
        **people.counters(),
        "audit": trail.figures,
        "till": lambda: till.counts,
        "evidence": lambda: sensing.witness.counts,
        "ledger": storage.counters(facts.cabinet.data_dir),
        **sensing.camera_counters(),
    }
