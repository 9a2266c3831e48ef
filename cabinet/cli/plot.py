"""A curve in a few lines of block characters.  Pure."""

from collections.abc import Sequence
from typing import Final

BLOCKS: Final = " ▁▂▃▄▅▆▇█"
STEPS: Final = len(BLOCKS) - 1
GAP: Final = "·"  # a value that is not there


def bounds(values: Sequence[float | None], least: float) -> tuple[float, float]:
    """Lowest and highest, spread evenly to at least `least`; what is still looks still."""
    known = [value for value in values if value is not None]
    if not known:
        return 0.0, least
    low, high = min(known), max(known)
    room = max(0.0, least - (high - low)) / 2
    return low - room, high + room


def curve(values: Sequence[float | None], width: int, rows: int, within: tuple[float, float]) -> list[str]:
    """The newest `width` values, `rows` lines high, the newest at the right."""
    low, high = within
    newest = list(values)[-width:]
    levels = [None if value is None else _level(value, low, high, rows) for value in newest]
    pad = " " * (width - len(newest))
    return [pad + "".join(_cell(level, row) for level in levels) for row in reversed(range(rows))]


def _level(value: float, low: float, high: float, rows: int) -> int:
    """1 .. rows x 8: the lowest is seen too."""
    share = (value - low) / (high - low) if high > low else 0.5
    return 1 + round(min(1.0, max(0.0, share)) * (rows * STEPS - 1))


def _cell(level: int | None, row: int) -> str:
    if level is None:
        return GAP if row == 0 else " "
    return BLOCKS[min(STEPS, max(0, level - row * STEPS))]
