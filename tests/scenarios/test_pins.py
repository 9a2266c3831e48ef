"""A cabinet whose lock, door, bolt, lamp and buzzer are on this computer's own pins; cells on the board as ever.

The daemon runs in this process, because gpiozero's mock pins live in memory; everything else is a process of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory

from cabinet import config
from cabinet.cli.demo import goods
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.shop import Shop, basket
from cabinet.cli.demo.waiting import PATIENCE_S
from cabinet.ledger import Ledger
from cabinet.session.states import Idle, OutOfService, Unlocked, Watching
from cabinet.sim import pictures
from cabinet.sim.remote import RemoteApparatus
from cabinet.wiring import House
from tests.support.mock_pins import BOLT, BUZZER, DOOR, LAMP, RELAY, mock_pins

COLA = "5000000000011"
PARTS = {"lock": RELAY, "door": DOOR, "bolt": BOLT, "lamp": LAMP, "buzzer": BUZZER}
LOOK_EVERY_S = 0.02

Story = Callable[[House, Shop, "Latch"], Awaitable[None]]


class Latch:
    """The latch and the door as the pins know them: the bolt follows the relay, the door follows the shopper."""

    def __init__(self, pins: MockFactory) -> None:
        self.relay, self.door, self.bolt = pins.pin(RELAY), pins.pin(DOOR), pins.pin(BOLT)
        self.lamp = pins.pin(LAMP)
        self.door.drive_low()  # shut
        self.bolt.drive_high()  # out

    def pull(self) -> bool:
        if not self.relay.state:
            return False
        self.bolt.drive_low()
        self.door.drive_high()
        return True

    def force(self) -> None:
        self.door.drive_high()

    def shut(self) -> None:
        self.door.drive_low()
        self.bolt.drive_high()


@dataclass(frozen=True, slots=True)
class Pinned(RemoteApparatus):
    """The shelves are the board's, the door is the latch's."""

    latch: Latch | None = None

    @property
    def door_open(self) -> bool:
        return self.latch is not None and bool(self.latch.door.state)


async def until(true: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> None:
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110  the house tells nobody of its pins
            await asyncio.sleep(LOOK_EVERY_S)
    assert true(), what


def lived(story: Story) -> None:
    """The story in a house on pins."""

    async def live(shop: Shop, latch: Latch) -> None:
        facts = config.load(shop.bench.config)
        facts.cabinet.data_dir.mkdir(parents=True)
        with Ledger(facts.cabinet.data_dir / "ledger.db") as ledger:
            house = House(facts, ledger)
            house.start()
            tasks = [asyncio.create_task(loop()) for loop in house.loops().values()]
            try:
                await until(shop.bench.socket.exists, "the control socket")
                await asyncio.to_thread(shop.stock_drawn)
                await until(lambda: house.daemon.state == Idle(), "open for business")
                await story(house, shop, latch)
            finally:
                for task in tasks:
                    task.cancel()
                _, running = await asyncio.wait(tasks, timeout=PATIENCE_S)
                await house.close()
                assert not running, f"did not stop: {running}"

    sections: dict[str, dict[str, Any]] = {name: {"via": "gpio", "pin": pin} for name, pin in PARTS.items()}
    first = {"front": pictures.jpeg(pictures.lobby()), "top": goods.drawn(goods.DRAWN_SHELVES, 1)}
    with TemporaryDirectory(prefix="pins-") as folder, mock_pins() as pins:
        bench = Bench(Path(folder), interior=goods.interior(), pictures=first, settings=sections, with_daemon=False)
        with bench:
            shop, latch = Shop(bench), Latch(pins)
            shop.world.apparatus = Pinned(bench.board.control, shop.world.zones, latch=latch)
            asyncio.run(live(shop, latch))


def test_a_visit_over_the_pins_is_billed() -> None:
    async def story(house: House, shop: Shop, latch: Latch) -> None:
        ann = await asyncio.to_thread(shop.enrol, Person("Ann", None, None))
        assert not latch.pull()
        await asyncio.to_thread(shop.somebody, ann.code)
        await until(lambda: isinstance(house.daemon.state, Unlocked) and bool(latch.relay.state), "unlocked")
        assert latch.pull()
        await until(lambda: isinstance(house.daemon.state, Watching) and not latch.relay.state, "the drive ends")
        await asyncio.to_thread(shop.nobody)
        await asyncio.to_thread(shop.take, "s1", COLA)
        visit = house.daemon.state.visit if isinstance(house.daemon.state, Watching) else ""
        latch.shut()
        assert basket(await asyncio.to_thread(shop.bench.wait_for_closed, visit)) == {COLA: 1}
        await until(lambda: house.daemon.state == Idle() and bool(latch.lamp.state), "ready again")

    lived(story)


def test_a_door_forced_on_the_pins_takes_it_out_of_service() -> None:
    async def story(house: House, shop: Shop, latch: Latch) -> None:
        latch.force()
        await until(lambda: isinstance(house.daemon.state, OutOfService), "out of service")
        assert not latch.relay.state
        state = house.daemon.state
        assert isinstance(state, OutOfService)
        assert [fault.part for fault in state.faults if fault.latched] == ["door"]

    lived(story)


@pytest.mark.campaign
def test_an_unopened_unlock_lets_the_relay_fall_off_after_its_lease() -> None:
    async def story(house: House, shop: Shop, latch: Latch) -> None:
        ann = await asyncio.to_thread(shop.enrol, Person("Ann", None, None))
        await asyncio.to_thread(shop.somebody, ann.code)
        await until(lambda: bool(latch.relay.state), "unlocked")
        await asyncio.to_thread(shop.nobody)
        await until(lambda: not latch.relay.state, "relocked")
        await until(lambda: isinstance(house.daemon.state, Idle), "idle again")
        assert not latch.pull()

    lived(story)
