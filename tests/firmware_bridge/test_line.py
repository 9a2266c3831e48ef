"""A real pseudo-terminal: bytes both ways, its loss, and who holds it."""

import asyncio
import os
import subprocess
import sys
import tty
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from firmware_bridge import holders
from firmware_bridge.errors import LinkDown
from firmware_bridge.frames import END
from firmware_bridge.line import MAX_KEPT, MAX_UNSENT, Line

BOUND_S = 60.0  # a loaded machine; nothing here takes a tenth of it
FRAME = b"\x03abc" + END


class Pty:
    """The board's end is `board`; `name` is what the host opens."""

    def __init__(self) -> None:
        self.board, slave = os.openpty()
        self.name = os.ttyname(slave)
        tty.setraw(slave)
        os.close(slave)
        self.closed = False

    def unplug(self) -> None:
        if not self.closed:
            self.closed = True
            os.close(self.board)


@pytest.fixture
def pty() -> Iterator[Pty]:
    pty = Pty()
    yield pty
    pty.unplug()


def live(name: str, story: Callable[[Line, "asyncio.Queue[bytes]"], Awaitable[None]]) -> None:
    async def run() -> None:
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        line = Line(name, 115200, asyncio.get_running_loop(), heard.put_nowait)
        with closing(line):
            async with asyncio.timeout(BOUND_S):
                await story(line, heard)

    asyncio.run(run())


def soon() -> float:
    return asyncio.get_running_loop().time() + BOUND_S


def test_bytes_go_both_ways(pty: Pty) -> None:
    async def story(line: Line, heard: "asyncio.Queue[bytes]") -> None:
        line.write(b"hello")
        assert os.read(pty.board, 100) == b"hello"
        os.write(pty.board, FRAME)
        assert await heard.get() == FRAME

    live(pty.name, story)


def test_a_frame_in_pieces_is_heard_of_once_and_whole(pty: Pty) -> None:
    async def story(line: Line, heard: "asyncio.Queue[bytes]") -> None:
        for n in range(len(FRAME)):
            assert heard.empty()
            os.write(pty.board, FRAME[n : n + 1])
            await asyncio.sleep(0)
        assert await heard.get() == FRAME
        os.write(pty.board, FRAME * 2 + b"\x03a")  # and the beginning of another is not forgotten
        assert (await heard.get()).startswith(FRAME * 2)
        os.write(pty.board, b"bc" + END)
        assert (await heard.get()).endswith(b"bc" + END)

    live(pty.name, story)


def test_noise_without_an_end_is_handed_on_too(pty: Pty) -> None:
    async def story(line: Line, heard: "asyncio.Queue[bytes]") -> None:
        os.write(pty.board, b"\xaa" * (MAX_KEPT + 1))
        assert set(await heard.get()) == {0xAA}
        assert len(line._kept) <= MAX_KEPT

    live(pty.name, story)


def test_waiting_ends_at_its_time_or_when_nudged(pty: Pty) -> None:
    async def story(line: Line, heard: "asyncio.Queue[bytes]") -> None:
        await line.wait(asyncio.get_running_loop().time() + 0.01)
        asyncio.get_running_loop().call_soon(line.nudge)
        await line.wait(soon())

    live(pty.name, story)


@pytest.mark.parametrize("busy", [False, True], ids=["quiet", "in the middle of a frame"])
def test_a_port_that_goes_away_is_told(pty: Pty, busy: bool) -> None:  # noqa: FBT001  a parameter of the test
    async def story(line: Line, heard: "asyncio.Queue[bytes]") -> None:
        if busy:
            os.write(pty.board, FRAME + b"\x03a")
            await heard.get()
        pty.unplug()
        with pytest.raises(LinkDown, match="the port went away"):
            await line.wait(soon())
        line.write(b"into nothing")

    live(pty.name, story)


def test_a_port_that_takes_no_bytes_is_given_up(pty: Pty) -> None:
    async def story(line: Line, heard: "asyncio.Queue[bytes]") -> None:
        for _ in range(1000):  # nobody reads at the other end
            line.write(b"x" * 256)
        assert len(line._unsent) <= MAX_UNSENT + 256
        with pytest.raises(LinkDown, match="takes no bytes"):
            await line.wait(soon())

    live(pty.name, story)


def test_what_the_port_does_not_take_at_once_is_sent_when_it_does(pty: Pty) -> None:
    async def story(line: Line, heard: "asyncio.Queue[bytes]") -> None:
        written = 0
        while not line._unsent:
            line.write(b"x" * 256)
            written += 256
        received = 0
        while received < written:
            received += len(await asyncio.to_thread(os.read, pty.board, 65536))
        assert received == written

    live(pty.name, story)


