"""The sentences of a story: one line of text, one act.

README of this folder lists them all.  A sentence that cannot be read raises ValueError with what would be right.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from cabinet.sim import acts as a
from cabinet.sim.acts import Act
from cabinet.sim.expectations import expectation
from cabinet.sim.wording import NUMBER, WORD, counted, minor, seconds
from cabinet.units import Sku, ZoneId


def _items(text: str, word: str) -> tuple[a.Item, ...]:
    """`cola from s1 and 2 chips, gum from s3`: a zone counts for what stands before it too."""
    found: list[a.Item] = []
    waiting: list[tuple[int, Sku]] = []
    for part in re.split(r"\s*,\s*|\s+and\s+", text):
        what, _, zone = part.partition(f" {word} ")
        waiting += counted(what)
        if zone:
            found += [a.Item(count, sku, ZoneId(zone.strip())) for count, sku in waiting]
            waiting = []
    if waiting or not found:
        raise ValueError(f"{word} which shelf? such as: 1 cola {word} s1")
    return tuple(found)


def _card(who: str, text: str) -> Act:
    if text in {"declines", "works again", "works"}:
        return a.Card(who, "declines" if text == "declines" else "works")
    word, _, amount = text.partition(" ")
    if word != "grants":
        raise ValueError(f"{who}'s card {text}: want declines, works again, or: grants 5.00")
    return a.Card(who, "grants", minor(amount))


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


def _serves(who: str, purpose: str | None) -> Act:
    return a.Serve(who, "restock" if purpose == "restock" else "service")


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
    "serves": _pattern(r"(?:to (restock|service|repair))?", _serves, "tom serves to restock"),
    "opens": _pattern(r"(?:the door)?", a.Open, "ann opens the door"),
    "tries": _pattern(r"the door", a.Try, "ann tries the door"),
    "pries": _pattern(r"the door(?: open)?", a.Pry, "eve pries the door open"),
    "closes": _pattern(r"(?:the door)?", a.Close, "ann closes the door"),
    "slams": _pattern(r"(?:the door)?", lambda w: a.Close(w, slam=True), "ann slams the door"),
    "bounces": _pattern(r"the door", lambda w: a.Close(w, slam=True, bounce=True), "ann bounces the door"),
    "takes": _takes,
    "puts": lambda w, t: a.Put(w, _items(t.replace(" back on ", " on "), "on")),
    "stocks": lambda w, t: a.Stock(w, _items(t, "on")),
    "counts": lambda w, t: a.Count(w, _items(t, "on")),
    "leaves": _pattern(
        rf"(?:({WORD}) of ({NUMBER}) g on ({WORD}))?",
        lambda w, name, g, zone: a.Leave(w) if name is None else a.Deposit(w, name, float(g), ZoneId(zone)),
        "ann leaves   or: ann leaves bottle of 520 g on s1",
    ),
    "fetches": _pattern(
        rf"({WORD}) from ({WORD})", lambda w, n, z: a.Fetch(w, n, ZoneId(z)), "ann fetches bottle from s1"
    ),
    "hands": _pattern(
        rf"(.+) to ({WORD})", lambda w, t, to: a.HandOver(w, to, tuple(counted(t))), "ann hands cola to bob"
    ),
    "leans": _pattern(
        rf"on ({WORD}) with ({NUMBER}) g for ({NUMBER}) s",
        lambda w, z, g, s: a.Lean(w, ZoneId(z), float(g), float(s)), "ann leans on s1 with 900 g for 2 s",
    ),
    "touches": _pattern(rf"({WORD})", lambda w, z: a.Lean(w, ZoneId(z), 120.0, 0.6), "ann touches s1"),
    "waits": _pattern(rf"({NUMBER}) (s|min|h)", lambda _, n, u: a.Pass(seconds(n, u)), "ann waits 3 s"),
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
    (r"provider is (away|back)", "provider", "{0}"),
    (rf"clock (jumps) (-?{NUMBER}) (s|min|h|days)", "clock", "{0}"),
    (r"clock is (lost)", "clock", "{0}"),
    (r"magnet (holds|leaves) the switch", "magnet", "{0}"),
    (r"bolt (jams in|jams out|is free)", "bolt", "{0}"),
    (r"compressor (starts|stops)", "compressor", "{0}"),
    (r"light (goes out|comes on)", "light", "{0}"),
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
                    number = seconds(words[1].lstrip("-"), words[2]) * (-1 if words[1].startswith("-") else 1)
                case "air":
                    number = float(words[0])
                case "price:{0}" | "daemon" if len(words) > 1:
                    number = float(words[1])
                case _:
                    pass
            return a.Befall(part.format(*words), what.format(*words), number)
    raise ValueError(f"nothing is known of 'the {text}': README of the simulator lists what may befall what")


def sentence(text: str) -> Act:
    first, _, rest = text.partition(" ")
    if first == "expect":
        return expectation(rest)
    if found := re.fullmatch(rf"({NUMBER}|an?) (s|min|h|hour|days|day) pass(?:es)?", text):
        return a.Pass(seconds(found[1], found[2]))
    if found := re.fullmatch(r"the (technician|cloud) refunds ([\d.]+)", text):
        return a.Refund(cast("Any", found[1]), minor(found[2]))
    if found := re.fullmatch(rf"({WORD})'s card (.+)", text):
        return _card(*found.groups())
    if found := re.fullmatch(rf"({WORD}) takes back (?:her|his|their) consent", text):
        return a.Withdraw(found[1])
    if first in {"the", "a"}:
        return _befall(rest)
    verb, _, rest = rest.partition(" ")
    if verb not in VERBS:
        raise ValueError(f"{text!r}: nobody {verb or 'does anything'}; want NAME and one of {', '.join(VERBS)}")
    if not re.fullmatch(WORD, first):
        raise ValueError(f"{first!r} is no name")
    return VERBS[verb](first, rest)
