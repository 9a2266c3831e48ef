"""From a trace folder to a verdict: the same trace gives the same verdict, doubt about it a review."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from cabinet import trace
from cabinet.basket.evidence import Bolt, Door, Happening, Header, Mass, Product, Zone
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.verdict import Charge, Nothing, Review
from cabinet.session.events import Event, VisitTallied
from cabinet.tallier import KEPT_RESULTS, Tallier, evidence_hash, outcome_of, work_out
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
    assert evidence_hash(visit) != evidence_hash(type(visit)(visit.header, (*others, changed)))


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
