"""Other ways to judge a visit, run beside the tally and never billed: a change of rules is tried here first.

A heuristic is a name and a pure function from a visit to a verdict.  One that fails has no opinion; it can neither
change nor delay a bill.  Adding one is adding a row to `KNOWN`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from cabinet.basket import pricing
from cabinet.basket.evidence import Sighting, Visit
from cabinet.basket.tally import tally
from cabinet.basket.verdict import Charge, Nothing, Verdict
from cabinet.units import Minor, Sku

Judge = Callable[[Visit], Verdict]


@dataclass(frozen=True, slots=True)
class Heuristic:
    name: str
    judge: Judge


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a heuristic would have done, beside what was done."""

    outcome: str  # charge, nothing, review, failed
    lines: Mapping[Sku, int] = field(default_factory=dict)
    agrees: bool = False  # the same outcome and the same goods
    more_minor: Minor = 0  # how much more than the verdict it would have charged; negative: less
    why: str = ""  # it failed, or wanted a person


def without_sight(visit: Visit) -> Verdict:
    """The tally as if no camera had seen anything."""
    return tally(replace(visit, events=tuple(e for e in visit.events if not isinstance(e, Sighting))))


def mps(visit: Visit) -> Verdict:
    from cabinet.basket.baselines.mps import mps as bill  # noqa: PLC0415  numpy, only where it runs in shadow

    return _unasked(bill(visit), visit)


def weight_only(visit: Visit) -> Verdict:
    from cabinet.basket.baselines.weight_only import weight_only as bill  # noqa: PLC0415  likewise

    return _unasked(bill(visit), visit)


def _unasked(bill: Mapping[Sku, int], visit: Visit) -> Verdict:
    """The verdict of a method that never asks a person."""
    lines = pricing.lines(bill, visit.header)
    return Charge(lines, 1.0) if lines else Nothing(1.0)


KNOWN: Final[Mapping[str, Judge]] = {"mps": mps, "no-sight": without_sight, "weight-only": weight_only}


def heuristics(names: Iterable[str]) -> tuple[Heuristic, ...]:
    """Raises ValueError for a name that nobody knows."""
    wanted = tuple(dict.fromkeys(names))
    strangers = [name for name in wanted if name not in KNOWN]
    if strangers:
        raise ValueError(f"no heuristic is called {strangers[0]!r}; known here: {', '.join(sorted(KNOWN))}")
    return tuple(Heuristic(name, KNOWN[name]) for name in wanted)


def opinions(visit: Visit, verdict: Verdict, heuristics: Iterable[Heuristic]) -> dict[str, Opinion]:
    return {heuristic.name: _opinion(visit, verdict, heuristic) for heuristic in heuristics}


def _opinion(visit: Visit, verdict: Verdict, heuristic: Heuristic) -> Opinion:
    try:
        other = heuristic.judge(visit)
    except Exception as error:  # noqa: BLE001  whatever it stumbles over is its own failure, never the visit's
        return Opinion("failed", why=f"{type(error).__name__}: {error}")
    same = (_outcome(other), _goods(other)) == (_outcome(verdict), _goods(verdict))
    why = getattr(other, "reason", "")
    return Opinion(_outcome(other), dict(_goods(other)), same, _total(other) - _total(verdict), why)


def _outcome(verdict: Verdict) -> str:
    match verdict:
        case Charge():
            return "charge"
        case Nothing():
            return "nothing"
        case _:
            return "review"


def _goods(verdict: Verdict) -> Counter[Sku]:
    return Counter({line.sku: line.quantity for line in verdict.lines} if isinstance(verdict, Charge) else {})


def _total(verdict: Verdict) -> Minor:
    return verdict.total if isinstance(verdict, Charge) else 0


def to_dict(found: Mapping[str, Opinion]) -> dict[str, dict[str, object]]:
    """For tally.json."""
    return {
        name: {
            "outcome": opinion.outcome, "lines": dict(opinion.lines), "agrees": opinion.agrees,
            "more_minor": opinion.more_minor, "why": opinion.why,
        }
        for name, opinion in sorted(found.items())
    }  # fmt: skip  # a row
