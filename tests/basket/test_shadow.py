"""Heuristics in shadow: what they think is compared, and nothing they do reaches the bill."""

from typing import get_args

import pytest

from cabinet.basket.evidence import Visit
from cabinet.basket.shadow import KNOWN, Heuristic, heuristics, opinions, to_dict
from cabinet.basket.tally import tally
from cabinet.basket.verdict import Charge, Line, Nothing, Review, Verdict
from cabinet.config import Tally
from cabinet.units import Sku
from tests.basket.visits import COLA, Scene, header

VISIT = Visit(header(), ())


def bill(quantity: int, price: int = 250) -> Charge:
    return Charge((Line(COLA, "Cola", quantity, price, "drink"),), 1.0)


@pytest.mark.parametrize(
    ("verdict", "other", "agrees", "more_minor"),
    [
        (bill(1), bill(1), True, 0),
        (bill(1), bill(2), False, 250),
        (bill(2), bill(1), False, -250),
        (bill(1), Nothing(1.0), False, -250),
        (Nothing(1.0), Nothing(0.9), True, 0),
        (Review("doubt"), bill(1), False, 250),
        (bill(1), Review("doubt"), False, -250),
    ],
)
def test_it_agrees_where_it_would_have_done_the_same(
    verdict: Verdict, other: Verdict, *, agrees: bool, more_minor: int
) -> None:
    found = opinions(VISIT, verdict, [Heuristic("h", lambda _: other)])["h"]
    assert (found.agrees, found.more_minor) == (agrees, more_minor)


def test_one_that_fails_has_no_opinion_and_does_not_keep_the_next_from_having_one() -> None:
    def broken(_: Visit) -> Verdict:
        raise ZeroDivisionError("oops")

    found = opinions(VISIT, bill(1), [Heuristic("broken", broken), Heuristic("fine", lambda _: bill(1))])
    assert (found["broken"].outcome, found["broken"].agrees, found["broken"].more_minor) == ("failed", False, 0)
    assert found["fine"].agrees
    assert to_dict(found)["broken"]["why"] == "ZeroDivisionError: oops"


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_each_known_one_judges_a_plain_visit_as_the_tally_does(name: str) -> None:
    scene = Scene(seed=5)
    scene.take(4.0, "s1", COLA)
    visit = scene.visit(8.0).judged()
    (opinion,) = opinions(visit, tally(visit), heuristics([name])).values()
    assert (opinion.outcome, dict(opinion.lines), opinion.agrees) == ("charge", {COLA: 1}, True)


def test_a_name_that_nobody_knows_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=r"'guess'.*mps, no-sight, weight-only"):
        heuristics(["mps", "guess"])


def test_the_config_takes_the_names_that_there_are() -> None:
    (names,) = get_args(Tally.model_fields["shadow"].annotation)
    assert set(get_args(names)) == set(KNOWN)
    assert Tally().shadow == []


def test_a_name_given_twice_runs_once() -> None:
    assert [heuristic.name for heuristic in heuristics(["mps", "mps"])] == ["mps"]


def test_what_it_would_have_billed_is_told() -> None:
    told = to_dict(opinions(VISIT, bill(1), [Heuristic("h", lambda _: bill(2))]))["h"]
    assert (told["outcome"], told["lines"], told["agrees"]) == ("charge", {Sku(COLA): 2}, False)
