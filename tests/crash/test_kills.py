"""SIGKILL at a syscall of a visit, and what the restart makes of it: ended once, charged once at most, never free.

The campaign does this at every syscall.
"""

from collections import Counter

import pytest

from tests.crash.running import CHANGING, counted, every, need_strace, run

STEP = 4  # of 125 calls at the time of writing


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    need_strace()
    return counted()


def test_whoever_is_killed_at_a_syscall_ends_the_visit_once(counts: dict[str, int]) -> None:
    jobs = every(counts, CHANGING, "signal=KILL", step=STEP)
    assert len(jobs) >= 25
    results = run(jobs)
    assert [(result.name, result.found) for result in results if result.found] == []
    assert Counter(result.ended for result in results) == {"killed": len(jobs)}
    outcomes = Counter(outcome for result in results for outcome in result.outcomes)
    assert outcomes["charge"] > 0
    assert set(outcomes) <= {"charge", "nothing", "review", "void"}


def test_a_cabinet_that_acts_before_it_writes_is_found_out(counts: dict[str, int]) -> None:
    """The same kills on a daemon that commits each step only with the next one."""
    results = run(every(counts, ["pwrite64"], "signal=KILL", step=6, variant="late"))
    assert any("I1" in found for result in results for found in result.found)
