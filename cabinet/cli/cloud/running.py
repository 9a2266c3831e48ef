"""`cabinet cloud run`, and what it has stored.

Everything they start is imported by the command itself.
"""

import dataclasses
import time
from pathlib import Path
from typing import Annotated

import typer

from cabinet.cli import show, words
from cabinet.cli.errors import BadInputError, RefusedError

app = typer.Typer()

Db = Annotated[
    str,
    typer.Option("--db", metavar="DATABASE", help="A SQLite file's path, or postgresql://USER@HOST:PORT/NAME."),
]


def place(db: str, *, there: bool = True) -> str | Path:
    """A URL as it is, else a path.  `there`: refuse a file that does not exist."""
    if "://" in db:
        return db
    if there and not Path(db).is_file():
        raise BadInputError(f"--db: {db} is not there", "name the database that cabinet cloud run writes")
    return Path(db)


@app.command("run", epilog="Example: cabinet cloud run --host 127.0.0.1 --port 1883 --db cloud.db --keys keys.toml")
def cloud_run(  # noqa: PLR0917  # one argument per option
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
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Processes that share the messages among them.")
    ] = 1,
    provider: Annotated[
        str,
        typer.Option("--provider", metavar="P", help="Of payments: sandbox:FILE, stripe:KEYFILE, none (books only)."),
    ] = "none",
) -> None:
    """Serve until Ctrl-C or SIGTERM: every event of every cabinet stored once and acknowledged."""
    import logging  # noqa: PLC0415  # likewise

    from cabinet import logsafe  # noqa: PLC0415  # likewise
    from cabinet.adapters.mqtt import Tls  # noqa: PLC0415  # likewise
    from cabinet.cloud.keys import KeysError  # noqa: PLC0415  # likewise
    from cabinet.cloud.plug import money_of  # noqa: PLC0415  # likewise
    from cabinet.cloud.run import run_cloud  # noqa: PLC0415  # likewise
    from cabinet.cloud.workers import Settings, run_workers  # noqa: PLC0415  # likewise
    from cabinet.ledger import LedgerError  # noqa: PLC0415  # likewise

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    logsafe.guard()
    where, password = place(db, there=False), _password(password_file)
    try:
        money = money_of(provider)
    except (ValueError, OSError) as error:
        raise BadInputError(f"--provider: {error}", "see cabinet cloud run --help") from error

    def ready() -> None:
        typer.echo(f"cloud: serving {host}:{port}, database {_shown(db)}, {workers} workers", err=True)

    try:
        if workers > 1:
            told = Settings(
                host, port, str(where), str(keys), username, password, None if ca is None else str(ca),
                (1, retry_max_s), provider, workers=workers,
            )  # fmt: skip  # what goes where
            raise typer.Exit(run_workers(told, ready))
        run_cloud(
            host, port, where, keys,
            username=username, password=password, tls=None if ca is None else Tls(ca=ca), retry_s=(1, retry_max_s),
            ready=ready, money=money,
        )  # fmt: skip  # what goes where
    except (KeysError, LedgerError) as error:
        raise RefusedError(str(error)) from error


@app.command("charges", epilog="Example: cabinet cloud charges --db cloud.db")
def cloud_charges(db: Db, json: show.AsJson = False) -> None:
    """Every charge that the cloud has stored, in the order of arrival."""
    from cabinet.cloud.run import charges  # noqa: PLC0415  # likewise
    from cabinet.ledger import LedgerError  # noqa: PLC0415  # likewise

    try:
        found = [dataclasses.asdict(charge) for charge in charges(place(db))]
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


def _shown(db: str) -> str:
    """Without what stands between `//` and `@`: a password may be there."""
    scheme, found, rest = db.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if found else db


def _password(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return next(iter(file.read_text(encoding="utf-8").splitlines()), "")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"--password-file: {file} cannot be read", "check the name and who may read it") from error
