"""Who may unlock: macs bit by bit, challenges that live once, a budget that no reset refills."""

import hashlib
import hmac
import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware.memory import BUDGET_AT, BUDGET_STRIDE, Memory
from firmware_bridge.firmware.seal import Budget, Challenges, hmac_sha256, same, unlock_mac
from tests.firmware_bridge.firmware.chips import Chip, PowerCut

KEY = bytes(range(1, 33))
BOARD = b"board-01"
VISIT = bytes(range(100, 116))
HOUR_MS, DAY_MS = 3_600_000, 86_400_000

RFC_4231 = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]


class Dice:
    """Eight bytes that never repeat."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, n: int) -> bytes:
        self.asked += 1
        return hashlib.sha256(bytes((self.asked % 256, self.asked // 256))).digest()[:n]


def mac_for(
    challenge: bytes, visit: bytes = VISIT, ttl_ms: int = 8000, key: bytes = KEY, board: bytes = BOARD
) -> bytes:
    """As a host makes it, from PROTOCOL.md."""
    said = b"unlock" + board + challenge + visit + struct.pack("<H", ttl_ms)
    return hmac.new(key, said, hashlib.sha256).digest()[:16]


def opened() -> tuple[Challenges, bytes]:
    challenges = Challenges(Dice())
    return challenges, challenges.open(1000)


@pytest.mark.parametrize(("key", "data", "digest"), RFC_4231)
def test_the_vectors_of_rfc_4231(key: bytes, data: bytes, digest: str) -> None:
    assert hmac_sha256(key, data).hex() == digest


@given(st.binary(max_size=200), st.binary(max_size=300))
def test_it_is_the_hmac_of_the_standard_library(key: bytes, data: bytes) -> None:
    assert hmac_sha256(key, data) == hmac.new(key, data, hashlib.sha256).digest()


def test_the_comparison_looks_at_every_byte_whatever_differs() -> None:
    class Counted(bytes):
        looks = 0

        def __getitem__(self, at):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204  both overloads of bytes
            Counted.looks += 1
            return bytes.__getitem__(self, at)

    right = bytes(range(16))
    for wrong in (right, b"\xff" + right[1:], right[:-1] + b"\xff", bytes(16)):
        Counted.looks = 0
        assert same(Counted(wrong), right) == (wrong == right)
        assert Counted.looks == 16


def test_macs_of_another_length_are_wrong() -> None:
    assert not same(bytes(15), bytes(16))
    assert not same(b"", bytes(16))


def test_a_right_mac_opens_once_and_a_replay_is_stale() -> None:
    challenges, challenge = opened()
    mac = mac_for(challenge)
    assert challenges.judge(KEY, BOARD, VISIT, 8000, mac, 1200) == c.OK
    assert challenges.judge(KEY, BOARD, VISIT, 8000, mac, 1201) == c.STALE


def test_the_board_makes_the_mac_the_host_makes() -> None:
    assert unlock_mac(KEY, BOARD, b"8 bytes!", VISIT, 65_535) == mac_for(b"8 bytes!", ttl_ms=65_535)


def test_every_flipped_bit_of_visit_ttl_and_mac_is_refused() -> None:
    for bit in range(8 * 34):
        challenges, challenge = opened()
        whole = bytearray(VISIT + struct.pack("<H", 8000) + mac_for(challenge))
        whole[bit // 8] ^= 1 << bit % 8
        visit, ttl_ms, mac = bytes(whole[:16]), struct.unpack("<H", whole[16:18])[0], bytes(whole[18:])
        assert challenges.judge(KEY, BOARD, visit, ttl_ms, mac, 1001) == c.UNSIGNED
        assert challenges.judge(KEY, BOARD, VISIT, 8000, mac_for(challenge), 1002) == c.STALE


def test_every_flipped_bit_of_key_board_and_challenge_is_refused() -> None:
    for bit in range(8 * 48):
        challenges, challenge = opened()
        whole = bytearray(KEY + BOARD + challenge)
        whole[bit // 8] ^= 1 << bit % 8
        mac = mac_for(bytes(whole[40:]), key=bytes(whole[:32]), board=bytes(whole[32:40]))
        assert challenges.judge(KEY, BOARD, VISIT, 8000, mac, 1001) == c.UNSIGNED


@pytest.mark.parametrize(("age_ms", "answer"), [(0, c.OK), (1999, c.OK), (2000, c.STALE), (10**9, c.STALE)])
def test_a_challenge_lives_two_seconds(age_ms: int, answer: int) -> None:
    challenges, challenge = opened()
    assert challenges.judge(KEY, BOARD, VISIT, 8000, mac_for(challenge), 1000 + age_ms) == answer


def test_a_new_challenge_ends_the_one_before() -> None:
    challenges, first = opened()
    challenges.open(1001)
    assert challenges.judge(KEY, BOARD, VISIT, 8000, mac_for(first), 1002) == c.UNSIGNED


def test_challenges_differ() -> None:
    challenges = Challenges(Dice())
    assert len({challenges.open(n) for n in range(100)}) == 100


def test_without_a_challenge_every_mac_is_stale() -> None:
    assert Challenges(Dice()).judge(KEY, BOARD, VISIT, 8000, mac_for(bytes(8)), 5) == c.STALE


def test_without_a_key_nothing_opens_and_the_challenge_is_gone() -> None:
    challenges, challenge = opened()
    assert challenges.judge(b"", BOARD, VISIT, 8000, mac_for(challenge, key=b""), 1001) == c.NO_KEY
    assert challenges.judge(KEY, BOARD, VISIT, 8000, mac_for(challenge), 1002) == c.STALE


def forge(challenges: Challenges, now_ms: int) -> None:
    challenges.open(now_ms)
    assert challenges.judge(KEY, BOARD, VISIT, 8000, bytes(16), now_ms) == c.UNSIGNED


def test_three_wrong_macs_within_a_minute_are_told_once() -> None:
    challenges = Challenges(Dice())
    told = []
    for n in range(3):
        forge(challenges, 20_000 * n)
        told.append(challenges.forged(20_000 * n))
    assert told == [False, False, True]
    assert not challenges.forged(40_001)
    for n in range(2):
        forge(challenges, 41_000 + n)
        assert not challenges.forged(41_000 + n)
    forge(challenges, 41_002)
    assert challenges.forged(41_002)


def test_three_wrong_macs_in_more_than_a_minute_are_not_told() -> None:
    challenges = Challenges(Dice())
    for now_ms in (0, 30_001, 60_002, 90_003, 120_004):
        forge(challenges, now_ms)
        assert not challenges.forged(now_ms)


def test_stale_and_right_unlocks_are_no_forgeries() -> None:
    challenges = Challenges(Dice())
    for n in range(20):
        challenges.judge(KEY, BOARD, VISIT, 8000, bytes(16), n)
        challenge = challenges.open(n)
        assert challenges.judge(KEY, BOARD, VISIT, 8000, mac_for(challenge), n) == c.OK
    assert not challenges.forged(20)


# The budget.


def board(per_hour: int, per_day: int, chip: Chip | None = None) -> tuple[Chip, Memory]:
    chip = chip or Chip()
    memory = Memory(chip, 1)
    memory.key, memory.per_hour, memory.per_day = KEY, per_hour, per_day
    assert memory.save()
    return chip, memory


def test_so_many_an_hour_are_granted_and_the_next_is_not() -> None:
    budget = Budget(*board(5, 100), 0)
    assert [budget.take(n) for n in range(7)] == [True] * 5 + [False] * 2
    assert budget.spent(10)
    assert budget.spent(HOUR_MS // 5 - 1)
    assert not budget.spent(HOUR_MS // 5)
    assert budget.take(HOUR_MS // 5)
    assert not budget.take(HOUR_MS // 5 + 1)


def test_so_many_a_day_are_granted_and_the_next_is_not() -> None:
    budget = Budget(*board(5, 12), 0)
    granted = sum(budget.take(n * HOUR_MS) for n in range(12))
    assert granted == 12
    budget = Budget(*board(120, 12), 0)
    assert sum(budget.take(n) for n in range(100)) == 12
    assert not budget.take(DAY_MS // 12 - 1)
    assert budget.take(DAY_MS // 12)


def test_a_board_without_limits_grants_nothing() -> None:
    chip = Chip()
    budget = Budget(chip, Memory(chip, 1), 0)
    assert budget.spent(0)
    assert not budget.take(DAY_MS)


def test_an_hour_alone_may_be_what_is_spent() -> None:
    budget = Budget(*board(1, 1200), 0)
    assert budget.take(0)
    assert not budget.take(HOUR_MS - 1)
    assert budget.take(HOUR_MS)


def test_a_take_cut_after_any_byte_of_its_record_grants_nothing_that_is_not_counted() -> None:
    for cut in range(17):
        chip, memory = board(3, 100)
        budget = Budget(chip, memory, 0)
        assert budget.take(0)
        chip.cut_after = cut
        with pytest.raises(PowerCut):
            budget.take(1)
        chip, memory = board(3, 100, chip.again())
        budget = Budget(chip, memory, 0)
        assert [budget.take(n) for n in range(3)] == [True, True, False]


def test_a_memory_that_does_not_store_a_take_refuses_it_and_is_damaged() -> None:
    for trouble in ("silent", "protected"):
        chip, memory = board(3, 100)
        budget = Budget(chip, memory, 0)
        setattr(chip, trouble, True)
        assert not budget.take(0)
        assert memory.damaged


def test_a_memory_silent_at_boot_grants_nothing() -> None:
    chip, memory = board(3, 100)
    chip.silent = True
    budget = Budget(chip, memory, 0)
    chip.silent = False
    assert memory.damaged
    assert not budget.take(0)
    assert not budget.take(DAY_MS)


def test_a_record_with_both_copies_damaged_counts_as_spent() -> None:
    chip, memory = board(4, 100)
    budget = Budget(chip, memory, 0)
    assert budget.take(0)
    for copy in (0, 1):
        chip.content[BUDGET_AT + copy * BUDGET_STRIDE + 6] ^= 0x40
    budget = Budget(chip, memory, 0)
    assert not budget.take(0)
    assert not budget.take(HOUR_MS // 4 - 1)
    assert budget.take(HOUR_MS // 4)


def test_uptime_is_credited_over_resets_but_for_its_last_minute() -> None:
    chip, memory = board(1, 1200)
    assert Budget(chip, memory, 0).take(0)
    for _ in range(59):  # an hour of uptime in pieces of 70 s
        budget = Budget(chip, memory, 0)
        for now_ms in range(0, 70_000, 1000):
            assert budget.spent(now_ms)
    budget = Budget(chip, memory, 0)
    for now_ms in range(0, 70_000, 1000):
        budget.spent(now_ms)
    assert budget.take(70_000)


def test_storing_the_draining_writes_once_a_minute_and_never_at_rest() -> None:
    chip, memory = board(10, 100)
    budget = Budget(chip, memory, 0)
    chip.written.clear()
    for now_ms in range(0, HOUR_MS, 500):
        budget.spent(now_ms)
    assert not chip.written
    budget.take(HOUR_MS)
    chip.written.clear()
    for now_ms in range(HOUR_MS, HOUR_MS + 600_000, 500):
        budget.spent(now_ms)
    assert 9 <= len(chip.written) <= 10


Doing = tuple[int, bool]  # milliseconds of uptime until an unlock is asked for; whether a reset comes first


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 120),
    st.integers(1, 1200),
    st.lists(st.tuples(st.one_of(st.integers(0, 5000), st.integers(0, 3 * HOUR_MS)), st.booleans()), max_size=120),
)
@example(1, 1, [(0, False)] * 3)
@example(120, 1200, [(1, True)] * 200)
def test_over_days_and_any_resets_no_stretch_of_uptime_grants_more_than_a_bucket_and_its_drain(
    per_hour: int, per_day: int, doings: list[Doing]
) -> None:
    chip, memory = board(per_hour, per_day)
    budget, booted_ms, uptime_ms = Budget(chip, memory, 0), 0, 0
    granted: list[int] = []  # in uptime of all boots together
    for wait_ms, reset in doings:
        if reset:
            booted_ms = uptime_ms
            chip, memory = board(per_hour, per_day, chip.again())
            budget = Budget(chip, memory, 0)
        uptime_ms += wait_ms
        if budget.take(uptime_ms - booted_ms):
            granted.append(uptime_ms)
    for first, start_ms in enumerate(granted):
        for last in range(first, len(granted)):
            stretch_ms = granted[last] - start_ms
            assert last - first + 1 <= per_hour + stretch_ms * per_hour / HOUR_MS
            assert last - first + 1 <= per_day + stretch_ms * per_day / DAY_MS


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 300), st.integers(0, 2**32))
def test_without_resets_what_a_full_bucket_waits_for_comes(per_hour: int, per_day: int, start_ms: int) -> None:
    chip, memory = board(per_hour, per_day)
    budget, now_ms = Budget(chip, memory, start_ms), start_ms
    while budget.take(now_ms):
        now_ms += 1
    wait_ms = max(HOUR_MS // per_hour, DAY_MS // per_day) + 1000
    assert budget.take(now_ms + wait_ms)


@given(st.lists(st.integers(0, 120_000), min_size=1, max_size=60))
def test_asking_often_drains_no_more_than_asking_once(pauses_ms: list[int]) -> None:
    often, once = Budget(*board(7, 50), 0), Budget(*board(7, 50), 0)
    for budget in (often, once):
        while budget.take(0):
            pass
    now_ms = 0
    for pause_ms in pauses_ms:
        now_ms += pause_ms
        often.spent(now_ms)
    assert often.spent(now_ms) == once.spent(now_ms)
    assert often.take(now_ms) == once.take(now_ms)


def test_a_quiet_month_costs_nothing_in_one_step() -> None:
    budget = Budget(*board(2, 2), 0)
    assert budget.take(0)
    assert budget.take(0)
    assert budget.take(30 * DAY_MS)
    assert budget.take(30 * DAY_MS)
    assert not budget.take(30 * DAY_MS)
