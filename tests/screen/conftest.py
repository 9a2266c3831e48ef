"""The page's server on a free port, and a shopper's room behind it on a real socket: one loop, in a thread."""

import asyncio
import contextlib
import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from cabinet.control.server import Control
from cabinet.control.shopper import ShopperRoom
from cabinet.screen import Link, Serving, bound, link
from cabinet.session.effects import Notice
from cabinet.shopper import Shopper

BOUND_S = 60.0


class Stage:
    """`do` runs something on the loop; `daemon` comes and goes."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "control.sock"
        self.shopper = Shopper("c1", 60.0, lambda _: None, {})
        self.shopper.line = lambda: "Hello"
        self.heard: list[object] = []
        self.shopper.on_digits = self.heard.append
        self.shopper.on_confirm = self.heard.append
        self.room = ShopperRoom(self.shopper)
        self._listening = bound(0)
        self.port = int(self._listening.getsockname()[1])
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()))
        self._daemons: list[asyncio.Task[None]] = []

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._serving = Serving(Link(self.socket))
        await self.daemon_comes()
        with self._listening:
            await self._serving.run(self._listening, self._ready.set)
        await self.daemon_goes()

    async def daemon_comes(self) -> None:
        control = Control(self.socket, self.room.operations(), {"shopper.watch": self.room.watch})
        self._daemons.append(asyncio.create_task(control.run()))

    async def daemon_goes(self) -> None:
        """With all its connections, as a process that ends."""
        its = [task for task in asyncio.all_tasks() if "Control." in getattr(task.get_coro(), "__qualname__", "")]
        for task in its:
            task.cancel()
        await asyncio.gather(*its, return_exceptions=True)
        self.socket.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(BOUND_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self._serving.stop)
        self._thread.join(BOUND_S)
        assert not self._thread.is_alive()

    def do(self, what: Callable[..., object], *given: object, **named: object) -> Any:
        async def run() -> object:
            found = what(*given, **named)
            return await found if asyncio.iscoroutine(found) else found

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(BOUND_S)

    def asks(self, what: str) -> None:
        self.do(self.shopper.show, Notice.LOOKING)
        self.do(self.shopper.ask, what)

    # What a browser does.

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=BOUND_S)
        with contextlib.closing(connection):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()

    def word(self) -> str:
        """What our page was given."""
        found = re.search(rb'name="cabinet-page" content="([^"]+)"', self.request("GET", "/")[2])
        assert found is not None
        return found[1].decode()

    def answer(self, path: str, said: object, **headers: str) -> tuple[int, dict[str, Any]]:
        given = {"content_type": "application/json", "x_cabinet_page": self.word()} | headers
        status, _, body = self.request("POST", path, json.dumps(said).encode(), **given)
        answer: dict[str, Any] = json.loads(body)
        return status, answer

    @contextlib.contextmanager
    def events(self) -> Iterator[Iterator[dict[str, Any]]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=BOUND_S)
        with contextlib.closing(connection):
            connection.request("GET", "/events")
            answer = connection.getresponse()
            assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")

            def told() -> Iterator[dict[str, Any]]:
                for line in answer:
                    if line.startswith(b"data: "):
                        yield json.loads(line.removeprefix(b"data: "))

            yield told()

    def until(self, mode: str) -> dict[str, Any]:
        """What the page is told as soon as it is in that mode."""
        until_s = time.monotonic() + BOUND_S
        with self.events() as told:
            for one in told:
                if one["mode"] == mode:
                    return one
                assert time.monotonic() < until_s, f"never {mode}, but {one}"
        raise AssertionError(f"never {mode}: the server ended")


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(link, "ANSWER_S", BOUND_S)  # of one program and a busy machine
    with Stage(tmp_path) as made:
        made.do(made.shopper.show, Notice.READY)
        yield made
