"""The tally on drawn visits: what is charged, and what is left to a person."""

import random
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cabinet.basket.evidence import Door, Gap, Health, Mass, Product, Sighting, Visit
from cabinet.basket.policy import Costs
from cabinet.basket.score import Truth, score
from cabinet.basket.tally import TallyPolicy, tally
from cabinet.basket.verdict import Charge, Nothing, Review, Verdict
from cabinet.trace import read, read_truth, verdict_to_dict
from cabinet.units import Sku, ZoneId
from tests.basket.visits import CANDY, CHIPS, COLA, GUM, NUTS, SHOP, WATER, Scene, header

FIVE_SEEDS = pytest.mark.parametrize("seed", range(5))


def charged(verdict: Verdict) -> dict[Sku, int]:
    assert isinstance(verdict, Charge), verdict
    return {line.sku: line.quantity for line in verdict.lines}


def why(verdict: Verdict) -> str:
    assert isinstance(verdict, Review), verdict
    return verdict.reason


def blind(visit: Visit) -> Visit:
    return replace(visit, events=tuple(e for e in visit.events if not isinstance(e, Sighting)))


# Honest shoppers


@FIVE_SEEDS
def test_nothing_taken_is_nothing(seed: int) -> None:
    assert isinstance(tally(Scene(seed=seed).visit(5)), Nothing)


