"""Every part of one cabinet, made and connected."""

import asyncio
import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import Any

import sdnotify

from cabinet import clock, screenline
from cabinet.adapters.codes import CodeReader
from cabinet.adapters.tflite import ItemRecogniser
from cabinet.basket.evidence import Header
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.shadow import heuristics
from cabinet.basket.verdict import Interim
from cabinet.caretaker import Caretaker, Limits
from cabinet.config import Config
from cabinet.control import Control
from cabinet.control.board import BoardRoom
from cabinet.control.cameras import CameraRoom
from cabinet.control.changing import Changing
from cabinet.control.charges import ChargesDesk
from cabinet.control.credit import CreditRoom
from cabinet.control.enrolment import Enrolment
from cabinet.control.evidence import watched
from cabinet.control.fleet import FleetRoom
from cabinet.control.geometry import Geometry
from cabinet.control.learning import LearningRoom
from cabinet.control.looking import Looking
from cabinet.control.maintenance import Maintenance
from cabinet.control.prices import PriceDesk
from cabinet.control.scales import Weighing
from cabinet.control.selftest import Selftest
from cabinet.control.shopper import MemberKeys, ShopperRoom, walled
from cabinet.control.trail import Trail
from cabinet.control.trust import TrustDesk
from cabinet.control.watching import BoardWatching, Watching
from cabinet.daemon import Daemon
from cabinet.ledger import Ledger, retention
from cabinet.parts import Parts
from cabinet.ports import Eye, PortError
from cabinet.reporter import Reporter
from cabinet.scales import Scales
from cabinet.senses import Nerves
from cabinet.senses.diary import Diary
from cabinet.senses.mirror import Mirroring
from cabinet.session.effects import Notice
from cabinet.session.events import Event
from cabinet.session.states import Idle
from cabinet.shelfwatch import ShelfWatch
from cabinet.tallier import Tallier
from cabinet.units import CameraId, Sku, VisitId
from cabinet.uplink import Uplink
from cabinet.wiring import facts as words
from cabinet.wiring import storage
from cabinet.wiring.credit import till
from cabinet.wiring.expected import expect_parts
from cabinet.wiring.far_end import uplink
from cabinet.wiring.hardware import cameras, hardware
from cabinet.wiring.learning import learner
from cabinet.wiring.people import People
from cabinet.witness import Witness


