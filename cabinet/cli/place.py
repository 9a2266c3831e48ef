"""Where the daemon listens.  Reads at most one key of the configuration and checks nothing else of it.

First that is there: --socket, --config, CABINET_SOCKET, CABINET_CONFIG, the service's socket, the service's
configuration.
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Final

import typer

from cabinet.cli.errors import BadInputError

SOCKET: Final = Path("/run/cabinet/control.sock")  # of the systemd service
CONFIG: Final = Path("/etc/cabinet/cabinet.toml")

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The daemon's configuration: its socket is used (CABINET_CONFIG)."),
]
SocketPath = Annotated[
    Path | None,
    typer.Option("--socket", metavar="PATH", help="The daemon's control socket (CABINET_SOCKET)."),
]


def socket_of(config: Path | None, socket: Path | None) -> Path:
    """Raises BadInputError where the configuration is needed and cannot be read."""
    if socket is not None:
        return socket
    if config is not None:
        return _named_in(config)
    if named := os.environ.get("CABINET_SOCKET"):
        return Path(named)
    if named := os.environ.get("CABINET_CONFIG"):
        return _named_in(Path(named))
    if not SOCKET.exists() and CONFIG.is_file() and os.access(CONFIG, os.R_OK):
        return _named_in(CONFIG)
    return SOCKET


def config_of(config: Path | None) -> Path:
    """The configuration named by the option, else by CABINET_CONFIG, else the service's."""
    return config or Path(os.environ.get("CABINET_CONFIG") or CONFIG)


def _named_in(config: Path) -> Path:
    try:
        table = tomllib.loads(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInputError(f"{config}: cannot be read ({error.strerror})", "name the file with --config") from error
    except ValueError as error:
        raise BadInputError(f"{config}: is not TOML: {error}", f"cabinet config check {config}") from error
    cabinet = table.get("cabinet")
    named, folder = (cabinet.get("socket"), cabinet.get("data_dir")) if isinstance(cabinet, dict) else (None, None)
    if isinstance(named, str):
        return config.parent.absolute() / named
    if isinstance(folder, str):
        return config.parent.absolute() / folder / "control.sock"
    raise BadInputError(
        f"{config}: names neither cabinet.socket nor cabinet.data_dir", f"cabinet config check {config}"
    )
