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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from cabinet.sim import acts as a
from cabinet.sim import shop
from cabinet.sim.acts import Act
from cabinet.units import Sku, ZoneId

MOST_LINES = 500
WORD = r"[A-Za-z][\w-]*"
NUMBER = r"\d+(?:\.\d+)?"


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
    notes: tuple[str, ...] = ()
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
                self.lines.append(Line(number, text, _sentence(text)))

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
        for count, sku in _counted(goods) if goods != "nothing" else ():
            into[zone][sku] = count

    def _goods(self, text: str) -> None:
        pattern = rf"({WORD}) ({NUMBER}) g(?: sd ({NUMBER}) g)?(?: really ({NUMBER}) g)? price (\d+)(?: age (\d+))?(?: like (.+))?"
        found = re.fullmatch(pattern, text)
        if found is None:
            raise ValueError("want: goods cola 505 g sd 3 g price 250   (also: really 560 g, age 18, like water)")
        name, mass, sd, really, price, age, like = found.groups()
        alike = tuple(like.replace(",", " ").split()) if like else ()
        self.wares[name] = shop.ware(
            name, float(mass), float(sd) if sd else None, int(price), true_g=float(really or mass), min_age=int(age or 0),
            alike=alike,
        )  # fmt: skip

    def _setting(self, text: str) -> None:
        found = re.fullmatch(rf"({WORD}) ({NUMBER})", text)
        if found is None:
            raise ValueError("want: with noise 2   (a factor of the cells' disturbances)")
        self.settings[found[1]] = float(found[2])


def _counted(text: str) -> Iterator[tuple[int, Sku]]:
    """`6 cola, water and 2 chips`."""
    for part in re.split(r"\s*,\s*|\s+and\s+", text):
        found = re.fullmatch(rf"(?:(\d+|a|an|one|two|three) )?({WORD})", part)
        if found is None:
            raise ValueError(f"{part!r}: want a count and a product, such as: 2 cola")
        yield _count(found[1]), Sku(found[2])


def _count(word: str | None) -> int:
    words = {None: 1, "a": 1, "an": 1, "one": 1, "two": 2, "three": 3}
    count = words[word] if word in words else int(cast("str", word))
    if not 1 <= count <= 99:
        raise ValueError(f"{count} units: want 1 to 99")
    return count


def _items(text: str, word: str) -> tuple[a.Item, ...]:
    """`cola from s1 and 2 chips, gum from s3`: a zone counts for what stands before it too."""
    found: list[a.Item] = []
    waiting: list[tuple[int, Sku]] = []
    for part in re.split(r"\s*,\s*|\s+and\s+", text):
        what, _, zone = part.partition(f" {word} ")
        waiting += _counted(what)
        if zone:
            found += [a.Item(count, sku, ZoneId(zone.strip())) for count, sku in waiting]
            waiting = []
    if waiting or not found:
        raise ValueError(f"{word} which shelf? such as: 1 cola {word} s1")
    return tuple(found)


def _seconds(number: str, unit: str | None) -> float:
    return float(number) * {"s": 1, "min": 60, "h": 3600, "days": 86400, "day": 86400, None: 1}[unit]


HOWS = ("with two hands", "slowly", "bit by bit", "at once", "in the slam")


def _takes(who: str, text: str) -> Act:
    how = next((h for h in HOWS if text.endswith(h)), "")
    return a.Take(who, _items(text.removesuffix(how).strip(), "from"), cast("Any", how))


def _comes(who: str, text: str) -> Act:
    means = {
        "": "face", "by face": "face", "by code": "code", "with a photo": "photo", "with a mask": "mask",
        "with a forged code": "forged code", "with another's code": "other code", "as a stranger": "stranger",
    }  # fmt: skip
    if text not in means:
        raise ValueError(f"comes {text!r}: want {', '.join(repr(m) for m in means if m)} or nothing")
    return a.Come(who, cast("Any", means[text]))


