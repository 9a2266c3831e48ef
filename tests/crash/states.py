"""Every state a power cut could leave, one after the other on a small disk in memory, and what is wrong in each."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.crash.bed import Bed
from tests.crash.disk import Choice, Disk, Files, choices, held
from tests.crash.facts import facts_of
from tests.crash.oracle import Found, History, judge, judge_traces, look
from tests.crash.record import Held, Op, Said, Sync

MOST_KEPT: Final = 20  # findings told in full


@dataclass(frozen=True, slots=True)
class Effort:
    """How many of the possible states are looked at."""

    drawn: int = 6  # random subsets at each place
    tears: int = 4  # torn writes at each place
    each: int | None = None  # at most so many states at each place; None: all
    seed: int = 1
    part: int = 0  # of `parts`: this worker's places
    parts: int = 1


@dataclass
class Report:
    states: Counter[str] = field(default_factory=Counter)  # by kind of choice
    bad: Counter[str] = field(default_factory=Counter)  # by invariant
    lost: list[tuple[int, Choice]] = field(default_factory=list)  # ledgers that had forgotten what was published
    told: list[tuple[int, Choice, Found]] = field(default_factory=list)
    commits: int = 0

    @property
    def total(self) -> int:
        return self.states.total()

    def add(self, at: int, choice: Choice, kind: str, found: Sequence[Found]) -> None:
        self.states[kind] += 1
        self.bad.update({one.invariant for one in found})
        if any(one.invariant == "I8" for one in found):
            self.lost.append((at, choice))
        self.told += [(at, choice, one) for one in found[: MOST_KEPT - len(self.told)]]


def history_of(ops: Sequence[Op], bed: Bed) -> History:
    """The ledger after each sync, as what is certainly there says."""
    disk, history = Disk("ledger.db", believing=True), History()
    history.note(-1, look(bed.lay({}) / "ledger.db"))
    for at, op in enumerate(ops):
        if (disk.step(at, op) and isinstance(op, Sync) and disk.names) or isinstance(op, Held):
            history.note(at, look(bed.lay(dict(held(disk))) / "ledger.db"))
    return history


def enumerate_states(ops: Sequence[Op], effort: Effort) -> Report:
    """Each state once: the same bytes under the same knowledge are not looked at again."""
    report, dice = Report(), random.Random(effort.seed)
    known = facts_of(ops)
    ledger, traces = Disk("ledger.db"), Disk("traces/")
    seen: set[tuple[object, ...]] = set()
    sound: set[tuple[object, ...]] = set()
    with Bed() as bed:
        history = history_of(ops, bed)
        report.commits = len(history.commits)
        for at, op in enumerate(ops):
            moved = {disk.group: disk.step(at, op) for disk in (ledger, traces)}
            if at % effort.parts != effort.part:
                continue
            now = at + 1
            facts = [fact for since, fact in known if since < now]
            for disk in (ledger, traces):
                if not moved[disk.group] and not (isinstance(op, Said) and disk is ledger):
                    continue
                for choice in _chosen(disk, dice, effort):
                    place = (disk.group, disk.syncs, choice.kept, choice.torn, len(facts))
                    if place in seen:
                        continue
                    seen.add(place)
                    files, allowed = disk.after(choice), history.allowed(now)
                    if disk is ledger:
                        found = judge(bed.lay(files) / "ledger.db", allowed, facts)
                    else:
                        found = judge_traces(files, bed, allowed, sound)
                    report.add(at, choice, f"{disk.group.rstrip('/')} {choice.kind}", found)
    return report


def files_after(ops: Sequence[Op], at: int, choice: Choice) -> Files:
    """The ledger's files in one state of a report."""
    disk = Disk("ledger.db")
    for place, op in enumerate(ops[: at + 1]):
        disk.step(place, op)
    return disk.after(choice)


def _chosen(disk: Disk, dice: random.Random, effort: Effort) -> Iterator[Choice]:
    found = list(choices(disk, dice, effort.drawn, effort.tears))
    if effort.each is None or len(found) <= effort.each:
        yield from found
    else:
        yield from dice.sample(found, effort.each)
