"""SPIN decides whether the model admits what the real ledger, sender and cloud did; and that it refuses lies."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.shared import edge_file
from tests.chaos.test_charges import play
from tests.protocol import recorder as did
from tests.protocol import spinning
from tests.protocol.committed import committed
from tests.protocol.lives import lived
from tests.protocol.recorder import RecordedWorld

pytestmark = pytest.mark.skipif(bool(spinning.missing()), reason=spinning.missing() or "nothing is missing")

Steps = list[tuple[int, ...]]


@pytest.fixture(scope="module")
def pan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spinning.build(tmp_path_factory.mktemp("pan"), "charge", *spinning.REPLAY, how=spinning.FOLLOWS)


def told(folder: Path, seed: int) -> RecordedWorld:
    folder.mkdir()
    world = lived(folder, seed)
    world.close()
    return world


def refused_of(pan: Path, folder: Path, seeds: range) -> tuple[dict[int, tuple[int, int, str]], Counter[int]]:
    refused, kinds = {}, Counter[int]()
    for seed in seeds:
        steps = told(folder / str(seed), seed).steps
        kinds.update(step[0] for step in steps)
        taken, why = spinning.admitted(pan, steps, folder / str(seed))
        if taken != len(steps) or why:
            refused[seed] = (taken, len(steps), why)
    return refused, kinds


def test_the_model_admits_fifty_real_lives(pan: Path, tmp_path: Path) -> None:
    refused, kinds = refused_of(pan, tmp_path, range(50))
    assert refused == {}
    mishaps = (did.POWER_CUT, did.OFFLINE, did.PUT_BACK, did.CLONED, did.CLOUD_CRASH, did.CLOUD_RESTORED)
    assert [kind for kind in mishaps if kinds[kind] < 10] == []


@pytest.mark.campaign
def test_the_model_admits_a_thousand_real_lives(pan: Path, tmp_path: Path) -> None:
    assert refused_of(pan, tmp_path, range(1000, 2000))[0] == {}


def first(steps: Steps, kind: int, *, word: int = 0, least: int = 0) -> int:
    return next(n for n, step in enumerate(steps) if step[0] == kind and step[word] >= least)


def freed_before_it_is_stored(steps: Steps) -> Steps:
    at = first(steps, did.ACK_HEARD, word=3, least=1)
    row = steps[at][2]
    return [*steps[: (n := next(n for n, s in enumerate(steps) if s[:2] == (did.STORED, row)))], steps[at], *steps[n:]]


def unlocked_before_it_is_opened(steps: Steps) -> Steps:
    at = first(steps, did.OPENED)
    return [*steps[:at], steps[at + 1], steps[at], *steps[at + 2 :]]


def closed_twice(steps: Steps) -> Steps:
    at = max(n for n, step in enumerate(steps) if step[0] == did.CLOSED)
    kind, me, row, store, seq, _, visit = steps[at]
    return [*steps[: at + 1], (kind, me, row + 1, store, seq + 1, row, visit)]


def acknowledged_what_was_never_stored(steps: Steps) -> Steps:
    at = first(steps, did.STORED, word=2, least=1)
    return steps[:at] + steps[at + 1 :]


def freed_more_than_was_acknowledged(steps: Steps) -> Steps:
    at = first(steps, did.ACK_HEARD, word=3, least=1)
    return [*steps[:at], (*steps[at][:3], steps[at][3] + 1), *steps[at + 1 :]]


def said_before_the_welcome(steps: Steps) -> Steps:
    return [step for step in steps[: first(steps, did.SENT) + 1] if step[0] != did.WELCOME_HEARD]


def seq_left_out(steps: Steps) -> Steps:
    at = first(steps, did.CLOSED)
    step = steps[at]
    return [*steps[:at], (*step[:4], step[4] + 1, *step[5:]), *steps[at + 1 :]]


def stored_what_was_never_said(steps: Steps) -> Steps:
    row = steps[first(steps, did.STORED)][1]
    return [step for step in steps if step[0] != did.SENT or step[2] != row]


def stored_twice(steps: Steps) -> Steps:
    at = first(steps, did.STORED)
    return [*steps[: at + 1], *steps[at:]]


def charged_twice(steps: Steps) -> Steps:
    *rest, (kind, visit, count) = steps
    return [*rest, (kind, visit, count + 1)]


@pytest.mark.parametrize(
    "lie",
    [
        freed_before_it_is_stored,
        unlocked_before_it_is_opened,
        closed_twice,
        acknowledged_what_was_never_stored,
        freed_more_than_was_acknowledged,
        said_before_the_welcome,
        seq_left_out,
        stored_what_was_never_said,
        stored_twice,
        charged_twice,
    ],
)
def test_a_falsified_log_is_refused(pan: Path, tmp_path: Path, lie: Callable[[Steps], Steps]) -> None:
    truth = told(tmp_path / "life", 1).steps
    lied = lie(truth)
    assert lied != truth
    assert spinning.admitted(pan, lied, tmp_path)[0] < len(lied)


def test_what_the_books_say_afterwards_is_a_life_of_the_model_too(pan: Path, tmp_path: Path) -> None:
    """Two seeds of five have one store only."""
    for seed in (1, 3, 6, 8):
        told(tmp_path / str(seed), seed)
        steps = committed(tmp_path / str(seed) / "edge.db", tmp_path / str(seed) / "cloud.db")
        assert len(steps) > 20
        assert spinning.admitted(pan, steps, tmp_path) == (len(steps), "")
        for lied in (charged_twice(steps), stored_twice(steps), seq_left_out(steps), closed_twice_in_the_book(steps)):
            assert spinning.admitted(pan, lied, tmp_path)[0] < len(lied)


def closed_twice_in_the_book(steps: Steps) -> Steps:
    at = first(steps, did.CLOSED)
    return [*steps[: at + 1], *steps[at:]]


@pytest.mark.campaign
@pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed")
def test_what_killed_processes_left_on_disk_is_a_life_of_the_model_too(pan: Path, tmp_path: Path) -> None:
    code, figures = play(tmp_path / "chaos", "--sales", "60", "--seconds", "8", "--seed", "11")
    assert code == 0, figures
    steps = committed(edge_file(tmp_path / "chaos"), tmp_path / "chaos" / "cloud.db")
    assert sum(step[0] == did.STORED for step in steps) > 60
    assert spinning.admitted(pan, steps, tmp_path) == (len(steps), "")


def test_an_unnoticed_rollback_is_refused(pan: Path, tmp_path: Path) -> None:
    for seed in range(0, 60, 5):  # of these a copy is put back
        steps = told(tmp_path / str(seed), seed).steps
        splits = [n for n, s in enumerate(steps) if s[0] == did.WELCOME_HEARD and s[4] == did.SPLIT]
        if splits:
            lied = [*steps[: splits[0]], (*steps[splits[0]][:4], did.WELCOMED, 0)]
            assert spinning.admitted(pan, lied, tmp_path)[0] < len(lied)
            return
    raise AssertionError("no rollback was noticed in any of these lives")
