"""`cabinet visits`: what was bought, how the bill came about, and the evidence."""

import base64
import binascii
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cabinet.cli import show, trust, words
from cabinet.cli.errors import RefusedError
from cabinet.cli.outfile import new_file
from cabinet.cli.place import ConfigFile, SocketPath, socket_of
from cabinet.cli.privacy import Why, list_accesses
from cabinet.cli.verify import verify_visit
from cabinet.cli.visit_id import visit_id

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

Outcome = Literal["charge", "nothing", "review", "void", "serviced"]
Visit = Annotated[str, typer.Argument(metavar="VISIT", help="The visit's id (26 letters and digits), or: last")]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to write it; default: by id, here.")
]

PICTURES_S = 300.0  # every still is looked at for faces: a second or two each on a small computer

app = typer.Typer(no_args_is_help=True, help="Visits: list, show, export and verify their evidence, draw them.")
app.command("verify", epilog="Example: cabinet visits verify last")(verify_visit)
app.command("accesses", epilog="Example: cabinet visits accesses last --json")(list_accesses)
app.command("refused", epilog="Example: cabinet visits refused --limit 50")(trust.list_refused)


@app.command("list", epilog="Example: cabinet visits list --outcome review --limit 50")
def list_visits(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many, the newest first.")] = 20,
    outcome: Annotated[Outcome | None, typer.Option("--outcome", help="Only visits that ended so.")] = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """The newest visits: when, who, how they ended and what was charged."""
    data = show.ask(socket_of(config, socket), "visits.list", limit=limit, outcome=outcome)
    if json:
        show.as_json(data)
        return
    visits = data.get("visits", [])
    if not visits:
        typer.echo("no visits yet" if outcome is None else f"no visits with outcome {outcome}")
        return
    now_ms = time.time() * 1000
    rows = [
        (
            visit.get("visit"), words.when(visit.get("opened_wall_ms"), now_ms),
            visit.get("member") or visit.get("purpose"),
            _outcome(visit), words.money(visit.get("total_minor"), visit.get("currency")),
            words.percent(visit.get("confidence")), visit.get("why"),
        )
        for visit in visits
    ]  # fmt: skip  # a row
    show.console().print(show.table("Visits", ["visit", "opened", "who", "outcome", "total>", "sure>", "why"], rows))


@app.command("show", epilog="Example: cabinet visits show last")
def show_visit(visit: Visit, config: ConfigFile = None, socket: SocketPath = None, json: show.AsJson = False) -> None:
    """One visit: how it ended, the lines, the receipt, and how the bill was worked out."""
    path = socket_of(config, socket)
    data = show.ask(path, "visits.show", visit=visit_id(path, visit))
    if json:
        show.as_json(data)
    else:
        show.console().print(_picture(data))


@app.command("export", epilog="Example: cabinet visits export last --out visit.tar")
def export_visit(
    visit: Visit,
    out: Out = None,
    why: Why = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Write the visit's recording as one .tar: evidence, or a bug report. Who asked, and why, is written down.

    Header, events, stills, tally.json, evidence.json (what the charge's hash binds), and page.png: the visit on one
    page, drawn for the export where matplotlib is installed and bound by no hash. Faces on stills are blurred:
    withheld.json, signed by the cabinet, names those stills and the hashes of what they were.
    """
    _fetch(socket_of(config, socket), visit, ("visits.export", "tar_b64", ".tar"), out, why, as_json=json)


@app.command("picture", epilog="Example: cabinet visits picture last --out visit.png")
def picture_visit(
    visit: Visit,
    out: Out = None,
    why: Why = None,
    config: ConfigFile = None,
    socket: SocketPath = None,
    json: show.AsJson = False,
) -> None:
    """Write the visit on one page: the bill, curves with every change, what else it could have been, key frames.

    Faces are blurred. Who asked, and why, is written down.
    """
    _fetch(socket_of(config, socket), visit, ("visits.picture", "png_b64", ".png"), out, why, as_json=json)


def _fetch(
    path: Path, visit: str, what: tuple[str, str, str], out: Path | None, why: str | None, *, as_json: bool
) -> None:
    op, key, suffix = what
    visit = visit_id(path, visit)
    if as_json:
        show.as_json(show.ask(path, op, timeout_s=PICTURES_S, visit=visit, why=why))
        return
    out = out or Path(visit + suffix)
    with new_file(out, "--out") as file:
        data = show.ask(path, op, timeout_s=PICTURES_S, doing=f"fetching {visit}", visit=visit, why=why)
        try:
            file.write(base64.b64decode(str(data.get(key)), validate=True))
        except binascii.Error as error:
            raise RefusedError("the daemon's answer is not base64", "sudo systemctl restart cabinet") from error
    without = f", without page.png: {data.get('page_why')}" if data.get("page") is False else ""
    show.done(f"{out}, {out.stat().st_size:,} bytes{without}{_withheld(data)}")


def _withheld(data: dict[str, Any]) -> str:
    """`, 2 stills blurred`; and why stills were left out."""
    kept = data.get("withheld") or {}
    said = "".join(f", {n} stills {why}" for why, n in kept.items())
    return said + (f" ({data['blur_why']})" if data.get("blur_why") and kept.get("left out") else "")


def _kept(evidence: dict[str, Any]) -> str:
    if not evidence.get("path"):
        return "-"
    return str(evidence["path"]) if evidence.get("kept") else "no longer kept: storage.traces_days bounds it"


def _outcome(visit: dict[str, Any]) -> "Text":
    outcome = visit.get("outcome")
    return show.text(outcome or "still open", words.OUTCOMES.get(str(outcome), "cyan"))


def _picture(data: dict[str, Any]) -> "RenderableType":
    from rich.panel import Panel  # noqa: PLC0415  # for this one picture

    visit, now_ms = data.get("visit") or {}, time.time() * 1000
    currency = visit.get("currency")
    pairs: list[tuple[str, object]] = [
        ("outcome", _outcome(visit)),
        ("total", words.money(visit.get("total_minor"), currency)),
        ("why", visit.get("why") or "-"),
        ("visit", visit.get("visit")),
        ("who", f"{visit.get('member') or '-'} by {visit.get('who') or '-'}"),
        *trust.admitted(data.get("admission"), currency),
        ("purpose", f"{visit.get('purpose')} {visit.get('reason') or ''}"),
        ("opened", words.when(visit.get("opened_wall_ms"), now_ms)),
        ("closed", words.when(visit.get("closed_wall_ms"), now_ms)),
        ("confidence", words.percent(visit.get("confidence"))),
        ("prices", f"version {visit.get('price_version')}"),
        ("baseline", ", ".join(f"{z} {words.grams(g)}" for z, g in (visit.get("baseline_g") or {}).items()) or "-"),
        ("evidence", visit.get("evidence_hash") or "-"),
        ("kept in", _kept(data.get("evidence") or {})),
    ]
    parts: list[RenderableType] = [show.facts(pairs)]
    for title, key in (("Charged", "lines"), ("Best guess, not charged: a person decides", "best_guess")):
        if visit.get(key):
            parts += ["", _lines(title, visit[key], currency)]
    account = (data.get("tally") or {}).get("account") or {}
    if account.get("steps"):
        rows = [
            (step.get("zone"), f"{step.get('t', 0):.1f} s", words.grams(step.get("delta_g")), _items(step.get("items")))
            for step in account["steps"]
        ]
        parts += ["", show.table("What the shelves felt", ["zone", "after>", "change>", "read as"], rows)]
    if account.get("runner_up"):
        parts.append(show.text(f"next best story: {account['runner_up']}", "bright_black"))
    if data.get("board"):
        parts += ["", _board(data["board"])]
    if data.get("receipt"):
        parts += ["", Panel(show.text_lines(data["receipt"]), title="Receipt", expand=False)]
    return show.group(parts)


def _board(board: dict[str, Any]) -> "RenderableType":
    """Also of a visit that went on while the cabinet's own program was down."""
    unlocked, closed, net = (board.get(key) or {} for key in ("unlock_g", "close_g", "net_g"))
    zones = list(dict.fromkeys([*unlocked, *closed]))
    rows = [
        (zone, *(words.grams(grams.get(zone)) for grams in (unlocked, closed)), _net(net.get(zone))) for zone in zones
    ]
    title = f"What the board weighed by itself ({len(board.get('entries') or [])} entries of its journal)"
    return show.table(title, ["zone", "at the unlocking>", "after the closing>", "net>"], rows)


def _net(value: object) -> str:
    return f"{value:+,.1f} g" if isinstance(value, int | float) else "-"


def _lines(title: str, lines: list[dict[str, Any]], currency: object) -> "RenderableType":
    rows = [
        (
            line.get("quantity"), line.get("name"), line.get("sku"), words.money(line.get("unit_price"), currency),
            _of(line, "deposit", currency), _of(line, "discount", currency), line.get("reason") or "-",
            line.get("tax"), words.money(line.get("total"), currency),
        )
        for line in lines
    ]  # fmt: skip  # a row
    return show.table(title, ["n>", "product", "sku", "each>", "deposit>", "less>", "why", "tax", "total>"], rows)


def _of(line: dict[str, Any], key: str, currency: object) -> str:
    return words.money(line[key], currency) if line.get(key) else "-"


def _items(items: object) -> str:
    """+ left the shelf, - came to it."""
    if not isinstance(items, dict) or not items:
        return "-"
    return ", ".join(f"{'took' if n > 0 else 'put back'} {abs(n)} × {sku}" for sku, n in items.items())
