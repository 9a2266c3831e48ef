"""`cabinet board`: who the board is, what it feels as it feels it, what it wrote down, and a key for it."""

import json as json_text
import math
import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cabinet.cli import asking, board_work, show, words
from cabinet.cli.client import Client
from cabinet.cli.place import ConfigFile, SocketPath, socket_of

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

POLL_S: Final = 0.5
KEPT: Final = 20  # happenings on the screen
STATE = {"info", "link", "temperature"}  # lines that say how it is, not what happened

Seconds = Annotated[float | None, typer.Option("--seconds", min=0.1, help="Stop after so long; default: at Ctrl-C.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

app = typer.Typer(
    no_args_is_help=True, help="The board that owns the lock: facts, live view, journal, key, self-test, firmware."
)
app.command("selftest", epilog="Example: cabinet board selftest --yes")(board_work.selftest)
app.command("flash", epilog="Example: cabinet board flash /dev/ttyACM0 --zones 4 --yes")(board_work.flash)


@app.command("info", epilog="Example: cabinet board info --json")
def info(config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """Board, firmware, capabilities, key, clock, link counters, faults with their remedies, journal."""
    data = show.ask(socket_of(config, socket), "board.info")
    if json:
        show.as_json(data)
    else:
        show.console().print(picture(data))


@app.command("watch", epilog="Example: cabinet board watch --seconds 60")
def watch(
    seconds: Seconds = None, config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False
) -> None:
    """Live: door, bolt, leases, faults, journal, temperature and the link's counters. With --json every line."""
    until_s = math.inf if seconds is None else time.monotonic() + seconds
    with Client(socket_of(config, socket)) as client:
        client.watch("board.watch")
        lines = _lines(client, until_s)
        try:
            if json:
                for said in lines:
                    typer.echo(json_text.dumps(said))
            elif show.console().is_terminal:
                _live(lines)
            else:
                _print(lines)
        except KeyboardInterrupt:
            return


@app.command("log", epilog="Example: cabinet board log --last 20")
def log(
    last: Annotated[int, typer.Option("--last", "-n", min=1, max=10_000, help="How many, the newest.")] = 64,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """The board's own journal, as the cabinet has stored it: boots, unlocks, door, masses, faults, charges."""
    data = show.ask(socket_of(config, socket), "board.log", last=last)
    if json:
        show.as_json(data)
        return
    entries = data.get("entries", [])
    if not entries:
        typer.echo("the board's journal has not been read yet: cabinet board info")
        return
    now_ms = time.time() * 1000
    rows = [
        (
            entry.get("index"), entry.get("boot"), f"{entry.get('t_s', 0):,.1f} s",
            words.when(entry.get("at_wall_ms"), now_ms), entry.get("kind"), entry.get("visit"),
            _facts(entry.get("facts") or {}),
        )
        for entry in entries
    ]  # fmt: skip  # a row
    columns = ["entry>", "boot>", "after boot>", "when", "what", "visit", "facts"]
    show.console().print(show.table("The board's journal, the newest last", columns, rows))


@app.command("commission", epilog="Example: cabinet board commission --yes")
def commission(
    yes: Yes = False, config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False
) -> None:
    """Give the board a fresh key and the budget of unlocks from the configuration.

    A board that has a key takes another only while its housing is open. The key is never shown; it goes into
    board.key_file, for the daemon alone.
    """
    path = socket_of(config, socket)
    known = show.ask(path, "board.info")
    file = known.get("key_file")
    asking.sure(
        f"Give board {known.get('board')} a fresh key, in the place of {file}?", yes=yes, nothing="no key given"
    )
    data = show.ask(path, "board.commission", doing="the board takes its key")
    if json:
        show.as_json(data)
    else:
        budget = f"{data.get('per_hour')} unlocks an hour, {data.get('per_day')} a day"
        show.done(f"the board has a key and grants {budget}; the key is in {data.get('key_file')}: keep a copy safe")


def picture(data: dict[str, Any]) -> "RenderableType":
    parts: list[RenderableType] = [show.facts(_pairs(data))]
    if data.get("faults"):
        rows = [(f.get("fault"), f.get("zone") or "-", f.get("what"), f.get("remedy")) for f in data["faults"]]
        parts += ["", show.table("Faults", ["fault", "zone", "what it is", "remedy"], rows)]
    counters = {name.replace("_", " "): n for name, n in (data.get("counters") or {}).items()}
    parts += ["", show.table("The link since the daemon began", ["counter", "count>"], counters.items())]
    return show.group(parts)


def _pairs(data: dict[str, Any]) -> Iterator[tuple[str, object]]:
    connected = bool(data.get("connected"))
    state = show.text("connected" if connected else f"away: {data.get('why')}", "green" if connected else "red")
    yield "board", state
    yield "port", data.get("port")
    if "board" in data:
        yield "id", data["board"]
        yield "firmware", f"{data.get('firmware')}, protocol {data.get('protocol')}"
        yield "capabilities", ", ".join(data.get("capabilities", [])) or "none"
        yield "cells", f"{data.get('zones')} channels at {data.get('rate_hz')} Hz"
        yield "up", f"{words.span(data.get('uptime_s') or 0)}, last reset: {data.get('reset_cause')}"
        yield "clock", _clock(data.get("link") or {})
    keyed = words.yes_no(data.get("keyed"), "has a key", "has none: cabinet board commission")
    yield "key", f"{keyed}; {data.get('key') or 'ours is in ' + str(data.get('key_file'))}"
    budget = data.get("budget") or {}
    yield "budget", f"{budget.get('per_hour')} unlocks an hour, {budget.get('per_day')} a day (configured)"
    yield "journal", f"{data.get('journal_stored')} entries stored, next on the board is {data.get('journal_next')}"
    told = ", ".join(f"{name} {words.span(ago)} ago" for name, ago in (data.get("told") or {}).items())
    yield "told", told or "nothing"
    if data.get("maintenance"):
        yield "at work", data["maintenance"]


def _clock(link: dict[str, Any]) -> str:
    drift, jitter = link.get("drift_ppm"), link.get("jitter_ms")
    drifts = f"drift {drift:+.1f} ppm" if isinstance(drift, int | float) else "drift not yet known"
    return f"{drifts}, messages {jitter:.1f} ms late in the mean" if isinstance(jitter, int | float) else drifts


def _facts(facts: dict[str, Any]) -> str:
    """One line of an entry's facts."""
    said = []
    for name, value in facts.items():
        if name == "masses_g" and isinstance(value, dict):
            said.append(", ".join(f"{zone} {words.grams(g)}" for zone, g in value.items()))
        elif name == "digest":
            said.append(f"h {str(value)[:12]}…")
        else:
            said.append(f"{name.replace('_', ' ')} {value}")
    return ", ".join(said) or "-"


def _lines(client: Client, until_s: float) -> Iterator[dict[str, Any]]:
    while (left_s := until_s - time.monotonic()) > 0:
        said = client.happening(min(POLL_S, left_s))
        if said is not None:
            yield said


def _print(lines: Iterator[dict[str, Any]]) -> None:
    """What happened, a line each; how it is once at the beginning."""
    for said in lines:
        if said.get("type") == "info":
            show.console().print(picture(said))
        elif said.get("type") not in STATE:
            typer.echo(f"{time.strftime('%H:%M:%S')}  {happening(said)}")


def _live(lines: Iterator[dict[str, Any]]) -> None:
    from rich.live import Live  # noqa: PLC0415  # 0.1 s that --json need not pay

    known: dict[str, Any] = {}
    said_so_far: deque[str] = deque(maxlen=KEPT)
    with Live(console=show.console(), auto_refresh=False) as live:
        for said in lines:
            if said.get("type") == "temperature":
                known.setdefault("temperatures", {})[said.get("probe")] = said
            elif said.get("type") in STATE:
                known.update({key: value for key, value in said.items() if key != "type"})
            else:
                said_so_far.append(f"{time.strftime('%H:%M:%S')}  {happening(said)}")
            live.update(_now(known, said_so_far), refresh=True)


def _now(known: dict[str, Any], said: deque[str]) -> "RenderableType":
    counters = known.get("counters") or {}
    counted = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in counters.items() if n) or "nothing yet"
    state = "connected" if known.get("connected") else f"away: {known.get('why')}"
    facts = [
        ("board", f"{state}, up {words.span(known.get('uptime_s') or 0)}"),
        ("clock", _clock(known.get("link") or {})),
        ("temperature", ", ".join(_temperature(one) for one in known.get("temperatures", {}).values()) or "-"),
        ("link", counted),
    ]
    lines: list[Text] = [show.text(line) for line in said] or [show.text("nothing has happened yet", "bright_black")]
    return show.group([show.facts(facts), "", show.text("Happenings", "bold"), *lines])


def _temperature(said: dict[str, Any]) -> str:
    celsius = said.get("c")
    read = f"{celsius:.2f} °C" if isinstance(celsius, int | float) else f"none ({said.get('why')})"
    return f"probe{said.get('probe')} {read}"


def happening(said: dict[str, Any]) -> str:
    """One line for one thing that the board told."""
    match said.get("type"):
        case "connected":
            text = f"connected: {said.get('firmware')}, faults: {', '.join(said.get('faults') or []) or 'none'}"
        case "disconnected":
            text = f"away: {said.get('why')}"
        case "door":
            text = f"door {words.yes_no(said.get('open'), 'open', 'shut')}"
        case "bolt":
            text = f"bolt {words.yes_no(said.get('locked'), 'home: locked', 'back: not locked')}"
        case "lease":
            text = f"lease of {said.get('visit')} ended: {said.get('ended')}"
        case "fault":
            where = f" in {said['zone']}" if said.get("zone") else ""
            text = f"FAULT {said.get('fault')}{where}: {said.get('what')} → {said.get('remedy')}"
        case "fault gone":
            where = f" in {said['zone']}" if said.get("zone") else ""
            text = f"fault gone: {said.get('fault')}{where}"
        case "gap":
            text = f"{said.get('samples')} samples lost: {said.get('what')}, {said.get('seconds')} s"
        case "journal":
            text = f"journal {said.get('index')}: {said.get('kind')}, {_facts(said.get('facts') or {})}"
        case "temperature":
            text = _temperature(said)
        case other:
            text = str(other)
    return words.clean(text)
