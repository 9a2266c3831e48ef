"""`cabinet screen`: serve the shopper's page on this computer, and show in it what the daemon says."""

import logging
import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cabinet.cli.errors import BadInputError, RefusedError
from cabinet.cli.place import ConfigFile, SocketPath, config_of, socket_of

if TYPE_CHECKING:
    from socket import socket as Socket  # noqa: N812  # the option has that name


def screen(
    config: ConfigFile = None,
    socket: SocketPath = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65_535, help="Of 127.0.0.1; default: screen.port of the file. 0: any."),
    ] = None,
) -> None:
    """Serve the shopper's page at http://127.0.0.1:PORT/, for a browser on this computer. Runs until stopped.

    It needs no daemon to start: while none answers, the page says "out of order".
    """
    path = socket_of(config, socket)
    wanted = _port_in(config_of(config)) if port is None else port
    from cabinet.screen import bound  # noqa: PLC0415  # the server takes its time to import

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        listening = bound(wanted)
    except OSError as error:
        raise RefusedError(
            f"port {wanted} of 127.0.0.1 cannot be used ({error.strerror})", "name another with --port"
        ) from error
    import asyncio  # noqa: PLC0415  # likewise, and whoever asks for the status needs none of it

    with listening:
        asyncio.run(_serve(path, listening))


async def _serve(path: Path, listening: "Socket") -> None:
    from cabinet.screen import Link, Serving  # noqa: PLC0415  # likewise

    address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    await Serving(Link(path)).run(listening, lambda: _ready(address))


def _ready(address: str) -> None:
    typer.echo(address)
    if "NOTIFY_SOCKET" in os.environ:
        import sdnotify  # noqa: PLC0415  # under systemd alone

        sdnotify.SystemdNotifier().notify("READY=1")


def _port_in(file: Path) -> int:
    """Of the configuration, where it has one; what else it says is the daemon's to judge."""
    from pydantic import ValidationError  # noqa: PLC0415  # a tenth of a second

    from cabinet.config import Screen  # noqa: PLC0415  # likewise

    try:
        return Screen.model_validate(tomllib.loads(file.read_text(encoding="utf-8")).get("screen", {})).port
    except FileNotFoundError:
        return Screen().port
    except OSError as error:
        raise BadInputError(f"{file}: cannot be read ({error.strerror})", "name the file with --config") from error
    except ValidationError as error:
        raise BadInputError(f"{file}: [screen] is wrong", f"cabinet config check {file}") from error
    except ValueError as error:  # no TOML, or no text
        raise BadInputError(f"{file}: is not TOML: {error}", f"cabinet config check {file}") from error
