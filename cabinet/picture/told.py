"""What there is to draw of a visit, read once: events, verdict, manifest, curves, stills.  Draws nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cabinet import trace
from cabinet.basket.evidence import BARRIER, SCALE, Gap, Health, Mass, Sighting, State, Visit
from cabinet.units import CameraId, ZoneId

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Every good sample of one zone."""

    t: Floats
    g: Floats
    bad: int = 0  # samples that the board flagged

    def level(self, t: float) -> float | None:
        """Where it stood in the third of a second from `t`."""
        near = self.g[(self.t >= t) & (self.t <= t + 0.3)]
        if not near.size:
            near = self.g[self.t >= t][:8]
        return float(np.median(near)) if near.size else None


@dataclass(frozen=True)
class Still:
    camera: CameraId
    t: float
    path: Path
    why: str = ""  # it was chosen: before, after, step 2
    looks: tuple[Sighting, ...] = ()


@dataclass(frozen=True)
class Told:
    visit: Visit
    tally: Mapping[str, Any]  # {}: not tallied yet
    evidence: str  # hash, "": nothing is bound
    versions: str
    states: Sequence[tuple[float, str]]
    span: tuple[float, float]
    barrier: float | None
    curves: Mapping[ZoneId, Curve]
    stills: Sequence[Still]
    steps: Sequence[Mapping[str, Any]] = field(default_factory=tuple)  # of the account, in order of t

    @property
    def account(self) -> Mapping[str, Any]:
        found = self.tally.get("account")
        return found if isinstance(found, dict) else {}

    @property
    def read(self) -> bool:
        """Whether the tally came to a story of the visit."""
        return self.tally.get("outcome") in {"charge", "nothing"} or bool(self.account.get("hypotheses"))

    def name(self, sku: object) -> str:
        product = self.visit.header.catalog.get(sku)  # type: ignore[call-overload] # a stranger's SKU is no key, and fine
        return str(sku) if product is None else str(product.name)

    def looks(self, zone: ZoneId) -> list[Sighting]:
        return [e for e in self.visit.events if isinstance(e, Sighting) and e.zone == zone]

    def gaps(self, zone: ZoneId) -> list[tuple[float, float]]:
        """From when to when samples of this zone were lost; a part that is no zone loses those of all."""
        zones = self.visit.header.zones
        return [
            (e.t - e.seconds, e.t)
            for e in self.visit.events
            if isinstance(e, Gap) and (part := ZoneId(e.part.removeprefix(SCALE))) in {zone, *({part} - set(zones))}
        ]

    def troubles(self) -> list[Health | Gap]:
        return [e for e in self.visit.events if isinstance(e, Health | Gap)]

    def weight(self, zone: ZoneId) -> float:
        """How much there is to see in a zone: its row is as high."""
        busy = sum(step.get("zone") == zone for step in self.steps)
        if busy:
            return 2.4 if busy == 1 else 3.0
        moved = abs(self.account.get("net_g", {}).get(zone, 0.0)) > 15.0
        return 1.7 if moved or self.looks(zone) or zone not in self.curves else 1.0


def gather(folder: Path, states: Sequence[tuple[float, str]]) -> Told:
    visit = trace.read(folder)
    tally, manifest = _json(folder / "tally.json"), _json(folder / "evidence.json")
    own = [(e.t, e.name) for e in visit.events if isinstance(e, State)]
    versions = [f"{key} {manifest[key]}" for key in ("software", "policy") if manifest.get(key)]
    steps = [s for s in (tally.get("account") or {}).get("steps", ()) if "t" in s and "delta_g" in s]
    return Told(
        visit=visit,
        tally=tally,
        evidence=trace.manifest_hash(manifest) if manifest else str(tally.get("evidence", "")),
        versions=", ".join(versions),
        states=list(states) or [(t, name) for t, name in own if name != BARRIER],
        span=_span(visit),
        barrier=max((t for t, name in own if name == BARRIER), default=None),
        curves=_curves(visit),
        stills=_stills(folder),
        steps=sorted(steps, key=lambda s: (s["t"], str(s.get("zone")))),
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):  # a page without it is better than none
        return {}
    return found if isinstance(found, dict) else {}


def _span(visit: Visit) -> tuple[float, float]:
    ends = [e.t + (len(e.g) / e.hz if isinstance(e, Mass) else 0) for e in visit.events]
    first = min([e.t for e in visit.events], default=0.0)
    return first, max([*ends, first + 1.0])


def _curves(visit: Visit) -> dict[ZoneId, Curve]:
    chunks: dict[ZoneId, list[Mass]] = {}
    for event in visit.events:
        if isinstance(event, Mass):
            chunks.setdefault(event.zone, []).append(event)
    found = {}
    for zone, masses in chunks.items():
        t = np.concatenate([m.t + np.arange(len(m.g)) / m.hz for m in masses])
        g = np.array([np.nan if x is None else x for m in masses for x in m.g])
        good = np.isfinite(g)
        if good.any():
            found[zone] = Curve(t[good], g[good], int((~good).sum()))
    return found


def _stills(folder: Path) -> list[Still]:
    found = [
        Still(CameraId(path.parent.name), int(path.stem) / 1000, path)
        for path in folder.glob("frames/*/*.jpg")
        if path.stem.removeprefix("-").isdecimal()
    ]
    return sorted(found, key=lambda s: (s.t, s.camera))
