"""A technician's room without a socket: the operations over a real ledger and a daemon whose parts are told down."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cabinet import clock, config
from cabinet.basket.evidence import Zone
from cabinet.config import Config
from cabinet.control.board import BoardRoom
from cabinet.control.changing import Changing
from cabinet.control.enrolment import Enrolment
from cabinet.control.learning import LearningRoom
from cabinet.control.looking import Looking
from cabinet.control.maintenance import PART, Maintenance
from cabinet.control.scales import Weighing
from cabinet.control.selftest import Selftest
from cabinet.control.trust import TrustDesk
from cabinet.identity.risk import Policy as RiskPolicy
from cabinet.identity.seen import Quality, SeenFace
from cabinet.learner import Learner
from cabinet.ledger import Ledger
from cabinet.parts import Parts
from cabinet.ports import CellReading, Face, PortError, Scores
from cabinet.scales import Scales
from cabinet.senses import Nerves
from cabinet.sim import pictures
from cabinet.trustkeeper import TrustKeeper
from cabinet.units import ZoneId
from cabinet.vision.gallery import Gallery
from cabinet.vision.pictures import Box
from cabinet.witness import Witness
from tests.test_daemon import Cabinet, daemon_of

S1, S2 = ZoneId("s1"), ZoneId("s2")
FACE_MODEL, ITEM_MODEL = "dlib-1", "item-1"
GOOD, DARK = 200, 20  # grey of a photograph with a face, and of one without


def facts(folder: Path, **sections: Any) -> Config:
    """Two zones and a board; `sections` are added or replaced."""
    table: dict[str, Any] = {
        "cabinet": {"id": "c1", "currency": "USD", "data_dir": str(folder)},
        "board": {"port": "/dev/ttyACM0"},
        "zones": [{"id": "s1", "channel": 0}, {"id": "s2", "channel": 1}],
        "cameras": [],
        **sections,
    }
    return config.Config.model_validate(table)


def photo(grey: int, side: int = 64) -> bytes:
    grain = np.random.default_rng(1).normal(0, 12, (side, side, 3))
    return pictures.jpeg(np.clip(grey + grain, 0, 255).astype(np.uint8))


def coded(*photos: bytes) -> list[str]:
    return [base64.b64encode(one).decode() for one in photos]


class Enroller:
    """Finds a face in bright pictures."""

    async def enrol(self, picture: pictures.Picture) -> Face:
        if picture.mean() < 100:
            raise PortError("no face in it")
        seen = SeenFace(0, 0, 10, 10, 1.0, Quality(10, 100, 128, 50, 0, 0, 0))
        return Face(seen, {FACE_MODEL: (float(picture.mean()) / 255,) * 128})


class Judge:
    """A Recogniser that tells pictures apart by their grey; small ones are no pictures to it."""

    def embed(self, crop: pictures.Picture) -> Sequence[float]:
        if min(crop.shape[:2]) < 8:
            raise PortError("recogniser: a crop of 4 x 4 shows no product")
        share = float(crop.mean()) / 255
        return (share, 1.0 - share)

    def embed_all(self, crops: Sequence[pictures.Picture]) -> list[Sequence[float]]:
        return [self.embed(crop) for crop in crops]

    def scores_all(self, crops: Sequence[pictures.Picture], gallery: Gallery) -> list[Scores]:
        return [self.scores(crop, gallery) for crop in crops]

    def find(self, picture: pictures.Picture) -> Box:
        return 0, 0, picture.shape[1], picture.shape[0]

    def scores(self, crop: pictures.Picture, gallery: Gallery) -> Scores:
        return Scores({}, 1.0)


@dataclass
class Desk:
    """A board on a technician's desk: says yes, or what a test wants it to say."""

    away: str | None = None
    answers: list[str] = field(default_factory=list)  # of the next readings; "ok" where there is none
    noise_counts: float = 50.0
    counts_per_g: float | None = 100.0
    faults: list[dict[str, Any]] = field(default_factory=list)
    capabilities: list[str] = field(default_factory=lambda: ["temperature"])
    uptime_s: float = 100.0
    orders: list[tuple[Any, ...]] = field(default_factory=list)

    def facts(self) -> Mapping[str, Any]:
        known: dict[str, Any] = {
            "connected": self.away is None,
            "why": self.away,
            "counters": {},
            "faults": self.faults,
        }
        if self.away is None:
            known |= {
                "board": "aa" * 8,
                "capabilities": self.capabilities,
                "uptime_s": self.uptime_s,
                "journal_next": 4,
            }
        return known

    async def commission(self, per_hour: int, per_day: int) -> str:
        self._order("commission", per_hour, per_day)
        return "/data/board.key"

    async def cell(self, zone: ZoneId) -> CellReading:
        return self._reading(zone, "cell", zone)

    async def tare(self, zone: ZoneId) -> CellReading:
        return self._reading(zone, "tare", zone)

    async def point(self, zone: ZoneId, slot: int, mass_g: float) -> CellReading:
        return self._reading(zone, "point", zone, slot, mass_g)

    async def calibrate(self, zone: ZoneId) -> CellReading:
        return self._reading(zone, "calibrate", zone)

    def let_go(self, for_s: float) -> str:
        self.orders.append(("let go", for_s))
        return "/dev/ttyACM0"

    def take_back(self) -> None:
        self.orders.append(("take back",))

    def _order(self, *order: object) -> None:
        if self.away is not None:
            raise PortError(f"board: {self.away}")
        self.orders.append(order)

    def _reading(self, zone: ZoneId, *order: object) -> CellReading:
        self._order(*order)
        answer = self.answers.pop(0) if self.answers else "ok"
        why = "" if answer == "ok" else f"it is {answer}"
        remedy = "" if answer == "ok" else "mend it"
        return CellReading(
            zone, answer, why, remedy, 101_000, self.noise_counts, 1000, self.counts_per_g, residual_g=0.25
        )


