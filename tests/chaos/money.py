"""The sandbox provider of the chaos: it loses answers and hears requests twice; what it captured is counted by visit.

What a killed cashier had claimed is taken over by the next one; a call whose answer was lost is looked up after 5 s,
and one lost twice after 20 s more, so that settling takes longer than healing does.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cabinet.cloud.books import open_books
from cabinet.cloud.money.leases import LEASE_MS
from cabinet.cloud.money.office import Office
from cabinet.cloud.money.sandbox import Sandbox
from tests.chaos.shared import MEMBERS

MOODS: Final = "lost_before=0.03&lost_after=0.03&twice=0.05"
SETTLE_S: Final = LEASE_MS / 1000 + 120.0


@dataclass(frozen=True, slots=True)
class Captures:
    captured: int  # sold visits whose whole amount was captured, once
    missing: int  # sold visits of which less was captured
    beyond: int  # visits captured more than once, for too much, or never sold


def file_of(folder: Path) -> Path:
    return folder / "provider.db"


def spec_of(folder: Path, seed: int) -> str:
    return f"sandbox:{file_of(folder)}?seed={seed}&{MOODS}"


def give_wallets(url: str) -> None:
    """To everybody who will shop."""
    with contextlib.closing(open_books(url)) as books:
        office = Office(books)
        for n in range(MEMBERS):
            office.set_wallet(f"M{n}", f"customer-{n}", "card", time.time_ns() // 1_000_000)


def captures(folder: Path, sold: Mapping[str, int]) -> Captures:
    taken: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for intent in Sandbox(file_of(folder)).export():
        if intent.captured_minor:
            taken[intent.visit] += intent.captured_minor
            times[intent.visit] += 1
    beyond = {visit for visit, total in taken.items() if times[visit] > 1 or total > sold.get(visit, 0)}
    missing = sum(taken[visit] < total for visit, total in sold.items())
    whole = sum(taken[visit] == total for visit, total in sold.items() if visit not in beyond)
    return Captures(whole, missing, len(beyond))