def test_a_port_that_is_not_there_is_named(tmp_path: Path) -> None:
    async def story(line: Line, heard: "asyncio.Queue[bytes]") -> None: ...

    with pytest.raises(LinkDown, match=rf"cannot open {tmp_path}/no such port: No such file or directory"):
        live(f"{tmp_path}/no such port", story)


def test_a_file_that_is_no_port_is_refused(tmp_path: Path) -> None:
    async def story(line: Line, heard: "asyncio.Queue[bytes]") -> None: ...

    (tmp_path / "file").write_text("no port")
    with pytest.raises(LinkDown, match="cannot open"):
        live(str(tmp_path / "file"), story)


# Who holds it.

HOLD = """
import serial, sys
port = serial.Serial(sys.argv[1], exclusive=True)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(pty: Pty, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another program, by the name of `cabinet`, that has the port."""
    script = tmp_path / "cabinet"
    script.write_text(HOLD)
    command = [sys.executable, str(script), pty.name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.terminate()


def test_a_port_that_another_program_holds_is_refused_with_its_name_and_pid(
    pty: Pty, holder: "subprocess.Popen[bytes]"
) -> None:
    async def story(line: Line, heard: "asyncio.Queue[bytes]") -> None: ...

    with pytest.raises(LinkDown) as caught:
        live(pty.name, story)
    assert str(caught.value) == f"{pty.name} is held by cabinet (pid {holder.pid}): stop it, or ask through it"


def test_the_holder_is_found_by_a_link_to_the_port_too(
    pty: Pty, holder: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    (tmp_path / "ttyBOARD").symlink_to(pty.name)
    assert f"is held by cabinet (pid {holder.pid})" in holders.held(str(tmp_path / "ttyBOARD"))


def test_where_locks_are_not_told_the_holder_is_found_by_its_open_files(
    pty: Pty, holder: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    proc = tmp_path / "proc"
    proc.mkdir()
    (proc / "locks").write_text("")
    (proc / str(holder.pid)).symlink_to(f"/proc/{holder.pid}")
    (proc / "1").mkdir()  # another user's: its files are not to be seen
    assert holders.held(pty.name, proc) == f"{pty.name} is held by cabinet (pid {holder.pid}): {holders.REMEDY}"


def test_where_locks_are_told_they_name_the_holder_although_its_files_are_hidden(pty: Pty, tmp_path: Path) -> None:
    seen = Path(pty.name).stat()
    file = f"{os.major(seen.st_dev):02x}:{os.minor(seen.st_dev):02x}:{seen.st_ino}"
    (tmp_path / "locks").write_text(
        f"1: POSIX  ADVISORY  WRITE 99 {file}9 0 EOF\n"
        f"2: FLOCK  ADVISORY  WRITE 4242 {file} 0 EOF\n2: -> FLOCK  ADVISORY  WRITE 4243 {file} 0 EOF\n"
    )
    (tmp_path / "4242").mkdir()
    (tmp_path / "4242" / "cmdline").write_bytes(b"minicom\0-D\0/dev/ttyACM0\0")
    assert holders.held(pty.name, tmp_path) == f"{pty.name} is held by minicom (pid 4242): {holders.REMEDY}"


def test_where_nothing_is_told_the_sentence_is_clear_all_the_same(pty: Pty, tmp_path: Path) -> None:
    said = holders.held(pty.name, tmp_path)
    assert said.startswith(f"{pty.name} is held by another program, which only root may name")
    assert said.endswith(holders.REMEDY)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["/usr/bin/python3.11", "/usr/local/bin/cabinet", "run"], "cabinet"),
        (["python3", "-m", "cabinet", "run"], "cabinet"),
        (["/usr/bin/minicom", "-D", "/dev/ttyACM0"], "minicom"),
        (["python3"], "python3"),
        ([], "kworker/0:1"),
    ],
)
def test_a_program_is_called_what_its_user_calls_it(tmp_path: Path, words: list[str], name: str) -> None:
    (tmp_path / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
    (tmp_path / "comm").write_text("kworker/0:1\n")
    assert holders._name(tmp_path) == name


def test_the_lock_ends_with_the_line(pty: Pty) -> None:
    async def story(line: Line, heard: "asyncio.Queue[bytes]") -> None:
        os.write(pty.board, FRAME)
        await heard.get()

    live(pty.name, story)
    live(pty.name, story)
