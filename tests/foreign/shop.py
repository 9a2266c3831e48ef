"""One cabinet as it stands before a visit: products, what the ledger believes, and the units really there."""

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

CATALOG = Path(__file__).resolve().parents[3] / "shared" / "data" / "catalog" / "products.csv"
ZONES = ("s1", "s2", "s3", "s4")  # upper left, upper right, lower left, lower right: from what the cameras see
SEES = {"top": ZONES, "left": ("s1", "s3"), "right": ("s2", "s4")}
ABOVE = {"s3": "s1", "s4": "s2"}
PER_ZONE = 6
FULL_G = 15_000.0  # of goods in a zone of 20 kg: examples up to 11.5 kg
LEAST = 2  # units of a SKU: the examples

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Goods:
    sku: str
    name: str
    mass_g: float  # what the ledger believes
    real_g: float  # what units weigh on average
    sd_g: float
    price: int
    learnt: bool = True  # False: the header gives no spread


@dataclass(slots=True)
class Shop:
    goods: dict[str, Goods]
    plan: dict[str, list[str]]
    stock: dict[str, dict[str, int]]
    units: dict[str, list["Unit"]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unit:
    sku: str | None  # None: not of this shop
    mass_g: float
    home: str = ""


def products(rng: Rng, file: Path = CATALOG) -> list[tuple[str, str, float]]:
    """SKU, name and mass of what shops sell; drawn log-uniform where the catalogue is not at hand."""
    if not file.is_file():
        made = np.exp(rng.uniform(np.log(30.0), np.log(1600.0), 84))
        return [(f"{10_000_000 + i}", f"Product {i}", round(float(m), 1)) for i, m in enumerate(made)]
    with file.open(encoding="utf-8", newline="") as rows:
        return [(r["barcode"], r["name"], float(r["mass_g"])) for r in csv.DictReader(rows) if r["mass_g"]]


def open_shop(rng: Rng, want: list[str] | None = None, off: float = 0.0) -> Shop:
    """24 SKUs in 4 zones.  `want` stand together in one zone; the first of them weighs `off` more than believed."""
    offered = {sku: (name, mass) for sku, name, mass in products(rng)}
    wanted = list(want or [])
    others = [sku for sku in offered if sku not in wanted]
    chosen = wanted + [str(s) for s in rng.choice(others, PER_ZONE * len(ZONES) - len(wanted), replace=False)]
    goods: dict[str, Goods] = {}
    for n, sku in enumerate(chosen):
        name, listed = offered[sku]
        real = listed * (1.0 + rng.normal(0.0, 0.003))
        sd = max(0.6, real * rng.uniform(0.005, 0.012))
        wrong = off != 0.0 and n == 0
        believed = round(real / (1.0 + off), 1) if wrong else round(real, 1)
        goods[sku] = Goods(sku, name, believed, real, sd, 100 + round(listed) % 400, learnt=not wrong)
    first = int(rng.integers(len(ZONES)))
    order = ZONES[first:] + ZONES[:first]
    rest = chosen[PER_ZONE:]
    rng.shuffle(rest)
    chosen = chosen[:PER_ZONE] + rest
    plan = {zone: chosen[i * PER_ZONE : (i + 1) * PER_ZONE] for i, zone in enumerate(order)}
    stock = {zone: {sku: int(rng.integers(2, 9)) for sku in plan[zone]} for zone in ZONES}
    for zone in ZONES:  # nobody loads a shelf to its limit
        while sum(n * goods[sku].real_g for sku, n in stock[zone].items()) > FULL_G:
            heaviest = max((s for s, n in stock[zone].items() if n > LEAST), key=lambda s: goods[s].real_g)
            stock[zone][heaviest] -= 1
    shop = Shop(goods, {zone: plan[zone] for zone in ZONES}, stock)
    for zone in ZONES:
        shop.units[zone] = [
            Unit(sku, float(rng.normal(goods[sku].real_g, goods[sku].sd_g)), zone)
            for sku, count in stock[zone].items()
            for _ in range(count)
        ]
    return shop


def header(shop: Shop, visit: str, rest_g: dict[str, float]) -> dict[str, Any]:
    """visit.json, in the order of the examples."""
    zones = {
        z: {"kind": "shelf", "cells": 4, "capacity_g": 20000, "rate_hz": 80, "noise_g": rest_g[z], "quantum_g": 1.0}
        for z in ZONES
    }
    cameras = {c: {"width": 1280, "height": 720, "fps": 15, "sees": list(sees)} for c, sees in SEES.items()}
    catalog: dict[str, dict[str, Any]] = {}
    for sku, g in shop.goods.items():
        spread = {"mass_sd_g": round(g.sd_g, 2)} if g.learnt else {}
        catalog[sku] = {"name": g.name, "mass_g": g.mass_g, **spread, "unit_price": g.price}
        catalog[sku] |= {"tax": "standard", "min_age": 0}
    return {
        "format": "cabinet-visit/1",
        "visit": visit,
        "cabinet": "foreign-001",
        "started_at": "2026-11-01T09:00:00Z",
        "clock_trusted": True,
        "purpose": "shop",
        "currency": "USD",
        "zones": zones,
        "cameras": cameras,
        "catalog": catalog,
        "planogram": shop.plan,
        "stock": shop.stock,
    }
