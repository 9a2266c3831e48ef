"""`cabinet cloud refund`, `settle`, `write-off`, `answer`, `block`, `wallet`: what a person decides about money.

Everything they need is imported by the command itself.  Amounts are whole minor units, as in every table of ours.
"""

import contextlib
import getpass
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from cabinet.cli import show, words
from cabinet.cli.cloud.running import Db, place
from cabinet.cli.errors import BadInputError, RefusedError

if TYPE_CHECKING:
    from cabinet.cloud.money.office import Office

app = typer.Typer()
wallets = typer.Typer(no_args_is_help=True, help="The payment provider's tokens of members.")
EXAMPLE: Final = "Example: cabinet cloud wallet set ada --customer cus_1 --method pm_1 --db cloud.db"
app.add_typer(wallets, name="wallet", epilog=EXAMPLE)

Visit = Annotated[str, typer.Argument(metavar="VISIT", help="The visit's id, as on the receipt.")]
Member = Annotated[str, typer.Argument(metavar="MEMBER")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Kept beside it, for whoever asks later.")]
Who = Annotated[str | None, typer.Option("--who", metavar="NAME", help="Who decides this; else your login's name.")]

Outcome = Literal["refund", "refuse"]


@app.command("refund", epilog="Example: cabinet cloud refund VISIT --amount 250 --reason stale --db cloud.db")
def refund(
    visit: Visit, db: Db, reason: Reason,
    amount: Annotated[int, typer.Option("--amount", metavar="MINOR", min=1, help="In minor units: 250 is 2.50.")],
    who: Who = None, json: show.AsJson = False,
) -> None:  # fmt: skip  # a list
    """Give back at most what is left of the charge; what is not captured yet is captured that much less."""
    with office(db) as desk:
        name = desk.refund(visit, amount, reason, _who(who), now_ms())
    _tell(json, {"visit": visit, "refund": name, "back_minor": amount}, f"{amount} minor units booked as {name}")


@app.command("settle", epilog="Example: cabinet cloud settle VISIT --capture 450 --reason 'one can' --db cloud.db")
def settle(
    visit: Visit, db: Db, reason: Reason,
    capture: Annotated[int | None, typer.Option("--capture", metavar="MINOR", min=0, help="In minor units.")] = None,
    release: Annotated[bool, typer.Option("--release", help="Capture nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Put aside what hangs, and try the next step now.")] = False,
    who: Who = None, json: show.AsJson = False,
) -> None:  # fmt: skip  # a list
    """Decide what a visit in doubt costs; or, with --again, let a payment go on that waits for a person."""
    if (capture is not None) + release + again != 1:
        raise BadInputError("one of --capture, --release and --again is needed", "see cabinet cloud settle --help")
    with office(db) as desk:
        payment = (
            desk.again(visit, now_ms()) if again else desk.settle(visit, capture or 0, reason, _who(who), now_ms())
        )
    _tell(json, {"visit": visit, "state": payment.state, "due_minor": payment.due_minor}, f"{visit}: {payment.state}")


@app.command("write-off", epilog="Example: cabinet cloud write-off VISIT --reason 'moved away' --db cloud.db")
def write_off(visit: Visit, db: Db, reason: Reason, who: Who = None, json: show.AsJson = False) -> None:
    """Ask for the rest of a debt no more; its member is let in again."""
    with office(db) as desk:
        minor = desk.write_off(visit, reason, _who(who), now_ms())
    _tell(json, {"visit": visit, "writeoff_minor": minor}, f"{minor} minor units of {visit} written off")


@app.command("answer", epilog="Example: cabinet cloud answer DISPUTE --outcome refund --reason agreed --db cloud.db")
def answer(
    dispute: Annotated[str, typer.Argument(metavar="DISPUTE", help="Its id, from cabinet cloud disputes.")],
    db: Db, reason: Reason,
    outcome: Annotated[Outcome, typer.Option("--outcome", help="Give all that is left back, or refuse.")],
    who: Who = None, json: show.AsJson = False,
) -> None:  # fmt: skip  # a list
    """Answer a dispute, once."""
    with office(db) as desk:
        back = desk.answer(dispute, outcome, reason, _who(who), now_ms())
    told = {"dispute": dispute, "outcome": outcome, "back_minor": back}
    _tell(json, told, f"answered: {outcome}, {back} minor units go back")


@app.command("block", epilog="Example: cabinet cloud block ada --reason 'broke the door' --db cloud.db")
def block(member: Member, db: Db, reason: Reason, json: show.AsJson = False) -> None:
    """Put a member on the deny list of every cabinet."""
    with office(db) as desk:
        desk.block(member, reason, now_ms())
    _tell(json, {"member": member, "blocked": True}, f"{member} is let in nowhere")


@app.command("unblock", epilog="Example: cabinet cloud unblock ada --db cloud.db")
def unblock(member: Member, db: Db, json: show.AsJson = False) -> None:
    """Take a member off the deny list; a debt still blocks."""
    with office(db) as desk:
        was = desk.unblock(member)
    _tell(json, {"member": member, "was_blocked": was}, f"{member} {'is off' if was else 'was not on'} the deny list")


@wallets.command("set", epilog=EXAMPLE)
def wallet_set(
    member: Member, db: Db,
    customer: Annotated[str, typer.Option("--customer", metavar="TOKEN", help="The provider's customer.")],
    method: Annotated[str, typer.Option("--method", metavar="TOKEN", help="The provider's payment method.")],
    json: show.AsJson = False,
) -> None:  # fmt: skip  # a list
    """Keep by which tokens a member pays; never a card's number."""
    with office(db) as desk:
        desk.set_wallet(member, customer, method, now_ms())
    _tell(json, {"member": member, "wallet": True}, f"{member} pays by {words.clean(customer)}")


@contextlib.contextmanager
def office(db: str) -> "Iterator[Office]":
    """On the books that are there already.  What the books refuse is told as such."""
    from cabinet.cloud.books import open_books  # noqa: PLC0415  # its drivers take their time
    from cabinet.cloud.money.office import Office, RefusedHereError  # noqa: PLC0415  # likewise
    from cabinet.ledger.errors import LedgerError  # noqa: PLC0415  # likewise

    where: str | Path = place(db)
    try:
        with contextlib.closing(open_books(where)) as books:
            yield Office(books)
    except RefusedHereError as error:
        raise RefusedError(str(error), "cabinet cloud visit VISIT shows where it stands") from error
    except LedgerError as error:
        raise RefusedError(str(error)) from error


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _who(name: str | None) -> str:
    return name or getpass.getuser()


def _tell(json: bool, data: dict[str, object], said: str) -> None:
    if json:
        show.as_json(data)
    else:
        show.done(said)
