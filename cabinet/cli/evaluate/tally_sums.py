"""Sums over visits, and the figures made of them.  Pure but for numpy; what it keeps grows by a few bytes a visit.

Nothing of nothing counts as right: precision where nothing was billed, recall and F1 where nothing was taken.
"""

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cabinet.cli.evaluate.tally_traces import Judged, Skipped

if TYPE_CHECKING:
    from cabinet.basket.score import Units

LABELS: Final = ("exact", "over", "under", "swap", "review", "wrong_review")
BASELINES: Final = ("weight_only", "mps")
MOST_WRONG = 200  # visits named
MOST_SKIPPED = 1000
FINEST = 4  # histogram bins of latency: this many to each doubling
GOALS: Final = (  # tag, figure, "least" or "most", limit: what the product is to reach
    ("honest", "exact", "least", 0.97),
    ("honest", "overcharged", "most", 0.005),
    ("honest", "undercharged", "most", 0.02),
    ("honest", "sent_to_person", "most", 0.03),
    ("hostile", "overcharged", "most", 0.01),
    ("hostile", "f1", "least", 0.85),
)


@dataclass
class Sums:
    """One way's answers over one set of visits."""

    labels: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    guess: Counter[str] = field(default_factory=Counter)
    f1s: float = 0.0
    f1_visits: int = 0
    over_minor: int = 0
    under_minor: int = 0
    brier: float = 0.0
    stated: int = 0
    brier_all: float = 0.0

    def add(self, row: Judged, way: str) -> None:
        answer = row.answers[way]
        self.labels[answer.label] += 1
        self.over_minor += answer.over_minor
        self.under_minor += answer.under_minor
        _add(self.guess, answer.guess)
        _add(self.units, answer.units)
        if answer.units is not None:
            self.f1s += answer.units.f1
            self.f1_visits += 1
        if row.stated is not None:
            self.brier += (row.stated - (row.answers["tally"].label == "exact")) ** 2
            self.stated += 1
        self.brier_all += (row.confidence - row.guess_right) ** 2

    def counts(self) -> dict[str, int]:
        n = self.labels
        return {
            "visits": n.total(),
            **{label: n[label] for label in LABELS},
            "sent_to_person": n["review"] + n["wrong_review"],
            "overcharged": n["over"] + n["swap"],
            "undercharged": n["under"] + n["swap"],
        }

    def figures(self) -> dict[str, Any]:
        from cabinet.cli.evaluate.measures import wilson  # noqa: PLC0415  numpy

        counts, visits = self.counts(), self.labels.total()
        shares = {
            name: {
                "share": round(n / visits, 6) if visits else 0.0,
                "wilson": [round(x, 6) for x in wilson(n, visits)],
            }
            for name, n in counts.items()
            if name != "visits"
        }
        return {
            **counts,
            "shares": shares,
            "precision": _ratio(self.units["right"], self.units["billed"]),
            "recall": _ratio(self.units["right"], self.units["true"]),
            "f1": _ratio(2 * self.units["right"], self.units["billed"] + self.units["true"]),
            "f1_with_guess": _ratio(2 * self.guess["right"], self.guess["billed"] + self.guess["true"]),
            "f1_mean": _ratio(self.f1s, self.f1_visits),
            "over_minor": self.over_minor,
            "under_minor": self.under_minor,
            "over_minor_per_1000": round(1000 * self.over_minor / max(visits, 1), 1),
            "under_minor_per_1000": round(1000 * self.under_minor / max(visits, 1), 1),
        }

    def of_the_tally(self) -> dict[str, Any]:
        """With what only the tally states: its confidence."""
        visits = self.labels.total()
        return {
            **self.figures(),
            "brier": round(self.brier / self.stated, 6) if self.stated else None,
            "brier_all": round(self.brier_all / visits, 6) if visits else None,
        }


