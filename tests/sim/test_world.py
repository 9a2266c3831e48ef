"""The world obeys physics: mass is conserved, a unit is in one place, and no hand passes a closed door."""

import copy
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cabinet.sim.apparatus import GENTLE, SHAKES_S, FastApparatus
from cabinet.sim.board import SimBoard
from cabinet.sim.cells import QUIET, Cells
from cabinet.sim.clockwork import Clockwork
from cabinet.sim.world import TRAY_G, Goods, ImpossibleError, World
from cabinet.units import Sku, VisitId, ZoneId

ZONES = [ZoneId("s1"), ZoneId("s2")]
S1, S2 = ZONES
COLA, CHIPS, NONE = Sku("cola"), Sku("chips"), Sku("none")
GOODS = {COLA: Goods(COLA, 545.0, 3.0), CHIPS: Goods(CHIPS, 128.0, 1.2)}
STOCK = {S1: {COLA: 3}, S2: {CHIPS: 2, COLA: 1}}


@dataclass
class Frame:
    """An apparatus without a lock: whoever pulls opens.  Counts what each shelf should feel."""

    door_open: bool = False
    felt_g: Counter[ZoneId] = field(default_factory=Counter)
    touched: int = 0

    def pull(self) -> bool:
        self.door_open = True
        return True

    def force(self) -> None:
        self.door_open = True

    def shut(self, *, slam: bool) -> None:
        self.door_open = False

    def load(self, zone: ZoneId, delta_g: float, over_s: float, hand_g: float) -> None:
        self.felt_g[zone] += delta_g  # type: ignore[assignment]  # grams
        self.touched += 1

    def press(self, zone: ZoneId, grams: float, for_s: float) -> None:
        self.touched += 1

    def rest(self, zone: ZoneId, grams: float) -> None:
        self.felt_g[zone] = grams  # type: ignore[assignment]  # grams


def stocked(frame: Any = None, seed: int = 1) -> World:
    world = World(ZONES, GOODS, frame or Frame(), random.Random(seed))
    world.stock(STOCK)
    return world


def opened() -> World:
    world = stocked()
    assert world.pull()
    return world


def fast() -> tuple[World, FastApparatus]:
    clock = Clockwork()
    apparatus = FastApparatus(clock, SimBoard(clock), Cells(ZONES, QUIET))
    return stocked(apparatus), apparatus


def run(clock: Clockwork, seconds: float) -> None:
    end_s = clock.now_s + seconds
    while (next_s := clock.next_s()) is not None and next_s <= end_s:
        clock.step()
    clock.advance(end_s)


def unlock(board: SimBoard, lease_s: float = 10.0) -> None:
    with pytest.raises(StopIteration):
        board.release(VisitId("v"), lease_s).send(None)


def state(world: World) -> tuple[Any, ...]:
    frame = world.apparatus
    assert isinstance(frame, Frame)
    held = {who: units for who, units in world.hands.items() if units}
    return copy.deepcopy((world.shelves, held, world.away, frame.door_open, frame.felt_g, frame.touched))


# What cannot be, whatever people do.

WHO = st.sampled_from(["ann", "bob"])
ZONE = st.sampled_from([*ZONES, ZoneId("s9")])
SKU = st.sampled_from([COLA, CHIPS, NONE, Sku("own:bottle")])
ACTS: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    "pull": st.tuples(),
    "pry": st.tuples(),
    "shut": st.tuples(),
    "take": st.tuples(WHO, ZONE, SKU),
    "put": st.tuples(WHO, ZONE, SKU),
    "bring": st.tuples(WHO, st.just("bottle"), st.sampled_from([-1.0, 0.0, 520.0, 60_000.0])),
    "supply": st.tuples(WHO, st.sampled_from([COLA, CHIPS])),
    "hand_over": st.tuples(WHO, WHO, SKU),
    "lean": st.tuples(ZONE, st.just(500.0), st.just(1.0)),
    "leave": st.tuples(WHO),
}
ACT = st.one_of([st.tuples(st.just(name), args) for name, args in ACTS.items()])


