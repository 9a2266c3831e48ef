"""`cabinet sim stories`: every scenario and every peer's fault, each a story with its expected end, in one table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cabinet.cli import show
from cabinet.cli.simulate.common import Noise, progress, quiet, settings, story_named, told_here

if TYPE_CHECKING:
    from cabinet.sim.story import Story

COLOURS = {"pass": "green", "FAIL": "red", "later": "yellow"}


def stories(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[STORY]...", help="Files or names; default: all of ours.")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=1000, help="Tell each with so many seeds.")] = 1,
    noise: Noise = 1.0,
    json: show.AsJson = False,
) -> None:
    """Tell the stories; say of each whether it ended as it must. Exit code 1 if one that can pass does not.

    `later`: it needs what the cabinet does not have yet; the reason stands beside it.
    """
    quiet()
    wanted = names or sorted(path.stem for path in Path(told_here()).glob("*.story"))
    told = [story_named(name) for name in wanted]
    rows: list[dict[str, Any]] = []
    with progress("stories", len(told)) as tell:
        for story, file in told:
            rows.append(_judge(story, file, seeds, noise))
            tell(len(rows), story.title)
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in COLOURS}
    if json:
        show.as_json({"stories": rows, **counts})
    else:
        cells = [_cells(row) for row in rows]
        columns = ["story", "scenario", "what happens", "verdict", "outcome", "why"]
        show.console().print(show.table("Stories", columns, cells))
        show.console().print(f"{counts['pass']} pass, {counts['FAIL']} fail, {counts['later']} later")
    if counts["FAIL"]:
        raise typer.Exit(1)


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    verdict = show.text(row["verdict"], COLOURS[row["verdict"]])
    return (
        row["story"], ", ".join(row["scenarios"]), row["title"], verdict, "; ".join(row["outcomes"]), row["why"],
    )  # fmt: skip  # a row


def _judge(story: "Story", file: str, seeds: int, noise: float) -> dict[str, Any]:
    from cabinet.proving.telling import tell  # noqa: PLC0415  numpy, SQLite, the daemon

    wrong: list[str] = []
    outcomes: list[str] = []
    for seed in range(1, seeds + 1):
        ended = tell(story, seed, settings(noise, caring=True))
        outcomes += [outcome for outcome in ended.outcomes if outcome not in outcomes]
        found = [*ended.failures, *(f"{v.invariant}: {v.what}" for v in ended.violations)]
        wrong += [f"seed {seed}: {what}" if seeds > 1 else what for what in found]
    verdict = "later" if story.later else "FAIL" if wrong else "pass"
    return {
        "story": file.removesuffix(".story"), "scenarios": list(story.scenarios), "title": story.title,
        "verdict": verdict, "outcomes": outcomes, "why": story.later or "; ".join(wrong[:3]), "failures": wrong,
    }  # fmt: skip  # a table
