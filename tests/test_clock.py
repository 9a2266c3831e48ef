"""Two clocks, read together and never mixed."""

import asyncio
import time
from pathlib import Path

import pytest

from cabinet import clock
from tests.support.virtual_time import run_in_virtual_time


async def read() -> tuple[float, float]:
    return clock.now_s(), asyncio.get_running_loop().time()


def test_monotonic_time_is_the_running_loops() -> None:
    now_s, loops_s = run_in_virtual_time(read())
    assert now_s == loops_s == 0.0


def test_monotonic_time_without_a_loop_is_the_systems() -> None:
    before_s = time.monotonic()
    assert before_s <= clock.now_s() <= time.monotonic()


def test_a_clock_before_the_software_was_written_is_no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    assert clock.quality() == "none"


@pytest.mark.parametrize(("answered", "quality"), [(True, "ntp"), (False, "floor")])
def test_a_clock_is_as_good_as_what_set_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, answered: bool, quality: str
) -> None:
    monkeypatch.setattr(time, "time", lambda: clock.EPOCH_FLOOR_MS / 1000 + 1)
    monkeypatch.setattr(clock, "SYNCHRONISED", tmp_path / "synchronized")
    if answered:
        (tmp_path / "synchronized").touch()
    assert clock.quality() == quality


@pytest.fixture
def floor(monkeypatch: pytest.MonkeyPatch) -> clock.Floor:
    made = clock.Floor()
    monkeypatch.setattr(clock, "FLOOR", made)
    return made


def test_a_computer_without_a_clock_goes_on_from_the_floor(floor: clock.Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 12.0)
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    floor.begin(1_800_000_000_000)
    monkeypatch.setattr(time, "monotonic", lambda: 130.0)
    assert (clock.wall_ms(), clock.quality()) == (1_800_000_030_000, "floor")


def test_the_floor_never_holds_a_right_clock_up(floor: clock.Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_900_000_000.0)
    floor.begin(1_800_000_000_000)
    assert clock.wall_ms() == 1_900_000_000_000


def test_a_clock_behind_the_floor_is_not_believed_whoever_set_it(
    floor: clock.Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "synchronized").touch()
    monkeypatch.setattr(clock, "SYNCHRONISED", tmp_path / "synchronized")
    monkeypatch.setattr(time, "time", lambda: 1_790_000_000.0)
    floor.begin(1_800_000_000_000)
    assert clock.quality() == "floor"


def test_a_stamp_has_both_clocks_in_whole_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 12.3456)
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.9876)
    stamp = clock.stamp()
    assert (stamp.mono_ms, stamp.wall_ms) == (12_345, 1_800_000_000_987)


def test_wall_time_is_told_in_utc_with_milliseconds() -> None:
    assert clock.wall_text(1_767_225_600_123) == "2026-01-01T00:00:00.123Z"


def test_no_two_visits_have_one_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    monkeypatch.setattr(time, "time_ns", lambda: 10**12)
    visits = {clock.new_visit() for _ in range(1000)}
    assert (len(visits), {len(visit) for visit in visits}) == (1000, {26})


def test_a_machine_that_does_not_tell_its_boot_has_an_unknown_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "BOOT_ID", tmp_path / "nothing")
    assert clock.boot_id() == "unknown"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, floor: clock.Floor) -> clock.Told:
    made = clock.Told()
    monkeypatch.setattr(clock, "TOLD", made)
    monkeypatch.setattr(clock, "SYNCHRONISED", tmp_path / "synchronized")
    return made


def test_without_ntp_the_clouds_word_counts_for_more_than_ours(
    told: clock.Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_900_000_000.0)
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    told.hear(1_800_000_000_000)
    monkeypatch.setattr(time, "monotonic", lambda: 130.0)
    assert (clock.wall_ms(), clock.quality()) == (1_800_000_030_000, "cloud")


def test_ntp_counts_for_more_than_the_clouds_word(told: clock.Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_900_000_000.0)
    clock.SYNCHRONISED.touch()
    told.hear(1_800_000_000_000)
    assert (clock.wall_ms(), clock.quality()) == (1_900_000_000_000, "ntp")


def test_a_cloud_behind_the_floor_is_not_believed(
    told: clock.Told, floor: clock.Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 12.0)
    floor.begin(1_800_000_000_000)
    told.hear(1_790_000_000_000)
    assert (clock.wall_ms() >= 1_800_000_000_000, clock.quality()) == (True, "floor")
