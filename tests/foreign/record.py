"""From a played story to the files of its trace, with what the recording suffers on the way."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.foreign import cells, doubt, honest, hostile, shop, sight
from tests.foreign.knobs import BATCH, HZ, Knobs
from tests.foreign.play import Play

MIXES = {"honest": honest.STORIES, "hostile": hostile.STORIES}
FLIPS = (2**13, 2**14, 2**15, 2**16, 2**18)  # counts a slipped bit adds, in grams
FULL_SCALE_G = 22_000.0  # where the amplifier stops
DRAWS = 6  # of a visit that deceives everybody
DECEIVED = 0.1  # belief in the true bill under which all evidence points elsewhere
DECEIVED_IN = {"mass_off": 0.9}  # a wrong mass and another product of just that mass is too much for anybody
CONTENT = 0.9  # belief from which a careful person would charge: right nine times of ten
FOOLED = {
    "misleading",
    "stuck_cell",
}  # stories whose point is that some evidence lies; then there has to be other evidence
Line = dict[str, Any]
Story = Callable[[Play], None]


@dataclass(frozen=True, slots=True)
class Made:
    """A trace in memory, and the exact grams that the story moved in each zone."""

    header: Line
    events: list[Line]
    truth: Line
    moved_g: dict[str, float]
    torn: bool = False


def visit(mix: str, seed: int, number: int, knobs: Knobs, *, sight_on: bool = True) -> Made:
    """The visit of this number: the same whatever else is made beside it.

    Drawn again where everything sensed speaks for another bill than the true one: there nobody could be right.
    """
    for draw in range(DRAWS):
        rng = np.random.default_rng([seed, number, sorted(MIXES).index(mix), draw])
        stories = MIXES[mix]
        weights = np.array([w for _, w in stories.values()])
        if draw == 0:
            name = str(rng.choice(list(stories), p=weights / weights.sum()))
        play = _played(stories[name][0], name, knobs, rng)
        told = sight.sightings(play) if sight_on else []
        believed = doubt.belief(play, told)
        unseen = name in FOOLED and sight_on and not told
        if not unseen and (name in FOOLED or believed >= DECEIVED_IN.get(name, DECEIVED)):
            break
    if play.outcome == "charge" and believed < CONTENT:
        play.outcome = "either"
    return _recorded(play, told, mix, name, f"foreign-{mix}-{seed}-{number:05d}")


def _played(story: Story, name: str, knobs: Knobs, rng: shop.Rng) -> Play:
    need = honest.need(name, rng)
    play = Play(rng, shop.open_shop(rng, need.get("want"), need.get("off", 0.0)), knobs, marks=dict(need))
    play.open()
    story(play)
    if play.doors[-1][1]:
        play.shut()
    loud = knobs.rest_low_g / Knobs().rest_low_g  # --noise scales what a story asks for as well
    asked = {key: play.marks[key] * loud for key in ("hum_g", "drift_g") if key in play.marks}
    if "slam_g" in play.marks:
        play.marks["slam_g"] *= loud
    play.knobs = replace(knobs, **asked, lag_s=play.marks.get("lag_s", knobs.lag_s))
    return play


def _recorded(play: Play, told: list[Line], mix: str, name: str, visit_id: str) -> Made:
    rest = {z: play.u(play.knobs.rest_low_g, play.knobs.rest_high_g) for z in shop.ZONES}
    t, grams = cells.readings(play, rest)
    events = _mass_lines(play, t, grams) + _others(play, told)
    events.sort(key=lambda e: e["t"])
    moved: dict[str, float] = dict.fromkeys(shop.ZONES, 0.0)
    for move in play.moves:
        moved[move.zone] += move.delta_g
    head = shop.header(play.shop, visit_id, dict.fromkeys(shop.ZONES, 1.0))
    return Made(head, events, _truth(play, mix, name), moved, torn=bool(play.marks.get("torn")))


def _truth(play: Play, mix: str, name: str) -> Line:
    moved = [list(m) for m in play.moved]
    tags = [mix, name]
    return {"basket": play.taken(), "moved": moved, "outcome": play.outcome, "story": name, "tags": tags}


def _mass_lines(play: Play, t: NDArray[np.float64], grams: dict[str, NDArray[np.float64]]) -> list[Line]:
    lines = []
    kept = {zone: _suffer(play, zone, t, g) for zone, g in grams.items()}
    lost_from, lost_s = play.marks.get("gap", (1e9, 0.0))
    dead, dead_from = play.marks.get("dead_zone", ("", 1e9))
    for i in range(0, len(t), BATCH):
        for zone, values in kept.items():
            times, batch = t[i : i + BATCH], values[i : i + BATCH]
            alive = [not (lost_from <= x < lost_from + lost_s) and not (zone == dead and x >= dead_from) for x in times]
            if not any(alive):
                continue
            first = alive.index(True)
            end = first + [*alive[first:], False].index(False)
            lines.append(
                {"t": round(float(times[first]), 4), "type": "mass", "zone": zone, "hz": HZ, "g": batch[first:end]}
            )
    return lines


def _suffer(play: Play, zone: str, t: NDArray[np.float64], g: NDArray[np.float64]) -> list[float | None]:
    """Rounding, and the faults of the story."""
    marks, rng = play.marks, play.rng
    stuck, since = marks.get("stuck_zone", ("", 0.0))
    if zone == stuck:
        g = np.where(t >= since, g[int(np.searchsorted(t, since))], g)
    part, share = marks.get("part_stuck", ("", 1.0))
    if zone == part:
        g = g[0] + (g - g[0]) * share
    clamp = marks.get("clamp")
    over = np.asarray(g > FULL_SCALE_G) if clamp else np.zeros(len(g), bool)
    values: list[float | None] = np.round(np.minimum(g, FULL_SCALE_G) if clamp else g).tolist()
    flagged = rng.random() < 0.5  # a board that flags saturation, and one that hands it on
    for i in np.flatnonzero(over):
        values[i] = None if flagged else FULL_SCALE_G
    for i in rng.integers(0, len(values), marks.get("spikes", 0)):
        spike = float(rng.choice(FLIPS)) * float(rng.choice([-1, 1]))
        values[i] = None if rng.random() < 0.5 else float(np.round(g[i])) + spike
    return values


def _others(play: Play, told: list[Line]) -> list[Line]:
    lines: list[Line] = [{"t": 0.0, "type": "bolt", "locked": False}]
    lines += [{"t": round(at, 3), "type": "door", "open": opens} for at, opens in play.doors]
    lines.append({"t": round(play.closed_s + 0.25, 3), "type": "bolt", "locked": True})
    lines += [{**e, "t": round(e["t"], 3)} for e in play.events]
    if "gap" in play.marks:
        at, seconds = play.marks["gap"]
        lines.append({"t": round(at + seconds, 3), "type": "gap", "part": "board", "seconds": round(seconds, 3)})
    return lines + told


def write(made: Made, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "visit.json").write_text(json.dumps(made.header))
    text = "".join(json.dumps(e) + "\n" for e in made.events)
    (folder / "events.jsonl").write_text(text[: -len(text.splitlines()[-1]) // 2] if made.torn else text)
    (folder / "truth.json").write_text(json.dumps(made.truth))
