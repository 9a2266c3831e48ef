"""The sentences that begin with `expect`: what must be true when a story comes to them."""

import re
from collections.abc import Mapping

from cabinet.sim import acts as a
from cabinet.sim.acts import Act
from cabinet.sim.wording import WORD, counted, minor
from cabinet.units import Sku

OUTCOMES = ("charge", "nothing", "review", "void", "serviced")


MONEY: tuple[tuple[str, a.Expected], ...] = (
    (rf"({WORD}) owes (nothing|[\d.]+)", "owes"),
    (r"()captured ([\d.]+) once", "captured"),
    (r"()returned ([\d.]+) once", "returned"),
    (r"()the (hold) released", "released"),
)
PLAIN: Mapping[str, a.Expected] = {
    "the books agree": "books",
    "the same bill again": "again",
    "no visit": "no visit",
    "the evidence stayed here": "evidence",
    "nothing secret in the logs": "logs",
}


def _expect_money(text: str) -> Act | None:
    for pattern, what in MONEY:
        if found := re.fullmatch(pattern, text):
            number = minor(found[2]) if found[2] not in {"nothing", "hold"} else 0
            return a.Expect(what, text=found[1], number=number)
    return None


def expectation(text: str) -> Act:
    if (money := _expect_money(text)) is not None:
        return money
    if found := re.fullmatch(rf"nothing is kept of ({WORD})", text):
        return a.Expect("forgotten", text=found[1])
    if found := re.fullmatch(r"the screen says (.+)", text):
        return a.Expect("screen", text=found[1])
    if found := re.fullmatch(r"(\d+) visits?", text):
        return a.Expect("visits", number=int(found[1]))
    if found := re.fullmatch(r"(no )?incident(?: (.+))?", text):
        return a.Expect("no incident" if found[1] else "incident", text=found[2] or "")
    if found := re.fullmatch(r"the door (locked|unlocked|open|shut)", text):
        return a.Expect("door", text=found[1])
    if found := re.fullmatch(r"(in|out of) service", text):
        return a.Expect("service", text=found[1])
    if text in PLAIN:
        return a.Expect(PLAIN[text])
    if found := re.fullmatch(r"total (\d+)", text):
        return a.Expect("total", number=int(found[1]))
    outcomes: list[str] = []
    basket: list[tuple[int, Sku]] = []
    for part in text.split(" or "):
        word, _, goods = part.partition(" ")
        if word not in OUTCOMES or (goods and word != "charge"):
            raise ValueError(
                f"expect {part!r}: want one of {', '.join(OUTCOMES)}, incident, no incident, no visit, the door locked"
            )
        if goods and basket:
            raise ValueError("expect two different charges: want one, or: charge 1 cola or review")
        outcomes.append(word)
        basket += counted(goods) if goods else ()
    return a.Expect("bill", tuple(outcomes), tuple(basket))
