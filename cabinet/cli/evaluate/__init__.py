"""`cabinet eval`: how right the cabinet's eyes are, on pictures whose truth is known.  A file a command; no daemon."""

import typer

app = typer.Typer(no_args_is_help=True, help="Measure recognition on pictures whose truth is known. Needs no daemon.")

from cabinet.cli.evaluate.faces import faces  # noqa: E402  likewise
from cabinet.cli.evaluate.frames import frames  # noqa: E402  likewise
from cabinet.cli.evaluate.items import items  # noqa: E402  each command needs the app

app.command(epilog="Example: cabinet eval items --gallery refs/ --queries shop/ --json")(items)
app.command(epilog="Example: cabinet eval frames bottles.mp4 --truth truth.json --json")(frames)
from cabinet.cli.evaluate.states import states  # noqa: E402  likewise

app.command(epilog="Example: cabinet eval states vending_states/ --json")(states)
from cabinet.cli.evaluate.tally import tally  # noqa: E402  likewise

app.command(epilog="Example: cabinet eval tally traces/ --picture tally.png --json")(tally)
app.command(epilog="Example: cabinet eval faces --enrol members/ --probe visits/ --json")(faces)
