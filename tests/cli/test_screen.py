"""`cabinet screen` as a process: it serves the page, needs no daemon, and ends when it is told to."""

import contextlib
import http.client
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.support.postgres import free_port

BOUND_S = 60.0


@contextlib.contextmanager
def serving(*words: str) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """The process, and where it says that it serves."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cabinet", "screen", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip  # a row
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        host, _, port = address.removeprefix("http://").rstrip("/").rpartition(":")
        assert port, process.stderr.read() if process.stderr is not None else ""
        yield process, host, int(port)
    finally:
        process.kill()
        process.communicate()


def page(host: str, port: int) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=BOUND_S)
    with contextlib.closing(connection):
        connection.request("GET", "/")
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_it_serves_the_page_without_a_daemon_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    with serving("--socket", str(tmp_path / "none.sock"), "--port", "0") as (process, host, port):
        status, body = page(host, port)
        assert (host, status, b"Out of order" in body) == ("127.0.0.1", 200, True)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=BOUND_S)
    assert process.returncode in {0, -signal.SIGTERM}
    assert "Traceback" not in said


def test_the_port_is_the_configurations(tmp_path: Path) -> None:
    wanted = free_port()
    file = tmp_path / "cabinet.toml"
    file.write_text(f'[cabinet]\ndata_dir = "{tmp_path}"\n[screen]\nport = {wanted}\n')
    with serving("--config", str(file)) as (_, host, port):
        assert (page(host, port)[0], port) == (200, wanted)


def test_systemd_is_told_once_the_page_can_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(place)
        systemd.settimeout(BOUND_S)
        monkeypatch.setenv("NOTIFY_SOCKET", place)
        with serving("--socket", str(tmp_path / "none.sock"), "--port", "0") as (_, host, port):
            assert (systemd.recv(100), page(host, port)[0]) == (b"READY=1", 200)


def test_a_port_that_is_taken_is_named(cli: Cli, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = cli("screen", "--socket", str(tmp_path / "none.sock"), "--port", port)
    assert (done.exit_code, port in done.stderr, "--port" in done.stderr) == (1, True, True)


@pytest.mark.parametrize(
    "text", ['[screen]\nport = "x"', "[screen]\nport = 70000", "screen = 5", "[screen]\nside = 1", "[[", "\xff"]
)
def test_a_wrong_configuration_is_refused_by_name(cli: Cli, tmp_path: Path, text: str) -> None:
    file = tmp_path / "cabinet.toml"
    file.write_text(text, encoding="latin-1")
    done = cli("screen", "--socket", str(tmp_path / "none.sock"), "--config", str(file))
    assert (done.exit_code, "cabinet.toml" in done.stderr, "cabinet config check" in done.stderr) == (2, True, True)


def test_a_configuration_that_may_not_be_read_is_named(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "cabinet.toml"
    folder.mkdir()
    done = cli("screen", "--socket", str(tmp_path / "none.sock"), "--config", str(folder))
    assert (done.exit_code, "cannot be read" in done.stderr) == (2, True)


def test_it_listens_to_this_computer_alone(tmp_path: Path) -> None:
    with serving("--socket", str(tmp_path / "none.sock"), "--port", "0") as (process, _, port):
        tables = [Path(f"/proc/{process.pid}/net/{name}") for name in ("tcp", "tcp6")]
        rows = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    listening = {row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}
    assert listening == {f"0100007F:{port:04X}"}
