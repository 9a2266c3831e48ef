"""One visit as one picture: masses with their explained steps, door, bolt and states, key frames, the verdict.

Draws what the trace and tally.json say and judges nothing.  matplotlib is loaded inside the functions (it takes a
second and 60 MB): call this from the command line or a background thread only.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cabinet import trace
from cabinet.basket.evidence import BARRIER, Bolt, Door, Header, Mass, Sighting, State, Visit
from cabinet.units import CameraId, ZoneId

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, PALE, GRID, PAPER = "#1f2933", "#7b8794", "#e4e7eb", "#ffffff"
TAKEN, CAME, ODD = "#c2410c", "#0f766e", "#9f1239"
CURVES = ("#2563eb", "#7c3aed", "#0891b2", "#4d7c0f", "#b45309", "#be185d")
VERDICTS = {"charge": "#166534", "nothing": "#334155", "review": "#b45309"}
BANDS = ("#c7d2fe", "#bae6fd", "#bbf7d0", "#fde68a", "#fed7aa", "#ddd6fe", "#e2e8f0")
MOST_FRAMES = 4
MOST_ZONES = 8
MOST_NAMES = 26  # characters of a product's name beside a curve


@dataclass(frozen=True)
class _Still:
    camera: CameraId
    t: float
    path: Path
    looks: tuple[Sighting, ...] = ()


def draw_visit(folder: Path, out: Path, states: Sequence[tuple[float, str]] = ()) -> None:
    """Draw the trace in `folder` to the PNG `out`; `states` (t, name) replace those of the trace.

    tally.json is used where it is there.  TraceError where the trace cannot be read.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  heavy, see above
    from matplotlib.figure import Figure  # noqa: PLC0415  likewise

    visit = trace.read(folder)
    told = _told(folder)
    zones = _zones(visit, told)
    stills = _stills(folder, visit)
    heights = [0.62, 0.62, *([1.25] * len(zones)), *([1.75] if stills else [])]
    figure = Figure(figsize=(12.8, 1.1 + sum(heights) * 1.06), dpi=120, facecolor=PAPER)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        len(heights), 1, height_ratios=heights, left=0.075, right=0.975, top=0.975, bottom=0.05, hspace=0.18
    )
    _headline(figure.add_subplot(grid[0]), visit.header, told)
    span = _span(visit)
    _bands(figure.add_subplot(grid[1]), visit, states or _states(visit), span)
    for i, zone in enumerate(zones):
        axes = figure.add_subplot(grid[2 + i])
        _zone(axes, visit, zone, told, span, CURVES[i % len(CURVES)])
        axes.tick_params(labelbottom=i == len(zones) - 1)
        axes.xaxis.set_major_formatter("{x:g} s")
    if stills:
        _frames(figure, figure.add_subplot(grid[-1]), stills, visit.header)
    figure.savefig(out)


# What there is to draw


def _told(folder: Path) -> dict[str, Any]:
    path = folder / "tally.json"
    found = json.loads(path.read_text()) if path.is_file() else {}
    return found if isinstance(found, dict) else {}


def _span(visit: Visit) -> tuple[float, float]:
    ends = [e.t + (len(e.g) / e.hz if isinstance(e, Mass) else 0) for e in visit.events]
    return min([e.t for e in visit.events], default=0.0), max(ends, default=1.0)


def _zones(visit: Visit, told: Mapping[str, Any]) -> list[ZoneId]:
    """Zones in order; where there are too many, the ones in which something happened."""
    zones = sorted(visit.header.zones)
    if len(zones) <= MOST_ZONES:
        return zones
    busy = {step["zone"] for step in told.get("account", {}).get("steps", [])}
    return sorted(sorted(zones, key=lambda z: z not in busy)[:MOST_ZONES])


def _states(visit: Visit) -> list[tuple[float, str]]:
    return [(e.t, e.name) for e in visit.events if isinstance(e, State) and e.name != BARRIER]


