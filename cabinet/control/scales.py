"""What a technician does with the scales: look, tare, calibrate with two known masses.

The board judges every step and keeps only what passes its checks; a refusal is an answer here, with figures and remedy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cabinet.config import Config
from cabinet.control.maintenance import Maintenance
from cabinet.control.requests import Answer, Arguments, RequestError, integer, number, text
from cabinet.parts import Parts
from cabinet.ports import CellReading, Desk
from cabinet.scales import Figures, Scale, Scales
from cabinet.units import ZoneId

CALIBRATION_S = 600.0  # the board forgets a tare or a point after so long (PROTOCOL.md)
LEAST_MASS_G, MOST_MASS_G = 50.0, 200_000.0  # likewise
RESIDUAL_SHARE, LEAST_RESIDUAL_G = 0.005, 2.0  # of the heavier mass; likewise


@dataclass
class Weighing:
    config: Config
    scales: Scales
    parts: Parts
    desk: Desk
    maintenance: Maintenance

    def operations(self) -> dict[str, Any]:
        return {
            "scale.show": self.show,
            "scale.tare": self.tare,
            "scale.point": self.point,
            "scale.calibrate": self.calibrate,
            "scale.cancel": self.cancel,
        }

    async def show(self, arguments: Arguments, _: str) -> Answer:
        """Every zone, or the one named: what it weighs, how still it is, how it was calibrated."""
        wanted = [self._zone(arguments)] if arguments.get("zone") is not None else [*self.scales.zones]
        return {"zones": [await self._shown(zone) for zone in wanted]}

    async def tare(self, arguments: Arguments, who: str) -> Answer:
        """The zero.  With `then` "calibrate" it is the first step of that, which holds the cabinet until the last."""
        zone = self._zone(arguments)
        if arguments.get("then") == "calibrate":
            await self.maintenance.begin(_name(zone), who, for_s=CALIBRATION_S)
            return self._judged(await self.desk.tare(zone), changed=True)
        async with self.maintenance.during(f"tare {zone}", who):
            return self._judged(await self.desk.tare(zone), changed=True)

    async def point(self, arguments: Arguments, who: str) -> Answer:
        zone, slot = self._zone(arguments), integer(arguments, "slot", low=1, high=2)
        mass_g = number(arguments, "mass_g")
        if mass_g is None or not LEAST_MASS_G <= mass_g <= MOST_MASS_G:
            raise RequestError(f"mass_g is {mass_g}", f"give {LEAST_MASS_G:g} to {MOST_MASS_G:,.0f} grams")
        await self.maintenance.begin(_name(zone), who, for_s=CALIBRATION_S)
        return self._judged(await self.desk.point(zone, slot, mass_g), changed=False)

    async def calibrate(self, arguments: Arguments, who: str) -> Answer:
        """The last step: the line through zero and masses.  The cabinet is free again, whatever the board says."""
        zone = self._zone(arguments)
        async with self.maintenance.during(_name(zone), who):
            judged = self._judged(await self.desk.calibrate(zone), changed=True)
        self.maintenance.end()
        return judged

    async def cancel(self, arguments: Arguments, _: str) -> Answer:
        """Nothing is kept of the masses.  Safe to repeat."""
        zone = self._zone(arguments)
        self.maintenance.refuse_others(_name(zone))
        self.maintenance.end()
        return {"zone": zone}

    def _judged(self, reading: CellReading, *, changed: bool) -> Answer:
        """`changed`: what was weighed with the old zero or span means nothing any more."""
        if reading.ok and changed:
            self.scales.zones[reading.zone].forget()
        return told(reading)

    async def _shown(self, zone: ZoneId) -> Answer:
        scale = self.scales.zones[zone]
        return {
            **told(await self.desk.cell(zone)),
            **live(scale),
            "channel": next(z.channel for z in self.config.zones if z.id == zone),
            "capacity_g": scale.zone.capacity_g,
            "expected_noise_g": scale.zone.noise_g,
            "trouble": self.parts.why(f"scale:{zone}"),
        }

    def _zone(self, arguments: Arguments) -> ZoneId:
        zone = text(arguments, "zone")
        if zone not in self.scales.zones:
            raise RequestError(f"there is no zone {zone!r}", f"zones here: {', '.join(self.scales.zones)}")
        return ZoneId(zone)


def told(reading: CellReading) -> Answer:
    """A reading as JSON."""
    return {
        "zone": reading.zone,
        "ok": reading.ok,
        "answer": reading.answer,
        "why": reading.why,
        "remedy": reading.remedy,
        "mean_counts": reading.mean_counts,
        "noise_counts": reading.noise_counts,
        "zero_counts": reading.zero_counts,
        "counts_per_g": _rounded(reading.counts_per_g, 4),
        "residual_g": reading.residual_g,
        "board_g": _rounded(reading.grams, 2),
        "board_noise_g": _rounded(reading.noise_g, 3),
    }


def live(scale: Scale) -> Answer:
    """The last second of a zone as JSON."""
    figures = scale.figures()
    return {
        "g": _rounded(figures.g, 2),
        "noise_g": _rounded(figures.noise_g, 3),
        "hz": _rounded(figures.hz, 2),
        "samples": figures.count,
        "bad_share": _rounded(figures.bad_share, 4),
        "bad": _reasons(figures),
        "steady": scale.steady() is not None,
    }


def _reasons(figures: Figures) -> Mapping[str, int]:
    return dict(sorted(figures.bad.items()))


def _rounded(value: float | None, places: int) -> float | None:
    return None if value is None else round(value, places)


def _name(zone: ZoneId) -> str:
    return f"calibrate {zone}"
