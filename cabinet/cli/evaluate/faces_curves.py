"""The same counts by distance, and by size of the gallery."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from cabinet.cli.evaluate.faces_seen import Look
from cabinet.cli.evaluate.faces_sums import TURNED_AWAY, Crowd, share, verdict
from cabinet.identity.recognise import Rules

SIZES: Final = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
DRAWS: Final = 20  # random galleries of a size
MOST_JUDGED: Final = 60_000  # attempts at galleries of one size
STEPS: Final = tuple(round(0.20 + 0.01 * n, 2) for n in range(61))  # distances of the curve


def curve(probes: Sequence[Look], others: Sequence[Look], crowd: Crowd, *, left_out: bool) -> list[dict[str, Any]]:
    """Face alone, by the small network, with the margin: what each distance would let in and turn away."""
    mine = [_reach(look, crowd, look.photo.name, "") for look in probes]
    theirs = [_reach(look, crowd, "", look.photo.name if left_out else "") for look in others]
    return list(_points(mine, theirs))


def _reach(look: Look, crowd: Crowd, member: str, without: str) -> tuple[float, bool]:
    """From which distance on somebody is let in, and whether that is the right one."""
    if look.end != "encoded":
        return float("inf"), False
    near = crowd.near(look, without)
    if not near or (len(near) > 1 and near[1].distance - near[0].distance < crowd.rules.margin):
        return float("inf"), False
    return near[0].distance, near[0].member == member


def _points(mine: Sequence[tuple[float, bool]], theirs: Sequence[tuple[float, bool]]) -> Iterator[dict[str, Any]]:
    for at in STEPS:
        wrong = sum(reach <= at and not right for reach, right in mine)
        accepted = sum(reach <= at for reach, _ in theirs)
        rejected = sum(reach > at for reach, _ in mine)
        yield {
            "threshold": at,
            "far": share(accepted, len(theirs)),
            "frr": share(rejected, len(mine)),
            "false_accepts": accepted + wrong,
            "false_rejects": rejected,
        }


def by_size(
    looks: Sequence[Look], probes: Sequence[Look], others: Sequence[Look], rules: Rules
) -> list[dict[str, Any]]:
    """Random sets of the people enrolled, seeded; members who are not drawn are strangers; where there are none,
    each member is left out once.  Real pictures alone.
    """
    names = sorted({one.photo.name for one in looks if one.vector})
    asked = [one for one in (*probes, *others) if one.end == "encoded"]
    if len(names) < 2 or not asked:
        return []
    known = {id(one) for one in probes}
    sizes = [size for size in SIZES if size < len(names)]
    return [_of_size(size, names, looks, asked, known, rules) for size in (*sizes, len(names))]


def _of_size(
    size: int, names: Sequence[str], looks: Sequence[Look], asked: Sequence[Look], known: set[int], rules: Rules
) -> dict[str, Any]:
    dice = random.Random(size)  # noqa: S311  seeded dice, no secrets
    most = 1 if size == len(names) else max(1, min(DRAWS, MOST_JUDGED // len(asked)))
    rows, templates = [], 0
    for _ in range(most):
        drawn = frozenset(dice.sample(names, size))
        crowd = Crowd.of(looks, rules, drawn)
        templates = max(templates, crowd.gallery.searched())
        inside = {id(one) for one in asked if id(one) in known and one.photo.name in drawn}
        said = Counter(
            (id(one) in inside, verdict(one, crowd, one.photo.name if id(one) in inside else "")) for one in asked
        )
        strange = len(asked) - len(inside)
        if not strange:  # everybody is enrolled: each is left out for an attempt
            said.update((False, verdict(one, crowd, "", without=one.photo.name)) for one in asked)
            strange = len(asked)
        rows.append((said, len(inside), strange))
    mine, theirs = sum(row[1] for row in rows), sum(row[2] for row in rows)
    total: Counter[tuple[bool, str]] = Counter()
    for row in rows:
        total += row[0]
    rejected = sum(total[True, why] for why in TURNED_AWAY)
    return {
        "members": size,
        "draws": most,
        "templates": templates,
        "threshold": round(rules.alone(templates), 4),
        "with_digits": round(rules.together(templates), 4),
        "member_attempts": mine,
        "stranger_attempts": theirs,
        "far": share(total[False, "somebody else"], theirs),
        "far_most": max((share(row[0][False, "somebody else"], row[2]) or 0.0 for row in rows), default=0.0),
        "strangers_asked_digits": share(total[False, "digits for others"], theirs),
        "misidentified": share(total[True, "somebody else"], mine),
        "frr": share(rejected, mine),
        "needs_digits": share(total[True, "digits"], mine),
    }
