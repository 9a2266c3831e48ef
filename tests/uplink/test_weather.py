"""Every weather on virtual time: real ledger, real settlement, a network that loses, doubles and delays."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.examples import visit_id
from tests.uplink.world import Weather, World

STORMY = st.builds(
    Weather,
    loss=st.floats(0, 0.6),
    double=st.floats(0, 0.5),
    delay_ms=st.integers(0, 8_000),
)
HAPPENINGS = st.lists(st.sampled_from(["shop", "pause", "broker", "edge", "cloud"]), max_size=14)


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32), weather=STORMY, happenings=HAPPENINGS)
def test_in_any_weather_every_visit_is_charged_once_and_the_books_agree(
    tmp_path_factory: pytest.TempPathFactory, seed: int, weather: Weather, happenings: list[str]
) -> None:
    world = World(tmp_path_factory.mktemp("w"), seed, weather)
    world.connect()
    for happening in happenings:
        if happening == "shop":
            world.shop()
        elif happening == "broker":
            world.disconnect()
            world.run(3_000)
            world.connect()
        elif happening == "edge":
            world.crash_edge()
            world.connect()
        elif happening == "cloud":
            world.crash_cloud()
        world.run(world.dice.randint(0, 5_000))
        books_agree(world)
    world.weather.loss, world.weather.delay_ms = 0.0, 100
    world.run(200_000)
    books_agree(world)
    assert world.ledger.backlog() == (0, None)
    assert sorted(world.charged()) == [visit_id(number) for number in range(1, world.visits + 1)]
    assert world.cloud_store.alarms() == []
    assert world.ledger.split() is None
    world.close()


def books_agree(world: World) -> None:
    """I7: what the cabinet holds for stored is stored, with the same hash."""
    stored = {(event.seq, event.h) for event in world.cloud_store.events()}
    acknowledged = {(row.seq, row.h) for row in world.ledger.outbox(1000) if row.acked_at_ms is not None}
    assert acknowledged <= stored


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), visits=st.integers(1, 12))
def test_in_fair_weather_charges_arrive_in_the_order_of_the_visits(
    tmp_path_factory: pytest.TempPathFactory, seed: int, visits: int
) -> None:
    world = World(tmp_path_factory.mktemp("w"), seed)
    for _ in range(visits):
        world.shop()
    world.connect()
    world.run(1_000)
    assert world.charged() == [visit_id(number) for number in range(1, visits + 1)]
    world.close()
