"""What the loops need from the world, and nothing about how the world does it.

Methods raise `PortError` or succeed.  What happens in the world comes back through the callbacks given at wiring.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cabinet.identity.seen import SeenFace
from cabinet.units import CameraId, Sku, VisitId, ZoneId
from cabinet.vision.gallery import Gallery

if TYPE_CHECKING:  # numpy costs 0.1 s and only vision code looks into a picture
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]  # height x width x 3, BGR


class PortError(Exception):
    """The part did not do as it was told; the message names the part and the remedy."""


class Lock(Protocol):
    async def release(self, visit: VisitId, lease_s: float) -> None:
        """Unlock for at most `lease_s` seconds; it relocks on its own.  Returns when the order is accepted."""

    async def engage(self) -> None:
        """Lock now.  Safe to repeat."""

    async def clear_faults(self) -> None:
        """A technician has looked at it: latched faults may end."""

    async def check(self) -> None:
        """Raises PortError if it could not be trusted with an unlock now."""

    def keep_alive(self) -> None:
        """Called on every tick of the state machine (<= 0.2 s apart); a lease ends 0.5 s after the last call."""


class Senses(Protocol):
    """Where adapters tell what the hardware felt.  Called on the event loop; never blocks.  Times are monotonic."""

    def door_found(self, at_s: float, *, is_open: bool) -> None:
        """Where the door is at a (re)connection: an edge may have been missed."""

    def door(self, at_s: float, *, is_open: bool) -> None:
        """A debounced edge; shut means shut and bolted."""

    def bolt(self, at_s: float, *, locked: bool) -> None: ...

    def masses(self, zone: ZoneId, at_s: float, hz: float, grams: Sequence[float | None]) -> None:
        """Evenly spaced samples, the first at `at_s`; None is a sample known to be bad."""

    def gap(self, part: str, seconds: float) -> None:
        """Samples known to be lost."""

    def temperature(self, probe: str, celsius: float) -> None: ...

    def part(self, part: str, why: str | None) -> None:
        """`part` is in order (None) or not (why)."""


@dataclass(frozen=True, slots=True)
class BoardEntry:
    """One entry of the board's own journal; `facts` is JSON, by kind."""

    board: str  # id of the chip, hexadecimal
    index: int  # from 1
    boot: int  # counts the boots
    t_ms: int  # since that boot
    kind: str
    visit: VisitId | None
    facts: Mapping[str, Any]


class BoardSenses(Senses, Protocol):
    """What only the serial board feels."""

    def bad(self, zone: ZoneId, at_s: float, reasons: Sequence[str]) -> None:
        """Why samples of the batch at `at_s` were bad, in words, one a sample."""

    def journaled(self, entry: BoardEntry, *, while_away: bool) -> None:
        """The board wrote this; `while_away`: before this connection, so that nobody here saw it happen."""


@dataclass(frozen=True, slots=True)
class CellReading:
    """One zone's cell as the board sees it, and what it said to the order that asked."""

    zone: ZoneId
    answer: str  # "ok", or why the order was refused, such as "not steady"
    why: str  # the refusal in a sentence, with its figures; "" for ok
    remedy: str
    mean_counts: int  # over the last second
    noise_counts: float  # rms
    zero_counts: int
    counts_per_g: float | None  # None: not calibrated
    residual_g: float  # how far the lighter mass lies off the line

    @property
    def ok(self) -> bool:
        return self.answer == "ok"

    @property
    def noise_g(self) -> float | None:
        return None if self.counts_per_g is None else self.noise_counts / self.counts_per_g

    @property
    def grams(self) -> float | None:
        return None if self.counts_per_g is None else (self.mean_counts - self.zero_counts) / self.counts_per_g


