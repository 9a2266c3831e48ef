"""What the catalogue knows by sight: photographs taken now, look-alikes as text and as a picture."""

import base64
import binascii
from pathlib import Path
from typing import Any, Final

import typer

from cabinet.cli import show, words
from cabinet.cli.errors import RefusedError
from cabinet.cli.outfile import save_figure

CAMERA_S: Final = 30.0  # a camera opened again takes some
TEXT_MAP: Final = 16  # products whose map still fits into a terminal
SHOWN: Final = 20  # pairs in the table
NAMED: Final = 60  # products whose names still fit beside a map

Data = dict[str, Any]


def captured(socket: Path, camera: str, shots: int) -> list[str]:
    """Photographs through the running daemon, base64 as it takes them; the person turns the product in between."""
    taken = []
    for n in range(1, shots + 1):
        typer.prompt(
            f"{n} of {shots}: show the product, turned a little, then Enter", default="", show_default=False, err=True
        )
        data = show.ask(
            socket, "camera.snapshot", camera=camera, draw=False, timeout_s=CAMERA_S, doing="taking a picture"
        )
        content = next((value for key, value in data.items() if key.endswith("_b64") and isinstance(value, str)), None)
        if content is None:
            raise RefusedError(f"the camera {camera} gave no picture", "cabinet camera list")
        taken.append(content)
    return taken


def save(path: Path, content: str) -> None:
    try:
        path.write_bytes(base64.b64decode(content, validate=True))
    except (OSError, binascii.Error) as error:
        raise RefusedError(
            f"--picture: {path} cannot be written ({error})", "name a file in a folder of yours"
        ) from error


def tell(data: Data) -> None:
    """The pairs as a table, a small catalogue's map as text, what has no references."""
    pairs = data.get("pairs", [])
    console = show.console()
    if not pairs:
        typer.echo("no two products look alike")
    else:
        rows = [
            (
                f"{p.get('sku')} {p.get('name')}", f"{p.get('other')} {p.get('other_name')}",
                f"{p.get('share', 0):.0%}",
                f"{p.get('mass_apart_g')} g", f"{p.get('needed_g')} g",
                show.text(p.get("told_apart_by"), "red" if p.get("told_apart_by") == "nothing" else ""),
            )
            for p in pairs[:SHOWN]
        ]  # fmt: skip  # a row
        columns = ["product", "looks like", "mixed up>", "masses apart>", "needed>", "told apart by"]
        console.print(show.table("Taken for each other by sight, estimated", columns, rows))
        more = len(pairs) - SHOWN + int(data.get("more_pairs", 0))
        if more > 0:
            typer.echo(f"and {more} more: --json")
    skus, grid = data.get("skus", []), data.get("map", [])
    if 1 < len(skus) <= TEXT_MAP:
        rows = [
            (sku, *("·" if n == k else _cell(share) for k, share in enumerate(row)))
            for n, (sku, row) in enumerate(zip(skus, grid, strict=True))
        ]
        console.print(
            show.table("Percent of the row's product taken for the column's", ["", *(f"{s[-5:]}>" for s in skus)], rows)
        )
    for key, said in (("without_references", "no pictures of"), ("few_references", "fewer than three pictures of")):
        if data.get(key):
            typer.secho(f"  note: {said} {words.clean(', '.join(data[key]))}", fg="yellow")


def draw(data: Data, path: Path) -> None:
    """The map as a PNG, with small pictures where they fit.  Raises RefusedError."""
    import io  # noqa: PLC0415  with what draws

    import numpy as np  # noqa: PLC0415  likewise
    from matplotlib.figure import Figure  # noqa: PLC0415  a second
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage  # noqa: PLC0415  likewise
    from PIL import Image  # noqa: PLC0415  likewise

    skus = data.get("skus", [])
    if not skus:
        raise RefusedError("--picture: no map of none, or of so many products", "the table names the worst pairs")
    side = 4 + 0.4 * min(len(skus), NAMED)
    figure = Figure(figsize=(side, side - 1), layout="constrained")
    axes = figure.subplots()
    shown = axes.imshow(data["map"], vmin=0, vmax=0.5, cmap="magma_r")
    figure.colorbar(shown, ax=axes, label="share taken for the other, estimated", shrink=0.7)
    labels = [f"{name[:22]}\n{sku}" for sku, name in zip(skus, data["names"], strict=True)]
    if len(skus) <= NAMED:
        axes.set_xticks(range(len(skus)), labels, rotation=90, fontsize=7)
        axes.set_yticks(range(len(skus)), labels, fontsize=7)
    axes.set(xlabel="taken for", ylabel="is")
    for n, content in enumerate(data.get("pictures", [])):
        if content is not None:
            small = Image.open(io.BytesIO(base64.b64decode(content)))
            small.thumbnail((40, 40))
            axes.add_artist(AnnotationBbox(OffsetImage(np.asarray(small), zoom=0.6), (n, n), frameon=False))
    save_figure(figure, path)


def _cell(share: float) -> str:
    return "" if share < 0.005 else f"{100 * share:.0f}"
