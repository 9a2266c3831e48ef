"""`cabinet scale`: what the cells weigh and how still they are, their zero, and their calibration."""

import json as json_text
import math
import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from cabinet.cli import asking, calibrating, plot, show, words
from cabinet.cli.client import Client
from cabinet.cli.errors import BadInputError
from cabinet.cli.place import ConfigFile, SocketPath, socket_of

if TYPE_CHECKING:
    from rich.console import RenderableType

POLL_S: Final = 0.5
KEPT: Final = 600  # values of a curve: a minute
LEAST_SPAN_G: Final = 5.0  # a curve is at least so high
ROWS: Final = 3

_STEPS: Final = {
    "tare": "the zero is taken, next --step 1 --mass G",
    "1": "the first mass is taken, next --step 2 --mass G",
    "2": "the second mass is taken, next --step fit",
    "fit": "calibrated",
    "cancel": "given up, nothing of the masses is kept",
}

Zone = Annotated[str, typer.Argument(metavar="ZONE", help="The shelf's id: cabinet status")]
AnyZone = Annotated[str | None, typer.Argument(metavar="[ZONE]", help="Only this shelf; default: all.")]
Seconds = Annotated[float | None, typer.Option("--seconds", min=0.1, help="Stop after so long; default: at Ctrl-C.")]
Wait = Annotated[float, typer.Option("--wait", min=0, max=300, help="Seconds to wait until the shelf is still.")]

app = typer.Typer(no_args_is_help=True, help="Load cells: look, tare, calibrate with two known masses.")


@app.command("show", epilog="Example: cabinet scale show s1")
def show_scales(
    zone: AnyZone = None, config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False
) -> None:
    """Every zone: mass, noise, rate, bad samples, zero and span."""
    data = show.ask(socket_of(config, socket), "scale.show", zone=zone)
    if json:
        show.as_json(data)
        return
    rows = [
        (
            one.get("zone"), one.get("channel"), _g(one.get("g")), _noise(one.get("noise_g")), _hz(one.get("hz")),
            words.percent(one.get("bad_share")), one.get("zero_counts"), _span(one.get("counts_per_g")),
            one.get("trouble") or "in order",
        )
        for one in data.get("zones", [])
    ]  # fmt: skip  # a row
    columns = ["zone", "channel>", "now>", "noise>", "rate>", "bad>", "zero counts>", "counts a gram>", "state"]
    show.console().print(show.table("Scales", columns, rows))


