"""The fleet's list of members over a network: what is asked, and what is told."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet import wire
from cabinet.identity.roster import EMPTY
from cabinet.uplink.members import EVERY_MS, LONGEST_MS, Parts
from tests.uplink.fleet import (
    OTHER,
    FleetWorld,
    add,
    change,
    known,
    live,
    member_id,
    remove,
    welcome,
    with_face,
    with_news,
)
from tests.uplink.world import CAB, KEY


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FleetWorld]:
    world = FleetWorld(tmp_path)
    yield world
    world.close()


# What is asked.


def test_after_the_welcome_the_cabinet_says_what_it_has(world: FleetWorld) -> None:
    world.connect()
    world.run(1)
    (ask,) = known(world)
    assert wire.authentic(KEY, CAB, "known", ask)
    assert (ask["version"], ask["hash"], ask["all"]) == (0, EMPTY, False)


def test_a_cabinet_without_a_keeper_asks_for_nothing(world: FleetWorld) -> None:
    world.sender.members.keeper = None
    world.connect()
    world.run(2 * EVERY_MS)
    assert known(world) == []


def test_it_is_asked_again_about_every_ten_minutes(world: FleetWorld) -> None:
    live(world, 1)
    begin_ms = world.now_ms
    world.run(20 * EVERY_MS)
    times = [at - begin_ms for at, kind, _ in world.said if kind == "known"]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert 16 <= len(times) <= 27
    assert all(0.74 * EVERY_MS <= gap <= 1.26 * EVERY_MS for gap in gaps)


def test_a_cloud_that_does_not_answer_is_asked_at_growing_intervals(world: FleetWorld) -> None:
    live(world, 1)
    world.cloud._known = lambda *_: []  # type: ignore[method-assign]  # a cloud from before
    world.connect()
    world.run(6 * LONGEST_MS)
    times = [at for at, kind, _ in world.said if kind == "known"]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps[0] < 3_000
    assert gaps[-1] > 0.7 * LONGEST_MS
    assert max(gaps) <= 1.3 * LONGEST_MS


def test_a_connection_that_comes_and_goes_asks_at_most_every_two_seconds(world: FleetWorld) -> None:
    live(world, 1)
    for _ in range(20):
        world.connect()
        world.run(100)
        world.disconnect()
    assert len(known(world)) <= 2


# What is told.


def test_a_new_cabinet_gets_the_whole_list(world: FleetWorld) -> None:
    add(world, 1, 2)
    world.connect()
    world.run(1)
    assert world.here().keys() == {member_id(1), member_id(2)}
    assert world.ledger.fleet_version() == 2


def test_a_cabinet_gets_what_has_changed_since_its_version(world: FleetWorld) -> None:
    live(world, 1, 2, 3)
    world.disconnect()
    remove(world, 1)
    change(world, 2, verified=True)
    add(world, 4)
    add(world, 5)
    remove(world, 5)
    world.settle()
    assert world.here().keys() == {member_id(2), member_id(3), member_id(4)}
    newest = with_news(world)[0]
    assert (newest["from"], newest["to"]) == (3, 8)
    assert [change["op"] for change in newest["changes"]] == ["remove", "change", "add"]


def test_a_change_is_told_without_being_asked_and_then_confirmed(world: FleetWorld) -> None:
    live(world, 1)
    add(world, 2)
    for _ in range(5):
        world.run(1_000)
    assert world.ledger.fleet_version() == 2
    first, *_ = world.told()
    assert (first["from"], first["nonce"]) == (1, "")
    assert [ask["version"] for ask in known(world)] == [2]
    assert [(row["cab"], row["version"]) for row in world.fleet.cabinets()] == [(CAB, 2)]


def test_a_change_that_did_not_arrive_is_found_by_the_next_ask(world: FleetWorld) -> None:
    live(world, 1)
    world.weather.loss = 1.0
    add(world, 2)
    world.run(5_000)
    world.weather.loss = 0.0
    add(world, 3)
    for _ in range(10):
        world.run(1_000)
    assert world.here().keys() == {member_id(1), member_id(2), member_id(3)}
    assert world.sender.counts["members refused"] == 1  # told what follows version 2, which it never had


def test_members_of_other_cabinets_are_not_told(world: FleetWorld) -> None:
    add(world, 1, cabs=[OTHER])
    add(world, 2, cabs=[CAB, OTHER])
    world.settle()
    assert world.here().keys() == {member_id(2)}
    assert not any(member_id(1).encode() in payload for _, payload in world.hears)


def test_a_member_who_is_no_longer_for_this_cabinet_is_removed_here(world: FleetWorld) -> None:
    live(world, 1, 2)
    world.fleet.change({"member": member_id(1)}, [OTHER], "ann", 2, keep=False)
    world.note()
    world.settle()
    assert world.here().keys() == {member_id(2)}


def test_a_list_of_many_parts_arrives_whole(world: FleetWorld) -> None:
    faces = with_face(*[0.25] * 128)
    add(world, *range(1, 60), **faces)
    world.settle()
    assert len(world.here()) == 59
    assert max(said["parts"] for said in world.told()) >= 3
    assert all(len(payload) <= wire.MAX_PAYLOAD_BYTES for _, payload in world.hears)


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 2, 1, 1, 3), (1, 3, 1, 3, 2)], ids=str)
def test_parts_come_in_any_order_and_twice(world: FleetWorld, order: tuple[int, ...]) -> None:
    add(world, *range(1, 41), **with_face(*[0.25] * 128))
    world.sender.connected(world.stamp())
    world.hear("welcome", welcome(world))  # has asked, and is answered by hand
    parts = {said["part"]: said for said in world.cloud._roster._answer(CAB, None, world.sender.members._nonce or "")}
    assert sorted(parts) == [1, 2, 3]
    for number in order:
        assert world.ledger.fleet_version() == 0
        world.hear("members", parts[number])
    assert len(world.here()) == 40


def test_a_part_of_an_older_answer_spoils_no_newer_one() -> None:
    def part(to: int, number: int) -> wire.Payload:
        return {"from": 0, "to": to, "part": number, "parts": 2, "hash": EMPTY, "changes": [number]}

    parts = Parts()
    assert [parts.add(part(2, 1)), parts.add(part(1, 2))] == [None, None]
    assert parts.add(part(2, 2)) == [1, 2]
    assert [parts.add(part(3, 1)), parts.add(part(4, 2))] == [None, None]
    assert parts.add(part(4, 1)) == [1, 2]


def test_a_lost_part_is_said_again_and_the_others_count(world: FleetWorld) -> None:
    add(world, *range(1, 60), **with_face(*[0.25] * 128))
    lost = iter([2])
    world.connect()
    fly, missing = world.fly, next(lost)

    def thin(topic: str, payload: bytes) -> None:
        nonlocal missing
        if topic.endswith("/members") and wire.parse(payload)["part"] == missing:
            missing = 0
            return
        fly(topic, payload)

    world.fly = thin  # type: ignore[method-assign]  # one message is lost
    world.run(1)
    assert world.ledger.fleet_version() == 0
    world.run(20_000)
    assert len(world.here()) == 59