@dataclass
class Room:
    folder: Path
    ledger: Ledger
    enroller: Enroller | None = field(default_factory=Enroller)
    judge: Judge | None = field(default_factory=Judge)
    desk: Desk = field(default_factory=Desk)
    changes: int = 0

    def __post_init__(self) -> None:
        self.facts = facts(self.folder)
        self.hands = Cabinet(self.ledger)
        self.daemon = daemon_of(self.hands)
        self.parts = Parts(self.daemon.post, clock.now_s)
        self.daemon.part = self.parts.report
        self.traces = self.folder / "traces"
        self.traces.mkdir()
        witness = Witness(
            Scales({S1: Zone(), S2: Zone()}), {}, None, self.traces, lambda *_: NotImplemented, dict, self.daemon.post
        )
        self.nerves = Nerves(self.daemon.post, witness, self.parts)
        self.enrolment = Enrolment(self.ledger, self.enroller, self.judge, FACE_MODEL, ITEM_MODEL)
        self.parts.expect(PART, needed=True, why=None)
        self.maintenance = Maintenance(self.daemon, self.parts)
        self.changing = Changing(
            self.facts,
            self.ledger,
            self.daemon,
            self.parts,
            self.enrolment,
            self.maintenance,
            self._changed,
            self._changed,
        )
        self.board = BoardRoom(self.facts, self.ledger, self.desk, self.maintenance)
        self.weighing = Weighing(self.facts, witness.scales, self.parts, self.desk, self.maintenance)
        self.selftest = Selftest(self.nerves, self.hands, self.desk, self.maintenance)
        learner = Learner(
            self.ledger, lambda: self.daemon.state, clock.stamp, self.parts.report, lambda _: None, lambda *_: None
        )
        self.learning = LearningRoom(self.ledger, learner)
        self.trust = TrustDesk(self.ledger, TrustKeeper(self.ledger, RiskPolicy(), clock.stamp, "boot-1"))
        self.looking = Looking(
            config=self.facts,
            ledger=self.ledger,
            daemon=self.daemon,
            parts=self.parts,
            nerves=self.nerves,
            enrolment=self.enrolment,
            traces=self.traces,
            screen=lambda: "Hello",
            cloud=lambda: {"connected": False, "why": "no broker"},
            counters={"greeter": lambda: {"approached": 3}},
        )

    def _changed(self) -> None:
        self.changes += 1

    async def ask(self, operation: str, who: str = "tech", /, **arguments: Any) -> dict[str, Any]:
        rooms = (self.looking, self.changing, self.board, self.weighing, self.selftest, self.learning, self.trust)
        operations = {name: one for room in rooms for name, one in room.operations().items()}
        answer: dict[str, Any] = await operations[operation](arguments, who)
        return answer

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The machine takes its events meanwhile; to be entered on the loop that ends with it."""
        self.daemon.events = asyncio.Queue()

        async def steps() -> None:
            while True:
                await self.daemon.handle(await self.daemon.events.get())

        task = asyncio.create_task(steps())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
