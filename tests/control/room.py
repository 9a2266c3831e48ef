"""A technician's room without a socket: the operations over a real ledger and a daemon whose parts are told down."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cabinet import clock, config
from cabinet.basket.evidence import Zone
from cabinet.config import Config
from cabinet.control.changing import Changing
from cabinet.control.enrolment import Enrolment
from cabinet.control.looking import Looking
from cabinet.ledger import Ledger
from cabinet.parts import Parts
from cabinet.ports import Face, PortError, Scores
from cabinet.scales import Scales
from cabinet.senses import Nerves
from cabinet.sim import pictures
from cabinet.units import Sku, ZoneId
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
    return pictures.jpeg(np.full((side, side, 3), grey, np.uint8))


def coded(*photos: bytes) -> list[str]:
    return [base64.b64encode(one).decode() for one in photos]


class Enroller:
    """Finds a face in bright pictures."""

    async def enrol(self, picture: pictures.Picture) -> Face:
        if picture.mean() < 100:
            raise PortError("no face in it")
        return Face(0, 0, 10, 10, (float(picture.mean()) / 255,) * 128)


class Judge:
    """A Recogniser that tells pictures apart by their grey; small ones are no pictures to it."""

    def embed(self, crop: pictures.Picture) -> Sequence[float]:
        if min(crop.shape[:2]) < 8:
            raise PortError("recogniser: a crop of 4 x 4 shows no product")
        share = float(crop.mean()) / 255
        return (share, 1.0 - share)

    def scores(self, crop: pictures.Picture, gallery: Mapping[Sku, Sequence[float]]) -> Scores:
        return Scores({}, 1.0)


@dataclass
class Room:
    folder: Path
    ledger: Ledger
    enroller: Enroller | None = field(default_factory=Enroller)
    judge: Judge | None = field(default_factory=Judge)
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
        self.changing = Changing(self.facts, self.ledger, self.daemon, self.parts, self.enrolment, self._changed)
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
        operations = {**self.looking.operations(), **self.changing.operations()}
        answer: dict[str, Any] = await operations[operation](arguments, who)
        return answer
