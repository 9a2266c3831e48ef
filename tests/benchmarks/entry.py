"""From somebody standing there to the order to unlock: the machine's own steps, over many visits by face and by card.

The bench's front camera shows a photograph of the member that is not the one they enrolled from; the greeter finds,
judges and compares it as it would a person's, liveness included, and asks the cloud for a hold.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

from cabinet.cli.demo import people
from cabinet.cli.demo.shop import Shop
from cabinet.cli.demo.watcher import Watcher
from cabinet.sim.pictures import Picture
from tests.benchmarks.figures import Figures, Goal, ranked, spread
from tests.benchmarks.place import Given, open_shop
from tests.conftest import shared_data_folder

GOAL_S = 2.0
AWAY_S = 2.0  # without anybody before the camera: whoever comes then is somebody else
SHARE = 8  # of the visits that other benchmarks make


@dataclass
class Ears:
    """When each visit was begun and unlocked, by its id."""

    begun_s: dict[str, float] = field(default_factory=dict)
    unlocked_s: dict[str, float] = field(default_factory=dict)
    attempt_s: float = 0.0

    def step(self, told: dict[str, Any]) -> None:
        if told.get("type") != "step":
            return
        if told["event"] == "ShopperApproached" and told["after"] == "Authenticating":
            self.attempt_s = told["at_s"]
        if told["event"] == "MemberRecognised" and told["after"] == "Unlocked":
            self.begun_s[told["visit"]] = self.attempt_s
            self.unlocked_s[told["visit"]] = told["at_s"]

    def spans(self, visits: list[str]) -> list[float]:
        return [self.unlocked_s[visit] - self.begun_s[visit] for visit in visits if visit in self.unlocked_s]


def measure(given: Given) -> tuple[Figures, list[Goal]]:
    data = shared_data_folder()
    person = people.from_packages()[0] if data is None else people.from_photographs(data)[0]
    if person.seen_as is None:
        return {"skipped": "no photograph of a face at hand"}, []
    visits = max(4, given.visits // SHARE)
    ears = Ears()
    with open_shop(inside=False) as shop:
        watcher = Watcher(shop.bench.socket, ears.step)
        watcher.start()
        member = shop.enrol(person)
        ways: dict[str, Picture] = {"face": person.seen_as, "card": member.code}
        found = {way: _come(shop, picture, visits, given, way) for way, picture in ways.items()}
        watcher.stop()
        greeter = shop.bench.ask("doctor")["counters"]["greeter"]
    spans = {way: ears.spans(mine) for way, mine in found.items()}
    figures: Figures = {f"{way}_to_unlock_s": spread(times) for way, times in spans.items()}
    figures["greeter"] = greeter
    figures["photographs"] = data is not None
    return figures, [Goal("stands there → order to unlock by face, seconds (p95)", ranked(spans["face"], 0.95), GOAL_S)]


def _come(shop: Shop, picture: Picture, visits: int, given: Given, way: str) -> list[str]:
    mine = []
    for number in range(1, visits + 1):
        threading.Event().wait(AWAY_S)
        mine.append(shop.open_as(picture))
        shop.shut(mine[-1])
        shop.bench.wait_for_state("Idle")
        if number % 10 == 0 or number == visits:
            given.say(f"{number} visits of {visits} by {way}")
    return mine
