"""Four rows above the curves: the session's states, the bolt, the door, and what went wrong; lines through all rows."""

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes

from cabinet.basket.evidence import Bolt, Door, Health
from cabinet.picture.page import BANDS, INK, ODD, PALE, Page, Taken
from cabinet.picture.told import Told

BANDS_IN = 0.74
SIZE = 6.8
ROWS = ("state", "bolt", "door", "parts")
IDLE = "#f1f3f5"


def draw_bands(page: Page, axes: Axes, told: Told, width: float) -> None:
    axes.set_xlim(told.span)
    axes.set_ylim(len(ROWS), 0)
    axes.set_xticks([])
    axes.set_yticks([i + 0.5 for i in range(len(ROWS))], ROWS, fontsize=7.5, color=INK)
    scale = width / (told.span[1] - told.span[0])
    for row in range(3):
        axes.barh(row + 0.5, told.span[1] - told.span[0], left=told.span[0], height=0.78, color=IDLE)
    names = list(dict.fromkeys(name for _, name in told.states))
    for t0, t1, name in _stretches(told.states, told.span):
        _bar(page, axes, (t0, t1), 0, BANDS[names.index(name) % len(BANDS)], name, scale)
    bolt = [(e.t, "" if e.locked else "released") for e in told.visit.events if isinstance(e, Bolt)]
    door = [(e.t, "open" if e.open else "") for e in told.visit.events if isinstance(e, Door)]
    for row, colour, marks in ((1, "#f0d48a", bolt), (2, "#f3c1a5", door)):
        for t0, t1, name in _stretches(marks, told.span):
            if name:
                _bar(page, axes, (t0, t1), row, colour, name, scale)
    _troubles(page, axes, told, scale)
    draw_lines(axes, told)
    if told.barrier is not None:
        _barrier(page, axes, told, scale)


def _bar(page: Page, axes: Axes, between: tuple[float, float], row: int, colour: str, name: str, scale: float) -> None:
    t0, t1 = between
    axes.barh(row + 0.5, t1 - t0, left=t0, height=0.78, color=colour, edgecolor="white", linewidth=0.8)
    room = (t1 - t0) * scale - 0.06
    if room > 0.22:
        text = page.cut(name, room, SIZE)
        axes.text((t0 + t1) / 2, row + 0.53, text, ha="center", va="center", fontsize=SIZE, color=INK, parse_math=False)


def _stretches(marks: Sequence[tuple[float, str]], span: tuple[float, float]) -> Iterable[tuple[float, float, str]]:
    if not marks:
        return []
    ends = [t for t, _ in marks[1:]] + [span[1]]
    return [(max(t, span[0]), end, name) for (t, name), end in zip(marks, ends, strict=True) if end > t]


def _troubles(page: Page, axes: Axes, told: Told, scale: float) -> None:
    """Marks at their time: a cross where a part failed or samples were lost, a ring where it was well again."""
    taken, first = Taken(), told.span[0]
    for event in told.troubles():
        taken.take((event.t - first) * scale - 0.06, (event.t - first) * scale + 0.06, 0, 1)
    for event in told.troubles():
        well = isinstance(event, Health) and event.ok
        axes.plot([event.t], [3.5], marker="o" if well else "X", markersize=4.5, color=ODD, linestyle="none",
                  markerfacecolor="white" if well else ODD)  # fmt: skip  # one mark
        what = "" if isinstance(event, Health) else f" {event.seconds:g} s lost"
        text = f"{event.part}{' well again' if well else what}"
        x0 = (event.t - first) * scale + 0.07
        x1 = x0 + page.width(text, SIZE) + 0.06
        if taken.free(x0, x1, 0, 1) and x1 < (told.span[1] - first) * scale:
            taken.take(x0, x1, 0, 1)
            axes.annotate(
                text, (event.t, 3.5), xytext=(5, 0), textcoords="offset points", fontsize=SIZE, color=ODD,
                va="center", parse_math=False,
            )  # fmt: skip  # one text
    if not told.troubles():
        axes.text(told.span[0] + 0.03 / scale, 3.52, "all well", fontsize=SIZE, color=PALE, va="center")


def _barrier(page: Page, axes: Axes, told: Told, scale: float) -> None:
    """Its name above the bands, never beyond the right edge."""
    t = told.barrier or 0.0
    room = (told.span[1] - t) * scale
    right = room > page.width("judged up to here", 6.5) / 2
    axes.annotate(
        "judged up to here", (t, 0), xytext=(0, 0), textcoords="offset points", fontsize=6.2, color=INK,
        ha="center" if right else "right", va="bottom",
    )  # fmt: skip  # one text


def draw_lines(axes: Axes, told: Told) -> None:
    """The barrier through a row: what is right of it belongs to the evidence, not to the bill."""
    if told.barrier is not None:
        axes.axvline(told.barrier, color=INK, linewidth=0.9, linestyle=(0, (4, 2)), zorder=4)
        axes.axvspan(told.barrier, told.span[1], color="#ffffff", alpha=0.55, linewidth=0, zorder=3)
