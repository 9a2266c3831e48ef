"""Attacks taken for people, and people for attacks."""

from collections.abc import Mapping, Sequence
from typing import Any

from cabinet.cli.evaluate.faces_seen import Look
from cabinet.cli.evaluate.faces_sums import interval, share


def liveness(people: Sequence[Look], spoofs: Sequence[Look], live_from: float, spoof_below: float) -> Mapping[str, Any]:
    """Attacks taken for people and people for attacks, by one picture's score.  Between the two bounds the product asks
    for a turn of the head; so does a picture that no model scored.
    """
    shown = [one for one in spoofs if one.end not in {"unreadable", "failed"}]
    scored = _scores(people, spoof_below)
    refused, doubted = sum(s < spoof_below for s in scored), sum(spoof_below <= s < live_from for s in scored)
    by_species = {
        name: _species([one for one in shown if one.photo.name == name], live_from, spoof_below)
        for name in sorted({one.photo.name for one in shown})
    }
    passed, judged = (sum(one[key] for one in by_species.values()) for key in ("passed", "judged"))
    coloured = [one.live for one in people if one.live is not None and not one.grey]
    return {
        "apcer": share(passed, judged),
        "apcer_ci": interval(passed, judged),
        "apcer_worst": max((one["apcer"] for one in by_species.values() if one["judged"]), default=None),
        "apcer_by_species": by_species,
        "bpcer": share(refused, len(scored)),
        "bpcer_ci": interval(refused, len(scored)),
        "bpcer_of_colour_pictures": share(sum(s < spoof_below for s in coloured), len(coloured)),
        "people_asked_to_turn": share(doubted, len(scored)),
        "people_scored": len(scored),
        "attacks": len(shown),
        "live_from": live_from,
        "spoof_below": spoof_below,
    }


def _scores(looks: Sequence[Look], in_doubt: float) -> list[float]:
    """A face without colour is not scored: it is asked to turn its head, as one in doubt."""
    scores = [in_doubt if one.grey and one.live is None and one.end == "encoded" else one.live for one in looks]
    return [score for score in scores if score is not None]


def _species(looks: Sequence[Look], live_from: float, spoof_below: float) -> dict[str, Any]:
    scores = _scores(looks, spoof_below)
    passed = sum(score >= live_from for score in scores)
    no_face = sum(one.end != "encoded" for one in looks)
    judged = len(scores) + no_face  # without a face nothing passes; without a model nothing is judged
    return {
        "attacks": len(looks),
        "passed": passed,
        "judged": judged,
        "apcer": share(passed, judged),
        "apcer_ci": interval(passed, judged),
        "asked_to_turn": sum(spoof_below <= score < live_from for score in scores),
        "no_face": no_face,
    }
