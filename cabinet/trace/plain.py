"""The common line of a trace, without ceremony: nearly every line is a mass of finite readings in plain UTF-8.

Refuses nothing and words nothing: what is not plain gives None, and the caller goes the careful way, which says why.
Both ways give the same values and the same bytes.
"""

import json
from collections.abc import Mapping
from math import inf, isfinite
from typing import Any, NoReturn

from cabinet.basket.evidence import Happening, Mass, Zone
from cabinet.units import ZoneId

FLOATS = frozenset({float, type(None)})
NUMBERS = frozenset({float, int, type(None)})  # by exact type: true is no number
MOST_SPELT = 16_384  # numbers whose text is kept: 3 MiB at most


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def plain_object(line: bytes) -> dict[str, Any] | None:
    """The JSON object that fills the line, with its newline or without."""
    try:
        text = line.decode()
        value, end = _DECODER.raw_decode(text)
    except ValueError:  # another encoding, a torn line, a blank first, NaN
        return None
    return value if type(value) is dict and text[end:] in ("", "\n") else None


def plain_mass(value: Mapping[str, Any], zones: Mapping[ZoneId, Zone]) -> Mass | None:
    """As `event_from_dict`, for a mass with its rate and a list of finite readings."""
    try:
        if value["type"] != "mass":
            return None
        t, zone, hz, g = value["t"], value["zone"], value["hz"], value["g"]
        if type(g) is not list or type(zone) is not str or zone not in zones:
            return None
        if type(t) not in NUMBERS or type(hz) not in NUMBERS or not 0.1 <= hz <= 10_000:
            return None
        kinds = {*map(type, g)}
        if not kinds <= NUMBERS:
            return None
        if int in kinds:
            g = [None if one is None else float(one) for one in g]
        t, hz = float(t), float(hz)
        total = sum(g) if kinds == {float} else sum(filter(None, g))
    except (KeyError, TypeError, OverflowError):
        return None
    return Mass(t, ZoneId(zone), hz, tuple(g)) if isfinite(t + total) else None


class Spelling:
    """JSON of masses as the evidence's two hashes take it, keys sorted: loose as `json.dumps`, and `canonical`.

    Readings repeat: the text of a number is made once.
    """

    def __init__(self) -> None:
        self._numbers = _Numbers()
        self._ends: dict[tuple[ZoneId, float], tuple[str, str, str, str]] = {}

    def of(self, event: Happening) -> tuple[bytes, bytes] | None:
        if type(event) is not Mass or not FLOATS.issuperset(map(type, event.g)):
            return None
        t, hz = event.t, event.hz
        if type(t) is not float or type(hz) is not float or type(event.zone) is not str or not 0 < hz < inf:
            return None
        spelt = self._numbers
        try:
            g, at = [*map(spelt.__getitem__, event.g)], spelt[t]
        except ValueError:
            return None
        loose, loose_end, tight, tight_end = self._ends.get((event.zone, hz)) or self._end(event.zone, hz)
        return (
            f'{{"g": [{", ".join(g)}], {loose}{at}{loose_end}'.encode(),
            f'{{"g":[{",".join(g)}],{tight}{at}{tight_end}'.encode(),
        )

    def _end(self, zone: ZoneId, hz: float) -> tuple[str, str, str, str]:
        loose, tight = f', "type": "mass", "zone": {json.dumps(zone)}}}', json.dumps(zone, ensure_ascii=False)
        found = (f'"hz": {hz!r}, "t": ', loose, f'"hz":{hz!r},"t":', f',"type":"mass","zone":{tight}}}')
        self._ends[zone, hz] = found
        return found


class _Numbers(dict[float | None, str]):
    """The JSON of a number or null; ValueError where it is not finite."""

    def __missing__(self, number: float | None) -> str:
        if number is not None and not isfinite(number):
            raise ValueError(number)
        text = "null" if number is None else repr(number)
        if number != 0:  # 0.0 and -0.0 are one key and two texts
            if len(self) >= MOST_SPELT:
                self.clear()
            self[number] = text
        return text