def _stills(folder: Path, visit: Visit) -> list[_Still]:
    """At most MOST_FRAMES: the first and the last of the trace, and those nearest to looks with a box."""
    found = [
        _Still(CameraId(path.parent.name), int(path.stem) / 1000, path)
        for path in sorted(folder.glob("frames/*/*.jpg"))
        if path.stem.lstrip("-").isdigit()
    ]
    if not found:
        return []
    found.sort(key=lambda s: (s.t, s.camera))
    looks = [e for e in visit.events if isinstance(e, Sighting)]
    mine: dict[_Still, list[Sighting]] = {}
    for look in looks:
        same = [s for s in found if s.camera == look.camera]
        if same:
            mine.setdefault(min(same, key=lambda s: abs(s.t - look.t)), []).append(look)
    last = max((s for s in found if s.camera == found[0].camera), key=lambda s: s.t)
    best = sorted(mine, key=lambda s: (-max(_sure(look) for look in mine[s]), s.t))
    chosen = list(dict.fromkeys([found[0], last, *best, *found]))[:MOST_FRAMES]
    return [
        _Still(s.camera, s.t, s.path, tuple(mine.get(s, ()))) for s in sorted(chosen, key=lambda s: (s.t, s.camera))
    ]


def _sure(look: Sighting) -> float:
    return max(look.scores.values(), default=0.0) + (1.0 if look.box else 0.0)


# Drawing


def _headline(axes: "Axes", header: Header, told: Mapping[str, Any]) -> None:
    axes.set_axis_off()
    outcome = str(told.get("outcome", "not tallied yet"))
    colour = VERDICTS.get(outcome, PALE)
    words, small = _verdict(header, told)
    badge = {"boxstyle": "round,pad=0.45", "facecolor": colour, "edgecolor": "none"}
    mark = axes.text(
        0.004, 0.72, outcome.upper(), color="white", fontsize=11, weight="bold", va="center", bbox=badge,
        transform=axes.transAxes,
    )  # fmt: skip
    axes.annotate(
        _short(words, 78), (1, 0.5), xycoords=mark, xytext=(18, 0), textcoords="offset points", fontsize=13,
        weight="bold", color=INK, va="center",
    )  # fmt: skip
    if outcome == "charge":
        amount = _money(told.get("total", 0), header.currency)
        axes.text(
            1, 0.72, amount, transform=axes.transAxes, ha="right", va="center", fontsize=15, weight="bold", color=INK
        )
    axes.text(0, 0.08, small, fontsize=8.5, color=PALE, va="center", transform=axes.transAxes)


def _verdict(header: Header, told: Mapping[str, Any]) -> tuple[str, str]:
    lines = told.get("lines") or told.get("best_guess") or []
    goods = ", ".join(f"{line['quantity']} × {line['name']}" for line in lines)
    when = header.started_at[:19].replace("T", " ")
    small = [f"visit {header.visit}", header.cabinet, when]
    if "confidence" in told:
        small.append(f"confidence {_percent(told['confidence'])}")
    runner_up = told.get("account", {}).get("runner_up", "")
    if runner_up:
        small.append(f"next best: {_short(runner_up, 80)}")
    match told.get("outcome"):
        case "charge":
            words = goods
        case "nothing":
            words = "Nothing was taken"
        case "review":
            words = str(told.get("reason", ""))
        case _:
            words = ""
    return words, "   ·   ".join(small)


def _money(minor: int, currency: str) -> str:
    from cabinet.receipt import money  # noqa: PLC0415  only a charged picture has an amount

    return f"{currency} {money(minor, currency)}"


def _percent(confidence: float) -> str:
    return "> 99.9 %" if confidence > 0.999 else f"{100 * confidence:.1f} %"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _bands(axes: "Axes", visit: Visit, states: Sequence[tuple[float, str]], span: tuple[float, float]) -> None:
    """Three rows: the session's states, the bolt, the door."""
    _frame(axes, span)
    rows = ["door", "bolt", "state"][: 3 if states else 2]
    axes.set_ylim(0, len(rows))
    axes.set_yticks([i + 0.5 for i in range(len(rows))], rows, fontsize=8.5, color=INK)
    axes.tick_params(length=0, labelbottom=False)
    names = list(dict.fromkeys(name for _, name in states))
    for t0, t1, name in _stretches(states, span):
        _bar(axes, t0, t1, 2, BANDS[names.index(name) % len(BANDS)], name)
    bolt = [(e.t, "" if e.locked else "released") for e in visit.events if isinstance(e, Bolt)]
    door = [(e.t, "open" if e.open else "") for e in visit.events if isinstance(e, Door)]
    for row, colour, marks in ((1, "#fcd34d", bolt), (0, "#fca5a5", door)):
        axes.barh(row + 0.5, span[1] - span[0], left=span[0], height=0.72, color="#f5f7fa")
        for t0, t1, name in _stretches(marks, span):
            if name:
                _bar(axes, t0, t1, row, colour, name)


