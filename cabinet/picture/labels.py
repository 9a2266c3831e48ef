"""The changes of a zone: dot, settled level and words, placed where they cover neither each other nor the curve."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from cabinet.picture.page import CAME, INK, ODD, PALE, TAKEN, Page, Taken, grams
from cabinet.picture.told import Curve, Told
from cabinet.units import ZoneId

SIZE = 7.0
LINE_IN = SIZE / 72 * 1.25
LONG_IN, SHORT_IN = 2.6, 1.4
PAD = {"boxstyle": "square,pad=0.06", "facecolor": "white", "edgecolor": "none", "alpha": 0.7}

Room = tuple[float, float]  # width and height of the row in inches


def label_steps(page: Page, axes: Axes, told: Told, zone: ZoneId, curve: Curve, room: Room, taken: Taken) -> None:
    steps = [(n, step) for n, step in enumerate(told.steps, 1) if step.get("zone") == zone]
    start = curve.level(max(told.span[0], -0.5))
    edges = [*(step["t"] for _, step in steps), told.span[1]]
    if start is not None and steps:
        _level(axes, told.span[0], edges[0], start)
    for i, (_, step) in enumerate(steps):
        level = curve.level(step["t"])
        if level is not None:
            _level(axes, step["t"], edges[i + 1], level)
            axes.plot([step["t"]] * 2, [level, level - step["delta_g"]], color=colour(step), linewidth=1,
                      linestyle=(0, (2, 2)), zorder=4)  # fmt: skip  # one line
            axes.plot([step["t"]], [level], marker="v" if step["delta_g"] < 0 else "^", color=colour(step),
                      markersize=6.5, markeredgecolor="white", markeredgewidth=0.9, zorder=6)  # fmt: skip  # one mark
            x, y = _inches(axes, step["t"], level, room)
            taken.take(x - 0.05, x + 0.05, y - 0.05, y + 0.05)
    for n, step in steps:
        level = curve.level(step["t"])
        if level is not None:
            at = _inches(axes, step["t"], level, room)
            _words(page, axes, _texts(page, told, n, step), colour(step), at, room, curve, taken)


def _level(axes: Axes, t0: float, t1: float, level: float) -> None:
    axes.plot([t0, t1], [level, level], color=INK, linewidth=0.7, linestyle=(0, (1, 2)), zorder=3)


def colour(step: Mapping[str, Any]) -> str:
    if not step.get("items"):
        return PALE
    return TAKEN if step["delta_g"] < 0 else CAME


def read_as(told: Told, step: Mapping[str, Any]) -> str:
    items = step.get("items") or {}
    return ", ".join(f"{'took' if n > 0 else 'put'} {abs(n)} {told.name(sku)}" for sku, n in items.items())


def _texts(page: Page, told: Told, n: int, step: Mapping[str, Any]) -> list[list[str]]:
    """From all there is to say down to the number of the change."""
    change = f"{n}: {grams(step['delta_g'])}"
    if step.get("sd_g"):
        change += f" ± {step['sd_g']:.1f}"
    words = read_as(told, step) or ("no goods" if told.read else "not explained")
    long, short = (page.cut(words, room, SIZE, "bold") for room in (LONG_IN, SHORT_IN))
    return [
        [change, long], [change, short], [f"{change} {long}"], [f"{change} {short}"],
        [page.cut(f"{change} {words}", SHORT_IN, SIZE, "bold")], [change], [f"{n}"],
    ]  # fmt: skip  # a list


def _words(
    page: Page, axes: Axes, texts: Sequence[Sequence[str]], ink: str, at: tuple[float, float], room: Room,
    curve: Curve, taken: Taken,
) -> None:  # fmt: skip  # one step
    """The first of the texts that has room; none where none has: the mark stays in any case."""
    for lines in texts:
        width = max(page.width(line, SIZE, "bold") for line in lines) + 0.04
        height = LINE_IN * len(lines) + 0.02
        free = [
            (_covered(axes, curve, (*box, width, height), room), box)
            for box in _candidates(at, width, height)
            if box[0] >= 0 and box[0] + width <= room[0] and box[1] >= 0 and box[1] + height <= room[1]
            and taken.free(box[0], box[0] + width, box[1], box[1] + height)
        ]  # fmt: skip  # one search
        if not free:
            continue
        _, (x, y) = min(free, key=lambda pair: pair[0])
        taken.take(x, x + width, y, y + height)
        right = x + width / 2 < at[0]
        axes.text(
            (x + (width if right else 0)) / room[0], 1 - y / room[1], "\n".join(lines), transform=axes.transAxes,
            fontsize=SIZE, weight="bold", color=ink, ha="right" if right else "left", va="top",
            linespacing=1.12, parse_math=False, zorder=7,
            bbox=PAD,
        )  # fmt: skip  # one text
        return


def _candidates(at: tuple[float, float], width: float, height: float) -> Iterator[tuple[float, float]]:
    """Upper left corners around a mark, the nearest first."""
    x, y = at
    for away in (0.08, 0.3, 0.6, 1.0):
        for left in (x + away, x - away - width):
            for top in (y - height - 0.04, y + 0.04, y - height / 2, y - 2 * height, y + height):
                yield left, top


def _covered(axes: Axes, curve: Curve, box: tuple[float, float, float, float], room: Room) -> float:
    """Share of the samples beneath a label that it would hide."""
    x, y, width, height = box
    t0, t1 = (axes.get_xlim()[0] + x_ / room[0] * np.diff(axes.get_xlim())[0] for x_ in (x, x + width))
    low, high = axes.get_ylim()
    near = curve.g[(curve.t >= t0) & (curve.t <= t1)]
    if not near.size:
        return 0.0
    tops = room[1] * (1 - (near - low) / (high - low))
    return float(np.mean((tops > y) & (tops < y + height)))


def _inches(axes: Axes, t: float, g: float, room: Room) -> tuple[float, float]:
    """From the row's left and upper edge."""
    (x0, x1), (low, high) = axes.get_xlim(), axes.get_ylim()
    return (t - x0) / (x1 - x0) * room[0], (1 - (g - low) / (high - low)) * room[1]


