"""One TOML file, read once, into frozen models.  What is wrong is refused with file, key and remedy.

Pydantic checks types, bounds and unknown keys; this module adds what only the whole file can show (a zone on no
channel, a camera that sees an unknown zone, a path that is not there) and turns every complaint into one line that a
technician can act on.
"""

import difflib
import tomllib
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Self, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cabinet.session.policy import Policy

Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]  # goes into topics, file names and part names
ZoneName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]  # as the ledger keeps stock by
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Point = tuple[float, float]
Amount = Annotated[int, Field(ge=0, le=1_000_000_000)]  # minor units


MODELS = Path(__file__).parents[1] / "models"
OUR_MODEL = MODELS / "item"
LEASE_CAP_S = 10.0  # the board's own bound on an unlock


class ConfigError(Exception):
    """The file is wrong; the message says where and what to do, a line per fault."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Cabinet(Section):
    id: Name
    currency: Currency
    data_dir: Path  # ledger, traces, socket
    socket: Path | None = None  # None: control.sock in data_dir

    @property
    def socket_path(self) -> Path:
        return self.socket or self.data_dir / "control.sock"


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
    polygons: dict[str, list[Point]] = {}  # zone id -> corners in pixels of a width x height frame

    @property
    def sees(self) -> tuple[str, ...]:
        return tuple(self.polygons)


class Identity(Section):
    faces: bool = True
    codes: bool = True  # signed tokens, and cards where they are allowed
    cards: bool = True  # printed codes of members: whoever has one can open the cabinet, so they are limited
    card_hold_minor: Amount = 1_000  # a card lets its member in for at most this
    card_visits_per_day: Annotated[int, Field(ge=0, le=1000)] = 3  # of one member
    issuer_keys_file: Path | None = None  # public keys that may sign tokens for any member; None: members' own alone
    nonce_s: Annotated[float, Field(ge=10, le=600)] = 60.0  # the screen shows another nonce so often; two are valid
    false_match: Annotated[float, Field(gt=0, le=0.01)] = (
        1e-4  # a stranger's chance to be taken for anybody, face alone
    )
    false_match_digits: Annotated[float, Field(gt=0, le=0.01)] = 1e-5  # the same, with digits
    face_distance: Annotated[float, Field(gt=0.2, lt=0.6)] = 0.5  # by face alone never farther, whatever the budget
    face_margin: Annotated[float, Field(ge=0, lt=0.3)] = 0.05  # to the next member
    agreeing_frames: Annotated[int, Field(ge=1, le=10)] = 2
    stranger_frames: Annotated[int, Field(ge=1, le=30)] = 5
    digits: Literal["never", "when unsure", "always"] = "when unsure"  # the last four of the telephone number
    liveness: Literal["off", "passive", "challenge"] = "challenge"  # challenge: turn the head where the model is unsure
    live_model: Path = MODELS / "face-live"  # folder with model.toml
    min_age: Annotated[int, Field(ge=0, le=150)] = 0  # whoever has shown no proof of it is not let in; 0: everybody
    face_worker_rest_s: Positive = 600.0  # the face library's 200 MB are given back after so long without a face
    keep_face_days: Positive = (
        1095.0  # templates of a member who has not come for so long are forgotten (BIPA: 3 years)
    )
    members_days: Positive = 7.0  # the cloud's list of members may be so old


class Risk(Section):
    """Whom to let in, beside the cloud's word; `cabinet.identity.risk` says how."""

    limit_minor: Amount = 5_000  # of a visit, for a member in good standing
    new_limit_minor: Amount = 2_000  # until the first paid visit or a verified identity
    least_trust: Annotated[int, Field(ge=0, le=100)] = 20  # below: refused
    digits_below_trust: Annotated[int, Field(ge=0, le=100)] = 50
    restore_days: Positive = 30.0  # half of what a member's misconduct has cost is forgiven after so long
    visits_per_hour: Annotated[int, Field(ge=1, le=1000)] = 6  # of one member; more: refused
    night: tuple[Annotated[int, Field(ge=0, le=23)], Annotated[int, Field(ge=0, le=23)]] = (0, 0)  # hours; digits then


class Screen(Section):
    """The shopper's page, served on this computer alone: `cabinet screen`."""

    port: Annotated[int, Field(ge=0, le=65_535)] = 8080  # of 127.0.0.1


class Items(Section):
    model: Path = OUR_MODEL  # folder with model.toml
    runtime: Literal["auto", "litert", "tflite"] = "auto"  # auto: the faster of those that can run the model
    delegate: str = ""  # shared library of an accelerator, such as libedgetpu.so.1; empty: the CPU