@dataclass
class Evaluation:
    """Everything that is kept of the traces seen so far."""

    all: dict[str, Sums] = field(default_factory=lambda: {way: Sums() for way in ("tally", *BASELINES)})
    by_tag: dict[str, Sums] = field(default_factory=dict)
    currencies: Counter[str] = field(default_factory=Counter)
    latencies_ms: "array[float]" = field(default_factory=lambda: array("d"))
    stated: "array[float]" = field(default_factory=lambda: array("d"))
    stated_right: bytearray = field(default_factory=bytearray)
    confidence: "array[float]" = field(default_factory=lambda: array("d"))
    guess_right: bytearray = field(default_factory=bytearray)
    wrong: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)
    skipped_count: int = 0
    failed: int = 0

    @property
    def visits(self) -> int:
        return len(self.latencies_ms)

    def add(self, row: Judged | Skipped) -> None:
        if isinstance(row, Skipped):
            self.skipped_count += 1
            if len(self.skipped) < MOST_SKIPPED:
                self.skipped.append({"path": row.path, "why": row.why})
            return
        for way, sums in self.all.items():
            sums.add(row, way)
        for tag in set(row.tags):
            self.by_tag.setdefault(tag, Sums()).add(row, "tally")
        self.currencies[row.currency] += 1
        self.latencies_ms.append(row.latency_ms)
        label = row.answers["tally"].label
        if row.stated is not None:
            self.stated.append(row.stated)
            self.stated_right.append(label == "exact")
        self.confidence.append(row.confidence)
        self.guess_right.append(row.guess_right)
        self.failed += row.failed
        if label not in {"exact", "review"} and len(self.wrong) < MOST_WRONG:
            self.wrong.append(_told(row, label))

    def answer(self, without: Iterable[str]) -> dict[str, Any]:
        """The whole as JSON has it."""
        made = self.all["tally"].of_the_tally()
        by_tag = {tag: sums.of_the_tally() for tag, sums in sorted(self.by_tag.items())}
        return {
            **made,
            "failed": self.failed,
            "without": list(without),
            "currencies": dict(self.currencies.most_common()),
            "latency_ms": self._latency(),
            "latency_histogram": self._histogram(),
            "reliability": _reliability(self.stated, self.stated_right),
            "reliability_all": _reliability(self.confidence, self.guess_right),
            "goals": goals(by_tag),
            "by_tag": by_tag,
            "baselines": {name: self.all[name].figures() for name in BASELINES},
            "wrong_count": made["visits"] - made["exact"] - made["review"],
            "wrong": self.wrong,
            "skipped_count": self.skipped_count,
            "skipped": self.skipped,
        }

    def _latency(self) -> dict[str, float]:
        ordered = sorted(self.latencies_ms)
        return {
            name: round(ordered[max(0, -(-share * len(ordered) // 100) - 1)], 3) if ordered else 0.0
            for name, share in (("p50", 50), ("p95", 95), ("max", 100))
        }

    def _histogram(self) -> list[dict[str, float]]:
        """Bins a fixed ratio wide; those without a visit are left out."""
        from math import ceil, log2  # noqa: PLC0415  so that nobody takes log2 for a word of this module

        counts = Counter(ceil(FINEST * log2(max(ms, 1e-3))) for ms in self.latencies_ms)
        return [{"up_to_ms": round(2 ** (n / FINEST), 4), "visits": counts[n]} for n in sorted(counts)]


def goals(by_tag: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Each goal whose tag was met with; `proved`: so even at the bad end of the interval."""
    found = []
    for tag, name, kind, limit in GOALS:
        if tag not in by_tag:
            continue
        share = by_tag[tag]["shares"].get(name)
        value = by_tag[tag][name] if share is None else share["share"]
        bound = None if share is None else share["wilson"][0 if kind == "least" else 1]
        proved = None if bound is None else _reaches(bound, kind, limit)
        met = _reaches(value, kind, limit)
        found.append({"tag": tag, "figure": name, kind: limit, "value": value, "met": met, "proved": proved})
    return found


def _reaches(value: float, kind: str, limit: float) -> bool:
    return value >= limit if kind == "least" else value <= limit


def _add(to: Counter[str], units: "Units | None") -> None:
    if units is not None:
        to["right"] += units.right
        to["billed"] += units.billed
        to["true"] += units.true


def _ratio(part: float, of: float) -> float:
    return round(part / of, 6) if of else 1.0


def _told(row: Judged, label: str) -> dict[str, Any]:
    said = "guess" if row.outcome == "review" else "charged"
    return {
        "path": row.path, "label": label, "truth": row.truth, said: row.bill, "reason": row.why,
        "confidence": round(row.confidence, 4), "tags": list(row.tags),
    }  # fmt: skip  # a row


def _reliability(confidence: "array[float]", right: bytearray) -> list[dict[str, Any]]:
    import numpy as np  # noqa: PLC0415  0.1 s

    from cabinet.cli.evaluate.measures import reliability  # noqa: PLC0415  likewise

    said = np.clip(np.nan_to_num(np.array(confidence, np.float64)), 0.0, 1.0)
    return [
        {"count": count, "confidence": round(mean, 4), "right": round(share, 4)}
        for count, mean, share in reliability(said, np.frombuffer(bytes(right), np.bool_))
    ]
