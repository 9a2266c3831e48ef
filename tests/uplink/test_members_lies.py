"""Messages about members that are not believed: forged, old, out of place, or not what they lead to."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cabinet import wire
from cabinet.identity.roster import CONTRADICTION, EMPTY, GAP, HASH, OP, SHAPE
from cabinet.uplink.members import EVERY_MS, MAX_IN_PART, MAX_PARTS
from tests.uplink.fleet import OTHER, FleetWorld, add, known, live, member_id, said, welcome, with_news
from tests.uplink.world import CAB, KEY


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FleetWorld]:
    world = FleetWorld(tmp_path)
    yield world
    world.close()


def raw(number: int, **more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "share_face": None, "verified": False, "age": 0, "digits": "", "keys": [], "templates": [], "salt": "0" * 32,
    }  # fmt: skip  # a row
    return {**empty, **said(number), **more}


def message(world: FleetWorld, **more: Any) -> wire.Payload:
    """What follows the version here and changes nothing, but for `more`."""
    version, digest = world.keeper.known()
    nonce = world.sender.members._nonce or ""
    return {
        "from": version, "to": version, "part": 1, "parts": 1, "hash": digest, "nonce": nonce, "changes": [], **more,
    }  # fmt: skip  # a row


@pytest.mark.parametrize("kind", ["another key", "another cabinet", "another kind", "not signed", "a flipped bit"])
def test_a_forged_list_is_counted_and_changes_nothing(world: FleetWorld, kind: str) -> None:
    live(world, 1, 2)
    gone = message(world, to=3, changes=[{"op": "remove", "member": member_id(1)}])
    right = wire.signed(KEY, CAB, "members", gone)
    forgeries = {
        "another key": wire.signed(b"x" * 32, CAB, "members", gone),
        "another cabinet": wire.signed(KEY, OTHER, "members", gone),
        "another kind": wire.signed(KEY, CAB, "known", gone),
        "not signed": wire.canonical(gone),
        "a flipped bit": right.replace(b'"to":3', b'"to":7'),
    }
    world.sender.heard(wire.topic(CAB, "dn", "members"), forgeries[kind], world.stamp())
    assert world.sender.counts["forged"] == 1
    assert (world.ledger.fleet_version(), len(world.here())) == (2, 2)


def test_another_cabinets_topic_is_not_ours(world: FleetWorld) -> None:
    live(world, 1)
    payload = wire.signed(KEY, OTHER, "members", message(world))
    world.sender.heard(wire.topic(OTHER, "dn", "members"), payload, world.stamp())
    assert world.sender.counts["garbage"] == 1


def test_an_older_list_changes_nothing_and_asks_for_nothing(world: FleetWorld) -> None:
    live(world, 1)
    first = message(world, **{"from": 0}, hash=EMPTY, changes=[])
    add(world, 2)
    world.settle()
    before = len(known(world))
    world.hear("members", {**first, "to": 1})
    assert world.sender.counts["members old"] >= 1
    assert len(world.here()) == 2
    world.run(30_000)
    assert len(known(world)) == before


def test_what_was_applied_already_is_weather(world: FleetWorld) -> None:
    live(world, 1)
    add(world, 2)
    world.settle()
    (delta, *_) = with_news(world)
    world.hear("members", delta)
    assert (world.sender.counts["members old"], world.sender.counts["members refused"]) == (1, 0)


LIES: list[tuple[str, Callable[[FleetWorld], wire.Payload]]] = [
    (GAP, lambda world: message(world, **{"from": 7}, to=9)),
    (GAP, lambda world: message(world, **{"from": 1}, to=9)),
    (GAP, lambda world: message(world, changes=[{"op": "remove", "member": member_id(1)}])),
    (HASH, lambda world: message(world, to=9, changes=[{"op": "remove", "member": member_id(1)}])),
    (HASH, lambda world: message(world, to=9, hash="0" * 64)),
    (HASH, lambda world: message(world, **{"from": 0}, to=9)),
    (OP, lambda world: message(world, to=9, changes=[{"op": "dance", "member": member_id(1)}])),
    (OP, lambda world: message(world, to=9, changes=[{"member": member_id(1)}])),
    (CONTRADICTION, lambda world: message(world, to=9, changes=[{"op": "add", "entry": raw(1)}])),
    (CONTRADICTION, lambda world: message(world, to=9, changes=[{"op": "change", "entry": raw(8)}])),
    (CONTRADICTION, lambda world: message(world, to=9, changes=[{"op": "remove", "member": member_id(8)}])),
    (CONTRADICTION, lambda world: message(world, to=9, changes=[{"op": "add", "entry": raw(8)}] * 2)),
    (SHAPE, lambda world: message(world, to=9, changes=["x"])),
    (SHAPE, lambda world: message(world, to=9, changes=[{"op": "add", "entry": raw(8, age=-1)}])),
    (SHAPE, lambda world: message(world, to=9, changes=[{"op": "add", "entry": raw(8, name="Ada")}])),
    (SHAPE, lambda world: message(world, to=9, changes=[{"op": "remove", "entry": raw(1)}])),
    (SHAPE, lambda world: message(world, to=9, changes=[{"op": "add", "entry": {**raw(8), "templates":
        [{"model": "m", "vector": "AACAPw=="}]}}])),  # no consent to share the face
]  # fmt: skip  # a table


@pytest.mark.parametrize(("why", "lie"), LIES)
def test_what_does_not_fit_is_refused_whole_and_the_last_good_one_stays(
    world: FleetWorld, why: str, lie: Callable[[FleetWorld], wire.Payload]
) -> None:
    live(world, 1, 2)
    payload = lie(world)
    world.hear("members", payload)
    assert world.sender.counts["members refused"] == 1
    assert (world.ledger.fleet_version(), len(world.here())) == (2, 2)
    world.run(5_000)
    asked = known(world)
    assert [ask["all"] for ask in asked] == [why != GAP]
    answer = world.told()[-1]
    assert answer["from"] == (2 if why == GAP else 0)
    assert len(world.here()) == 2
    world.run(EVERY_MS + EVERY_MS // 2)
    assert [ask["all"] for ask in known(world)[1:]] == [False]


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": -1},
        {"from": 9, "to": 8},
        {"to": None},
        {"part": 0},
        {"part": 2},
        {"parts": 0},
        {"parts": MAX_PARTS + 1},
        {"hash": None},
        {"hash": "0" * 65},
        {"nonce": None},
        {"changes": None},
        {"changes": [{}] * (MAX_IN_PART + 1)},
    ],
    ids=str,
)
def test_a_message_of_another_shape_is_garbage_and_spoils_nothing(world: FleetWorld, wrong: wire.Payload) -> None:
    live(world, 1)
    world.hear("members", {**message(world), **wrong})
    assert world.sender.counts["garbage"] == 1
    assert (world.ledger.fleet_version(), len(world.here())) == (1, 1)


def test_an_old_answer_that_somebody_kept_back_makes_the_list_no_younger(world: FleetWorld) -> None:
    live(world, 1)
    answer = message(world)
    world.disconnect()
    world.now_ms += 3 * 86_400_000
    world.connect()
    world.hear("welcome", welcome(world))  # a new ask, and no answer to it yet
    world.hear("members", answer)
    kept = world.ledger.fleet_age(world.stamp(), "boot-1")
    assert kept is not None
    assert kept.age_s > 3 * 86_400


def test_a_list_that_nobody_asked_for_is_not_the_first_one(world: FleetWorld) -> None:
    world.hear("members", message(world, to=4, nonce="0a" * 8))
    assert (world.ledger.fleet_version(), world.ledger.fleet_rows()) == (0, {})


def test_a_cabinet_that_is_busy_takes_it_later_and_asks_for_no_more_than_before(world: FleetWorld) -> None:
    live(world, 1)
    world.keeper.busy = lambda: True
    add(world, *range(2, 60))
    for _ in range(5):
        world.run(1_000)
    assert world.ledger.fleet_version() == 1
    world.keeper.busy = lambda: False
    for _ in range(60):
        world.run(1_000)
    assert len(world.here()) == 59
    assert not any(ask["all"] for ask in known(world))
