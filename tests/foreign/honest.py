"""Stories of people who mean well.  Each plays itself between the opening of the door and its closing."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

from tests.foreign.play import Play
from tests.foreign.shop import Rng, Unit, products

Story = Callable[[Play], None]


def one(p: Play) -> None:
    zone = p.zone()
    p.take(zone, p.some(zone))


def several(p: Play) -> None:
    for _ in range(int(p.rng.integers(2, 5))):
        zone = p.zone()
        p.take(zone, p.some(zone))
        p.wait(0.6, 1.8)


def many(p: Play) -> None:
    for _ in range(int(p.rng.integers(5, 9))):
        zone = p.zone()
        p.take(zone, p.some(zone))
        p.wait(0.5, 1.6)


def nothing(p: Play) -> None:
    p.wait(0.5, 6.0)
    if p.rng.random() < 0.5:
        p.push(p.zone(), p.now, p.u(0.3, 1.5), p.u(20, 150))
        p.wait(1.5, 2.5)


def _both_hands(p: Play, first: tuple[str, str], second: tuple[str, str], low: float, high: float) -> None:
    start = p.now
    p.take(*first)
    p.now = start + p.u(low, high)
    p.take(*second)


def two_hands_same(p: Play) -> None:
    zone = p.zone()
    sku = p.some(zone)
    _both_hands(p, (zone, sku), (zone, sku), 0.0, 0.15)


def two_hands_different(p: Play) -> None:
    zone = p.zone()
    sku = p.some(zone)
    _both_hands(p, (zone, sku), (zone, p.some(zone, sku)), 0.1, 0.3)


def two_zones(p: Play) -> None:
    one_, other = p.rng.choice(["s1", "s2", "s3", "s4"], 2, replace=False)
    _both_hands(p, (str(one_), p.some(str(one_))), (str(other), p.some(str(other))), 0.0, 0.3)


def put_back(p: Play) -> None:
    zone = p.zone()
    unit = p.take(zone, p.some(zone))
    p.wait(0.8, 4.0)
    p.put(unit, zone)
    _perhaps_another(p)


def _perhaps_another(p: Play) -> None:
    if p.rng.random() < 0.6:
        p.wait(0.8, 2.0)
        one(p)


def misplaced_return(p: Play) -> None:
    zone = p.zone()
    unit = p.take(zone, p.some(zone))
    p.wait(0.8, 4.0)
    p.put(unit, p.zone(zone))
    _perhaps_another(p)


def looking(p: Play) -> None:
    zone = p.zone()
    for _ in range(int(p.rng.integers(1, 4))):  # leans, a hand rests on the shelf
        p.push(zone, p.now, rests := p.u(0.4, 4.0), p.u(30, 400))
        p.now += rests + p.u(0.1, 0.8)
    p.take(zone, p.some(zone))


def quick(p: Play) -> None:
    for _ in range(int(p.rng.integers(2, 5))):
        zone = p.zone()
        p.take(zone, p.some(zone), over=p.u(0.1, 0.25))
        p.wait(0.1, 0.5)


def slow(p: Play) -> None:
    zone = p.zone()
    p.take(zone, p.some(zone), over=p.u(1.5, 10.0))
    _perhaps_another(p)


def slam_take(p: Play) -> None:
    _perhaps_another(p)
    zone = p.zone()
    p.take(zone, p.some(zone), over=p.u(0.15, 0.3))
    p.shut(-0.1, 0.1)


def exchange(p: Play) -> None:
    zone = p.zone()
    unit = p.take(zone, p.some(zone))
    p.wait(0.8, 3.0)
    p.put(unit, zone)
    p.wait(0.05, 0.35)
    p.take(zone, p.some(zone, unit.sku))


def carried_past(p: Play) -> None:
    zone = str(p.rng.choice(["s3", "s4"]))
    sku = p.some(zone)
    p.take(zone, sku)
    p.wait(0.2, 0.7)
    p.see({"s3": "s1", "s4": "s2"}[zone], str(p.rng.choice(["take", "unknown"])), sku)  # lifted past the upper shelf
    _perhaps_another(p)


def near_pair(rng: Rng) -> list[str]:
    """Two SKUs within 3 g."""
    goods = products(rng)
    pairs = [(a[0], b[0]) for a, b in combinations(goods, 2) if abs(a[2] - b[2]) <= 3.0]
    return list(pairs[int(rng.integers(len(pairs)))])


def near_multiple(rng: Rng) -> list[str]:
    """A SKU of which two or three units weigh within 3 g of another's one."""
    goods = [g for g in products(rng) if g[2] > 50.0]
    found = [(a[0], b[0]) for a in goods for b in goods for k in (2, 3) if abs(k * a[2] - b[2]) <= 3.0]
    return list(found[int(rng.integers(len(found)))])


