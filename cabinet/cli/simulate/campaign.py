"""`cabinet sim campaign`: thousands of visits, misfortunes at random points, invariants checked after every step."""

import json as codec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cabinet.cli import show
from cabinet.cli.errors import BadInputError, RefusedError
from cabinet.cli.simulate.common import Mix, MixOption, Noise, SeedOption, progress, quiet, settings

if TYPE_CHECKING:
    from cabinet.proving.campaign import Report

KEEP_EVERY = 1000  # visits between two savings


def campaign(
    visits: Annotated[int, typer.Option("--visits", "-n", min=1, max=100_000_000, help="How many.")] = 1000,
    seed: SeedOption = 1,
    mix: MixOption = Mix.all,
    noise: Noise = 1.0,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="FILE", help="Save here every 1,000 visits, and go on from it.")
    ] = None,
    json: show.AsJson = False,
) -> None:
    """Let people come by the thousand, on virtual time, and check after every step that nothing forbidden happened.

    Exit code 1 on any violation. Each names the seed that `cabinet sim replay SEED` plays again step by step.
    """
    quiet()
    from cabinet.proving.campaign import run  # noqa: PLC0415  numpy, SQLite, the daemon

    report = _begun(keep, mix.value, seed, visits)
    if keep is not None:
        _save(keep, report)  # a file that cannot be written is refused before an hour's work
    try:
        with progress("visits", visits) as tell:
            for report in run(report, settings(noise)):  # noqa: B020  it is the same one, further on
                tell(report.visits, f"{len(report.violations)} violations")
                if keep is not None and report.visits % KEEP_EVERY == 0:
                    _save(keep, report)
    finally:
        if keep is not None:
            _save(keep, report)
    if json:
        show.as_json(report.as_dict())
    else:
        _print(report.as_dict())
    if report.violations:
        raise typer.Exit(1)


def _begun(keep: Path | None, mix: str, seed: int, visits: int) -> "Report":
    from cabinet.proving.campaign import Report  # noqa: PLC0415  numpy

    if keep is None or not keep.exists():
        return Report(mix, seed, visits)
    try:
        report = Report.from_dict(codec.loads(keep.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(f"--keep: {keep} is no campaign's file ({error!r})", "name another file") from error
    if (report.mix, report.seed) != (mix, seed):
        raise BadInputError(
            f"--keep: {keep} is of --mix {report.mix} --seed {report.seed}", "give the same, or name another file"
        )
    report.wanted = visits
    return report


def _save(keep: Path, report: "Report") -> None:
    partial = keep.with_name(keep.name + ".partial")
    try:
        partial.write_text(codec.dumps(report.as_dict()) + "\n", encoding="utf-8")
        partial.replace(keep)
    except OSError as error:
        raise RefusedError(f"--keep: {keep} cannot be written ({error.strerror})", "name another file") from error


def _print(report: dict[str, Any]) -> None:
    console = show.console()
    minutes = report["seconds"] / 60
    pace = f"{report['visits'] / minutes:,.0f} a minute" if minutes else "-"
    console.print(
        show.facts([
            ("visits", f"{report['visits']:,} ({report['mix']}, seed {report['seed']}), {pace}"),
            ("opened", f"{report['opened']:,}, in {report['steps']:,} steps"),
            ("violations", len(report["violations"])),
            ("outcomes", ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in report["outcomes"].items() if n)),
            ("faults", ", ".join(f"{name} {n:,}" for name, n in report["faults"].items()) or "none"),
            ("killed in", ", ".join(f"{state} {n:,}" for state, n in report["killed_in"].items()) or "none"),
            ("peak memory", f"{report['peak_rss_mb']:.0f} MB"),
        ])
    )  # fmt: skip  # a list
    rows = [(v["seed"], v["invariant"], v["step"], v["what"]) for v in report["violations"][:20]]
    if rows:
        console.print(show.table("Violations: cabinet sim replay SEED", ["seed>", "invariant", "step>", "what"], rows))
