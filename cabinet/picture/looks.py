"""Sightings of one zone in a lane below its curve: a mark at the time of each, and in words what was seen by whom."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from cabinet.basket.evidence import Sighting
from cabinet.picture.page import CAME, PALE, TAKEN, Page, Taken
from cabinet.picture.told import Told

SIZE = 6.3
TOGETHER_S = 1.5  # looks at the same thing within this are one group of words
COMPARED_S = 4.0  # a look that spans longer compared the picture before with the one after
COLOURS = {"take": TAKEN, "return": CAME, "unknown": PALE}
MARKS = {"take": "v", "return": "^", "unknown": "d"}


def best(look: Sighting) -> tuple[str, float]:
    """The likeliest SKU and its score; "" where something else is likelier."""
    sku, score = max(look.scores.items(), key=lambda pair: pair[1], default=("", 0.0))
    return (str(sku), score) if score >= look.other else ("", look.other)


def draw_looks(page: Page, axes: Axes, told: Told, looks: Sequence[Sighting], room: tuple[float, float, float]) -> None:
    """`room`: width and height of the row, height of the lane, in inches."""
    width, height, lane = room
    transform = axes.get_xaxis_transform()
    for look in looks:
        y = lane / height / 2
        colour = COLOURS[look.action]
        if look.t1 - look.t0 < COMPARED_S:
            axes.plot(
                [look.t0, look.t1], [y, y], color=colour, linewidth=1.6, alpha=0.35, transform=transform, zorder=3
            )
        axes.plot([look.t], [y], marker=MARKS[look.action], color=colour, markersize=4.2, markeredgecolor="white",
                  markeredgewidth=0.5, transform=transform, linestyle="none", zorder=6)  # fmt: skip  # one mark
    taken = Taken()
    scale = width / (told.span[1] - told.span[0])
    groups = _groups(looks)
    for group in groups:
        x = (group[0].t - told.span[0]) * scale
        taken.take(x - 0.04, (group[-1].t - told.span[0]) * scale + 0.04, lane * 0.25, lane * 0.75)
    for group in groups:
        _words(page, axes, told, group, scale, room, taken)


def _words(
    page: Page, axes: Axes, told: Told, group: Sequence[Sighting], scale: float, room: tuple[float, float, float],
    taken: Taken,
) -> None:  # fmt: skip  # one group
    """Right of its marks, or left; shortened before it is left out."""
    width, height, lane = room
    x0, x1 = ((t - told.span[0]) * scale for t in (group[0].t, group[-1].t))
    tops = [lane / 2 - SIZE / 144] if lane < 0.25 else [0.0, lane - SIZE / 72 - 0.02, lane / 2 - SIZE / 144]
    for text in _texts(page, told, group):
        long = page.width(text, SIZE) + 0.04
        for left in (x1 + 0.07, x0 - 0.07 - long):
            for top in tops:
                if left < 0 or left + long > width or not taken.free(left, left + long, top, top + SIZE / 72):
                    continue
                taken.take(left, left + long, top, top + SIZE / 72)
                middle = (lane - top - SIZE / 144) / height
                axes.text(
                    left / width, middle, text, va="center", parse_math=False, zorder=5, fontsize=SIZE,
                    color=COLOURS[group[0].action], transform=axes.transAxes,
                )  # fmt: skip  # one text
                return


def _texts(page: Page, told: Told, group: Sequence[Sighting]) -> list[str]:
    sku = best(group[0])[0]
    what = told.name(sku) if sku else "something else"
    every = ", ".join(f"{look.camera} {100 * best(look)[1]:.0f} %" for look in group)
    top = max(group, key=lambda look: best(look)[1])
    most = f"{top.camera} {100 * best(top)[1]:.0f} %" + (f" +{len(group) - 1}" if len(group) > 1 else "")
    return [
        *(f"{page.cut(what, room, SIZE)}: {who}" for room in (1.5, 1.0) for who in (every, most)),
        f"{page.cut(what, 0.6, SIZE)}: {most}",
        most,
    ]


def _groups(looks: Sequence[Sighting]) -> list[list[Sighting]]:
    """Looks at the same thing, doing the same, at about the same time."""
    found: dict[tuple[str, str, bool], list[list[Sighting]]] = {}
    for look in sorted(looks, key=lambda look: look.t):
        mine = found.setdefault((best(look)[0], look.action, look.t1 - look.t0 >= COMPARED_S), [])
        if mine and look.t - mine[-1][-1].t <= TOGETHER_S:
            mine[-1].append(look)
        else:
            mine.append([look])
    return sorted((group for mine in found.values() for group in mine), key=lambda g: -max(best(x)[1] for x in g))
