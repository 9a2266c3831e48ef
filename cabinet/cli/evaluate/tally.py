"""`cabinet eval tally`: how often the whole bill is right, on traces whose truth is known.  Needs no daemon.

Judges as the daemon does, always beside two baselines on the same traces.  Changes no trace.
"""

import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cabinet.cli import show
from cabinet.cli.errors import RefusedError

if TYPE_CHECKING:
    from cabinet.cli.evaluate.tally_sums import Evaluation
    from cabinet.vision.gallery import Gallery


class Sense(StrEnum):
    """What can be taken from the tally."""

    sight = "sight"
    joint = "joint"
    learnt = "learnt"


def tally(
    traces: Annotated[
        list[Path], typer.Argument(metavar="TRACES...", help="Trace folders, .tar files, or folders of such.")
    ],
    picture: Annotated[Path | None, typer.Option("--picture", metavar="PNG", help="Draw it all on one page.")] = None,
    results: Annotated[
        Path | None,
        typer.Option("--results", metavar="FOLDER", help="Write results.md, figures.json and pictures, over old ones."),
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, max=256, help="Processes; default: one a core.")] = None,
    without: Annotated[
        list[Sense] | None, typer.Option("--without", help="Take this from the tally (ablation). May be repeated.")
    ] = None,
    frames: Annotated[
        Path | None,
        typer.Option("--frames", metavar="GALLERY", help="See with our own eyes: stills, and GALLERY/SKU/*.jpg."),
    ] = None,
    named: Annotated[bool, typer.Option("--list", help="Name the wrong visits, at most 200.")] = False,
    json: show.AsJson = False,
) -> None:
    """Score the tally on visits whose truth is known: whole bills, items, money, calibration and time.

    Each visit gets exactly one of six labels, so they sum to `visits`: exact (bill = truth), over (a SKU charged beyond
    it), under (short of it), swap (both), review (a person was asked, which the truth accepts), wrong_review (a person
    was asked although the truth says charge). sent_to_person = review + wrong_review; overcharged = over + swap;
    undercharged = under + swap. Shares have Wilson 95 % intervals.

    Precision, recall and F1 are over all units billed at the end of the visits; a visit sent to a person billed
    nothing, and is left out where the truth says review. f1_with_guess takes a review's best guess for its answer;
    f1_mean is the mean of the visits' own. Money is in the currency's minor unit per 1,000 visits. Brier and
    reliability are of the verdicts that state a confidence; brier_all asks each review's best guess too.

    latency_ms runs from the last event in hand to the verdict, on all cores at once: use --jobs 1 for a clean figure.
    --without sight drops what the cameras saw, learnt the masses' learnt spread, joint judges each zone as if alone.

    --frames takes the sightings from each trace's own stills and clips instead of those written in it; GALLERY holds
    photographs of the products, as `cabinet sim traces --frames` writes them.

    A trace that cannot be read, has no truth, is no shopping visit, or (--frames) has no stills, is named under
    `skipped`.
    """
    from cabinet.cli.evaluate import tally_telling, tally_traces  # noqa: PLC0415  only where it is asked for

    left_out = sorted(set(without or ()))
    paths = tally_traces.find(traces)
    gallery = None
    if frames is not None:
        from cabinet.cli.evaluate.rewatched import gallery_in  # noqa: PLC0415  OpenCV and a runtime

        gallery = gallery_in(frames)
    seen = _judge(paths, left_out, jobs or len(os.sched_getaffinity(0)), gallery)
    if not seen.visits:
        first = f"{seen.skipped[0]['path']}: {seen.skipped[0]['why']}" if seen.skipped else "no trace was found"
        raise RefusedError(
            f"none of {len(paths)} traces can be scored; {first}", "each needs visit.json, events.jsonl and truth.json"
        )
    answer = seen.answer(left_out)
    if frames is not None:
        answer["frames"] = str(frames)
    if picture is not None or results is not None:
        from cabinet.cli.evaluate import tally_drawing  # noqa: PLC0415  matplotlib takes a second

        if picture is not None:
            tally_drawing.draw_page(answer, picture)
        if results is not None:
            tally_telling.write_results(answer, results, tally_drawing.draw_each)
    if json:
        show.as_json(answer)
    else:
        tally_telling.show_all(answer, named=named)


def _judge(paths: Sequence[str], without: Sequence[str], jobs: int, gallery: "Gallery | None") -> "Evaluation":
    from cabinet.cli.evaluate.tally_sums import Evaluation  # noqa: PLC0415  likewise
    from cabinet.cli.evaluate.tally_traces import judge_all  # noqa: PLC0415  likewise
    from cabinet.cli.simulate.common import progress  # noqa: PLC0415  likewise

    seen = Evaluation()
    with progress("traces", len(paths)) as tell:
        for done, row in enumerate(judge_all(paths, without, jobs, gallery), 1):
            seen.add(row)
            if seen.visits:
                tell(done, f"{seen.all['tally'].labels['exact'] / seen.visits:.1%} exact, {seen.skipped_count} skipped")
    return seen
