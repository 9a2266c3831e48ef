"""Headers and events to and from the dictionaries of `cabinet-visit/1`, value by value.

Every refusal is a `TraceError` that says where and why.  Keys and event types it does not know are passed over.
"""

import json
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Literal, NoReturn, TypeVar, cast

from cabinet.basket.evidence import (
    Bolt,
    Camera,
    Door,
    Gap,
    Happening,
    Header,
    Health,
    Mass,
    Product,
    Sighting,
    State,
    Temperature,
    Zone,
)
from cabinet.basket.prices import PriceList
from cabinet.basket.rules import RulesError, list_from, list_to
from cabinet.units import CameraId, Sku, VisitId, ZoneId

FORMAT = "cabinet-visit/1"
T = TypeVar("T")


class TraceError(ValueError):
    """The trace cannot be used; the message says where and why."""


def _finite(value: float) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False


class Fields:
    """A JSON object being read, with its place for the message of a refusal."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise TraceError(f"{where}: expected an object, got {value!r:.40}")
        self._values = cast("dict[str, object]", value)
        self._where = where

    def refuse(self, key: str, why: str) -> NoReturn:
        raise TraceError(f"{self._where}: {key}: {why}")

    def _take(self, key: str, default: object) -> object:
        value = self._values.get(key, default)
        if value is ...:
            self.refuse(key, "is missing")
        return value

    def number(
        self, key: str, default: object = ..., *, least: float = float("-inf"), most: float = float("inf")
    ) -> float:
        return self._number(key, self._take(key, default), least, most)

    def _number(self, key: str, value: object, least: float, most: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
            self.refuse(key, f"expected a finite number, got {value!r:.40}")
        if not least <= value <= most:
            self.refuse(key, f"{value} is not within {least:g} to {most:g}")
        return float(value)

    def maybe_number(self, key: str, *, least: float = float("-inf")) -> float | None:
        return None if self._values.get(key) is None else self.number(key, least=least)

    def count(self, key: str, default: object = ...) -> int:
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.refuse(key, f"expected a whole number from 0, got {value!r:.40}")
        return value

    def text(self, key: str, default: object = ...) -> str:
        value = self._take(key, default)
        if not isinstance(value, str):
            self.refuse(key, f"expected a text, got {value!r:.40}")
        return value

    def choice(self, key: str, *allowed: str) -> str:
        value = self.text(key)
        if value not in allowed:
            self.refuse(key, f"{value!r} is none of {', '.join(allowed)}")
        return value

    def flag(self, key: str) -> bool:
        value = self._take(key, ...)
        if not isinstance(value, bool):
            self.refuse(key, f"expected true or false, got {value!r:.40}")
        return value

    def table(self, key: str, read: Callable[["Fields", str], T], default: object = ...) -> dict[str, T]:
        inner = Fields(self._take(key, default), f"{self._where}: {key}")
        return {name: read(inner, name) for name in inner._values}

    def inner(self, key: str) -> "Fields":
        return Fields(self._take(key, ...), f"{self._where}: {key}")

    def has(self, key: str, kind: type = object) -> bool:
        """Whether the key is there with a value of the kind, and not null."""
        value = self._values.get(key)
        return value is not None and isinstance(value, kind)

    def value(self, key: str) -> object:
        return self._take(key, ...)

    def list(self, key: str, default: object = ...) -> list[object]:
        value = self._take(key, default)
        if not isinstance(value, list):
            self.refuse(key, f"expected a list, got {value!r:.40}")
        return value

    def numbers(self, key: str, *, maybe: bool = False) -> tuple[float | None, ...]:
        inf = float("inf")
        return tuple(
            None if maybe and value is None else self._number(f"{key}[{i}]", value, -inf, inf)
            for i, value in enumerate(self.list(key))
        )

    def texts(self, key: str, default: object = ...) -> tuple[str, ...]:
        values = self.list(key, default)
        if not all(isinstance(value, str) for value in values):
            self.refuse(key, "expected a list of texts")
        return tuple(cast("list[str]", values))


def loads(text: str | bytes, where: str) -> object:
    """JSON, without NaN and infinities.  json.JSONDecodeError (a ValueError) where the text is torn."""

    def refuse(name: str) -> NoReturn:
        raise TraceError(f"{where}: {name} is no number")

    return cast("object", json.loads(text, parse_constant=refuse))


# The header


def header_to_dict(header: Header) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "visit": header.visit,
        "cabinet": header.cabinet,
        "started_at": header.started_at,
        "clock_trusted": header.clock_trusted,
        "purpose": header.purpose,
        "currency": header.currency,
        "zones": {
            name: {
                "kind": zone.kind,
                "cells": zone.cells,
                "capacity_g": zone.capacity_g,
                "rate_hz": zone.rate_hz,
                "noise_g": zone.noise_g,
                "quantum_g": zone.quantum_g,
            }
            for name, zone in header.zones.items()
        },
        "cameras": {
            name: {
                "width": camera.width,
                "height": camera.height,
                "fps": camera.fps,
                "sees": list(camera.sees),
                "polygons": {z: [list(p) for p in points] for z, points in camera.polygons.items()},
                "starts_at_t": camera.starts_at_t,
            }
            for name, camera in header.cameras.items()
        },
        "catalog": {
            sku: {
                "name": product.name,
                "mass_g": product.mass_g,
                **({} if product.mass_sd_g is None else {"mass_sd_g": product.mass_sd_g}),
                "unit_price": product.unit_price,
                "tax": product.tax,
                "min_age": product.min_age,
                **({"deposit": product.deposit} if product.deposit else {}),
            }
            for sku, product in header.catalog.items()
        },
        "planogram": {zone: list(skus) for zone, skus in header.planogram.items()},
        "stock": {zone: dict(held) for zone, held in header.stock.items()},
        **({"strays": {zone: list(skus) for zone, skus in header.strays.items()}} if header.strays else {}),
        **({} if header.prices is None else {"prices": list_to(header.prices)}),
        **({} if header.member_age is None else {"member_age": header.member_age}),
    }


def header_from_dict(value: object, where: str = "visit.json") -> Header:
    """TraceError for another format, a missing key or a value that cannot be."""
    f = Fields(value, where)
    found = f.text("format", "none")
    if found != FORMAT:
        raise TraceError(f"{where}: format is {found!r}; this software reads {FORMAT!r}")
    zones = f.table("zones", lambda g, name: _zone(g.inner(name)))
    header = Header(
        visit=VisitId(f.text("visit")),
        cabinet=f.text("cabinet"),
        started_at=f.text("started_at"),
        clock_trusted=f.flag("clock_trusted"),
        purpose=cast("Literal['shop', 'restock', 'service']", f.choice("purpose", "shop", "restock", "service")),
        currency=f.text("currency"),
        zones={ZoneId(z): zone for z, zone in zones.items()},
        cameras={CameraId(c): camera for c, camera in f.table("cameras", lambda g, n: _camera(g.inner(n)), {}).items()},
        catalog={Sku(s): product for s, product in f.table("catalog", lambda g, n: _product(g.inner(n))).items()},
        planogram={
            ZoneId(z): tuple(Sku(s) for s in skus)
            for z, skus in f.table("planogram", lambda g, name: g.texts(name)).items()
        },
        stock={
            ZoneId(z): {Sku(s): n for s, n in held.items()}
            for z, held in f.table("stock", lambda g, z: g.table(z, lambda h, sku: h.count(sku))).items()
        },
        strays={
            ZoneId(z): tuple(Sku(s) for s in skus)
            for z, skus in f.table("strays", lambda g, name: g.texts(name), {}).items()
        },
        prices=_prices(f),
        member_age=f.count("member_age") if f.has("member_age") else None,
    )
    for key, named in (("planogram", header.planogram), ("stock", header.stock)):
        for zone in named:
            if zone not in header.zones:
                f.refuse(key, f"names zone {zone!r}, which zones does not")
    return header


def _zone(f: Fields) -> Zone:
    return Zone(
        kind=f.text("kind", "shelf"),
        cells=f.count("cells", 4),
        capacity_g=f.number("capacity_g", 20_000.0, least=1),
        rate_hz=f.number("rate_hz", 80.0, least=0.1, most=10_000),
        noise_g=f.number("noise_g", 1.0, least=0),
        quantum_g=f.number("quantum_g", 1.0, least=0),
    )


def _camera(f: Fields) -> Camera:
    polygons = {}
    for zone, points in f.table("polygons", lambda g, z: g.list(z), {}).items():
        if not all(isinstance(p, list) and len(p) == 2 for p in points):
            f.refuse(f"polygons: {zone}", "expected a list of [x, y]")
        pairs = [Fields({"x": x, "y": y}, f"polygons: {zone}") for x, y in cast("list[list[object]]", points)]
        polygons[ZoneId(zone)] = tuple((p.number("x"), p.number("y")) for p in pairs)
    return Camera(
        width=f.count("width"),
        height=f.count("height"),
        fps=f.number("fps", least=0),
        sees=tuple(ZoneId(z) for z in f.texts("sees", [])),
        polygons=polygons,
        starts_at_t=f.number("starts_at_t", 0.0),
    )


def _product(f: Fields) -> Product:
    return Product(
        name=f.text("name"),
        mass_g=f.number("mass_g", least=0.01, most=1e6),
        unit_price=f.count("unit_price"),
        mass_sd_g=f.maybe_number("mass_sd_g", least=0),
        tax=f.text("tax", "standard"),
        min_age=f.count("min_age", 0),
        deposit=f.count("deposit", 0),
    )


def _prices(f: Fields) -> PriceList | None:
    """Rules that are not understood are no trace of ours: the bill would be another one."""
    try:
        return list_from(f.value("prices")) if f.has("prices") else None
    except RulesError as error:
        f.refuse("prices", str(error))


# Events


def event_to_dict(event: Happening) -> dict[str, Any]:
    match event:
        case Mass(t, zone, hz, g):
            return {"t": t, "type": "mass", "zone": zone, "hz": hz, "g": list(g)}
        case Bolt(t, locked):
            return {"t": t, "type": "bolt", "locked": locked}
        case Door(t, is_open):
            return {"t": t, "type": "door", "open": is_open}
        case Sighting():
            box = {} if event.box is None else {"box": list(event.box)}
            return {
                "t": event.t,
                "type": "sighting",
                "camera": event.camera,
                "zone": event.zone,
                "action": event.action,
                "t0": event.t0,
                "t1": event.t1,
                "scores": dict(event.scores),
                "other": event.other,
                **box,
            }
        case Health(t, part, ok, why):
            return {"t": t, "type": "health", "part": part, "ok": ok, **({"why": why} if why else {})}
        case Temperature(t, probe, c):
            return {"t": t, "type": "temperature", "probe": probe, "c": c}
        case Gap(t, part, seconds):
            return {"t": t, "type": "gap", "part": part, "seconds": seconds}
        case State(t, name):
            return {"t": t, "type": "state", "name": name}


def event_from_dict(value: object, zones: Mapping[ZoneId, Zone], where: str) -> Happening | None:
    """The event, or None for a type this software does not know."""
    f = Fields(value, where)
    kind = f.text("type")
    if kind not in READERS:
        return None
    return READERS[kind](f, f.number("t"), zones)


def _known(f: Fields, zones: Mapping[ZoneId, Zone]) -> ZoneId:
    zone = ZoneId(f.text("zone"))
    if zone not in zones:
        f.refuse("zone", f"{zone!r} is not among the header's zones")
    return zone


def _mass(f: Fields, t: float, zones: Mapping[ZoneId, Zone]) -> Mass:
    zone = _known(f, zones)
    if f.has("g", list):
        hz = f.number("hz", zones[zone].rate_hz, least=0.1, most=10_000)
        return Mass(t, zone, hz, f.numbers("g", maybe=True))
    return Mass(t, zone, zones[zone].rate_hz, (f.maybe_number("g"),))


def _sighting(f: Fields, t: float, zones: Mapping[ZoneId, Zone]) -> Sighting:
    scores = f.table("scores", lambda g, sku: g.number(sku, least=0, most=1.001))
    other = f.number("other", least=0, most=1.001)
    if abs(sum(scores.values()) + other - 1) > 0.02:  # rounding of a few decimals over many products
        f.refuse("scores", f"with other they sum to {sum(scores.values()) + other:.3f}, not 1")
    box = None
    if f.has("box"):
        corners = [int(n or 0) for n in f.numbers("box")]
        if len(corners) != 4:
            f.refuse("box", "expected [left, top, right, bottom]")
        box = (corners[0], corners[1], corners[2], corners[3])
    return Sighting(
        t,
        CameraId(f.text("camera")),
        _known(f, zones),
        cast("Literal['take', 'return', 'unknown']", f.choice("action", "take", "return", "unknown")),
        f.number("t0", t),
        f.number("t1", t),
        {Sku(s): p for s, p in scores.items()},
        other,
        box,
    )


READERS: Mapping[str, Callable[[Fields, float, Mapping[ZoneId, Zone]], Happening]] = {
    "mass": _mass,
    "sighting": _sighting,
    "bolt": lambda f, t, _: Bolt(t, f.flag("locked")),
    "door": lambda f, t, _: Door(t, f.flag("open")),
    "health": lambda f, t, _: Health(t, f.text("part"), f.flag("ok"), f.text("why", "")),
    "temperature": lambda f, t, _: Temperature(t, f.text("probe"), f.number("c")),
    "gap": lambda f, t, _: Gap(t, f.text("part"), f.number("seconds", least=0)),
    "state": lambda f, t, _: State(t, f.text("name")),
}
