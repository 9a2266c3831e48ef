"""The fleet's list of members in the answers of status and doctor."""

import pytest

from cabinet.cli.fleet import in_words
from tests.cli.answers import ANSWERS
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl

FLEET = {"version": 12, "age_s": 7_200, "members": 3, "stale": False, "most_s": 604_800}


def test_a_cabinet_that_was_never_sent_one_says_nothing() -> None:
    assert in_words({}) == ""
    assert in_words({**FLEET, "version": 0, "age_s": None}) == ""


def test_version_members_and_age_are_told() -> None:
    told = in_words(FLEET)
    assert "version 12" in told
    assert "3 members" in told
    assert "face" not in told


def test_too_old_a_list_says_what_that_means() -> None:
    assert "none of them is known by face" in in_words({**FLEET, "stale": True})


@pytest.mark.parametrize("command", ["status", "doctor"])
def test_status_and_doctor_tell_it(cli: Cli, control: FakeControl, command: str) -> None:
    control.answers[command] = {**ANSWERS[command], "fleet": FLEET}
    assert "version 12, 3 members" in cli(command).stdout