class Tally(Section):
    overcharge_cost: Positive = 5.0  # what a mistake costs, in any one unit: only the ratios count
    undercharge_cost: Positive = 3.5
    review_cost: Positive = 1.0  # a bill whose expected cost is higher than this goes to a person
    shadow: list[Literal["mps", "no-sight", "weight-only"]] = []  # judge beside the tally, never billed


class Prices(Section):
    time_zone: str = "UTC"  # IANA name, for discounts with days or times
    tax_included: bool = True  # in the catalogue's prices and deposits; False: added to the bill

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown, no name at all, a folder of the database
            raise ValueError("is no time zone of this machine: write one of `timedatectl list-timezones`") from None
        return name


class Mqtt(Section):
    host: str
    port: Annotated[int, Field(ge=1, le=65_535)] = 8883
    key_file: Path  # the key shared with the cloud: 64 hexadecimal digits
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    client_key_file: Path | None = None
    reconnect_max_s: Annotated[float, Field(ge=1, le=600)] = 30.0
    telemetry_every_s: Annotated[float, Field(ge=1, le=3600)] = 60.0


class Temperature(Section):
    max_c: float = 5.0  # FDA Food Code 4-204.111: 41 F
    grace_s: Positive = 1800.0  # above it for so long: no sale until serviced


class Storage(Section):
    min_free_mib: Annotated[int, Field(ge=0)] = 64  # below it no new visit
    traces_mib: Annotated[int, Field(ge=16)] = 2048  # oldest closed traces go first
    traces_days: Positive = 30.0
    frames_per_visit: Annotated[int, Field(ge=0, le=500)] = 40
    ballast_mib: Annotated[int, Field(ge=0, le=1024)] = 16  # given up for charges when the disk is full


class Credit(Section):
    """For how much a member is let in.  Without [mqtt] nobody keeps an account, and none of this is asked."""

    budget_ms: Annotated[int, Field(ge=50, le=3000)] = 800  # the cloud's answer is waited for so long
    hold_minor: Amount = 2_000  # asked of the cloud, and assumed without it
    # While the cloud cannot be asked; a limit of 0: nobody is let in then.
    offline_member_visits: Annotated[int, Field(ge=0, le=1000)] = 3  # of one member, not confirmed by the cloud
    offline_member_minor: Amount = 5_000
    offline_cabinet_visits: Annotated[int, Field(ge=0, le=100_000)] = 200  # of everybody
    offline_cabinet_minor: Amount = 200_000
    roster_days: Positive = 7.0  # the list of those whom no cabinet lets in may be so old


class Config(Section):
    cabinet: Cabinet
    board: Board | None = None
    lock: Part = Part()
    door: Part = Part()
    bolt: Part = Part()
    lamp: Part = Part()
    buzzer: Part = Part()
    zones: Annotated[list[Zone], Field(min_length=1)]
    cameras: list[Camera]
    identity: Identity = Identity()
    risk: Risk = Risk()
    screen: Screen = Screen()
    items: Items = Items()
    tally: Tally = Tally()
    prices: Prices = Prices()
    session: Policy = Policy()
    mqtt: Mqtt | None = None
    temperature: Temperature | None = None  # None: ambient goods, no probe is asked for
    storage: Storage = Storage()
    credit: Credit = Credit()

    @property
    def board_key_file(self) -> Path:
        """What signs the unlocks; it need not be there yet."""
        named = None if self.board is None else self.board.key_file
        return named or self.cabinet.data_dir / "board.key"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        complaints = "; ".join(_contradictions(self))
        if complaints:
            raise ValueError(complaints)
        return self


def _contradictions(config: Config) -> list[str]:
    zones = [zone.id for zone in config.zones]
    cameras = [camera.id for camera in config.cameras]
    found = [
        f"{what} {name!r} is there twice: rename one"
        for what, names in (("zone", zones), ("camera", cameras))
        for name in sorted({n for n in names if names.count(n) > 1})
    ]
    channels = [zone.channel for zone in config.zones]
    if len(set(channels)) < len(channels):
        found.append("two zones share a channel: give each its own channel = N")
    if config.board is None:
        found.append('the cells are on the board: add [board] with port = "/dev/ttyACM0"')
    elif config.board.unlocks_per_day < config.board.unlocks_per_hour:
        found.append("board.unlocks_per_day is below unlocks_per_hour: give a day at least as many as an hour")
    if sum(camera.role == "front" for camera in config.cameras) > 1:
        found.append('more than one camera has role = "front": keep one')
    if config.lock.via == "gpio" and not config.lock.active_high:
        found.append("lock.active_high = false would unlock while the computer boots: use a relay that is off when low")
    if config.door.via != config.bolt.via:
        found.append("door and bolt are debounced together: give both the same via")
    if config.session.unlock_timeout_s > LEASE_CAP_S:
        found.append(f"session.unlock_timeout_s is over {LEASE_CAP_S:g}: the board relocks by then, so wait no longer")
    found += [
        f"camera {camera.id!r} has a polygon for zone {zone!r}, which is not under [[zones]]"
        for camera in config.cameras
        for zone in camera.polygons
        if zone not in zones
    ]
    found += [
        f"camera {camera.id!r}: polygon of {zone!r} needs at least 3 corners"
        for camera in config.cameras
        for zone, corners in camera.polygons.items()
        if len(corners) < 3
    ]
    return found