def _pattern(pattern: str, make: Callable[..., Act], example: str) -> Callable[[str, str], Act]:
    compiled = re.compile(pattern)

    def read(who: str, text: str) -> Act:
        found = compiled.fullmatch(text)
        if found is None:
            raise ValueError(f"want: {example}")
        return make(who, *found.groups())

    return read


VERBS: Mapping[str, Callable[[str, str], Act]] = {
    "comes": _comes,
    "serves": _pattern(r"(?:to (restock|service|repair))?", lambda w, p: a.Serve(w, "restock" if p == "restock" else "service"), "tom serves to restock"),
    "opens": _pattern(r"(?:the door)?", a.Open, "ann opens the door"),
    "tries": _pattern(r"the door", a.Try, "ann tries the door"),
    "pries": _pattern(r"the door(?: open)?", a.Pry, "eve pries the door open"),
    "closes": _pattern(r"(?:the door)?", a.Close, "ann closes the door"),
    "slams": _pattern(r"(?:the door)?", lambda w: a.Close(w, slam=True), "ann slams the door"),
    "bounces": _pattern(r"the door", lambda w: a.Close(w, slam=True, bounce=True), "ann bounces the door"),
    "takes": _takes,
    "puts": lambda w, t: a.Put(w, _items(t.replace(" back", ""), "on")),
    "stocks": lambda w, t: a.Stock(w, _items(t, "on")),
    "leaves": _pattern(
        rf"(?:({WORD}) of ({NUMBER}) g on ({WORD}))?",
        lambda w, name, g, zone: a.Leave(w) if name is None else a.Deposit(w, name, float(g), ZoneId(zone)),
        "ann leaves   or: ann leaves bottle of 520 g on s1",
    ),
    "fetches": _pattern(rf"({WORD}) from ({WORD})", lambda w, n, z: a.Fetch(w, n, ZoneId(z)), "ann fetches bottle from s1"),
    "hands": _pattern(rf"(.+) to ({WORD})", lambda w, t, to: a.HandOver(w, to, tuple(_counted(t))), "ann hands cola to bob"),
    "leans": _pattern(
        rf"on ({WORD}) with ({NUMBER}) g for ({NUMBER}) s",
        lambda w, z, g, s: a.Lean(w, ZoneId(z), float(g), float(s)), "ann leans on s1 with 900 g for 2 s",
    ),
    "touches": _pattern(rf"({WORD})", lambda w, z: a.Lean(w, ZoneId(z), 120.0, 0.6), "ann touches s1"),
    "waits": _pattern(rf"({NUMBER}) (s|min|h)", lambda _, n, u: a.Pass(_seconds(n, u)), "ann waits 3 s"),
}  # fmt: skip

# What may befall a part: sentence after "the" -> part, what.  N is a number.
BEFALLS: tuple[tuple[str, str, str], ...] = (
    (rf"camera ({WORD}) is (covered|frozen|dark|moved|away|fogged|well)", "camera:{0}", "{1}"),
    (rf"cell of ({WORD}) is (dead|stuck|saturated|slipping|spiking|swapped|well)", "cell:{0}", "{1}"),
    (r"daemon is (killed)", "daemon", "{0}"),
    (r"daemon is (killed) after (\d+) points", "daemon", "killed after"),
    (r"daemon is (killed at the next step)", "daemon", "{0}"),
    (r"daemon (starts)", "daemon", "{0}"),
    (r"power (fails|returns)", "power", "{0}"),
    (r"board (resets|is unplugged|is plugged in)", "board", "{0}"),
    (r"disk (is full|cannot take a byte|has room)", "disk", "{0}"),
    (r"broker is (away|back)", "broker", "{0}"),
    (r"broker (loses answers)", "broker", "{0}"),
    (rf"clock (jumps) (-?{NUMBER}) (s|min|h|days)", "clock", "{0}"),
    (r"clock is (lost)", "clock", "{0}"),
    (r"magnet (holds|leaves) the switch", "magnet", "{0}"),
    (r"bolt (jams in|jams out|is free)", "bolt", "{0}"),
    (r"compressor (starts|stops)", "compressor", "{0}"),
    (rf"air is (-?{NUMBER}) C", "air", "is"),
    (r"probe is (open|short|frozen|well)", "probe", "{0}"),
    (r"model is (missing|well)", "model", "{0}"),
    (rf"price of ({WORD}) becomes (\d+)", "price:{0}", "becomes"),
    (r"catalogue is (empty)", "catalogue", "{0}"),
)
_BEFALLS = tuple((re.compile(pattern), part, what) for pattern, part, what in BEFALLS)


