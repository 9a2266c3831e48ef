"""So many unlocks an hour and a day, counted where no reset reaches them."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware_bridge.firmware.memory import BUDGET_AT, BUDGET_STRIDE, Memory
from firmware_bridge.firmware.seal import Budget
from tests.firmware_bridge.firmware.chips import Chip, PowerCut

KEY = bytes(range(1, 33))
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


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


def test_a_damaged_record_counts_as_a_whole_day_spent_too() -> None:
    chip, memory = board(120, 4)
    Budget(chip, memory, 0).take(0)
    for copy in (0, 1):
        chip.content[BUDGET_AT + copy * BUDGET_STRIDE + 6] ^= 0x40
    budget = Budget(chip, memory, 0)
    assert not budget.take(DAY_MS // 4 - 1)
    assert budget.take(DAY_MS // 4)


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
