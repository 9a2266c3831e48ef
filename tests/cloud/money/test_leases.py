"""A claim is taken away early only from a process that is provably dead."""

import os
import subprocess
import sys

import pytest

from cabinet.cloud.money import leases
from cabinet.cloud.money.leases import LEASE_MS, is_dead, new_claim
from tests.cloud.money.conftest import Shop

V = "01JVISIT00000000000000000A"
TELLS = "from cabinet.cloud.money.leases import new_claim; print(new_claim())"


@pytest.fixture(scope="module")
def dead() -> str:
    """A claim whose process has ended."""
    return subprocess.run([sys.executable, "-c", TELLS], check=True, capture_output=True, text=True).stdout.strip()


def test_a_claim_of_a_process_that_ended_is_dead_and_ours_is_not(dead: str) -> None:
    assert is_dead(dead)
    assert not is_dead(new_claim())


def test_a_younger_process_under_the_same_number_does_not_keep_a_claim_alive(dead: str) -> None:
    place, _, start, token = dead.split("/")
    assert is_dead("/".join((place, str(os.getpid()), start, token)))


def test_another_machine_start_or_container_is_never_said_to_be_dead(dead: str) -> None:
    place, pid, start, token = dead.split("/")
    assert not is_dead("/".join((f"{place}x", pid, start, token)))
    assert not is_dead(f"/{pid}/{start}/{token}")
    assert [is_dead(claim) for claim in ("", "0123456789abcdef", f"{place}/x/1/t", f"{place}/1/{token}")] == [False] * 4


def test_where_nobody_can_tell_no_claim_is_dead(dead: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_place", lambda: "")
    assert not is_dead(dead)


def test_a_living_process_whose_start_cannot_be_read_is_not_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = new_claim()
    monkeypatch.setattr(leases, "_start", lambda _: "")
    assert not is_dead(mine)


def claimed(shop: Shop, claim: str) -> None:
    shop.close(V)
    with shop.books.writing():
        sql = "UPDATE payment SET claim = ?, claim_until_ms = ? WHERE visit = ?"
        shop.books.run(sql, claim, shop.clock.ms + LEASE_MS, V)


def test_what_a_dead_cashier_has_claimed_is_attended_to_at_once(shop: Shop, dead: str) -> None:
    claimed(shop, dead)
    shop.work()
    assert shop.state(V) == "paid"


def test_what_a_living_cashier_has_claimed_waits_for_its_lease(shop: Shop) -> None:
    claimed(shop, new_claim())
    shop.work()
    assert shop.state(V) == "due"
    shop.clock.ms += LEASE_MS
    shop.work()
    assert shop.state(V) == "paid"