def label_troughs(page: Page, axes: Axes, told: Told, curve: Curve, room: Room, taken: Taken) -> None:
    """What went beyond the row's scale, at its edge, with the farthest value of each burst in words."""
    low, high = axes.get_ylim()
    for beyond, mark, edge in ((curve.g > high, "^", 0.0), (curve.g < low, "v", 1.0)):
        where = np.flatnonzero(beyond)
        if not where.size:
            continue
        for burst in np.split(where, np.flatnonzero(np.diff(curve.t[where]) > 1.0) + 1)[:12]:
            worst = burst[int(np.argmax(np.abs(curve.g[burst])))]
            t, g = float(curve.t[worst]), float(curve.g[worst])
            x = (t - told.span[0]) / (told.span[1] - told.span[0]) * room[0]
            axes.plot([t], [1 - edge], marker=mark, color=ODD, markersize=4, transform=axes.get_xaxis_transform(),
                      clip_on=False, zorder=6)  # fmt: skip  # one mark
            text = f"to {g:,.0f} g".replace("-", "−")
            width = page.width(text, 6) + 0.04
            y = 0.0 if edge == 0.0 else room[1] - 0.11
            if x + 0.06 + width < room[0] and taken.free(x + 0.06, x + 0.06 + width, y, y + 0.11):
                taken.take(x, x + 0.06 + width, y, y + 0.11)
                place = ((x + 0.06) / room[0], 1 - (y + 0.055) / room[1])
                axes.text(
                    *place, text, transform=axes.transAxes, fontsize=6, color=ODD, va="center", zorder=6, bbox=PAD
                )
