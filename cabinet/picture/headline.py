"""The first thing read, the verdict, and the last, the small print."""

from cabinet.picture.page import (
    GRID,
    HEIGHT_IN,
    INK,
    MARGIN_IN,
    PALE,
    VERDICTS,
    WIDTH_IN,
    Page,
    percent,
)
from cabinet.picture.told import Told

LINE_IN = 0.62  # middle of the second line


def draw_headline(page: Page, told: Told) -> None:
    outcome = str(told.tally.get("outcome", "not tallied yet"))
    badge = outcome.upper()
    width = page.width(badge, 12, "bold") + 0.3
    page.box(MARGIN_IN, 0.24, width, 0.32, VERDICTS.get(outcome, PALE))
    page.write(MARGIN_IN + 0.15, 0.4, badge, 12, "white", weight="bold")
    amount, below = _amount(told)
    right = WIDTH_IN - MARGIN_IN
    page.write(right, 0.38, amount, 17, INK, weight="bold", ha="right")
    page.write(right, LINE_IN + 0.02, below, 8.5, INK, ha="right")
    left = MARGIN_IN + width + 0.18
    room = right - left - max(page.width(amount, 17, "bold"), page.width(below, 8.5)) - 0.25
    size = 12.5
    for i, line in enumerate(page.wrap(_words(told), room, size, 2, "bold")):
        page.write(left, 0.36 + i * 0.23, line, size, INK, weight="bold")
    page.write(MARGIN_IN, 0.8, page.cut(_about(told), right - MARGIN_IN, 7.5), 7.5, PALE)
    page.box(MARGIN_IN, 0.91, right - MARGIN_IN, 0.008, GRID)


def _words(told: Told) -> str:
    lines = told.tally.get("lines") or []
    match told.tally.get("outcome"):
        case "charge":
            return ", ".join(f"{line['quantity']} × {line['name']}" for line in lines)
        case "nothing":
            return "Nothing was taken"
        case "review":
            return f"For a person to decide: {told.tally.get('reason', '')}"
        case _:
            return "What was recorded, before any tally"


def _amount(told: Told) -> tuple[str, str]:
    from cabinet.receipt import money  # noqa: PLC0415  the receipt's way of writing amounts

    currency = told.visit.header.currency
    confidence = told.tally.get("confidence", told.account.get("confidence") or None)
    match told.tally.get("outcome"):
        case "charge" | "nothing":
            amount = f"{currency} {money(told.tally.get('total', 0), currency)}"
            return amount, "" if confidence is None else f"the whole bill is right: {percent(confidence)}"
        case "review":
            return "not charged", "" if confidence is None else f"best guess: {percent(confidence)}"
        case _:
            return "", ""


def _about(told: Told) -> str:
    header = told.visit.header
    clock = "" if header.clock_trusted else " (clock not trusted)"
    parts = [
        f"visit {header.visit}", f"cabinet {header.cabinet}",
        f"unlocked {header.started_at[:19].replace('T', ' ')} UTC{clock}", f"purpose: {header.purpose}",
    ]  # fmt: skip  # one line of the page
    if told.visit.incomplete:
        parts.append("the recording ends at a damaged line")
    return "   ·   ".join(parts)


def draw_small_print(page: Page, told: Told) -> None:
    y, right = HEIGHT_IN - 0.17, WIDTH_IN - MARGIN_IN
    bound = f"evidence sha256 {told.evidence}" if told.evidence else "evidence: not bound to a charge"
    page.write(MARGIN_IN, y, page.cut(bound, 6.5, 6.2), 6.2, PALE)
    who = "   ·   ".join(filter(None, [told.versions, f"visit {told.visit.header.visit}"]))
    page.write(right, y, page.cut(who, 4.3, 6.2), 6.2, PALE, ha="right")