class Desk(Protocol):
    """What a technician does with the board.  Methods raise PortError where the board is away or says no."""

    def facts(self) -> Mapping[str, Any]:
        """Everything known of board and link, as JSON; `connected` is always there."""

    async def commission(self, per_hour: int, per_day: int) -> str:
        """A fresh key and the budget, on the board and in the key file; the file's name."""

    async def cell(self, zone: ZoneId) -> CellReading: ...

    async def tare(self, zone: ZoneId) -> CellReading:
        """What the zone shows now is its zero."""

    async def point(self, zone: ZoneId, slot: int, mass_g: float) -> CellReading:
        """`mass_g` lies on the zone now; slot 1 or 2."""

    async def calibrate(self, zone: ZoneId) -> CellReading:
        """Fit zero and both points; kept only if every check passes."""

    def let_go(self, for_s: float) -> str:
        """Close the port, so that somebody else may use it for at most `for_s`; its name."""

    def take_back(self) -> None:
        """Use the port again.  Safe to repeat."""


@dataclass(frozen=True, slots=True)
class Charged:
    """What the board keeps of a charge, for the day on which this computer is gone."""

    visit: VisitId
    amount_minor: int
    currency: str  # ISO 4217
    digest: bytes  # 32 bytes: the hash of the closing event


class Mirror(Protocol):
    async def mirror(self, charge: Charged) -> None:
        """Raises PortError where the board did not take it."""


class Signals(Protocol):
    async def lamp(self, mode: str) -> None:
        """`off`, `ready`, `busy`, `open` or `alarm`."""

    async def buzzer(self, pattern: str) -> None:
        """`none`, `ok`, `prompt` or `alarm`."""


@dataclass(frozen=True, slots=True)
class Frame:
    camera: CameraId
    at_s: float  # monotonic, when it was read
    picture: "Picture"


class Eye(Protocol):
    """One camera.  Capturing goes on in the background; these never block."""

    @property
    def camera(self) -> CameraId: ...

    def latest(self, after_s: float = float("-inf")) -> Frame | None:
        """The newest frame if it is newer than `after_s`, else None."""

    def pace(self, fps: float | None) -> None:
        """Decode so many frames a second from now on; None: the camera's idle rate."""

    def trouble(self) -> str | None:
        """Why there are no fresh frames, or None."""


@dataclass(frozen=True, slots=True)
class Face:
    """A face of a photograph and what is kept of it: model of the template -> 128 numbers."""

    seen: SeenFace
    templates: Mapping[str, tuple[float, ...]]


class Faces(Protocol):
    """Each raises PortError where what it needs is absent or broken."""

    model: str  # of the templates that `encode` makes
    reference_model: str  # of those that `reference` makes

    async def find(self, picture: "Picture") -> Sequence[SeenFace]:
        """Every face of the frame, largest first, with quality and, where a model looks, liveness."""

    async def encode(self, picture: "Picture", face: SeenFace) -> Sequence[float]:
        """The face as 128 numbers, by the small network."""

    async def reference(self, picture: "Picture", face: SeenFace) -> Sequence[float]:
        """The face as 128 numbers, by face_recognition: slower, asked where the small network is not sure."""

    async def attend(self, picture: "Picture", face: SeenFace) -> SeenFace:
        """The same face looked at more closely: eyes, and which way it is turned."""

    async def enrol(self, picture: "Picture") -> Face:
        """The one face of a photograph, by both networks.  Raises PortError with why and what to do."""


class Codes(Protocol):
    def read(self, picture: "Picture") -> Sequence[str]:
        """The texts of the QR codes and barcodes in the frame; garbage bytes are dropped and counted."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Probabilities over the SKUs the recogniser can tell apart; with `other` they sum to 1."""

    skus: Mapping[Sku, float]
    other: float


class Recogniser(Protocol):
    def embed(self, crop: "Picture") -> Sequence[float]:
        """A unit vector that is near for pictures of the same product."""

    def embed_all(self, crops: "Sequence[Picture]") -> Sequence[Sequence[float]]:
        """`embed` of each, in their order."""

    def find(self, picture: "Picture") -> tuple[int, int, int, int]:
        """The tight box of the product in a whole photograph, in its pixels: left, top, right, bottom (outside)."""

    def scores(self, crop: "Picture", gallery: Gallery) -> Scores:
        """Compare a tight crop with the references of the gallery."""

    def scores_all(self, crops: "Sequence[Picture]", gallery: Gallery) -> Sequence[Scores]:
        """`scores` of each, in their order: cheaper than one by one."""
