"""The only place that chooses parts: builds the daemon from a config file and runs it until it is told to stop."""

import asyncio
import contextlib
import dataclasses
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cabinet
from cabinet import clock, config, screenline, wire
from cabinet.adapters.camera import Camera
from cabinet.adapters.codes import CodeReader
from cabinet.adapters.faces import MODEL as FACE_MODEL
from cabinet.adapters.faces import FaceWorker
from cabinet.adapters.gpio import GpioLock, GpioSignals, GpioSwitches
from cabinet.adapters.mcu import BoardParts
from cabinet.adapters.mqtt import Broker, MqttPipe, Tls, Will
from cabinet.adapters.tflite import ItemRecogniser
from cabinet.basket import evidence
from cabinet.basket.policy import TallyPolicy
from cabinet.caretaker import Caretaker, Limits
from cabinet.config import Config, ConfigError
from cabinet.control import Control
from cabinet.daemon import Daemon
from cabinet.enrolment import Enrolment
from cabinet.greeter import Greeter
from cabinet.ledger import Ledger, LedgerError
from cabinet.office import Office
from cabinet.parts import Parts
from cabinet.ports import Lock, PortError, Signals, Template
from cabinet.reporter import Reporter
from cabinet.scales import Scales
from cabinet.senses import Nerves
from cabinet.session.effects import Notice
from cabinet.session.events import Event
from cabinet.tallier import Tallier
from cabinet.units import CameraId, Sku, VisitId, ZoneId
from cabinet.uplink import Uplink, offline_payload
from cabinet.witness import Witness
from firmware_bridge.board import Board

BOARD_HZ = 80.0  # of every channel (PROTOCOL.md)
EXIT_CONFIG = 78  # sysexits.h EX_CONFIG: systemd shows it by name

log = logging.getLogger(__name__)


def run(path: Path) -> int:
    """`cabinet run`: 0 after SIGTERM or SIGINT; 78 for a wrong config, 1 where the ledger cannot be used."""
    logging.basicConfig(
        level=os.environ.get("CABINET_LOG", "INFO"), format="%(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    try:
        facts = config.load(path)
        facts.cabinet.data_dir.mkdir(parents=True, exist_ok=True)
    except (ConfigError, OSError) as error:
        sys.stderr.write(f"cabinet: refused to start\n{error}\n")
        return EXIT_CONFIG
    try:
        with Ledger(facts.cabinet.data_dir / "ledger.db") as ledger:
            asyncio.run(_live(facts, ledger))
    except (LedgerError, PortError) as error:
        sys.stderr.write(f"cabinet: {error}\n")
        return 1
    return 0


async def _live(facts: Config, ledger: Ledger) -> None:
    house = House(facts, ledger)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    house.start()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(loop(), name=name) for name, loop in house.loops().items()]
        await stop.wait()
        log.info("stopping")
        with contextlib.suppress(PortError):
            await house.lock.engage()
        for task in running:
            task.cancel()
    await house.close()


