"""A population of shoppers: every story they are drawn to play can be read and can happen."""

import random
from collections import Counter

import pytest

from cabinet.sim import people, script, shop
from cabinet.sim.people import ALL, FRAUDS, KINDS, MISFORTUNES, Kind, Script
from cabinet.sim.rehearsal import rehearse
from cabinet.sim.shop import Plan
from cabinet.sim.story import Story, parse
from cabinet.sim.world import OWN

SEEDS = 300
SHOPS: dict[str, Plan] = {
    "usual": shop.usual(),
    "drawn": shop.drawn(random.Random(1)),
    "small": shop.drawn(random.Random(2), skus=6, zones=2),
    "one shelf": shop.drawn(random.Random(3), skus=5, zones=1),
    "large": shop.drawn(random.Random(4), skus=30, zones=6),
}


def drawn(kind: Kind, seed: int, plan: Plan) -> Script:
    return people.drawn(kind, random.Random(seed), plan)


def story(script: Script) -> Story:
    return parse("\n".join(script.lines), plan=script.plan)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_dice_give_the_same_story_and_others_give_others(kind: Kind) -> None:
    plan = SHOPS["usual"]
    told = [drawn(kind, seed, plan) for seed in range(50)]
    again = [drawn(kind, seed, plan) for seed in range(50)]
    assert [(one.lines, one.tags) for one in told] == [(one.lines, one.tags) for one in again]
    assert len({tuple(one.lines) for one in told}) > 30


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SHOPS)
def test_every_drawn_story_can_be_read_and_can_happen(kind: Kind, name: str) -> None:
    plan = SHOPS[name]
    for seed in range(SEEDS):
        script = drawn(kind, seed, plan)
        told = story(script)
        assert told.plan is plan
        rehearse(told, f"seed {seed} in {name}")
        assert script.tags[0] == kind
        assert script.pace in script.tags


def test_what_a_script_believes_of_the_shelves_is_what_the_story_leaves_there() -> None:
    """Of honest stories, in which everything happens as told."""
    for seed in range(SEEDS):
        script = drawn("honest", seed, SHOPS["usual"])
        left = {zone: Counter(held) for zone, held in script.plan.shelves.items()}
        for line in story(script).lines:
            for item in getattr(line.act, "items", ()):
                left[item.zone][item.sku] += item.count * (1 if " puts " in line.text else -1)
        assert {zone: +held for zone, held in left.items()} == {zone: +held for zone, held in script.stands.items()}


@pytest.mark.parametrize("kind", ["honest", "faults"])
def test_whoever_opens_in_good_faith_also_shuts_the_door_and_goes(kind: Kind) -> None:
    for seed in range(SEEDS):
        hers = [line for line in drawn(kind, seed, SHOPS["usual"]).lines if line.startswith("ann ")]
        assert hers[0].startswith("ann comes")
        assert hers[1] == "ann opens"
        assert hers[-2] in {"ann closes", "ann slams the door", "ann bounces the door"}
        assert hers[-1] == "ann leaves"


@pytest.mark.parametrize("kind", ["honest", "faults"])
def test_every_thing_that_people_do_at_a_shelf_is_drawn_and_the_frequent_ones_most(kind: Kind) -> None:
    tags = Counter(tag for seed in range(10 * SEEDS) for tag in drawn(kind, seed, SHOPS["usual"]).tags)
    for name in (*script.ACTS, *script.PACES, "pair", "bounce"):
        assert tags[name], name
    assert tags["one"] == max(tags[name] for name in script.ACTS)


def test_every_fraud_is_drawn_about_as_often_as_any_other() -> None:
    tags = Counter(tag for seed in range(SEEDS) for tag in drawn("hostile", seed, SHOPS["usual"]).tags)
    mean = SEEDS / len(FRAUDS)
    for name in FRAUDS:
        assert 0 < tags[name] < mean + 5 * mean**0.5, name


def test_every_misfortune_is_drawn_and_at_most_three_befall_a_visit() -> None:
    tags: Counter[str] = Counter()
    for seed in range(SEEDS):
        found = [tag for tag in drawn("faults", seed, SHOPS["usual"]).tags if tag in MISFORTUNES]
        assert 1 <= len(found) <= 3
        tags.update(found)
    assert set(tags) == set(MISFORTUNES)


def test_a_misfortune_passes_after_it_came() -> None:
    """Whatever is away, full, jammed or covered is back, empty, free or well further down."""
    pairs = {
        "the power fails": "the power returns",
        "the board is unplugged": "the board is plugged in",
        "the disk is full": "the disk has room",
        "the disk cannot take a byte": "the disk has room",
        "the broker is away": "the broker is back",
        "the broker loses answers": "the broker is back",
        "the bolt jams out": "the bolt is free",
        "the model is missing": "the model is well",
        "the compressor starts": "the compressor stops",
        "the daemon is killed": "the daemon starts",
    }
    met = set()
    for seed in range(SEEDS):
        lines = drawn("faults", seed, SHOPS["usual"]).lines
        for first, last in pairs.items():
            if first in lines:
                met.add(first)
                assert last in lines[lines.index(first) + 1 :], lines
    assert met == set(pairs)


def test_no_honest_story_has_a_fraud_or_a_misfortune_in_it() -> None:
    for seed in range(SEEDS):
        script = drawn("honest", seed, SHOPS["usual"])
        assert not set(script.tags) & (set(FRAUDS) | set(MISFORTUNES))
        assert all(line.split()[0] in {"ann", "bob"} for line in script.lines)
        assert OWN not in "\n".join(script.lines)


def test_the_mix_of_all_has_every_kind_and_is_whole() -> None:
    assert set(ALL) == set(KINDS)
    assert sum(ALL.values()) == pytest.approx(1.0)
    assert min(ALL.values()) > 0
