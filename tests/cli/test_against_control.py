"""The client and the daemon's own socket speak the same lines."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cabinet.cli.client import Client
from cabinet.cli.errors import RefusedError
from cabinet.control.requests import RequestError
from cabinet.control.server import Control

BOUND_S = 60.0  # only a failure waits so long


async def _echo(arguments: Mapping[str, Any], _: str) -> dict[str, Any]:
    return {"heard": dict(arguments)}


async def _refuse(_: Mapping[str, Any], __: str) -> dict[str, Any]:
    raise RequestError("the door is open", "shut it")


async def _watch() -> AsyncIterator[dict[str, Any]]:
    for n in (1, 2):
        yield {"n": n}
    await asyncio.Event().wait()


@pytest.fixture
def daemon_socket(tmp_path: Path) -> Iterator[Path]:
    """The real control server on a loop of its own thread."""
    path, ready = tmp_path / "control.sock", threading.Event()
    loop = asyncio.new_event_loop()
    control = Control(path, {"echo": _echo, "refuse": _refuse}, {"watch": _watch})

    async def serve() -> None:
        serving = asyncio.create_task(control.run())
        while not path.exists():  # noqa: ASYNC110  # the server tells nobody; `ready` is waited for with a bound
            await asyncio.sleep(0)
        ready.set()
        await serving

    task = loop.create_task(serve())

    def live() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        finally:
            left_over = asyncio.all_tasks(loop)
            for left in left_over:
                left.cancel()
            loop.run_until_complete(asyncio.gather(*left_over, return_exceptions=True))
            for _ in range(3):  # closing a transport takes the loop a turn or two
                loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    thread = threading.Thread(target=live)
    thread.start()
    assert ready.wait(BOUND_S)
    yield path
    loop.call_soon_threadsafe(task.cancel)
    thread.join(BOUND_S)


def test_what_is_asked_arrives_and_the_answer_comes_back(daemon_socket: Path) -> None:
    with Client(daemon_socket) as client:
        assert client.ask("echo", {"name": "Zoë\n", "n": 1}) == {"heard": {"name": "Zoë\n", "n": 1}}


def test_twenty_megabytes_of_photographs_fit(daemon_socket: Path) -> None:
    with Client(daemon_socket) as client:
        photos = ["A" * (5 << 20)] * 4
        assert client.ask("echo", {"photos": photos}, timeout_s=BOUND_S)["heard"]["photos"] == photos


def test_a_refusal_of_the_daemon_keeps_its_remedy(daemon_socket: Path) -> None:
    with Client(daemon_socket) as client, pytest.raises(RefusedError, match="the door is open") as caught:
        client.ask("refuse")
    assert caught.value.remedy == "shut it"


def test_an_operation_of_a_newer_version_is_refused_in_words(daemon_socket: Path) -> None:
    with Client(daemon_socket) as client, pytest.raises(RefusedError, match="unknown operation 'dance'"):
        client.ask("dance")


def test_watching_gets_every_line(daemon_socket: Path) -> None:
    with Client(daemon_socket) as client:
        client.watch()
        assert [client.happening(BOUND_S), client.happening(BOUND_S)] == [{"n": 1}, {"n": 2}]
