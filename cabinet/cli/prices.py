"""`cabinet prices`: tax rates, deposits' tax and discounts, as one TOML file.

A file is refused with file, key and reason, before anything is sent.
"""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from cabinet.basket.rules import RulesError, rules_from, rules_to
from cabinet.cli import show, words
from cabinet.cli.errors import BadInputError, RefusedError
from cabinet.cli.place import ConfigFile, SocketPath, socket_of

app = typer.Typer(no_args_is_help=True, help="Price rules: tax rates, deposits' tax class, discounts.")

KEYS = r"""

Keys of FILE (TOML); all are optional, and an empty file ends every rule:

deposit_tax = "deposit" : tax class of the deposits; above the tables. Without it a deposit is taxed as its product.

\[taxes] : tax class = per cent, such as standard = 19, reduced = "8.875", deposit = 0. With any, every product's class
needs one. Whether prices include the tax is the cabinet's: \[prices] tax_included in its configuration.

[\[discounts]] : one each; a unit has at most one, the first of the file that saves something. Never on deposits.

name = "3 for 2 drinks" : as the receipt says it, at most 60 characters

skus = ["0708", "0709"] : counted together; "all" for every product

take = 3 with pay = 2 : of each 3 units the 2 dearest are paid

take = 3 with price = 500 : each 3 units cost 5.00 together (minor units), where that is less

percent_off = 20 : per cent less on each; from_units = 2: only from 2 units on (default 1)

days = ["mon", "tue"] : only then (default every day), by the local time of the unlock

from = "17:00", until = "19:00" : only between; an until before the from is on the next morning

Without a trusted clock no discount with days or times is given, and the receipt says so. systemd/prices.toml shows all.
"""

RulesFile = Annotated[Path, typer.Argument(metavar="FILE", help="A TOML file of price rules.")]


@app.command("show", epilog="Example: cabinet prices show --json")
def show_rules(config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """The rules in force, for visits that begin now."""
    data = show.ask(socket_of(config, socket), "prices.show")
    if json:
        show.as_json(data)
    else:
        _tell(data)


@app.command("set", epilog="Example: cabinet prices set prices.toml", help=f"Put the rules of FILE into force. {KEYS}")
def set_rules(file: RulesFile, config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    data = _send("prices.set", file, socket_of(config, socket))
    if json:
        show.as_json(data)
        return
    show.done(f"price list {data.get('price_version')} holds for visits that begin from now on")
    _warn(data)


@app.command(
    "check",
    epilog="Example: cabinet prices check prices.toml",
    help=f"Look for mistakes in FILE, alone and beside the catalogue; changes nothing. {KEYS}",
)
def check_rules(
    file: RulesFile, config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False
) -> None:
    data = _send("prices.check", file, socket_of(config, socket))
    if json:
        show.as_json(data)
        return
    _tell(data)
    show.done(f"{file} can be put into force")


def _send(op: str, file: Path, socket: Path) -> dict[str, Any]:
    rules = _read(file)
    try:
        return show.ask(socket, op, rules=rules)
    except RefusedError as error:
        raise RefusedError(f"{file}: {error}", error.remedy) from error


def _read(file: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise BadInputError(f"{file}: cannot be read ({error.strerror})", "name a file of price rules") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"{file}: is not TOML: {error}") from error
    try:
        return rules_to(rules_from(table))
    except RulesError as error:
        raise BadInputError(f"{file}: {error}", "cabinet prices check --help explains every key") from error


def _tell(data: dict[str, Any]) -> None:
    rules = data.get("rules") or {}
    taxes, discounts = rules.get("taxes") or {}, rules.get("discounts") or []
    currency = data.get("currency")
    said: list[tuple[str, object]] = [
        ("price list", data.get("price_version")),
        (
            "taxes",
            ", ".join(f"{name} {rate} %" for name, rate in taxes.items()) or "no rates: receipts say nothing of tax",
        ),
        (
            "prices",
            "include the tax" if data.get("tax_included") else "do not include the tax: it is added to the bill",
        ),
        ("deposits", f"tax class {rules['deposit_tax']}" if rules.get("deposit_tax") else "taxed as their product"),
        ("local time", f"{data.get('time_zone')}, clock {'' if data.get('clock_trusted') else 'not '}trusted"),
    ]
    show.console().print(show.facts(said))
    rows = [
        (n, one.get("name"), _gives(one, currency), _when(one), _goods(one.get("skus")))
        for n, one in enumerate(discounts, 1)
    ]
    if rows:
        show.console().print(
            show.table("Discounts, the first that saves something", ["#>", "name", "gives", "when", "on"], rows)
        )
    _warn(data)


def _warn(data: dict[str, Any]) -> None:
    for warning in data.get("warnings") or []:
        typer.secho(f"  note: {words.clean(warning)}", fg="yellow")


def _gives(one: dict[str, Any], currency: object) -> str:
    if "pay" in one:
        return f"{one.get('take')} for the price of {one['pay']}"
    if "price" in one:
        return f"{one.get('take')} for {words.money(one['price'], currency)}"
    return f"{one.get('percent_off')} % off from {one.get('from_units')}"


def _when(one: dict[str, Any]) -> str:
    return f"{' '.join(one['days'])} {one.get('from')}-{one.get('until')}" if one.get("days") else "always"


def _goods(skus: object) -> str:
    return ", ".join(str(sku) for sku in skus) if isinstance(skus, list) else "every product"
