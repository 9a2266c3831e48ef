"""Labelled sets: simulated visits as traces on disk, each with its truth and what the tally said."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from cabinet import trace
from cabinet.basket.evidence import Visit
from cabinet.proving.campaign import Ground, Mix, Seed
from cabinet.proving.recorded import Recorded
from cabinet.proving.stage import Settings


def labelled(
    out: Path, mix: Mix, wanted: int, seed: int, settings: Settings, *, frames: bool
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Write so many shoppers' visits under `out`, each in a folder named by its id; yields outcome and tags of each.

    With `frames`, photographs of the products for the recogniser too, in out/gallery/SKU/.
    Raises OSError.
    """
    written = 0
    with Ground(settings, keep_traces=True) as ground:
        for place in count():
            ended = ground.play(Seed.of(seed, place, mix))
            for told in ended.traces:
                if told.visit.header.purpose != "shop":
                    continue
                folder = out / told.visit.header.visit
                trace.write(folder, _placed(told) if frames else told.visit, told.truth)
                if told.verdict is not None:
                    trace.write_tally(folder, told.verdict, {"complete": told.complete})
                if frames:
                    _render(folder, told)
                    _photograph(out, told)
                yield told.outcome, told.truth.tags
                written += 1
                if written == wanted:
                    return


def _placed(told: Recorded) -> Visit:
    from cabinet.proving.frames import placed  # noqa: PLC0415  OpenCV, where frames are wanted

    return placed(told)


def _render(folder: Path, told: Recorded) -> None:
    from cabinet.proving.frames import render  # noqa: PLC0415  likewise

    render(folder, told)


def _photograph(out: Path, told: Recorded) -> None:
    from cabinet.proving.gallery import NAME, photograph  # noqa: PLC0415  likewise

    photograph(out / NAME, told.plan.wares)
