"""Lives to be recorded: visits in bad weather, restarts, and old copies of the card or of the cloud that come back."""

from pathlib import Path

from tests.protocol.recorder import RecordedWorld
from tests.uplink.world import Weather

MISHAPS = {"rollback": ("copy", "back"), "clone": ("copy", "clone"), "restore": ("cloud copy", "cloud back")}


def lived(folder: Path, seed: int) -> RecordedWorld:
    """Some visits in bad weather, with restarts; in three lives of five an old copy comes back."""
    world = RecordedWorld(folder, seed, Weather(loss=0.25, double=0.25, delay_ms=4_000))
    mishap = MISHAPS.get(mishap_of(seed))
    world.connect()
    for turn in range(9):
        what = world.dice.choice(["shop", "shop", "half", "broker", "edge", "cloud"])
        if mishap and turn in {3, 6}:
            what = mishap[turn == 6]
        world.act(world.dice.choice(world.cabinets()) if what in {"shop", "half"} else 0)
        happen(world, what)
        world.act(0)
        world.run(world.dice.randint(0, 4_000))
    world.weather.loss, world.weather.delay_ms = 0.0, 100
    world.run(120_000)
    world.note_charges()
    return world


def mishap_of(seed: int) -> str:
    return ("rollback", "none", "clone", "none", "restore")[seed % 5]


def happen(world: RecordedWorld, what: str) -> None:
    if what in {"shop", "half"}:
        if world.open is None and world.ledger.split() is None:
            world.open_visit()
            world.unlock()
        if what == "shop" and world.open is not None:
            world.close_visit()
    elif what == "broker":
        for me in world.cabinets():
            world.act(me)
            world.disconnect()
            world.connect()
        world.act(0)
    else:
        does = {
            "cloud": world.crash_cloud, "cloud copy": world.copy_cloud, "cloud back": world.restore_cloud,
            "clone": world.clone, "edge": world.crash_edge, "copy": world.take_copy, "back": world.put_back,
        }  # fmt: skip  # a table
        does[what]()
        if what in {"edge", "copy", "back"}:
            world.connect()