def _stretches(marks: Sequence[tuple[float, str]], span: tuple[float, float]) -> Iterable[tuple[float, float, str]]:
    if not marks:
        return []
    ends = [t for t, _ in marks[1:]] + [span[1]]
    return [(max(t, span[0]), end, name) for (t, name), end in zip(marks, ends, strict=True) if end > t]


def _bar(axes: "Axes", t0: float, t1: float, row: int, colour: str, name: str) -> None:
    axes.barh(row + 0.5, t1 - t0, left=t0, height=0.72, color=colour, edgecolor="white", linewidth=1)
    left, right = axes.get_xlim()
    if t1 - t0 > 0.0075 * len(name) * (right - left):
        axes.text((t0 + t1) / 2, row + 0.48, name, ha="center", va="center", fontsize=8, color=INK)


def _frame(axes: "Axes", span: tuple[float, float]) -> None:
    axes.set_xlim(span)
    axes.set_facecolor(PAPER)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)


def _zone(
    axes: "Axes", visit: Visit, zone: ZoneId, told: Mapping[str, Any], span: tuple[float, float], colour: str
) -> None:
    _frame(axes, span)
    axes.grid(axis="both", color=GRID, linewidth=0.7)
    axes.tick_params(length=0, labelsize=8, labelcolor=PALE)
    for t0, t1, name in _stretches([(e.t, "o" if e.open else "") for e in visit.events if isinstance(e, Door)], span):
        if name:
            axes.axvspan(t0, t1, color="#fef2f2", linewidth=0, zorder=0)
    points = [
        (e.t + i / e.hz, g)
        for e in visit.events
        if isinstance(e, Mass) and e.zone == zone
        for i, g in enumerate(e.g)
        if g is not None
    ]
    axes.set_ylabel(zone, fontsize=11, weight="bold", color=colour, rotation=0, ha="right", va="center")
    axes.yaxis.set_label_coords(-0.052, 0.5)
    if not points:
        axes.text(0.5, 0.5, "was not weighed", transform=axes.transAxes, ha="center", va="center", color=ODD)
        axes.set_yticks([])
        return
    axes.plot(*zip(*points, strict=True), color=colour, linewidth=0.9, solid_joinstyle="round")
    low, high = _range([g for _, g in points])
    axes.set_ylim(low, high)
    axes.locator_params(axis="y", nbins=4, steps=[1, 2, 5, 10])
    axes.yaxis.set_major_formatter("{x:,.0f} g")
    account = told.get("account", {})
    steps = [step for step in account.get("steps", []) if step.get("zone") == zone]
    for i, step in enumerate(steps):
        _step(axes, step, points, visit.header, last=i == len(steps) - 1 or steps[i + 1]["t"] - step["t"] > 3)
    if zone in account.get("net_g", {}):
        _net(axes, account["net_g"][zone], account.get("unexplained_g", {}).get(zone))


def _range(grams: Sequence[float]) -> tuple[float, float]:
    """The limits of the axis: without the outermost spikes, never so narrow that noise looks like goods."""
    ordered = sorted(grams)
    cut = len(ordered) // 500
    low, high = ordered[cut], ordered[-1 - cut]
    room = max(0.22 * (high - low), 30 - (high - low) / 2, 6)
    return low - room, high + room


