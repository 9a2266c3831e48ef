"""The quick way through a trace gives what the careful way gives: the same events, the same bytes under the hashes."""

import json
import math
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinet.basket.evidence import Bolt, Happening, Mass, Visit, Zone
from cabinet.basket.verdict import Review
from cabinet.trace import (
    Recorder,
    TraceError,
    event_from_dict,
    event_to_dict,
    header_to_dict,
    judged_hash,
    manifest,
    read,
)
from cabinet.trace.evidence import canonical, mark, sha256
from cabinet.trace.plain import MOST_SPELT, Spelling, plain_mass, plain_object
from cabinet.trace.reading import intact
from cabinet.units import ZoneId
from tests.basket.visits import header

S1, KAELTE = ZoneId("s1"), ZoneId('Kälte "2"\u2028')
ZONES = {S1: Zone(), KAELTE: Zone(rate_hz=10.0)}
FINITE = st.floats(allow_nan=False, allow_infinity=False)
READINGS = st.lists(st.one_of(st.none(), FINITE, st.sampled_from([0.0, -0.0, 1.0, 1e308, 5e-324, 1e16, 1e-7]))).map(
    tuple
)
MASSES = st.builds(Mass, FINITE, st.sampled_from([S1, KAELTE]), st.sampled_from([80.0, 10.0, 0.1, 33.3]), READINGS)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.just(10**400),
    st.floats(),
    st.text(max_size=3),
    st.lists(st.none()),
)
LINES = st.fixed_dictionaries(
    {"type": st.just("mass"), "zone": st.one_of(st.sampled_from([S1, KAELTE]), ODD), "t": st.one_of(FINITE, ODD)},
    optional={
        "hz": st.one_of(st.sampled_from([80, 80.0, 0.1]), ODD),
        "g": st.one_of(READINGS.map(list), st.lists(ODD)),
    },
)


def loose(event: Happening) -> bytes:
    return json.dumps(event_to_dict(event), sort_keys=True).encode()


def written(folder: Path, content: bytes) -> Path:
    Recorder.create(folder, header()).close()
    (folder / "events.jsonl").write_bytes(content)
    return folder


def line_of(t: float, *g: float | None) -> bytes:
    return json.dumps(event_to_dict(Mass(t, S1, 80.0, g))).encode() + b"\n"


# What is hashed


@given(st.lists(MASSES, max_size=5))
def test_a_spelt_mass_has_the_very_bytes_of_the_general_way(masses: list[Mass]) -> None:
    spelling = Spelling()  # one for all: what it keeps of one event must not colour the next
    for one in masses:
        assert spelling.of(one) == (loose(one), canonical(event_to_dict(one)))


def test_zero_and_minus_zero_keep_their_own_text() -> None:
    spelling = Spelling()
    for g in ((0.0, -0.0), (-0.0, 0.0)):
        one = Mass(-0.0, S1, 80.0, g)
        assert spelling.of(one) == (loose(one), canonical(event_to_dict(one)))


@pytest.mark.parametrize(
    "odd",
    [
        Bolt(1.0, locked=True),
        Mass(1.0, S1, 80.0, (1.0, math.nan)),
        Mass(1.0, S1, 80.0, (math.inf,)),
        Mass(math.nan, S1, 80.0, (1.0,)),
        Mass(1.0, S1, math.inf, (1.0,)),
        Mass(1, S1, 80.0, (1.0,)),
        Mass(1.0, S1, 80, (1.0,)),
        Mass(1.0, S1, 80.0, (1.0, 1)),
        Mass(1.0, S1, 80.0, (1.0, True)),
    ],
)
def test_what_is_not_plain_is_left_to_the_general_way(odd: Happening) -> None:
    spelling = Spelling()
    spelling.of(Mass(1.0, S1, 80.0, (1.0,)))  # equal numbers are known already
    assert spelling.of(odd) is None


@given(st.lists(st.one_of(MASSES, st.just(Bolt(0.5, locked=False)), st.just(Mass(2, S1, 80, (1, 2.5)))), max_size=6))
def test_the_manifest_hashes_every_event_as_its_json_says(events: list[Happening]) -> None:
    visit = Visit(header(), tuple(events))
    told = manifest(visit, Review("doubt"), {})
    start = json.dumps(header_to_dict(header()), sort_keys=True).encode()
    assert told["judged"] == judged_hash(visit) == sha256(start + b"".join(loose(event) for event in events))
    assert told["lines"] == "".join(mark(event) for event in events)


def test_what_is_kept_of_numbers_is_bounded() -> None:
    spelling = Spelling()
    for start in range(0, 2 * MOST_SPELT, 1024):
        one = Mass(0.5, S1, 80.0, tuple(float(n) for n in range(start, start + 1024)))
        assert spelling.of(one) == (loose(one), canonical(event_to_dict(one)))
        assert len(spelling._numbers) <= MOST_SPELT


# What is read


@given(LINES)
def test_a_plain_mass_is_the_mass_that_the_careful_way_reads(value: dict[str, Any]) -> None:
    found = plain_mass(value, ZONES)
    if found is not None:
        assert repr(found) == repr(event_from_dict(value, ZONES, "here"))