@settings(deadline=None, max_examples=300, derandomize=True)
@given(st.lists(ACT, max_size=40), st.integers(0, 5))
def test_whatever_people_do_mass_is_conserved_and_every_unit_is_in_one_place(
    acts: list[tuple[str, tuple[Any, ...]]], seed: int
) -> None:
    world = stocked(seed=seed)
    units = {unit.number: unit for held in world.shelves.values() for unit in held}
    for name, args in acts:
        before = state(world)
        try:
            made = getattr(world, name)(*args)
        except ImpossibleError:
            assert state(world) == before  # what is refused changes nothing
            continue
        if name in {"bring", "supply"}:  # all that ever comes into the world
            units[made.number] = made
        everywhere = [u for held in (*world.shelves.values(), *world.hands.values(), world.away) for u in held]
        assert sorted(u.number for u in everywhere) == sorted(units)  # none twice, none lost, none out of nothing
        assert all(units[u.number] == u for u in everywhere)
        assert world.total_g() == pytest.approx(sum(u.mass_g for u in units.values()))
        frame = world.apparatus
        assert isinstance(frame, Frame)
        for zone in ZONES:
            lies_g = TRAY_G + sum(u.mass_g for u in world.shelves[zone])
            assert frame.felt_g[zone] == pytest.approx(lies_g)  # a cell feels what lies there, and nothing else


Deed = Callable[[World], object]


def puts_what_was_carried_off(world: World) -> None:
    world.take("ann", S1, COLA)
    world.leave("ann")
    world.put("ann", S1, COLA)


def shuts_a_shut_door(world: World) -> None:
    world.shut()
    world.shut()


