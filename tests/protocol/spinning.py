"""Runs SPIN and its generated checker in a folder of the test's own.  It reads the models and never changes them."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
REPLAY = ("REPLAY", "CABINETS=2")
SEARCHES = ("-DT_RAND", "-DCOLLAPSE")  # the order of steps is thrown with a fixed seed: a fault is found far sooner
FOLLOWS = ("-O0",)  # one path: compiling takes longer than that
BITS = ("-DT_RAND", "-DBITSTATE")  # a state is two bits of its hash: what is seen is true, some may be left out
Steps = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search ended with; `violated` is the broken assertion, empty where there is none."""

    states: int
    violated: str
    complete: bool  # of a search in bits: as far as its hashes tell


def missing() -> str:
    """Why nothing can be checked here; empty where everything is there."""
    absent = [name for name in ("spin", "gcc") if shutil.which(name) is None]
    return f"not installed: {', '.join(absent)} (Debian packages of the same name)" if absent else ""


def build(folder: Path, model: str, *defines: str, how: Sequence[str] = SEARCHES) -> Path:
    """The checker `pan` of the model: one for all sizes and mutants, which it reads when it starts."""
    for source in [*HERE.glob("*.pml"), *HERE.glob("*.h")]:
        shutil.copy(source, folder)
    _run(["spin", *(f"-D{define}" for define in defines), "-o3", "-a", f"{model}.pml"], folder)
    _run(["gcc", "-O1", "-w", "-DSAFETY", "-DVECTORSZ=8192", *how, "-o", "pan", "pan.c"], folder)
    return folder / "pan"


def search(pan: Path, sizes: Mapping[str, int], *, memory_bits: int = 20) -> Found:
    """Every state that can be reached, or up to the first broken assertion."""
    told = {name: str(size) for name, size in sizes.items()}
    said = _run([str(pan), "-m400000", f"-w{memory_bits}"], pan.parent, told)
    states = re.search(r"(\d+) states, stored", said)
    broken = re.search(r"pan:\d+: (.*) \(at depth", said)
    complete = "Search not completed" not in said and "max search depth too small" not in said
    return Found(int(states[1]) if states else 0, broken[1].strip() if broken else "", complete)


def admitted(pan: Path, steps: Steps, folder: Path) -> tuple[int, str]:
    """How many steps of this log the model can take, and what an invariant said against it (empty: nothing)."""
    log = folder / "steps.log"
    log.write_text("".join(" ".join(map(str, [*step, *[0] * (8 - len(step))])) + "\n" for step in steps))
    said = _run([str(pan.resolve()), "-E", "-m100000", "-w16"], folder, {"CHARGE_LOG": str(log)})
    reached = re.search(r"admitted (\d+) of (\d+)", said)
    broken = re.search(r"pan:\d+: (.*) \(at depth", said)
    why = broken[1].strip() if broken else ""
    if reached is None or int(reached[2]) != len(steps):  # a word that is no number ends the log for the model
        raise AssertionError(said)
    whole = "complete_log" in why
    return (len(steps), "") if whole else (min(int(reached[1]), len(steps) - 1), why)


def _run(command: list[str], folder: Path, more: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(more or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    if done.returncode:
        raise AssertionError(f"{command[0]}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    return done.stdout
