"""The numbers on the screen: how long each is good, and that it is good once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinet.identity.nonces import MOST_SPENT, Nonces, Standing

EVERY_S = 60.0


def name(number: int) -> bytes:
    return number.to_bytes(12, "big")


A, B, C, D = (name(number) for number in range(4))
FRESH = Nonces(EVERY_S).turned(0.0, A)


def test_the_same_number_is_shown_until_another_is_due() -> None:
    assert (FRESH.turned(59.9, B).current(), FRESH.turned(60.0, B).current()) == (A, B)


def test_the_number_before_is_good_as_long_as_the_shown_one_is() -> None:
    turned = FRESH.turned(60.0, B)
    assert (turned.standing(A, 119.9), turned.standing(B, 119.9)) == ("good", "good")


def test_two_numbers_are_good_and_no_third() -> None:
    turned = FRESH.turned(60.0, B).turned(120.0, C)
    assert [turned.standing(one, 120.0) for one in (A, B, C)] == ["unknown", "good", "good"]


def test_a_number_grows_old_though_nobody_looked_at_the_screen_meanwhile() -> None:
    assert (FRESH.standing(A, 119.9), FRESH.standing(A, 120.0)) == ("good", "unknown")


def test_a_number_of_before_a_long_silence_is_not_good_again_by_showing_another() -> None:
    assert FRESH.turned(500.0, B).standing(A, 500.0) == "unknown"


def test_a_number_is_good_for_one_token() -> None:
    assert FRESH.used(A, 1.0, B).standing(A, 1.0) == "used"


def test_another_is_shown_at_once_where_the_shown_one_was_used() -> None:
    after = FRESH.used(A, 1.0, B)
    assert (after.current(), after.standing(B, 1.0), after.due_s()) == (B, "good", 61.0)


def test_using_the_number_before_leaves_the_shown_one() -> None:
    after = FRESH.turned(60.0, B).used(A, 61.0, C)
    assert (after.current(), after.standing(B, 61.0), after.standing(C, 61.0)) == (B, "good", "unknown")


def test_using_the_shown_one_leaves_the_number_before_its_time() -> None:
    after = FRESH.turned(60.0, B).used(B, 61.0, C)
    assert (after.standing(A, 119.9), after.standing(A, 120.0)) == ("good", "unknown")


def test_a_restart_forgets_every_number() -> None:
    assert Nonces(EVERY_S).turned(1.0, B).standing(A, 1.0) == "unknown"


def test_what_was_used_is_remembered_for_a_while_and_bounded() -> None:
    many = FRESH
    for number in range(MOST_SPENT + 10):
        many = many.used(many.current(), float(number), name(100 + number))
    assert len(many.spent) == MOST_SPENT


Step = tuple[float, str, int]
STEPS = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, 59.0, 61.0, 200.0]), st.sampled_from(["turn", "use"]), st.integers(0, 3))
)


@given(STEPS)
def test_whatever_happens_two_at_most_are_good_and_none_twice(steps: list[Step]) -> None:
    nonces, now_s, drawn, used = FRESH, 0.0, 10, set[bytes]()
    everything = [A]
    for wait_s, what, back in steps:
        now_s, drawn = now_s + wait_s, drawn + 1
        everything.append(name(drawn))
        if what == "turn":
            nonces = nonces.turned(now_s, name(drawn))
        elif nonces.standing(chosen := everything[-1 - back] if back < len(everything) else A, now_s) == "good":
            nonces, used = nonces.used(chosen, now_s, name(drawn)), used | {chosen}
        good = {one for one in everything if nonces.standing(one, now_s) == "good"}
        assert len(good) <= 2
        assert not good & used


@pytest.mark.parametrize(("nonce", "wanted"), [(A, "good"), (A[:-1], "unknown"), (b"", "unknown")])
def test_only_the_whole_number_counts(nonce: bytes, wanted: Standing) -> None:
    assert FRESH.standing(nonce, 1.0) == wanted