class House:
    """Every part of one cabinet, connected."""

    def __init__(self, facts: Config, ledger: Ledger) -> None:
        self.facts = facts
        self.ledger = ledger
        self.data = facts.cabinet.data_dir
        self.traces = self.data / "traces"
        self.traces.mkdir(exist_ok=True)
        self._screen = screenline.LINES[Notice.OUT_OF_SERVICE]

        self._events: asyncio.Queue[Event] = asyncio.Queue()

        self.parts = Parts(self._post, clock.now_s)
        self._expect_parts()
        self.cameras = {CameraId(camera.id): _camera(camera) for camera in facts.cameras}
        self.recogniser = self._recogniser()
        self.faces = _faces(facts)
        item_model = "" if self.recogniser is None else self.recogniser.name
        self.enrolment = Enrolment(ledger, self.faces, self.recogniser, FACE_MODEL, item_model)
        self._gallery: Mapping[Sku, Any] = {}

        zones = {ZoneId(zone.id): _zone(zone) for zone in facts.zones}
        interior = [camera for camera in facts.cameras if camera.role == "interior"]
        self.witness = Witness(
            Scales(zones),
            {
                CameraId(camera.id): (
                    self.cameras[CameraId(camera.id)],
                    {ZoneId(zone): tuple(corners) for zone, corners in camera.polygons.items()},
                )
                for camera in interior
            },
            self.recogniser,
            self.traces,
            self._header,
            lambda: self._gallery,
            self._post,
            facts.storage.frames_per_visit,
        )
        self.nerves = Nerves(self._post, self.witness, self.parts, now=clock.now_s)
        self.tallier = Tallier(self.traces, TallyPolicy(threshold=facts.tally.confidence), self._post)
        self.board, self.lock, self.signals, self.switches = self._hardware()
        self.greeter = self._greeter()
        self.daemon = Daemon(
            ledger=ledger,
            lock=self.lock,
            signals=self.signals,
            greeter=self.greeter,
            witness=self.witness,
            tallier=self.tallier,
            policy=facts.session,
            currency=facts.cabinet.currency,
            show=self._show,
            part=self.parts.report,
            alive=_watchdog(),
            events=self._events,
        )
        self.caretaker = self._caretaker()
        self.uplink = self._uplink()
        self.reporter = None if self.uplink is None else self._reporter(self.uplink)
        self.office = self._office()
        self._connect()
        self._changed()

    def loops(self) -> dict[str, Callable[[], Any]]:
        loops: dict[str, Callable[[], Any]] = {
            "daemon": self.daemon.run,
            "board": self.board.run,
            "caretaker": self.caretaker.run,
            "greeter": self.greeter.run,
            "control": Control(self.facts.cabinet.socket_path, self.office.operations(), self.office.streams()).run,
        }
        if self.uplink is not None and self.reporter is not None:
            loops |= {"uplink": self.uplink.run, "reporter": self.reporter.run}
        return loops

    def start(self) -> None:
        for camera in self.cameras.values():
            camera.start()
        if self.switches is not None:
            self.switches.tell_where()

    async def close(self) -> None:
        self.witness.close()
        for camera in self.cameras.values():
            await asyncio.to_thread(camera.stop)
        if self.faces is not None:
            await asyncio.to_thread(self.faces.close)

    # What the parts are told.

    def _post(self, event: Event) -> None:
        self._events.put_nowait(event)

    def _show(self, notice: Notice, visit: VisitId | None) -> None:
        record = None if visit is None else self.ledger.visit(visit)
        total_minor = 0 if record is None else record.total_minor
        self._screen = screenline.line(notice, total_minor, self.facts.cabinet.currency)
        self.office.tell({"type": "notice", "notice": notice.value, "screen": self._screen})

    def _changed(self) -> None:
        """The catalogue, stock or members changed."""
        self._gallery = self.enrolment.gallery()
        self.greeter.templates = [Template(*one) for one in self.ledger.templates(FACE_MODEL)]
        self.caretaker.look_at_catalogue()

    def _header(self, visit: VisitId, purpose: str) -> evidence.Header:
        return evidence.Header(
            visit=visit,
            cabinet=self.facts.cabinet.id,
            started_at=clock.wall_text(),
            clock_trusted=clock.quality() in {"ntp", "cloud"},
            purpose=purpose,  # type: ignore[arg-type]  # the machine's own words
            currency=self.facts.cabinet.currency,
            zones={ZoneId(zone.id): _zone(zone) for zone in self.facts.zones},
            cameras={CameraId(camera.id): _camera_facts(camera) for camera in self.facts.cameras},
            catalog=self.ledger.catalog(),
            planogram=self.ledger.planogram(),
            stock=self.ledger.stock(),
        )

    def _connect(self) -> None:
        self.daemon.watchers.append(self.office.happened)
        self.daemon.watchers.append(lambda step: self.witness.state(type(step.after).__name__.lower()))
        self.witness.watchers.append(self.office.sensed)
        self.parts.on_change(self.office.part_changed)
        self.parts.on_change(lambda part: self.witness.health(part.name, part.why))
        if self.reporter is not None:
            self.daemon.watchers.append(self.reporter.happened)

    # How they are made.

    def _expect_parts(self) -> None:
        facts = self.facts
        self.parts.expect("cabinet", needed=True, why="starting", remedy="wait; if it stays, look at board and lock")
        self.parts.expect(
            "board", needed=True, remedy=f"is the board plugged in at {facts.board and facts.board.port}?"
        )
        self.parts.expect("lock", needed=True, remedy="look at the board's faults, the bolt and the door switch")
        self.parts.expect("bolt", needed=True, why="not heard of yet", remedy="look for an item in the bolt's way")
        self.parts.expect(
            "catalogue", needed=True, remedy="cabinet catalog add SKU --name NAME --mass-g G --price MINOR"
        )
        self.parts.expect("disk", needed=True, remedy="free some space on the disk of cabinet.data_dir")
        self.parts.expect("recogniser", needed=True, remedy="restore models/item from the release, or set items.model")
        for zone in facts.zones:
            self.parts.expect(f"scale:{zone.id}", needed=True, remedy=f"look at channel {zone.channel} of the board")
        for camera in facts.cameras:
            self.parts.expect(f"camera:{camera.id}", needed=True, remedy="look at its cable and at cameras.source")
        if not any(camera.role == "front" for camera in facts.cameras):
            self.parts.expect("camera:front", needed=True, why='no camera has role = "front"', remedy="add [[cameras]]")
        if facts.identity.faces:
            self.parts.expect("faces", needed=not facts.identity.codes, why=None, remedy="make setup; codes still open")
        if facts.temperature is not None:
            self.parts.expect(
                "temperature", needed=True, remedy="look at the probe; service and restock if it was warm"
            )
        if facts.mqtt is not None:
            self.parts.expect("cloud", needed=False, remedy="sells without; look at mqtt.host and the network")
        self.parts.expect(
            "history", needed=True, why="not heard of yet", remedy="ask the operator: the cloud knows another"
        )

    def _recogniser(self) -> ItemRecogniser | None:
        try:
            recogniser = ItemRecogniser(self.facts.items.model)
        except PortError as error:
            self.parts.report("recogniser", str(error))
            return None
        self.parts.report("recogniser", None)
        return recogniser

    def _hardware(self) -> tuple[BoardParts, Lock, Signals, GpioSwitches | None]:
        facts = self.facts
        if facts.board is None:
            raise PortError("board: the cells are on it; add [board] to the config")
        channels: list[ZoneId | None] = [None] * (1 + max(zone.channel for zone in facts.zones))
        for zone in facts.zones:
            channels[zone.channel] = ZoneId(zone.id)
        on_pins = facts.door.via == "gpio"
        board = BoardParts(Board(facts.board.port, facts.board.baud), channels, self.nerves, switches=not on_pins)
        pin = facts.lock.pin
        on_relay = None if pin is None else GpioLock(pin, active_high=facts.lock.active_high)
        lock: Lock = board if on_relay is None else on_relay
        switches = None
        if facts.door.pin is not None and facts.bolt.pin is not None:
            switches = GpioSwitches(
                facts.door.pin,
                facts.bolt.pin,
                self.nerves,
                open_high=facts.door.active_high,
                locked_high=facts.bolt.active_high,
                on_open=on_relay.door_opened if on_relay is not None else _nothing,
            )
        pins = GpioSignals(facts.lamp.pin, facts.buzzer.pin)
        signals = SplitSignals(
            board if facts.lamp.via == "board" else pins, board if facts.buzzer.via == "board" else pins
        )
        return board, lock, signals, switches

    def _greeter(self) -> Greeter:
        front = next((c.id for c in self.facts.cameras if c.role == "front"), None)
        who = self.facts.identity
        return Greeter(
            eye=None if front is None else self.cameras[CameraId(front)],
            faces=self.faces,
            codes=CodeReader() if who.codes else None,
            member_of_code=self.ledger.member_of_token,
            post=self._post,
            rules=who,
            state=lambda: self.daemon.state,
            report=self.parts.report,
        )

    def _caretaker(self) -> Caretaker:
        storage, cold = self.facts.storage, self.facts.temperature
        limits = Limits(
            min_free_mib=storage.min_free_mib,
            traces_mib=storage.traces_mib,
            traces_days=storage.traces_days,
            max_c=None if cold is None else cold.max_c,
            grace_s=1800.0 if cold is None else cold.grace_s,
        )
        return Caretaker(
            parts=self.parts,
            nerves=self.nerves,
            witness=self.witness,
            eyes=self.cameras,
            ledger=self.ledger,
            traces=self.traces,
            limits=limits,
            state=lambda: self.daemon.state,
            lock=self.lock,
        )

    def _uplink(self) -> Uplink | None:
        mqtt = self.facts.mqtt
        if mqtt is None:
            self.parts.report("history", None)
            return None
        cab = self.facts.cabinet.id
        pipe = MqttPipe(
            Broker(
                mqtt.host,
                mqtt.port,
                client_id=cab,
                username=mqtt.username,
                password=None if mqtt.password_file is None else mqtt.password_file.read_text().strip(),
                tls=_tls(mqtt),
                retry_s=(1, round(mqtt.reconnect_max_s)),
            ),
            (wire.topic(cab, "dn", "#"),),
            will=Will(wire.topic(cab, "up", "state"), wire.plain(offline_payload(cab))),
        )
        uplink = Uplink(
            self.ledger,
            pipe,
            _key(mqtt.key_file),
            cab,
            clock=clock.stamp,
            version=cabinet.__version__,
            on_split=lambda why: self.parts.report("history", why),
        )
        self.parts.report("history", uplink.trouble())
        return uplink

    def _reporter(self, uplink: Uplink) -> Reporter:
        return Reporter(
            fleet=uplink,
            ledger=self.ledger,
            parts=self.parts,
            nerves=self.nerves,
            data_dir=self.data,
            every_s=60.0 if self.facts.mqtt is None else self.facts.mqtt.telemetry_every_s,
            screen=lambda: self._screen,
            state=lambda: self.daemon.state,
        )

    def _office(self) -> Office:
        return Office(
            config=self.facts,
            ledger=self.ledger,
            daemon=self.daemon,
            parts=self.parts,
            nerves=self.nerves,
            caretaker=self.caretaker,
            enrolment=self.enrolment,
            traces=self.traces,
            screen=lambda: self._screen,
            cloud=self._cloud,
            counters=self._counters(),
            changed=self._changed,
        )

    def _cloud(self) -> Mapping[str, Any]:
        if self.uplink is None:
            return {"connected": False, "why": "no [mqtt] in the config: nothing is sent"}
        figures = self.uplink.figures()
        return {"connected": figures["connected"], "why": figures["why"]}

    def _counters(self) -> dict[str, Callable[[], Mapping[str, float]]]:
        groups: dict[str, Callable[[], Mapping[str, float]]] = {
            "board": lambda: dataclasses.asdict(self.board.board.counters),
            "greeter": lambda: self.greeter.counts,
        }
        for name, camera in self.cameras.items():
            groups[f"camera:{name}"] = lambda camera=camera: dataclasses.asdict(camera.counters)  # type: ignore[misc]  # bound now
        return groups


