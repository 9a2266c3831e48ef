"""Paper and pen: a page in inches from its top left corner, text that is measured before it is written.

Names come from people and files: nothing of them is read as mathematics, and what is too long is cut to fit.
"""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

WIDTH_IN, HEIGHT_IN, DPI = 11.69, 8.27, 160  # A4, landscape
MARGIN_IN = 0.3
LEADING = 1.32  # line height / size

# Colours told apart by colour-blind eyes too (Okabe and Ito); form and words say the same once more.
INK, PALE, GRID, PAPER = "#1f2933", "#5c6773", "#e4e7eb", "#ffffff"
CURVE, TAKEN, CAME, ODD = "#0072b2", "#d55e00", "#00795b", "#882255"
VERDICTS = {"charge": "#1b5e20", "nothing": "#334155", "review": "#9a4a00"}
BANDS = ("#cfe3f3", "#fde7c3", "#d3ece3", "#f3dbe8", "#e2e8f0", "#fff3b0")


class Page:
    def __init__(self) -> None:
        self.figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, facecolor=PAPER)
        self._renderer = FigureCanvasAgg(self.figure).get_renderer()  # type: ignore[no-untyped-call] # as matplotlib has it

    def width(self, text: str, size: float, weight: str = "normal") -> float:
        """Inches."""
        font = FontProperties(size=size, weight=weight)
        return float(self._renderer.get_text_width_height_descent(text, font, ismath=False)[0]) / DPI

    def cut(self, text: str, most: float, size: float, weight: str = "normal") -> str:
        """What of it fits into so many inches, with an ellipsis where some does not."""
        text = plain(text)
        if self.width(text, size, weight) <= most:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self.width(text[:middle].rstrip() + "…", size, weight) <= most:
                low = middle
            else:
                high = middle - 1
        return text[:low].rstrip() + "…"

    def wrap(self, text: str, most: float, size: float, lines: int, weight: str = "normal") -> list[str]:
        """At most so many lines; the last is cut."""
        found: list[str] = []
        words = plain(text).split()
        while words and len(found) < lines - 1:
            n = 1
            while n < len(words) and self.width(" ".join(words[: n + 1]), size, weight) <= most:
                n += 1
            found.append(self.cut(" ".join(words[:n]), most, size, weight))
            words = words[n:]
        if words:
            found.append(self.cut(" ".join(words), most, size, weight))
        return found

    def write(self, x: float, y: float, text: str, size: float = 7.5, color: str = INK, **how: Any) -> None:  # noqa: ANN401  matplotlib's own words
        """`y`: the middle of the line, unless `va` says otherwise."""
        how = {"va": "center", "parse_math": False, **how}
        self.figure.text(x / WIDTH_IN, 1 - y / HEIGHT_IN, text, fontsize=size, color=color, **how)

    def box(self, x: float, y: float, width: float, height: float, color: str) -> None:
        corner = (x / WIDTH_IN, 1 - (y + height) / HEIGHT_IN)
        shape = Rectangle(corner, width / WIDTH_IN, height / HEIGHT_IN, facecolor=color, edgecolor="none", zorder=0)
        self.figure.add_artist(shape)

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Empty, without a frame; `y`: its upper edge."""
        place = (x / WIDTH_IN, 1 - (y + height) / HEIGHT_IN, width / WIDTH_IN, height / HEIGHT_IN)
        axes = self.figure.add_axes(place, facecolor="none")
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.tick_params(length=0)
        return axes


def plain(text: object) -> str:
    """One line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def grams(value: float, digits: int = 0) -> str:
    return f"{value:+,.{digits}f} g".replace("-", "−")


def percent(share: float) -> str:
    if share > 0.999:
        return "> 99.9 %"
    return "< 0.1 %" if share < 0.001 else f"{100 * share:.1f} %"


def line_height(size: float) -> float:
    return size / 72 * LEADING


class Taken:
    """Places on one row that a label has already: [left, right, top, bottom] in inches."""

    def __init__(self) -> None:
        self._boxes: list[tuple[float, float, float, float]] = []

    def free(self, x0: float, x1: float, y0: float, y1: float) -> bool:
        return all(x1 <= a or x0 >= b or y1 <= c or y0 >= d for a, b, c, d in self._boxes)

    def take(self, x0: float, x1: float, y0: float, y1: float) -> None:
        self._boxes.append((x0, x1, y0, y1))
