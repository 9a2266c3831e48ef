"""The socket itself: who may ask, how garbage is answered, who signs."""

import asyncio
import contextlib
import json
import os
import pwd
import socket
import stat
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest

from cabinet.control import server
from cabinet.control.requests import RequestError
from cabinet.control.server import MAX_CLIENTS, Control
from cabinet.ledger import LedgerError
from cabinet.ports import PortError
from cabinet.trace import TraceError

BOUND_S = 60.0


async def echo(arguments: Mapping[str, Any], who: str) -> dict[str, Any]:
    return {"heard": dict(arguments), "who": who}


async def refuse(_: Mapping[str, Any], __: str) -> dict[str, Any]:
    raise RequestError("the door is open", "shut it")


def failing(error: Exception) -> Callable[[Mapping[str, Any], str], Coroutine[Any, Any, dict[str, Any]]]:
    async def fail(_: Mapping[str, Any], __: str) -> dict[str, Any]:
        raise error

    return fail


class Room:
    """A control server on a loop that the test shares, and what its stream does."""

    def __init__(self, path: Path) -> None:
        self.watchers = 0
        self.left = asyncio.Event()
        operations = {
            "echo": echo,
            "refuse": refuse,
            "port": failing(PortError("lock: no answer")),
            "ledger": failing(LedgerError("the ledger is read-only")),
            "trace": failing(TraceError("visit.json: is missing")),
            "disk": failing(FileNotFoundError("tally.json")),
        }
        self.control = Control(path, operations, {"watch": self.watch})

    async def watch(self) -> AsyncIterator[dict[str, Any]]:
        self.watchers += 1
        try:
            yield {"type": "hello"}
            await asyncio.Event().wait()  # a quiet cabinet
        finally:
            self.watchers -= 1
            self.left.set()


@contextlib.asynccontextmanager
async def serving(path: Path) -> AsyncIterator[Room]:
    room = Room(path)
    task = asyncio.create_task(room.control.run())
    while not listening(path):  # noqa: ASYNC110  the server tells nobody
        await asyncio.sleep(0)
    try:
        yield room
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def listening(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


class Caller:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, line: bytes) -> dict[str, Any]:
        self.writer.write(line + b"\n")
        return await self.hear()

    async def hear(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(await self.reader.readline())
        return answer

    async def ask(self, op: str, **arguments: Any) -> dict[str, Any]:
        return await self.say(json.dumps({"op": op, "args": arguments}).encode())


@contextlib.asynccontextmanager
async def caller(path: Path) -> AsyncIterator[Caller]:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def lived(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, BOUND_S))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "ctl"


def test_a_question_is_answered(path: Path) -> None:
    async def story() -> None:
        async with serving(path), caller(path) as one:
            answer = await one.ask("echo", n=1)
            assert (answer["ok"], answer["data"]["heard"]) == (True, {"n": 1})

    lived(story())


def test_whoever_asks_is_named_as_the_kernel_names_them(path: Path) -> None:
    async def story() -> None:
        async with serving(path), caller(path) as one:
            answer = await one.ask("echo", who="somebody else")
            assert answer["data"]["who"] == pwd.getpwuid(os.geteuid()).pw_name

    lived(story())


def test_a_user_without_a_name_is_named_by_number(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", nobody)

    async def story() -> None:
        async with serving(path), caller(path) as one:
            assert (await one.ask("echo"))["data"]["who"] == f"uid {os.geteuid()}"

    lived(story())


def test_only_the_owner_and_the_group_may_ask(path: Path) -> None:
    modes: list[int] = []

    async def story() -> None:
        async with serving(path), caller(path) as one:
            assert (await one.ask("echo"))["ok"]
            modes.append(stat.S_IMODE(os.stat(path).st_mode))  # noqa: PTH116  it takes a microsecond

    lived(story())
    assert modes == [0o660]


def test_a_socket_left_by_a_killed_daemon_is_replaced(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    async def story() -> None:
        async with serving(path), caller(path) as one:
            assert (await one.ask("echo"))["ok"]

    lived(story())


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe open sesame",
        b"[]",
        b"7",
        b"null",
        b"{}",
        b'{"op": 7}',
        b'{"op": "echo", "args": [1]}',
        b'{"op": {"op": "echo"}}',
        b"[" * 100_000,
    ],
    ids=lambda line: line[:24].decode(errors="replace"),
)
def test_garbage_is_answered_with_what_a_request_looks_like(path: Path, line: bytes) -> None:
    async def story() -> None:
        async with serving(path) as room, caller(path) as one:
            answer = await one.say(line)
            assert (answer["ok"], '"op"' in answer["remedy"], room.control.refused) == (False, True, 1)
            assert (await one.ask("echo"))["ok"]  # and harms nobody, not even whoever sent it

    lived(story())


