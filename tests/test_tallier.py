"""From a trace folder to a verdict: the same trace gives the same verdict, doubt about it a review."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from cabinet import trace
from cabinet.basket.evidence import Bolt, Door, Happening, Header, Mass, Product, Zone
from cabinet.basket.lessons import Afterthought
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.shadow import Heuristic
from cabinet.basket.verdict import Charge, Nothing, Review
from cabinet.session.events import Event, VisitTallied
from cabinet.tallier import KEPT_RESULTS, Tallier, outcome_of, work_out
from cabinet.units import Sku, VisitId, ZoneId

V, S1, COLA = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV"), ZoneId("s1"), Sku("111")
POLICY = TallyPolicy()
HEADER = Header(
    visit=V,
    cabinet="c1",
    started_at="2026-11-22T06:00:00Z",
    clock_trusted=True,
    purpose="shop",
    currency="USD",
    zones={S1: Zone()},
    cameras={},
    catalog={COLA: Product("Cola", 500.0, 220)},
    planogram={S1: (COLA,)},
    stock={S1: {COLA: 5}},
)


def recorded(traces: Path, taken: int, visit: VisitId = V) -> Path:
    """A visit in which so many colas left, one a second."""
    events: list[Happening] = [Bolt(0.1, locked=False), Door(0.5, open=True)]
    for tenth in range(-30, 10 * (taken + 3)):
        gone = min(max(tenth // 10, 0), taken)
        noise = [0.3 * ((7 * i + tenth) % 5 - 2) for i in range(8)]
        events.append(Mass(tenth / 10, S1, 80.0, tuple(2500.0 - 500.0 * gone + n for n in noise)))
    events += [Door(taken + 1.5, open=False), Bolt(taken + 1.6, locked=True)]
    return written(traces / visit, events)


def written(folder: Path, events: Sequence[Happening]) -> Path:
    recorder = trace.Recorder.create(folder, HEADER)
    for event in events:
        recorder.write(event)
    recorder.finish()
    return folder


def test_what_left_is_charged(tmp_path: Path) -> None:
    verdict = work_out(recorded(tmp_path, 2), POLICY, complete=True).verdict
    assert isinstance(verdict, Charge)
    assert [(line.sku, line.quantity, line.total) for line in verdict.lines] == [(COLA, 2, 440)]


def test_where_nothing_left_nothing_is_charged(tmp_path: Path) -> None:
    assert isinstance(work_out(recorded(tmp_path, 0), POLICY, complete=True).verdict, Nothing)


def test_the_verdict_lies_beside_the_trace_with_the_hash_of_its_evidence(tmp_path: Path) -> None:
    folder = recorded(tmp_path, 1)
    tallied = work_out(folder, POLICY, complete=True)
    told = json.loads((folder / "tally.json").read_text())
    assert (told["outcome"], told["total"], told["evidence"]) == ("charge", 220, tallied.evidence_hash)


def test_the_same_trace_gives_the_same_verdict_and_hash(tmp_path: Path) -> None:
    folder = recorded(tmp_path, 1)
    assert work_out(folder, POLICY, complete=True) == work_out(folder, POLICY, complete=True)


def test_evidence_that_differs_in_one_sample_has_another_hash(tmp_path: Path) -> None:
    visit = trace.read(recorded(tmp_path, 1))
    *others, last = [e for e in visit.events if isinstance(e, Mass)]
    changed = Mass(last.t, last.zone, last.hz, (*last.g[:-1], 1.0))
    assert trace.judged_hash(visit) != trace.judged_hash(type(visit)(visit.header, (*others, changed)))


def test_an_incomplete_visit_is_for_a_person_and_keeps_the_account(tmp_path: Path) -> None:
    verdict = work_out(recorded(tmp_path, 1), POLICY, complete=False).verdict
    assert isinstance(verdict, Review)
    assert "not every sensor" in verdict.reason
    assert verdict.account.net_g[S1] < -400.0


def test_a_trace_that_is_not_there_is_for_a_person(tmp_path: Path) -> None:
    tallied = work_out(tmp_path / V, POLICY, complete=True)
    assert isinstance(tallied.verdict, Review)
    assert (tallied.evidence_hash, outcome_of(tallied.verdict)) == ("", "review")


def test_a_trace_of_another_format_is_for_a_person(tmp_path: Path) -> None:
    folder = recorded(tmp_path, 1)
    (folder / "visit.json").write_text('{"format": "somebody-elses/7"}')
    assert isinstance(work_out(folder, POLICY, complete=True).verdict, Review)


def test_the_machine_is_told_the_outcome_and_can_ask_for_the_verdict(tmp_path: Path) -> None:
    recorded(tmp_path, 1)
    posted: list[Event] = []
    tallier = Tallier(tmp_path, POLICY, posted.append)

    async def tally() -> None:
        tallier.tally(V, complete=True)
        await asyncio.gather(*tallier._running)

    asyncio.run(tally())
    (event,) = posted
    assert isinstance(event, VisitTallied)
    assert (event.visit, event.outcome) == (V, "charge")
    result = tallier.result(V)
    assert result is not None
    assert isinstance(result.verdict, Charge)


def test_only_the_last_few_verdicts_are_kept(tmp_path: Path) -> None:
    visits = [VisitId(f"01J{n:023d}") for n in range(KEPT_RESULTS + 2)]
    tallier = Tallier(tmp_path, POLICY, lambda _: None)

    async def tally() -> None:
        for visit in visits:
            await tallier._tally(visit, complete=True)

    asyncio.run(tally())
    assert [visit for visit in visits if tallier.result(visit) is not None] == visits[2:]


def test_nobody_has_a_verdict_before_the_tally(tmp_path: Path) -> None:
    assert Tallier(tmp_path, POLICY, lambda _: None).result(V) is None


def thought_of(tmp_path: Path, taken: int, heuristics: tuple[Heuristic, ...] = ()) -> tuple[list[str], Afterthought]:
    """What was posted and taught, in order, and the thought."""
    recorded(tmp_path, taken)
    order: list[str] = []
    thoughts: list[Afterthought] = []
    tallier = Tallier(tmp_path, POLICY, lambda _: order.append("posted"))
    tallier.heuristics = heuristics

    def taught(_: VisitId, thought: Afterthought) -> None:
        order.append("taught")
        thoughts.append(thought)

    tallier.taught = taught
    asyncio.run(tallier._tally(V, complete=True))
    return order, thoughts[0]


def test_the_verdict_is_posted_before_anything_is_learnt_from_it(tmp_path: Path) -> None:
    order, thought = thought_of(tmp_path, 2)
    assert order == ["posted", "taught"]
    (lesson,) = thought.lessons
    assert (lesson.sku, lesson.units, round(lesson.mean_g)) == (COLA, 2, 500)


def test_what_runs_in_shadow_is_told_beside_the_verdict_and_changes_nothing_of_it(tmp_path: Path) -> None:
    _, thought = thought_of(tmp_path, 1, (Heuristic("never", lambda _: Nothing(1.0)),))
    told = json.loads((tmp_path / V / "tally.json").read_text())
    assert told["shadow"]["never"] == {
        "outcome": "nothing", "lines": {}, "agrees": False, "more_minor": -220, "why": "",
    }  # fmt: skip  # a row
    assert (told["outcome"], told["total"], told["complete"]) == ("charge", 220, True)
    assert told["evidence"] == work_out(tmp_path / V, POLICY, complete=True).evidence_hash
    assert set(thought.opinions) == {"never"}


def test_a_heuristic_that_breaks_touches_neither_bill_nor_lesson(tmp_path: Path) -> None:
    def broken(_: object) -> Nothing:
        raise RuntimeError("oops")

    order, thought = thought_of(tmp_path, 1, (Heuristic("broken", broken),))
    assert order == ["posted", "taught"]
    assert (thought.opinions["broken"].outcome, len(thought.lessons)) == ("failed", 1)


def test_a_thought_that_fails_costs_the_lesson_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Afterthought:
        raise RuntimeError("oops")

    monkeypatch.setattr("cabinet.tallier.afterthought", broken)
    recorded(tmp_path, 1)
    posted: list[Event] = []
    tallier = Tallier(tmp_path, POLICY, posted.append)
    tallier.taught = lambda *_: pytest.fail("nothing was thought")
    asyncio.run(tallier._tally(V, complete=True))
    assert isinstance(posted[0], VisitTallied)
