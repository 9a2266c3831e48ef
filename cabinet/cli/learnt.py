"""What the cabinet has learnt: `catalog masses` and `forget-mass`, `stock strays`, `shadow show`."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cabinet.cli import show, words
from cabinet.cli.errors import RefusedError
from cabinet.cli.goods import Sku, catalog, stock
from cabinet.cli.outfile import save_figure
from cabinet.cli.place import ConfigFile, SocketPath, socket_of

app = typer.Typer(no_args_is_help=True, help="Other ways to judge a visit, tried beside the tally and never billed.")
Row = dict[str, Any]


@catalog.command("masses", epilog="Example: cabinet catalog masses --picture masses.png")
def masses(
    picture: Annotated[Path | None, typer.Option("--picture", metavar="PNG", help="Draw how far each is off.")] = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """What each product weighs: the catalogue, and what restocks and certain visits have taught."""
    data = show.ask(socket_of(config, socket), "catalog.masses")
    if picture is not None:
        draw(data, picture)
    if json:
        show.as_json(data)
        return
    rows = data.get("masses", [])
    if not rows:
        typer.echo("the catalogue is empty: cabinet catalog add --help")
        return
    now_ms = time.time() * 1000
    table = [
        (
            row.get("sku"), row.get("name"), _grams(row.get("catalogue_g"), row.get("catalogue_sd_g")),
            _grams(row.get("learnt_g"), row.get("learnt_sd_g")), _off(row), row.get("units"),
            words.yes_no(row.get("in_use"), "yes", "no"),
            words.ago(row.get("last_wall_ms"), now_ms) if row.get("last_wall_ms") else "-",
        )
        for row in rows
    ]  # fmt: skip  # a row
    columns = ["sku", "product", "catalogue>", "learnt>", "off>", "units>", "used", "last learnt"]
    show.console().print(show.table("Masses", columns, table))
    for row in rows:
        for text in (row.get("notice"), row.get("doubt") and f"{row.get('sku')}: {row.get('doubt')}"):
            if text:
                typer.secho(f"  note: {words.clean(text)}", fg="yellow")
    if picture is not None:
        typer.echo(f"picture: {picture}")


@catalog.command("forget-mass", epilog="Example: cabinet catalog forget-mass 070847811169")
def forget_mass(sku: Sku, config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """Forget what was learnt of a product's mass: the catalogue's counts again, until the next restock."""
    data = show.ask(socket_of(config, socket), "catalog.forget_mass", sku=sku)
    if json:
        show.as_json(data)
    elif data.get("forgotten"):
        show.done(f"the learnt mass of {data.get('sku')} is forgotten: the catalogue's counts again")
    else:
        show.done(f"nothing was learnt of {data.get('sku')}")


@stock.command("strays", epilog="Example: cabinet stock strays --json")
def strays(config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """Goods that stand where the planogram has none; those often found there are proposed for it."""
    data = show.ask(socket_of(config, socket), "stock.strays")
    if json:
        show.as_json(data)
    elif data.get("strays"):
        tell_strays(data["strays"])
    else:
        show.done("nothing is known to stand in a wrong place")


def tell_strays(rows: list[Row]) -> None:
    """For `stock strays`, and for whoever has just opened the door to tidy up."""
    now_ms = time.time() * 1000
    table = [
        (
            row.get("zone"), row.get("sku"), row.get("name"), row.get("count") or "some?", row.get("found"),
            words.ago(row.get("since_wall_ms"), now_ms), row.get("since_visit"),
        )
        for row in rows
    ]  # fmt: skip  # a row
    columns = ["zone", "sku", "product", "count>", "found>", "since", "since visit"]
    show.console().print(show.table("Not where the planogram has them", columns, table))
    for row in rows:
        if row.get("proposed"):
            zone, sku = words.clean(row.get("zone")), words.clean(row.get("sku"))
            typer.echo(f"  proposed for the planogram: {sku} in {zone}, found there {row.get('found')} times")


@app.command("show", epilog="Example: cabinet shadow show --json")
def shadow(config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """How often each heuristic in shadow agreed with the bill, and how often it would have charged more or less."""
    data = show.ask(socket_of(config, socket), "shadow.show")
    if json:
        show.as_json(data)
        return
    rows = data.get("shadow", [])
    if not rows:
        running = ", ".join(data.get("running", []))
        typer.echo(f"no visit yet beside {running}" if running else 'nothing runs in shadow: [tally] shadow = ["mps"]')
        return
    table = [
        (
            row.get("name"), row.get("visits"), row.get("agreed"), _share(row),
            row.get("more"), row.get("less"), row.get("failed"),
            words.yes_no(row.get("name") in data.get("running", []), "yes", "no"),
        )
        for row in rows
    ]  # fmt: skip  # a row
    columns = ["name", "visits>", "agreed>", "share>", "charged more>", "charged less>", "failed>", "runs now"]
    show.console().print(show.table("In shadow, never billed", columns, table))


def draw(data: Row, path: Path) -> None:
    """How far each learnt mass is from the catalogue's, with its spread."""
    rows = [row for row in data.get("masses", []) if row.get("learnt_g")]
    if not rows:
        raise RefusedError("--picture: no mass was learnt yet", "restock, and count: cabinet stock set")
    from matplotlib.figure import Figure  # noqa: PLC0415  a second

    figure = Figure(figsize=(8, 1.5 + 0.35 * len(rows)), layout="constrained")
    axes = figure.subplots()
    off = [100 * (row["learnt_g"] / row["catalogue_g"] - 1) for row in rows]
    spread = [100 * row["learnt_sd_g"] / row["catalogue_g"] for row in rows]
    axes.axvspan(-5, 5, color="0.93")
    axes.axvline(0, color="0.6", linewidth=1)
    axes.errorbar(off, range(len(rows)), xerr=spread, fmt="o", color="#2a6f97", capsize=3)
    labels = [f"{words.clean(row['name'])[:28]} ({row['catalogue_g']:g} g, {row['units']} units)" for row in rows]
    axes.set_yticks(range(len(rows)), labels, fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel="learnt mass beside the catalogue's, per cent; bars: one unit's sd; grey: not told to anybody")
    save_figure(figure, path)


def _share(row: Row) -> str:
    visits = row.get("visits") or 0
    return words.percent((row.get("agreed") or 0) / visits) if visits else "-"


def _grams(mass_g: object, sd_g: object) -> str:
    if not isinstance(mass_g, int | float):
        return "-"
    return f"{mass_g:.1f} g" + (f" ± {sd_g:.1f}" if isinstance(sd_g, int | float) else "")


def _off(row: Row) -> Any:  # noqa: ANN401  # rich's Text, which nobody imports for its name
    share = row.get("off_share")
    if not isinstance(share, int | float) or not row.get("learnt_g"):
        return "-"
    return show.text(f"{100 * share:+.1f} %", "yellow" if row.get("notice") else "")
