"""Where what stands on the page: headline, bands, one row a zone, the bill and what else it could have been, stills.

Rows shrink until all zones fit; where they cannot, the zones in which most happened come first and the rest is named.
"""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from cabinet.picture.bands import BANDS_IN, draw_bands, draw_lines
from cabinet.picture.frames import draw_frames, key_frames
from cabinet.picture.headline import draw_headline, draw_small_print
from cabinet.picture.page import DPI, GRID, HEIGHT_IN, INK, MARGIN_IN, PALE, WIDTH_IN, Page, grams
from cabinet.picture.side import draw_side
from cabinet.picture.told import Told
from cabinet.picture.zones import draw_zone
from cabinet.units import ZoneId

LEFT_IN, NET_IN, SIDE_IN = 1.12, 0.98, 3.15  # names and scales; net masses; the panel on the right
BANDS_TOP_IN = 1.0
FRAMES_IN = 1.62
PRINT_IN = 0.3  # small print, from the lower edge
AXIS_IN = 0.2
LEAST_ROW_IN, LEAST_BUSY_IN, MOST_ROW_IN = 0.27, 0.4, 1.9


def draw(told: Told, out: Path) -> None:
    page = Page()
    draw_headline(page, told)
    stills = key_frames(told)
    bottom = HEIGHT_IN - PRINT_IN - (FRAMES_IN if stills else 0.05)
    side = WIDTH_IN - MARGIN_IN - SIDE_IN
    width = side - 0.2 - NET_IN - LEFT_IN
    bands = page.axes(LEFT_IN, BANDS_TOP_IN, width, BANDS_IN)
    draw_bands(page, bands, told, width)
    top = BANDS_TOP_IN + BANDS_IN + 0.06
    rows, quiet = rows_of(told, bottom - top - AXIS_IN)
    last: Axes = bands
    for zone, height in rows:
        last = page.axes(LEFT_IN, top, width, height - 0.05)
        draw_zone(page, last, told, zone, (LEFT_IN, top, width, height - 0.05))
        draw_lines(last, told)
        top += height
    _time(last, told, width)
    if quiet:
        _quiet(page, told, quiet, bottom, width)
    draw_side(page, told, side, BANDS_TOP_IN, SIDE_IN, bottom)
    if stills:
        draw_frames(page, told, stills, bottom + 0.1, FRAMES_IN - 0.15)
    draw_small_print(page, told)
    page.figure.savefig(out, dpi=DPI, format="png")


def rows_of(told: Told, space: float) -> tuple[list[tuple[ZoneId, float]], list[ZoneId]]:
    """The zones that are drawn, in the order of their names, with the height of each; and those that are not."""
    zones = sorted(told.visit.header.zones, key=_natural)
    ranked = sorted(zones, key=lambda z: -told.weight(z))
    least = {z: LEAST_ROW_IN if told.weight(z) < 2 else LEAST_BUSY_IN for z in zones}
    kept = [z for i, z in enumerate(ranked) if not i or sum(least[y] for y in ranked[: i + 1]) <= space - 0.15]
    quiet = [z for z in zones if z not in kept]
    space -= 0.15 if quiet else 0.0
    heights = {z: least[z] for z in kept}
    spare = space - sum(heights.values())
    whole = sum(told.weight(z) for z in kept)
    for zone in kept:
        heights[zone] = min(least[zone] + spare * told.weight(zone) / whole, MOST_ROW_IN)
    return [(z, heights[z]) for z in zones if z in heights], quiet


def _natural(zone: ZoneId) -> tuple[str, int, str]:
    """s2 before s10."""
    digits = zone[len(zone.rstrip("0123456789")) :]
    return zone.rstrip("0123456789"), int(digits or 0), zone


def _time(axes: Axes, told: Told, width: float) -> None:
    axes.tick_params(axis="x", labelbottom=True, labelsize=7, labelcolor=INK, pad=2)
    axes.xaxis.set_major_formatter(lambda t, _: f"{t:g} s".replace("-", "−"))
    axes.locator_params(axis="x", nbins=int(width / 0.6), steps=[1, 2, 5, 10])
    axes.set_xlim(told.span)


def _quiet(page: Page, told: Told, zones: Sequence[ZoneId], bottom: float, width: float) -> None:
    net = told.account.get("net_g", {})
    text = "Not drawn, less happened there: " + ", ".join(f"{z} {grams(net.get(z, 0.0), 1)}" for z in zones)
    page.write(LEFT_IN, bottom - 0.02, page.cut(text, width, 6.5), 6.5, PALE)
    page.box(LEFT_IN, bottom - 0.09, width, 0.005, GRID)
