"""What the daemon costs while nobody is there: share of a core, and memory."""

import threading

from cabinet.cli.demo.people import Person
from cabinet.cli.demo.shop import Shop
from tests.benchmarks import usage
from tests.benchmarks.figures import Figures, Goal
from tests.benchmarks.machine import reference_s
from tests.benchmarks.place import Given, open_shop

WATCHED_S = 30.0
CALM_S = 8.0  # after start-up, or after a visit, until whatever is left to do is done
SHARE_GOAL, RSS_GOAL_MIB = 0.05, 250.0


def measure(given: Given) -> tuple[Figures, list[Goal]]:
    loop_s = min(reference_s())
    found: Figures = {"watched_s": WATCHED_S}
    with open_shop(inside=False) as shop:
        given.say("front camera alone")
        alone = _calm(shop)
        found["front_camera"] = alone.told(loop_s)
    with open_shop(inside=True) as shop:
        given.say("front and interior camera")
        found["front_and_interior"] = _calm(shop).told(loop_s)
        given.say("one visit by code")
        _visit(shop)
        given.say("front and interior camera, after the visit")
        found["after_a_visit"] = _calm(shop).told(loop_s)
    goals = [
        Goal("idle, share of a core", alone.cpu_share, SHARE_GOAL),
        Goal("idle, resident MiB", alone.rss_mib, RSS_GOAL_MIB),
        Goal("idle after a visit, resident MiB", found["after_a_visit"]["rss_mib"], RSS_GOAL_MIB),
    ]
    return found, goals


def _calm(shop: Shop) -> usage.Usage:
    threading.Event().wait(CALM_S)
    return usage.over(shop.bench.pid("daemon"), WATCHED_S)


def _visit(shop: Shop) -> None:
    visitor = shop.enrol(Person("Ann", None, None))
    visit = shop.open_as(visitor.code)
    sku = next(sku for sku in shop.shelves["s1"] if sku is not None)
    shop.take("s1", sku)
    shown = shop.shut(visit)
    if shown["visit"]["outcome"] != "charge":
        raise RuntimeError(f"the visit was not charged: {shown['visit']}")
    shop.bench.wait_for_state("Idle")