@FIVE_SEEDS
def test_one_taken_is_charged_once_at_the_price_of_the_unlock(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    verdict = tally(scene.visit(6))
    assert charged(verdict) == {COLA: 1}
    assert isinstance(verdict, Charge)
    assert (verdict.total, verdict.lines[0].tax) == (250, "drink")


@FIVE_SEEDS
def test_two_different_from_two_zones(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    scene.take(4.5, "s2", NUTS)
    assert charged(tally(scene.visit(7))) == {COLA: 1, NUTS: 1}


@FIVE_SEEDS
def test_the_same_product_twice_one_after_the_other(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", WATER)
    scene.take(4.5, "s1", WATER)
    assert charged(tally(scene.visit(7))) == {WATER: 2}


@FIVE_SEEDS
def test_the_same_product_twice_at_once(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s2", NUTS)
    scene.take(3.1, "s2", NUTS)
    assert charged(tally(scene.visit(6))) == {NUTS: 2}


@FIVE_SEEDS
def test_two_different_at_once_with_two_hands_from_one_zone(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s2", NUTS)
    scene.take(3.1, "s2", GUM)
    assert charged(tally(scene.visit(6))) == {NUTS: 1, GUM: 1}


@FIVE_SEEDS
def test_put_back_in_its_place_is_not_charged(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    scene.put(5, "s1", COLA)
    assert isinstance(tally(scene.visit(7)), Nothing)


@FIVE_SEEDS
def test_put_back_elsewhere_is_not_charged(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    scene.put(5, "s2", COLA)
    verdict = tally(scene.visit(7))
    assert isinstance(verdict, Nothing)
    assert verdict.account.moves == {ZoneId("s1"): {COLA: 1}, ZoneId("s2"): {COLA: -1}}


def test_put_back_after_a_first_closing() -> None:
    scene = Scene()
    scene.take(3, "s1", COLA)
    scene.put(8, "s1", COLA)
    visit = scene.visit(10)
    doors = (*visit.events, Door(5, open=False), Door(6.5, open=True))
    assert isinstance(tally(replace(visit, events=tuple(sorted(doors, key=lambda e: e.t)))), Nothing)


def test_exchanged_within_one_movement_charges_the_other() -> None:
    scene = Scene()
    scene.take(3, "s2", NUTS)
    scene.take(5, "s2", CANDY)
    scene.put(5.1, "s2", NUTS)
    assert charged(tally(scene.visit(7))) == {CANDY: 1}


@FIVE_SEEDS
def test_take_and_slam_is_charged(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    assert charged(tally(scene.visit(3.2, slam_g=80))) == {COLA: 1}


@FIVE_SEEDS
def test_very_slow_hands_are_charged_right(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s2", NUTS, over_s=5)
    assert charged(tally(scene.visit(9))) == {NUTS: 1}


@FIVE_SEEDS
def test_bleeding_below_every_step_still_closes_the_net_mass(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s2", CANDY, over_s=60, seen=False)
    verdict = tally(scene.visit(65))
    assert not isinstance(verdict, Nothing)
    if isinstance(verdict, Charge):
        assert charged(verdict) == {CANDY: 1}


@FIVE_SEEDS
def test_a_leaning_hand_is_not_goods(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.press(2.5, "s1", 1500, 2)
    assert isinstance(tally(scene.visit(6)), Nothing)


@FIVE_SEEDS
def test_a_bag_rested_while_something_is_taken_is_not_goods(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.load(2.5, "s1", 2300)
    scene.take(4, "s1", WATER)
    scene.load(5.5, "s1", -2300)
    assert charged(tally(scene.visit(7))) == {WATER: 1}


@FIVE_SEEDS
def test_a_bottle_of_ones_own_left_behind_goes_to_a_person(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.load(3, "s1", 333)
    assert "left" in why(tally(scene.visit(6)))


# Look-alikes

TWINS = {
    Sku("a"): Product("Ay", 200.0, 100, 1.5),
    Sku("b"): Product("Bee", 200.0, 300, 1.5),
    Sku("c"): Product("Cee", 90.0, 150, 1),
}


def test_equal_masses_are_told_apart_by_sight() -> None:
    verdicts = []
    for seed in range(20):
        scene = Scene(header(TWINS, {"s1": list(TWINS), "s2": []}), seed=seed)
        scene.right, scene.notice = 1.0, 1.0
        scene.take(3, "s1", Sku("b"))
        verdicts.append(tally(scene.visit(6)))
    sure = [v for v in verdicts if isinstance(v, Charge)]
    assert all(charged(verdict) == {Sku("b"): 1} for verdict in sure)
    assert len(sure) >= 18  # two unsure looks are not enough for every one


def test_equal_masses_without_sight_go_to_a_person() -> None:
    scene = Scene(header(TWINS, {"s1": list(TWINS), "s2": []}))
    scene.take(3, "s1", Sku("b"), seen=False)
    assert why(tally(scene.visit(6))).startswith("ambiguous: ")


@FIVE_SEEDS
def test_pictures_before_and_after_tell_look_alikes_of_two_steps_apart(seed: int) -> None:
    scene = Scene(header(TWINS, {"s1": list(TWINS), "s2": []}), seed=seed)
    scene.take(3, "s1", Sku("b"), seen=False)
    scene.take(5, "s1", Sku("a"), seen=False)
    for sku in ("a", "b"):
        scores = {Sku(s): 0.97 if s == sku else 0.01 for s in ("a", "b", "c")}
        scene.compare("top", "s1", scores, -0.5, 7.3)
    assert charged(tally(scene.visit(7))) == {Sku("a"): 1, Sku("b"): 1}


@FIVE_SEEDS
def test_repeated_looks_at_one_movement_are_not_several_units(seed: int) -> None:
    scene = Scene(header(MULTIPLES, {"s1": list(MULTIPLES), "s2": []}), seed=seed)
    scene.notice = 1.0
    scene.take(3, "s1", Sku("261"), seen=False)
    for i in range(6):
        scene.look(2.6 + 0.2 * i, "s1", Sku("261"), "unknown")
    assert charged(tally(scene.visit(6))) == {Sku("261"): 1}


MULTIPLES = {Sku("86"): Product("Small", 86.0, 100, 0.8), Sku("261"): Product("Large", 261.0, 400, 2.4)}


@pytest.mark.parametrize(("sku", "n"), [("86", 3), ("261", 1)])
@FIVE_SEEDS
def test_three_small_are_not_mistaken_for_one_large(sku: str, n: int, seed: int) -> None:
    scene = Scene(header(MULTIPLES, {"s1": list(MULTIPLES), "s2": []}), seed=seed)
    for i in range(n):
        scene.take(3 + 0.05 * i, "s1", Sku(sku))
    verdict = tally(scene.visit(6))
    assert isinstance(verdict, Review) or charged(verdict) == {Sku(sku): n}


@FIVE_SEEDS
def test_a_catalogue_three_percent_off_still_charges_right(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.bias = 1.03
    scene.take(3, "s1", CHIPS)
    scene.take(4.5, "s2", NUTS)
    assert charged(tally(scene.visit(7))) == {CHIPS: 1, NUTS: 1}


# Sensors


@FIVE_SEEDS
def test_spikes_and_flagged_samples_change_nothing(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    scene.flaw(2.0, "s1", 18_000.0)
    scene.flaw(4.2, "s1", -3.0, 2)
    scene.flaw(4.5, "s2", None, 20)
    scene.flaw(5.0, "s1", None, 7)
    assert charged(tally(scene.visit(6))) == {COLA: 1}


def test_samples_lost_while_something_was_taken_leave_the_net_mass() -> None:
    scene = Scene()
    scene.take(4, "s1", COLA)
    scene.flaw(3, "s1", None, 200)
    assert charged(tally(scene.visit(8))) == {COLA: 1}


@pytest.mark.parametrize(
    ("value", "word"), [(None, "was not weighed"), (5000.0, "is stuck"), (99_999.0, "was not weighed")]
)
def test_a_dead_stuck_or_saturated_zone_is_named(value: float | None, word: str) -> None:
    scene = Scene()
    scene.take(3, "s2", NUTS)
    scene.flaw(-2.5, "s1", value, 10_000)
    assert f"zone s1 {word}" in why(tally(scene.visit(6)))


def test_a_zone_that_dies_during_the_visit_is_named() -> None:
    scene = Scene()
    scene.take(3, "s1", COLA)
    scene.flaw(4, "s1", None, 10_000)
    assert "zone s1 stopped weighing" in why(tally(scene.visit(6)))


@pytest.mark.parametrize("health", [(), (Health(4.5, "scale:s2", ok=False, why="the cell is stuck"),)])
def test_goods_put_on_a_zone_that_is_stuck_are_not_charged(health: tuple[Health, ...]) -> None:
    """Whether the board told of it or only the samples do: what came to a stuck cell nobody weighed."""
    scene = Scene(seed=4)
    scene.take(3.0, "s1", CHIPS)
    scene.put(6.0, "s2", CHIPS)
    visit = scene.visit(9.0)
    late = [e for e in visit.events if isinstance(e, Mass) and e.zone == "s2" and e.t >= 4.0]
    stuck = [replace(e, g=late[0].g[:1] * len(e.g)) for e in late]
    others = [e for e in visit.events if e not in late]
    verdict = tally(replace(visit, events=tuple(sorted([*others, *stuck, *health], key=lambda e: e.t))))
    assert isinstance(verdict, Review)
    assert "s2" in verdict.reason


def test_what_else_was_wrong_is_named_with_the_reason() -> None:
    scene = Scene()
    scene.load(3, "s1", -333)
    visit = scene.visit(6)
    more = (*visit.events, Gap(3.5, "board", 1.4), Health(4.0, "camera:top", ok=False, why="covered"))
    reason = why(tally(replace(visit, events=more, incomplete=True)))
    assert "s1: -333 g" in reason.replace("-332", "-333").replace("-334", "-333")
    assert all(part in reason for part in ("board lost 1.4 s", "camera:top not well (covered)", "torn"))


@FIVE_SEEDS
def test_with_all_cameras_covered_the_masses_still_tally(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    scene.take(4.5, "s2", NUTS)
    assert charged(tally(blind(scene.visit(7)))) == {COLA: 1, NUTS: 1}


def test_a_trace_that_ends_with_the_door_open_is_not_charged() -> None:
    scene = Scene()
    scene.take(3, "s1", COLA)
    visit = scene.visit(7)
    cut = tuple(e for e in visit.events if e.t < 5)
    assert "door open: it was torn" in why(tally(replace(visit, events=cut, incomplete=True)))


def test_a_torn_trace_with_settled_masses_after_the_closing_is_charged() -> None:
    scene = Scene()
    scene.take(3, "s1", COLA)
    assert charged(tally(replace(scene.visit(6), incomplete=True))) == {COLA: 1}


def test_masses_that_change_with_the_door_shut_go_to_a_person() -> None:
    scene = Scene()
    scene.take(3, "s1", COLA)
    visit = scene.visit(6)
    shut = tuple(e for e in visit.events if not isinstance(e, Door))
    assert "never opened" in why(tally(replace(visit, events=shut)))


def test_a_visit_without_masses_is_not_nothing() -> None:
    visit = Scene().visit(5)
    assert "was not weighed" in why(
        tally(replace(visit, events=tuple(e for e in visit.events if not isinstance(e, Mass))))
    )


# Rules


def test_more_than_the_stock_is_never_charged() -> None:
    scene = Scene(header(stock=1))
    scene.take(3, "s1", COLA)
    scene.take(3.1, "s1", COLA)
    assert "more of Cola is gone than the ledger knew of" in why(tally(scene.visit(6)))


def test_more_put_back_than_taken_goes_to_a_person() -> None:
    scene = Scene()
    scene.load(3, "s1", SHOP[COLA].mass_g)
    scene.look(3, "s1", COLA, "return")
    assert isinstance(tally(scene.visit(6)), Review)


def test_a_mass_that_no_product_explains_is_named_in_grams() -> None:
    scene = Scene()
    scene.load(3, "s2", -880)
    assert "s2: -8" in why(tally(scene.visit(6)))


def test_an_empty_catalogue_judges_nothing() -> None:
    assert "catalogue is empty" in why(tally(Scene(header({}, {"s1": []})).visit(5)))


def test_a_restocking_visit_has_no_bill() -> None:
    assert "restocking" in why(tally(Scene(header(purpose="restock")).visit(5)))


def test_age_restricted_goods_go_to_a_person_with_their_line() -> None:
    beer = {**SHOP, COLA: replace(SHOP[COLA], name="Beer", min_age=18)}
    scene = Scene(header(beer))
    scene.take(3, "s1", COLA)
    verdict = tally(scene.visit(6))
    assert "proof of age for Beer" in why(verdict)
    assert isinstance(verdict, Review)
    assert [line.sku for line in verdict.best_guess] == [COLA]


def test_where_a_review_costs_nothing_a_person_is_always_asked() -> None:
    scene = Scene()
    scene.take(3, "s1", COLA)
    assert isinstance(tally(scene.visit(6), TallyPolicy(costs=Costs(review=0.0))), Review)


def test_the_same_trace_gives_the_same_verdict() -> None:
    def once() -> str:
        scene = Scene(seed=3)
        scene.take(3, "s2", NUTS)
        scene.put(5, "s1", NUTS)
        scene.take(6, "s2", GUM)
        return repr(verdict_to_dict(tally(scene.visit(8))))

    assert once() == once()


def test_every_step_says_what_it_was() -> None:
    scene = Scene()
    scene.take(3, "s1", COLA)
    scene.put(5, "s2", COLA)
    steps = tally(scene.visit(7)).account.steps
    assert [(s.zone, dict(s.items)) for s in steps] == [("s1", {COLA: 1}), ("s2", {COLA: -1})]


def test_the_example_traces_give_their_truth(shared_data: Path) -> None:
    folders = sorted((shared_data / "traces").glob("example-*"))
    assert folders
    for folder in folders:
        assert score(tally(read(folder)), read_truth(folder)) == "exact", folder.name


def test_four_zones_of_twenty_products_are_tallied_in_time() -> None:
    skus = [Sku(f"{i:02}") for i in range(80)]
    catalog = {sku: Product(f"P{sku}", 40.0 + 13.7 * i, 100, 1.0) for i, sku in enumerate(skus)}
    scene = Scene(header(catalog, {f"s{z}": skus[z::4] for z in range(4)}))
    for i, sku in enumerate(skus[4:40:12]):
        scene.take(3 + 3 * i, f"s{int(sku) % 4}", sku)
    visit = scene.visit(15)
    began = time.process_time()
    verdict = tally(visit)
    assert time.process_time() - began < 1.0  # 0.03-0.15 s where measured; a bound against a runaway search
    assert score(verdict, Truth(scene.basket)) == "exact"


@pytest.mark.parametrize("seed", range(40))
def test_whatever_a_trace_lacks_it_is_charged_right_or_left_to_a_person(seed: int) -> None:
    dice = random.Random(seed)
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    scene.take(4.5, "s2", NUTS)
    scene.put(6, "s1", NUTS)
    visit = scene.visit(8)
    kept = tuple(e for e in visit.events if dice.random() > 0.15)
    verdict = tally(replace(visit, events=kept))
    assert isinstance(verdict, Review) or charged(verdict) == {COLA: 1}


def test_what_was_found_astray_before_is_thought_of_again() -> None:
    """A nut bag stands on s1, where the ledger knows of none: without sight only the memory of it can tell."""
    scene = Scene()
    scene.take(3, "s1", NUTS, seen=False)
    visit = scene.visit(6)
    known = replace(visit, header=replace(visit.header, strays={ZoneId("s1"): (NUTS,)}))
    before, after = tally(visit).account, tally(known).account
    assert before.hypotheses[0].bill == after.hypotheses[0].bill == {NUTS: 1}
    assert before.confidence < after.confidence
