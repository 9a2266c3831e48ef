"""Every syscall of a visit: killed there, failing there, failing from there on; and a real daemon on a slow disk."""

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cabinet.cli.demo.people import Person
from cabinet.cli.demo.shop import Shop, basket
from cabinet.cli.demo.waiting import wait_until
from tests.crash.benches import COLA, bench_in
from tests.crash.disturbed import after_the_first, syncs
from tests.crash.lives import Job
from tests.crash.running import CHANGING, counted, every, need_strace, run

pytestmark = pytest.mark.campaign

WRITING = ("fdatasync", "pwrite64", "ftruncate", "unlink")


def _sound(jobs: list[Job], ended: set[str]) -> None:
    results = run(jobs)
    ends, outcomes = Counter(one.ended for one in results), Counter("+".join(one.outcomes) for one in results)
    print(json.dumps({"lives": len(results), "ended": ends, "outcomes": outcomes}))  # noqa: T201  the figures
    assert [(result.name, result.found) for result in results if result.found] == []
    assert {result.ended for result in results} <= ended


@pytest.mark.parametrize("half", range(2))  # two processes
def test_killed_at_every_syscall(half: int) -> None:
    need_strace()
    _sound(every(counted(), CHANGING, "signal=KILL")[half::2], {"killed"})


@pytest.mark.parametrize("what", ["error=EIO", "error=ENOSPC"])
@pytest.mark.parametrize("lasting", [False, True])
def test_failing_at_every_write(what: str, *, lasting: bool) -> None:
    need_strace()
    _sound(every(counted(), WRITING, what, lasting=lasting), {"ended", "no ledger"})


def test_a_real_daemon_on_a_slow_disk_sells_as_before() -> None:
    """Each sync takes 150 ms: a card about to die.  A lease needs a word every 500 ms."""
    need_strace()
    with TemporaryDirectory(prefix="cs-") as name, bench_in(Path(name), traced=False) as bench:
        shop = Shop(bench)
        shop.stock_drawn()
        ann = shop.enrol(Person("Ann", None, None))
        bench.wait_for_state("Idle")
        with syncs(bench, "delay_enter=150000"):
            visit = shop.open_as(ann.code)
            shop.take("s1", COLA)
            assert basket(shop.shut(visit)) == {COLA: 1}
            wait_until(lambda: bool(bench.ask("outbox")["count"] == 0), 60.0, "the outbox does not empty")
        assert after_the_first(bench)
