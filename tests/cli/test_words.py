"""Numbers, times and states in the technician's words."""

import time
from typing import get_args

import pytest

from cabinet.cli import words
from cabinet.session.states import State


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (250, "EUR", "2.50 EUR"), (5, "USD", "0.05 USD"), (-250, "USD", "-2.50 USD"), (250, "JPY", "250 JPY"),
        (1250, "KWD", "1.250 KWD"), (123_456_789, "EUR", "1,234,567.89 EUR"), (0, "EUR", "0.00 EUR"),
        (10_001, "CLF", "1.0001 CLF"), (None, "EUR", "-"), (True, "EUR", "-"), (2.5, "EUR", "-"),
        (9_007_199_254_740_993, "EUR", "90,071,992,547,409.93 EUR"),
    ],
)  # fmt: skip  # a table
def test_money_has_the_places_of_its_currency(minor: object, currency: str, shown: str) -> None:
    assert words.money(minor, currency) == shown


@pytest.mark.parametrize(
    ("passed_ms", "shown"),
    [
        (400, "just now"), (1500, "1 s ago"), (190_000, "3 min ago"), (3_600_000, "1 h ago"), (200_000_000, "2 d ago"),
        (-500, "just now"), (-120_000, "in 2 min"),
    ],
)  # fmt: skip  # a table
def test_times_are_told_by_how_long_ago(passed_ms: int, shown: str) -> None:
    assert words.ago(1_780_000_000_000 - passed_ms, 1_780_000_000_000) == shown


def test_a_time_has_the_local_date_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        shown = words.when(0, 60_000)
    time.tzset()
    assert shown == "1970-01-01 09:00:00 (1 min ago)"


@pytest.mark.parametrize("absurd", [10**30, -(10**30)])
def test_an_absurd_time_is_shown_as_the_number_it_is(absurd: int) -> None:
    assert words.when(absurd, 0) == f"{absurd} ms, which is no time"


@pytest.mark.parametrize("state", ["OutOfService", "out_of_service", "out of service"])
def test_a_state_reads_the_same_however_it_is_spelt(state: str) -> None:
    assert words.state(state) == ("out of service", "sells nothing", "red")


def test_every_state_of_the_machine_has_a_meaning() -> None:
    assert [kind.__name__ for kind in get_args(State) if not words.state(kind.__name__)[1]] == []


def test_control_characters_cannot_reach_the_terminal() -> None:
    assert words.clean("a\x1b[2Jb\nc\x9b") == "a�[2Jb�c�"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            {"type": "step", "event": "DoorOpened", "before": "Unlocked", "after": "Watching", "effects": ["Light"]},
            "DoorOpened: unlocked → watching  (Light)",
        ),
        ({"type": "notice", "notice": "IDLE", "screen": "Welcome"}, "screen: Welcome"),
        ({"type": "part", "part": "board", "ok": False, "why": "unplugged"}, "board: unplugged"),
        ({"type": "part", "part": "board", "ok": True, "why": None}, "board is in order"),
        (
            {"type": "sighting", "camera": "top", "zone": "s1", "action": "take", "scores": {"a": 0.2, "b": 0.7}},
            "top saw take in s1: b 70.0%",
        ),
        ({"type": "verdict", "outcome": "charge", "total_minor": 500, "why": ""}, "verdict: charge 500"),
        ({"type": "hello", "state": "Idle"}, "hello"),
    ],
)
def test_a_happening_is_one_line(said: dict[str, object], shown: str) -> None:
    assert words.happening(said) == shown
