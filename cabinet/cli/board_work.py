"""`cabinet board selftest` and `cabinet board flash`: the board tries itself out, or is given new firmware."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cabinet.cli import asking, show, words
from cabinet.cli.client import LONG_ANSWER_S
from cabinet.cli.errors import CliError, NotReachableError, RefusedError
from cabinet.cli.place import ConfigFile, SocketPath, socket_of

if TYPE_CHECKING:
    from firmware_bridge.flashing import Build

WARNING: Final = (
    "The lock will be released for at most one second. The door must be shut; do not pull it."
    " Nothing is sold meanwhile."
)
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Progress = Callable[[str, int, int], None]


def selftest(yes: Yes = False, config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """Try the board out: lock pulse, bolt, door contact, each cell's noise, thermometer. Exit code 1 if one fails.

    Refused while a visit is open. The lock is never left driven: the board ends the lease itself after a second.
    """
    path = socket_of(config, socket)
    if not json:
        typer.secho(WARNING, err=True, fg="yellow")
    asking.sure("Begin?", yes=yes, nothing="nothing was tested")
    data = show.ask(path, "board.selftest", timeout_s=LONG_ANSWER_S, doing="the board tries itself out")
    if json:
        show.as_json(data)
    else:
        rows = [
            (
                show.text("pass", "green") if test.get("ok") else show.text("FAIL", "bold red"),
                test.get("test"), test.get("measured"), test.get("limit"), test.get("remedy"),
            )
            for test in data.get("tests", [])
        ]  # fmt: skip  # a row
        failed = sum(not test.get("ok") for test in data.get("tests", []))
        title = f"{failed} of {len(rows)} tests FAILED" if failed else f"all {len(rows)} tests passed"
        show.console().print(show.table(title, ["", "test", "measured", "limit", "remedy"], rows))
    if not data.get("ok"):
        raise typer.Exit(1)


def flash(
    port: Annotated[str | None, typer.Argument(metavar="[PORT]", help="Default: the one board that is found.")] = None,
    *,
    zones: Annotated[int, typer.Option("--zones", min=1, max=12, help="Load cell channels that are fitted.")] = 4,
    coil_sense: Annotated[bool, typer.Option(help="The coil's current is sensed.")] = True,
    probe: Annotated[bool, typer.Option(help="A thermometer is fitted.")] = True,
    motor_bolt: Annotated[bool, typer.Option(help="A motor drives the bolt, not a solenoid.")] = False,
    second_contact: Annotated[bool, typer.Option(help="The door has a second contact.")] = True,
    uf2: Annotated[
        Path | None, typer.Option("--uf2", metavar="FILE", help="First put this MicroPython on a Pico that has none.")
    ] = None,
    yes: Yes = False,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Write the firmware to a Pico with MicroPython, compare it, and restart the board. Safe to repeat.

    A running daemon lends its port and takes it back; refused while a visit is open. Key, calibration and journal stay.
    """
    from firmware_bridge import flashing  # noqa: PLC0415  # for this command alone

    build = flashing.Build(zones, coil_sense, probe, motor_bolt, second_contact)
    try:
        if uf2 is not None:
            _micropython(uf2, yes=yes, as_json=json)
            return
        port = port or _only_port()
        asking.sure(f"Write the firmware for {zones} zones to {port}?", yes=yes, nothing="nothing was written")
        with _lent(config, socket, port), _progress() as progress:
            done = flashing.flash(port, build, progress=progress)
    except flashing.FlashError as error:
        raise RefusedError(str(error)) from error
    told = {"port": port, "micropython": done.micropython, "written": done.written, "kept": done.kept, **_said(build)}
    if json:
        show.as_json(told)
    else:
        show.done(f"{port}: {done.written} files written, {done.kept} were right already; the board restarts")


def _micropython(image: Path, *, yes: bool, as_json: bool) -> None:
    from firmware_bridge import flashing  # noqa: PLC0415  # for this command alone

    drives = [found.drive for found in flashing.find_boards() if found.drive is not None]
    if len(drives) != 1:
        raise RefusedError(f"{len(drives)} boards wait in their boot loader", "plug in one, with BOOTSEL held")
    asking.sure(f"Put {image} on {drives[0]}?", yes=yes, nothing="nothing was written")
    with _progress() as progress:
        flashing.put_uf2(image, drives[0], progress)
    if as_json:
        show.as_json({"drive": str(drives[0]), "image": str(image)})
    else:
        show.done("MicroPython is on it; when its port appears: cabinet board flash")


def _only_port() -> str:
    from firmware_bridge import flashing  # noqa: PLC0415  # for this command alone

    found = flashing.find_boards()
    ports = [board.port for board in found if board.port is not None]
    if len(ports) == 1:
        return ports[0]
    if ports:
        raise RefusedError(f"there are several: {', '.join(ports)}", f"name one: cabinet board flash {ports[0]}")
    waiting = "; ".join(board.what for board in found)
    remedy = "cabinet board flash --uf2 FILE" if waiting else "use a USB cable that carries data; ls /dev/ttyACM*"
    raise RefusedError(waiting or "no board with MicroPython on a USB port", remedy)


@contextlib.contextmanager
def _lent(config: Path | None, socket: Path | None, port: str) -> Iterator[None]:
    """The daemon's port, for as long as this lasts; where there is no daemon, nobody is asked."""
    path = _daemon(config, socket)
    if path is None:
        yield
        return
    if Path(str(show.ask(path, "board.info").get("port"))).resolve() != Path(port).resolve():
        yield  # it uses another one
        return
    show.ask(path, "board.let_go")
    try:
        yield
    finally:
        with contextlib.suppress(CliError):  # it takes the port back by itself after some minutes
            show.ask(path, "board.take_back")


def _daemon(config: Path | None, socket: Path | None) -> Path | None:
    try:
        path = socket_of(config, socket)
        show.ask(path, "status")
    except NotReachableError:
        return None
    return path


@contextlib.contextmanager
def _progress() -> Iterator[Progress | None]:
    """A bar on a terminal, silence elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415  # rarely needed
    from rich.progress import Progress as Bar  # noqa: PLC0415  # likewise

    with Bar(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def tell(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(words.clean(name), total=total)
            bar.update(tasks[name], completed=done)

        yield tell


def _said(build: "Build") -> dict[str, Any]:
    return {"build": dict(vars(build))}
