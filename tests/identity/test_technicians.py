"""A technician's code: what it is, what it opens, and how wrong ones are counted."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinet.identity import codes
from cabinet.identity.codes import CodeError
from cabinet.identity.lockout import TRIES, WAIT_S
from cabinet.identity.technicians import (
    AGAIN_S,
    HOUR_S,
    LINES_PER_HOUR,
    Issued,
    Now,
    Service,
    TechnicianId,
    Tries,
    format_code,
    is_code,
    judge,
    parse_code,
)

SECRET = bytes(range(16))
TINA = TechnicianId("01JD000000000000000000000T")
GOOD = Issued(TINA, "Tina", "restock", "start", 1_000, 2_000, 11_000)
NOW = Now("start", 1_500, 10_500)


@given(st.binary(min_size=16, max_size=16))
def test_a_code_is_read_as_it_was_written(secret: bytes) -> None:
    assert parse_code(format_code(secret)) == secret


@given(st.binary(min_size=16, max_size=16))
def test_a_technicians_code_is_never_a_members(secret: bytes) -> None:
    with pytest.raises(CodeError):
        codes.parse_code(format_code(secret))


@given(st.binary(min_size=16, max_size=16))
def test_a_members_code_is_never_a_technicians(secret: bytes) -> None:
    assert not is_code(codes.format_code(secret))
    with pytest.raises(CodeError):
        parse_code(codes.format_code(secret))


@given(st.text(max_size=60))
def test_any_text_is_a_code_or_is_refused_without_being_repeated(text: str) -> None:
    said = ""
    try:
        assert format_code(parse_code(text)) == text.strip().upper()
    except CodeError as error:
        said = str(error)
    assert len(text) < 6 or text not in said


@pytest.mark.parametrize("text", ["CAB3:", "CAB3: " + "A" * 26, "CAB3:" + "A" * 25, "CAB3:" + "A" * 25 + "1", "CAB2:A"])
def test_what_is_nearly_a_code_is_refused(text: str) -> None:
    with pytest.raises(CodeError):
        parse_code(text)


@given(
    st.builds(
        Issued,
        st.just(TINA),
        st.text(),
        st.sampled_from(["restock", "service"]),
        st.sampled_from("ab"),
        st.integers(0, 99),
        st.integers(0, 99),
        st.none() | st.integers(0, 99),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(Now, st.sampled_from("ab"), st.integers(0, 99), st.none() | st.integers(0, 99)),
)
def test_a_code_opens_nothing_but_its_own_visit_of_service_within_its_time(issued: Issued, now: Now) -> None:
    found = judge(issued, now)
    if isinstance(found, Service):
        assert found == Service(TINA, issued.name, issued.purpose, "code")
        assert (issued.start, issued.used, issued.removed) == (now.start, False, False)
        assert issued.made_ms <= now.mono_ms < issued.until_ms


@pytest.mark.parametrize(
    ("issued", "now", "why"),
    [
        (None, NOW, "unknown"),
        (replace(GOOD, used=True), NOW, "used"),
        (replace(GOOD, removed=True), NOW, "removed"),
        (GOOD, replace(NOW, start="other"), "of another start"),
        (GOOD, replace(NOW, mono_ms=2_000), "expired"),
        (GOOD, replace(NOW, mono_ms=999), "expired"),
        (GOOD, replace(NOW, wall_ms=11_000), "expired"),
    ],
)
def test_a_code_that_opens_nothing_has_its_reason(issued: Issued | None, now: Now, why: str) -> None:
    assert judge(issued, now) == why


@pytest.mark.parametrize(
    ("issued", "now"),
    [
        (GOOD, NOW),
        (replace(GOOD, until_wall_ms=None), replace(NOW, wall_ms=99_999)),
        (GOOD, replace(NOW, wall_ms=None)),
    ],
)
def test_a_wall_clock_that_nobody_vouches_for_ends_nothing(issued: Issued, now: Now) -> None:
    assert judge(issued, now) == Service(TINA, "Tina", "restock")


# Wrong codes.


def shown(tries: Tries, *texts: str, at_s: float = 100.0) -> Tries:
    for text in texts:
        tries = tries.wrong(text, at_s)
    return tries


def test_after_a_few_wrong_codes_none_is_looked_at_for_a_while() -> None:
    tries = shown(Tries(), *map(str, range(TRIES)))
    assert [tries.ignored("right", 100.0 + after_s) for after_s in (0.0, WAIT_S - 1, WAIT_S)] == [True, True, False]


def test_fewer_wrong_codes_keep_nobody_waiting() -> None:
    assert not shown(Tries(), *map(str, range(TRIES - 1))).ignored("right", 100.0)


def test_one_wrong_code_in_many_frames_is_one_try() -> None:
    tries = shown(Tries(), "a")
    assert [tries.ignored("a", 100.0 + after_s) for after_s in (0.1, AGAIN_S - 1, AGAIN_S)] == [True, True, False]


def test_a_right_code_that_stays_before_the_camera_is_no_wrong_one() -> None:
    assert Tries().right("a", 100.0).ignored("a", 101.0)


def test_a_right_code_forgets_the_wrong_ones() -> None:
    tries = shown(shown(Tries(), *map(str, range(TRIES - 1))).right("a", 100.0), "b")
    assert not tries.ignored("right", 100.0)


def written(tries: Tries, count: int, at_s: float = 100.0) -> tuple[Tries, int]:
    lines = 0
    for n in range(count):
        tries = tries.wrong(str(n), at_s)
        if tries.due:
            tries, lines = tries.written(), lines + 1
    return tries, lines


def test_only_so_many_wrong_codes_an_hour_are_written_down() -> None:
    tries, lines = written(Tries(), LINES_PER_HOUR + 7)
    assert (lines, tries.unwritten, tries.due) == (LINES_PER_HOUR, 7, False)


def test_the_next_hour_tells_how_many_were_not_written_down() -> None:
    tries, _ = written(Tries(), LINES_PER_HOUR + 7)
    later = tries.wrong("x", 100.0 + HOUR_S)
    assert (later.due, later.unwritten) == (True, 8)
