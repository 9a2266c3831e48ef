"""Traces to score: finding them, judging each beside its truth, in as many processes as there are cores.

Nothing is kept of a trace but one small row.  What cannot be scored becomes a row too, with the reason.
"""

import itertools
import multiprocessing
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cabinet.cli.errors import BadInputError, RefusedError

if TYPE_CHECKING:
    from cabinet.basket.evidence import Header, Visit
    from cabinet.basket.score import Truth, Units
    from cabinet.basket.verdict import Verdict
    from cabinet.units import Sku
    from cabinet.vision.gallery import Gallery

OF_A_TRACE = ("visit.json", "events.jsonl", "truth.json", "tally.json")  # a folder with one of them is a trace
PHOTOGRAPHS = "gallery"  # a folder of them is no folder of traces (cabinet.proving.gallery)
DEEPEST = 4  # folders within folders
BATCH = 8  # traces handed to a process at once
WAITING = 4  # batches a process: rows wait for their turn, so what waits is bounded


@dataclass(frozen=True, slots=True)
class Skipped:
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One way's bill of one visit beside the truth."""

    label: str
    units: "Units | None"  # a visit sent to a person is nothing charged; None: it was right to send it
    guess: "Units | None"  # the same, where a review's best guess is its answer
    over_minor: int = 0
    under_minor: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    path: str
    tags: tuple[str, ...]
    currency: str
    answers: dict[str, Answer]  # "tally" and the baselines, by name
    latency_ms: float
    stated: float | None  # probability the verdict gives its bill; a review states none
    confidence: float  # of the best guess, whatever became of it
    guess_right: bool
    outcome: str
    truth: dict[str, int]
    bill: dict[str, int]  # charged, or a review's guess
    why: str = ""  # a review's reason
    failed: bool = False  # the tally raised: counted as sent to a person


Row = Judged | Skipped


def find(places: Sequence[Path]) -> list[str]:
    """Every trace below the places, sorted within each.  BadInputError for a place that is not there."""
    found: dict[str, None] = {}
    for place in places:
        if not place.exists():
            raise BadInputError(f"TRACES: {place} is not there", "name a trace's folder, its .tar, or a folder of them")
        found.update(dict.fromkeys(map(str, _below(place, DEEPEST))))
    return list(found)


def _below(place: Path, depth: int) -> Iterator[Path]:
    """The place itself where it is a trace, or is nothing else: the reader says what it lacks."""
    if not place.is_dir() or any((place / name).exists() for name in OF_A_TRACE):
        yield place
        return
    inside = sorted(
        p
        for p in place.iterdir()
        if not p.name.startswith(".") and p.name != PHOTOGRAPHS and (p.is_dir() or p.suffix == ".tar")
    )
    if not inside or not depth:
        yield place
    else:
        for inner in inside:
            yield from _below(inner, depth - 1)


def judge_all(
    paths: Sequence[str], without: Sequence[str], jobs: int, gallery: "Gallery | None" = None
) -> Iterator[Row]:
    """A row for each path, in their order.  With a gallery, as our own eyes see it.

    RefusedError where a process dies.
    """
    if jobs == 1 or len(paths) <= BATCH:
        for path in paths:
            yield judge_one(path, without, gallery)
        return
    import cabinet.tallier  # noqa: F401,PLC0415  once, before the processes part: it takes longer than a trace

    batches = iter([paths[at : at + BATCH] for at in range(0, len(paths), BATCH)])
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork")) as pool:
        waiting: deque[Future[list[Row]]] = deque()
        try:
            waiting.extend(
                pool.submit(judge_some, b, without, gallery) for b in itertools.islice(batches, WAITING * jobs)
            )
            while waiting:
                yield from waiting.popleft().result()
                waiting.extend(pool.submit(judge_some, b, without, gallery) for b in itertools.islice(batches, 1))
        except BrokenProcessPool as error:
            raise RefusedError("a process died while judging", "is there memory enough? try --jobs 1") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def judge_some(paths: Sequence[str], without: Sequence[str], gallery: "Gallery | None" = None) -> list[Row]:
    return [judge_one(path, without, gallery) for path in paths]


def judge_one(path: str, without: Sequence[str], gallery: "Gallery | None" = None) -> Row:
    from cabinet import trace as format_  # noqa: PLC0415  with the tally

    try:
        return _scored(path, without, gallery)
    except (format_.TraceError, OSError) as error:
        return Skipped(path, str(error) or type(error).__name__)
    except Exception as error:  # noqa: BLE001  one trace must not end the evaluation of a hundred thousand
        return Skipped(path, f"it could not be scored: {type(error).__name__}: {error}")


