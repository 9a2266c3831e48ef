"""What the harness calls lost, doubled and foreign, on books made up for it."""

from dataclasses import replace

import pytest

from tests.chaos.broken import UNIQUE, keyless
from tests.chaos.compare import Here, There, judge
from tests.chaos.shared import CAB, STRANGER

EVENT = ("store", 2, "h2")
HERE = Here(
    sold={"v1": 250, "v2": 120}, oracle={"v1": 250}, freed={EVENT: "v1"}, closings_freed=frozenset({"v1", "v9"})
)
THERE = There(events=frozenset({EVENT}), charges=((CAB, "v1", 250), (CAB, "v2", 120)), alarms=())


def test_books_that_agree_are_good_and_only_sold_visits_count_as_acknowledged() -> None:
    verdict = judge(HERE, THERE)
    assert verdict.good
    assert (verdict.sold, verdict.acknowledged) == (2, 1)


def test_a_sale_that_the_cloud_does_not_have_is_lost() -> None:
    assert judge(HERE, replace(THERE, charges=THERE.charges[:1])).lost == {"v2"}


def test_a_row_freed_at_the_edge_and_never_stored_is_lost_although_its_visit_was_charged() -> None:
    assert judge(HERE, replace(THERE, events=frozenset())).lost == {"v1"}


@pytest.mark.parametrize("oracle", [{"v3": 1}, {"v1": 251}])
def test_a_commit_that_returned_and_is_not_in_the_ledger_as_it_was_is_lost(oracle: dict[str, int]) -> None:
    assert judge(replace(HERE, oracle=oracle), THERE).lost == oracle.keys()


def test_a_visit_charged_twice_is_doubled() -> None:
    assert judge(HERE, replace(THERE, charges=(*THERE.charges, (CAB, "v1", 250)))).doubled == {"v1"}


def test_a_visit_charged_with_another_amount_is_doubled() -> None:
    assert judge(HERE, replace(THERE, charges=((CAB, "v1", 249), (CAB, "v2", 120)))).doubled == {"v1"}


@pytest.mark.parametrize("charge", [(CAB, "v3", 1), (STRANGER, "v3", 1)])
def test_a_charge_that_nobody_sold_is_foreign(charge: tuple[str, str, int]) -> None:
    assert judge(HERE, replace(THERE, charges=(*THERE.charges, charge))).foreign == {"v3"}


def test_a_sold_visit_charged_by_another_cabinet_is_foreign() -> None:
    assert judge(HERE, replace(THERE, charges=((STRANGER, "v1", 250), (CAB, "v2", 120)))).foreign == {"v1"}


def test_the_variant_without_unique_keys_notices_when_there_are_none_to_take_away() -> None:
    tables = "\n".join(keyed for keyed, _ in UNIQUE)
    assert "UNIQUE" not in keyless(tables)
    with pytest.raises(ValueError, match="no longer there"):
        keyless(keyless(tables))
