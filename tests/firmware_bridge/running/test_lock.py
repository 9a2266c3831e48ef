"""The lock on the running firmware, over its pty: whatever dies, the door is locked in time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from firmware_bridge.bench import EmulatedBoard
from firmware_bridge.emulator.commissioned import TEST_KEY
from firmware_bridge.messages import Answer, Fault, FaultCode, LeaseEnd, LeaseEnded, Lock
from tests.firmware_bridge.running.conftest import Start
from tests.firmware_bridge.running.looking import changed_ms, look, now_ms
from tests.firmware_bridge.running.raw import RawHost

VISIT = bytes(range(16))
HEARTBEAT_MS = 500.0  # locks.md: host death to locked
WATCHDOG_MS = 260.0  # firmware hang to reset
PUMP_MS = 100.0  # the charge pump lets go so long after its last edge
TICK_MS = 10.0
SHARED_MS = 40.0  # what two busy cores may add to a stamp; the bounds themselves are shown on virtual time


@pytest.fixture
def host(board: EmulatedBoard) -> Iterator[RawHost]:
    with RawHost(board.port) as host:
        yield host


def unlocked(board: EmulatedBoard, host: RawHost, ttl_ms: int = 10_000) -> float:
    """A held lease with the bolt out; when it was asked for."""
    asked_ms = now_ms()
    host.beat()
    assert host.signed_unlock(TEST_KEY, VISIT, ttl_ms) is Answer.OK
    host.until(lambda: not look(board)["bolt_locked"])
    return asked_ms


def test_a_host_killed_outright_leaves_the_lock_driven_no_longer_than_half_a_second(board: EmulatedBoard) -> None:
    words = [sys.executable, "-m", "tests.firmware_bridge.running.host", board.port, "10000"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"unlocked\n"
        changed_ms(board, "coil", to=True, after_ms=0)
        killed_ms = now_ms()
        process.send_signal(signal.SIGKILL)
    assert changed_ms(board, "relay", to=False, after_ms=killed_ms) - killed_ms <= HEARTBEAT_MS + TICK_MS + SHARED_MS
    assert changed_ms(board, "bolt", to=True, after_ms=killed_ms)


def test_a_stopped_host_is_as_good_as_a_dead_one(board: EmulatedBoard) -> None:
    words = [sys.executable, "-m", "tests.firmware_bridge.running.host", board.port, "10000"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"unlocked\n"
        changed_ms(board, "coil", to=True, after_ms=0)
        stopped_ms = now_ms()
        process.send_signal(signal.SIGSTOP)
        locked_ms = changed_ms(board, "relay", to=False, after_ms=stopped_ms)
        os.kill(process.pid, signal.SIGKILL)
    assert locked_ms - stopped_ms <= HEARTBEAT_MS + TICK_MS + SHARED_MS


def test_the_lease_ends_at_its_ttl_in_spite_of_heartbeats(board: EmulatedBoard, host: RawHost) -> None:
    asked_ms = unlocked(board, host, ttl_ms=1500)
    assert host.wait(LeaseEnded).reason is LeaseEnd.EXPIRED
    assert 1450 <= changed_ms(board, "relay", to=False, after_ms=asked_ms) - asked_ms <= 1500 + TICK_MS + 200


def test_the_first_opening_ends_the_drive(board: EmulatedBoard, host: RawHost) -> None:
    unlocked(board, host)
    pulled_ms = now_ms()
    assert board.control({"do": "pull"})["ok"]
    assert host.wait(LeaseEnded).reason is LeaseEnd.OPENED
    assert changed_ms(board, "relay", to=False, after_ms=pulled_ms) - pulled_ms <= TICK_MS + SHARED_MS


def test_a_hanging_firmware_is_locked_by_its_electronics_and_reset_by_its_watchdog(
    board: EmulatedBoard, host: RawHost
) -> None:
    unlocked(board, host)
    hung_ms = now_ms()
    board.control({"do": "hang"})
    assert changed_ms(board, "coil", to=False, after_ms=hung_ms) - hung_ms <= PUMP_MS + SHARED_MS
    assert changed_ms(board, "boot", to=2, after_ms=hung_ms) - hung_ms <= WATCHDOG_MS + SHARED_MS
    assert not board.control({"do": "state"})["lock_driven"]


def test_a_board_that_came_back_from_its_watchdog_says_so_and_stays_locked(board: EmulatedBoard) -> None:
    board.control({"do": "hang"})
    changed_ms(board, "boot", to=2, after_ms=0)
    with RawHost(board.port) as host:
        assert host.wait(Fault).code is FaultCode.WATCHDOG
        assert not host.status().lock_driven
        assert look(board)["bolt_locked"]


def test_a_reset_in_mid_lease_locks(board: EmulatedBoard, host: RawHost) -> None:
    unlocked(board, host)
    reset_ms = now_ms()
    board.control({"do": "reset"})
    assert changed_ms(board, "coil", to=False, after_ms=reset_ms) - reset_ms <= PUMP_MS + SHARED_MS
    assert changed_ms(board, "bolt", to=True, after_ms=reset_ms)


def test_a_cable_pulled_out_in_mid_lease_locks(board: EmulatedBoard, host: RawHost) -> None:
    unlocked(board, host)
    pulled_ms = now_ms()
    board.control({"do": "unplug"})
    assert changed_ms(board, "relay", to=False, after_ms=pulled_ms) - pulled_ms <= HEARTBEAT_MS + TICK_MS + SHARED_MS


def test_ten_damaged_frames_within_a_second_revoke_the_lease_and_are_told(board: EmulatedBoard, host: RawHost) -> None:
    unlocked(board, host)
    noisy_ms = now_ms()
    for number in range(10):
        host.noise(bytes((5, 1, 2, 3, number + 1, 0)))
    assert host.wait(LeaseEnded).reason is LeaseEnd.FAULT
    assert host.wait(Fault).code is FaultCode.NOISY_WIRE
    assert changed_ms(board, "relay", to=False, after_ms=noisy_ms) - noisy_ms <= 1000


def test_an_order_to_lock_locks_at_once(board: EmulatedBoard, host: RawHost) -> None:
    unlocked(board, host)
    host.send(Lock())
    assert host.wait(LeaseEnded).reason is LeaseEnd.LOCK_ORDER
    assert changed_ms(board, "bolt", to=True, after_ms=0)


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