def _scored(path: str, without: Sequence[str], gallery: "Gallery | None") -> Row:
    """Raises whatever a stranger's files and the eyes may raise."""
    from cabinet import trace as format_  # noqa: PLC0415  with the tally

    truth, visit = format_.read_truth(Path(path)), format_.read(Path(path))
    if visit.header.purpose != "shop":
        return Skipped(path, f"its purpose is {visit.header.purpose}: such a visit has no bill")
    if gallery is not None:
        from cabinet.cli.evaluate import rewatched  # noqa: PLC0415  OpenCV and a runtime

        try:
            visit = rewatched.rewatched(Path(path), visit, gallery)
        except rewatched.RewatchError as error:
            return Skipped(path, str(error))
    return _judged(path, visit, truth, without)


def _judged(path: str, visit: "Visit", truth: "Truth", without: Sequence[str]) -> Judged:
    from cabinet.basket import score  # noqa: PLC0415  with the tally
    from cabinet.basket.baselines.mps import mps  # noqa: PLC0415  numpy
    from cabinet.basket.baselines.weight_only import weight_only  # noqa: PLC0415  likewise
    from cabinet.basket.verdict import Review  # noqa: PLC0415  likewise

    verdict, failed, latency_ms = _verdict(visit, without)
    header, judged = visit.header, visit.judged()
    answers = {
        "tally": _of_the_tally(verdict, truth, header),
        "weight_only": _of_a_baseline(weight_only(judged), truth, header),
        "mps": _of_a_baseline(mps(judged), truth, header),
    }
    guess, said = score.guessed(verdict), score.stated(verdict)
    return Judged(
        path, truth.tags, header.currency, answers, latency_ms, said,
        verdict.account.confidence if said is None else said,
        guess == dict(truth.basket), _outcome(verdict),
        {str(sku): n for sku, n in truth.basket.items()}, {str(sku): n for sku, n in guess.items()},
        verdict.reason if isinstance(verdict, Review) else "", failed,
    )  # fmt: skip  # a row


def _verdict(visit: "Visit", without: Sequence[str]) -> "tuple[Verdict, bool, float]":
    """The daemon's own judgement and its milliseconds.  Where it raises: True, and a person is asked."""
    from cabinet.basket.baselines import ablation  # noqa: PLC0415  with the tally
    from cabinet.basket.policy import TallyPolicy  # noqa: PLC0415  likewise
    from cabinet.basket.verdict import Review  # noqa: PLC0415  likewise
    from cabinet.tallier import judge  # noqa: PLC0415  likewise

    policy, failed = TallyPolicy(), False
    began_s = time.perf_counter()
    judged = visit.judged()
    if "sight" in without:
        judged = ablation.without_sight(judged)
    if "learnt" in without:
        judged = ablation.without_learnt(judged)
    try:
        if "joint" in without:
            each = [judge(one, policy, complete=True) for one in ablation.alone(judged)]
            verdict = ablation.added(each, judged.header)
        else:
            verdict = judge(judged, policy, complete=True)
    except Exception as error:  # noqa: BLE001  a tally that raises is a finding, and is told as one
        verdict, failed = Review(f"the tally failed: {type(error).__name__}: {error}"), True
    return verdict, failed, 1000 * (time.perf_counter() - began_s)


def _outcome(verdict: "Verdict") -> str:
    from cabinet.tallier import outcome_of  # noqa: PLC0415  with the tally

    return outcome_of(verdict)


def _of_the_tally(verdict: "Verdict", truth: "Truth", header: "Header") -> Answer:
    from cabinet.basket import score  # noqa: PLC0415  with the tally
    from cabinet.basket.verdict import Review  # noqa: PLC0415  likewise

    label = score.score(verdict, truth).replace("-", "_")
    if not isinstance(verdict, Review):
        return _of_a_baseline(score.billed(verdict), truth, header)
    if truth.outcome == "review":
        return Answer(label, None, None)
    return Answer(label, score.units({}, truth), score.units(score.guessed(verdict), truth))


def _of_a_baseline(bill: "dict[Sku, int]", truth: "Truth", header: "Header") -> Answer:
    from cabinet.basket import score  # noqa: PLC0415  with the tally

    units = score.units(bill, truth)
    return Answer(score.score_bill(bill, truth), units, units, *score.money(bill, truth, header.catalog))
