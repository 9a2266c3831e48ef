"""One zone's row: every extreme of its mass, where it settled, what each change was read as, and who saw it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from cabinet.basket.evidence import Door
from cabinet.picture.labels import label_steps, label_troughs
from cabinet.picture.looks import draw_looks
from cabinet.picture.page import CURVE, GRID, INK, ODD, PALE, Page, Taken, grams
from cabinet.picture.told import Curve, Told
from cabinet.units import ZoneId

BINS_AN_INCH = 90
LANE_IN = 0.17  # of the sightings, at the lower edge

Place = tuple[float, float, float, float]  # left, top, width, height of the row in inches


def draw_zone(page: Page, axes: Axes, told: Told, zone: ZoneId, place: Place) -> None:
    left, top, width, height = place
    axes.set_xlim(told.span)
    axes.tick_params(labelbottom=False)
    axes.patch.set_facecolor("#fafbfc")
    page.write(0.3, top + height / 2, page.cut(zone, 0.42, 10, "bold"), 10, INK, weight="bold")
    _door(axes, told)
    net = _net(told, zone)
    size = 6.8 if height > 0.3 else 6.2
    for i, line in enumerate(net):
        y = top + height / 2 + (i - (len(net) - 1) / 2) * size / 72 * 1.3
        page.write(left + width + 0.08, y, page.cut(line, 0.95, size), size, ODD if "bad" in line else PALE)
    for t0, t1 in told.gaps(zone):
        axes.axvspan(t0, t1, facecolor="#f1e4eb", edgecolor="#cfa9be", hatch="////", linewidth=0, zorder=1)
    curve = told.curves.get(zone)
    if curve is None:
        axes.text(0.5, 0.5, "was not weighed", transform=axes.transAxes, ha="center", va="center", color=ODD)
        axes.set_yticks([])
        return
    looks = told.looks(zone)
    lane = min(LANE_IN * (2 if height > 0.8 and len(looks) > 1 else 1), 0.45 * height) if looks else 0.0
    _scale(axes, curve, lane / height, height)
    _envelope(axes, curve, told, width)
    taken = Taken()
    if looks:
        draw_looks(page, axes, told, looks, (width, height, lane))
        taken.take(0, width, height - lane, height)
    label_troughs(page, axes, told, curve, (width, height), taken)
    label_steps(page, axes, told, zone, curve, (width, height), taken)


def _door(axes: Axes, told: Told) -> None:
    since: float | None = None
    for event in [*(e for e in told.visit.events if isinstance(e, Door)), Door(told.span[1], open=False)]:
        if event.open and since is None:
            since = event.t
        elif not event.open and since is not None:
            axes.axvspan(since, event.t, color="#fdf1e8", linewidth=0, zorder=0)
            since = None


def _net(told: Told, zone: ZoneId) -> list[str]:
    found = []
    account, curve = told.account, told.curves.get(zone)
    if zone in account.get("net_g", {}):
        found.append(f"net {grams(account['net_g'][zone], 1)}")
    if zone in account.get("unexplained_g", {}):
        found.append(f"unexpl. {grams(account['unexplained_g'][zone], 1)}")
    if curve is not None and curve.bad:
        found.append(f"{curve.bad} bad samples")
    return found


def _scale(axes: Axes, curve: Curve, lane: float, height: float) -> None:
    """Without the outermost spikes, never so narrow that noise looks like goods; room for labels and the lane."""
    ordered = np.sort(curve.g)
    n = ordered.size // 500
    low, high = float(ordered[n]), float(ordered[-1 - n])
    room = max(0.16 * (high - low), 15 - (high - low) / 2, 5)
    low, high = low - room, high + room
    low -= (high - low) * lane / (1 - lane)
    axes.set_ylim(low, high)
    axes.grid(axis="both", color=GRID, linewidth=0.6)
    ticks = MaxNLocator(nbins=max(1, int(height / 0.22)), steps=[1, 2, 5, 10], min_n_ticks=1).tick_values(low, high)
    edge = 0.06 * (high - low) / height  # half a line: the row above has figures too
    inside = [float(g) for g in ticks if low + edge <= g <= high - edge]
    axes.set_yticks(inside[:: 1 + len(inside) // max(1, int(height / 0.12))] or [round(float(np.median(curve.g)))])
    axes.tick_params(labelsize=6.3, labelcolor=PALE, pad=2)
    axes.yaxis.set_major_formatter(lambda g, _: f"{g:,.0f} g".replace("-", "−"))


def _envelope(axes: Axes, curve: Curve, told: Told, width: float) -> None:
    """Lowest, mean and highest of every bin: no spike falls between two pixels, and where nothing came nothing is."""
    first, last = told.span
    rate = curve.t.size / max(last - first, 1e-9)
    bins = max(10, min(int(width * BINS_AN_INCH), int((last - first) * rate / 2)))
    at = np.clip(((curve.t - first) / (last - first) * bins).astype(int), 0, bins - 1)
    low, high = np.full(bins, np.inf), np.full(bins, -np.inf)
    np.minimum.at(low, at, curve.g)
    np.maximum.at(high, at, curve.g)
    count = np.bincount(at, minlength=bins)
    total = np.bincount(at, weights=curve.g, minlength=bins)
    good = count > 0
    middle = np.where(good, total / np.maximum(count, 1), np.nan)
    low, high = np.where(good, low, np.nan), np.where(good, high, np.nan)
    t = first + (np.arange(bins) + 0.5) * (last - first) / bins
    axes.fill_between(t, low, high, color=CURVE, alpha=0.35, linewidth=0.4, zorder=2)
    axes.plot(t, middle, color=CURVE, linewidth=0.9, solid_joinstyle="round", zorder=2)
