"""The shell around an ask: said at once on a pipe that knows how soon it is worthless, or not at all."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cabinet import wire
from cabinet.ledger import Ledger, Stamp
from cabinet.uplink import ASK_EXPIRY_S, Uplink
from tests.ledger.examples import stamp
from tests.support.virtual_time import run_in_virtual_time
from tests.uplink.test_credit import ASK, TERMS, Told, part
from tests.uplink.world import CAB, KEY


@dataclass
class Wire:
    """A pipe that is there and takes everything, or is told to refuse."""

    takes: bool = True
    sent: list[tuple[str, int | None]] = field(default_factory=list)
    nonce: object = None

    def start(self, heard: Callable[[str, bytes], None], changed: Callable[[bool], None]) -> None:
        self.heard, self.changed = heard, changed

    def send(self, topic: str, payload: bytes, *, retain: bool = False, expiry_s: int | None = None) -> bool:
        self.sent.append((topic.rsplit("/", maxsplit=1)[-1], expiry_s))
        return self.takes

    def trouble(self) -> str | None:
        return None

    async def stop(self) -> None: ...

    def say(self, kind: str, said: wire.Payload) -> None:
        self.heard(wire.topic(CAB, "dn", kind), wire.signed(KEY, CAB, kind, said))


@dataclass
class Scene:
    pipe: Wire
    uplink: Uplink
    store: str
    told: Told

    async def welcome(self) -> None:
        self.pipe.changed(True)  # noqa: FBT003  # the port's own signature
        said = {"store": self.store, "hwm": 0, "h": wire.GENESIS, "nonce": None, "cloud_ms": 0, "config_version": 0}
        self.pipe.say("welcome", {**said, "terms": True})
        await asyncio.sleep(0.01)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    ledger, pipe = Ledger(tmp_path / "l.db"), Wire()

    def now() -> Stamp:
        return stamp(round(asyncio.get_running_loop().time() * 1000))

    uplink = Uplink(ledger, pipe, KEY, CAB, clock=now, dice=random.Random(1))
    told = Told()
    uplink.on_terms, uplink.on_roster = told.terms.append, told.roster
    return Scene(pipe, uplink, ledger.store, told)


def live(scene: Scene, *, welcome: bool = True, then: Callable[[], None] = lambda: None) -> None:
    async def story() -> None:
        running = asyncio.create_task(scene.uplink.run())
        await asyncio.sleep(0.01)
        if welcome:
            await scene.welcome()
        then()
        await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_in_virtual_time(story())


def test_an_ask_is_said_at_once_and_expires_soon(scene: Scene) -> None:
    def ask() -> None:
        before = len(scene.pipe.sent)
        assert scene.uplink.ask(ASK)
        assert scene.pipe.sent[before:] == [("ask", ASK_EXPIRY_S)]

    live(scene, then=ask)


def test_nobody_is_asked_without_a_connection_or_over_a_full_pipe(scene: Scene) -> None:
    assert not scene.uplink.ask(ASK)

    def ask_in_vain() -> None:
        scene.pipe.takes = False
        assert not scene.uplink.ask(ASK)

    live(scene, then=ask_in_vain)


def test_an_ask_after_the_connection_was_lost_is_not_said(scene: Scene) -> None:
    async def story() -> None:
        running = asyncio.create_task(scene.uplink.run())
        await asyncio.sleep(0.01)
        await scene.welcome()
        scene.pipe.changed(False)  # noqa: FBT003  # the port's own signature
        await asyncio.sleep(0.01)
        assert not scene.uplink.ask(ASK)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_in_virtual_time(story())
    assert "ask" not in {kind for kind, _ in scene.pipe.sent}


def test_terms_and_rosters_come_to_whoever_wants_them(scene: Scene) -> None:
    def hear() -> None:
        scene.pipe.say("terms", TERMS)
        scene.pipe.say("roster", part(3, 1, 1, "ann"))

    live(scene, then=hear)
    assert [answer.granted for answer in scene.told.terms] == [True]
    assert [roster.version for roster in scene.told.rosters] == [3]
    assert scene.uplink.figures()["rosters"] == 1
