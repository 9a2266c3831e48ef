"""Stories of people who cheat, and of machines that fail.  `marks` tell `record` what the recording suffers."""

from collections.abc import Callable

from tests.foreign import honest
from tests.foreign.play import Play
from tests.foreign.shop import SEES, Unit

Story = Callable[[Play], None]


def _shop_a_little(p: Play) -> None:
    (honest.one, honest.several, honest.put_back)[int(p.rng.integers(3))](p)


def own_bottle(p: Play) -> None:
    zone, (sku,) = honest._wanted(p)
    real = next(u.mass_g for u in p.shop.units[zone] if u.sku == sku)
    off = max(4.0, p.u(0.0, 0.04) * real)  # closer than 4 g two weighings do not tell for sure
    bottle = Unit(None, real + off * float(p.rng.choice([-1, 1])))
    if p.rng.random() < 0.5:
        p.take(zone, sku)
        p.wait(0.3, 3.0)
        p.put(bottle, zone)
    else:
        p.put(bottle, zone)
        p.wait(0.3, 3.0)
        p.take(zone, sku)
    p.outcome = "review"


def stone_left(p: Play) -> None:
    zone = p.zone()
    stone = Unit(None, p.u(60, 700))
    p.put(stone, zone, seen=p.rng.random() < 0.3)
    if p.rng.random() < 0.5:
        p.wait(0.0, 0.4)
    else:
        p.wait(0.8, 2.0)
    p.take(zone, p.some(zone))
    p.outcome = "review"


def cheap_for_dear(p: Play) -> None:
    cheap_zone, dear_zone = (str(z) for z in p.rng.choice(["s1", "s2", "s3", "s4"], 2, replace=False))
    cheap = p.take(cheap_zone, p.some(cheap_zone))
    p.wait(0.8, 2.0)
    p.take(dear_zone, max(p.shop.plan[dear_zone], key=lambda s: p.shop.goods[s].price))
    p.wait(0.2, 1.0)
    p.put(cheap, dear_zone)
    p.outcome = "either"


def slow_bleed(p: Play) -> None:
    """Drawn off the shelf so slowly that it looks like drift."""
    zone = p.zone()
    p.take(zone, p.some(zone), over=p.u(10.0, 30.0))
    p.outcome = "either"


def slam_take(p: Play) -> None:
    p.marks["slam_g"] = p.u(80, 300)
    zone = p.zone()
    p.take(zone, p.some(zone), over=p.u(0.15, 0.3))
    p.shut(-0.15, 0.05)


def covered(p: Play) -> None:
    at = p.now
    p.marks["dead_cameras"] = tuple(SEES)
    p.events += [{"t": at, "type": "health", "part": f"camera:{c}", "ok": False, "why": "covered"} for c in SEES]
    _shop_a_little(p)
    p.outcome = "either"


def camera_dead(p: Play) -> None:
    camera = str(p.rng.choice(list(SEES)))
    p.marks["dead_cameras"] = (camera,)
    p.events.append({"t": p.u(0, 1), "type": "health", "part": f"camera:{camera}", "ok": False, "why": "no frames"})
    _shop_a_little(p)


def zone_dead(p: Play) -> None:
    zone = p.zone()
    p.marks["dead_zone"] = (zone, p.u(0.5, 3.0))
    if p.rng.random() < 0.5:
        p.events.append({"t": p.now, "type": "health", "part": f"scale:{zone}", "ok": False, "why": "silent"})
    p.wait(0.3, 1.5)
    p.take(zone, p.some(zone))
    p.outcome = "review"


def stuck(p: Play) -> None:
    zone = p.zone()
    p.marks["stuck_zone"] = (zone, p.now)
    p.wait(0.2, 1.0)
    p.take(zone, p.some(zone))
    p.outcome = "review"


def stuck_cell(p: Play) -> None:
    """One of the four cells keeps its value: the zone shows three quarters of each step, more or less."""
    zone = p.zone()
    p.marks["part_stuck"] = (zone, p.u(0.6, 0.85))
    p.take(zone, p.some(zone))
    p.outcome = "review"


def gap(p: Play) -> None:
    at = p.now + p.u(-0.2, 0.6)
    lost_s = p.u(0.5, 3.0)
    p.marks["gap"] = (at, lost_s)
    _shop_a_little(p)
    if any(at - 0.3 < m.at_s < at + lost_s + 0.3 for m in p.moves):
        p.outcome = "either"  # nobody weighed what went then, only before and after


def spikes(p: Play) -> None:
    p.marks["spikes"] = int(p.rng.integers(3, 40))
    _shop_a_little(p)


def saturation(p: Play) -> None:
    zone = p.zone()
    p.push(zone, p.now, leans := p.u(0.5, 2.0), p.u(15_000, 40_000))
    p.now += leans + p.u(0.4, 1.0)
    p.take(zone, p.some(zone))
    p.marks["clamp"] = True


def clock_lag(p: Play) -> None:
    p.marks["lag_s"] = p.u(0.3, 1.0)
    _shop_a_little(p)


def vibration(p: Play) -> None:
    p.marks["hum_g"] = p.u(5.0, 15.0)
    _shop_a_little(p)


def cold_drift(p: Play) -> None:
    p.marks["drift_g"] = float(p.rng.choice([-20.0, 20.0]))
    p.events += [{"t": p.now + n, "type": "temperature", "probe": "air", "c": round(4 + 0.8 * n, 1)} for n in range(4)]
    _shop_a_little(p)
    p.wait(2.0, 15.0)


def foreign_left(p: Play) -> None:
    zone = p.zone()
    p.put(Unit(None, p.u(25, 500)), zone, seen=p.rng.random() < 0.5)
    if p.rng.random() < 0.5:
        p.wait(0.8, 2.0)
        honest.one(p)
    p.outcome = "review"


def rummage(p: Play) -> None:
    for _ in range(int(p.rng.integers(6, 16))):
        zone = p.zone()
        if p.rng.random() < 0.6:
            p.push(zone, p.now, p.u(0.2, 1.2), p.u(20, 500))
            p.wait(0.3, 1.0)
        else:
            unit = p.take(zone, p.some(zone), seen=p.rng.random() < 0.4)
            p.wait(0.2, 1.0)
            p.put(unit, zone, seen=p.rng.random() < 0.4)
            p.wait(0.1, 0.8)


def torn(p: Play) -> None:
    _shop_a_little(p)
    p.marks["torn"] = True
    p.outcome = "either"


def misleading(p: Play) -> None:
    zone = p.zone()
    sku = p.some(zone)
    p.marks["misled"] = {sku: p.some(zone, sku)}
    p.take(zone, sku)
    p.outcome = "either"


STORIES: dict[str, tuple[Story, float]] = {
    "own_bottle": (own_bottle, 1), "stone_left": (stone_left, 1), "cheap_for_dear": (cheap_for_dear, 1),
    "slow_bleed": (slow_bleed, 1), "slam_take": (slam_take, 1), "covered": (covered, 1),
    "camera_dead": (camera_dead, 1), "zone_dead": (zone_dead, 1), "stuck": (stuck, 1), "stuck_cell": (stuck_cell, 1),
    "gap": (gap, 1), "spikes": (spikes, 1), "saturation": (saturation, 1), "clock_lag": (clock_lag, 1),
    "vibration": (vibration, 1), "cold_drift": (cold_drift, 1),
    "foreign_left": (foreign_left, 1), "rummage": (rummage, 1), "torn": (torn, 1),
    "misleading": (misleading, 1),
}  # fmt: skip
