"""The conversation on virtual time: order, repetition, and what it does not believe."""

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cabinet import wire
from cabinet.ledger import Ledger
from cabinet.uplink.core import FIRST_WAIT_MS, LONGEST_WAIT_MS, WINDOW
from tests.ledger.examples import shop, visit_id
from tests.uplink.world import CAB, KEY, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def kinds(world: World) -> list[str]:
    return [kind for _, kind, _ in world.said]


def test_nothing_is_said_before_the_pipe_is_there(world: World) -> None:
    world.shop()
    world.run(100_000)
    assert world.said == []


def test_hello_comes_first_and_events_after_the_welcome(world: World) -> None:
    world.shop()
    world.connect()
    assert kinds(world) == ["hello"]
    world.run(1_000)
    assert kinds(world) == ["hello", "ev", "ev"]


def test_what_was_acknowledged_is_not_said_again(world: World) -> None:
    world.shop()
    world.connect()
    world.run(600_000)
    assert world.ledger.backlog() == (0, None)
    assert kinds(world).count("ev") == 2


def test_without_a_welcome_only_hello_is_repeated_at_growing_intervals(world: World) -> None:
    world.weather.loss = 1.0
    world.shop()
    world.connect()
    world.run(400_000)
    times = [at for at, _, _ in world.said]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert set(kinds(world)) == {"hello"}
    assert FIRST_WAIT_MS * 0.5 <= gaps[0] <= FIRST_WAIT_MS * 1.5
    assert max(gaps) <= LONGEST_WAIT_MS * 1.5
    assert min(gaps[6:]) >= LONGEST_WAIT_MS * 0.5


def test_an_unanswered_event_is_repeated_for_ever(world: World) -> None:
    world.connect()
    world.run(1_000)
    world.weather.loss = 1.0
    world.shop()
    world.run(24 * 3600 * 1000)
    times = [at for at, kind, payload in world.said if kind == "ev" and wire.parse(payload)["seq"] == 1]
    assert len(times) > 24 * 3600 * 1000 / (LONGEST_WAIT_MS * 1.5)
    assert world.now_ms - times[-1] <= LONGEST_WAIT_MS * 1.5


def test_at_most_sixteen_events_are_under_way(world: World) -> None:
    world.connect()
    world.run(1_000)
    world.weather.loss = 1.0
    for _ in range(20):
        world.shop()
    world.run(300_000)
    assert {wire.parse(payload)["seq"] for _, kind, payload in world.said if kind == "ev"} == set(range(1, WINDOW + 1))


def test_every_welcome_starts_again_from_the_lowest(world: World) -> None:
    world.shop()
    world.connect()
    world.run(0)
    world.ledger.reopen(0)
    world.said.clear()
    world.connect()
    world.weather.loss = 0.0
    again = world.hear("welcome", welcome(world))
    assert [wire.parse(message.payload)["seq"] for message in again if message.kind == "ev"] == [1, 2]


def welcome(world: World, hwm: int = 0, h: str = wire.GENESIS) -> wire.Payload:
    return {
        "store": world.ledger.store, "hwm": hwm, "h": h, "nonce": None, "cloud_ms": 0, "config_version": 0,
    }  # fmt: skip


def ack(world: World, upto: int, h: str) -> wire.Payload:
    return {"store": world.ledger.store, "upto": upto, "h": h, "selective": []}


def test_a_forged_ack_frees_nothing(world: World) -> None:
    world.shop()
    world.hear("ack", ack(world, *world.ledger.head()), key=b"x" * 32)
    assert world.ledger.backlog()[0] == 2
    assert world.sender.counts["forged"] == 1


def test_an_unsigned_ack_frees_nothing(world: World) -> None:
    world.shop()
    said = wire.canonical(ack(world, *world.ledger.head()))
    world.sender.heard(wire.topic(CAB, "dn", "ack"), said, world.stamp())
    assert world.ledger.backlog()[0] == 2


def test_an_ack_signed_as_something_else_frees_nothing(world: World) -> None:
    world.shop()
    said = wire.signed(KEY, CAB, "nak", ack(world, *world.ledger.head()))
    world.sender.heard(wire.topic(CAB, "dn", "ack"), said, world.stamp())
    assert world.ledger.backlog()[0] == 2


def test_an_ack_for_another_cabinet_frees_nothing(world: World) -> None:
    world.shop()
    said = wire.signed(KEY, "cab-2", "ack", ack(world, *world.ledger.head()))
    world.sender.heard(wire.topic(CAB, "dn", "ack"), said, world.stamp())
    assert world.ledger.backlog()[0] == 2


def test_an_ack_for_another_store_frees_nothing(world: World) -> None:
    world.shop()
    world.hear("ack", {**ack(world, *world.ledger.head()), "store": "0" * 32})
    assert (world.ledger.backlog()[0], world.sender.counts["foreign"]) == (2, 1)


