"""Tells one story on a stage of its own, and says what came of it."""

import random
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from cabinet.basket.score import Truth
from cabinet.daemon import Happened
from cabinet.proving.notebook import AFTER_S
from cabinet.proving.overhearing import Overheard, overheard
from cabinet.proving.paying import PayingFarEnd
from cabinet.proving.player import Player
from cabinet.proving.recorded import Recorded
from cabinet.proving.stage import Settings, Stage
from cabinet.proving.watchman import Account, Violation, Watchman, outcome_of
from cabinet.sim import acts
from cabinet.sim.story import Story

FOLDERS = (Path("/dev/shm"), Path(tempfile.gettempdir()))  # noqa: S108  memory first: a simulated disk needs no real one


@dataclass(frozen=True, slots=True)
class Told:
    story: Story
    failures: tuple[str, ...]
    violations: tuple[Violation, ...]
    accounts: tuple[Account, ...]
    outcomes: tuple[str, ...]
    log: tuple[str, ...]
    traces: tuple[Recorded, ...] = field(default=(), repr=False)

    @property
    def right(self) -> bool:
        return not self.failures and not self.violations


class Log(list[str]):
    """The lines of a story, each said as it comes."""

    def __init__(self, say: Callable[[str], object] | None = None) -> None:
        super().__init__()
        self._say = say

    def append(self, line: str) -> None:
        super().append(line)
        if self._say is not None:
            self._say(line)

    def extend(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.append(line)


def tell(
    story: Story,
    seed: int = 1,
    settings: Settings | None = None,
    *,
    keep: bool = False,
    pace: float = 0.0,
    say: Callable[[str], object] | None = None,
) -> Told:
    """`keep`: the visits' traces too; `pace`: real seconds a virtual one takes; `say` hears each line of the log.

    Raises StoryError for the impossible.
    """
    folder = Path(tempfile.mkdtemp(prefix="story-", dir=next(f for f in FOLDERS if f.is_dir())))
    try:
        wanted = with_story(settings or Settings(caring=True, learning=True), story)
        reads = {line.act.what for line in story.lines if isinstance(line.act, acts.Expect)}
        with overheard() if "logs" in reads else nullcontext() as heard:
            return _tell(folder, story, seed, wanted, keep=keep, pace=pace, lines=Log(say), heard=heard)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tell(
    folder: Path, story: Story, seed: int, settings: Settings, *, keep: bool, pace: float, lines: "Log",
    heard: Overheard | None,
) -> Told:  # fmt: skip  # a list
    (folder / "traces").mkdir()
    stage = Stage(
        folder, story.plan, random.Random(seed), settings,
        watcher=lambda step: lines.extend(note([step])),
    )  # fmt: skip
    stage.far_end = PayingFarEnd(folder / "cloud.db", random.Random(seed), lambda: stage.time.now_s)
    stage.far_end.tapped, stage.heard = [], heard
    watchman = Watchman(stage)
    player = Player(stage, watchman, log=lines)
    stage.start()
    stage.time.pace = pace
    player.play(story)
    player.rest()
    if keep:
        stage.run_for(AFTER_S)
    watchman.finish_money(at_rest=False)
    stage.cabinet.close()
    stage.far_end.close()
    watchman.finish_visits()
    watchman.finish_books()
    accounts = tuple(watchman.accounts.values())
    truths = [truth_of(account, story) for account in accounts]
    outcomes = tuple(outcome_of(a, t) for a, t in zip(accounts, truths, strict=True))
    traces: list[Recorded] = []
    if keep:
        for account, truth, outcome in zip(accounts, truths, outcomes, strict=True):
            kept = stage.notebook.keep(account.visit, truth, outcome, stage.plan)
            traces += [] if kept is None else [kept]
    wrong, violations = tuple(player.failures), tuple(watchman.violations)
    return Told(story, wrong, violations, accounts, outcomes, tuple(lines), tuple(traces))


def with_story(settings: Settings, story: Story) -> Settings:
    """The cells as the story wants them: `with noise 2` scales all disturbances, `with drift 4` one of them."""
    physics = settings.physics
    for name, factor in story.settings.items():
        if name == "noise":
            physics = physics.scaled(factor)
        else:
            field_ = {"drift": "drift_g", "creep": "creep", "spikes": "spikes_per_hour", "slam": "slam_g"}[name]
            physics = replace(physics, **{field_: getattr(physics, field_) * factor})
    return replace(settings, physics=physics)


def note(steps: Iterable[Happened]) -> list[str]:
    """Each step that changed or ordered something, one line each, its time first."""
    lines = []
    for step in steps:
        before, after = type(step.before).__name__, type(step.after).__name__
        if before != after or step.effects:
            effects = ", ".join(_effect(effect) for effect in step.effects)
            lines.append(f"{step.at_s:9.2f}    {type(step.event).__name__}: {before} -> {after}  [{effects}]")
    return lines


def _effect(effect: object) -> str:
    details = [
        str(getattr(effect, name)) for name in ("outcome", "why", "notice", "reason") if getattr(effect, name, "")
    ]
    return type(effect).__name__ + (f" {' '.join(details)}" if details else "")


def truth_of(account: Account, story: Story) -> Truth:
    """What left, and what a careful person would have accepted: the last bill that the story expects says it."""
    bills = [line.act for line in story.lines if isinstance(line.act, acts.Expect) and line.act.what == "bill"]
    outcomes = set(bills[-1].outcomes) if bills else {"charge", "review"}
    outcome: Literal["charge", "review", "either"] = "charge"
    if "review" in outcomes:
        outcome = "review" if len(outcomes) == 1 else "either"
    basket = {sku: n for sku, n in account.left.items() if n > 0}
    return Truth(basket, outcome, account.moved, story.title, story.tags or (story.name,))
