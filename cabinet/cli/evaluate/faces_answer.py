"""The answer of `cabinet eval faces`, put together from what was seen."""

from collections import Counter
from typing import Any, Final

from cabinet.cli.evaluate import faces_curves, faces_live, faces_speed, faces_sums, faces_tail
from cabinet.cli.evaluate.faces_pictures import NAMELESS
from cabinet.cli.evaluate.faces_seen import Looked
from cabinet.cli.evaluate.faces_sums import Crowd
from cabinet.identity.liveness import LiveRules

FASTER: Final = 5.0  # times stock, a decision at 1280 x 720
SEARCH_MS: Final = 2.0  # among 10,000 templates


def answer(looked: Looked, crowd: Crowd, live: LiveRules, *, left_out: bool) -> dict[str, Any]:
    """All but what stock did and what a frame takes."""
    others = looked.probes if left_out else looked.impostors
    mine = faces_sums.members(looked.probes, crowd)
    theirs = faces_sums.strangers(others, crowd, left_out=left_out)
    people = [*looked.probes, *looked.impostors]
    asked = [one for one in people if one.end not in {"unreadable", "failed"}]
    searched = faces_speed.search_ms()
    return {
        "probes": mine["probes"],
        "impostors": theirs["attempts"],
        "impostors_are": "members, each taken out of the gallery for an attempt" if left_out else "not enrolled",
        "enrolled": _enrolled(looked, crowd),
        "false_accepts": theirs["false_accepts"] + mine["misidentified"],
        "false_rejects": mine["false_rejects"],
        "needs_digits": mine["needs_digits"],
        "matched": mine["matched"],
        "misidentified": mine["misidentified"],
        "far": theirs["far"],
        "far_ci": theirs["far_ci"],
        **{key: mine[key] for key in ("frr", "frr_ci", "needs_digits_share", "needs_digits_ci", "frr_without_digits")},
        "rejected_because": mine["rejected_because"],
        **{key: theirs[key] for key in ("asked_for_digits", "far_with_digits", "far_if_digits_known")},
        "low_quality": dict(Counter(one.low for one in asked if one.low)),
        "not_found": sum(one.end == "not found" for one in asked),
        "several_people": sum(one.several for one in asked),
        **faces_live.liveness(people, looked.spoofs, live.live_from, live.spoof_below),
        "rules": _rules(crowd),
        "good_pictures": _good(looked, crowd, left_out=left_out),
        "curve": faces_curves.curve(looked.probes, others, crowd, left_out=left_out),
        "by_gallery_size": faces_curves.by_size(looked.enrolled, looked.probes, looked.impostors, crowd.rules),
        **_strangers(looked, crowd),
        "stage_ms": faces_speed.stages(people, crowd),
        "search_10000_ms": searched["quiet"],
        "search_10000": searched,
        "grey": sum(one.grey for one in asked),
        "skipped": looked.skipped,
    }  # fmt: skip  # a table


def _enrolled(looked: Looked, crowd: Crowd) -> dict[str, Any]:
    """Who is in the gallery; `refused_for_quality`: pictures that the cabinet would not have compared."""
    return {
        "members": len(crowd.gallery),
        "pictures": sum(bool(one.vector) for one in looked.enrolled),
        "without_a_face": sum(one.end in {"not found", "several people"} for one in looked.enrolled),
        "refused_for_quality": sum(one.low is not None for one in looked.enrolled),
        "with_reference": len(crowd.references),
    }


def _rules(crowd: Crowd) -> dict[str, Any]:
    rules, size = crowd.rules, crowd.gallery.searched()
    return {
        "members": len(crowd.gallery),
        "templates": size,
        "threshold": round(rules.alone(size), 4),
        "with_digits": round(rules.together(size), 4),
        "margin": rules.margin,
        "false_match": rules.false_match,
        "false_match_digits": rules.false_match_digits,
        "tail": {"at": rules.tail.at, "share": rules.tail.share, "sd": rules.tail.sd},
    }


def _strangers(looked: Looked, crowd: Crowd) -> dict[str, Any]:
    """How near they come, whatever is decided; nobody knows whether those without a name are the same person."""
    named = [one for one in looked.impostors if one.photo.name != NAMELESS]
    told = faces_tail.tail([*looked.enrolled, *looked.probes, *named], crowd.rules)
    within = crowd.rules.tail.at if told is None else told["at"]
    return {"tail": told, "members": faces_tail.members(looked, crowd, within)}


def _good(looked: Looked, crowd: Crowd, *, left_out: bool) -> dict[str, Any]:
    """The same on those pictures alone for which the cabinet would not have asked for another frame."""
    probes = [one for one in looked.probes if one.low is None]
    mine = faces_sums.members(probes, crowd)
    others = probes if left_out else [one for one in looked.impostors if one.low is None]
    theirs = faces_sums.strangers(others, crowd, left_out=left_out)
    return {
        "probes": mine["probes"],
        "impostors": theirs["attempts"],
        "false_accepts": theirs["false_accepts"] + mine["misidentified"],
        **{key: mine[key] for key in ("false_rejects", "needs_digits", "frr", "frr_ci")},
        **{key: theirs[key] for key in ("far", "far_ci")},
    }


def with_goals(told: dict[str, Any]) -> dict[str, Any]:
    """What is to be reached, beside what was."""
    errors = told["false_accepts"] + told["false_rejects"]
    goals = [_goal("search among 10,000 templates, ms", told["search_10000_ms"], SEARCH_MS)]
    if told["stock"]["measured"]:
        goals.insert(0, _goal("errors, at most stock's at its best threshold", errors, told["stock"]["best"]["errors"]))
        if "speedup" in told["at_720p"]:
            goals.append(_goal("times faster than stock at 1280 x 720", told["at_720p"]["speedup"], FASTER, least=True))
    return {**told, "errors": errors, "speedup": told["at_720p"].get("speedup"), "goals": goals}


def _goal(what: str, found: float, wanted: float, *, least: bool = False) -> dict[str, Any]:
    return {"goal": what, "found": found, "least" if least else "most": wanted,
            "met": found >= wanted if least else found <= wanted}  # fmt: skip  # a table
