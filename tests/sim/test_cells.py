"""What the cells make of a load: each imperfection alone, held against its own parameter.

A statistic of n independent samples must lie within five of its standard errors: with fixed dice it always does or
never does, and with others it would fail once in two million.
"""

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from cabinet.cli.evaluate.measures import wilson
from cabinet.sim.cells import (
    FLAWS,
    ODD_ONE,
    QUIET,
    SPIKE_G,
    Broken,
    Cells,
    Flaw,
    Grams,
    History,
    Load,
    Physics,
    Press,
)
from cabinet.units import ZoneId

ZONES = [ZoneId(name) for name in ("s1", "s2", "s3", "s4")]
S1, S2, S3, S4 = ZONES
BASE_G = 3000.0
HZ = 80.0
USUAL = Physics()
SIGMAS = 5.0


def cells(rate_hz: float = HZ, **effects: Any) -> Cells:
    """Quiet cells but for these effects, every shelf with the same load."""
    made = Cells(ZONES, replace(QUIET, **effects), rate_hz)
    for history in made.histories.values():
        history.base_g = BASE_G
    return made


def dice(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def moved(made: Cells, delta_g: float, t0: float = 1.0, t1: float = 1.0, hand_g: float = 0.0) -> Cells:
    """Something comes to s2 or leaves it."""
    made.histories[S2].loads.append(Load(t0, t1, delta_g, hand_g))
    return made


def at(grams: Grams, t: float, hz: float = HZ) -> float:
    return float(grams[round(t * hz)])


def times(grams: Grams) -> Grams:
    return np.arange(len(grams)) / HZ


def main_hz(grams: Grams) -> float:
    """Where the spectrum is highest, padded to hundredths of a Hz."""
    size = round(100 * HZ)
    return float(np.argmax(np.abs(np.fft.rfft(grams - grams.mean(), size)))) * HZ / size


def swing_of(grams: Grams, hz: float, decay_s: float) -> float:
    """Amplitude of a decaying swing of known frequency and decay, of whatever phase: least squares."""
    t = times(grams)
    shape = np.exp(-t / decay_s)[:, None] * np.stack([np.sin(2 * np.pi * hz * t), np.cos(2 * np.pi * hz * t)], 1)
    found, rest, *_ = np.linalg.lstsq(shape, grams, rcond=None)
    assert float(rest.sum()) < 1e-6 * len(grams)  # nothing else is in it
    return float(np.hypot(*found))


# Without effects.


def test_without_effects_the_samples_are_the_load() -> None:
    made = moved(cells(), -500.0, 1.0, 1.5, hand_g=60.0)
    found = made.sample(0.0, 4.0, dice())
    t = times(found[S2])
    assert found[S2] == pytest.approx(np.interp(t, [1.0, 1.5], [BASE_G, BASE_G - 500.0]))
    for zone in (S1, S3, S4):
        assert (found[zone] == BASE_G).all()


def test_a_weight_that_leans_comes_and_goes_and_trembles_less_than_a_tenth() -> None:
    made = cells()
    made.histories[S1].presses.append(Press(1.0, 3.0, 1000.0))
    felt = made.sample(0.0, 5.0, dice())[S1] - BASE_G
    assert (felt[: round(HZ)] == 0).all()
    assert (felt[round(3 * HZ) :] == 0).all()
    rests = felt[round(1.2 * HZ) : round(2.8 * HZ)]
    assert rests == pytest.approx(1000.0, rel=0.08)
    assert (np.diff(felt[round(1.0 * HZ) : round(1.2 * HZ)]) > 0).all()


def test_samples_are_as_many_as_the_rate_says() -> None:
    assert len(cells().sample(0.0, 2.5, dice())[S1]) == 200
    assert len(cells(rate_hz=10.0).sample(7.0, 9.0, dice())[S1]) == 20
    assert len(cells().sample(3.0, 3.0, dice())[S1]) == 0
    assert len(cells().sample(3.0, 2.0, dice())[S1]) == 0


# Each effect alone.


def test_noise_has_its_standard_deviation_no_mean_and_no_memory() -> None:
    found = np.concatenate(list(cells(noise_g=USUAL.noise_g).sample(0.0, 100.0, dice()).values())) - BASE_G
    n = len(found)
    assert found.std() == pytest.approx(USUAL.noise_g, rel=SIGMAS / math.sqrt(2 * n))
    assert found.mean() == pytest.approx(0.0, abs=SIGMAS * USUAL.noise_g / math.sqrt(n))
    assert np.corrcoef(found[1:], found[:-1])[0, 1] == pytest.approx(0.0, abs=SIGMAS / math.sqrt(n))


def test_zones_have_noise_of_their_own() -> None:
    found = cells(noise_g=1.0).sample(0.0, 100.0, dice())
    together = np.corrcoef([found[zone] for zone in ZONES]) - np.eye(len(ZONES))
    assert np.abs(together).max() < SIGMAS / math.sqrt(8000)


@pytest.mark.parametrize("quantum_g", [0.5, 1.0, 5.0])
def test_samples_are_whole_steps_and_never_more_than_half_a_step_off(quantum_g: float) -> None:
    """Over a slow ramp the error is spread evenly: its rms is the step through the root of twelve, to a percent."""
    made = moved(cells(quantum_g=quantum_g), -700.3, 1.0, 99.0)
    found = made.sample(0.0, 100.0, dice())[S2]
    true = moved(cells(), -700.3, 1.0, 99.0).sample(0.0, 100.0, dice())[S2]
    assert (found / quantum_g == np.round(found / quantum_g)).all()
    error = found - true
    assert np.abs(error).max() <= quantum_g / 2 + 1e-9
    moving = error[round(HZ) : round(99 * HZ)]
    assert moving.std() == pytest.approx(quantum_g / math.sqrt(12), rel=0.01)


def test_drift_is_a_straight_line_and_has_its_standard_deviation_after_a_minute() -> None:
    made = cells(rate_hz=1.0, drift_g=USUAL.drift_g)
    ends = []
    for seed in range(500):
        for grams in made.sample(0.0, 61.0, dice(seed)).values():
            drift = grams - BASE_G
            assert drift[0] == 0
            assert np.diff(drift) == pytest.approx(drift[60] / 60)
            ends.append(drift[60])
    assert np.std(ends) == pytest.approx(USUAL.drift_g, rel=SIGMAS / math.sqrt(2 * len(ends)))
    assert np.mean(ends) == pytest.approx(0.0, abs=SIGMAS * USUAL.drift_g / math.sqrt(len(ends)))


def test_a_share_of_a_change_creeps_in_late_with_its_time_constant() -> None:
    made = moved(cells(creep=USUAL.creep, creep_s=USUAL.creep_s), 1000.0)
    late = made.sample(0.0, 302.0, dice())[S2] - BASE_G - 1000.0
    whole = USUAL.creep * 1000.0
    assert at(late, 1.0) == pytest.approx(0.0, abs=1e-9)
    assert at(late, 1.0 + USUAL.creep_s) == pytest.approx(whole * (1 - math.exp(-1)))
    assert at(late, 1.0 + 10 * USUAL.creep_s) == pytest.approx(whole, rel=1e-4)


def test_only_the_neighbours_feel_a_share_of_a_change_through_the_frame() -> None:
    made = moved(cells(cross_talk=USUAL.cross_talk), -1000.0)
    made.histories[S2].presses.append(Press(3.0, 6.0, 2000.0))
    found = made.sample(0.0, 8.0, dice())
    changed = found[S2] - BASE_G
    for zone in (S1, S3):
        assert found[zone] - BASE_G == pytest.approx(USUAL.cross_talk * changed)
    assert at(found[S1], 2.0) == pytest.approx(BASE_G - USUAL.cross_talk * 1000.0)
    assert (found[S4] == BASE_G).all()


def test_what_has_lain_there_for_long_is_not_felt_next_door() -> None:
    assert (cells(cross_talk=0.5).sample(0.0, 1.0, dice())[S1] == BASE_G).all()


def test_a_hand_presses_from_before_the_grip_until_after_it() -> None:
    made = moved(cells(hand_g=USUAL.hand_g), -500.0, 1.0, 1.3, hand_g=60.0)
    pressed = made.sample(0.0, 3.0, dice())[S2] - moved(cells(), -500.0, 1.0, 1.3).sample(0.0, 3.0, dice())[S2]
    t = times(pressed)
    assert (pressed[(t < 0.85) | (t > 1.4501)] == 0).all()
    assert (pressed[(t > 0.86) & (t < 1.44)] > 0).all()
    assert pressed.max() == pytest.approx(60.0, rel=0.01)  # in the middle
    assert at(pressed, 0.95) > 20.0  # before anything has moved
    assert at(pressed, 1.35) > 20.0  # after all has moved


def test_a_hand_of_twice_the_weight_presses_twice_as_hard() -> None:
    once, twice = (
        moved(cells(hand_g=g), -500.0, 1.0, 1.3, hand_g=60.0).sample(0.0, 3.0, dice())[S2].max() for g in (60.0, 120.0)
    )
    assert twice - BASE_G == pytest.approx(2 * (once - BASE_G), rel=0.1)


def test_a_tray_rings_with_its_share_of_the_change_its_frequency_and_its_decay() -> None:
    decay_s, delta_g = USUAL.ring_s, -800.0
    made = moved(cells(ring=USUAL.ring, ring_hz=USUAL.ring_hz, ring_s=decay_s), delta_g)
    found = made.sample(0.0, 4.0, dice())
    swing = found[S2][round(HZ) :] - BASE_G - delta_g
    rings_s = round(8 * decay_s * HZ)
    assert swing_of(swing[:rings_s], USUAL.ring_hz, decay_s) == pytest.approx(USUAL.ring * 800.0)
    assert swing[0] == pytest.approx(-USUAL.ring * delta_g)  # it begins where it was pulled to
    assert (swing[rings_s:] == 0).all()
    assert (found[S2][: round(HZ)] == BASE_G).all()
    assert (found[S1] == BASE_G).all()
    long = moved(cells(ring=USUAL.ring, ring_hz=USUAL.ring_hz, ring_s=2.0), delta_g)
    assert main_hz(long.sample(1.0, 9.0, dice())[S2]) == pytest.approx(USUAL.ring_hz, abs=0.05)
    period = moved(cells(ring=USUAL.ring, ring_hz=8.0, ring_s=decay_s), delta_g).sample(1.0, 2.0, dice())[S2]
    period = period - BASE_G - delta_g
    assert period[10] / period[0] == pytest.approx(math.exp(-0.125 / decay_s))  # one swing of 8 Hz later


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_a_slam_shakes_every_tray_with_its_amplitude_and_decay(share: float) -> None:
    made = cells(slam_g=USUAL.slam_g, slam_s=USUAL.slam_s, ring_hz=USUAL.ring_hz)
    made.slams.append((1.0, share))
    found = made.sample(0.0, 6.0, dice())
    for grams in found.values():
        shaken = grams - BASE_G
        rings_s = round(10 * USUAL.slam_s * HZ)
        assert (shaken[: round(HZ)] == 0).all()
        assert (shaken[round(HZ) + rings_s :] == 0).all()
        swing = shaken[round(HZ) : round(HZ) + rings_s]
        assert swing_of(swing, USUAL.ring_hz, USUAL.slam_s) == pytest.approx(share * USUAL.slam_g)
        assert main_hz(swing) == pytest.approx(USUAL.ring_hz, abs=0.2)  # a short swing has a broad peak
    assert len({round(float(found[zone][round(HZ)]), 6) for zone in ZONES}) == len(ZONES)  # each in its own phase


def test_a_slam_that_came_before_the_first_sample_still_rings() -> None:
    made = cells(slam_g=40.0)
    made.slams.append((1.0, 1.0))
    whole, later = made.sample(0.0, 4.0, dice()), made.sample(1.5, 4.0, dice())
    for zone in ZONES:
        assert later[zone] == pytest.approx(whole[zone][round(1.5 * HZ) :])


def test_a_compressor_hums_on_its_frequency_while_it_runs() -> None:
    made = cells(compressor_g=USUAL.compressor_g, compressor_hz=USUAL.compressor_hz)
    made.compressor.append((10.0, 50.0))
    for grams in made.sample(0.0, 60.0, dice()).values():
        hum = grams - BASE_G
        runs = hum[round(10 * HZ) : round(50 * HZ)]
        assert main_hz(runs) == pytest.approx(USUAL.compressor_hz, abs=0.02)
        assert runs.std() == pytest.approx(USUAL.compressor_g / math.sqrt(2), rel=0.01)
        assert (hum[: round(10 * HZ)] == 0).all()
        assert (hum[round(50 * HZ) :] == 0).all()


def test_spikes_and_slips_come_at_their_rates_and_most_are_flagged() -> None:
    made = cells(spikes_per_hour=3600.0, slips_per_hour=1800.0, flagged=USUAL.flagged)
    found = np.concatenate(list(made.sample(0.0, 200.0, dice()).values()))
    flagged, wild = int(np.isnan(found).sum()), found[~np.isnan(found) & (found != BASE_G)]
    events = flagged + len(wild)
    low, high = wilson(events, len(found), z=SIGMAS)
    assert low <= 1.5 / HZ <= high  # 1.5 a second
    low, high = wilson(flagged, events, z=SIGMAS)
    assert low <= USUAL.flagged <= high
    assert set(np.abs(wild - BASE_G)) == {SPIKE_G}
    assert {BASE_G - SPIKE_G, BASE_G + SPIKE_G} == set(wild)


def test_at_the_usual_rates_an_hour_has_a_few_bad_samples() -> None:
    made = cells(spikes_per_hour=USUAL.spikes_per_hour, slips_per_hour=USUAL.slips_per_hour)
    bad = sum(int((np.isnan(g) | (g != BASE_G)).sum()) for g in made.sample(0.0, 5 * 3600.0, dice()).values())
    expected = 3 * 5 * len(ZONES)
    assert bad == pytest.approx(expected, abs=SIGMAS * math.sqrt(expected))  # Poisson


def test_beyond_its_range_a_cell_is_flagged_and_says_no_number() -> None:
    made = cells()
    made.histories[S1].base_g = 19_500.0
    made.histories[S1].presses.append(Press(1.0, 3.0, 2000.0))
    made.histories[S2].base_g = -900.0
    made.histories[S3].base_g = -1001.0
    found = made.sample(0.0, 4.0, dice())
    assert np.isnan(found[S1][round(1.3 * HZ) : round(2.7 * HZ)]).all()
    assert (found[S1][: round(HZ)] == 19_500.0).all()
    assert (found[S2] == -900.0).all()
    assert np.isnan(found[S3]).all()


# Broken cells.


def broken(flaw: Flaw, t0: float = 1.0, t1: float = 3.0, **effects: Any) -> Grams:
    made = cells(**effects)
    made.histories[S2].base_g = 500.0
    made.histories[S2].loads.append(Load(2.0, 2.0, -100.0))
    made.histories[S2].broken.append(Broken(t0, t1, flaw))
    found = made.sample(0.0, 5.0, dice())
    assert (found[S1] == BASE_G).all()  # the others are well
    return found[S2]


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_cell_is_well_before_it_breaks_and_after_it_was_mended(flaw: Flaw) -> None:
    found = broken(flaw)
    assert (found[: round(HZ)] == 500.0).all()
    assert (found[round(3 * HZ) :] == 400.0).all()


@pytest.mark.parametrize("flaw", ["dead", "saturated"])
def test_a_dead_or_saturated_cell_gives_no_number(flaw: Flaw) -> None:
    assert np.isnan(broken(flaw)[round(HZ) : round(3 * HZ)]).all()


def test_a_stuck_cell_repeats_its_last_number_whatever_is_taken() -> None:
    assert (broken("stuck")[round(HZ) : round(3 * HZ)] == 500.0).all()


def test_a_stuck_cell_drawn_in_two_halves_stays_stuck() -> None:
    made = cells()
    made.histories[S2].loads.append(Load(2.0, 2.0, -100.0))
    made.histories[S2].broken.append(Broken(1.0, math.inf, "stuck"))
    source = dice()
    halves = [made.sample(0.0, 3.0, source)[S2], made.sample(3.0, 6.0, source)[S2]]
    assert (np.concatenate(halves) == BASE_G).all()


def test_a_slipping_cell_loses_every_fourth_sample_and_the_others_are_right() -> None:
    found = broken("slipping")[round(HZ) : round(3 * HZ)]
    odd = np.arange(len(found)) % ODD_ONE == ODD_ONE - 1
    assert np.isnan(found[odd]).all()
    assert set(found[~odd]) == {500.0, 400.0}


def test_a_spiking_cell_spoils_every_fourth_sample_and_one_of_ten_spikes_is_not_flagged() -> None:
    made = cells()
    made.histories[S1].broken.append(Broken(1.0, 3.0, "spiking"))
    found = made.sample(0.0, 3.0, dice())[S1][round(HZ) :]
    odd = np.arange(len(found)) % ODD_ONE == ODD_ONE - 1
    assert (found[~odd] == BASE_G).all()
    assert np.isnan(found[odd]).mean() == pytest.approx(0.9)
    assert (found[odd][~np.isnan(found[odd])] == BASE_G - SPIKE_G).all()


def test_a_cell_with_swapped_wires_falls_as_the_mass_rises_and_its_end_is_flagged() -> None:
    assert (broken("swapped")[round(HZ) : round(2 * HZ)] == -500.0).all()
    assert (broken("swapped")[round(2 * HZ) : round(3 * HZ)] == -400.0).all()
    made = cells()
    made.histories[S1].broken.append(Broken(0.0, math.inf, "swapped"))
    assert np.isnan(made.sample(0.0, 1.0, dice())[S1]).all()  # -3000 g is beyond the converter's lower end


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_cell_that_broke_long_ago_is_broken_from_the_first_sample(flaw: Flaw) -> None:
    made = cells(noise_g=1.0)
    made.histories[S1].broken.append(Broken(-100.0, math.inf, flaw))
    well = cells(noise_g=1.0).sample(0.0, 2.0, dice())[S1]
    assert not np.array_equal(made.sample(0.0, 2.0, dice())[S1], well, equal_nan=True)


# All of them.


def test_scaled_cells_are_so_many_times_as_disturbed_and_otherwise_the_same() -> None:
    twice = USUAL.scaled(2)
    disturbances = {
        "noise_g", "drift_g", "creep", "cross_talk", "hand_g", "ring", "slam_g", "compressor_g",
        "spikes_per_hour", "slips_per_hour",
    }  # fmt: skip
    for one in fields(Physics):
        factor = 2 if one.name in disturbances else 1
        assert getattr(twice, one.name) == factor * getattr(USUAL, one.name), one.name
    assert USUAL.scaled(0) == replace(QUIET, quantum_g=USUAL.quantum_g)


def test_cells_twice_as_bad_are_twice_as_far_off() -> None:
    """Same dice, same draws: every deviation doubles, but for spikes, which come more often and not farther."""
    plain = replace(USUAL, quantum_g=0, spikes_per_hour=0, slips_per_hour=0, hand_g=0)
    off = []
    for physics in (plain, plain.scaled(2)):
        made = Cells(ZONES, physics)
        moved(made, -500.0, 1.0, 1.3)
        made.slams.append((5.0, 1.0))
        made.compressor.append((0.0, 10.0))
        off.append(made.sample(0.0, 10.0, dice())[S2] - moved(cells(), -500.0, 1.0, 1.3).sample(0.0, 10.0, dice())[S2])
    assert off[1] + BASE_G == pytest.approx(2 * (off[0] + BASE_G), abs=0.01)


def lived(physics: Physics = USUAL) -> Cells:
    made = Cells(ZONES, physics)
    for history in made.histories.values():
        history.base_g = BASE_G
    moved(made, -500.0, 1.0, 1.3, hand_g=60.0)
    moved(made, 128.0, 4.9, 5.4)
    made.histories[S3].presses.append(Press(4.0, 6.0, 700.0))
    made.slams.append((7.0, 1.0))
    made.compressor.append((2.0, 9.0))
    return made


def test_the_same_dice_give_the_same_samples_and_others_give_others() -> None:
    first, again, other = (lived().sample(0.0, 10.0, dice(seed)) for seed in (3, 3, 4))
    for zone in ZONES:
        assert np.array_equal(first[zone], again[zone], equal_nan=True)
        assert not np.array_equal(first[zone], other[zone], equal_nan=True)


@pytest.mark.parametrize("seam_s", [0.5, 1.15, 1.3, 1.4, 5.0, 5.1, 8.0])
def test_a_stretch_drawn_in_two_halves_is_the_stretch_but_for_what_is_drawn(seam_s: float) -> None:
    """Loads, hands, ringing, creep and cross-talk join sample by sample, wherever the seam lies.

    Ringing is cut off after eight decays of what has been drawn: 40 g rung out to 0.01 g.
    """
    settled = replace(USUAL, noise_g=0, quantum_g=0, drift_g=0, slam_g=0, compressor_g=0, spikes_per_hour=0,
                      slips_per_hour=0)  # fmt: skip
    made, source = lived(settled), dice()
    whole = made.sample(0.0, 10.0, dice())
    halves = made.sample(0.0, seam_s, source), made.sample(seam_s, 10.0, source)
    for zone in ZONES:
        assert np.concatenate([half[zone] for half in halves]) == pytest.approx(whole[zone], abs=0.02)


def test_at_a_seam_the_drift_begins_anew_so_what_is_settled_jumps_by_no_more_than_it_had_drifted() -> None:
    made = cells(drift_g=USUAL.drift_g, rate_hz=1.0)
    source = dice()
    jumps = []
    for _ in range(300):
        first, second = made.sample(0.0, 31.0, source), made.sample(31.0, 61.0, source)
        for zone in ZONES:
            assert second[zone][0] == BASE_G
            jumps.append(second[zone][0] - first[zone][-1])
    assert np.std(jumps) == pytest.approx(USUAL.drift_g / 2, rel=SIGMAS / math.sqrt(2 * len(jumps)))


# History.


def test_a_history_knows_what_lies_there_once_all_has_settled() -> None:
    history = History(BASE_G, [Load(1.0, 2.0, -500.0), Load(5.0, 6.0, 128.0)])
    assert [history.settled_g(t) for t in (0.0, 1.0, 4.0, 5.0)] == [BASE_G, 2500.0, 2500.0, 2628.0]
