"""How answers reach the terminal.  Rich is imported by the first table, never for --json.

What the daemon sends is text of people and devices: it is cleaned of control characters and never read as markup.
"""

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cabinet.cli import words
from cabinet.cli.client import ANSWER_S, Client
from cabinet.cli.errors import CliError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

IDS: Final = {"visit", "member"}  # columns of ids that must stay in one piece to be copied
PATIENCE_S: Final = 2.0  # a wait beyond this says so

AsJson = Annotated[bool, typer.Option("--json", help="Print the data as JSON and nothing else.")]


def ask(path: Path, op: str, *, timeout_s: float = ANSWER_S, doing: str = "", **args: object) -> dict[str, Any]:
    """One question to the daemon; says that it waits where that takes longer than two seconds."""
    with Client(path) as client, patience(doing or "waiting for the daemon", timeout_s) as waiting:
        return client.ask(op, args, timeout_s=timeout_s, waiting=waiting)


@contextlib.contextmanager
def patience(doing: str, timeout_s: float) -> Iterator[Callable[[float], None]]:
    with contextlib.ExitStack() as stack:
        begun = False

        def waiting(passed_s: float) -> None:
            nonlocal begun
            if begun or passed_s < PATIENCE_S:
                return
            begun = True
            text = f"{doing}, for at most {timeout_s:g} s …"
            if sys.stderr.isatty():
                from rich.console import Console  # noqa: PLC0415  # rarely needed

                stack.enter_context(Console(stderr=True).status(text))
            else:
                typer.echo(text, err=True)

        yield waiting


def as_json(data: object) -> None:
    typer.echo(json.dumps(data, indent=2))


def complain(error: CliError) -> None:
    """On stderr, so that stdout stays JSON or nothing."""
    typer.secho(f"cabinet: {words.clean_lines(error)}", err=True, fg="red")
    if error.remedy:
        typer.secho(f"  → {words.clean_lines(error.remedy)}", err=True)


def console() -> "Console":
    from rich.console import Console  # noqa: PLC0415  # 0.1 s, for tables only

    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, width=200)  # a pipe has no width to keep to


def text(value: object, style: str = "") -> "Text":
    from rich.text import Text  # noqa: PLC0415  # likewise

    return Text(words.clean(value), style=style)


def text_lines(value: object) -> "Text":
    from rich.text import Text  # noqa: PLC0415  # likewise

    return Text(words.clean_lines(value))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> "Table":
    """A column whose name ends in `>` is aligned right.  Cells are values or rich Texts."""
    from rich import box  # noqa: PLC0415  # likewise
    from rich.table import Table  # noqa: PLC0415  # likewise
    from rich.text import Text  # noqa: PLC0415  # likewise

    made = Table(title=title or None, box=box.ROUNDED, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        right = column.endswith(">")
        made.add_column(
            column.rstrip(">"), justify="right" if right else "left", no_wrap=right or column in IDS, overflow="fold"
        )
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else text("-" if cell is None else cell) for cell in row))
    return made


def facts(pairs: Iterable[tuple[str, object]]) -> "Table":
    """Names left, values right of them."""
    from rich.table import Table  # noqa: PLC0415  # likewise
    from rich.text import Text  # noqa: PLC0415  # likewise

    made = Table.grid(padding=(0, 2))
    for name, value in pairs:
        made.add_row(text(name, "bright_black"), value if isinstance(value, Text) else text(value))
    return made


def group(parts: Iterable["RenderableType"]) -> "RenderableType":
    from rich.console import Group  # noqa: PLC0415  # likewise

    return Group(*parts)


def done(said: str) -> None:
    typer.secho(f"✓ {words.clean(said)}", fg="green")
