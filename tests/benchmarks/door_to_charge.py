"""From the door that falls shut to the charge that no power cut can undo, over many visits.

Three clocks, all of this one machine: the shopper's (the instant the world shut the door, until `visits.show` tells of
the closing), the machine's (its own step for the door, until its step that closed the visit), and the fleet's (what the
visit's telemetry says: from the contact of door and frame, which lies before the debounce).
"""

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from cabinet.cli.client import Client
from cabinet.cli.demo import goods
from cabinet.cli.demo.listener import Listener
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.shop import Member, Shop, basket
from cabinet.cli.demo.waiting import wait_until
from cabinet.cli.demo.watcher import Watcher
from tests.benchmarks.figures import Figures, Goal, ranked, spread
from tests.benchmarks.machine import reference_s
from tests.benchmarks.place import Given, open_shop

GOAL_S = 1.0
POLL_S = 0.015
AWAY_S = 1.8  # without anybody before the camera: whoever comes then is somebody else
COME_S, CLOSED_S = 5.0, 15.0
SEED = 20_261

COLA, LIME, OATS, CHIPS = "5000000000011", "5000000000028", "5000000000035", "5000000000042"
FULL: dict[str, tuple[str | None, ...]] = {
    "s1": (COLA, COLA, COLA, CHIPS, CHIPS, CHIPS),
    "s2": (LIME, LIME, LIME, OATS, OATS, OATS),
}


@dataclass
class Timed:
    """One visit."""

    wanted: dict[str, int]
    slammed: bool  # the door shut while a hand was still on the shelf
    told_s: float  # shut → `visits.show` tells of the closing
    shown: dict[str, Any]

    @property
    def right(self) -> bool:
        return basket(self.shown) == self.wanted


@dataclass
class Ears:
    """What machine and fleet say of each visit, by its id.  Filled on their threads, read when all is over."""

    shut_s: dict[str, float] = field(default_factory=dict)
    tallying_s: dict[str, float] = field(default_factory=dict)
    closed_s: dict[str, float] = field(default_factory=dict)
    fleet_ms: dict[str, float] = field(default_factory=dict)

    def step(self, happening: dict[str, Any]) -> None:
        if happening.get("type") != "step" or happening["visit"] is None:
            return
        moment = {"DoorClosed": self.shut_s, "EvidenceComplete": self.tallying_s, "VisitTallied": self.closed_s}
        if happening["event"] in moment and happening["before"] != happening["after"]:
            moment[happening["event"]][happening["visit"]] = happening["at_s"]

    def fleet(self, kind: str, payload: dict[str, Any]) -> None:
        if kind == "up/telemetry" and payload.get("kind") == "visit" and payload["t_close_to_verdict_ms"] is not None:
            self.fleet_ms[payload["visit"]] = payload["t_close_to_verdict_ms"]


@dataclass
class Day:
    """One shopper after the other, and a restock when a shelf runs empty."""

    shop: Shop
    member: Member
    dice: random.Random
    ears: Ears = field(default_factory=Ears)
    visits: list[Timed] = field(default_factory=list)
    late: int = 0  # not greeted at the first attempt
    restocks: int = 0
    left_s: float = 0.0

    def visit(self) -> None:
        shop = self.shop
        wanted = self._wishes()
        self._come()
        shop.bench.wait_for_state("Watching", within_s=5.0)
        visit = str(shop.bench.status()["visit"])
        for sku in wanted:
            self._take(sku)
        slammed = self.dice.random() < 0.5
        if slammed:
            threading.Event().wait(self.dice.uniform(0.0, 0.3))
        else:
            for zone in shop.bench.zones:
                shop.feel(zone)
        self._shut(visit, {sku: wanted.count(sku) for sku in set(wanted)}, slammed=slammed)
        shop.bench.wait_for_state("Idle")

    def restock(self) -> None:
        """A technician fills the shelves; nobody is charged."""
        shop = self.shop
        self.restocks += 1
        visit = shop.bench.ask("unlock", purpose="restock", reason="a new morning")["visit"]
        if not shop.pull():
            raise RuntimeError("the technician's unlock does not open the door")
        shop.bench.wait_for_state("Servicing")
        shop.shelves = {zone: list(places) for zone, places in FULL.items()}
        shop.draw()
        shop.world.stock(goods.counts(FULL))
        for zone, counts in goods.counts(FULL).items():
            for sku, count in counts.items():
                shop.bench.ask("stock.set", zone=zone, sku=sku, count=count)
            shop.feel(zone)
        shop.shut(visit)
        shop.bench.wait_for_state("Idle")

    def _wishes(self) -> list[str]:
        """One or two units that are there."""
        there = [sku for places in self.shop.shelves.values() for sku in places if sku is not None]
        if len(there) < 4 or any(not any(places) for places in self.shop.shelves.values()):
            self.restock()
            there = [sku for places in self.shop.shelves.values() for sku in places if sku is not None]
        return self.dice.sample(there, self.dice.choice((1, 2)))

    def _come(self) -> None:
        """Show the code, pull the door.  Whoever comes too early for the camera steps back and comes again."""
        for _ in range(3):
            threading.Event().wait(max(0.0, self.left_s + AWAY_S - time.monotonic()))
            self.shop.somebody(self.member.code)
            try:
                wait_until(self.shop.world.pull, COME_S, "")
            except TimeoutError:
                self.late += 1
                self._leave()
            else:
                self._leave()
                return
        raise RuntimeError(f"the shopper is not let in: {self.shop.bench.status()}")

    def _leave(self) -> None:
        self.shop.nobody()
        self.left_s = time.monotonic()

    def _take(self, sku: str) -> None:
        shop = self.shop
        zone = next(zone for zone, places in shop.shelves.items() if sku in places)
        shop.shelves[zone][shop.shelves[zone].index(sku)] = None
        shop.draw()
        shop.lift(zone, sku)

    def _shut(self, visit: str, wanted: dict[str, int], *, slammed: bool) -> None:
        with Client(self.shop.bench.socket) as client:
            shut_s = time.monotonic()
            self.shop.world.shut()
            pause = threading.Event()
            while True:
                shown = client.ask("visits.show", {"visit": visit})
                told_s = time.monotonic() - shut_s
                if shown["visit"]["outcome"] is not None:
                    break
                if told_s > CLOSED_S:
                    raise RuntimeError(f"visit {visit} is not closed after {CLOSED_S:g} s")
                pause.wait(POLL_S)
        self.visits.append(Timed(wanted, slammed, told_s, shown))


