"""How near strangers' faces come in these very pictures: `cabinet.identity.budget` is built on such figures."""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, Final

from cabinet.cli.evaluate.faces_seen import Look, Looked
from cabinet.cli.evaluate.faces_sums import Crowd, share
from cabinet.identity.budget import Tail, threshold
from cabinet.identity.recognise import Rules

LEAST_PAIRS: Final = 20  # within the anchor's distance: fewer say nothing
ANCHOR: Final = 5e-4  # of the pairs, where there are enough of them
FITTED: Final = (1e-3, 3e-3, 1e-2, 3e-2, 5e-2, 0.1)  # quantiles that the spread is fitted on
RESAMPLED: Final = 400
MOST_LOOKS: Final = 2_000
MOST_COMPARED: Final = 200_000  # of pictures with members
SIZES: Final = (1, 10, 100, 1_000, 10_000, 100_000)


def tail(looks: Sequence[Look], rules: Rules) -> dict[str, Any] | None:
    """From all pairs of different people, by the small network; None where they are too few.

    `share_upper` is the upper end of a bootstrap over people, not over pairs: pairs of the same two are no news.
    """
    import numpy as np  # noqa: PLC0415  only where it is asked for

    found = [one for one in looks if one.vector]
    some = found[:: max(1, -(-len(found) // MOST_LOOKS))]
    names = sorted({one.photo.name for one in some})
    if len(names) < 5:
        return None
    place = {name: n for n, name in enumerate(names)}
    owner = np.array([place[one.photo.name] for one in some], int)
    rows = np.array([one.vector for one in some], np.float64)
    squares = (rows * rows).sum(1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * rows @ rows.T, 0))
    first, second = np.triu_indices(len(some), 1)
    strange = owner[first] != owner[second]
    far, near = np.sort(apart[first, second][strange]), apart[first, second][~strange]
    anchor = max(ANCHOR, LEAST_PAIRS / len(far))
    if anchor > FITTED[-3]:
        return None
    at = float(np.quantile(far, anchor))
    upper = _upper(apart <= at, owner, len(names))
    told = {
        "people": len(names),
        "pairs": len(far),
        "same_person_pairs": len(near),
        "at": round(at, 3),
        "share": float(f"{anchor:.2g}"),
        "share_upper": float(f"{upper:.2g}"),
        "sd": round(_spread(far, anchor), 3),
        "nearest_strangers": round(float(far[0]), 3),
        "within_0.6": float(f"{(far <= 0.6).mean():.3g}"),
        "quantiles": {str(q): round(float(np.quantile(far, q)), 3) for q in FITTED},
        "same_person": {str(q): round(float(np.quantile(near, q)), 3) for q in (0.5, 0.9, 0.95, 0.99) if len(near)},
        "histogram": _histogram(far, near),
    }
    return {**told, "thresholds": [_allowed(size, rules, told) for size in SIZES]}


def _spread(far: Any, anchor: float) -> float:  # noqa: ANN401  a row of numbers
    """The sd of the normal distribution whose quantiles these are: a line through them."""
    import numpy as np  # noqa: PLC0415  likewise

    used = [quantile for quantile in FITTED if quantile >= anchor]
    return float(np.polyfit([NormalDist().inv_cdf(quantile) for quantile in used], np.quantile(far, used), 1)[0])


def _allowed(size: int, rules: Rules, told: dict[str, Any]) -> dict[str, Any]:
    here, cautious = (Tail(told["at"], told[key], told["sd"]) for key in ("share", "share_upper"))
    return {
        "members": size,
        "in_use": round(rules.alone(size), 3),
        "measured_here": round(threshold(size, rules.false_match, here), 3),
        "measured_here_cautious": round(threshold(size, rules.false_match, cautious), 3),
        "in_use_with_digits": round(rules.together(size), 3),
    }


def members(looked: Looked, crowd: Crowd, within: float) -> dict[str, Any]:
    """What pairs do not tell: several templates of a member, frames that follow each other, the margin.

    `within`: the distance that strangers are counted at.
    """
    import numpy as np  # noqa: PLC0415  likewise

    templates: dict[str, list[Any]] = {}
    for one in looked.enrolled:
        if one.vector:
            templates.setdefault(one.photo.name, []).append(one.vector)
    rows = {name: np.array(vectors) for name, vectors in templates.items()}
    single, nearest, pairs, tries, margins = 0, 0, 0, 0, []
    near: dict[tuple[str, str], list[bool]] = {}
    asked = [one for one in (*looked.probes, *looked.impostors) if one.vector]
    for one in asked[:: 1 + len(asked) * len(rows) // MOST_COMPARED]:
        apart = {name: np.linalg.norm(row - np.array(one.vector), axis=1) for name, row in rows.items()}
        others = [name for name in apart if name != one.photo.name]
        for name in others:
            single, pairs = single + int((apart[name] <= within).sum()), pairs + len(apart[name])
            near.setdefault((one.photo.name, name), []).append(bool(apart[name].min() <= within))
        nearest, tries = nearest + sum(near[one.photo.name, name][-1] for name in others), tries + len(others)
        if one.photo.name in apart and others:
            margins.append(float(min(apart[name].min() for name in others) - apart[one.photo.name].min()))
    twice = [(sum(row) * (sum(row) - 1), sum(row) * (len(row) - 1)) for row in near.values()]
    return {
        "within": round(within, 3),
        "templates_of_a_member": round(len([one for one in looked.enrolled if one.vector]) / max(len(rows), 1), 1),
        "strangers_to_a_template": share(single, pairs),
        "strangers_to_a_member": share(nearest, tries),
        "again_in_another_picture": share(sum(hit for hit, _ in twice), sum(of for _, of in twice)),
        "margin_least": round(min(margins), 3) if margins else None,
        "margin_5_percent": round(float(np.quantile(margins, 0.05)), 3) if margins else None,
        "below_the_margin": share(sum(margin < crowd.rules.margin for margin in margins), len(margins)),
    }


def _upper(within: Any, owner: Any, people: int) -> float:  # noqa: ANN401  matrices
    """97.5 % of the share of pairs within, drawing people with replacement."""
    import numpy as np  # noqa: PLC0415  likewise

    who = np.eye(people)[owner]
    hits, pairs = who.T @ within @ who, who.T @ np.ones_like(within, float) @ who
    np.fill_diagonal(hits, 0)
    np.fill_diagonal(pairs, 0)
    weights = np.random.default_rng(1).multinomial(people, np.full(people, 1 / people), RESAMPLED).astype(float)
    drawn = np.einsum("ri,ij,rj->r", weights, hits, weights) / np.einsum("ri,ij,rj->r", weights, pairs, weights)
    return float(np.quantile(drawn, 0.975))


def _histogram(far: Any, near: Any) -> dict[str, list[float]]:  # noqa: ANN401  rows of numbers
    import numpy as np  # noqa: PLC0415  likewise

    edges = np.linspace(0, 1.2, 61)
    told = {"edges": [round(float(edge), 2) for edge in edges]}
    for name, values in (("different", far), ("same", near)):
        counts = np.histogram(values, edges)[0]
        told[name] = [round(float(count) / max(len(values), 1), 5) for count in counts]
    return told
