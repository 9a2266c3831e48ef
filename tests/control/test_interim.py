"""What seems to have been taken, as the control socket tells it: beside the screen's line, and never with a price."""

import asyncio
from typing import Any

from cabinet.basket.verdict import Interim
from cabinet.control.watching import Watching, taken
from cabinet.session.states import Idle
from cabinet.units import Sku
from tests.control.room import Room

SHOWN = Interim(((Sku("111"), "Cola", 2),), settled=False)
TOLD = {"taken": [{"sku": "111", "name": "Cola", "units": 2}], "settled": False}


def status(room: Room) -> dict[str, Any]:
    return asyncio.run(room.ask("status"))


def test_status_tells_what_seems_to_have_been_taken(room: Room) -> None:
    room.looking.interim = lambda: SHOWN
    assert status(room)["interim"] == TOLD


def test_status_tells_none_where_no_door_is_open(room: Room) -> None:
    assert status(room)["interim"] is None


def test_every_watcher_hears_it_with_the_line_on_the_screen() -> None:
    async def story() -> None:
        live = Watching(Idle, lambda: "So far: 2 × Cola…")
        watcher = live.watch()
        await anext(watcher)
        live.interim(SHOWN)
        live.interim(None)
        assert await anext(watcher) == {"type": "interim", "interim": TOLD, "screen": "So far: 2 × Cola…"}
        assert (await anext(watcher))["interim"] is None

    asyncio.run(story())


def test_nothing_that_is_told_has_a_price() -> None:
    told = taken(SHOWN)
    assert told is not None
    assert {key for one in told["taken"] for key in one} == {"sku", "name", "units"}
