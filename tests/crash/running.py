"""How tests ask for lives: jobs to a process of their own, results back; and records of one life to enumerate."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.crash import straces
from tests.crash.bed import FOLDERS
from tests.crash.lives import Job, Result
from tests.crash.record import Op, ops_of
from tests.crash.variants import Variant

ROOT = Path(__file__).parents[2]
EACH_S = 20.0  # a life takes a tenth of a second where nobody else wants the core
CHANGING = ("pwrite64", "write", "fdatasync", "ftruncate", "unlink", "openat", "sendto")


def need_strace() -> None:
    why = straces.trouble()
    if why is not None:
        pytest.skip(f"crash states need strace: {why}")


def run(jobs: Iterable[Job], *, within: Sequence[str] = ()) -> list[Result]:
    """In one process, one after the other.  `within`: a command that runs a command."""
    jobs = list(jobs)
    asked = "".join(json.dumps(asdict(job)) + "\n" for job in jobs)
    with tempfile.TemporaryDirectory(prefix="lives-", dir=next(f for f in FOLDERS if f.is_dir())) as base:
        words = [*within, sys.executable, "-m", "tests.crash.lives", base]
        done = subprocess.run(
            words, input=asked, capture_output=True, text=True, cwd=ROOT, timeout=60 + EACH_S * len(jobs), check=False
        )
    results = [Result(**json.loads(line)) for line in done.stdout.splitlines()]
    assert len(results) == len(jobs), f"{len(results)} of {len(jobs)} lives: {done.stderr[-2000:]}"
    return results


def every(
    counts: dict[str, int],
    names: Iterable[str],
    what: str,
    *,
    step: int = 1,
    lasting: bool = False,
    variant: Variant = "",
) -> list[Job]:
    """One job for each `step`-th call of each name; `what` befalls it, and all later ones if it is lasting."""
    calls = [(name, k) for name in names for k in range(1, counts.get(name, 0) + 1)]
    last = "+" if lasting else ""
    return [
        Job(f"{name} {k}{last} {what}", ("-e", f"inject={name}:{what}:when={k}{last}"), variant, lasting)
        for name, k in calls[::step]
    ]


def counted() -> dict[str, int]:
    """How often one undisturbed life makes each call."""
    (plain,) = run([Job("plain")])
    assert (plain.ended, plain.found, plain.outcomes) == ("ended", [], ["charge"])
    return plain.calls


def recorded(folder: Path, job: Job) -> list[Op]:
    """The record of one life; the ledger as it ended lies in the folder."""
    (result,) = run([replace(job, keep=str(folder))])
    assert result.ended == "ended", result
    held = {"ledger.db": (folder / "stocked.db").read_bytes()}
    return ops_of([straces.read(folder / "strace")], Path((folder / "where").read_text()), held)
