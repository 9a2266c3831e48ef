"""What is screwed on: the board, lock and switches, shelves, cameras, the probe."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cabinet.config.values import Name, Point, Positive, Section, ZoneName

LEASE_CAP_S = 10.0  # the board's own bound on an unlock


class Board(Section):
    port: str  # /dev/ttyACM0, or better /dev/serial/by-id/...
    baud: Literal[115_200, 230_400, 460_800, 921_600] = 115_200
    key_file: Path | None = None  # 64 hexadecimal digits; None: board.key in data_dir
    unlocks_per_hour: Annotated[int, Field(ge=1, le=120)] = 60  # what the board grants, set when it is commissioned
    unlocks_per_day: Annotated[int, Field(ge=1, le=1200)] = 400


class Part(Section):
    """One switch, relay, lamp or buzzer: on the serial board, or on a GPIO pin of this computer."""

    via: Literal["board", "gpio"] = "board"
    pin: Annotated[int, Field(ge=0, le=27)] | None = None  # BCM number
    active_high: bool = True  # gpio: the level that unlocks, lights, sounds; or that says open (door), locked (bolt)

    @model_validator(mode="after")
    def _pin_where_needed(self) -> Self:
        if (self.via == "gpio") != (self.pin is not None):
            raise ValueError('via = "gpio" needs pin = N (BCM number), and via = "board" has none')
        return self


class Zone(Section):
    id: ZoneName
    channel: Annotated[int, Field(ge=0, le=11)]  # of the board
    kind: str = "shelf"
    cells: Annotated[int, Field(ge=1, le=12)] = 4
    capacity_g: Positive = 20_000.0
    noise_g: Positive = 1.0
    quantum_g: Positive = 1.0


class Camera(Section):
    id: Name
    role: Literal["front", "interior"]
    source: int | str  # V4L2 index, file, rtsp:// or http:// (MJPEG) address, csi:0
    width: Annotated[int, Field(ge=160, le=4096)] = 640
    height: Annotated[int, Field(ge=120, le=4096)] = 480
    fps: Annotated[float, Field(gt=0, le=60)] = 10.0
    read_timeout_s: Annotated[float, Field(ge=0.5, le=30)] = 2.0
    loop: bool = False  # a file starts again at its end
    # zone id -> corners in pixels of a width x height frame
    polygons: dict[str, list[Point]] = Field(default_factory=dict)

    @property
    def sees(self) -> tuple[str, ...]:
        return tuple(self.polygons)


class Temperature(Section):
    max_c: float = 5.0  # FDA Food Code 4-204.111: 41 F
    grace_s: Positive = 1800.0  # above it for so long: no sale until serviced
