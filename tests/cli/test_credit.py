"""Holds and limits for people: status and doctor in one line, and who is blocked in the list of members."""

from typing import Any

import pytest

from tests.cli.answers import ANSWERS
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl

CREDIT: dict[str, Any] = {
    "policy": "cloud",
    "roster": {"version": 12, "age_s": 180},
    "blocked": 2,
    "unconfirmed": {"visits": 3, "minor": 1_250},
    "limits": {"cabinet_visits": 200, "cabinet_minor": 200_000},
    "currency": "USD",
}


def told(cli: Cli, control: FakeControl, word: str, credit: dict[str, Any] | None) -> str:
    control.answers[word] = ANSWERS[word] if credit is None else {**ANSWERS[word], "credit": credit}
    return " ".join(cli(word).output.split())


@pytest.mark.parametrize("word", ["status", "doctor"])
def test_roster_and_limits_are_told_in_one_line(cli: Cli, control: FakeControl, word: str) -> None:
    said = told(cli, control, word, CREDIT)
    assert "list of blocked members 12, 3 min old, 2 on it" in said
    assert "not confirmed by the cloud: 3 of 200 visits, 12.50 USD of 2,000.00 USD" in said


@pytest.mark.parametrize("word", ["status", "doctor"])
def test_a_cabinet_without_a_roster_says_so(cli: Cli, control: FakeControl, word: str) -> None:
    assert "no list of blocked members yet" in told(cli, control, word, {**CREDIT, "roster": None, "blocked": 0})


@pytest.mark.parametrize("word", ["status", "doctor"])
@pytest.mark.parametrize("credit", [None, {"policy": "none"}], ids=["older daemon", "no cloud"])
def test_without_an_account_there_is_no_such_line(
    cli: Cli, control: FakeControl, word: str, credit: dict[str, Any] | None
) -> None:
    assert "blocked members" not in told(cli, control, word, credit)


def test_the_list_of_members_says_who_is_blocked_and_why(cli: Cli, control: FakeControl) -> None:
    (member,) = ANSWERS["members.list"]["members"]
    control.answers["members.list"] = {"members": [{**member, "blocked": "unpaid"}]}
    assert "unpaid" in cli("members", "list").output