def test_an_ack_with_another_hash_frees_nothing(world: World) -> None:
    world.shop()
    world.hear("ack", ack(world, 2, "f" * 64))
    assert (world.ledger.backlog()[0], world.sender.counts["wrong hash"]) == (2, 1)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("ack", b""),
        ("ack", b"\xff\xfe"),
        ("ack", b"[" * 10_000),
        ("ack", b'{"sig": 5}'),
        ("ack", b'{"a": 1' + b"0" * 5_000 + b"}"),
        ("welcome", b"null"),
        ("welcome", b"x" * 20_000),
        ("party", b"{}"),
    ],
)
def test_garbage_is_counted_and_dropped(world: World, kind: str, payload: bytes) -> None:
    assert world.sender.heard(wire.topic(CAB, "dn", kind), payload, world.stamp()) == []
    assert world.sender.counts["garbage"] + world.sender.counts["forged"] == 1


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(["ack", "nak", "welcome", "cmd"]), payload=st.binary(max_size=300))
def test_no_bytes_at_all_stop_the_sender(tmp_path_factory: pytest.TempPathFactory, kind: str, payload: bytes) -> None:
    world = _shared_world(tmp_path_factory)
    assert world.sender.heard(wire.topic(CAB, "dn", kind), payload, world.stamp()) == []


_WORLDS: list[World] = []


def _shared_world(factory: pytest.TempPathFactory) -> World:
    if not _WORLDS:
        _WORLDS.append(World(factory.mktemp("w")))
    return _WORLDS[0]


@settings(max_examples=100, deadline=None)
@given(
    kind=st.sampled_from(["ack", "nak", "welcome", "cmd"]),
    said=st.dictionaries(
        st.sampled_from(
            ["store", "upto", "h", "selective", "hwm", "from", "to", "why", "id", "nonce", "ttl_s", "kind"]
        ),
        st.one_of(
            st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=3), st.lists(st.integers(), max_size=2)
        ),
    ),
)
def test_no_signed_nonsense_stops_the_sender_or_frees_a_row(
    tmp_path_factory: pytest.TempPathFactory, kind: str, said: wire.Payload
) -> None:
    world = _shared_world(tmp_path_factory)
    if world.ledger.backlog()[0] == 0:
        world.shop()
    before = world.ledger.backlog()
    try:
        world.hear(kind, {"store": world.ledger.store, **said})
    except wire.WireError:
        return  # what has no canonical form cannot be signed in the first place
    assert world.ledger.backlog() == before


def test_the_cloud_s_time_is_passed_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    told: list[int] = []
    world.sender._told_time = told.append
    world.connect()
    world.hear("welcome", {**welcome(world), "nonce": world.sender._nonce, "cloud_ms": 1_795_000_000_123})
    assert told == [1_795_000_000_123]


def test_a_welcome_that_answers_no_hello_of_ours_tells_no_time(tmp_path: Path) -> None:
    world = World(tmp_path)
    told: list[int] = []
    world.sender._told_time = told.append
    world.connect()
    world.hear("welcome", {**welcome(world), "cloud_ms": 1_795_000_000_123})
    assert told == []


def test_a_lost_ack_is_made_up_for(world: World) -> None:
    world.connect()
    world.run(0)
    world.shop()
    world.say(world.sender.wake(world.stamp()))
    world._land()
    world.flying.clear()  # both acks are lost
    assert world.ledger.backlog()[0] == 2
    world.run(10_000)
    assert world.ledger.backlog()[0] == 0
    assert world.charged() == [visit_id(1)]


def test_a_crash_of_the_cabinet_between_commit_and_ack_charges_once(world: World) -> None:
    world.connect()
    world.run(0)
    world.shop()
    world.say(world.sender.wake(world.stamp()))
    world._land()
    world.crash_edge()
    world.connect()
    world.run(10_000)
    assert (world.charged(), world.ledger.backlog()[0]) == ([visit_id(1)], 0)


def test_a_restored_old_copy_is_noticed_and_moves_to_a_new_store(world: World, tmp_path: Path) -> None:
    world.shop()
    world.ledger.close()
    shutil.copy(tmp_path / "edge.db", tmp_path / "copy.db")
    world.crash_edge()
    world.shop()
    world.connect()
    world.run(10_000)
    old = world.ledger.store
    world.ledger.close()
    shutil.copy(tmp_path / "copy.db", tmp_path / "edge.db")
    world.crash_edge()
    world.visits = 2
    world.shop()  # before it has heard from the cloud
    world.connect()
    world.run(0)
    assert world.ledger.store != old
    world.run(10_000)
    assert world.ledger.split() is None  # the incident is stored: it may sell again
    assert set(world.charged()) == {visit_id(1), visit_id(2), visit_id(3)}
    assert len(world.charged()) == 3
    assert world.ledger.backlog()[0] == 0


def test_nothing_may_be_sold_while_the_split_is_not_stored(world: World) -> None:
    world.shop()
    world.hear("welcome", welcome(world, hwm=9, h="a" * 64))
    assert world.ledger.split() is not None
    assert "incident" in {row.type for row in world.ledger.unacknowledged()}


