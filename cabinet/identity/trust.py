"""How far a member is trusted here: 0 to 100, worked out anew from what has happened and how long ago.

Pure.  Everybody begins at 70: a stranger is neither proven nor suspected, so that a face alone is enough for a small
visit, one grave misconduct brings the digits (70 - 25 < 50) and only the third in a short while the refusal.  Paid
visits and time give back what was lost, never more; above 70 leads a technician's word alone.

Time restores by half-lives, and only time that is known to have passed (`Instant`).  A debt is not restored by time:
its payment cancels it whole.  It refuses to hold against a member that they disputed a bill: that costs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log2
from typing import Final, Literal

START: Final = 70
MOST: Final = 100
DAY_MS: Final = 86_400_000

Kind = Literal[
    "swap", "tamper", "foreign", "covered", "dispute-lost", "misconduct",
    "unpaid", "paid", "paid-visit", "dispute", "forgiven", "vouched",
]  # fmt: skip  # a list
COSTS: Final[dict[Kind, int]] = {
    "tamper": 30,  # the door was forced, or the board's housing opened, in their visit
    "swap": 25,  # goods left and something else stands in their place; the tally's suspicion
    "misconduct": 25,  # a technician's word
    "dispute-lost": 20,
    "foreign": 15,  # a thing of their own was left on a shelf
    "covered": 15,  # a camera was covered in their visit, and still was after it
}
GIVES: Final[dict[Kind, int]] = {"paid-visit": 1, "forgiven": 10, "vouched": 10}
DEBT: Final = 25  # while it is owed


@dataclass(frozen=True, slots=True)
class Instant:
    """`ran_ms`: how long the cabinet had been running in all, over every start: it never goes back, and stands still
    without power.  `wall_ms` is None where nobody vouched for the clock.
    """

    ran_ms: int
    wall_ms: int | None = None


def passed_ms(then: Instant, now: Instant) -> int:
    """What has passed at least.  With a trusted clock then and now: what it says; else the running alone."""
    ran_ms = now.ran_ms - then.ran_ms
    if then.wall_ms is None or now.wall_ms is None:
        return max(0, ran_ms)
    return max(0, ran_ms, now.wall_ms - then.wall_ms)


@dataclass(frozen=True, slots=True)
class TrustEvent:
    kind: Kind
    points: int  # what it costs, or gives back
    at: Instant


@dataclass(frozen=True, slots=True)
class Score:
    trust: int  # 0 to 100
    lost: float = 0.0  # by misconduct, and not restored yet
    owed: int = 0  # by a debt that is open
    vouched: int = 0
    incidents: int = 0  # misconduct within one half-life that was not made good whole
    disputes: int = 0  # bills disputed within one half-life


NEW: Final = Score(START)


def score(events: Sequence[TrustEvent], now: Instant, restore_days: float) -> Score:
    """`events`: of one member, in the order in which they were written down."""
    half_ms = restore_days * DAY_MS
    lost, owed, vouched, before_ms = 0.0, 0, 0, 0.0
    held: list[float] = []  # ages of misconduct
    disputed: list[float] = []
    for event, age_ms in zip(events, _ages_ms(events, now), strict=True):
        lost *= _left(before_ms - age_ms, half_ms)
        before_ms = age_ms
        match event.kind:
            case "unpaid":
                owed = event.points
            case "paid":
                owed = 0
            case "vouched":
                vouched += event.points
            case "dispute":
                disputed.append(age_ms)
            case "paid-visit" | "forgiven":
                owed -= min(owed, max(0, event.points - floor(lost))) if event.kind == "forgiven" else 0
                lost = max(0.0, lost - event.points)
                held = held if lost else []
            case _:
                lost += event.points
                held.append(age_ms)
    lost *= _left(before_ms, half_ms)
    vouched = min(vouched, MOST - START)
    trust = min(MOST, max(0, floor(START + vouched - lost - owed + 0.5)))
    fresh = [sum(age_ms < half_ms for age_ms in ages) for ages in (held, disputed)]
    return Score(trust, lost, owed, vouched, *fresh)


def restored_in_days(known: Score, wanted: int, restore_days: float) -> float | None:
    """How long until time alone brings the trust to `wanted`; 0: it is there, None: time alone never does."""
    if known.trust >= wanted:
        return 0.0
    bearable = START + known.vouched - known.owed - wanted + 0.5  # the trust is rounded
    return restore_days * log2(known.lost / bearable) if 0 < bearable < known.lost else None


def _left(passed_for_ms: float, half_ms: float) -> float:
    return float(0.5 ** (max(0.0, passed_for_ms) / half_ms))


def _ages_ms(events: Sequence[TrustEvent], now: Instant) -> list[int]:
    """At least so old.  What was written down before another thing is at least as old as that one."""
    ages: list[int] = []
    for event in reversed(events):
        ages.append(max(passed_ms(event.at, now), ages[-1] if ages else 0))
    return ages[::-1]
