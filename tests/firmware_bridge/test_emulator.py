"""The emulated board as its users meet it: two processes, a port, a control socket."""

import importlib.util
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge import messages as m
from firmware_bridge.bench import EmulatedBoard
from firmware_bridge.emulator import process
from firmware_bridge.emulator.commissioned import TEST_KEY
from firmware_bridge.errors import BridgeError
from tests.firmware_bridge.running.looking import ATTEMPTS, look, opened, released
from tests.firmware_bridge.running.raw import RawHost

BOUND_S = 60.0  # a loaded machine; nothing here takes a tenth of it
VISIT = b"visit number one"
TTL_MS = 10_000
ORDERS: list[tuple[dict[str, Any], int]] = [  # and the cause that is told after it
    ({"do": "reset"}, 3), ({"do": "brownout"}, 2), ({"do": "reset", "cause": 0}, 0),
]  # fmt: skip  # a table
NEEDS_PORT = pytest.mark.skipif(importlib.util.find_spec("micropython_run") is None, reason="no micropython_unix here")
BOTH = [pytest.param("micropython", marks=NEEDS_PORT), "cpython"]


def until(so: Callable[[], bool]) -> None:
    until_s = time.monotonic() + BOUND_S
    while not so():
        assert time.monotonic() < until_s, "it did not become so"
        select.select([], [], [], 0.01)


def state(board: EmulatedBoard) -> dict[str, Any]:
    return board.control({"do": "state"})


def chip_of(board: EmulatedBoard) -> int:
    """The process of the chip."""
    children = Path(f"/proc/{board.pid}/task/{board.pid}/children").read_text()
    return int(children.split()[0])


def gone(pid_fd: int) -> bool:
    return bool(select.select([pid_fd], [], [], BOUND_S)[0])


def emulated(interpreter: str) -> EmulatedBoard:
    options = ["--masses-g", "1000", "505", "--noise-g", "0"]
    return EmulatedBoard(zones=2, interpreter=interpreter, options=options)


@pytest.fixture(params=BOTH)
def board(request: pytest.FixtureRequest) -> Iterator[EmulatedBoard]:
    with emulated(request.param) as new:
        yield new


@pytest.fixture(scope="module", params=BOTH)
def standing(request: pytest.FixtureRequest) -> Iterator[EmulatedBoard]:
    """For tests that leave it as they found it."""
    with emulated(request.param) as shared:
        yield shared


def test_a_whole_visit(standing: EmulatedBoard) -> None:
    with RawHost(standing.port) as host:
        host.wait(m.Mass, lambda mass: mass.zone == 0 and set(mass.samples) == {10_000})

        def held() -> bool:
            released(standing, host, VISIT, TTL_MS)
            now = state(standing)
            return (now["lease"], now["lock_driven"]) == (VISIT.hex(), True)

        assert any(held() for _ in range(ATTEMPTS))
        opened(standing, host, VISIT, TTL_MS)
        host.wait(m.LeaseEnded, lambda ended: ended.reason == m.LeaseEnd.OPENED)
        standing.control({"do": "add", "zone": 1, "g": -505.0})
        host.wait(m.Mass, lambda mass: mass.zone == 1 and set(mass.samples) == {0})
        standing.control({"do": "shut"})
        host.wait(m.Door, lambda door: not door.open)
        assert state(standing)["bolt_locked"]
        assert state(standing)["door_open_debounced"] is False
        standing.control({"do": "add", "zone": 1, "g": 505.0})


def test_no_hand_is_quicker_than_the_chip(standing: EmulatedBoard) -> None:
    """Pulled and shut in one breath: the opening is told all the same."""
    line = _Line(standing.socket_path)
    with RawHost(standing.port) as host:

        def pulled() -> bool:
            released(standing, host, VISIT, TTL_MS)
            line.ask(b'{"do": "pull"}\n{"do": "shut"}\n')
            return [b"true" in line.answer(), b"true" in line.answer()] == [True, True]

        assert any(pulled() for _ in range(ATTEMPTS))
        assert host.wait(m.Door).open
        assert not host.wait(m.Door).open
    line.close()


def test_a_door_that_is_pulled_is_told_with_the_time_of_the_pull(standing: EmulatedBoard) -> None:
    with RawHost(standing.port) as host:
        before_ms = host.status().uptime_ms
        opened(standing, host, VISIT, TTL_MS)
        door = host.wait(m.Door)
        assert before_ms <= door.t_ms <= state(standing)["uptime_ms"]
        standing.control({"do": "shut"})
        host.wait(m.Door, lambda door: not door.open)


