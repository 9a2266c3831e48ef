"""At least 100,000 states that a power cut could leave of the real daemon's files, in two processes."""

import json
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.crash import benches, straces
from tests.crash.record import Op, ops_of
from tests.crash.running import need_strace
from tests.crash.states import Effort, Report, enumerate_states

pytestmark = pytest.mark.campaign

WANTED = 100_000
WORKERS = 2
DRAWN, TEARS, EACH = 250, 400, 300


def _part(ops: list[Op], part: int) -> Report:
    return enumerate_states(ops, Effort(DRAWN, TEARS, EACH, seed=2026 + part, part=part, parts=WORKERS))


def test_a_hundred_thousand_states_keep_what_the_world_knew() -> None:
    need_strace()
    with TemporaryDirectory(prefix="cr-") as name:
        bench = benches.record(Path(name))
        ops = ops_of([straces.read(record) for record in bench.records], bench.data)
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        reports = list(pool.map(_part, [ops] * WORKERS, range(WORKERS)))
    states = sum((report.states for report in reports), Counter())
    print(json.dumps({"states": states.total(), "by_kind": dict(sorted(states.items()))}))  # noqa: T201  the figure
    assert [report.told for report in reports if report.bad] == []
    assert states.total() >= WANTED, states
