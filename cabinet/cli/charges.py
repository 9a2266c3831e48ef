"""`cabinet charges`: money back, a bill put right, a dispute, and what is still charged.

Amounts are typed as people write them, in the visit's currency; the daemon is asked which that is.  Nothing is sent
that cannot be right.
"""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cabinet.cli import show, words
from cabinet.cli.errors import BadInputError
from cabinet.cli.place import ConfigFile, SocketPath, socket_of
from cabinet.cli.visit_id import is_visit_id, visit_id

if TYPE_CHECKING:
    from rich.console import RenderableType

Visit = Annotated[str, typer.Argument(metavar="VISIT", help="The visit's id (26 letters and digits), or: last")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Kept for ever, and told to the cloud.")]
Id = Annotated[
    str | None,
    typer.Option("--id", metavar="ULID", help="The same id twice is one change; default: a new one is drawn."),
]

PACKED_S = 300.0  # every still is looked at for faces before it is handed out

app = typer.Typer(no_args_is_help=True, help="Charges: refund, correct, dispute; what is still charged.")


@app.command("list", epilog="Example: cabinet charges list --disputed")
def list_charges(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many, the newest first.")] = 20,
    disputed: Annotated[bool, typer.Option("--disputed", help="Only those with a dispute.")] = False,
    refunded: Annotated[bool, typer.Option("--refunded", help="Only those with money given back.")] = False,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """The newest charges: what was charged, given back, and is still charged."""
    if disputed and refunded:
        raise BadInputError("--disputed and --refunded: give one of them")
    data = show.ask(socket_of(config, socket), "charges.list", limit=limit, disputed=disputed, refunded=refunded)
    if json:
        show.as_json(data)
        return
    charges = data.get("charges") or []
    if not charges:
        typer.echo("no such charges")
        return
    now_ms = time.time() * 1000
    rows = [
        (
            one.get("visit"), words.when(one.get("opened_wall_ms"), now_ms), one.get("member"),
            *(_money(one, key) for key in ("charged_minor", "back_minor", "still_minor")),
            f"answer due {words.when(one.get('due_wall_ms'), now_ms)}" if one.get("disputed") else "-",
            _queued(one),
        )
        for one in charges
    ]  # fmt: skip  # a row
    columns = ["visit", "opened", "member", "charged>", "given back>", "still>", "dispute", "the cloud"]
    show.console().print(show.table("Charges", columns, rows))


@app.command("show", epilog="Example: cabinet charges show last")
def show_charge(visit: Visit, config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """One charge: the bill, refunds and corrections, the dispute, and what is still charged."""
    path = socket_of(config, socket)
    data = show.ask(path, "charges.show", visit=visit_id(path, visit))
    if json:
        show.as_json(data)
    else:
        show.console().print(_picture(data))


@app.command("refund", epilog='Example: cabinet charges refund last --amount 1.20 --reason "the seal was broken"')
def refund(
    visit: Visit,
    reason: Reason,
    *,
    amount: Annotated[str | None, typer.Option("--amount", metavar="1.20", help="In the visit's currency.")] = None,
    whole: Annotated[bool, typer.Option("--all", help="Everything that is still charged.")] = False,
    line: Annotated[
        list[str] | None,
        typer.Option("--line", metavar="SKU[=QTY]", help="What so many units cost (1 without QTY); may be repeated."),
    ] = None,
    change_id: Id = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Give money back: an amount, everything, or what single units cost. Never more than was charged."""
    if [amount is not None, whole, bool(line)].count(True) != 1:
        raise BadInputError("how much is to be given back?", "give one of --amount, --all and --line")
    how: dict[str, Any] = {"all": True} if whole else {"lines": _counts(line or [], "--line", default=1, low=1)}
    path, about = _begin(visit, reason, change_id, socket_of(config, socket))
    if amount is not None:
        currency = str(show.ask(path, "charges.show", visit=about["visit"]).get("currency"))
        how = {"amount_minor": minor(amount, currency)}
    _tell(show.ask(path, "charges.refund", **about, **how), "given back", as_json=json)


@app.command("correct", epilog='Example: cabinet charges correct last --set 070847811169=1 --reason "counted twice"')
def correct(
    visit: Visit,
    reason: Reason,
    quantities: Annotated[
        list[str], typer.Option("--set", metavar="SKU=QTY", help="What ought to be on the bill; may be repeated.")
    ],
    change_id: Id = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Put a bill right, downwards only: priced anew by the visit's own price list, and the difference given back."""
    counts = _counts(quantities, "--set", default=None, low=0)
    path, about = _begin(visit, reason, change_id, socket_of(config, socket))
    _tell(show.ask(path, "charges.correct", **about, set=counts), "given back by a new bill", as_json=json)


@app.command("dispute", epilog='Example: cabinet charges dispute last --reason "says it was not her"')
def dispute(
    visit: Visit,
    reason: Reason,
    change_id: Id = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Open a dispute: the recording is packed as evidence, and an answer is due within 7 days."""
    path, about = _begin(visit, reason, change_id, socket_of(config, socket))
    data = show.ask(path, "charges.dispute", timeout_s=PACKED_S, doing="packing the evidence", **about)
    if json:
        show.as_json(data)
        return
    change = data.get("change") or {}
    due = words.when(change.get("due_ms"), time.time() * 1000)
    evidence = change.get("evidence")
    what = f"evidence disputes/{evidence}" if evidence else "no evidence: the recording is no longer kept"
    was = "was disputed before" if data.get("again") else "is disputed"
    show.done(f"{data.get('visit')} {was}: {what}, an answer is due {due}")


def minor(amount: str, currency: str) -> int:
    """`1.20` in USD is 120: with the currency's own digits at most, above zero.  Raises BadInputError."""
    places = words.EXPONENTS.get(currency, 2)
    found = re.fullmatch(r"(\d{1,12})(?:\.(\d{1,4}))?", amount.strip(), re.ASCII)
    if found is None:
        raise BadInputError(f"--amount: {amount!r} is no amount", f"such as {words.money(120, currency)}, with a point")
    whole, part = found.group(1), found.group(2) or ""
    if len(part) > places:
        raise BadInputError(f"--amount: {amount!r} has more than {places} digits behind the point", f"in {currency}")
    total = int(whole + part.ljust(places, "0"))
    if total == 0:
        raise BadInputError(f"--amount: {amount!r} is nothing", "give an amount above 0")
    return total


def _begin(visit: str, reason: str, change_id: str | None, path: Path) -> tuple[Path, dict[str, Any]]:
    if not reason.strip():
        raise BadInputError("--reason: is empty", "say why, for whoever reads it later")
    if change_id is not None and not is_visit_id(change_id):
        raise BadInputError(f"--id: {change_id!r} is no ULID", "26 letters and digits, or leave it out")
    about: dict[str, Any] = {"visit": visit_id(path, visit), "reason": reason}
    return path, about if change_id is None else {**about, "id": change_id.upper()}


def _counts(given: list[str], option: str, *, default: int | None, low: int) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in given:
        sku, there, typed = one.partition("=")
        if not there and default is not None:
            typed = str(default)
        if not sku or not re.fullmatch(r"\d{1,4}", typed, re.ASCII) or int(typed) < low:
            raise BadInputError(f"{option}: {one!r} is not SKU=QTY", f"such as 070847811169={max(low, 1)}")
        if sku in counts:
            raise BadInputError(f"{option}: {sku} is there twice")
        counts[sku] = int(typed)
    return counts


def _tell(data: dict[str, Any], done: str, *, as_json: bool) -> None:
    if as_json:
        show.as_json(data)
        return
    change = data.get("change") or {}
    amount = words.money(change.get("back_minor"), data.get("currency"))
    before = " (done before, not again)" if data.get("again") else ""
    show.done(f"{data.get('visit')}: {amount} {done}{before}, {_money(data, 'still_minor')} still charged")


def _money(data: dict[str, Any], key: str) -> str:
    return words.money(data.get(key), data.get("currency"))


def _queued(data: dict[str, Any]) -> str:
    if data.get("queued"):
        return "the charge waits for it"
    return "knows the charge, not yet every change" if data.get("waiting") else "knows it"


def _picture(data: dict[str, Any]) -> "RenderableType":
    now_ms = time.time() * 1000
    parts: list[RenderableType] = [
        show.facts(
            [
                ("visit", data.get("visit")),
                ("member", data.get("member") or "-"),
                ("opened", words.when(data.get("opened_wall_ms"), now_ms)),
                ("charged", _money(data, "charged_minor")),
                ("given back", _money(data, "back_minor")),
                ("still charged", _money(data, "still_minor")),
                ("the cloud", _queued(data)),
            ]
        )
    ]
    rows = [
        (
            one.get("kind"), words.money(one.get("back_minor"), data.get("currency")), one.get("reason"),
            one.get("who"), words.when(one.get("wall_ms"), now_ms), one.get("id"),
        )
        for one in data.get("changes") or []
    ]  # fmt: skip  # a row
    if rows:
        parts += ["", show.table("What became of it", ["what", "given back>", "why", "who", "when", "id"], rows)]
    dispute_now = data.get("dispute")
    if dispute_now:
        parts += [
            show.text(f"answer due {words.when(dispute_now.get('due_ms'), now_ms)}", "yellow"),
            show.text(f"evidence {dispute_now.get('evidence') or '-'} {dispute_now.get('evidence_hash') or ''}"),
        ]
    if data.get("receipt"):
        parts += ["", show.text_lines(data["receipt"])]
    return show.group(parts)