def measure(given: Given) -> tuple[Figures, list[Goal]]:
    loop_s = min(reference_s())
    with open_shop(inside=True, shelves=FULL) as shop:
        day = Day(shop, shop.enrol(Person("Ann", None, None)), random.Random(SEED))
        listener = Listener(shop.bench.broker.host, shop.bench.broker.port, day.ears.fleet)
        watcher = Watcher(shop.bench.socket, day.ears.step)
        listener.start()
        watcher.start()
        began_s = time.monotonic()
        for number in range(1, given.visits + 1):
            day.visit()
            if number % 10 == 0 or number == given.visits:
                per_visit_s = (time.monotonic() - began_s) / number
                given.say(f"{number} visits of {given.visits}, {per_visit_s:.1f} s each")
        wait_until(lambda: len(day.ears.fleet_ms) >= given.visits, 10.0, "the fleet did not hear of every visit")
        watcher.stop()
        listener.stop()
    return _found(day, loop_s)


def _found(day: Day, loop_s: float) -> tuple[Figures, list[Goal]]:
    ears, visits = day.ears, day.visits
    mine = [timed.shown["visit"]["visit"] for timed in visits]
    machine_s = [ears.closed_s[v] - ears.shut_s[v] for v in mine if v in ears.closed_s and v in ears.shut_s]
    evidence_s = [ears.tallying_s[v] - ears.shut_s[v] for v in mine if v in ears.tallying_s and v in ears.shut_s]
    tally_s = [ears.closed_s[v] - ears.tallying_s[v] for v in mine if v in ears.closed_s and v in ears.tallying_s]
    told_s = [timed.told_s for timed in visits]
    outcomes = [timed.shown["visit"]["outcome"] for timed in visits]
    found: Figures = {
        "door_event_to_durable_s": spread(machine_s),
        "of_it_evidence_s": spread(evidence_s),
        "of_it_tally_and_commit_s": spread(tally_s),
        "contact_to_verdict_s": spread([ears.fleet_ms[v] / 1000 for v in mine if v in ears.fleet_ms]),
        "shut_to_told_s": spread(told_s),
        "shut_to_told_at_rest_s": spread([t.told_s for t in visits if not t.slammed]),
        "shut_to_told_slammed_s": spread([t.told_s for t in visits if t.slammed]),
        "p99_in_reference_loops": round(ranked(told_s, 0.99) / loop_s, 2),
        "right_bills": round(sum(timed.right for timed in visits) / len(visits), 4),
        "outcomes": {name: outcomes.count(name) for name in sorted(set(outcomes))},
        "wrong": [_wrong(timed) for timed in visits if not timed.right],
        "not_greeted_at_once": day.late,
        "restocks": day.restocks,
    }
    goals = [
        Goal("door event → durable charge, seconds (p99)", ranked(machine_s, 0.99), GOAL_S),
        Goal("door shut → charge told, seconds (p99)", ranked(told_s, 0.99), GOAL_S),
    ]
    return found, goals


def _wrong(timed: Timed) -> Figures:
    """What a bill that is not right says, so that somebody may look into it."""
    visit = timed.shown["visit"]
    return {
        "wanted": timed.wanted,
        "billed": basket(timed.shown),
        "slammed": timed.slammed,
        "outcome": visit["outcome"],
        "why": visit["why"],
    }
