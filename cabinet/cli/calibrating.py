"""The guided calibration: what to put on the shelf, waiting until it is still, and the verdict with its figures.

The board judges.  Whatever ends this early tells the daemon, so that it does not wait for a technician who has left.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from cabinet.cli import asking, show
from cabinet.cli.errors import BadInputError, CliError, RefusedError

if TYPE_CHECKING:
    from rich.console import RenderableType

RETRY_S = 0.5  # between two attempts while something still swings
LEAST_G, MOST_G = 50.0, 200_000.0  # the board's own bounds
NEAREST: Final = 0.75  # the lighter mass is at most so much of the heavier; likewise
RESIDUAL_SHARE, LEAST_RESIDUAL_G = 0.005, 2.0  # likewise

Data = dict[str, Any]


def steadily(path: Path, op: str, asked: Data, wait_s: float) -> Data:
    """One step, again and again while the board says that the shelf is not still.  Raises RefusedError."""
    until_s = time.monotonic() + wait_s
    with _progress() as say:
        while True:
            data = show.ask(path, op, **asked)
            left_s = until_s - time.monotonic()
            if data.get("ok"):
                return data
            if data.get("answer") != "not steady" or left_s <= 0:
                raise RefusedError(f"{asked['zone']}: {data.get('answer')}: {data.get('why')}", str(data.get("remedy")))
            say(f"{asked['zone']} is not still yet: {data.get('noise_counts')} counts rms, {left_s:.0f} s left")
            time.sleep(min(RETRY_S, left_s))


def one_step(path: Path, zone: str, step: str, mass_g: float | None, wait_s: float) -> Data:
    """For scripts: no questions.  Raises RefusedError."""
    if step in {"1", "2"} and mass_g is None:
        raise BadInputError(f"--mass: --step {step} wants the grams that lie there", f"--step {step} --mass 1000")
    if step not in {"1", "2"} and mass_g is not None:
        raise BadInputError(f"--mass: --step {step} has no mass", "leave it out")
    if mass_g is not None:
        one_mass(str(mass_g))
    match step:
        case "tare":
            return steadily(path, "scale.tare", {"zone": zone, "then": "calibrate"}, wait_s)
        case "fit":
            return steadily(path, "scale.calibrate", {"zone": zone}, 0.0)
        case "cancel":
            return show.ask(path, "scale.cancel", zone=zone)
        case _:
            return steadily(path, "scale.point", {"zone": zone, "slot": int(step), "mass_g": mass_g}, wait_s)


def guided(path: Path, zone: str, masses: str | None, wait_s: float, *, as_json: bool) -> None:
    """Ask, wait, judge, show.  Raises RefusedError with figures and remedy where the board refuses."""
    given = None if masses is None else _both(masses)
    (old,) = show.ask(path, "scale.show", zone=zone)["zones"]
    told: Data = {"zone": zone, "old": _brief(old), "points": []}
    with _or_cancel(path, zone):
        asking.ready(f"1/3  Empty {zone}, and let nothing touch it.")
        told["tare"] = steadily(path, "scale.tare", {"zone": zone, "then": "calibrate"}, wait_s)
        for slot in (1, 2):
            which = "first" if slot == 1 else "second"
            mass_g = given[slot - 1] if given else _typed(f"{slot + 1}/3  The {which} mass, in grams:")
            asking.ready(f"{slot + 1}/3  Put {mass_g:g} g on {zone}, in the middle, and nothing else.")
            point = steadily(path, "scale.point", {"zone": zone, "slot": slot, "mass_g": mass_g}, wait_s)
            told["points"].append({"mass_g": mass_g, **point})
        fit = told["fit"] = show.ask(path, "scale.calibrate", zone=zone)
    told["limit_g"] = max(LEAST_RESIDUAL_G, RESIDUAL_SHARE * max(point["mass_g"] for point in told["points"]))
    told["ok"], told["new"] = bool(fit.get("ok")), _brief(fit)
    if as_json:
        show.as_json(told)
    else:
        show.console().print(_picture(told))
    if not told["ok"]:
        raise RefusedError(f"{zone}: {fit.get('answer')}: {fit.get('why')}; the old line stays", str(fit.get("remedy")))
    if not as_json:
        show.done(f"{zone} is calibrated; take the mass off")


@contextlib.contextmanager
def _or_cancel(path: Path, zone: str) -> Iterator[None]:
    try:
        yield
    except (CliError, KeyboardInterrupt):
        with contextlib.suppress(CliError):  # what ended it is the one to tell
            show.ask(path, "scale.cancel", zone=zone)
        raise


def _both(typed: str) -> tuple[float, float]:
    """From "1000,5000" to both grams."""
    parts = [part for part in re.split(r"[,;\s]+", typed.strip()) if part]
    if len(parts) != 2:
        raise BadInputError(f"--masses: {typed!r} is not two masses", "write grams, such as --masses 1000,5000")
    first, second = one_mass(parts[0]), one_mass(parts[1])
    if min(first, second) > NEAREST * max(first, second):
        raise BadInputError(
            f"--masses: {first:g} g and {second:g} g are too near", "the lighter is at most three quarters of the other"
        )
    return first, second


def one_mass(typed: str) -> float:
    try:
        mass_g = float(typed)
    except ValueError:
        mass_g = float("nan")
    if not LEAST_G <= mass_g <= MOST_G:
        raise BadInputError(f"a mass of {typed!r}", f"{LEAST_G:g} to {MOST_G:,.0f}, in grams, such as 1000")
    return mass_g


def _typed(question: str) -> float:
    """Asks again after what is no mass."""
    while True:
        try:
            return one_mass(asking.grams(question))
        except BadInputError as error:
            show.complain(error)


def _brief(one: Data) -> Data:
    return {"zero_counts": one.get("zero_counts"), "counts_per_g": one.get("counts_per_g")}


def _picture(told: Data) -> "RenderableType":
    tare, fit, old, new = told["tare"], told["fit"], told["old"], told["new"]
    zero, span = tare["mean_counts"], _line_through(told)
    rows: list[tuple[object, ...]] = [("empty", "0 g", tare["mean_counts"], tare["noise_counts"], "0.0 g", "")]
    for name, point in zip(("first mass", "second mass"), told["points"], strict=True):
        reads_g = (point["mean_counts"] - zero) / span if span else None
        off = "-" if reads_g is None else f"{reads_g - point['mass_g']:+.1f} g"
        reads = "-" if reads_g is None else f"{reads_g:,.1f} g"
        rows.append((name, f"{point['mass_g']:g} g", point["mean_counts"], point["noise_counts"], reads, off))
    columns = ["step", "mass>", "counts>", "noise, counts rms>", "on the line>", "off>"]
    verdict = show.text("accepted", "bold green") if told["ok"] else show.text("REFUSED", "bold red")
    facts: list[tuple[str, object]] = [
        ("residual", f"{fit['residual_g']:+.2f} g, allowed ±{told['limit_g']:.2f} g"),
        ("zero", f"{old['zero_counts']} → {new['zero_counts']} counts"),
        ("span", f"{_span(old['counts_per_g'])} → {_span(new['counts_per_g'])}{_change(old, new)}"),
        ("verdict", verdict),
    ]
    return show.group([show.table(f"Calibration of {told['zone']}", columns, rows), show.facts(facts)])


def _line_through(told: Data) -> float | None:
    """Counts a gram through zero and the heavier mass, as the board lays it."""
    heavier = max(told["points"], key=lambda point: float(point["mass_g"]))
    counts = heavier["mean_counts"] - told["tare"]["mean_counts"]
    return counts / heavier["mass_g"] if counts else None


def _span(value: object) -> str:
    return f"{value:.3f} counts a gram" if isinstance(value, int | float) else "none"


def _change(old: Data, new: Data) -> str:
    before, after = old["counts_per_g"], new["counts_per_g"]
    return f" ({after / before - 1:+.2%})" if before and after else ""


@contextlib.contextmanager
def _progress() -> Iterator[Any]:
    """One line that changes on a terminal; the first word of it elsewhere.  On stderr."""
    import sys  # noqa: PLC0415  # for this alone

    with contextlib.ExitStack() as stack:
        status: Any = None
        said = False

        def say(text: str) -> None:
            nonlocal status, said
            if sys.stderr.isatty():
                from rich.console import Console  # noqa: PLC0415  # rarely needed

                status = status or stack.enter_context(Console(stderr=True).status(text))
                status.update(text)
            elif not said:
                typer.echo(text, err=True)
            said = True

        yield say
