"""`cabinet sim traces`: simulated visits in the trace format, each with its truth."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from cabinet.cli import show
from cabinet.cli.errors import BadInputError, RefusedError
from cabinet.cli.simulate.common import Mix, MixOption, Noise, SeedOption, progress, quiet, settings


def traces(
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="A folder, new or empty; one folder a visit is made in it.")
    ],
    mix: MixOption = Mix.honest,
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=1_000_000, help="How many visits.")] = 100,
    seed: SeedOption = 1,
    frames: Annotated[
        bool, typer.Option("--frames", help="Stills of every interior camera too, and OUT/gallery of the goods.")
    ] = False,
    noise: Noise = 1.0,
    json: show.AsJson = False,
) -> None:
    """Write visits as the daemon records them, with truth.json and what the tally said (tally.json).

    The same seed writes the same traces. Visits that were refused at the door leave no trace and are not counted.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInputError(f"OUT: {out} is there and not empty", "name another folder, or empty it")
    quiet()
    from cabinet.proving.traces import labelled  # noqa: PLC0415  numpy, SQLite, the daemon

    outcomes: Counter[str] = Counter()
    tags: Counter[str] = Counter()
    try:
        out.mkdir(parents=True, exist_ok=True)
        with progress("traces", count) as tell:
            for written, (outcome, its_tags) in enumerate(
                labelled(out, mix.value, count, seed, settings(noise), frames=frames), 1
            ):
                outcomes[outcome] += 1
                tags.update(its_tags)
                tell(written, "")
    except OSError as error:
        raise RefusedError(f"OUT: {out}: {error.strerror or error}", "is the disk full?") from error
    data: dict[str, Any] = {
        "folder": str(out), "traces": outcomes.total(), "mix": mix.value, "seed": seed, "frames": frames,
        "outcomes": dict(sorted(outcomes.items())), "tags": dict(sorted(tags.items())),
    }  # fmt: skip  # a table
    if json:
        show.as_json(data)
        return
    show.done(f"{data['traces']} traces in {out}")
    show.console().print(show.facts([("outcomes", _told(outcomes)), ("tags", _told(tags))]))


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counts.most_common())
