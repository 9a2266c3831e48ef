"""SPIN decides whether the model admits what the real cashier and its sandbox did; and that it refuses lies."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.protocol import payment_recorder as did
from tests.protocol import spinning

pytestmark = pytest.mark.skipif(bool(spinning.missing()), reason=spinning.missing() or "nothing is missing")

Steps = list[tuple[int, ...]]
CAPTURE, CANCEL = did.OPS["capture"], did.OPS["cancel"]


@pytest.fixture(scope="module")
def pan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spinning.build(tmp_path_factory.mktemp("pan"), "payment", *spinning.REPLAY, how=spinning.FOLLOWS)


def told(folder: Path, seed: int) -> Steps:
    folder.mkdir()
    return did.lived(folder, seed).steps


def refused_of(pan: Path, folder: Path, seeds: range) -> tuple[dict[int, tuple[int, int, str]], Counter[int]]:
    refused, kinds = {}, Counter[int]()
    for seed in seeds:
        steps = told(folder / str(seed), seed)
        kinds.update(step[0] for step in steps)
        taken, why = spinning.admitted(pan, steps, folder / str(seed))
        if taken != len(steps) or why:
            refused[seed] = (taken, len(steps), why)
    return refused, kinds


def test_the_model_admits_forty_real_payments(pan: Path, tmp_path: Path) -> None:
    refused, kinds = refused_of(pan, tmp_path, range(40))
    assert refused == {}
    seen = {did.BEGUN, did.POSTED, did.ANSWERED, did.LOOKS, did.AGAIN, did.KILLED, did.DONE, did.LATE, did.LAPSING}
    assert {kind for kind in seen | {did.AGED, did.BOOKS} if kinds[kind] < 5} == set()


@pytest.mark.campaign
def test_the_model_admits_a_thousand_real_payments(pan: Path, tmp_path: Path) -> None:
    assert refused_of(pan, tmp_path, range(1000, 2000))[0] == {}


def first(steps: Steps, *start: int) -> int | None:
    return next((n for n, step in enumerate(steps) if step[: len(start)] == start), None)


def moved_before(steps: Steps, later: tuple[int, ...], sooner: tuple[int, ...]) -> Steps | None:
    """The step told before that other one, which it really came after."""
    at, there = first(steps, *later), first(steps, *sooner)
    if at is None or there is None or at < there:
        return None
    return [*steps[:there], steps[at], *steps[there:at], *steps[at + 1 :]]


def without(steps: Steps, *start: int) -> Steps | None:
    at = first(steps, *start)
    return None if at is None else steps[:at] + steps[at + 1 :]


def captured_before_the_closing_is_stored(steps: Steps) -> Steps | None:
    return moved_before(steps, (did.BEGUN, CAPTURE), (did.CLOSED,))


def posted_before_it_is_written_down(steps: Steps) -> Steps | None:
    return moved_before(steps, (did.POSTED, CAPTURE), (did.BEGUN, CAPTURE))


def posted_again_without_a_look_up(steps: Steps) -> Steps | None:
    again = first(steps, did.AGAIN)
    if again is None:
        return None
    looked = max(n for n, step in enumerate(steps[:again]) if step[0] == did.LOOKS)
    return [*steps[:looked], *steps[again:]]


def done_twice(steps: Steps) -> Steps | None:
    at = first(steps, did.DONE, CAPTURE)
    return None if at is None else [*steps[: at + 1], *steps[at:]]


def captured_more_than_was_written_down(steps: Steps) -> Steps | None:
    at = first(steps, did.DONE, CAPTURE)
    return None if at is None else [*steps[:at], (*steps[at][:6], steps[at][6] + 1), *steps[at + 1 :]]


def believed_without_an_answer(steps: Steps) -> Steps | None:
    """A lost answer and a kill after it look like a kill alone: that is no lie."""
    at = next((n for n, step in enumerate(steps) if step[0] == did.ANSWERED and step[3] == did.SEEN), None)
    return None if at is None else steps[:at] + steps[at + 1 :]


def answered_what_was_never_done(steps: Steps) -> Steps | None:
    return without(steps, did.DONE, CAPTURE)


def released_what_was_captured(steps: Steps) -> Steps | None:
    at = first(steps, did.ANSWERED, CAPTURE)
    if at is None or steps[at][3] != did.SEEN:
        return None
    return [*steps[: at + 1], (did.BEGUN, CANCEL, steps[at][2], 0), *steps[at + 1 :]]


def a_hold_kept_in_the_books(steps: Steps) -> Steps | None:
    kind, captured, _, *rest = steps[-1]
    return [*steps[:-1], (kind, captured, 500, *rest)]


LIES: list[Callable[[Steps], Steps | None]] = [
    captured_before_the_closing_is_stored,
    posted_before_it_is_written_down,
    posted_again_without_a_look_up,
    done_twice,
    captured_more_than_was_written_down,
    believed_without_an_answer,
    answered_what_was_never_done,
    released_what_was_captured,
    a_hold_kept_in_the_books,
]


@pytest.fixture(scope="module")
def truths(tmp_path_factory: pytest.TempPathFactory) -> list[Steps]:
    folder = tmp_path_factory.mktemp("truths")
    return [told(folder / str(seed), seed) for seed in range(16)]


@pytest.mark.parametrize("lie", LIES)
def test_a_falsified_log_of_a_payment_is_refused(
    pan: Path, truths: list[Steps], tmp_path: Path, lie: Callable[[Steps], Steps | None]
) -> None:
    lies = [lied for truth in truths if (lied := lie(truth)) is not None]
    assert lies
    for lied in lies:
        assert spinning.admitted(pan, lied, tmp_path)[0] < len(lied)
