"""`cabinet status`: what the cabinet is doing and what is wrong with it; with --follow, as it happens."""

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cabinet.cli import credit, fleet, show, words
from cabinet.cli.client import Client
from cabinet.cli.place import ConfigFile, SocketPath, socket_of

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

POLL_S: Final = 1.0
KEPT: Final = 12  # happenings on the screen
FACTS: Final = 10  # lines about the state

Follow = Annotated[bool, typer.Option("--follow", "-f", help="Stay, and show what happens; Ctrl-C ends it.")]


def status(
    config: ConfigFile = None, socket: SocketPath = None, follow: Follow = False, json: show.AsJson = False
) -> None:
    """What the cabinet is doing, what is wrong with it, and what is on its shelves.

    With --follow --json: the status, then a line of JSON for everything that happens.
    """
    path = socket_of(config, socket)
    if follow:
        (_follow_json if json else _follow)(path)
        return
    data = show.ask(path, "status")
    if json:
        show.as_json(data)
    else:
        show.console().print(picture(data))


def picture(data: dict[str, Any]) -> "RenderableType":
    return show.group([*_above(data), *_shelves(data)])


def _above(data: dict[str, Any]) -> "list[RenderableType]":
    faults = data.get("faults") or []
    if not faults:
        return [show.facts(_facts(data))]
    rows = [(fault.get("part"), _why(fault)) for fault in faults]
    title = "Faults: no sale until they are gone (cabinet doctor says more)"
    return [show.facts(_facts(data)), "", show.table(title, ["part", "why"], rows)]


def _shelves(data: dict[str, Any]) -> "list[RenderableType]":
    zones = data.get("zones") or {}
    rows = [(zone, words.grams(mass.get("g")), words.grams(mass.get("steady_g"))) for zone, mass in zones.items()]
    return ["", show.table("Shelves", ["zone", "now>", "last steady>"], rows)] if rows else []


def _facts(data: dict[str, Any]) -> Iterator[tuple[str, object]]:
    now_ms = time.time() * 1000
    yield (
        "cabinet",
        f"{data.get('cabinet')}  (version {data.get('version')}, up {words.span(data.get('uptime_s') or 0)})",
    )
    yield "state", _state(data)
    yield "screen", data.get("screen") or "-"
    if data.get("interim") is not None:
        yield "so far", words.so_far(data["interim"])
    if data.get("visit"):
        yield "visit", f"{data['visit']}  of {data.get('member') or 'a technician'}"
    door, bolt = data.get("door_open"), data.get("bolt_locked")
    yield "door", f"{words.yes_no(door, 'open', 'shut')}, bolt {words.yes_no(bolt, 'locked', 'not locked')}"
    probes = data.get("temperature_c") or {}
    if probes:
        yield "temperature", ", ".join(f"{probe} {celsius:.1f} °C" for probe, celsius in probes.items())
    yield "cloud", _cloud(data, now_ms)
    if (data.get("credit") or {}).get("policy") == "cloud":
        yield "credit", credit.in_words(data["credit"])
    if listed := fleet.in_words(data.get("fleet") or {}):
        yield "fleet's list", listed
    yield "members", f"{data.get('members')}, products {data.get('skus')}"
    yield "clock", f"{data.get('clock')}, memory {words.count_mib(data.get('rss_mib'))}"


def _state(data: dict[str, Any]) -> "Text":
    name, meaning, colour = words.state(data.get("state"))
    text = show.text(name.upper(), f"bold {colour}")
    if meaning:
        text.append(f"  {meaning}", style="default")
    return text


def _cloud(data: dict[str, Any], now_ms: float) -> "Text":
    cloud, backlog = data.get("cloud") or {}, data.get("backlog") or {}
    connected, count = bool(cloud.get("connected")), backlog.get("count") or 0
    text = show.text("connected" if connected else "not connected", "green" if connected else "yellow")
    if not connected and cloud.get("why"):
        text.append(words.clean(f": {cloud['why']}"), style="default")
    waiting = f"; {count} events wait, the oldest since {words.ago(backlog.get('oldest_wall_ms'), now_ms)}"
    text.append(waiting if count else "; nothing waits", style="default")
    return text


def _why(fault: dict[str, Any]) -> str:
    latched = " — stays until a service visit: cabinet unlock --purpose service --reason …"
    return f"{fault.get('why')}{latched if fault.get('latched') else ''}"


def _follow_json(path: Path) -> None:
    import json  # noqa: PLC0415  # the name is the option's elsewhere here

    with Client(path) as happenings:
        happenings.watch()
        typer.echo(json.dumps(show.ask(path, "status")))
        try:
            while True:
                said = happenings.happening(POLL_S)
                if said is not None:
                    typer.echo(json.dumps(said))
        except KeyboardInterrupt:
            return


def _follow(path: Path) -> None:
    from rich.live import Live  # noqa: PLC0415  # 0.1 s that a single status need not pay

    said: deque[str] = deque(maxlen=KEPT)
    with Client(path) as happenings, Client(path) as asking:
        happenings.watch()
        with Live(console=show.console(), auto_refresh=False) as live:
            try:
                while True:
                    live.update(_live(asking.ask("status"), said, live.console.height), refresh=True)
                    _gather(happenings, said)
            except KeyboardInterrupt:
                return


def _gather(happenings: Client, said: deque[str]) -> None:
    """What happens within a second; the first happening ends it soon, so that the picture follows at once."""
    until_s = time.monotonic() + POLL_S
    while (left_s := until_s - time.monotonic()) > 0:
        news = happenings.happening(left_s)
        if news is not None:
            said.append(f"{time.strftime('%H:%M:%S')}  {words.happening(news)}")
            until_s = min(until_s, time.monotonic() + 0.1)


def _live(data: dict[str, Any], said: deque[str], height: int) -> "RenderableType":
    """State and happenings come before the shelves: a small terminal cuts off below."""
    room = max(3, height - FACTS - 4 - 2 * len(data.get("faults") or []))
    lines = [show.text(line) for line in list(said)[-room:]] or [show.text("nothing has happened yet", "bright_black")]
    return show.group([*_above(data), "", show.text("Happenings", "bold"), *lines, *_shelves(data)])