IMPOSSIBLE: dict[str, tuple[Deed, str]] = {
    "takes what is not there": (lambda w: w.take("ann", S1, CHIPS), "no chips on s1: it holds 3 cola"),
    "takes from a shelf that is not there": (lambda w: w.take("ann", ZoneId("s9"), COLA), "no shelf s9: s1, s2"),
    "puts what is not held": (lambda w: w.put("ann", S1, COLA), "ann has no cola in the hands: nothing"),
    "puts what another holds": (
        lambda w: (w.take("bob", S1, COLA), w.put("ann", S1, COLA)),
        "ann has no cola in the hands: nothing",
    ),
    "hands over what is not held": (lambda w: w.hand_over("ann", "bob", COLA), "ann has no cola"),
    "takes a unit more than there is": (lambda w: [w.take("ann", S1, COLA) for _ in range(4)], "it holds nothing"),
    "leans on a shelf that is not there": (lambda w: w.lean(ZoneId("s9"), 100.0, 1.0), "no shelf s9"),
    "brings a thing of no mass": (lambda w: w.bring("ann", "air", 0.0), "no hand carries that"),
    "brings a thing too heavy": (lambda w: w.bring("ann", "anvil", 60_000.0), "no hand carries that"),
    "puts what was carried off": (puts_what_was_carried_off, "ann has no cola"),
    "shuts a shut door": (shuts_a_shut_door, "shut already"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_the_impossible_is_refused_and_the_reason_named(name: str) -> None:
    deed, why = IMPOSSIBLE[name]
    with pytest.raises(ImpossibleError, match=why):
        deed(opened())


@pytest.mark.parametrize(
    "reach", [lambda w: w.take("ann", S1, COLA), lambda w: w.put("ann", S1, COLA), lambda w: w.lean(S1, 100.0, 1.0)]
)
def test_nobody_reaches_through_a_closed_door(reach: Deed) -> None:
    world = stocked()
    world.supply("ann", COLA)
    before = state(world)
    with pytest.raises(ImpossibleError, match="nobody reaches s1 through a closed door"):
        reach(world)
    assert state(world) == before


# The door.


def test_a_locked_door_gives_way_only_once_a_lease_has_retracted_the_bolt() -> None:
    world, apparatus = fast()
    assert not world.pull()
    assert not world.door_open
    unlock(apparatus.board)
    assert not world.pull()  # the bolt has not moved yet
    run(apparatus.clock, 0.2)
    assert world.pull()
    assert world.door_open


def test_a_door_shut_again_is_locked_again() -> None:
    world, apparatus = fast()
    unlock(apparatus.board)
    run(apparatus.clock, 0.2)
    assert world.pull()
    world.shut()
    run(apparatus.clock, 0.1)
    assert not world.pull()


def test_a_pried_door_is_open_whatever_the_bolt_did() -> None:
    world, _ = fast()
    world.pry()
    assert world.take("eve", S1, COLA).sku == COLA


def test_a_slam_shakes_the_cells_and_a_gentle_closing_a_quarter_as_much() -> None:
    world, apparatus = fast()
    for slam in (True, False):
        world.pry()
        world.shut(slam=slam)
    assert apparatus.cells.slams == [(SHAKES_S, 1.0), (SHAKES_S, GENTLE)]


# Hands.


def test_a_unit_taken_put_elsewhere_and_handed_over_stays_the_same_unit() -> None:
    world = opened()
    unit = world.take("ann", S1, COLA)
    assert unit.number not in world.inside()
    assert world.put("ann", S2, COLA) is unit
    assert world.inside()[unit.number] == (COLA, S2)
    world.take("ann", S2, COLA)
    world.hand_over("ann", "bob", COLA)
    assert (world.hands["ann"], world.hands["bob"]) == ([], [unit])
    world.leave("bob")
    assert world.away == [unit]
    assert "bob" not in world.hands


def test_a_thing_of_ones_own_is_foreign_and_goods_are_not() -> None:
    world = opened()
    bottle = world.bring("ann", "bottle", 520.0)
    assert bottle.foreign
    world.put("ann", S1, bottle.sku)
    assert world.counts(S1) == {COLA: 3, Sku("own:bottle"): 1}
    assert world.take("bob", S1, Sku("own:bottle")) is bottle  # anybody may take it along
    assert not world.take("bob", S1, COLA).foreign


def test_what_a_technician_takes_from_the_crate_weighs_as_its_like_do() -> None:
    world = stocked()
    masses = [world.supply("tom", COLA).mass_g for _ in range(400)]
    mean = sum(masses) / len(masses)
    sd = (sum((m - mean) ** 2 for m in masses) / len(masses)) ** 0.5
    assert mean == pytest.approx(545.0, abs=5 * 3.0 / 400**0.5)
    assert sd == pytest.approx(3.0, rel=5 / 800**0.5)  # five standard errors, both


def test_nothing_weighs_less_than_a_gram_however_wide_the_spread() -> None:
    world = World(ZONES, {COLA: Goods(COLA, 2.0, 50.0)}, Frame(), random.Random(1))
    assert min(world.supply("tom", COLA).mass_g for _ in range(100)) == 1.0


def test_a_stocked_cabinet_is_as_planned_with_empty_hands_and_the_same_dice_give_the_same_masses() -> None:
    world = opened()
    world.take("ann", S1, COLA)
    world.leave("ann")
    world.take("bob", S1, COLA)
    world.stock(STOCK)
    assert {zone: dict(world.counts(zone)) for zone in ZONES} == STOCK
    assert (world.hands, world.away) == ({}, [])
    first, again, other = (stocked(seed=seed).total_g() for seed in (7, 7, 8))
    assert first == again != other


def test_what_a_hand_does_reaches_the_cells_of_its_shelf_at_its_time() -> None:
    world, apparatus = fast()
    history = apparatus.cells.histories[S1]
    assert history.base_g == pytest.approx(TRAY_G + sum(u.mass_g for u in world.shelves[S1]))
    world.pry()
    run(apparatus.clock, 2.0)
    unit = world.take("ann", S1, COLA, over_s=0.5, hand_g=80.0)
    world.lean(S1, 900.0, 3.0)
    (load,), (press,) = history.loads, history.presses
    assert (load.t0, load.t1, load.delta_g, load.hand_g) == (2.0, 2.5, -unit.mass_g, 80.0)
    assert (press.t0, press.t1, press.grams) == (2.0, 5.0, 900.0)
    assert apparatus.cells.histories[S2].loads == []
