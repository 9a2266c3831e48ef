"""`cabinet cloud …`: the far end's own commands, in rooms by topic."""

import typer

from cabinet.cli.cloud.accounts import app as accounts
from cabinet.cli.cloud.money import app as money
from cabinet.cli.cloud.roster import app as roster
from cabinet.cli.cloud.running import app as running
from cabinet.cli.cloud.standing import app as standing

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="The far end: store every event once and confirm it.")
for room in (running, standing, accounts, money, roster):
    app.registered_commands += room.registered_commands
    app.registered_groups += room.registered_groups
