"""Every part of one cabinet, made and connected: the list of parts, and who knows whom."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from cabinet import clock
from cabinet.basket.evidence import Product
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.shadow import heuristics
from cabinet.config import Config
from cabinet.control import Control
from cabinet.control.changing import Changing
from cabinet.control.enrolment import Enrolment
from cabinet.control.geometry import Geometry
from cabinet.control.looking import Looking
from cabinet.control.maintenance import Maintenance
from cabinet.control.shopper import ShopperRoom
from cabinet.control.trail import Trail
from cabinet.control.watching import BoardWatching
from cabinet.daemon import Daemon
from cabinet.ledger import Ledger
from cabinet.parts import Parts
from cabinet.senses.diary import Diary
from cabinet.senses.mirror import Mirroring
from cabinet.session.events import Event
from cabinet.session.states import State
from cabinet.tallier import Tallier
from cabinet.units import Sku
from cabinet.wiring import caring, rooms, storage, systemd
from cabinet.wiring import facts as words
from cabinet.wiring.expected import expect_parts
from cabinet.wiring.fleet import Fleet
from cabinet.wiring.hardware import hardware
from cabinet.wiring.headers import Headers
from cabinet.wiring.learning import learner
from cabinet.wiring.people import People
from cabinet.wiring.screen import ShopScreen
from cabinet.wiring.sensing import Sensing


class House:
    """Every part of one cabinet, connected."""

    def __init__(self, facts: Config, ledger: Ledger) -> None:
        self.facts, self.ledger = facts, ledger
        traces = words.traces(facts)
        traces.mkdir(exist_ok=True)
        self._tell_systemd = systemd.teller()
        self._events: asyncio.Queue[Event] = asyncio.Queue()

        self.parts = Parts(self._post, clock.now_s)
        expect_parts(self.parts, facts)
        self.trail = Trail(ledger)
        geometry = Geometry(facts, self.parts)
        header = Headers(facts, ledger, geometry.polygons, self._catalog).header
        self.sensing = Sensing(facts, self.parts, geometry, header, self._post)
        self.people = People(facts, ledger, self.parts, self.sensing.front(), self._post, self._state)
        self.enrolment = Enrolment(
            ledger, self.people.faces, self.sensing.recogniser, self.people.face_model, self.sensing.item_model
        )
        self.tallier = Tallier(traces, TallyPolicy(costs=words.costs(facts.tally)), self._post)
        self.tallier.heuristics = heuristics(facts.tally.shadow)
        self.hardware = hardware(facts, self.sensing.nerves, ledger.journal_next)
        scales = self.sensing.witness.scales
        self.screen = ShopScreen(ledger, facts.cabinet.currency, self.people, scales, header, self._state)
        self.daemon = Daemon(
            ledger=ledger,
            lock=self.hardware.lock,
            signals=self.hardware.signals,
            greeter=self.people.greeter,
            witness=self.sensing.witness,
            tallier=self.tallier,
            policy=facts.session,
            currency=facts.cabinet.currency,
            show=self.screen.show,
            part=self.parts.report,
            alive=lambda: self._tell_systemd("WATCHDOG=1"),
            events=self._events,
        )
        door, line = self.people.door, lambda: self.screen.line
        self.fleet = Fleet(facts, ledger, self.parts, self.sensing.nerves, door, self.daemon, line)
        self.maintenance = Maintenance(self.daemon, self.parts)
        self.people.complete(self.daemon, self.maintenance, self.fleet.uplink)
        self.fleet.till.listed = self.people.trust.debts
        self.learner = learner(ledger, self.daemon, self.tallier, self.parts, traces, self.fleet.poke)
        others = {**self.fleet.troubles(), **self.sensing.troubles(), **self.people.troubles()}
        self.caretaker = caring.caretaker(
            facts, ledger, self.parts, self.sensing, self.daemon, self.hardware.lock, others
        )
        self.looking = Looking(
            config=facts,
            ledger=ledger,
            daemon=self.daemon,
            parts=self.parts,
            nerves=self.sensing.nerves,
            enrolment=self.enrolment,
            traces=traces,
            screen=self.screen.now,
            interim=lambda: self.screen.shelfwatch.interim,
            cloud=self.fleet.cloud,
            counters=rooms.counters(facts, self.hardware, self.people, self.trail, self.fleet.till, self.sensing),
        )
        self.changing = Changing(
            facts, ledger, self.daemon, self.parts, self.enrolment, self.maintenance, self._changed, self.people.changed
        )
        self.board_watching = BoardWatching(self.hardware.desk, scales)
        self.mirroring = Mirroring(ledger, self.hardware.board)
        self._connect()
        self._changed()
        self.people.changed()

    def loops(self) -> dict[str, Callable[[], Any]]:
        return {
            "daemon": self.daemon.run,
            "board": self.hardware.board.run,
            "caretaker": self.caretaker.run,
            **self.people.loops(),
            "control": self._control().run,
            **self.fleet.loops(),
        }

    def start(self) -> None:
        self.sensing.start()
        self.learner.start()
        self.people.start()
        if self.hardware.switches is not None:
            self.hardware.switches.tell_where()
        self._tell_systemd("READY=1")

    async def close(self) -> None:
        await self.sensing.close()
        await asyncio.to_thread(self.people.close)

    def _post(self, event: Event) -> None:
        self._events.put_nowait(event)

    def _state(self) -> State:
        return self.daemon.state

    def _catalog(self) -> Mapping[Sku, Product]:
        return self.learner.catalog()

    def _changed(self) -> None:
        """The catalogue or stock changed."""
        self.sensing.gallery = self.enrolment.gallery()
        self.caretaker.look_at_catalogue()
        self.learner.counted()

    def _connect(self) -> None:
        """Who is told of what: of every step of the machine, of what is sensed, of parts; and what the board wrote."""
        watching, shelfwatch, witness = self.screen.watching, self.screen.shelfwatch, self.sensing.witness
        self.daemon.watchers.append(watching.happened)
        self.daemon.watchers.append(lambda step: witness.state(type(step.after).__name__.lower()))
        self.daemon.watchers.append(shelfwatch.happened)
        if self.fleet.reporter is not None:
            self.daemon.watchers.append(self.fleet.reporter.happened)
        self.daemon.watchers.append(self.mirroring.happened)
        witness.watchers.append(watching.sensed)
        witness.watchers.append(shelfwatch.sensed)
        self.parts.on_change(watching.part_changed)
        self.parts.on_change(lambda part: witness.health(part.name, part.why))
        self.parts.on_change(self.mirroring.part_changed)
        self.hardware.board.watchers.append(self.board_watching.watchers.tell)

        diary = Diary(self.ledger, self._state, self.fleet.poke)
        storage.attend(self.facts, self.ledger, self.caretaker, diary, self.hardware.board)
        forget = caring.forgetting(self.facts, self.ledger, self.people.changed, self.daemon)
        self.caretaker.chores = (*self.caretaker.chores, forget)
        self.sensing.nerves.diary = diary.write

    def _control(self) -> Control:
        screen = ShopperRoom(self.people.shopper)
        return rooms.control(
            self.facts,
            self.ledger,
            self.trail,
            (
                *rooms.of_state(self.looking, self.fleet.till, self.people),
                self.changing,
                *rooms.of_hardware(self.facts, self.ledger, self.parts, self.hardware, self.sensing, self.maintenance),
                *rooms.of_goods(self.facts, self.ledger, self.learner, self._changed, self.fleet.poke),
                *rooms.of_people(self.ledger, self.people),
                screen,
            ),
            {
                "shopper.watch": screen.watch,
                "watch": self.screen.watching.watch,
                "board.watch": self.board_watching.board,
                "scale.watch": self.board_watching.weighing,
            },
        )
