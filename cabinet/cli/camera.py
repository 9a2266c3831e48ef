"""`cabinet camera`: what the interior cameras see, the corner marks to print, and where in the picture each zone is."""

import base64
import binascii
import contextlib
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cabinet.cli import asking, show, words
from cabinet.cli.errors import BadInputError, CliError, RefusedError
from cabinet.cli.outfile import new_file
from cabinet.cli.outlines import corners_text, offline, sheet
from cabinet.cli.place import ConfigFile, SocketPath, socket_of

WAIT_S: Final = 30.0  # a camera opened again takes some

Data = dict[str, Any]
Camera = Annotated[str, typer.Argument(metavar="CAMERA", help="The camera's id: cabinet camera list")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where to write the picture; a new file.")]

app = typer.Typer(
    no_args_is_help=True, help="Interior cameras: look, print corner marks, calibrate the zones' outlines."
)


@app.command("list", epilog="Example: cabinet camera list")
def list_cameras(config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """Every camera: size, state, the zones it sees, and where their outlines come from."""
    data = show.ask(socket_of(config, socket), "camera.list")
    if json:
        show.as_json(data)
        return
    rows = [
        (
            one.get("camera"), one.get("role"), f"{one.get('width')} x {one.get('height')}",
            ", ".join(_sees(zone) for zone in one.get("zones", [])) or None,
            "; ".join(why for why in (one.get("trouble"), one.get("calibration")) if why) or "in order",
        )
        for one in data.get("cameras", [])
    ]  # fmt: skip  # a row
    show.console().print(show.table("Cameras", ["camera", "role", "pixels>", "zones", "state"], rows))


@app.command("show", epilog="Example: cabinet camera show inside --out inside.png")
def show_camera(
    camera: Camera,
    out: Out = None,
    plain: Annotated[bool, typer.Option("--plain", help="The picture alone, without outlines.")] = False,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """The present picture with the outlines in force, as PNG, and where each comes from."""
    path = socket_of(config, socket)
    if out is None:
        data = show.ask(path, "camera.snapshot", camera=camera, draw=not plain, timeout_s=WAIT_S)
    else:
        with new_file(out, "--out") as file:
            data = show.ask(path, "camera.snapshot", camera=camera, draw=not plain, timeout_s=WAIT_S)
            file.write(_picture(data, "png_b64"))
    brief = {key: value for key, value in data.items() if key != "png_b64"}
    if json:
        show.as_json({**brief, "picture": None if out is None else str(out)})
        return
    rows = [
        (z.get("zone"), z.get("source"), z.get("at"), corners_text(z.get("corners")), "; ".join(z.get("notes", [])))
        for z in data.get("zones", [])
    ]
    columns = ["zone", "from", "calibrated", "corners, pixels", "notes"]
    show.console().print(show.table(f"{camera} sees", columns, rows))
    if data.get("calibration"):
        show.complain(RefusedError(f"calibration: {data['calibration']}", f"cabinet camera calibrate {camera}"))
    if out is not None:
        show.done(f"the picture is in {out}")


@app.command("markers", epilog="Example: cabinet camera markers marks.pdf --zone s1=0")
def markers(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new file: .pdf, or .png.")],
    zones: Annotated[
        list[str] | None,
        typer.Option("--zone", metavar="ZONE[=CHANNEL]", help="Only this zone; with its channel no daemon is asked."),
    ] = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """A sheet of corner marks to print: four a zone, each labelled with its corner. Any scale will do.

    Cut along the grey lines, and lay or tape them flat at the corners of each shelf, all upright, inside what may be
    sold from. At least three of a zone's four must be seen.
    """
    wanted = zones or []
    if wanted and all("=" in zone for zone in wanted):
        channels = dict(_channel(zone) for zone in wanted)
    else:
        known = show.ask(socket_of(config, socket), "camera.list")["zones"]
        channels = {}
        for zone in (name.split("=")[0] for name in wanted or known):
            if zone not in known:
                raise BadInputError(f"--zone: there is no zone {zone!r}", f"zones here: {', '.join(known)}")
            channels[zone] = known[zone]
    with new_file(out, "OUT") as file:
        pages = sheet(file, out.suffix.lower(), channels)
    told = {"file": str(out), "pages": pages, "marks": {z: [4 * c + k for k in range(4)] for z, c in channels.items()}}
    if json:
        show.as_json(told)
    else:
        show.done(f"{out}: {pages} page(s), 4 marks for each of {', '.join(channels)}; print and put them up")


@app.command("calibrate", epilog="Example: cabinet camera calibrate inside --out found.jpg")
def calibrate(  # noqa: PLR0917  # one argument per option
    camera: Annotated[str | None, typer.Argument(metavar="CAMERA", help="Its id; not with --before.")] = None,
    zones: Annotated[list[str] | None, typer.Option("--zone", help="Only this zone; may be repeated.")] = None,
    restock: Annotated[
        bool, typer.Option("--restock", help="No marks: pictures of each shelf empty and full.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Drop the calibration: the config's outlines again.")
    ] = False,
    before: Annotated[Path | None, typer.Option("--before", help="Offline: the zone empty (stores nothing).")] = None,
    after: Annotated[Path | None, typer.Option("--after", help="Offline: the same with goods all over it.")] = None,
    out: Out = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Find where a camera sees each zone: by the printed corner marks, or (--restock) by what filling a shelf changes.

    The daemon keeps the outlines only if every zone was found; they hold from the next visit on, without a restart, and
    stand above the config's. Refused while a visit is open; nothing is sold meanwhile. To get at the shelves, open the
    door first: cabinet unlock --purpose service --reason calibration. Marks are taken away afterwards.
    """
    if before is not None or after is not None:
        if before is None or after is None or not zones or len(zones) != 1 or camera is not None:
            raise BadInputError("offline takes --before A --after B --zone Z", "and no CAMERA")
        _end(offline(before, after, zones[0]), out, as_json=json)
        return
    if camera is None:
        raise BadInputError("which camera?", "cabinet camera list shows the ids")
    path = socket_of(config, socket)
    if forget:
        data = show.ask(path, "camera.forget", camera=camera)
        if json:
            show.as_json(data)
        else:
            show.done(f"{camera}: the config's outlines are in force")
    elif restock:
        if not zones:
            raise BadInputError("--restock: which zone?", "name each shelf that is to be filled: --zone s1")
        if out is not None and len(zones) > 1:
            raise BadInputError("--out: one picture for several zones", "one --zone at a time, or no --out")
        for zone in zones:
            _end(_by_restock(path, camera, zone), out, as_json=json)
    else:
        asked: Data = {"camera": camera, "how": "markers", "zones": zones or []}
        _end(show.ask(path, "camera.calibrate", timeout_s=WAIT_S, **asked), out, as_json=json)


def _by_restock(path: Path, camera: str, zone: str) -> Data:
    """Two pictures, and a question before each; whatever ends it early tells the daemon."""
    asked: Data = {"camera": camera, "how": "restock", "zone": zone}
    try:
        asking.ready(f"1/2  Empty {zone}, leave everything else as it is, and take your hands out of the picture.")
        show.ask(path, "camera.calibrate", timeout_s=WAIT_S, step="empty", **asked)
        asking.ready(f"2/2  Put goods all over {zone}, up to its edges, touch nothing else, and take your hands out.")
        return show.ask(path, "camera.calibrate", timeout_s=WAIT_S, step="filled", **asked)
    except (CliError, KeyboardInterrupt):
        with contextlib.suppress(CliError):  # what ended it is the one to tell
            show.ask(path, "camera.calibrate", step="cancel", **asked)
        raise


def _end(data: Data, out: Path | None, *, as_json: bool) -> None:
    """The verdict; the picture also where it is a refusal.  Raises RefusedError for that."""
    if out is not None:
        with new_file(out, "--out") as file:
            file.write(_picture(data, "jpg_b64"))
    brief = {key: value for key, value in data.items() if key != "jpg_b64"}
    zones = data.get("zones", [])
    if as_json:
        show.as_json({**brief, "picture": None if out is None else str(out)})
    else:
        rows = [
            (
                z.get("zone"),
                corners_text(z.get("corners")),
                "; ".join([*filter(None, [z.get("why")]), *z.get("notes", [])]),
            )
            for z in zones
        ]
        show.console().print(show.table("What was found", ["zone", "corners, pixels", "notes"], rows))
    if not data.get("ok"):
        whys = "; ".join(f"{z['zone']}: {z['why']}" for z in zones if z.get("why")) or str(data.get("why"))
        remedy = "look at the picture (--out FILE), put it right and try again; the old outlines stay"
        raise RefusedError(whys, remedy)
    if not as_json:
        for note in data.get("notes", []):
            typer.echo(words.clean(f"  {note}"))
        kept = f"; the picture is kept in {data['kept']}" if data.get("kept") else ""
        show.done(f"{', '.join(z['zone'] for z in zones)}: outlines found{kept}")


def _sees(zone: Data) -> str:
    day = f" {str(zone['at'])[:10]}" if zone.get("at") else ""
    return f"{zone.get('zone')} ({zone.get('source')}{day})"


def _picture(data: Data, key: str) -> bytes:
    try:
        return base64.b64decode(data[key], validate=True)
    except (KeyError, TypeError, binascii.Error) as error:
        raise RefusedError("the daemon sent no picture", "update the command line and the daemon together") from error


def _channel(typed: str) -> tuple[str, int]:
    zone, _, channel = typed.partition("=")
    if not zone or not channel.isdecimal() or int(channel) > 11:
        raise BadInputError(f"--zone: {typed!r}", "write ZONE=CHANNEL with a channel from 0 to 11, such as s1=0")
    return zone, int(channel)
