"""Who comes, put together: faces, codes, the shopper's screen, trust, technicians, the fleet's list; one greeter."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cabinet import clock
from cabinet.adapters.codes import CodeReader
from cabinet.config import Config
from cabinet.control.maintenance import Maintenance
from cabinet.control.technicians import TechnicianDesk
from cabinet.daemon import Daemon
from cabinet.greeter import Doorway, FaceDesk, Greeter, Offered, Service
from cabinet.identity import decide, recognise
from cabinet.identity.decide import Refused
from cabinet.identity.liveness import LiveRules
from cabinet.identity.token import TokenRefused
from cabinet.ledger import Ledger
from cabinet.parts import Parts
from cabinet.ports import Codes, Eye, PortError
from cabinet.session.effects import Notice
from cabinet.session.events import Event
from cabinet.session.states import State, open_visit
from cabinet.shopper import Asked, Shopper
from cabinet.uplink import Uplink
from cabinet.wiring.faces import FaceReader, face_reader
from cabinet.wiring.roster import roster
from cabinet.wiring.shopper import shopper
from cabinet.wiring.trust import trust_keeper

ASKED: Mapping[str, Asked | None] = {"nothing": None, "digits": "digits", "confirm": "confirm", "turn": "challenge"}


class People:
    """Everything that knows who somebody is.  `complete` joins what can only be made after the daemon."""

    def __init__(
        self,
        facts: Config,
        ledger: Ledger,
        parts: Parts,
        eye: Eye | None,
        post: Callable[[Event], None],
        state: Callable[[], State],
    ) -> None:
        """Raises ConfigError for a file of issuers that is wrong."""
        self.facts, self.ledger, self.parts = facts, ledger, parts
        self.faces = face_reader(facts.identity) if facts.identity.faces else None
        self.codes = self._codes()
        self.shopper: Shopper = shopper(facts, ledger)
        self.door = Doorway()
        self.desk = None if self.faces is None else self._desk(self.faces)
        self.greeter = Greeter(eye, self.desk, self.codes, self.door, post, state, facts.identity.digits)
        self._answers: set[asyncio.Task[bool]] = set()
        self._told: tuple[str, str, int] | None = None

    def complete(self, daemon: Daemon, maintenance: Maintenance, uplink: Uplink | None) -> None:
        self.trust = trust_keeper(self.facts, self.ledger, daemon)
        self.technicians = TechnicianDesk(self.ledger, maintenance)
        shopping = lambda: open_visit(daemon.state) is not None  # noqa: E731  # one name for one argument
        self.roster = roster(self.facts, self.ledger, uplink, self.changed, shopping)
        door, ledger = self.door, self.ledger
        if self.facts.identity.cards:
            door.card = ledger.member_of_token
        door.token, door.technician, door.digits = self._token, self.technicians.at_door, ledger.digits_of
        door.assess, door.turned_away = self.trust.assess, self.trust.turned_away
        self.shopper.service_key = self.technicians.service_key
        self.shopper.on_digits = lambda typed: self._answer(self.greeter.digits(typed))
        self.shopper.on_confirm = lambda yes: self._answer(self.greeter.confirm(yes=yes))
        self.greeter.told = self._ask

    @property
    def face_model(self) -> str:
        return "" if self.faces is None else self.faces.model

    def changed(self) -> None:
        """Other members, or other faces of theirs."""
        if self.desk is not None:
            self.desk.know(self.roster.templates)

    def start(self) -> None:
        self.trust.start()

    def loops(self) -> dict[str, Callable[[], Any]]:
        return {"greeter": self.greeter.run, "trust": self.trust.run, "members": self.roster.run}

    def show(self, notice: Notice, total: str) -> None:
        """What the machine tells the shopper, on the page as well."""
        self.shopper.show(notice, total)

    def troubles(self) -> dict[str, Callable[[], str | None]]:
        """Parts that do not report by themselves: what is wrong with each."""
        found = {"members": self.roster.trouble, "sealed": self.ledger.sealed_trouble}
        return found if self.faces is None else {**found, "face models": self.faces.trouble}

    def counters(self) -> dict[str, Callable[[], Mapping[str, float]]]:
        return {
            "greeter": lambda: self.greeter.counts,
            "screen": lambda: self.shopper.counts,
            "trust": lambda: self.trust.counts,
            "technicians": lambda: self.technicians.counts,
            "members": lambda: self.roster.counts,
        }

    def close(self) -> None:
        if self.faces is not None:
            self.faces.close()

    def _ask(self) -> None:
        """The page asks what the greeter asks."""
        greeter = self.greeter
        now = (greeter.asked, greeter.hint, greeter.questions)
        if now != self._told:
            self._told = now
            self.shopper.ask(ASKED[greeter.asked], greeter.hint)

    def _answer(self, answering: Any) -> None:  # noqa: ANN401  a coroutine
        task = asyncio.get_running_loop().create_task(answering)
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    def _token(self, text: str) -> Offered | Service | Refused | None:
        now = clock.stamp()
        said = self.shopper.accept(text, clock.now_s(), now)
        if isinstance(said, TokenRefused):
            return Refused(f"token: {said.why}")
        if said.kind == "shop":
            return Offered(said.member, said.limit_minor)
        service = self.technicians.service_of_token(said.member, now)
        return None if service is None else Service(service.name, service.purpose, service.reason)

    def _desk(self, faces: FaceReader) -> FaceDesk:
        who, known = self.facts.identity, faces.live_thresholds
        live = LiveRules(who.liveness)
        if known is not None:
            live = replace(live, live_from=known[0], spoof_below=known[1])
        return FaceDesk(
            faces,
            recognise.Rules(who.false_match, who.false_match_digits, who.face_distance, who.face_margin),
            decide.Rules(who.agreeing_frames, who.stranger_frames, live),
            self.parts.report,
        )

    def _codes(self) -> Codes | None:
        if not self.facts.identity.codes:
            return None
        try:
            codes = CodeReader()
        except PortError as error:
            self.parts.report("codes", str(error))
            return None
        self.parts.report("codes", codes.trouble())
        return codes
