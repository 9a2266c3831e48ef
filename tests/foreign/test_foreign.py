"""The foreign visits are what they say: readable by the cabinet, repeatable, and true to their own grams."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cabinet import trace
from cabinet.basket.evidence import Mass, Sighting, Visit
from tests.foreign.__main__ import main
from tests.foreign.knobs import Knobs
from tests.foreign.record import Made, visit, write

MANY = 40
FAITHFUL = {  # hostile stories whose cells tell the truth once all is quiet
    "rummage", "spikes", "clock_lag", "camera_dead", "covered", "misleading", "slam_take", "cheap_for_dear",
    "saturation",
}  # fmt: skip
UNTRUE_MASS = "mass_off"


def _net_g(made: Visit, zone: str) -> float:
    """Median of the last second less the median of the first two."""
    lines = [e.g for e in made.events if isinstance(e, Mass) and e.zone == zone]
    read = np.array([np.nan if g is None else g for line in lines for g in line], dtype=float)
    return float(np.nanmedian(read[-80:]) - np.nanmedian(read[:160]))


def _made(mix: str, seed: int = 3) -> list[Made]:
    return [visit(mix, seed, number, Knobs()) for number in range(MANY)]


@pytest.mark.parametrize("mix", ["honest", "hostile"])
def test_every_visit_is_read_without_complaint_and_only_a_torn_one_is_incomplete(mix: str, tmp_path: Path) -> None:
    for made in _made(mix):
        folder = tmp_path / made.header["visit"]
        write(made, folder)
        seen, truth = trace.read(folder), trace.read_truth(folder)
        assert seen.incomplete == made.torn
        assert dict(truth.basket) == made.truth["basket"]
        assert truth.tags[0] == mix


@pytest.mark.parametrize("mix", ["honest", "hostile"])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(mix: str, tmp_path: Path) -> None:
    for out, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        assert main([str(tmp_path / out), "-n", "6", "--seed", seed, "--mix", mix]) == 0
    first, again, other = (
        {f.name: [(f / part).read_bytes() for part in ("visit.json", "events.jsonl", "truth.json")] for f in folders}
        for folders in ((tmp_path / out).iterdir() for out in "abc")
    )
    assert first == again
    assert not any(content in other.values() for content in first.values())


@pytest.mark.parametrize("mix", ["honest", "hostile"])
def test_the_samples_lose_what_the_story_moved(mix: str, tmp_path: Path) -> None:
    checked = 0
    for made in _made(mix):
        if mix == "hostile" and made.truth["story"] not in FAITHFUL:
            continue
        write(made, tmp_path / made.header["visit"])
        seen = trace.read(tmp_path / made.header["visit"])
        for zone, moved_g in made.moved_g.items():
            neighbours_g = Knobs().neighbour * (sum(made.moved_g.values()) - moved_g)
            assert _net_g(seen, zone) == pytest.approx(moved_g + neighbours_g, abs=2.5), made.header["visit"]
        checked += 1
    assert checked >= MANY // 4


def test_what_left_the_shelves_weighs_what_the_true_basket_weighs() -> None:
    for made in _made("honest"):
        if made.truth["story"] == UNTRUE_MASS:
            continue
        catalog = made.header["catalog"]
        units = [
            (catalog[sku]["mass_g"], catalog[sku]["mass_sd_g"])
            for sku, n in made.truth["basket"].items()
            for _ in range(n)
        ]
        spread_g = sum(sd**2 for _, sd in units) ** 0.5
        assert -sum(made.moved_g.values()) == pytest.approx(sum(m for m, _ in units), abs=5 * spread_g + 0.5)


def test_without_cameras_there_is_no_sighting_and_a_lagging_camera_is_late(tmp_path: Path) -> None:
    def times(name: str, *options: str) -> list[float]:
        assert main([str(tmp_path / name), "-n", "8", "--seed", "2", *options]) == 0
        seen = [trace.read(folder) for folder in sorted((tmp_path / name).iterdir())]
        return [e.t for one in seen for e in one.events if isinstance(e, Sighting)]

    assert times("plain")
    assert times("blind", "--no-sightings") == []
    lag = replace(Knobs(), lag_s=0.8)
    for number in range(8):
        late, plain = visit("honest", 2, number, lag), visit("honest", 2, number, Knobs())
        assert [e["t"] for e in late.events if e["type"] == "sighting"] == pytest.approx(
            [e["t"] + 0.8 for e in plain.events if e["type"] == "sighting"], abs=0.002
        )


def test_more_noise_makes_restless_samples_and_no_noise_none() -> None:
    def rest_g(factor: float) -> float:
        made = visit("honest", 4, 1, Knobs().scaled(factor))
        return float(
            np.std(
                [g for e in made.events if e["type"] == "mass" and e["t"] < -0.3 for g in e["g"] if e["zone"] == "s1"]
            )
        )

    assert rest_g(0.0) == 0.0
    assert rest_g(4.0) > 2 * rest_g(1.0) > 0.0


def test_a_score_rounded_to_nought_is_little_and_no_error() -> None:
    assert visit("honest", 211, 32, Knobs()).truth["tags"][0] == "honest"
