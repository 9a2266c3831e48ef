"""A shopper waits at the door for what the desk finds out: the loop says it at once, not at its next look."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cabinet import wire
from cabinet.cloud import loop as loop_module
from cabinet.cloud.loop import CloudLoop
from cabinet.cloud.service import CloudService, Reply
from cabinet.cloud.store import CloudStore
from tests.cloud.counterpart import CAB, KEYS
from tests.cloud.test_away import Pipe

ENDS_S = 60.0  # against a test that hangs; the loop by itself would look again in an hour


class SlowDesk:
    """Its answers come from a thread of its own."""

    answers = True

    def __init__(self) -> None:
        self.ready: list[Reply] = []
        self.when_ready: Callable[[], None] = lambda: None

    def call(self, when_ready: Callable[[], None]) -> None:
        self.when_ready = when_ready

    def asked(self, cab: str, ask: wire.Payload, now_ms: int) -> list[Reply]:
        return []

    def due(self, now_ms: int) -> list[Reply]:
        found, self.ready = self.ready, []
        return found

    def greeted(self, cab: str, now_ms: int) -> list[Reply]:
        return []

    def find_out(self) -> None:
        said = wire.signed(KEYS[CAB], CAB, "terms", {"visit": "V", "nonce": "n", "granted": True})
        self.ready = [Reply(wire.topic(CAB, "dn", "terms"), said)]
        self.when_ready()


def test_what_the_desk_finds_out_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "TICK_S", 3600.0)
    store, desk, pipe, said = CloudStore(tmp_path / "cloud.db"), SlowDesk(), Pipe(), asyncio.Event()
    send = pipe.send

    def told(topic: str, payload: bytes, *, retain: bool = False, expiry_s: int | None = None) -> bool:
        said.set()
        return send(topic, payload, retain=retain, expiry_s=expiry_s)

    pipe.send = told  # type: ignore[method-assign]  # the test waits for it

    async def life() -> None:
        loop = CloudLoop(CloudService(store, KEYS, desk=desk), pipe)  # type: ignore[arg-type]  # as much as it uses
        running = asyncio.create_task(loop.run())
        for _ in range(10):
            await asyncio.sleep(0)  # until it waits for something to happen
        threading.Thread(target=desk.find_out).start()
        async with asyncio.timeout(ENDS_S):
            await said.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(life())
    assert [kind for kind, _ in pipe.sent] == ["terms"]
    store.close()
