"""Forged, replayed, late and altered unlocks, sent to the running firmware: none drives the lock."""

import time

from firmware_bridge.bench import EmulatedBoard
from firmware_bridge.emulator.commissioned import TEST_KEY
from firmware_bridge.messages import Answer, Commission, Commissioned, Commissioning, EntryKind, Fault, FaultCode
from tests.firmware_bridge.running.conftest import Start
from tests.firmware_bridge.running.looking import look
from tests.firmware_bridge.running.raw import RawHost

VISIT, TTL_MS = bytes(range(16)), 3000
SIGNED_BITS = 8 * (16 + 2 + 16)  # visit, ttl, mac
NEW_KEY = bytes(range(100, 132))


def never_driven(board: EmulatedBoard) -> bool:
    return not any(name in ("relay", "coil") and value for _, name, value in look(board)["changes"])


def test_an_unlock_with_any_one_bit_flipped_is_refused(board: EmulatedBoard) -> None:
    with RawHost(board.port) as host:
        for bit in range(SIGNED_BITS):
            while (said := flipped(host, bit)) is Answer.STALE:  # the machine let two seconds pass
                pass
            assert said is Answer.UNSIGNED, f"bit {bit}"
        assert never_driven(board)


def flipped(host: RawHost, bit: int) -> Answer:
    mac = host.mac(TEST_KEY, host.challenge(), VISIT, TTL_MS)
    body = bytearray(VISIT + TTL_MS.to_bytes(2, "little") + mac)
    body[bit // 8] ^= 1 << bit % 8
    return host.unlock(bytes(body[:16]), int.from_bytes(body[16:18], "little"), bytes(body[18:]))


def test_a_replayed_unlock_is_refused(board: EmulatedBoard) -> None:
    with RawHost(board.port) as host:
        said = Answer.STALE
        while said is Answer.STALE:  # likewise
            mac = host.mac(TEST_KEY, host.challenge(), VISIT, TTL_MS)
            said = host.unlock(VISIT, TTL_MS, mac)
        assert said is Answer.OK
        host.until(lambda: look(board)["bolt_locked"] and not look(board)["relay"])
        assert host.unlock(VISIT, TTL_MS, mac) is Answer.STALE


def test_an_unlock_of_before_the_reset_is_refused(board: EmulatedBoard) -> None:
    with RawHost(board.port) as host:
        mac = host.mac(TEST_KEY, host.challenge(), VISIT, TTL_MS)
    board.control({"do": "reset"})
    with RawHost(board.port) as host:
        said = Answer.STALE
        while said is Answer.STALE:  # likewise
            host.challenge()
            said = host.unlock(VISIT, TTL_MS, mac)
        assert said is Answer.UNSIGNED
        assert never_driven(board)


def test_an_unlock_more_than_two_seconds_after_its_challenge_is_refused(board: EmulatedBoard) -> None:
    with RawHost(board.port) as host:
        mac = host.mac(TEST_KEY, host.challenge(), VISIT, TTL_MS)
        asked_s = time.monotonic()
        host.until(lambda: time.monotonic() - asked_s > 2.05)
        assert host.unlock(VISIT, TTL_MS, mac) is Answer.STALE
        assert never_driven(board)


def test_an_unlock_signed_for_another_board_is_refused(start: Start) -> None:
    ours, other = start(), start(options=("--seed", "7"))
    with RawHost(ours.port) as host, RawHost(other.port) as elsewhere:
        assert host.hello is not None
        assert elsewhere.hello is not None
        assert host.hello.board_id != elsewhere.hello.board_id
        said = Answer.STALE
        while said is Answer.STALE:  # likewise
            mac = elsewhere.mac(TEST_KEY, host.challenge(), VISIT, TTL_MS)
            said = host.unlock(VISIT, TTL_MS, mac)
        assert said is Answer.UNSIGNED
        assert never_driven(ours)


def test_unlocks_signed_with_another_key_are_refused_told_and_kept(board: EmulatedBoard) -> None:
    with RawHost(board.port) as host:
        for _ in range(3):  # within a minute
            assert host.signed_unlock(NEW_KEY, VISIT, TTL_MS) is Answer.UNSIGNED
        assert host.wait(Fault).code is FaultCode.UNSIGNED_UNLOCKS
        refused = [entry.body for entry in host.journal() if entry.kind == EntryKind.UNLOCK_REFUSED]
        assert VISIT + bytes((Answer.UNSIGNED,)) in refused
        assert never_driven(board)


def test_a_board_without_a_key_unlocks_nothing(start: Start) -> None:
    board = start(blank=True)
    with RawHost(board.port) as host:
        assert host.hello is not None
        assert not host.hello.keyed
        assert host.signed_unlock(bytes(32), VISIT, TTL_MS) is Answer.NO_KEY
        assert never_driven(board)


def test_a_key_once_set_is_not_replaced_with_the_housing_shut(board: EmulatedBoard) -> None:
    with RawHost(board.port) as host:
        host.send(Commission(NEW_KEY, 60, 600))
        assert host.wait(Commissioned).answer is Commissioning.HOUSING_SHUT
        assert host.signed_unlock(TEST_KEY, VISIT, TTL_MS) is Answer.OK


def test_with_the_housing_open_a_new_key_takes_the_place_of_the_old(board: EmulatedBoard) -> None:
    with RawHost(board.port) as host:
        board.control({"do": "break", "what": "housing_open"})
        assert host.wait(Fault).code is FaultCode.HOUSING_OPEN
        host.send(Commission(NEW_KEY, 60, 600))
        assert host.wait(Commissioned).answer is Commissioning.OK
        assert host.signed_unlock(TEST_KEY, VISIT, TTL_MS) is Answer.UNSIGNED
        assert host.signed_unlock(NEW_KEY, VISIT, TTL_MS) is Answer.OK


def test_the_budget_spent_is_spent_also_after_a_reset(start: Start) -> None:
    board = start(options=("--per-hour", "2", "--per-day", "5"))
    for _ in range(2):
        with RawHost(board.port) as host:
            host.beat()
            assert host.signed_unlock(TEST_KEY, VISIT, 200) is Answer.OK
        board.control({"do": "reset"})
    with RawHost(board.port) as host:
        assert host.signed_unlock(TEST_KEY, VISIT, 200) is Answer.BUDGET
        assert host.wait(Fault).code is FaultCode.BUDGET