def _befall(text: str) -> Act:
    for pattern, part, what in _BEFALLS:
        found = pattern.fullmatch(text)
        if found is not None:
            words = found.groups()
            number = 0.0
            match part:
                case "clock" if len(words) > 2:
                    number = _seconds(words[1].lstrip("-"), words[2]) * (-1 if words[1].startswith("-") else 1)
                case "air":
                    number = float(words[0])
                case "price:{0}" | "daemon" if len(words) > 1:
                    number = float(words[1])
                case _:
                    pass
            return a.Befall(part.format(*words), what.format(*words), number)
    raise ValueError(f"nothing is known of 'the {text}': README of the simulator lists what may befall what")


OUTCOMES = ("charge", "nothing", "review", "void", "serviced")


def _expect(text: str) -> Act:
    if found := re.fullmatch(r"(no )?incident(?: (.+))?", text):
        return a.Expect("no incident" if found[1] else "incident", text=found[2] or "")
    if found := re.fullmatch(r"the door (locked|unlocked|open|shut)", text):
        return a.Expect("door", text=found[1])
    if found := re.fullmatch(r"(in|out of) service", text):
        return a.Expect("service", text=found[1])
    if text == "the books agree":
        return a.Expect("books")
    if text == "the same bill again":
        return a.Expect("again")
    if text == "no visit":
        return a.Expect("no visit")
    if found := re.fullmatch(r"total (\d+)", text):
        return a.Expect("total", number=int(found[1]))
    outcomes: list[str] = []
    basket: list[tuple[int, Sku]] = []
    for part in text.split(" or "):
        word, _, goods = part.partition(" ")
        if word not in OUTCOMES or (goods and word != "charge"):
            raise ValueError(f"expect {part!r}: want one of {', '.join(OUTCOMES)}, incident, no incident, no visit, the door locked")
        outcomes.append(word)
        basket += _counted(goods) if goods else ()
    return a.Expect("bill", tuple(outcomes), tuple(basket))


def _sentence(text: str) -> Act:
    first, _, rest = text.partition(" ")
    if first == "expect":
        return _expect(rest)
    if first in {"the", "a"}:
        return _befall(rest)
    if found := re.fullmatch(rf"({NUMBER}) (s|min|h|days|day) pass(?:es)?", text):
        return a.Pass(_seconds(found[1], found[2]))
    verb, _, rest = rest.partition(" ")
    if verb not in VERBS:
        raise ValueError(f"{text!r}: nobody {verb or 'does anything'}; want NAME and one of {', '.join(VERBS)}")
    if not re.fullmatch(WORD, first):
        raise ValueError(f"{first!r} is no name")
    return VERBS[verb](first, rest)


def _check_words(story: Story, where: str) -> None:
    """Products and shelves that nobody described."""
    for line in story.lines:
        for item in getattr(line.act, "items", ()):
            sku = item.sku if isinstance(item, a.Item) else item[1]
            if sku not in story.plan.wares:
                raise StoryError(f"{where} line {line.number}: no line describes {sku}: goods {sku} 100 g price 200")
        zone = getattr(line.act, "zone", None)
        zones = [zone] if zone else [i.zone for i in getattr(line.act, "items", ()) if isinstance(i, a.Item)]
        for one in zones:
            if one not in story.plan.shelves:
                raise StoryError(f"{where} line {line.number}: there is no shelf {one}: {', '.join(story.plan.shelves)}")