class House:
    """Every part of one cabinet, connected."""

    def __init__(self, facts: Config, ledger: Ledger) -> None:
        self.facts = facts
        self.ledger = ledger
        self.data = facts.cabinet.data_dir
        self.traces = self.data / "traces"
        self.traces.mkdir(exist_ok=True)
        self._systemd = sdnotify.SystemdNotifier() if "NOTIFY_SOCKET" in os.environ else None
        self._screen = screenline.LINES[Notice.OUT_OF_SERVICE]

        self._events: asyncio.Queue[Event] = asyncio.Queue()

        self.parts = Parts(self._post, clock.now_s)
        expect_parts(self.parts, facts)
        self.trail = Trail(ledger)
        self.cameras = cameras(facts)
        self.geometry = Geometry(facts, self.parts)
        self.recogniser = self._recogniser()
        self.people = People(facts, ledger, self.parts, self._front(), self._post, lambda: self.daemon.state)
        self.greeter, self.faces = self.people.greeter, self.people.faces
        item_model = "" if self.recogniser is None else self.recogniser.name
        face_model = "" if self.faces is None else self.faces.model
        self.enrolment = Enrolment(ledger, self.faces, self.recogniser, face_model, item_model)
        self._gallery: Mapping[Sku, Any] = {}

        self.witness = Witness(
            Scales(words.zones(facts)),
            self._eyes(),
            self.recogniser,
            self.traces,
            self._header,
            lambda: self._gallery,
            self._post,
            facts.storage.frames_per_visit,
        )
        self.witness.codes = self._item_codes()
        self.nerves = Nerves(self._post, self.witness, self.parts, now=clock.now_s)
        self.tallier = Tallier(self.traces, TallyPolicy(costs=words.costs(facts.tally)), self._post)
        self.hardware = hardware(facts, self.nerves, ledger.journal_next)
        self.daemon = Daemon(
            ledger=ledger,
            lock=self.hardware.lock,
            signals=self.hardware.signals,
            greeter=self.greeter,
            witness=self.witness,
            tallier=self.tallier,
            policy=facts.session,
            currency=facts.cabinet.currency,
            show=self._show,
            part=self.parts.report,
            alive=lambda: self._tell_systemd("WATCHDOG=1"),
            events=self._events,
        )
        self.uplink = self._uplink()
        self.maintenance = Maintenance(self.daemon, self.parts)
        self.people.complete(self.daemon, self.maintenance, self.uplink)
        self.people.shopper.line = self._shown
        self.till = till(facts, ledger, self.uplink, self.people.door, self.daemon)
        self.till.listed = self.people.trust.debts
        self.learner = learner(ledger, self.daemon, self.tallier, self.parts, self.traces, self._poke)
        self.tallier.heuristics = heuristics(facts.tally.shadow)
        self.caretaker = self._caretaker()
        self.reporter = None if self.uplink is None else self._reporter(self.uplink)
        self.watching = Watching(lambda: self.daemon.state, self._shown)
        self.shelfwatch = ShelfWatch(
            TallyPolicy(),
            lambda visit: self._header(visit, "shop"),
            lambda: self.witness.scales.recent(clock.now_s()),
            self._interim,
        )
        self.looking = self._looking()
        self.changing = Changing(
            facts, ledger, self.daemon, self.parts, self.enrolment, self.maintenance, self._changed, self.people.changed
        )
        self.board_watching = BoardWatching(self.hardware.desk, self.witness.scales)
        self.mirroring = Mirroring(ledger, self.hardware.board)
        self._connect()
        self._changed()
        self.people.changed()

    def loops(self) -> dict[str, Callable[[], Any]]:
        loops: dict[str, Callable[[], Any]] = {
            "daemon": self.daemon.run,
            "board": self.hardware.board.run,
            "caretaker": self.caretaker.run,
            **self.people.loops(),
            "control": self._control().run,
        }
        if self.uplink is not None and self.reporter is not None:
            loops |= {"uplink": self.uplink.run, "reporter": self.reporter.run, "till": self.till.run}
        return loops

    def start(self) -> None:
        for camera in self.cameras.values():
            camera.start()
        self.learner.start()
        self.people.start()
        if self.hardware.switches is not None:
            self.hardware.switches.tell_where()
        self._tell_systemd("READY=1")

    async def close(self) -> None:
        self.witness.close()
        for camera in self.cameras.values():
            await asyncio.to_thread(camera.stop)
        await asyncio.to_thread(self.people.close)

    # What the parts are told.

    def _tell_systemd(self, word: str) -> None:
        """Ready once, then a sign of life at each tick of the state machine, where systemd asked for it."""
        if self._systemd is not None:
            self._systemd.notify(word)

    def _post(self, event: Event) -> None:
        self._events.put_nowait(event)

    def _poke(self) -> None:
        """Something new is in the outbox."""
        if self.uplink is not None:
            self.uplink.poke()

    def _show(self, notice: Notice, visit: VisitId | None) -> None:
        record = None if visit is None else self.ledger.visit(visit)
        total_minor = 0 if record is None else record.total_minor
        self._screen = screenline.line(notice, total_minor, self.facts.cabinet.currency)
        if notice is Notice.REFUSED:
            self._screen = screenline.refused(self.greeter.refusal)
        self.people.show(notice, screenline.total(notice, total_minor, self.facts.cabinet.currency))
        self.watching.tell({"type": "notice", "notice": notice.value, "screen": self._screen})

    def _shown(self) -> str:
        """What the shopper reads now."""
        return self.greeter.hint or screenline.so_far(self.shelfwatch.interim, self._screen)

    def _interim(self, interim: Interim | None) -> None:
        self.watching.interim(interim)
        self.people.shopper.on_change()

    def _changed(self) -> None:
        """The catalogue or stock changed."""
        self._gallery = self.enrolment.gallery()
        self.caretaker.look_at_catalogue()
        self.learner.counted()

    def _header(self, visit: VisitId, purpose: str) -> Header:
        record = self.ledger.visit(visit)  # durable already: its opening is the instant of the unlock
        member = None if record is None else record.member
        return Header(
            visit=visit,
            cabinet=self.facts.cabinet.id,
            started_at=clock.wall_text(),
            clock_trusted=clock.quality() in {"ntp", "cloud"},
            purpose=purpose,  # type: ignore[arg-type]  # the machine's own words
            currency=self.facts.cabinet.currency,
            zones=words.zones(self.facts),
            cameras=words.cameras(self.facts, self.geometry.polygons),
            catalog=self.learner.catalog(),
            planogram=self.ledger.planogram(),
            stock=self.ledger.stock(),
            prices=words.prices(self.facts, self.ledger, clock.stamp() if record is None else record.opened),
            strays=self.ledger.strays_in(),
            member_age=None if member is None else self.ledger.member_age(member),
        )

    def _eyes(self) -> dict[CameraId, tuple[Eye, words.Polygons]]:
        return {
            CameraId(camera.id): (self.cameras[CameraId(camera.id)], self.geometry.polygons(camera))
            for camera in self.facts.cameras
            if camera.role == "interior"
        }

    def _calibrated(self) -> None:
        """Another visit looks at other polygons: none is open meanwhile."""
        self.witness.eyes = self._eyes()

    def _connect(self) -> None:
        self.daemon.watchers.append(self.watching.happened)
        self.daemon.watchers.append(lambda step: self.witness.state(type(step.after).__name__.lower()))
        self.witness.watchers.append(self.watching.sensed)
        self.daemon.watchers.append(self.shelfwatch.happened)
        self.witness.watchers.append(self.shelfwatch.sensed)
        self.parts.on_change(self.watching.part_changed)
        self.parts.on_change(lambda part: self.witness.health(part.name, part.why))
        if self.reporter is not None:
            self.daemon.watchers.append(self.reporter.happened)
        diary = Diary(self.ledger, lambda: self.daemon.state)
        if self.uplink is not None:
            diary.written = self.uplink.poke
        storage.attend(self.facts, self.ledger, self.caretaker, diary, self.hardware.board)
        self.caretaker.chores = (*self.caretaker.chores, self._forget())
        self.nerves.diary = diary.write
        self.daemon.watchers.append(self.mirroring.happened)
        self.parts.on_change(self.mirroring.part_changed)
        self.hardware.board.watchers.append(self.board_watching.watchers.tell)

    # How they are made.

    def _control(self) -> Control:
        desk, scales, screen = self.hardware.desk, self.witness.scales, ShopperRoom(self.people.shopper)
        credit = CreditRoom(self.looking, self.till.figures)  # adds to what is seen, as does the fleet's
        rooms = (
            self.looking,
            FleetRoom(credit, self.people.roster.figures),
            self.changing,
            PriceDesk(self.facts, self.ledger, self._changed),
            BoardRoom(self.facts, self.ledger, desk, self.maintenance),
            CameraRoom(self.facts, self.cameras, self.geometry, self.maintenance, self._calibrated),
            Weighing(self.facts, scales, self.parts, desk, self.maintenance),
            Selftest(self.nerves, self.hardware.lock, desk, self.maintenance),
            LearningRoom(self.ledger, self.learner),
            self._charges(),
            self.people.technicians,
            MemberKeys(self.ledger),
            TrustDesk(self.ledger, self.people.trust),
            screen,
        )
        operations = {name: operation for room in rooms for name, operation in room.operations().items()}
        return Control(
            self.facts.cabinet.socket_path,
            walled(watched(operations, self.ledger)),
            {
                "shopper.watch": screen.watch,
                "watch": self.watching.watch,
                "board.watch": self.board_watching.board,
                "scale.watch": self.board_watching.weighing,
            },
            self.trail.of,
        )

    def _forget(self) -> Callable[[], None]:
        days = self.facts.identity.keep_face_days
        return retention.chore(
            self.ledger, days, clock.stamp, self.people.changed, lambda: isinstance(self.daemon.state, Idle)
        )

    def _charges(self) -> ChargesDesk:
        return ChargesDesk(
            self.ledger,
            self.traces,
            self.data / "disputes",
            self.facts.cabinet.id,
            lambda record: words.prices_at(self.facts, self.ledger, record.opened, record.price_version),
            self._poke,
        )

    def _recogniser(self) -> ItemRecogniser | None:
        try:
            items = self.facts.items
            recogniser = ItemRecogniser(items.model, items.runtime, items.delegate or None)
        except PortError as error:
            self.parts.report("recogniser", str(error))
            return None
        self.parts.report("recogniser", None)
        if items.delegate:
            self.parts.report("accelerator", recogniser.engines.trouble)
        return recogniser

    def _item_codes(self) -> CodeReader | None:
        """Barcodes on items are extra evidence: without a reader the cabinet sells as before."""
        if self.recogniser is None:
            return None
        try:
            return CodeReader()
        except PortError:
            return None

    def _front(self) -> Eye | None:
        front = next((c.id for c in self.facts.cameras if c.role == "front"), None)
        return None if front is None else self.cameras[CameraId(front)]

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
            lock=self.hardware.lock,
            others=self._others(),
        )

    def _others(self) -> dict[str, Callable[[], str | None]]:
        """Parts that do not report by themselves: what is wrong with each."""
        others: dict[str, Callable[[], str | None]] = {}
        if self.uplink is not None:
            others["cloud"] = lambda: self._cloud()["why"]
            others["roster"] = self.till.trouble
        if self.recogniser is not None:
            others["recogniser"] = self.recogniser.trouble
        return others | self.people.troubles()

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

    def _uplink(self) -> Uplink | None:
        mqtt = self.facts.mqtt
        if mqtt is None:
            storage.without_cloud(self.ledger, self.parts, self.daemon)
            return None
        return uplink(mqtt, self.facts.cabinet.id, self.ledger, lambda why: self.parts.report("history", why))

    def _looking(self) -> Looking:
        return Looking(
            config=self.facts,
            ledger=self.ledger,
            daemon=self.daemon,
            parts=self.parts,
            nerves=self.nerves,
            enrolment=self.enrolment,
            traces=self.traces,
            screen=self._shown,
            interim=lambda: self.shelfwatch.interim,
            cloud=self._cloud,
            counters=self._counters(),
        )

    def _cloud(self) -> Mapping[str, Any]:
        if self.uplink is None:
            return {"connected": False, "why": "no [mqtt] in the config: nothing is sent"}
        figures = self.uplink.figures()
        return {"connected": figures["connected"], "why": figures["why"]}

    def _counters(self) -> dict[str, Callable[[], Mapping[str, float]]]:
        groups: dict[str, Callable[[], Mapping[str, float]]] = {
            "board": lambda: dataclasses.asdict(self.hardware.board.board.counters),
            **self.people.counters(),
            "audit": self.trail.figures,
            "till": lambda: self.till.counts,
            "evidence": lambda: self.witness.counts,
            "ledger": storage.counters(self.data),
        }
        for name, camera in self.cameras.items():
            groups[f"camera:{name}"] = lambda camera=camera: dataclasses.asdict(camera.counters)  # type: ignore[misc]  # bound now
        return groups