def load(path: Path) -> Config:
    """Read and check the file.  Relative paths in it are relative to its folder.  Raises ConfigError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name the file with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    try:
        config = Config.model_validate(_anchored(table, path.parent.absolute()))
    except ValidationError as error:
        raise ConfigError("\n".join(_plain(path, fault) for fault in error.errors())) from error
    missing = _missing_files(config)
    if missing:
        raise ConfigError("\n".join(f"{path}: {line}" for line in missing))
    return config


PATHS = ("cabinet.data_dir", "cabinet.socket", "board.key_file", "items.model", "identity.issuer_keys_file",
         "identity.live_model", "mqtt.key_file", "mqtt.password_file",
         "mqtt.ca_file", "mqtt.cert_file", "mqtt.client_key_file")  # fmt: skip


def _anchored(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    anchored = {name: dict(value) if isinstance(value, dict) else value for name, value in table.items()}
    for path in PATHS:
        section, key = path.split(".")
        there = anchored.get(section)
        if isinstance(there, dict) and isinstance(there.get(key), str):
            there[key] = folder / there[key]
    for camera in anchored["cameras"] if isinstance(anchored.get("cameras"), list) else []:
        if isinstance(camera, dict) and _is_file(camera.get("source")):
            camera["source"] = str(folder / camera["source"])
    return anchored


def _missing_files(config: Config) -> list[str]:
    lines = []
    if not (config.items.model / "model.toml").is_file():
        lines.append(f"items.model: there is no model.toml in {config.items.model}; name a folder such as models/item")
    issuers = config.identity.issuer_keys_file
    if issuers is not None and not issuers.is_file():
        lines.append(f"identity.issuer_keys_file: {issuers} is not there; create it or correct the path")
    if config.mqtt is not None:
        for key in ("key_file", "password_file", "ca_file", "cert_file", "client_key_file"):
            file = getattr(config.mqtt, key)
            if file is not None and not file.is_file():
                lines.append(f"mqtt.{key}: {file} is not there; create it or correct the path")
    lines += [
        f"cameras.{camera.id}.source: {camera.source} is not there; name a device, file or address"
        for camera in config.cameras
        if _is_file(camera.source) and not Path(str(camera.source)).exists()
    ]
    if config.cabinet.data_dir.exists() and not config.cabinet.data_dir.is_dir():
        lines.append(f"cabinet.data_dir: {config.cabinet.data_dir} is not a folder")
    return lines


def _is_file(source: object) -> bool:
    """A device may come later and an address may be down; a recording is there or was mistyped."""
    return isinstance(source, str) and "://" not in source and not source.startswith(("csi:", "/dev/"))


def _plain(path: Path, fault: Any) -> str:  # noqa: ANN401  pydantic's ErrorDetails
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        known = _keys_at(fault["loc"][:-1])
        near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1, cutoff=0.5)
        remedy = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(known))}"
        return f"{path}: {where}: unknown key; {remedy}"
    if fault["type"] == "missing":
        return f"{path}: {where}: is missing; add it"
    message = fault["msg"].removeprefix("Value error, ")
    given = fault.get("input")
    shown = f" (it is {given!r})" if isinstance(given, str | int | float | bool) else ""
    return f"{path}: {where or 'the file'}: {message}{shown}"


def _keys_at(loc: tuple[int | str, ...]) -> list[str]:
    kind: Any = Config
    for part in loc:
        if isinstance(part, int):
            continue
        fields = kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else {}
        kind = _inner(fields[part].annotation) if part in fields else kind
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return list(kind.model_fields)
    return list(getattr(kind, "__dataclass_fields__", {}))


def _inner(annotation: Any) -> Any:  # noqa: ANN401  a type expression
    """The model inside Optional[...], list[...] or Annotated[...]."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation
    for argument in (
        get_args(annotation) if get_origin(annotation) is not None or isinstance(annotation, UnionType) else ()
    ):
        inner = _inner(argument)
        if isinstance(inner, type) and (issubclass(inner, BaseModel) or hasattr(inner, "__dataclass_fields__")):
            return inner
    return annotation
