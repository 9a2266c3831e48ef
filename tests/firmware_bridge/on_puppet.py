"""Stories of a Board whose other end is a puppet, on virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import pytest

from firmware_bridge import happenings as h
from firmware_bridge.board import Board
from tests.firmware_bridge.puppet import KEY, Port, Puppet
from tests.support.virtual_time import run_in_virtual_time

BOUND_S = 600.0  # virtual
T = TypeVar("T")


class Host:
    """A board being run, and a patient ear."""

    def __init__(self, board: Board, port: Port) -> None:
        self.board, self.port = board, port
        self.past: list[h.Happening] = []

    @property
    def puppet(self) -> Puppet:
        return self.port.puppet

    async def until(self, kind: type[T]) -> T:
        """The next happening of this kind; those before it are in `past`."""
        async with asyncio.timeout(BOUND_S):
            while True:
                happening = await self.board.happenings.get()
                if isinstance(happening, kind):
                    return happening
                self.past.append(happening)

    async def past_of(self, kind: type[T], for_s: float) -> list[T]:
        """All of this kind that come within `for_s`."""
        await asyncio.sleep(for_s)  # of virtual time
        while not self.board.happenings.empty():
            self.past.append(self.board.happenings.get_nowait())
        return [happening for happening in self.past if isinstance(happening, kind)]


Story = Callable[[Host], Awaitable[None]]


def live(
    monkeypatch: pytest.MonkeyPatch, story: Story, puppet: Puppet | None = None, key: bytes | None = KEY, **words: Any
) -> Host:
    """Run the board's shell while `story` happens."""
    port = Port()
    port.puppet = puppet or port.puppet
    monkeypatch.setattr("firmware_bridge.board.Line", port.open)
    host = Host(Board("/dev/board", key=key, **words), port)

    async def both() -> None:
        running = asyncio.create_task(host.board.run())
        try:
            await story(host)
            if running.done():
                running.result()  # run() never returns: this raises what ended it
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    run_in_virtual_time(both())
    return host
