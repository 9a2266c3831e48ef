"""What rendered stills of a recorded visit show: every take, in its place, with every hand that is in."""

import logging
from collections.abc import Iterator

import pytest

from cabinet.basket.evidence import Door
from cabinet.proving.facings import depth, facings, place, standing
from cabinet.proving.reaching import AFTER_S, BEFORE_T, FPS, moments
from cabinet.proving.recorded import Recorded
from cabinet.proving.telling import tell
from cabinet.sim.story import parse
from cabinet.units import Sku, ZoneId

GOODS = "".join(f"goods g{n} {100 + 40 * n} g sd 1 g price 100\n" for n in range(8))
EIGHT = GOODS + "shelf s1 holds " + ", ".join(f"5 g{n}" for n in range(8)) + "\nshelf s2 holds 8 g0\n"
S1, S2 = ZoneId("s1"), ZoneId("s2")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def told(*acts: str) -> Recorded:
    story = parse(EIGHT + "ann comes\nann opens\n" + "\n".join(acts) + "\nann closes\nexpect charge or review\n")
    return tell(story, keep=True).traces[0]


def test_every_product_of_a_shelf_has_a_column_and_every_unit_a_place_in_it() -> None:
    visit = told("ann takes g7 from s1")
    assert set(facings(visit, S1)) == {f"g{n}" for n in range(8)}
    assert sum(standing(visit, S1, 0.0)) == 40
    assert (facings(visit, S2), sum(standing(visit, S2, 0.0))) == ((Sku("g0"),) * 3, 8)
    assert depth(visit.plan) == 5


def test_a_take_empties_the_place_that_the_hand_reaches_for() -> None:
    visit = told("ann takes g7 from s1")
    move = visit.moves[0]
    column, row = place(visit, move)
    before, after = standing(visit, S1, move.t - 0.01), standing(visit, S1, move.t)
    assert [a - b for a, b in zip(after, before, strict=True)] == [0] * 7 + [-1]
    assert (column, row) == (7, depth(visit.plan) - before[7])


def test_what_stands_where_it_does_not_belong_shows_in_a_column_of_its_own() -> None:
    visit = told("ann takes g3 from s1", "ann puts g3 back on s2", "ann leaves bottle of 300 g on s2")
    assert facings(visit, S2)[3:] == ("g3", "own:bottle")
    assert (standing(visit, S2, 0.0)[3:], standing(visit, S2, visit.moves[-1].t)[3:]) == ([0, 0], [1, 1])


def test_both_hands_are_in_one_still() -> None:
    visit = told("ann takes g1 from s1 and g0 from s2 with two hands")
    assert max(len(hands) for _, hands in moments(visit, (S1, S2))) == 2
    assert max(len(hands) for _, hands in moments(visit, (S2,))) == 1


def test_stills_are_in_order_no_nearer_than_looks_and_without_hands_before_after_and_at_rest() -> None:
    visit = told("ann takes g1 from s1", "4 s pass", "ann takes g2 from s1", "4 s pass")
    stills = list(moments(visit, (S1,)))
    times = [t for t, _ in stills]
    assert times == sorted(times)
    assert times[0] == BEFORE_T
    closed = next(e.t for e in visit.visit.events if isinstance(e, Door) and not e.open)
    assert times[-1] == pytest.approx(closed + AFTER_S)
    first = [t for t in times if 0 < t < visit.moves[1].t - 2]
    assert first[1] - first[0] == pytest.approx(1 / FPS)
    assert [hands for t, hands in stills if t in {times[0], first[-1], times[-1]}] == [[], [], []]


def test_nobody_reaches_through_a_shut_door() -> None:
    visit = told("ann takes g1 from s1")
    doors = [e for e in visit.visit.events if isinstance(e, Door)]
    opened, closed = doors[0].t, doors[-1].t
    assert all(opened < t < closed for t, hands in moments(visit, (S1,)) if hands)
