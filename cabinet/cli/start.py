"""Commands that start something or need no daemon: run, demo, config, version.

Everything they start is imported by the command itself.
"""

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import cabinet
from cabinet.cli import show, words
from cabinet.cli.errors import BadInputError, RefusedError
from cabinet.cli.place import ConfigFile, config_of

if TYPE_CHECKING:
    from cabinet.config import Config

config_app = typer.Typer(no_args_is_help=True, help="The configuration file.")


def run(config: ConfigFile = None) -> None:
    """Run the cabinet's daemon until it is told to stop. Exit code 78: the configuration is wrong."""
    from cabinet import wiring  # noqa: PLC0415  # the whole cabinet

    raise typer.Exit(wiring.run(config_of(config)))


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where traces, pictures and receipts go.")] = Path(
        "demo-out"
    ),
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the dice: masses, noise, times.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="Draw no pictures of the visits.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the processes' logs and ledgers as well.")] = False,
) -> None:
    """Four visits through the real processes: broker, cloud, emulated board, cameras and daemon.

    Exit code 0 only if all ended as they should. An earlier demo in DIR is replaced.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "visit-1").exists())):
        raise BadInputError(f"--out: {out} is there already and not from a demo", "name another folder, or remove it")
    from cabinet.cli.demo import run_demo  # noqa: PLC0415  # likewise

    raise typer.Exit(run_demo(out=out, keep=keep, seed=seed, quick=quick))


@config_app.command("check", epilog="Example: cabinet config check /etc/cabinet/cabinet.toml")
def config_check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The TOML file.")], json: show.AsJson = False
) -> None:
    """Is the file right? Names every fault with its key and the remedy. Starts nothing, opens no device."""
    from cabinet.config import ConfigError, load  # noqa: PLC0415  # pydantic

    try:
        config = load(file)
    except ConfigError as error:
        raise RefusedError(str(error), f"correct it, then: cabinet config check {file}") from error
    facts = _summary(config)
    if json:
        show.as_json(facts)
        return
    show.done(f"{file} is right")
    show.console().print(show.facts((name, _joined(value)) for name, value in facts.items()))


def version(json: show.AsJson = False) -> None:
    """The version of this command line; cabinet status tells the daemon's."""
    if json:
        show.as_json({"version": cabinet.__version__, "python": platform.python_version()})
    else:
        typer.echo(f"cabinet {cabinet.__version__} (Python {platform.python_version()})")


def _summary(config: "Config") -> dict[str, Any]:
    return {
        "cabinet": config.cabinet.id,
        "currency": config.cabinet.currency,
        "data_dir": str(config.cabinet.data_dir),
        "socket": str(config.cabinet.socket_path),
        "board": config.board.port if config.board is not None else None,
        "zones": [zone.id for zone in config.zones],
        "cameras": [f"{camera.id} ({camera.role})" for camera in config.cameras],
        "faces": config.identity.faces,
        "codes": config.identity.codes,
        "broker": None if config.mqtt is None else f"{config.mqtt.host}:{config.mqtt.port}",
    }


def _joined(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return words.yes_no(value, "yes", "no") if isinstance(value, bool) else "none" if value is None else str(value)
