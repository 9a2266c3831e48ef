"""The till as the config names it: its limits, and whom it is joined to."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cabinet.identity.credit import Limits
from cabinet.ledger import Ledger
from cabinet.wiring.credit import till
from tests.control.room import facts


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield ledger


def parts() -> Any:
    return SimpleNamespace(terms=None, terms_of=None, on_terms=None, on_roster=None)


def test_the_limits_are_the_configs(tmp_path: Path, ledger: Ledger) -> None:
    section = {
        "budget_ms": 500, "hold_minor": 1, "offline_member_visits": 2, "offline_member_minor": 3,
        "offline_cabinet_visits": 4, "offline_cabinet_minor": 5, "roster_days": 2,
    }  # fmt: skip  # a table
    made = till(facts(tmp_path, credit=section), ledger, parts(), parts(), parts())
    assert (made.limits, made.budget_s) == (Limits(1, 2, 3, 4, 5, 172_800.0), 0.5)


def test_the_defaults_of_config_and_policy_agree(tmp_path: Path, ledger: Ledger) -> None:
    made = till(facts(tmp_path), ledger, None, parts(), parts())
    assert (made.limits, made.budget_s, made.cloud) == (Limits(), 0.8, None)


def test_greeter_daemon_and_uplink_know_the_till(tmp_path: Path, ledger: Ledger) -> None:
    uplink, greeter, daemon = parts(), parts(), parts()
    made = till(facts(tmp_path), ledger, uplink, greeter, daemon)
    assert (greeter.terms, daemon.terms_of) == (made.terms, made.terms_of)
    assert (uplink.on_terms, uplink.on_roster) == (made.answer, made.take_roster)
