"""The page's line to the daemon: what it does with silence, garbage and a daemon of another version."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cabinet.screen import link as module
from cabinet.screen.link import AwayError, Link, RefusedError
from cabinet.screen.seen import AWAY, MAX_TEXT, Seen, StrangeError, drawn, read

GOOD = {"mode": "idle", "line": "Hi", "total": "", "hint": "", "nonce": "", "codes": True, "faces": False}
BOUND_S = 60.0


def told(**other: object) -> bytes:
    return json.dumps({"ok": True, "data": {**GOOD, **other}}).encode() + b"\n"


def following(path: Path, answers: list[bytes], wanted: Callable[[Link], bool]) -> Seen:
    """What the link shows once it is as wanted, with a daemon that answers each connection with the next of these."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answers.pop(0) if answers else b"")
        await writer.drain()
        await reader.read()  # until the other end goes
        writer.close()

    async def story() -> Seen:
        server = await asyncio.start_unix_server(serve, path)
        link = Link(path)
        task = asyncio.create_task(link.run())
        try:
            async with asyncio.timeout(BOUND_S):
                version = -1
                while not wanted(link):
                    version = await link.newer(version, 0.05)
            return link.seen
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            server.close()

    return asyncio.run(story())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    monkeypatch.setattr(module, "SILENT_S", BOUND_S)
    monkeypatch.setattr(module, "ANSWER_S", BOUND_S)


def test_what_the_daemon_says_is_shown(tmp_path: Path) -> None:
    assert following(tmp_path / "s", [told()], lambda link: link.seen.mode == "idle").line == "Hi"


@pytest.mark.parametrize(
    "garbage",
    [
        b"\n", b"hello\n", b"[]\n", b'{"ok": true}\n', b'{"ok": false, "error": "unknown operation"}\n', b"\xff\xfe\n",
        b"x" * (1 << 17) + b"\n", told(line=None), told(line="x" * (MAX_TEXT + 1)), told(codes="yes"),
    ],
)  # fmt: skip  # a row
def test_garbage_is_out_of_order_until_something_better_comes(tmp_path: Path, garbage: bytes) -> None:
    def away(link: Link) -> bool:
        return link.version > 0

    assert following(tmp_path / "a", [garbage], away) == AWAY
    assert following(tmp_path / "b", [garbage, told()], lambda link: link.seen.mode == "idle").line == "Hi"


def test_a_silent_daemon_is_out_of_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers each connection once: where even that came too late for so short a limit, the next one counts."""
    monkeypatch.setattr(module, "SILENT_S", 0.05)
    assert following(tmp_path / "s", [told()] * 500, lambda link: link.version > 1 and link.seen.mode == "away") == AWAY


def test_without_a_daemon_an_answer_goes_nowhere(tmp_path: Path) -> None:
    with pytest.raises(AwayError):
        asyncio.run(Link(tmp_path / "nobody").ask("shopper.digits", {"digits": "0042"}))


def test_a_refusal_is_told_in_the_daemons_words(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'{"ok": false, "error": "nobody asks for that now"}\n')
        writer.close()

    async def story() -> None:
        async with await asyncio.start_unix_server(serve, tmp_path / "s"):
            await Link(tmp_path / "s").ask("shopper.digits", {"digits": "0042"})

    with pytest.raises(RefusedError, match="nobody asks"):
        asyncio.run(story())


def test_a_mode_of_a_newer_daemon_is_shown_by_its_line() -> None:
    assert read({**GOOD, "mode": "dancing"}) == Seen("look", "Hi", codes=True)


@pytest.mark.parametrize("data", [None, [], {}, {**GOOD, "nonce": 1}, {**GOOD, "faces": None}])
def test_another_shape_is_strange(data: object) -> None:
    with pytest.raises(StrangeError):
        read(data)


def test_what_is_beside_it_is_left_out() -> None:
    assert "member" not in str(drawn(read({**GOOD, "member": "ann"})))
