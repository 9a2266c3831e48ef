"""`cabinet sim play` and `cabinet sim replay`: one story, or one visit of a campaign, step by step."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cabinet.cli import show
from cabinet.cli.errors import RefusedError
from cabinet.cli.simulate.common import Noise, SeedOption, quiet, settings, story_named

Depth = Literal["fast", "true"]


def play(
    story: Annotated[str, typer.Argument(metavar="STORY", help="A .story file, or the name of one of ours.")],
    depth: Annotated[
        Depth,
        typer.Option("--depth", help="fast: on virtual time; true: firmware, streams, broker, daemon as processes."),
    ] = "fast",
    seed: SeedOption = 1,
    noise: Noise = 1.0,
    pace: Annotated[float, typer.Option("--pace", min=0, max=10, help="Real seconds a virtual one takes.")] = 0.0,
    json: show.AsJson = False,
) -> None:
    """Tell one story and show everything that happens. Exit code 1 where it does not end as it says."""
    told, name = story_named(story)
    quiet()
    if depth == "true":
        _play_true(name, told, as_json=json)
        return
    from cabinet.proving.telling import tell  # noqa: PLC0415  numpy, SQLite, the daemon

    say = None if json or not pace else typer.echo
    ended = tell(told, seed, settings(noise, caring=True), pace=pace, say=say)
    data = {
        "story": name, "title": told.title, "right": ended.right, "later": told.later, "failures": list(ended.failures),
        "violations": [f"{v.invariant}: {v.what}" for v in ended.violations], "outcomes": list(ended.outcomes),
        "log": list(ended.log),
    }  # fmt: skip  # a table
    if json:
        show.as_json(data)
    else:
        if say is None:
            typer.echo("\n".join(ended.log))
        if told.later:
            typer.secho(f"it waits for something: {told.later}", fg="yellow")
        _conclude([*ended.failures, *(f"{v.invariant}: {v.what}" for v in ended.violations)], ", ".join(ended.outcomes))
    if not ended.right:
        raise typer.Exit(1)


def _play_true(name: str, told: object, *, as_json: bool) -> None:
    import tempfile  # noqa: PLC0415  only here

    from cabinet.cli.demo.goods import photographs  # noqa: PLC0415  OpenCV
    from cabinet.cli.demo.telling import tell_true  # noqa: PLC0415  likewise

    with tempfile.TemporaryDirectory(prefix="cabinet-") as folder:
        try:
            ended = tell_true(told, Path(folder), photos=photographs(), say=(lambda _: None) if as_json else typer.echo)  # type: ignore[arg-type]  # a Story, imported late
        except (TimeoutError, RuntimeError, OSError) as error:
            raise RefusedError(str(error), "the processes could not be started: make setup") from error
    if as_json:
        show.as_json(
            {
                "story": name,
                "right": not ended.failures,
                "failures": ended.failures,
                "log": ended.log,
                "visits": ended.shown,
            }
        )
    else:
        _conclude(ended.failures, "")
    if ended.failures:
        raise typer.Exit(1)


def replay(
    seed: Annotated[int, typer.Argument(metavar="SEED", min=0, help="As a campaign named it.")],
    noise: Noise = 1.0,
    json: show.AsJson = False,
) -> None:
    """Play one visit of a campaign again, step by step. Exit code 1 where an invariant is violated."""
    quiet()
    from cabinet.proving.campaign import Ground, Seed  # noqa: PLC0415  numpy, SQLite, the daemon

    with Ground(settings(noise), keep_log=True) as ground:
        ended = ground.play(Seed.read(seed))
    wrong = [
        {"invariant": v.invariant, "step": v.step, "at_s": round(v.at_s, 2), "what": v.what} for v in ended.violations
    ]
    if json:
        show.as_json({
            "seed": seed, "kind": ended.seed.kind, "tags": ended.script.tags, "story": ended.script.lines,
            "violations": wrong, "outcomes": ended.outcomes, "log": ended.log,
        })  # fmt: skip  # a table
    else:
        typer.echo(f"seed {seed}: {', '.join(ended.script.tags)}\n")
        typer.echo("\n".join(f"    {line}" for line in ended.script.lines) + "\n")
        typer.echo("\n".join(ended.log))
        _conclude([f"{w['invariant']}: {w['what']}" for w in wrong], ", ".join(ended.outcomes))
    if wrong:
        raise typer.Exit(1)


def _conclude(wrong: list[str], outcomes: str) -> None:
    typer.echo("")
    for what in wrong:
        typer.secho(f"✗ {what}", fg="red")
    if not wrong:
        show.done(f"as it should be ({outcomes})" if outcomes else "as it should be")