def test_an_unknown_operation_is_named(path: Path) -> None:
    async def story() -> None:
        async with serving(path), caller(path) as one:
            answer = await one.ask("open.sesame")
            assert (answer["ok"], answer["error"]) == (False, "unknown operation 'open.sesame'")

    lived(story())


def test_a_refusal_has_its_remedy(path: Path) -> None:
    async def story() -> None:
        async with serving(path), caller(path) as one:
            assert await one.ask("refuse") == {"ok": False, "error": "the door is open", "remedy": "shut it"}

    lived(story())


@pytest.mark.parametrize(
    ("op", "said"),
    [("port", "no answer"), ("ledger", "read-only"), ("trace", "visit.json"), ("disk", "tally.json")],
)
def test_what_fails_is_told_and_the_next_question_answered(path: Path, op: str, said: str) -> None:
    async def story() -> None:
        async with serving(path), caller(path) as one:
            answer = await one.ask(op)
            assert not answer["ok"]
            assert said in answer["error"]
            assert (await one.ask("echo"))["ok"]

    lived(story())


def test_a_line_beyond_the_bound_ends_the_connection_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_LINE", 1000)

    async def story() -> None:
        async with serving(path) as room:
            async with caller(path) as one:
                one.writer.write(b"x" * 5000 + b"\n")
                with contextlib.suppress(ConnectionError):
                    assert await one.reader.read() == b""
            async with caller(path) as other:
                assert (await other.ask("echo"))["ok"]
            assert room.control.refused == 1

    lived(story())


def test_a_client_that_goes_in_the_middle_of_a_line_harms_nobody(path: Path) -> None:
    async def story() -> None:
        async with serving(path):
            async with caller(path) as one:
                one.writer.write(b'{"op": "ec')
            async with caller(path) as other:
                assert (await other.ask("echo"))["ok"]

    lived(story())


def test_the_seventeenth_client_is_told_so(path: Path) -> None:
    async def story() -> None:
        async with serving(path), contextlib.AsyncExitStack() as open_lines:
            for _ in range(MAX_CLIENTS):
                assert (await (await open_lines.enter_async_context(caller(path))).ask("echo"))["ok"]
            async with caller(path) as one:
                assert (await one.hear())["error"] == "too many clients"

    lived(story())


def test_a_place_that_was_left_is_free_again(path: Path) -> None:
    async def story() -> None:
        async with serving(path):
            for _ in range(MAX_CLIENTS + 5):
                async with caller(path) as one:
                    assert (await one.ask("echo"))["ok"]

    lived(story())


def test_a_watcher_that_goes_while_nothing_happens_frees_its_place(path: Path) -> None:
    async def story() -> None:
        async with serving(path) as room:
            async with caller(path) as one:
                assert (await one.ask("watch"))["data"] == {"type": "hello"}
                assert room.watchers == 1
            await room.left.wait()
            assert room.watchers == 0

    lived(story())


def test_watchers_and_questions_do_not_wait_for_each_other(path: Path) -> None:
    async def story() -> None:
        async with serving(path), caller(path) as watching, caller(path) as asking:
            assert (await watching.ask("watch"))["ok"]
            assert (await asking.ask("echo"))["ok"]

    lived(story())
