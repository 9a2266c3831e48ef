"""Commands that start something or need no daemon: run, demo, cloud, config, version.

Everything they start is imported by the command itself.
"""

import dataclasses
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import cabinet
from cabinet.cli import show, words
from cabinet.cli.errors import BadInputError, RefusedError
from cabinet.cli.place import ConfigFile, config_of

if TYPE_CHECKING:
    from cabinet.config import Config

cloud = typer.Typer(no_args_is_help=True, help="The far end: store every event once and confirm it.")
config_app = typer.Typer(no_args_is_help=True, help="The configuration file.")

Db = Annotated[Path, typer.Option("--db", metavar="FILE", help="The cloud's SQLite database.")]


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


@cloud.command("run", epilog="Example: cabinet cloud run --host 127.0.0.1 --port 1883 --db cloud.db --keys keys.toml")
def cloud_run(
    db: Db,
    keys: Annotated[Path, typer.Option("--keys", metavar="FILE", help='TOML or JSON: CAB_ID = "hexadecimal key".')],
    host: Annotated[str, typer.Option("--host", help="Of the MQTT broker.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="Of the MQTT broker.")] = 1883,
    username: Annotated[str | None, typer.Option("--username", help="At the broker.")] = None,
    password_file: Annotated[
        Path | None, typer.Option("--password-file", metavar="FILE", help="Its first line is the password.")
    ] = None,
    ca: Annotated[Path | None, typer.Option("--ca", metavar="PEM", help="Speak TLS; the authority trusted.")] = None,
    retry_max_s: Annotated[
        int, typer.Option("--retry-max-s", min=1, max=600, help="Longest wait between two attempts to connect.")
    ] = 30,
) -> None:
    """Serve until Ctrl-C or SIGTERM: every event of every cabinet stored once and acknowledged."""
    import logging  # noqa: PLC0415  # likewise

    from cabinet.adapters.mqtt import Tls  # noqa: PLC0415  # likewise
    from cabinet.cloud.keys import KeysError  # noqa: PLC0415  # likewise
    from cabinet.cloud.run import run_cloud  # noqa: PLC0415  # likewise
    from cabinet.ledger import LedgerError  # noqa: PLC0415  # likewise

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    try:
        run_cloud(
            host, port, db, keys,
            username=username, password=_password(password_file), tls=None if ca is None else Tls(ca=ca),
            retry_s=(1, retry_max_s),
            ready=lambda: typer.echo(f"cloud: serving {host}:{port}, database {db}", err=True),
        )  # fmt: skip  # what goes where
    except (KeysError, LedgerError) as error:
        raise RefusedError(str(error)) from error


@cloud.command("charges", epilog="Example: cabinet cloud charges --db cloud.db")
def cloud_charges(db: Db, json: show.AsJson = False) -> None:
    """Every charge that the cloud has stored, in the order of arrival."""
    from cabinet.cloud.run import charges  # noqa: PLC0415  # likewise
    from cabinet.ledger import LedgerError  # noqa: PLC0415  # likewise

    if not db.is_file():
        raise BadInputError(f"--db: {db} is not there", "name the database that cabinet cloud run writes")
    try:
        found = [dataclasses.asdict(charge) for charge in charges(db)]
    except LedgerError as error:
        raise RefusedError(str(error)) from error
    if json:
        show.as_json({"charges": found})
        return
    if not found:
        typer.echo("no charges yet")
        return
    now_ms = time.time() * 1000
    rows = [
        (
            charge["visit"], charge["cab"], charge["member"], words.money(charge["total_minor"], charge["currency"]),
            ", ".join(f"{line.get('quantity')} × {line.get('name') or line.get('sku')}" for line in charge["lines"]),
            words.when(charge["stored_ms"], now_ms), charge["review"],
        )
        for charge in found
    ]  # fmt: skip  # a row
    columns = ["visit", "cabinet", "member", "total>", "lines", "stored", "for a person to look at"]
    show.console().print(show.table(f"{len(found)} charges", columns, rows))


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


def _password(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return next(_lines(file), "")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"--password-file: {file} cannot be read", "check the name and who may read it") from error


def _lines(file: Path) -> Iterator[str]:
    yield from file.read_text(encoding="utf-8").splitlines()