@app.command("tare", epilog="Example: cabinet scale tare s1")
def tare(
    zone: Zone,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask: the shelf is empty.")] = False,
    wait: Wait = 20.0,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Take what the empty shelf shows as its zero. Refused while a visit is open; nothing is sold meanwhile."""
    path = socket_of(config, socket)
    (before,) = show.ask(path, "scale.show", zone=zone)["zones"]
    question = f"{zone} shows {_g(before.get('g'))}. Is it empty, and does nothing touch it?"
    asking.sure(question, yes=yes, nothing="nothing was tared")
    data = calibrating.steadily(path, "scale.tare", {"zone": zone}, wait)
    if json:
        show.as_json({**data, "before_zero_counts": before.get("zero_counts")})
    else:
        old, new = before.get("zero_counts"), data.get("zero_counts")
        show.done(f"{zone}: zero is {new} counts (was {old}), noise {_noise(data.get('board_noise_g'))}")


@app.command("calibrate", epilog="Example: cabinet scale calibrate s1 --masses 1000,5000")
def calibrate(
    zone: Zone,
    masses: Annotated[
        str | None, typer.Option("--masses", metavar="G,G", help="Both known masses in grams; default: it asks.")
    ] = None,
    step: Annotated[
        Literal["tare", "1", "2", "fit", "cancel"] | None,
        typer.Option("--step", help="One step and no questions, for scripts: tare, 1, 2, fit; or cancel."),
    ] = None,
    mass: Annotated[float | None, typer.Option("--mass", metavar="G", help="What lies there at --step 1 or 2.")] = None,
    wait: Wait = 30.0,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Zero, two known masses, and a line that must fit them. The board keeps it only if every check passes.

    Refused while a visit is open; nothing is sold until it is done, for 10 minutes at most. To get at the shelf, open
    the door first: cabinet unlock --purpose service --reason calibration. Both masses from 50 g to 200 kg, the heavier
    near what the shelf will carry, the lighter at most three quarters of it.
    """
    path = socket_of(config, socket)
    if step is not None:
        data = calibrating.one_step(path, zone, step, mass, wait)
        if json:
            show.as_json(data)
        else:
            show.done(f"{zone}: {_STEPS[step]}" + (f", {data['mean_counts']} counts" if "mean_counts" in data else ""))
        return
    if mass is not None:
        raise BadInputError("--mass: belongs to --step 1 or 2", "or give both: --masses 1000,5000")
    calibrating.guided(path, zone, masses, wait, as_json=json)


@app.command("watch", epilog="Example: cabinet scale watch s1 --seconds 30")
def watch(
    zone: AnyZone = None,
    seconds: Seconds = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Live: each zone's curve of the last minute, grams, noise, rate, bad samples. With --json a line each 0.25 s."""
    path = socket_of(config, socket)
    if zone is not None:
        show.ask(path, "scale.show", zone=zone)  # refused here where there is none
    until_s = math.inf if seconds is None else time.monotonic() + seconds
    with Client(path) as client:
        client.watch("scale.watch")
        lines = _lines(client, zone, until_s)
        try:
            (_print if json else _live)(lines)
        except KeyboardInterrupt:
            return


def _lines(client: Client, zone: str | None, until_s: float) -> Iterator[dict[str, Any]]:
    while (left_s := until_s - time.monotonic()) > 0:
        said = client.happening(min(POLL_S, left_s))
        if said is not None:
            zones = {name: one for name, one in said.get("zones", {}).items() if zone in {None, name}}
            yield {**said, "zones": zones}


def _print(lines: Iterator[dict[str, Any]]) -> None:
    for said in lines:
        typer.echo(json_text.dumps(said))


def _live(lines: Iterator[dict[str, Any]]) -> None:
    from rich.live import Live  # noqa: PLC0415  # 0.1 s that --json need not pay

    curves: dict[str, deque[float | None]] = {}
    with Live(console=show.console(), auto_refresh=False) as live:
        for said in lines:
            for name, one in said["zones"].items():
                curves.setdefault(name, deque(maxlen=KEPT)).extend(one.get("new_g") or [])
            width = max(20, min(KEPT, live.console.width - 14))
            live.update(show.group(_zone(n, one, curves[n], width) for n, one in said["zones"].items()), refresh=True)


def _zone(name: str, one: dict[str, Any], values: deque[float | None], width: int) -> "RenderableType":
    low, high = plot.bounds(list(values)[-width:], LEAST_SPAN_G)
    lines = plot.curve(values, width, ROWS, (low, high))
    edge = [f"{high:>10,.1f} g ", " " * 13, f"{low:>10,.1f} g "]
    still = "still" if one.get("steady") else "moving"
    reasons = ", ".join(f"{reason} {count}" for reason, count in (one.get("bad") or {}).items())
    head = (
        f"{name}  {_g(one.get('g'))}  noise {_noise(one.get('noise_g'))}  {_hz(one.get('hz'))}  "
        f"bad {words.percent(one.get('bad_share'))}{f' ({reasons})' if reasons else ''}  {still}"
    )
    drawn = [show.text(left + line, "cyan") for left, line in zip(edge, lines, strict=True)]
    return show.group([show.text(head, "bold"), *drawn, ""])


def _g(value: object) -> str:
    return f"{value:,.1f} g" if isinstance(value, int | float) else "-"


def _noise(value: object) -> str:
    return f"{value:.2f} g" if isinstance(value, int | float) else "-"


def _hz(value: object) -> str:
    return f"{value:.1f} Hz" if isinstance(value, int | float) else "-"


def _span(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, int | float) else "not calibrated"
