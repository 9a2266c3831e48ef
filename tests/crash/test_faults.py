"""A disk that fails, fills up or is slow: the cabinet stops, orders nothing after a failed commit, and the books agree.

That the process does not try again in place is read from its own words: after a commit that did not come back the next
thing told is another start.  The campaign lets every call fail.
"""

import subprocess
from collections import Counter

import pytest

from tests.crash.lives import Job
from tests.crash.running import counted, every, need_strace, run

WRITING = ("fdatasync", "pwrite64", "ftruncate")


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    need_strace()
    return counted()


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_one_failed_write_stops_the_process_and_the_books_agree_after_it(counts: dict[str, int], error: str) -> None:
    results = run(every(counts, WRITING, f"error={error}", step=5))
    assert [(result.name, result.found) for result in results if result.found] == []
    assert (
        sum(result.faults for result in results) >= 5
    )  # commits that failed; the others were checkpoints, or the start
    assert {result.ended for result in results} <= {"ended", "no ledger"}


def test_a_disk_that_fails_for_good_sells_nothing_until_it_is_replaced(counts: dict[str, int]) -> None:
    results = run(every(counts, WRITING, "error=EIO", step=12, lasting=True))
    assert [(result.name, result.found) for result in results if result.found] == []
    assert sum(result.faults for result in results) >= 3


def test_a_cabinet_that_tries_again_in_place_is_found_out(counts: dict[str, int]) -> None:
    results = run(every(counts, ["fdatasync"], "error=EIO", step=2, variant="stubborn"))
    assert any("went on to: before the commit" in found for result in results for found in result.found)


def test_a_slow_disk_changes_nothing(counts: dict[str, int]) -> None:
    (result,) = run([Job("slow", ("-e", "inject=fdatasync,fsync:delay_enter=20000"))])
    assert (result.ended, result.found, result.outcomes, result.faults) == ("ended", [], ["charge"], 0)


def test_a_disk_that_is_really_full_sells_nothing_and_loses_nothing() -> None:
    """On small disks of several sizes, so that it fills up at different moments."""
    need_strace()
    try:
        subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no disk can be mounted here: {error}")
    results = run([Job(f"{kib} KiB left", disk_kib=kib) for kib in (36, 60, 100, 160, 220)], within=["unshare", "-rm"])
    assert [(result.name, result.found) for result in results if result.found] == []
    assert sum(result.faults > 0 or result.ended == "no ledger" for result in results) >= 2
    assert Counter(outcome for result in results for outcome in result.outcomes) <= Counter(
        {"charge": 5, "void": 5, "review": 5, "nothing": 5}
    )
