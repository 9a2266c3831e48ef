"""Batches to masses on the host's clock; what is missing, to the sample."""

import itertools
import random

import pytest

from firmware_bridge import happenings as h
from firmware_bridge.clock import LAP_MS, BoardClock
from firmware_bridge.codes import Bad
from firmware_bridge.reports import BAD_SAMPLE, Mass, Raw
from firmware_bridge.series import LAP, STRIKES, Series

STARTED_S = 5000.0
SPACING_US = 12_437  # of a converter half a percent fast
BATCH = 8


def clock() -> BoardClock:
    clock = BoardClock()
    clock.observe(0, STARTED_S)
    return clock


def batch(n: int, *, index: int = 0, t_ms: int = 0, zone: int = 0, spacing_us: int = SPACING_US) -> Mass:
    """The n-th batch of a zone whose sample 0 has number `index` and time `t_ms`."""
    first = n * BATCH
    return Mass(
        zone, (index + first) % LAP, (t_ms + first * spacing_us // 1000) % LAP_MS, spacing_us, tuple(range(BATCH))
    )


def masses(series: Series, mass: Mass) -> h.Masses:
    told = series.masses(mass)
    assert told is not None
    return told[1]


def gap(series: Series, mass: Mass) -> h.Gap | None:
    told = series.masses(mass)
    assert told is not None
    return told[0]


def test_samples_are_grams_at_the_measured_rate() -> None:
    told = masses(Series(clock()), Mass(2, 0, 100, 12_500, (5050, 5051, -1)))
    assert told == h.Masses(2, told.at_s, 80.0, [505.0, 505.1, -0.1], ())
    assert told.at_s == pytest.approx(STARTED_S + 0.1)


def test_each_bad_sample_is_none_with_its_reason() -> None:
    told = masses(Series(clock()), Mass(0, 0, 0, 12_500, (10, *(BAD_SAMPLE + reason for reason in Bad), -20)))
    assert told.grams == [1.0, *[None] * len(Bad), -2.0]
    assert told.bad == (None, *Bad, None)


def test_counts_are_told_as_they_are() -> None:
    told = Series(clock()).counts(Raw(1, 0, 100, 12_500, (8_388_607, BAD_SAMPLE + Bad.SATURATED)))
    assert told == h.CellCounts(1, told.at_s, 80.0, [8_388_607, None], (None, Bad.SATURATED))
    assert told.at_s == pytest.approx(STARTED_S + 0.1)


def test_batches_follow_each_other_without_a_seam_although_their_times_are_whole_milliseconds() -> None:
    series = Series(clock())
    told = [masses(series, batch(n)) for n in range(200)]
    for one, two in itertools.pairwise(told):
        assert two.at_s - one.at_s == pytest.approx(BATCH * SPACING_US / 1e6, abs=0.0002)
    settled = told[20:]
    assert all(
        mass.at_s - STARTED_S == pytest.approx((n + 20) * BATCH * SPACING_US / 1e6, abs=0.0012)
        for n, mass in enumerate(settled)
    )


@pytest.mark.parametrize("missing", [1, 2, 7, 300])
@pytest.mark.parametrize("lap", ["plain", "numbers", "milliseconds"])
def test_a_gap_is_exactly_the_batches_that_did_not_come(missing: int, lap: str) -> None:
    start = {
        "plain": {},
        "numbers": {"index": LAP - 20 * BATCH},
        "milliseconds": {"t_ms": LAP_MS - 2000},
    }[lap]
    watch = BoardClock()
    watch.observe(start.get("t_ms", 0), STARTED_S)
    series = Series(watch)
    assert [gap(series, batch(n, **start)) for n in range(10)] == [None] * 10
    samples = missing * BATCH
    found = gap(series, batch(10 + missing, **start))
    assert found is not None
    assert (found.what, found.samples) == ("mass zone 0", samples)
    assert found.seconds == pytest.approx(samples * SPACING_US / 1e6)
    assert gap(series, batch(11 + missing, **start)) is None


def test_the_gaps_of_random_losses_add_up_to_what_was_lost() -> None:
    dice, series = random.Random(5), Series(clock())
    sent = [batch(n, zone=n % 3) for n in range(3000) if n < 3 or dice.random() < 0.8]
    told = [told for mass in sent if (told := series.masses(mass)) is not None]
    assert len(told) == len(sent)
    lost = sum(found.samples for found, _ in told if found is not None)
    received = sum(len(mass.samples) for mass in sent)
    by_zone = [max(mass.index for mass in sent if mass.zone == zone) - zone * BATCH + BATCH for zone in range(3)]
    # numbers of a zone run on through the batches of the others here: two of three are "lost" by design
    assert lost + received == sum(by_zone)


def test_zones_are_counted_apart() -> None:
    series = Series(clock())
    assert gap(series, batch(0, zone=0)) is None
    assert gap(series, batch(7, zone=1)) is None
    assert gap(series, batch(1, zone=0)) is None


@pytest.mark.parametrize(
    "absurd",
    [
        pytest.param(batch(9), id="the same once more"),
        pytest.param(batch(5), id="an old one"),
        pytest.param(batch(10, index=1 << 30), id="a number far ahead"),
        pytest.param(batch(10, t_ms=100_000), id="a time far ahead"),
    ],
)
def test_a_batch_that_contradicts_itself_is_refused_and_moves_nothing(absurd: Mass) -> None:
    series = Series(clock())
    for n in range(10):
        masses(series, batch(n))
    assert series.masses(absurd) is None
    assert gap(series, batch(10)) is None


def test_a_board_that_insists_is_believed_and_no_gap_is_made_up() -> None:
    series = Series(clock())
    for n in range(10):
        masses(series, batch(n))
    told = [series.masses(batch(n, index=1 << 30)) for n in range(10, 10 + STRIKES + 3)]
    assert told[: STRIKES - 1] == [None] * (STRIKES - 1)
    assert [entry is not None and entry[0] is None for entry in told[STRIKES - 1 :]] == [True] * 4


def test_a_board_whose_spacing_is_wrong_is_followed_by_its_own_times() -> None:
    series = Series(clock())
    for n in range(100):
        told = masses(series, Mass(0, n * BATCH, n * 110, 12_500, tuple(range(BATCH))))  # 10 % slow
        assert told.at_s == pytest.approx(STARTED_S + n * 0.110, abs=0.011)
