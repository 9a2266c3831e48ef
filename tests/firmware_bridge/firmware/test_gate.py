"""Who may open: the key and how it gets there, signatures, the budget."""

import struct

import pytest

from firmware_bridge.emulator.commissioned import TEST_KEY
from firmware_bridge.firmware import codes as c
from tests.firmware_bridge.firmware.bench import OTHER_VISIT, VISIT, Bench, mac

NEW_KEY = bytes(range(100, 132))


def commission(bench: Bench, key: bytes = NEW_KEY, per_hour: int = 10, per_day: int = 100) -> int:
    bench.order(c.COMMISSION, key + struct.pack("<HH", per_hour, per_day))
    return bench.last(c.COMMISSIONED)[1]


def test_a_board_without_a_key_unlocks_nothing() -> None:
    bench = Bench(commissioned=False).hello()
    assert bench.last(c.HELLO_REPLY)[28] == 0
    assert bench.unlock() == c.NO_KEY
    bench.run(500)
    assert not bench.world.coil


def test_a_board_without_a_key_takes_one_and_keeps_it_over_a_reset() -> None:
    bench = Bench(commissioned=False).hello()
    assert commission(bench, TEST_KEY) == c.OK
    bench.power_on()
    bench.hello()
    assert bench.last(c.HELLO_REPLY)[28] == 1
    assert bench.unlock() == c.OK


def test_a_board_with_a_key_takes_another_only_while_its_housing_is_open() -> None:
    bench = Bench().hello()
    assert commission(bench) == c.HOUSING_SHUT
    assert bench.unlock() == c.OK
    bench.order(c.LOCK)
    bench.world.break_part("housing_open")
    bench.run(50)
    assert commission(bench) == c.OK
    assert bench.unlock() == c.UNSIGNED


def test_a_board_whose_settings_are_damaged_takes_a_key_only_while_its_housing_is_open() -> None:
    bench = Bench()
    bench.world.nv.content[:384] = bytes(range(192)) * 2
    bench.power_on()
    bench.hello()
    assert commission(bench) == c.HOUSING_SHUT


@pytest.mark.parametrize(
    ("key", "per_hour", "per_day"),
    [(bytes(32), 1, 1), (NEW_KEY, 0, 1), (NEW_KEY, 121, 1), (NEW_KEY, 1, 0), (NEW_KEY, 1, 1201)],
)
def test_a_commission_out_of_range_changes_nothing(key: bytes, per_hour: int, per_day: int) -> None:
    bench = Bench(commissioned=False).hello()
    assert commission(bench, key, per_hour, per_day) == c.OUT_OF_RANGE
    assert not bench.board.gate.keyed


def test_a_key_that_the_memory_does_not_take_is_not_commissioned() -> None:
    bench = Bench(commissioned=False).hello()
    bench.world.break_part("memory_dead")
    assert commission(bench) != c.OK
    assert not bench.board.gate.keyed
    assert bench.fault_bits() >> c.MEMORY & 1


# Signed unlocks.


def try_unlock(bench: Bench, body: bytes) -> int:
    bench.order(c.UNLOCK, body)
    return bench.last(c.UNLOCK_RESULT)[17]


def body_of(nonce: bytes, visit: bytes = VISIT, ttl_ms: int = 5000) -> bytes:
    return visit + struct.pack("<H", ttl_ms) + mac(nonce, visit, ttl_ms)


def test_no_unlock_with_any_one_bit_turned_opens() -> None:
    bench = Bench().hello()
    for bit in range(8 * 34):
        body = bytearray(body_of(bench.challenge()))
        body[bit // 8] ^= 1 << bit % 8
        assert try_unlock(bench, bytes(body)) == c.UNSIGNED
        assert bench.board.doorkeeper.lease.visit is None
    bench.run(300)
    assert bench.locked_ms is None


def test_a_replayed_unlock_is_stale() -> None:
    bench = Bench().hello()
    body = body_of(bench.challenge())
    assert try_unlock(bench, body) == c.OK
    bench.order(c.LOCK)
    assert try_unlock(bench, body) == c.STALE
    bench.challenge()
    assert try_unlock(bench, body) == c.UNSIGNED
    assert bench.board.doorkeeper.lease.visit is None


def test_a_challenge_lives_two_seconds() -> None:
    bench = Bench().hello()
    body = body_of(bench.challenge())
    bench.run(2001)
    assert try_unlock(bench, body) == c.STALE


def test_a_new_challenge_ends_the_one_before() -> None:
    bench = Bench().hello()
    body = body_of(bench.challenge())
    bench.challenge()
    assert try_unlock(bench, body) == c.UNSIGNED


@pytest.mark.parametrize("foreign", [{"key": NEW_KEY}, {"board_id": bytes(8)}])
def test_a_foreign_key_or_board_signs_nothing_here(foreign: dict[str, bytes]) -> None:
    bench = Bench().hello()
    signed = mac(bench.challenge(), VISIT, 5000, **foreign)
    assert try_unlock(bench, VISIT + struct.pack("<H", 5000) + signed) == c.UNSIGNED


def test_three_wrong_macs_within_a_minute_are_told_once() -> None:
    bench = Bench().hello()
    for _ in range(3):
        bench.challenge()
        try_unlock(bench, bytes(34))
    assert bench.faults() == [(c.UNSIGNED_UNLOCKS, 0, True)]
    assert bench.fault_bits() == 0


def test_refused_unlocks_are_noted_at_most_once_a_second() -> None:
    bench = Bench().hello()
    for _ in range(20):
        try_unlock(bench, bytes(34))
        bench.run(100)
    refusals = [body for kind, body in bench.journal() if kind == c.REFUSED]
    assert refusals == [bytes(16) + bytes((c.STALE,))] * 2


def test_the_budget_is_spent_after_so_many_and_frees_itself() -> None:
    bench = Bench(per_hour=3).hello()
    for _ in range(3):
        assert bench.unlock() == c.OK
        bench.order(c.LOCK)
        bench.run(200)
    assert bench.unlock() == c.OVER_BUDGET
    assert (c.BUDGET, 0, True) in bench.faults()
    bench.power_on()
    bench.hello()
    assert bench.unlock() == c.OVER_BUDGET
    bench.now_ms += 1_199_000  # the board slept for nobody: only its clock went on
    bench.run(3000)
    assert bench.faults()[-1] == (c.BUDGET, 0, False)
    assert bench.unlock() == c.OK


def test_an_unlock_of_another_visit_leaves_the_first_alone() -> None:
    bench = Bench().hello()
    assert bench.unlock() == c.OK
    assert bench.unlock(OTHER_VISIT) == c.BUSY
    assert bench.board.doorkeeper.lease.visit == VISIT