def _step(
    axes: "Axes", step: Mapping[str, Any], points: Sequence[tuple[float, float]], header: Header, *, last: bool
) -> None:
    """A dot where it had settled, the change in grams, and what the verdict's story says it was."""
    t, delta = step["t"], step["delta_g"]
    colour = (TAKEN if delta < 0 else CAME) if step.get("items") else PALE
    after = [g for at, g in points if t <= at <= t + 0.3] or [points[-1][1]]
    level = sorted(after)[len(after) // 2]
    axes.plot([t], [level], "o", color=colour, markersize=6, markeredgecolor="white", markeredgewidth=1.2, zorder=5)
    axes.plot([t, t], [level, level - delta], color=colour, linewidth=1, linestyle=(0, (2, 2)), zorder=1)
    text = f"{delta:+,.0f} g".replace("-", "−")
    for sku, n in step.get("items", {}).items():
        name = header.catalog[sku].name if sku in header.catalog else sku
        text += f"\n{'−' if n > 0 else '+'}{abs(n)} {_short(name, MOST_NAMES)}"
    low, high = axes.get_ylim()
    up = (level - low) / (high - low) < 0.5
    right = last and t < axes.get_xlim()[0] + 0.8 * (axes.get_xlim()[1] - axes.get_xlim()[0])
    axes.annotate(
        text, (t, level), xytext=(8 if right else -8, 7 if up else -7), textcoords="offset points", fontsize=8,
        color=colour, weight="bold", ha="left" if right else "right", va="bottom" if up else "top", linespacing=1.3,
        bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}, zorder=6,
    )  # fmt: skip


def _net(axes: "Axes", net_g: float, unexplained_g: float | None) -> None:
    text = f"net {net_g:+,.1f} g"
    if unexplained_g is not None:
        text += f", unexplained {unexplained_g:+,.1f} g"
    axes.text(
        0.995, 0.94, text.replace("-", "−"), transform=axes.transAxes, ha="right", va="top", fontsize=8, color=PALE,
        bbox={"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
    )  # fmt: skip


def _frames(figure: "Figure", place: "Axes", stills: Sequence[_Still], header: Header) -> None:
    """Stills side by side, with the boxes and names of what was seen in them."""
    from matplotlib.image import imread  # noqa: PLC0415  heavy

    box = place.get_position()
    place.remove()
    gap = 0.012
    width = (box.width - gap * (MOST_FRAMES - 1)) / MOST_FRAMES
    for i, still in enumerate(stills):
        axes = figure.add_axes((box.x0 + i * (width + gap), box.y0 - 0.012, width, box.height - 0.015))
        axes.set_axis_off()
        try:
            picture = imread(still.path)
        except (OSError, ValueError, SyntaxError):  # Pillow's word for a broken file
            axes.text(0.5, 0.5, "damaged still", ha="center", va="center", color=ODD)
            continue
        axes.imshow(picture, aspect="equal")
        axes.set_title(
            f"{still.camera}   {still.t:.1f} s".replace("-", "−"), fontsize=8.5, color=INK, loc="left", pad=3
        )
        _boxes(axes, still.looks, header, picture.shape[1])


def _boxes(axes: "Axes", looks: Sequence[Sighting], header: Header, width: int) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415  heavy

    words = []
    for look in looks:
        sku, score = max(look.scores.items(), key=lambda pair: pair[1], default=("", 0.0))
        name = header.catalog[sku].name if sku in header.catalog else "something"  # type: ignore[index] # "" is no SKU
        text = f"{look.action}: {_short(name, MOST_NAMES)} {100 * score:.0f} %"
        if look.box is None:
            words.append(text)
            continue
        x0, y0, x1, y1 = look.box
        colour = CAME if look.action == "return" else TAKEN
        axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=colour, linewidth=1.6))
        label = {"boxstyle": "square,pad=0.2", "facecolor": colour, "edgecolor": "none"}
        right = x0 > width / 2
        axes.text(
            x1 if right else x0, y0, text, fontsize=6, color="white", ha="right" if right else "left", va="bottom",
            bbox=label, clip_on=True,
        )  # fmt: skip
    if words:
        axes.text(0, -0.03, "\n".join(words[:3]), transform=axes.transAxes, fontsize=6.5, color=PALE, va="top")
