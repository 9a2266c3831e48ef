"""The sums of `cabinet eval tally`, worked by hand."""

import pytest

from cabinet.basket.score import Units
from cabinet.cli.evaluate.tally_sums import MOST_WRONG, Evaluation, goals
from cabinet.cli.evaluate.tally_traces import Answer, Judged, Skipped

ONE = Units(1, 1, 1)


def judged(
    label: str = "exact", *, stated: float | None = 0.9, confidence: float = 0.9, right: bool = True, ms: float = 10.0
) -> Judged:
    ours = Answer(label, None if label == "review" else ONE, None if label == "review" else ONE)
    theirs = Answer("exact", ONE, ONE)
    return Judged(
        "somewhere/x", ("honest",), "USD", {"tally": ours, "weight_only": theirs, "mps": theirs}, ms, stated,
        confidence, right, "review" if stated is None else "charge", {"a": 1}, {"a": 1},
    )  # fmt: skip  # a row


def summed(*rows: Judged | Skipped) -> Evaluation:
    seen = Evaluation()
    for row in rows:
        seen.add(row)
    return seen


def test_brier_is_of_stated_confidence_and_the_other_asks_reviews_too() -> None:
    found = summed(
        judged(stated=0.9, confidence=0.9),
        judged("over", stated=0.8, confidence=0.8, right=False),
        judged("wrong_review", stated=None, confidence=0.6),
    ).answer([])
    assert found["brier"] == pytest.approx((0.01 + 0.64) / 2)
    assert found["brier_all"] == pytest.approx((0.01 + 0.64 + 0.16) / 3, abs=1e-6)


def test_without_a_stated_confidence_there_is_no_brier_score() -> None:
    assert summed(judged("wrong_review", stated=None)).answer([])["brier"] is None


def test_the_reliability_table_has_counts_means_and_shares() -> None:
    found = summed(
        judged(stated=0.91), judged(stated=0.93), judged("under", stated=0.95), judged("review", stated=None)
    ).answer([])
    assert [row["count"] for row in found["reliability"]] == [0] * 9 + [3]
    assert found["reliability"][9] == {"count": 3, "confidence": 0.93, "right": 0.6667}


def test_confidence_beyond_its_range_breaks_nothing() -> None:
    found = summed(judged(stated=1.0000001), judged(stated=float("nan"))).answer([])
    assert [found["reliability"][n]["count"] for n in (0, 9)] == [1, 1]


def test_latency_is_by_nearest_rank() -> None:
    found = summed(*(judged(ms=float(n)) for n in range(1, 101))).answer([])
    assert found["latency_ms"] == {"p50": 50.0, "p95": 95.0, "max": 100.0}
    assert sum(row["visits"] for row in found["latency_histogram"]) == 100


def test_a_thousand_wrong_visits_are_counted_and_the_first_are_named() -> None:
    found = summed(*(judged("over") for _ in range(1000))).answer([])
    assert (found["wrong_count"], len(found["wrong"])) == (1000, MOST_WRONG)


def test_what_was_skipped_is_no_visit() -> None:
    found = summed(judged(), Skipped("there", "torn")).answer([])
    assert (found["visits"], found["skipped"]) == (1, [{"path": "there", "why": "torn"}])


def test_nothing_of_nothing_is_wholly_right() -> None:
    found = summed(judged("review", stated=None)).answer([])
    assert (found["precision"], found["recall"], found["f1"], found["f1_mean"]) == (1.0, 1.0, 1.0, 1.0)


def test_a_goal_may_be_met_without_being_shown() -> None:
    met = {
        count: {goal["figure"]: (goal["met"], goal["proved"]) for goal in summed(*rows).answer([])["goals"]}
        for count in (20, 800)
        for rows in [[judged() for _ in range(count)]]
    }
    assert (met[20]["overcharged"], met[800]["overcharged"]) == ((True, False), (True, True))


def test_a_swap_overcharges_and_undercharges() -> None:
    by_tag = summed(*(judged() for _ in range(49)), judged("swap")).answer([])["by_tag"]
    assert {goal["figure"]: goal["met"] for goal in goals(by_tag)} == {
        "exact": True, "overcharged": False, "undercharged": True, "sent_to_person": True,
    }  # fmt: skip  # a table
