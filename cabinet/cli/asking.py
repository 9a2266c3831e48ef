"""Questions to the person at the terminal, all on stderr so that stdout stays data."""

import typer

from cabinet.cli import words
from cabinet.cli.errors import RefusedError


def sure(question: str, *, yes: bool, nothing: str) -> None:
    """Return only with a yes; silence is a no.  Raises RefusedError saying that `nothing` was done."""
    if yes:
        return
    try:
        agreed = typer.confirm(words.clean(question), default=False, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise RefusedError(nothing, "answer y, or add --yes")


def ready(what: str) -> None:
    """Wait for the Enter key.  Raises RefusedError where nobody can press it."""
    typer.echo(words.clean(what), err=True)
    line = _line("   press Enter when it is so ")
    if line is None:
        raise RefusedError("nobody answered", "use a terminal, or one --step after the other")


def grams(what: str) -> str:
    """What was typed."""
    line = _line(f"{words.clean(what)} ")
    if line is None:
        raise RefusedError("nobody answered", "name the masses: --masses 1000,5000")
    return line.strip()


def _line(prompt: str) -> str | None:
    typer.echo(prompt, nl=False, err=True)
    line = typer.get_text_stream("stdin").readline()
    return line or None
