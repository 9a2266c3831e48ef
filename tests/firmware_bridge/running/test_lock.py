"""The lock on the running firmware, over its pty: whatever dies, the door is locked in time."""

import math
import os
import signal
import subprocess
import sys
import time

import pytest

from firmware_bridge.bench import EmulatedBoard
from firmware_bridge.messages import Fault, FaultCode, LeaseEnd, LeaseEnded, Lock
from tests.firmware_bridge.running.conftest import Start
from tests.firmware_bridge.running.looking import changed_ms, in_time, late_ms, look, now_ms, opened, released
from tests.firmware_bridge.running.raw import RawHost

VISIT = bytes(range(16))
HEARTBEAT_MS = 500.0  # locks.md: host death to locked
WATCHDOG_MS = 260.0  # firmware hang to reset
PUMP_MS = 100.0  # the charge pump lets go so long after its last edge
TICK_MS = 10.0
SHARED_MS = 40.0  # what two busy cores may add to a stamp; the bounds themselves are shown on virtual time


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_dead_host_leaves_the_lock_driven_no_longer_than_half_a_second(start: Start, how: signal.Signals) -> None:
    def attempt(board: EmulatedBoard) -> float:
        words = [sys.executable, "-m", "tests.firmware_bridge.running.host", board.port, "10000"]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"unlocked\n"
            driven_ms = changed_ms(board, "coil", to=True, after_ms=0)
            died_ms = now_ms()
            process.send_signal(how)
            let_go_ms = changed_ms(board, "relay", to=False, after_ms=driven_ms)
            assert changed_ms(board, "bolt", to=True, after_ms=let_go_ms)
            os.kill(process.pid, signal.SIGKILL)
        return late_ms(died_ms, let_go_ms, HEARTBEAT_MS + TICK_MS)

    in_time(start, attempt, SHARED_MS)


def test_the_lease_ends_at_its_ttl_in_spite_of_heartbeats(start: Start) -> None:
    ttl_ms = 1500

    def attempt(board: EmulatedBoard) -> float:
        with RawHost(board.port) as host:
            asked_ms = released(board, host, VISIT, ttl_ms)
            if host.wait(LeaseEnded).reason is not LeaseEnd.EXPIRED:
                return math.inf
            let_go_ms = changed_ms(board, "relay", to=False, after_ms=asked_ms)
        assert let_go_ms - asked_ms >= ttl_ms - 50
        return late_ms(asked_ms, let_go_ms, ttl_ms + TICK_MS)

    in_time(start, attempt, 200.0)


def test_the_first_opening_ends_the_drive(start: Start) -> None:
    def attempt(board: EmulatedBoard) -> float:
        with RawHost(board.port) as host:
            asked_ms = now_ms()
            pulled_ms = opened(board, host, VISIT)
            if host.wait(LeaseEnded).reason is not LeaseEnd.OPENED:
                return math.inf
        return late_ms(pulled_ms, changed_ms(board, "relay", to=False, after_ms=asked_ms), TICK_MS)

    in_time(start, attempt, SHARED_MS)


def test_a_hanging_firmware_is_locked_by_its_electronics_and_reset_by_its_watchdog(start: Start) -> None:
    def attempt(board: EmulatedBoard) -> float:
        with RawHost(board.port) as host:
            asked_ms = released(board, host, VISIT)
            hung_ms = now_ms()
            board.control({"do": "hang"})
            dark_ms = changed_ms(board, "coil", to=False, after_ms=asked_ms)
            reset_ms = changed_ms(board, "boot", to=2, after_ms=hung_ms)
        with RawHost(board.port) as host:
            assert host.wait(Fault).code is FaultCode.WATCHDOG
            assert not host.status().lock_driven
            assert look(board)["bolt_locked"]
        return max(late_ms(hung_ms, dark_ms, PUMP_MS), late_ms(hung_ms, reset_ms, WATCHDOG_MS))

    in_time(start, attempt, SHARED_MS)


def test_a_reset_in_mid_lease_locks(start: Start) -> None:
    def attempt(board: EmulatedBoard) -> float:
        with RawHost(board.port) as host:
            asked_ms = released(board, host, VISIT)
            reset_ms = now_ms()
            board.control({"do": "reset"})
            dark_ms = changed_ms(board, "coil", to=False, after_ms=asked_ms)
            assert changed_ms(board, "bolt", to=True, after_ms=dark_ms)
        return late_ms(reset_ms, dark_ms, PUMP_MS)

    in_time(start, attempt, SHARED_MS)


def test_a_cable_pulled_out_in_mid_lease_locks(start: Start) -> None:
    def attempt(board: EmulatedBoard) -> float:
        with RawHost(board.port) as host:
            asked_ms = released(board, host, VISIT)
            pulled_ms = now_ms()
            board.control({"do": "unplug"})
            let_go_ms = changed_ms(board, "relay", to=False, after_ms=asked_ms)
        return late_ms(pulled_ms, let_go_ms, HEARTBEAT_MS + TICK_MS)

    in_time(start, attempt, SHARED_MS)


def test_ten_damaged_frames_within_a_second_revoke_the_lease_and_are_told(start: Start) -> None:
    def attempt(board: EmulatedBoard) -> float:
        with RawHost(board.port) as host:
            asked_ms = released(board, host, VISIT)
            noisy_ms = now_ms()
            host.noise(b"".join(bytes((5, 1, 2, 3, number + 1, 0)) for number in range(10)))
            assert host.wait(Fault).code is FaultCode.NOISY_WIRE
            if host.wait(LeaseEnded).reason is not LeaseEnd.FAULT:
                return math.inf
            let_go_ms = changed_ms(board, "relay", to=False, after_ms=asked_ms)
        return late_ms(noisy_ms, let_go_ms, 1000.0)

    in_time(start, attempt, 0.0)


def test_an_order_to_lock_locks_at_once(start: Start) -> None:
    def attempt(board: EmulatedBoard) -> float:
        with RawHost(board.port) as host:
            asked_ms = released(board, host, VISIT)
            locked_ms = now_ms()
            host.send(Lock())
            if host.wait(LeaseEnded).reason is not LeaseEnd.LOCK_ORDER:
                return math.inf
            return late_ms(locked_ms, changed_ms(board, "bolt", to=True, after_ms=asked_ms), 0.0)

    in_time(start, attempt, HEARTBEAT_MS)


def test_a_host_of_another_protocol_is_answered_hello_and_moves_nothing(start: Start) -> None:
    board = start(options=("--protocol", "9"))
    host = RawHost(board.port)
    host.until(lambda: host.refused is not None)
    assert host.refused is not None
    assert (host.refused.ours, host.refused.theirs) == (2, 9)
    host.send(Lock())
    began_s = time.monotonic()
    host.until(lambda: time.monotonic() - began_s > 0.3)
    assert look(board)["bolt_locked"]
    host.__exit__(None, None, None)