@pytest.mark.parametrize(
    "odd",
    [{"g": [1.5, one]} for one in (True, math.inf, math.nan, 10**400, "1", [1.0])]
    + [{"t": one} for one in (True, None, math.inf, 10**400, "1")]
    + [{"hz": one} for one in (True, None, math.nan, 0.05, 10_001, "80")]
    + [{"zone": one} for one in (None, "s9", ["s1"])]
    + [{"g": 1.5}, {"g": None}, {"type": "gap"}],
)
def test_a_mass_that_may_be_refused_is_left_to_the_careful_way(odd: dict[str, Any]) -> None:
    plain = {"t": 1.0, "type": "mass", "zone": "s1", "hz": 80.0, "g": [1.5, 2.5]}
    assert plain_mass(plain, ZONES) is not None
    assert plain_mass({**plain, **odd}, ZONES) is None
    assert plain_mass({key: value for key, value in plain.items() if key not in odd}, ZONES) is None


def test_nearly_every_line_is_plain() -> None:
    for g in ([1.5, 2.0], [1.5, None], [1, 2], []):
        for hz in (80, 80.0):
            assert plain_mass({"t": 1, "type": "mass", "zone": "s1", "hz": hz, "g": g, "new": 1}, ZONES) is not None


@given(st.lists(MASSES.map(lambda one: Mass(one.t, S1, one.hz, one.g)), max_size=5))
def test_a_line_is_read_alike_with_and_without_blanks_before_it(masses: list[Mass]) -> None:
    """A blank before the object makes the line take the careful way."""
    lines = [json.dumps(event_to_dict(one)).encode() for one in masses]
    for line in lines:
        assert plain_object(b" " + line) is None
        assert plain_object(line) == plain_object(line + b"\n") == json.loads(line)


@pytest.mark.parametrize(("ending", "number"), [(b"\n", 3), (b"\r\n", 3), (b" \n", 3), (b"\n\n", 5), (b"\r\r\n", 5)])
def test_lines_are_read_and_numbered_alike_whatever_ends_them(tmp_path: Path, ending: bytes, number: int) -> None:
    lines = [line_of(0.5, 1.0).strip(), line_of(1.0, 2.0).strip(), b'{"t": 2, "type": "mass", "zone": "s1", "g": "x"}']
    good = read(written(tmp_path / "good", ending.join(lines[:2]) + ending))
    assert (len(good.events), good.incomplete) == (2, False)
    with pytest.raises(TraceError, match=f"line {number}: g: expected a finite number"):
        read(written(tmp_path / "bad", ending.join(lines)))


def test_two_objects_with_only_a_return_between_them_are_damage(tmp_path: Path) -> None:
    visit = read(written(tmp_path / "v", line_of(0.5, 1.0) + line_of(1.0, 2.0).strip() + b"\r" + line_of(1.5, 3.0)))
    assert ([event.t for event in visit.events], visit.incomplete) == ([0.5], True)


@pytest.mark.parametrize(
    ("third", "kept"),
    [
        (b'{"t": 1.0, "type": "mass", \r"zone": "s1", "g": 1.0}\n', 2),  # a return within the object
        (b'{"t": 1.0, "type": "mass", "zone": "s1", "g": 1.0} {}\n', 2),
        (b'[{"t": 1.0}]\n', 2),
        (b'{"t": 1.0, "type": "\xff"}\n', 2),
        (b"9" * 5000 + b"\n", 2),
        (b'\x0b{"t": 1.0, "type": "mass", "zone": "s1", "g": 1.0}\n', 4),
        (b'\xef\xbb\xbf{"t": 1.0, "type": "mass", "zone": "s1", "g": 1.0}\n', 4),
    ],
)
def test_a_line_that_is_not_plain_is_read_or_ends_the_trace(tmp_path: Path, third: bytes, kept: int) -> None:
    content = line_of(0.1, 1.0) + line_of(0.2, 1.0) + third + line_of(3.0, 1.0)
    visit = read(written(tmp_path / "v", content))
    assert (len(visit.events), visit.incomplete) == (kept, kept == 2)


def test_the_first_line_in_doubt_decides_between_damage_and_refusal(tmp_path: Path) -> None:
    nan, torn = b'{"t": NaN, "type": "mass", "zone": "s1", "hz": 80, "g": [1.0]}\n', b'{"t": 1.0, "ty\n'
    assert read(written(tmp_path / "a", line_of(0.1, 1.0) + torn + nan)).incomplete
    with pytest.raises(TraceError, match="line 2: NaN is no number"):
        read(written(tmp_path / "b", line_of(0.1, 1.0) + nan + torn))
    assert intact(line_of(0.1, 1.0) + nan + torn) == len(line_of(0.1, 1.0) + nan)


def test_reading_holds_no_second_copy_of_the_file(tmp_path: Path) -> None:
    """Lines of a type that is passed over leave nothing: what is held at the most is the file itself."""
    content = b'{"t": 1.0, "type": "of the future"}\n' * 60_000
    folder = written(tmp_path / "v", content)
    tracemalloc.start()
    try:
        assert read(folder).events == ()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 1.3 * len(content)
