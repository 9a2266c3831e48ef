"""`cabinet sim`: people at a simulated cabinet, by the thousand or one story at a time.  A file a command."""

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="A simulated cabinet that obeys physics: campaigns, stories, labelled traces. Needs no daemon.",
)

from cabinet.cli.simulate.campaign import campaign  # noqa: E402  each command needs the app
from cabinet.cli.simulate.labelled import traces  # noqa: E402  likewise
from cabinet.cli.simulate.play import play, replay  # noqa: E402  likewise
from cabinet.cli.simulate.stories import stories  # noqa: E402  likewise

app.command(epilog="Example: cabinet sim campaign --visits 1000 --seed 7 --mix all --json")(campaign)
app.command(epilog="Example: cabinet sim replay 33000935")(replay)
app.command(epilog="Example: cabinet sim stories 17-magnet")(stories)
app.command(epilog="Example: cabinet sim play my.story --depth true")(play)
app.command(epilog="Example: cabinet sim traces out/ --mix hostile -n 200 --seed 7 --frames")(traces)
