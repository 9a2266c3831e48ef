"""`cabinet catalog` and `cabinet stock`: what is sold, what it weighs and costs, and where it stands."""

import math
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Final

import typer

from cabinet.cli import photos as pictures
from cabinet.cli import show, sights, words
from cabinet.cli.client import LONG_ANSWER_S
from cabinet.cli.errors import BadInputError, RefusedError
from cabinet.cli.place import ConfigFile, SocketPath, socket_of

MAX_MASS_G: Final = 100_000.0  # the ledger's own bounds
MAX_COUNT: Final = 10_000
MAX_NAME: Final = 120
SKU: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}", re.ASCII)

catalog = typer.Typer(no_args_is_help=True, help="The catalogue: add or change products, list them.")
stock = typer.Typer(no_args_is_help=True, help="Stock: what stands on which shelf.")

Sku = Annotated[
    str,
    typer.Argument(
        metavar="SKU", help="Barcode digits, or your own code; add takes auto: as the photographs' barcode says."
    ),
]
Count = Annotated[int, typer.Argument(metavar="COUNT", min=0, max=MAX_COUNT, help="How many stand there now.")]
Zone = Annotated[str, typer.Argument(metavar="ZONE", help="The shelf's id: cabinet status")]


@catalog.command(
    "add",
    epilog='Example: cabinet catalog add 070847811169 --name "Cola 0.5 l" --mass-g 505 --price 250 --photos cola/ '
    "--zone s1 --count 6",
)
def add_product(
    sku: Sku,
    *,
    name: Annotated[str, typer.Option("--name", help="As printed on the receipt.")],
    mass_g: Annotated[float, typer.Option("--mass-g", help="Mass of one unit with its packaging, in grams.")],
    price: Annotated[str, typer.Option("--price", metavar="MINOR", help="In minor units: 250 for 2.50 (cents).")],
    mass_sd_g: Annotated[float | None, typer.Option("--mass-sd-g", help="Its spread from unit to unit.")] = None,
    tax: Annotated[str, typer.Option("--tax", help="Tax class.")] = "standard",
    deposit: Annotated[
        str | None, typer.Option("--deposit", metavar="MINOR", help="Of one unit, beside the price: 25 for 0.25.")
    ] = None,
    min_age: Annotated[int, typer.Option("--min-age", min=0, max=150, help="In years; 0: for everybody.")] = 0,
    photos: Annotated[
        list[Path] | None,
        typer.Option("--photos", metavar="DIR|FILE", help="Photographs of the product; may be repeated."),
    ] = None,
    camera: Annotated[
        str | None, typer.Option("--camera", help="Take the photographs now: hold the product before this camera.")
    ] = None,
    shots: Annotated[int, typer.Option("--shots", min=1, max=pictures.MAX_PHOTOS, help="How many, with --camera.")] = 5,
    keep_outliers: Annotated[
        bool, typer.Option("--keep-outliers", help="Keep photographs that look like none of the others.")
    ] = False,
    ignore_barcode: Annotated[
        bool, typer.Option("--ignore-barcode", help="Although the photographs show another product's barcode.")
    ] = False,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="JPEG", help="Where to put it beside its look-alikes.")
    ] = None,
    zone: Annotated[str | None, typer.Option("--zone", help="The shelf where it stands.")] = None,
    count: Annotated[int | None, typer.Option("--count", min=0, max=MAX_COUNT, help="How many stand there.")] = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Add a product, or change the one with this SKU. Prices change for visits that begin afterwards."""
    path = socket_of(config, socket)
    _check(sku, name, tax, zone, count)
    asked = {
        "sku": sku, "name": name, "mass_g": _mass("--mass-g", mass_g), "unit_price": minor_units(price), "tax": tax,
        "min_age": min_age, "mass_sd_g": None if mass_sd_g is None else _mass("--mass-sd-g", mass_sd_g), "zone": zone,
        "count": count,
    }  # fmt: skip  # a row
    files = pictures.files_of(photos or [], "--photos")
    sent = pictures.encoded(files, "--photos")
    if camera is not None:
        if files:
            raise BadInputError("--camera: and --photos?", "give one of them")
        sent = sights.captured(path, camera, shots)
    asked |= {} if deposit is None else {"deposit": minor_units(deposit, "--deposit")}
    asked |= {
        name: True for name, set_ in (("keep_outliers", keep_outliers), ("ignore_barcode", ignore_barcode)) if set_
    }
    try:
        data = show.ask(
            path, "catalog.add", timeout_s=LONG_ANSWER_S, doing="looking at the photos", photos=sent, **asked
        )
    except RefusedError as error:
        raise pictures.named(error, files) from error
    if json:
        show.as_json(data)
        return
    known = f"price list {data.get('price_version')}, {data.get('references')} pictures"
    show.done(f"{data.get('sku')} is in the catalogue ({known})")
    for warning in data.get("warnings", []):
        typer.secho(f"  note: {words.clean(warning)}", fg="yellow")
    if data.get("confusable_jpeg_b64"):
        picture = picture or Path(f"{data.get('sku')}-look-alikes.jpg")
        sights.save(picture, data["confusable_jpeg_b64"])
        typer.echo(f"  beside its look-alikes: {picture}")


@catalog.command("list", epilog="Example: cabinet catalog list --json")
def list_products(config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """Every product: mass, price, tax, pictures known, and on which shelves it stands."""
    data = show.ask(socket_of(config, socket), "catalog.list")
    if json:
        show.as_json(data)
        return
    products = data.get("products", [])
    if not products:
        typer.echo("the catalogue is empty: cabinet catalog add --help")
        return
    rows = [
        (
            product.get("sku"), product.get("name"), words.money(product.get("unit_price"), data.get("currency")),
            words.money(product.get("deposit"), data.get("currency")) if product.get("deposit") else "-",
            _grams(product), product.get("tax"), product.get("min_age") or "-", product.get("references"),
            ", ".join(f"{zone}: {count}" for zone, count in (product.get("zones") or {}).items()) or "-",
        )
        for product in products
    ]  # fmt: skip  # a row
    columns = ["sku", "product", "price>", "deposit>", "mass>", "tax", "age>", "pictures>", "stands"]
    show.console().print(show.table(f"Catalogue, price list {data.get('price_version')}", columns, rows))


@catalog.command("check", epilog="Example: cabinet catalog check --picture confusions.png")
def check_catalog(
    picture: Annotated[Path | None, typer.Option("--picture", metavar="PNG", help="Draw the confusion map.")] = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Which products sight may take for each other, and whether mass or the shelf tells them apart then."""
    data = show.ask(socket_of(config, socket), "catalog.check", timeout_s=LONG_ANSWER_S, doing="comparing the products")
    if picture is not None:
        sights.draw(data, picture)
    if json:
        show.as_json(data)
        return
    sights.tell(data)
    if picture is not None:
        typer.echo(f"confusion map: {picture}")


