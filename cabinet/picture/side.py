"""The panel on the right: each line and how sure it is, what else it could have been, what was not right."""

from collections.abc import Mapping, Sequence
from typing import Any

from cabinet.basket.evidence import Health, Temperature
from cabinet.picture.page import CURVE, GRID, INK, ODD, PALE, TAKEN, Page, line_height, percent
from cabinet.picture.told import Told

SIZE, SMALL = 7.6, 6.6
MOST_HYPOTHESES = 5
MOST_TROUBLES = 6


class _Column:
    """Writes from the top down and knows where its room ends."""

    def __init__(self, page: Page, x: float, y: float, width: float, bottom: float) -> None:
        self.page, self.x, self.y, self.width, self.bottom = page, x, y, width, bottom

    @property
    def left(self) -> float:
        return self.bottom - self.y

    def title(self, text: str) -> None:
        self.y += 0.05
        self.page.write(self.x, self.y + 0.08, text, 8.6, INK, weight="bold")
        self.page.box(self.x, self.y + 0.19, self.width, 0.008, GRID)
        self.y += 0.26

    def line(self, text: str, size: float = SIZE, color: str = INK, right: str = "", **how: Any) -> None:  # noqa: ANN401  as Page.write
        high = line_height(size)
        room = self.width - (self.page.width(right, size) + 0.12 if right else 0)
        self.page.write(self.x, self.y + high / 2, self.page.cut(text, room, size), size, color, **how)
        if right:
            self.page.write(self.x + self.width, self.y + high / 2, right, size, color, ha="right")
        self.y += high

    def words(self, text: str, lines: int, size: float = SMALL, color: str = PALE) -> None:
        for line in self.page.wrap(text, self.width, size, lines):
            self.line(line, size, color)

    def bar(self, share: float, color: str, words: str) -> None:
        wide = self.width - 0.62
        self.page.box(self.x, self.y + 0.02, wide, 0.075, GRID)
        self.page.box(self.x, self.y + 0.02, max(wide * min(max(share, 0), 1), 0.01), 0.075, color)
        self.page.write(self.x + self.width, self.y + 0.058, words, SMALL, INK, ha="right")
        self.y += 0.135


def draw_side(page: Page, told: Told, x: float, y: float, width: float, bottom: float) -> None:
    troubles = _troubles(told)
    kept = min(len(troubles), MOST_TROUBLES)
    foot = (0.32 + kept * line_height(SMALL)) if troubles else 0.0
    column = _Column(page, x, y, width, bottom - foot)
    _lines(column, told)
    _hypotheses(column, told)
    if troubles:
        column.bottom = bottom
        column.title("What was not right, and how warm it was")
        shown = troubles if len(troubles) <= MOST_TROUBLES else troubles[: MOST_TROUBLES - 1]
        for text in shown:
            column.line(text, SMALL, ODD if "°C" not in text else PALE)
        if len(shown) < len(troubles):
            column.line(f"and {len(troubles) - len(shown)} more, in events.jsonl", SMALL, ODD)


def _lines(column: _Column, told: Told) -> None:
    from cabinet.receipt import money  # noqa: PLC0415  the receipt's way of writing amounts

    charged = told.tally.get("outcome") == "charge"
    lines: Sequence[Mapping[str, Any]] = told.tally.get("lines" if charged else "best_guess") or ()
    review = told.tally.get("outcome") == "review"
    column.title("Best guess, not charged" if review else "The bill, and how sure each line is")
    if not lines:
        column.line("nothing" if told.tally else "not tallied yet", color=PALE)
        return
    sure, currency = told.account.get("sure") or {}, told.visit.header.currency
    high = line_height(SIZE) + (0.135 if sure else 0.0)
    most = max(1, int((column.left * 0.5) / high))
    for line in lines[: most if len(lines) <= most else most - 1]:
        text = f"{line['quantity']} × {line['name']}"
        column.line(text, right=money(line.get("total", line["quantity"] * line["unit_price"]), currency))
        if line["sku"] in sure:
            column.bar(sure[line["sku"]], CURVE, percent(sure[line["sku"]]))
    if len(lines) > most:
        column.line(f"and {len(lines) - most + 1} more lines, in tally.json", SMALL, PALE)


def _hypotheses(column: _Column, told: Told) -> None:
    found: Sequence[Mapping[str, Any]] = told.account.get("hypotheses") or ()
    if not told.tally:
        return
    column.title("What else it could have been")
    if not found:
        text = str(told.account.get("runner_up") or "")
        column.words(f"next best: {text}" if text else "no other story was kept", 4)
        return
    for i, hypothesis in enumerate(found[:MOST_HYPOTHESES]):
        texts = _texts(column, found[0], hypothesis, told)
        high = 0.2 + sum(line_height(size) for _, size, _ in texts)
        if i and column.left < high:
            column.line(f"and {len(found) - i} more, in tally.json", SMALL, PALE)
            return
        for text, size, ink in texts:
            column.line(text, size, ink)
        share = hypothesis.get("posterior", 0.0)
        column.bar(share, TAKEN if i else CURVE, percent(share))
        column.y += 0.05


def _texts(
    column: _Column, best: Mapping[str, Any], mine: Mapping[str, Any], told: Told
) -> list[tuple[str, float, str]]:
    """Line by line: how the bill would differ, the story, and last why it lost."""

    def wrapped(text: str, size: float, most: int, ink: str) -> list[tuple[str, float, str]]:
        return [(line, size, ink) for line in column.page.wrap(text, column.width, size, most)]

    words = str(mine.get("words") or "nothing was taken").replace(" x ", " × ")
    if mine is best:
        return wrapped(words, SIZE, 3, INK)
    known = str(best.get("words") or "").replace(" x ", " × ").split(", ")
    words = ", ".join(part for part in words.split(", ") if part not in known) or words  # what is said above is known
    differs = _differs(best.get("bill") or {}, mine.get("bill") or {}, told)
    lost = wrapped(f"lost because: {mine['why']}" if mine.get("why") else "why it lost is not told", SMALL, 2, PALE)
    return [*wrapped(differs, SIZE, 2, INK), *wrapped(words, SMALL, 2, PALE), *lost]


def _differs(best: Mapping[str, int], mine: Mapping[str, int], told: Told) -> str:
    found = []
    for sku in dict.fromkeys([*best, *mine]):
        n = mine.get(sku, 0) - best.get(sku, 0)
        if n:
            found.append(f"{abs(n)} × {told.name(sku)} {'more' if n > 0 else 'less'}")
    return ", ".join(sorted(found, key=lambda text: text.endswith("less"))) or "the same bill by another way"


def _troubles(told: Told) -> list[str]:
    found = []
    for trouble in told.troubles():
        at = f"{trouble.t:.1f} s".replace("-", "−")
        if not isinstance(trouble, Health):
            found.append(f"{at}  {trouble.part}: {trouble.seconds:g} s of samples lost")
        elif trouble.ok:
            found.append(f"{at}  {trouble.part} well again")
        else:
            found.append(f"{at}  {trouble.part} not well: {trouble.why or 'no reason given'}")
    warm: dict[str, list[float]] = {}
    for event in told.visit.events:
        if isinstance(event, Temperature):
            warm.setdefault(event.probe, []).append(event.c)
    probes = [f"{probe} {_between(c)} °C" for probe, c in sorted(warm.items())]
    return [*([", ".join(probes)] if probes else []), *found]


def _between(c: Sequence[float]) -> str:
    low, high = f"{min(c):.1f}", f"{max(c):.1f}"
    return (low if low == high else f"{low} to {high}").replace("-", "−")