def test_what_breaks_in_the_world_is_found_by_the_board(standing: EmulatedBoard) -> None:
    standing.control({"do": "break", "what": "cell_dead", "zone": 1})
    until(lambda: state(standing)["faults"] == [13])
    standing.control({"do": "break", "what": "cell_dead", "zone": 1, "on": False})
    until(lambda: state(standing)["faults"] == [])


def test_lamp_and_buzzer_reach_their_pins(standing: EmulatedBoard) -> None:
    with RawHost(standing.port) as host:
        host.send(m.Lamp(m.LampMode.OPEN))
        host.send(m.Buzzer(m.BuzzerPattern.PROMPT))
        host.until(lambda: (look(standing)["lamp"], look(standing)["buzzer"]) == ("open", "prompt"))


def test_the_cable_is_pulled_and_put_back_while_the_board_runs_on(standing: EmulatedBoard) -> None:
    before = state(standing)
    standing.control({"do": "unplug"})
    assert not Path(standing.port).exists()
    standing.control({"do": "replug"})
    with RawHost(standing.port) as host:
        assert host.hello is not None
        assert host.hello.boot_id.hex() == before["boot_id"]


def test_many_may_ask_for_the_state_at_once(standing: EmulatedBoard) -> None:
    lines = [_Line(standing.socket_path) for _ in range(5)]
    for line in lines:
        line.ask(b'{"do": "state"}\n{"do": "look"}\n')
    for line in lines:
        answers = [line.answer(), line.answer()]
        assert [b'"lease"' in answer for answer in answers] == [True, False]
        line.close()


def test_it_runs_rested_and_locked_from_the_start_and_a_hang_is_locked_reset_and_remembered(
    board: EmulatedBoard,
) -> None:
    now = state(board)
    assert board.interpreter in {"micropython", "cpython"}
    assert now["interpreter"] == board.interpreter
    assert (now["chip"], now["boots"], now["cause"], now["faults"], now["keyed"]) == ("running", 1, 0, [], True)
    assert (now["relay"], now["pump"], now["coil"], now["lock_driven"], now["bolt_locked"]) == (*[False] * 4, True)
    with RawHost(board.port) as host:
        released(board, host, VISIT, TTL_MS)
        board.control({"do": "hang"})
        until(lambda: not look(board)["coil"])
        seen = look(board)
        if seen["chip"] == "hung":  # a slow looker finds it reset already
            assert (seen["pump"], seen["lock_driven"]) == (False, False)
        until(lambda: bool(look(board)["bolt_locked"]))
        until(lambda: look(board)["watchdog_resets"] == 1)
    wanted = ("running", 1, 2, None)
    until(lambda: tuple(state(board)[word] for word in ("chip", "cause", "boots", "lease")) == wanted)
    with RawHost(board.port) as host:
        assert any(VISIT in entry.body for entry in host.journal())


def test_a_reset_lets_go_and_boots_anew(board: EmulatedBoard) -> None:
    for boots, (order, cause) in enumerate(ORDERS, start=2):
        with RawHost(board.port) as host:
            before = state(board)
            released(board, host, VISIT, TTL_MS)
            board.control(order)
        until(lambda before=before: state(board)["boot_id"] != before["boot_id"])  # type: ignore[misc]  # bound now
        after = state(board)
        assert (after["boots"], after["cause"], after["relay"], after["session"]) == (boots, cause, False, False)
        assert after["uptime_ms"] < before["uptime_ms"] + 1000 * BOUND_S
        until(lambda: bool(look(board)["bolt_locked"]))
        until(lambda: state(board)["door_open_debounced"] is False)


def test_a_chip_whose_process_dies_is_reset_by_the_watchdog(board: EmulatedBoard) -> None:
    before = state(board)
    os.kill(chip_of(board), signal.SIGKILL)
    until(lambda: look(board)["watchdog_resets"] == 1)
    until(lambda: state(board)["boot_id"] != before["boot_id"])
    after = state(board)
    assert (after["crashes"], after["cause"]) == (1, 1)


def test_the_chip_ends_with_its_surroundings_however_they_end(board: EmulatedBoard) -> None:
    pid_fd = os.pidfd_open(chip_of(board))
    os.kill(board.pid, signal.SIGKILL)
    assert gone(pid_fd)
    os.close(pid_fd)


