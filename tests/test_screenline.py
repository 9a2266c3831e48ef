"""The one line that the shopper reads."""

import pytest

from cabinet.basket.verdict import Interim
from cabinet.identity import risk
from cabinet.identity.credit import OFFLINE_WHYS, UNPAID, WHYS
from cabinet.identity.decide import NO_PROOF_OF_AGE
from cabinet.screenline import LINES, MOST_NAMED, line, refused, so_far
from cabinet.session.effects import Notice
from cabinet.units import Sku

SAID = "Please close the door."


def shown(*goods: tuple[str, int], settled: bool = True) -> Interim:
    return Interim(tuple((Sku(name), name, units) for name, units in goods), settled)


@pytest.mark.parametrize(
    ("interim", "read"),
    [
        (None, SAID),
        (shown(), SAID),
        (shown(settled=False), SAID),
        (shown(("Cola", 1)), f"So far: Cola. {SAID}"),
        (shown(("Cola", 2), ("Oats", 1)), f"So far: 2 × Cola, Oats. {SAID}"),
        (shown(("Cola", 2), settled=False), f"So far: 2 × Cola… {SAID}"),
    ],
)
def test_what_was_taken_comes_before_what_is_said_anyway(interim: Interim | None, read: str) -> None:
    assert so_far(interim, SAID) == read


def test_a_full_basket_does_not_fill_the_screen() -> None:
    many = shown(*((f"P{n}", 1) for n in range(MOST_NAMED + 3)))
    assert so_far(many, SAID) == f"So far: P0, P1, P2, P3, 3 more. {SAID}"


@pytest.mark.parametrize("notice", Notice)
def test_every_notice_has_a_line(notice: Notice) -> None:
    assert line(notice, 250, "EUR")
    assert notice in LINES


@pytest.mark.parametrize("why", [*WHYS, *OFFLINE_WHYS, NO_PROOF_OF_AGE])
def test_a_member_who_is_refused_reads_why_in_words_of_their_own(why: str) -> None:
    assert refused(why) != LINES[Notice.REFUSED]
    assert len({refused(one) for one in (*WHYS, *OFFLINE_WHYS, NO_PROOF_OF_AGE)}) == 8


@pytest.mark.parametrize("why", risk.WHYS)
def test_whom_the_policy_refuses_reads_kindly_why_and_nothing_of_figures(why: str) -> None:
    said = refused(why)
    assert said != LINES[Notice.REFUSED]
    assert not any(char.isdigit() for char in said)
    assert "trust" not in said


def test_who_owes_is_told_where_to_pay() -> None:
    assert refused(UNPAID) == "You still owe for an earlier visit: please pay in the app."


@pytest.mark.parametrize("why", ["not recognised", ""])
def test_a_stranger_is_told_how_to_try_again(why: str) -> None:
    assert refused(why) == LINES[Notice.REFUSED]
