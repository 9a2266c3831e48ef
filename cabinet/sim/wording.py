"""Words and numbers that sentences are made of.  What cannot be read raises ValueError with what would be right."""

import re
from collections.abc import Iterator
from typing import cast

from cabinet.units import Minor, Sku

WORD = r"[A-Za-z][\w-]*"
NUMBER = r"\d+(?:\.\d+)?"


def counted(text: str) -> Iterator[tuple[int, Sku]]:
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


def seconds(number: str, unit: str | None) -> float:
    count = float({"a": "1", "an": "1"}.get(number, number))
    return count * {"s": 1, "min": 60, "h": 3600, "hour": 3600, "days": 86400, "day": 86400, None: 1}[unit]


def minor(text: str) -> Minor:
    """`3.20`, as a receipt of our shops' currency writes it."""
    found = re.fullmatch(r"(\d{1,6})\.(\d\d)", text)
    if found is None:
        raise ValueError(f"{text!r} is no amount: want 3.20")
    return 100 * int(found[1]) + int(found[2])