def test_a_second_split_before_the_first_is_stored_waits_for_a_person(world: World) -> None:
    world.hear("welcome", welcome(world, hwm=9, h="a" * 64))
    store = world.ledger.store
    world.hear("welcome", welcome(world, hwm=9, h="a" * 64))
    assert world.ledger.store == store


def test_a_clone_that_went_its_own_way_is_a_fork_at_the_cloud(world: World, tmp_path: Path) -> None:
    world.shop()
    world.ledger.close()
    shutil.copy(tmp_path / "edge.db", tmp_path / "clone.db")
    world.crash_edge()
    world.shop()
    world.connect()
    world.run(10_000)
    with Ledger(tmp_path / "clone.db") as clone:
        shop(clone, 77)
        for row in clone.unacknowledged():
            topic, payload = wire.topic(CAB, "up", "ev"), wire.canonical(row.message())
            world.cloud.heard(topic, payload, mono_ms=0, wall_ms=0)
    assert set(world.charged()) == {visit_id(1), visit_id(2), visit_id(77)}
    assert {alarm.kind for alarm in world.cloud_store.alarms()} == {"fork"}


def test_a_cloud_restored_from_a_copy_is_told_again(world: World, tmp_path: Path) -> None:
    world.connect()
    world.shop()
    world.run(10_000)
    world.cloud_store.close()
    shutil.copy(tmp_path / "cloud.db", tmp_path / "cloud-copy.db")
    world.crash_cloud()
    world.shop()
    world.run(10_000)
    world.cloud_store.close()
    shutil.copy(tmp_path / "cloud-copy.db", tmp_path / "cloud.db")
    world.crash_cloud()
    assert world.charged() == [visit_id(1)]
    world.connect()
    world.run(10_000)
    assert world.charged() == [visit_id(1), visit_id(2)]


def test_a_row_that_was_freed_singly_is_said_again_to_a_cloud_that_lost_it(world: World, tmp_path: Path) -> None:
    world.connect()
    world.run(1_000)
    world.cloud_store.close()
    shutil.copy(tmp_path / "cloud.db", tmp_path / "cloud-copy.db")
    world.crash_cloud()
    world.shop()
    head, h = world.ledger.head()
    world.hear("ack", {**ack(world, 0, wire.GENESIS), "selective": [{"seq": head, "h": h}]})
    assert world.ledger.backlog()[0] == 1
    world.cloud_store.close()
    shutil.copy(tmp_path / "cloud-copy.db", tmp_path / "cloud.db")
    world.crash_cloud()
    world.disconnect()
    world.connect()
    world.run(10_000)
    assert (world.ledger.backlog()[0], world.charged()) == (0, [visit_id(1)])


def test_a_late_welcome_below_a_row_that_was_freed_singly_is_not_believed(world: World) -> None:
    world.shop()
    head, h = world.ledger.head()
    world.hear("ack", {**ack(world, 0, wire.GENESIS), "selective": [{"seq": head, "h": h}]})
    world.connect()
    world.hear("welcome", welcome(world))
    assert not world.sender.welcomed
    world.hear("welcome", {**welcome(world), "nonce": world.sender._nonce})
    assert (world.sender.welcomed, world.ledger.backlog()[0]) == (True, 2)


def test_an_old_welcome_replayed_reopens_nothing(world: World) -> None:
    world.connect()
    world.shop()
    world.run(10_000)
    said = world.hear("welcome", welcome(world))
    assert world.ledger.backlog()[0] == 0
    assert [message.kind for message in said] == ["hello"]


def test_an_unknown_command_is_refused_by_name(world: World) -> None:
    first = command(world, nonce="")
    assert first["result"] == "expired"
    assert command(world, nonce=first["nonce"])["result"] == "unknown kind"


def test_a_command_is_good_once(world: World) -> None:
    nonce = command(world, nonce="")["nonce"]
    command(world, nonce=nonce)
    assert command(world, nonce=nonce)["result"] == "expired"


def test_a_command_that_was_kept_back_is_expired(world: World) -> None:
    nonce = command(world, nonce="")["nonce"]
    world.now_ms += 10_001
    assert command(world, nonce=nonce)["result"] == "expired"


def test_no_ttl_is_longer_than_ten_seconds(world: World) -> None:
    nonce = command(world, nonce="")["nonce"]
    world.now_ms += 10_001
    assert command(world, nonce=nonce, ttl_s=3600)["result"] == "expired"


def test_an_unsigned_command_is_not_even_answered(world: World) -> None:
    said = {"id": "c1", "kind": "unlock", "nonce": "", "ttl_s": 5}
    assert world.hear("cmd", said, key=b"y" * 32) == []


def command(world: World, *, nonce: str, ttl_s: int = 5) -> wire.Payload:
    (answer,) = world.hear("cmd", {"id": "c1", "kind": "unlock", "nonce": nonce, "ttl_s": ttl_s})
    assert answer.kind == "res"
    return wire.parse(answer.payload)