@stock.command("set", epilog="Example: cabinet stock set s1 070847811169 6")
def set_stock(
    zone: Zone, sku: Sku, count: Count, config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False
) -> None:
    """Write down what a person counted on a shelf."""
    path = socket_of(config, socket)
    _check(sku, "-", "-", zone, count)
    data = show.ask(path, "stock.set", zone=zone, sku=sku, count=count)
    if json:
        show.as_json(data)
    else:
        show.done(f"{count} of {sku} in {zone}")


@stock.command("list", epilog="Example: cabinet stock list")
def list_stock(config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """What the cabinet believes to stand on each shelf."""
    data = show.ask(socket_of(config, socket), "stock.list")
    if json:
        show.as_json(data)
        return
    found = data.get("stock", [])
    if not found:
        typer.echo("no stock known: cabinet stock set ZONE SKU COUNT")
        return
    rows = [
        (
            row.get("zone"),
            row.get("sku"),
            row.get("name"),
            show.text(row.get("count"), "" if row.get("count") else "red"),
        )
        for row in found
    ]
    show.console().print(show.table("Stock", ["zone", "sku", "product", "count>"], rows))


def minor_units(typed: str, option: str = "--price") -> int:
    """From "250" to 250.  A decimal is refused: which minor unit it means depends on the currency."""
    if re.fullmatch(r"\d{1,15}", typed, re.ASCII):
        return int(typed)
    try:
        value = Decimal(typed.replace(",", "."))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise BadInputError(f"{option}: {typed!r} is no amount", "write minor units, such as 250 for 2.50")
    if value < 0:
        raise BadInputError(f"{option}: {typed} is negative", "write minor units from 0, such as 250 for 2.50")
    raise BadInputError(
        f"{option}: {typed!r} is not a whole number of minor units",
        f"write {int(value * 100)} if the currency has cents (250 for 2.50)",
    )


def _check(sku: str, name: str, tax: str, zone: str | None, count: int | None) -> None:
    if not SKU.fullmatch(sku):
        raise BadInputError(f"SKU: {sku!r} is none", "1 to 40 letters or digits, then also . _ -")
    if not name.strip() or len(name) > MAX_NAME:
        raise BadInputError(f"--name: has 1 to {MAX_NAME} characters")
    if not tax.strip() or len(tax) > 40:
        raise BadInputError("--tax: has 1 to 40 characters")
    if zone is None and count is not None:
        raise BadInputError("--count: of which shelf?", "add --zone")
    if zone is not None and not re.fullmatch(r"[0-9A-Za-z_.-]{1,64}", zone, re.ASCII):
        raise BadInputError(f"zone: {zone!r} is no shelf's id", "cabinet status shows the zones")


def _mass(option: str, value: float) -> float:
    if not (math.isfinite(value) and 0 < value <= MAX_MASS_G):
        raise BadInputError(f"{option}: is {value:g}, must be above 0 and at most {MAX_MASS_G:,.0f} grams")
    return value


def _grams(product: dict[str, object]) -> str:
    spread = product.get("mass_sd_g")
    return f"{product.get('mass_g'):g} g" + (f" ± {spread:g}" if isinstance(spread, int | float) else "")
