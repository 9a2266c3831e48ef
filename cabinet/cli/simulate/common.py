"""What the simulator's commands share: options, quiet logs, progress on stderr."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cabinet.cli.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cabinet.proving.stage import Settings
    from cabinet.sim.story import Story

SAY_EVERY_S = 10.0  # on a stream that is no terminal
MOST_SEED = 2**40


class Mix(StrEnum):
    """Who comes."""

    honest = "honest"
    hostile = "hostile"
    faults = "faults"
    all = "all"


SeedOption = Annotated[int, typer.Option("--seed", "-s", min=0, max=MOST_SEED, help="Of all dice.")]
MixOption = Annotated[Mix, typer.Option("--mix", help="Who comes: honest people, frauds, misfortunes, or all of them.")]
Noise = Annotated[float, typer.Option("--noise", min=0.1, max=10.0, help="Factor of every disturbance of the cells.")]


def quiet() -> None:
    """The daemon's own log is thousands of lines a second here."""
    logging.disable(logging.CRITICAL)


def settings(noise: float, *, caring: bool = False) -> "Settings":
    from cabinet.proving.stage import Settings  # noqa: PLC0415  numpy
    from cabinet.sim.cells import Physics  # noqa: PLC0415  likewise

    return Settings(physics=Physics().scaled(noise), caring=caring, learning=caring)


@contextmanager
def progress(what: str, total: int) -> "Iterator[Callable[[int, str], None]]":
    """`tell(done, more)`: a bar on a terminal, else a line every ten seconds."""
    if sys.stderr.isatty():
        from rich import progress as bars  # noqa: PLC0415  0.1 s
        from rich.console import Console  # noqa: PLC0415  likewise

        columns = (
            bars.TextColumn(what), bars.BarColumn(), bars.MofNCompleteColumn(), bars.TimeRemainingColumn(),
            bars.TextColumn("{task.fields[more]}"),
        )  # fmt: skip  # a row
        with bars.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=total, more="")
            yield lambda done, more: bar.update(task, completed=done, more=more)
        return
    said_s = time.monotonic()

    def tell(done: int, more: str) -> None:
        nonlocal said_s
        if time.monotonic() - said_s >= SAY_EVERY_S:
            said_s = time.monotonic()
            typer.echo(f"{what}: {done:,} of {total:,} {more}", err=True)

    yield tell


def story_named(name: str) -> "tuple[Story, str]":
    """A file's, or one of the stories that come with the cabinet; and what to call it."""
    from cabinet.sim import story  # noqa: PLC0415  numpy
    from cabinet.sim.rehearsal import rehearse  # noqa: PLC0415  likewise

    path = Path(name)
    if not path.is_file():
        path = told_here() / f"{name.removesuffix('.story')}.story"
    if not path.is_file():
        raise BadInputError(f"STORY: {name} is neither a file nor one of ours", "cabinet sim stories lists ours")
    try:
        told = story.load(path)
        rehearse(told, path.name)
    except (story.StoryError, OSError) as error:
        raise BadInputError(str(error), "correct that line; cabinet/sim/README.md lists every sentence") from error
    return told, path.name


def told_here() -> Path:
    import cabinet.sim  # noqa: PLC0415  light, but only needed here

    return Path(str(cabinet.sim.__file__)).parent / "stories"