@dataclass(frozen=True, slots=True)
class SplitSignals:
    """Lamp and buzzer may be on different hardware."""

    on_lamp: Signals
    on_buzzer: Signals

    async def lamp(self, mode: str) -> None:
        await self.on_lamp.lamp(mode)

    async def buzzer(self, pattern: str) -> None:
        await self.on_buzzer.buzzer(pattern)


def _nothing() -> None:
    """The lock on the board sees the door itself."""


def _zone(zone: config.Zone) -> evidence.Zone:
    return evidence.Zone(zone.kind, zone.cells, zone.capacity_g, BOARD_HZ, zone.noise_g, zone.quantum_g)


def _camera(camera: config.Camera) -> Camera:
    return Camera(
        CameraId(camera.id),
        camera.source,
        width=camera.width,
        height=camera.height,
        fps=camera.fps,
        read_timeout_s=camera.read_timeout_s,
        loop=camera.loop,
    )


def _camera_facts(camera: config.Camera) -> evidence.Camera:
    polygons = {ZoneId(zone): tuple(corners) for zone, corners in camera.polygons.items()}
    return evidence.Camera(camera.width, camera.height, camera.fps, tuple(polygons), polygons)


def _faces(facts: Config) -> FaceWorker | None:
    return FaceWorker(rest_s=facts.identity.face_worker_rest_s) if facts.identity.faces else None


def _tls(mqtt: config.Mqtt) -> Tls | None:
    if mqtt.ca_file is None and mqtt.cert_file is None:
        return None
    return Tls(mqtt.ca_file, mqtt.cert_file, mqtt.client_key_file)


def _key(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text().strip())
    except ValueError as error:
        raise PortError(f"{path}: the cloud key must be 64 hexadecimal digits: openssl rand -hex 32") from error
    if len(key) < 32:
        raise PortError(f"{path}: the cloud key has {len(key)} bytes, wants 32: openssl rand -hex 32")
    return key


def _watchdog() -> Callable[[], None]:
    """Ready once, then a sign of life at each tick of the state machine, where systemd asked for it."""
    import sdnotify  # noqa: PLC0415  small, and only a daemon needs it

    notifier = sdnotify.SystemdNotifier()
    notifier.notify("READY=1")
    return lambda: notifier.notify("WATCHDOG=1")
