"""People who shop while the cabinet is being killed: they see the door and the goods, and know what they took.

Nothing here relies on the daemon being there.  What was taken in which visit is known from the world alone: whose
lease the board held when the door gave way.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cabinet.cli.client import Client
from cabinet.cli.demo import goods
from cabinet.cli.demo.shop import Member, Shop
from cabinet.cli.demo.waiting import wait_until
from cabinet.cli.errors import CliError
from tests.chaos.visits.lookout import visit_of

READY_S, PULLING_S, CLOSED_S = 90.0, 7.0, 60.0
OUT_OF_SERVICE_S = 8.0  # then a technician comes
AWAY_S = 1.8  # nobody before the camera, so that the next one is somebody else
ASK_S = 5.0
LONG_HOLD = 0.15  # share of visits with the door held open for some seconds
COLA, LIME, OATS, CHIPS = "5000000000011", "5000000000028", "5000000000035", "5000000000042"
FULL: dict[str, tuple[str | None, ...]] = {
    "s1": (COLA, COLA, COLA, CHIPS, CHIPS, CHIPS),
    "s2": (LIME, LIME, LIME, OATS, OATS, OATS),
}


@dataclass
class Customers:
    shop: Shop
    member: Member
    dice: random.Random
    moment: Callable[[], None]  # an awkward one: the gremlin may strike
    check: Callable[[], None]  # raises where the cabinet did not come back
    taken: dict[str, Counter[str]] = field(default_factory=dict)  # visit → what left with its shopper
    turned_away: int = 0
    services: int = 0
    unclosed: list[str] = field(default_factory=list)

    def come_and_go(self, visits: int) -> None:
        while len(self.taken) < visits:
            self.check()
            if self._empty():
                self.restock()
            self.ready()
            self.visit()

    def visit(self) -> None:
        self._pause(AWAY_S, AWAY_S)
        self.shop.somebody(self.member.code)
        self.moment()
        visit = self._pull()
        self.shop.nobody()
        if visit is None:
            self.turned_away += 1
            return
        self.taken[visit] = self._take()
        self.moment()
        self.shop.world.shut()
        try:
            wait_until(lambda: self._closed(visit), CLOSED_S, "")
        except TimeoutError:
            self.unclosed.append(visit)

    def ready(self) -> None:
        """Until the cabinet sells.  A technician comes where it stays out of service."""
        out_since_s: float | None = None
        until_s = time.monotonic() + READY_S
        while (state := self._state()) not in {"Idle", "Authenticating"}:
            self.check()
            if time.monotonic() > until_s:
                raise TimeoutError(f"the cabinet does not sell again: {self.ask('status')}")
            now_s = time.monotonic()
            out_since_s = (out_since_s or now_s) if state == "OutOfService" else None
            if out_since_s is not None and now_s - out_since_s > OUT_OF_SERVICE_S:
                self._service("looked at it")
                out_since_s = None
            self._pause(0.1, 0.1)

    def restock(self) -> None:
        for _ in range(10):
            if self._service("restock"):
                return
            self.ready()
        raise TimeoutError("the technician did not get in")

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any] | None:
        """None where the daemon is not there, or says no."""
        try:
            with Client(self.shop.bench.socket) as client:
                return client.ask(operation, arguments, timeout_s=ASK_S)
        except CliError:
            return None

    def _state(self) -> str | None:
        status = self.ask("status")
        return None if status is None else status["state"]

    def _closed(self, visit: str) -> bool:
        self.check()
        shown = self.ask("visits.show", visit=visit)
        return shown is not None and shown["visit"]["outcome"] is not None

    def _pull(self) -> str | None:
        """Pull at the door until it gives way, for a while; the visit whose lease let us in."""
        until_s, visit = time.monotonic() + PULLING_S, None
        while time.monotonic() < until_s:
            visit = visit_of(self.shop.bench.board.control({"do": "state"})) or visit
            if self.shop.world.pull():
                return visit or "nobody's"
            self._pause(0.02, 0.02)
        return None

    def _take(self) -> Counter[str]:
        """Up to three units, one of them perhaps put back."""
        hands: Counter[str] = Counter()
        for _ in range(self.dice.choice((0, 1, 1, 2, 2, 3))):
            zone = self.dice.choice(self.shop.bench.zones)
            there = [place for place, sku in enumerate(self.shop.shelves[zone]) if sku is not None]
            if there:
                self._one(zone, self.dice.choice(there), hands)
            self._pause(0.1, 1.2)
        if self.dice.random() < LONG_HOLD:
            self._pause(3.0, 7.0)
        return +hands

    def _one(self, zone: str, place: int, hands: Counter[str]) -> None:
        shelf = self.shop.shelves[zone]
        sku = shelf[place]
        assert sku is not None
        shelf[place] = None
        self.shop.draw()
        self.shop.lift(zone, sku)
        hands[sku] += 1
        if self.dice.random() < 0.2:
            self._pause(0.5, 1.5)
            shelf[place] = sku
            self.shop.draw()
            self.shop.lay(zone, sku)
            hands[sku] -= 1

    def _service(self, reason: str) -> bool:
        """A technician opens, fills the shelves, counts, shuts.  False: not let in."""
        self.services += 1
        opened = self.ask("unlock", purpose="restock", reason=reason)
        if opened is None:
            return False
        self.moment()
        try:
            wait_until(self.shop.world.pull, PULLING_S, "")
        except TimeoutError:
            return False
        self.shop.shelves = {zone: list(places) for zone, places in FULL.items()}
        self.shop.draw()
        self.shop.world.stock(goods.counts(FULL))
        for zone, counts in goods.counts(FULL).items():
            for sku, count in counts.items():
                self._insist("stock.set", zone=zone, sku=sku, count=count)
        self.shop.world.shut()
        wait_until(lambda: self._closed(opened["visit"]), CLOSED_S, "the technician's visit does not end")
        return True

    def _insist(self, operation: str, **arguments: Any) -> None:
        def done() -> bool:
            self.check()
            return self.ask(operation, **arguments) is not None

        wait_until(done, READY_S, f"{operation} is not answered")

    def _empty(self) -> bool:
        return any(sum(sku is not None for sku in places) < 3 for places in self.shop.shelves.values())

    def _pause(self, least_s: float, most_s: float) -> None:
        threading.Event().wait(self.dice.uniform(least_s, most_s))
