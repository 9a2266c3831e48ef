"""Whatever the network and the two ends do: the cabinet has the cloud's list, or an earlier one, and never a mix."""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cabinet.cloud.roster import RosterRefusedError
from tests.uplink.fleet import OTHER, FleetWorld, member_id, said, with_face
from tests.uplink.world import CAB, KEY

NUMBERS = st.integers(1, 5)
EVERYWHERE = st.sampled_from([None, None, None, [CAB], [OTHER]])
LOOKS = st.sampled_from([{}, with_face(0.5, 0.25), with_face(0.125), {"digits": "4711"}, {"verified": True, "age": 21}])

CHANGES = st.one_of(
    st.tuples(st.just("add"), NUMBERS, LOOKS, EVERYWHERE),
    st.tuples(st.just("change"), NUMBERS, LOOKS, EVERYWHERE),
    st.tuples(st.just("remove"), NUMBERS),
    st.tuples(st.just("erase"), NUMBERS),
)
MISHAPS = st.one_of(
    st.tuples(st.just("weather"), st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0, 5_000])),
    st.tuples(st.sampled_from(["connect", "connect", "disconnect", "crash edge", "crash cloud"])),
    st.tuples(st.just("replay"), st.integers(0, 200)),
    st.tuples(st.just("forge"), st.integers(0, 200), st.booleans(), st.sampled_from(["to", "hash", "changes", "op"])),
)
STEPS = st.tuples(st.one_of(CHANGES, CHANGES, MISHAPS), st.sampled_from([0, 10, 3_000, 10_000, 700_000]))


def play(world: FleetWorld, step: tuple[Any, ...]) -> None:
    """One thing that happens; what the cloud refuses is no change."""
    match step:
        case ("add", number, looks, cabs):
            world.fleet.add(said(number, **looks), cabs, "ann", 1)
        case ("change", number, looks, cabs):
            world.fleet.change({"member": member_id(number), **looks}, cabs, "ann", 2, keep=cabs is None)
        case ("remove", number):
            world.fleet.remove(member_id(number), "ann", 3)
        case ("erase", number):
            world.ledger.erase(member_id(number), world.stamp())
        case ("weather", share, delay_ms):
            world.weather.loss = world.weather.double = share / 2
            world.weather.delay_ms = delay_ms
        case ("connect",):
            world.connect()
        case ("disconnect",):
            world.disconnect()
        case ("crash edge",):
            world.crash_edge()
        case ("crash cloud",):
            world.crash_cloud()
        case _:
            lie(world, step)


def lie(world: FleetWorld, step: tuple[Any, ...]) -> None:
    """Somebody says again what was said once, or something like it, even under the right key."""
    heard = world.told()
    if not heard:
        return
    payload = heard[step[1] % len(heard)]
    if step[0] == "replay":
        world.hear("members", payload)
        return
    _, _, signed, what = step
    changes = payload["changes"]
    lies = {
        "to": {"to": payload["to"] + 1},
        "hash": {"hash": "0" * 64},
        "changes": {"changes": changes[1:] if changes else [{"op": "remove", "member": member_id(1)}]},
        "op": {"changes": [*changes, {"op": "dance", "member": member_id(1)}]},
    }
    world.hear("members", {**payload, **lies[what]}, KEY if signed and what != "to" else b"x" * 32)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**16), steps=st.lists(STEPS, min_size=12, max_size=25))
def test_the_cabinet_has_the_clouds_list_or_an_earlier_one_and_never_a_mix(
    seed: int, steps: list[tuple[tuple[Any, ...], int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = FleetWorld(Path(folder), seed)
        for number in (1, 2, 3):
            play(world, ("add", number, {}, None))
            world.note()
        world.connect()
        versions = [0]
        for step, for_ms in steps:
            with contextlib.suppress(RosterRefusedError):
                play(world, step)
            world.note()
            for part_ms in (for_ms // 2, for_ms - for_ms // 2):  # the cloud looks for news in between
                world.run(part_ms)
                world.note()
            world.here()
            versions.append(world.ledger.fleet_version())
        assert versions == sorted(versions)
        world.settle()
        world.note()
        world.settle()  # after an erasure told only now
        assert world.here() == world.history[world.fleet.version()]
        assert world.ledger.backlog()[0] == 0
        world.close()
