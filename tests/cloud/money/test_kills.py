"""Real cashier processes, killed again and again in the middle of their work by SIGKILL: captured exactly once each."""

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from cabinet.cloud.money.accounts import trial_balance
from cabinet.cloud.money.leases import LEASE_MS
from cabinet.cloud.money.sandbox import Sandbox
from cabinet.cloud.money.values import HOUR_MS
from tests.cloud.money.conftest import Shop

pytestmark = pytest.mark.campaign

ROOT = Path(__file__).parents[3]
KILLS = 25
EACH = 12  # payments that begin before each kill
HOLD_MINOR = 1000
MOODS = (
    "seed=7&twice=0.05&latency_s=0.004"  # answers get lost by the kills alone: what is lost waits longer than a lease
)


def started(shop: Shop) -> "subprocess.Popen[str]":
    words = ["-m", "tests.cloud.money.collecting", shop.url, f"sandbox:{shop.file}?{MOODS}"]
    process = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"
    return process


def killed(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def begin(shop: Shop, dice: random.Random, visits: list[str]) -> dict[str, int]:
    """Some without a hold, some within it, some beyond it, some that took nothing: visit → what it costs."""
    charged: dict[str, int] = {}
    for visit in visits:
        if dice.random() < 0.5:
            shop.ask(visit, HOLD_MINOR)
            shop.open(visit)
        charged[visit] = dice.choice([0, 300, 700, 1700])
        shop.close(visit, charged[visit], lines=[])
    return charged


def ended(shop: Shop) -> bool:
    row = shop.books.row("SELECT count(*) AS n FROM payment WHERE state NOT IN ('paid', 'released')")
    return row is not None and row["n"] == 0


def test_whenever_cashiers_are_killed_each_visit_is_captured_once_and_soon(shop: Shop) -> None:
    dice, charged, caught = random.Random(7), dict[str, int](), 0
    shop.clock.ms = time.time_ns() // 1_000_000 - HOUR_MS  # due for the processes, which have their own clock
    for kill in range(KILLS):
        charged |= begin(shop, dice, [f"v{kill}-{n}" for n in range(EACH)])
        process = started(shop)
        threading.Event().wait(dice.uniform(0.02, 0.5))
        killed(process)
        caught += len(shop.books.rows("SELECT visit FROM payment WHERE claim <> ''"))
    process, since_s = started(shop), time.monotonic()
    try:
        while not ended(shop) and time.monotonic() - since_s < 120.0:
            threading.Event().wait(0.2)
    finally:
        killed(process)
    took_s = time.monotonic() - since_s
    sys.stderr.write(f"\n{KILLS} kills, {len(charged)} payments, {caught} caught claimed, settled in {took_s:.1f} s\n")
    assert ended(shop), shop.books.rows("SELECT visit, state, why FROM payment WHERE state NOT IN ('paid', 'released')")
    assert caught > 0, "nobody was killed at work: nothing was shown"
    assert took_s < LEASE_MS / 1000, "what the dead had claimed is taken over at once"
    intents = list(Sandbox(shop.file).export())
    assert max(Counter(one.key for one in intents).values()) == 1
    taken = Counter[str]()
    for one in intents:
        taken[one.visit] += one.captured_minor
    assert {visit: taken[visit] for visit in charged} == charged
    assert "held" not in {one.status for one in intents}
    assert not sum(row["minor"] for row in trial_balance(shop.books))
