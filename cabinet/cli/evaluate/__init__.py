"""`cabinet eval`: how right the cabinet's eyes are, on pictures with a known truth.  A file a command; needs no daemon."""

import typer

app = typer.Typer(no_args_is_help=True, help="Measure recognition on pictures whose truth is known. Needs no daemon.")
