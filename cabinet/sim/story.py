"""Stories: a small readable text of what people do at the cabinet, what befalls it, and what must come of it.

    # Two different things at once
    scenario 3
    ann comes
    ann opens
    ann takes cola from s1 and chips from s3 with two hands
    ann slams the door
    expect charge 1 cola, 1 chips

One act a line; `#` begins a comment, the first one is the title.  README of this folder lists every sentence.
A line that cannot be read, and one that asks the impossible, is refused with its number and the reason.
"""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cabinet.sim import acts as a
from cabinet.sim import shop
from cabinet.sim.acts import Act
from cabinet.sim.sentences import sentence
from cabinet.sim.wording import NUMBER, WORD, counted
from cabinet.units import Sku, ZoneId

MOST_LINES = 500
SETTINGS = ("noise", "drift", "creep", "spikes", "slam")  # what `with` may scale
GOODS = re.compile(
    rf"({WORD}) ({NUMBER}) g(?: sd ({NUMBER}) g)?(?: really ({NUMBER}) g)?"
    r" price (\d+)(?: age (\d+))?(?: like (.+))?"
)


class StoryError(ValueError):
    """The story cannot be told; the message has file, line and reason."""


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    text: str
    act: Act


@dataclass(frozen=True, slots=True)
class Story:
    name: str
    title: str
    lines: tuple[Line, ...]
    plan: shop.Plan
    scenarios: tuple[str, ...] = ()  # numbers of scenarios.md, or "peer: whose"
    later: str = ""  # what it waits for, if it cannot pass yet
    tags: tuple[str, ...] = ()
    settings: Mapping[str, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


def load(path: Path) -> Story:
    """Raises StoryError, OSError."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise StoryError(f"{path.name}: is no text ({error})") from error
    return parse(text, path.stem, path.name)


def parse(text: str, name: str = "story", where: str = "story", plan: shop.Plan | None = None) -> Story:
    """`plan`: the shop, unless the story tells of its own."""
    rows = text.splitlines()
    if len(rows) > MOST_LINES:
        raise StoryError(f"{where}: {len(rows)} lines, at most {MOST_LINES}")
    told = _Told()
    for number, row in enumerate(rows, 1):
        line = row.partition("#")[0].strip()
        if not line:
            told.comment(row)
            continue
        try:
            told.line(number, " ".join(line.split()))
        except ValueError as error:
            raise StoryError(f"{where} line {number}: {error}") from error
    try:
        place = told.plan() if plan is None or told.shelves else plan
    except ValueError as error:
        raise StoryError(f"{where}: {error}") from error
    if not told.lines:
        raise StoryError(f"{where}: nothing happens in it")
    story = Story(
        name, told.title or name, tuple(told.lines), place, tuple(told.scenarios), told.later, tuple(told.tags),
        settings=told.settings,
    )  # fmt: skip
    _check_words(story, where)
    return story


class _Told:
    """A story being read, line by line."""

    def __init__(self) -> None:
        self.title, self.later = "", ""
        self.lines: list[Line] = []
        self.scenarios: list[str] = []
        self.tags: list[str] = []
        self.shelves: dict[str, dict[str, int]] = {}
        self.believed: dict[str, dict[str, int]] = {}
        self.wares: dict[str, shop.Ware] = {}
        self.settings: dict[str, float] = {}

    def comment(self, row: str) -> None:
        if not self.title and row.strip().startswith("#"):
            self.title = row.strip().lstrip("#").strip()

    def line(self, number: int, text: str) -> None:
        first, _, rest = text.partition(" ")
        match first:
            case "scenario" | "scenarios":
                self.scenarios += [part.strip() for part in rest.split(",")]
            case "later":
                self.later = rest
            case "tags":
                self.tags += rest.replace(",", " ").split()
            case "shelf":
                self._shelf(rest, self.shelves)
            case "ledger":
                self._shelf(rest, self.believed)
            case "goods":
                self._goods(rest)
            case "with":
                self._setting(rest)
            case _:
                self.lines.append(Line(number, text, sentence(text)))

    def plan(self) -> shop.Plan:
        wares = {**shop.USUAL, **self.wares}
        shelves = self.shelves or shop.USUAL_SHELVES
        names = {name for held in (*shelves.values(), *self.believed.values()) for name in held} | set(self.wares)
        made = shop.plan({name: one for name, one in wares.items() if name in names}, shelves)
        if not self.believed:
            return made
        believed = {**made.shelves, **{ZoneId(z): {Sku(s): n for s, n in h.items()} for z, h in self.believed.items()}}
        return replace(made, believed=believed)

    def _shelf(self, text: str, into: dict[str, dict[str, int]]) -> None:
        found = re.fullmatch(rf"({WORD}) (?:holds|says) (.+)", text)
        if found is None:
            raise ValueError("want: shelf s1 holds 6 cola, 4 water   (ledger s1 says ... for what it believes)")
        zone, goods = found.groups()
        into[zone] = {}
        for count, sku in counted(goods) if goods != "nothing" else ():
            into[zone][sku] = into[zone].get(sku, 0) + count

    def _goods(self, text: str) -> None:
        found = GOODS.fullmatch(text)
        if found is None:
            raise ValueError("want: goods cola 505 g sd 3 g price 250   (also: really 560 g, age 18, like water)")
        name, mass, sd, really, price, age, like = found.groups()
        alike = tuple(like.replace(",", " ").split()) if like else ()
        self.wares[name] = shop.ware(
            name, float(mass), float(sd) if sd else None, int(price),
            true_g=float(really or mass), min_age=int(age or 0), alike=alike,
        )  # fmt: skip

    def _setting(self, text: str) -> None:
        found = re.fullmatch(rf"({WORD}) ({NUMBER})", text)
        if found is None:
            raise ValueError("want: with noise 2   (a factor of the cells' disturbances)")
        if found[1] not in SETTINGS:
            raise ValueError(f"with {found[1]}: want one of {', '.join(SETTINGS)}")
        self.settings[found[1]] = float(found[2])


def _check_words(story: Story, where: str) -> None:
    """Products, shelves and parts that nobody described."""
    known: dict[str, Container[str]] = {
        "cell": story.plan.shelves,
        "camera": story.plan.cameras,
        "price": story.plan.wares,
    }
    for line in story.lines:
        if isinstance(line.act, a.Befall):
            part, _, name = line.act.part.partition(":")
            if part in known and name not in known[part]:
                raise StoryError(f"{where} line {line.number}: there is no {part} {name}")
        for item in getattr(line.act, "items", ()):
            sku = item.sku if isinstance(item, a.Item) else item[1]
            if sku not in story.plan.wares:
                raise StoryError(f"{where} line {line.number}: no line describes {sku}: goods {sku} 100 g price 200")
        zone = getattr(line.act, "zone", None)
        zones = [zone] if zone else [i.zone for i in getattr(line.act, "items", ()) if isinstance(i, a.Item)]
        for one in zones:
            if one not in story.plan.shelves:
                raise StoryError(
                    f"{where} line {line.number}: there is no shelf {one}: {', '.join(story.plan.shelves)}"
                )