def _wanted(p: Play) -> tuple[str, list[str]]:
    want: list[str] = p.marks["want"]
    return next(z for z, skus in p.shop.plan.items() if want[0] in skus), want


def equal_masses(p: Play) -> None:
    zone, want = _wanted(p)
    p.take(zone, str(p.rng.choice(want)))
    _perhaps_another(p)


def multiples(p: Play) -> None:
    zone, (light, heavy) = _wanted(p)
    if p.rng.random() < 0.4:
        p.take(zone, heavy)
        return
    ratio = round(p.shop.goods[heavy].mass_g / p.shop.goods[light].mass_g)
    there = sum(u.sku == light for u in p.shop.units[zone])
    for _ in range(min(ratio, there)):
        p.take(zone, light)
        p.wait(0.1, 1.5)


def misplaced_item(p: Play) -> None:
    """A unit stands in another zone than the ledger believes, since the restock."""
    home = p.zone()
    wrong = p.zone(home)
    sku = p.some(home)
    unit = next(u for u in p.shop.units[home] if u.sku == sku)
    p.shop.units[home].remove(unit)
    p.shop.units[wrong].append(unit)
    p.take(wrong, sku)
    _perhaps_another(p)
    p.marks["stray"] = (sku, wrong)


def mass_off(p: Play) -> None:
    """What the ledger believes of this SKU is wrong by more than any reading: charge what was seen, or ask."""
    zone, want = _wanted(p)
    p.take(zone, want[0])
    p.outcome = "either"


def printed_shirt(p: Play) -> None:
    zone = p.zone()
    p.take(zone, p.some(zone))
    p.wait(0.2, 1.5)
    near = p.zone()
    p.see(near, "take", p.some(near))
    _perhaps_another(p)


def held_before(p: Play) -> None:
    """Came with something in the hand; the cameras see it, the cells do not."""
    zone = p.zone()
    brought = p.some(p.zone())
    for _ in range(int(p.rng.integers(1, 3))):
        p.see(zone, str(p.rng.choice(["take", "return", "unknown"])), brought)
        p.wait(0.3, 1.2)
    _perhaps_another(p)


def bag(p: Play) -> None:
    zone = p.zone()
    sack = Unit(None, p.u(200, 3000))
    p.put(sack, zone, seen=False)
    p.wait(0.5, 3.0)
    if p.rng.random() < 0.6:
        where = p.zone(zone) if p.rng.random() < 0.7 else zone
        p.take(where, p.some(where))
        p.wait(0.5, 2.0)
    p.take(zone, None, seen=False)
    _perhaps_another(p)


def reopened(p: Play) -> None:
    one(p)
    p.shut()
    p.wait(0.4, 1.5)
    p.doors.append((p.now, True))
    p.wait(0.5, 1.2)
    one(p)


def compared(p: Play) -> None:
    zone = p.zone()
    other = zone if p.rng.random() < 0.5 else p.zone(zone)
    first = p.take(zone, p.some(zone))
    p.wait(0.3, 1.2)
    second = p.take(other, p.some(other, first.sku))
    p.wait(1.0, 3.0)
    for unit, back in ((first, zone), (second, other))[:: int(p.rng.choice([1, -1]))]:
        p.put(unit, back)
        p.wait(0.2, 1.0)


STORIES: dict[str, tuple[Story, float]] = {  # with how often each is drawn
    "one": (one, 4), "several": (several, 4), "many": (many, 2), "nothing": (nothing, 2),
    "two_hands_same": (two_hands_same, 2), "two_hands_different": (two_hands_different, 2), "two_zones": (two_zones, 2),
    "put_back": (put_back, 2), "misplaced_return": (misplaced_return, 1), "looking": (looking, 2), "quick": (quick, 1),
    "slow": (slow, 1), "slam_take": (slam_take, 1), "exchange": (exchange, 1), "carried_past": (carried_past, 1),
    "equal_masses": (equal_masses, 1), "multiples": (multiples, 1), "misplaced_item": (misplaced_item, 1),
    "mass_off": (mass_off, 0.5), "printed_shirt": (printed_shirt, 1), "held_before": (held_before, 1), "bag": (bag, 1),
    "reopened": (reopened, 1), "compared": (compared, 1),
}  # fmt: skip


def need(name: str, rng: Rng) -> dict[str, Any]:
    """What the shop must be like for the story."""
    if name == "equal_masses":
        return {"want": near_pair(rng)}
    if name == "multiples":
        return {"want": near_multiple(rng)}
    if name in {"mass_off", "own_bottle"}:
        goods = [g[0] for g in products(rng) if g[2] > 60.0]
        off = float(rng.uniform(0.10, 0.15) * rng.choice([-1, 1])) if name == "mass_off" else 0.0
        return {"want": [str(rng.choice(goods))], "off": off}
    return {}
