"""The table of commands, and the one place where a refusal becomes words on stderr and an exit code.

Exit codes: 0 fine; 1 refused or failed; 2 wrong usage or input, nothing was sent; 3 no daemon answers.
"""

from typing import Any

import typer
from typer.core import TyperGroup

from cabinet.cli import (
    board,
    camera,
    charges,
    cloud,
    evaluate,
    goods,
    learnt,
    member_codes,
    members,
    prices,
    scale,
    service,
    show,
    simulate,
    start,
    technicians,
    trust,
    visits,
)
from cabinet.cli.audit import audit
from cabinet.cli.doctor import doctor
from cabinet.cli.errors import CliError
from cabinet.cli.replay import replay
from cabinet.cli.screen import screen
from cabinet.cli.status import status


class Refusing(TyperGroup):
    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  # the context's class is private to typer
        try:
            return super().invoke(ctx)
        except CliError as error:
            show.complain(error)
            raise typer.Exit(error.code) from error


app = typer.Typer(
    cls=Refusing,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would print names and tokens of the local variables
    help="The technician's command line of the smart cabinet. Exit codes: 0 fine, 1 refused or failed, 2 wrong input, "
    "3 no daemon answers.",
    epilog="Example: cabinet status --follow",
)
app.command(epilog="Example: cabinet status --follow")(status)
app.command(epilog="Example: cabinet doctor --config /etc/cabinet/cabinet.toml")(doctor)
app.add_typer(visits.app, name="visits", epilog="Example: cabinet visits list --outcome review")
app.add_typer(charges.app, name="charges", epilog="Example: cabinet charges list --refunded")
app.command(epilog="Example: cabinet outbox --json")(service.outbox)
member_codes.register(members.app)
trust.register(members.app)
app.add_typer(members.app, name="members", epilog="Example: cabinet members list")
app.add_typer(members.app, name="member", epilog="Example: cabinet member list", hidden=True)
app.add_typer(technicians.app, name="technicians", epilog="Example: cabinet technicians list")
app.add_typer(technicians.app, name="technician", epilog="Example: cabinet technician list", hidden=True)
app.add_typer(goods.catalog, name="catalog", epilog="Example: cabinet catalog list")
app.add_typer(prices.app, name="prices", epilog="Example: cabinet prices show")
app.add_typer(goods.stock, name="stock", epilog="Example: cabinet stock set s1 070847811169 6")
app.add_typer(learnt.app, name="shadow", epilog="Example: cabinet shadow show")
app.add_typer(board.app, name="board", epilog="Example: cabinet board info")
app.add_typer(camera.app, name="camera", epilog="Example: cabinet camera list")
app.add_typer(scale.app, name="scale", epilog="Example: cabinet scale watch s1")
app.command(epilog='Example: cabinet unlock --purpose restock --reason "weekly restock"')(service.unlock)
app.command(epilog="Example: cabinet run --config /etc/cabinet/cabinet.toml")(start.run)
app.command(epilog="Example: cabinet screen --config /etc/cabinet/cabinet.toml")(screen)
app.command(epilog="Example: cabinet demo --out demo-out --quick")(start.demo)
app.add_typer(evaluate.app, name="eval", epilog="Example: cabinet eval states DIR --json")
app.command(epilog="Example: cabinet replay visit.tar --json")(replay)
app.add_typer(simulate.app, name="sim", epilog="Example: cabinet sim stories")
app.command(epilog="Example: cabinet audit --edge ledger.db --ledger cloud.db --json")(audit)
app.add_typer(cloud.app, name="cloud", epilog="Example: cabinet cloud charges --db cloud.db")
app.add_typer(start.config_app, name="config", epilog="Example: cabinet config check cabinet.toml")
app.command(epilog="Example: cabinet version")(start.version)