def test_what_breaks_in_the_drive_and_in_the_memory_is_found_by_the_board(board: EmulatedBoard) -> None:
    with RawHost(board.port) as host:
        board.control({"do": "break", "what": "pump_shorted"})
        assert look(board)["pump"]
        host.beat()
        host.signed_unlock(TEST_KEY, VISIT, TTL_MS)
        host.until(lambda: state(board)["faults"] == [11])
        host.until(lambda: not look(board)["coil"])
    board.control({"do": "break", "what": "memory_dead"})
    until(lambda: 20 in state(board)["faults"])


# What does not depend on the interpreter.


def test_a_factory_fresh_board_has_no_key() -> None:
    with EmulatedBoard(zones=1, key=None) as board, RawHost(board.port) as host:
        assert host.hello is not None
        assert not host.hello.keyed
        assert host.signed_unlock(TEST_KEY, VISIT, TTL_MS) == m.Answer.NO_KEY


def test_a_board_opens_to_its_own_key_only() -> None:
    key = bytes(range(100, 132))
    with EmulatedBoard(zones=1, key=key) as board, RawHost(board.port) as host:
        assert host.signed_unlock(TEST_KEY, VISIT, TTL_MS) == m.Answer.UNSIGNED
        assert host.signed_unlock(key, VISIT, TTL_MS) == m.Answer.OK


def test_a_slow_wire_takes_its_time() -> None:
    baud = 9600
    with EmulatedBoard(zones=1, options=["--baud", str(baud)]) as board:
        asked_s = time.monotonic()
        with RawHost(board.port) as host:
            took_s = time.monotonic() - asked_s
            assert host.hello is not None
            bits = 10 * (len(host.hello.to_bytes()) + 2 * 10)  # the reply, and its request there and acknowledged
            assert took_s >= bits / baud


def test_a_clock_that_runs_fast_shows_so() -> None:
    with EmulatedBoard(zones=1, options=["--drift-ppm", "100000"]) as board:
        asked_s = [time.monotonic()]
        first_ms = state(board)["uptime_ms"]
        asked_s.append(time.monotonic())
        until(lambda: state(board)["uptime_ms"] >= first_ms + 500)
        asked_s.append(time.monotonic())
        last_ms = state(board)["uptime_ms"]
        asked_s.append(time.monotonic())
    least_s, most_s = asked_s[2] - asked_s[1], asked_s[3] - asked_s[0]
    assert 1100 * least_s - 2 <= last_ms - first_ms <= 1100 * most_s + 2


def test_converters_that_run_fast_are_measured_so() -> None:
    with EmulatedBoard(zones=1, options=["--rate-error", "2.0"]) as board, RawHost(board.port) as host:
        host.wait(m.Mass, lambda mass: abs(mass.spacing_us - 12_500 / 1.02) < 30)


def test_a_counter_about_to_wrap_wraps() -> None:
    with EmulatedBoard(zones=1, options=["--uptime-ms", str(2**32 - 300)]) as board:
        until(lambda: state(board)["uptime_ms"] < 2**31)


def test_things_may_be_broken_before_the_power_comes_on() -> None:
    with EmulatedBoard(zones=2, options=["--break", "door_a_open", "--break", "cell_stuck:1"]) as board:
        seen = look(board)
        assert (seen["broken"], seen["cells_broken"]) == (["door_a_open"], [[], ["cell_stuck"]])
        until(lambda: {3, 14} <= set(state(board)["faults"]))


@pytest.mark.parametrize(
    "options",
    [
        ["--no-such-option"],
        ["--zones", "13"],
        ["--key", "abcd"],
        ["--key", "00" * 32],
        ["--break", "the lot"],
        ["--break", "cell_dead"],
    ],
)
def test_an_emulator_that_cannot_start_says_so(options: list[str]) -> None:
    with pytest.raises(BridgeError, match="did not start"):
        EmulatedBoard(zones=1, options=options).start()


def test_without_the_port_cpython_steps_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert process.interpreter("auto").name == "cpython"
    with pytest.raises(process.InterpreterMissingError):
        process.interpreter("micropython")


def test_a_port_that_does_not_load_is_replaced_by_cpython(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "micropython_run.py").write_text("raise ImportError('built for another machine')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    with EmulatedBoard(zones=1) as board:
        assert board.interpreter == state(board)["interpreter"] == "cpython"
        assert state(board)["boots"] == 1


class _Line:
    """One more connection to the world."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(BOUND_S)
        self._socket.connect(path)
        self._answers = self._socket.makefile("rb")

    def ask(self, lines: bytes) -> None:
        self._socket.sendall(lines)

    def answer(self) -> bytes:
        return self._answers.readline()

    def close(self) -> None:
        self._answers.close()
        self._socket.close()
