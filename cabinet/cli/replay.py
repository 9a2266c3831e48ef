"""`cabinet replay`: the daemon's own tally on a recorded visit.  Needs no daemon."""

import json as codec
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cabinet.cli import show, words
from cabinet.cli.errors import BadInputError, RefusedError

if TYPE_CHECKING:
    from cabinet.basket.evidence import Visit
    from cabinet.basket.verdict import Verdict


def replay(
    trace: Annotated[Path, typer.Argument(metavar="TRACE", help="A trace's folder, or its .tar from visits export.")],
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="PNG", help="Draw masses, steps, states and stills.")
    ] = None,
    json: show.AsJson = False,
) -> None:
    """Judge a recorded visit anew. The same trace gives the same verdict, byte for byte, on any machine.

    Exit code 1 where the trace holds another verdict (tally.json) than this software gives.
    """
    from cabinet import trace as format_  # noqa: PLC0415  with the tally
    from cabinet.basket.policy import TallyPolicy  # noqa: PLC0415  likewise
    from cabinet.tallier import judge  # noqa: PLC0415  likewise

    try:
        visit = format_.read(trace)
        recorded, bound = format_.read_tally(trace), format_.read_manifest(trace)
    except (format_.TraceError, OSError) as error:
        raise BadInputError(f"TRACE: {error}", "cabinet visits export VISIT writes one") from error
    judged = visit.judged()
    complete = True if recorded is None else recorded.get("complete", True) is True
    answer = judge(judged, TallyPolicy(), complete=complete)
    verdict = format_.verdict_to_dict(answer)
    if picture is not None:
        _draw(trace, visit, answer, picture)
    part = format_.judged_hash(judged)
    evidence = part if bound is None else format_.manifest_hash(bound)
    same = None if recorded is None else _same(verdict, recorded)
    if json:
        show.as_json({
            "visit": visit.header.visit, "incomplete": visit.incomplete, "evidence": evidence, "judged": part,
            "bound": None if bound is None else bound.get("judged") == part, "same": same,
            "verdict": verdict,
        })  # fmt: skip  # a table
    else:
        _print(visit, verdict, evidence, same)
    if same is False:
        raise typer.Exit(1)


def _draw(trace: Path, visit: "Visit", verdict: "Verdict", picture: Path) -> None:
    """As `cabinet visits picture`, with this verdict."""
    from cabinet import trace as format_  # noqa: PLC0415  likewise
    from cabinet.picture import draw_visit  # noqa: PLC0415  matplotlib takes a second and 60 MB

    with tempfile.TemporaryDirectory(prefix="trace-") as name:
        folder = Path(name) / trace.stem
        format_.write(folder, visit)
        format_.write_tally(folder, verdict)
        if (trace / "frames").is_dir():
            (folder / "frames").symlink_to((trace / "frames").absolute())
        elif trace.is_file():
            _unpack(trace, folder)
        bound = format_.read_manifest(trace)
        if bound is not None:
            format_.write_manifest(folder, bound)
        try:
            draw_visit(folder, picture)
        except (OSError, ValueError) as error:
            raise RefusedError(f"--picture: {picture}: {error}", "name a .png in a folder of yours") from error


def _unpack(tar: Path, folder: Path) -> None:
    from cabinet.trace.stills import stills  # noqa: PLC0415  only where stills are in a .tar

    for camera, mine in stills(tar).items():
        (folder / "frames" / camera).mkdir(parents=True)
        for still in mine:
            (folder / "frames" / camera / Path(still.name).name).write_bytes(still.load())


def _same(verdict: dict[str, Any], recorded: dict[str, Any]) -> bool:
    """Compared as text: what JSON cannot hold does not count."""
    wanted = {key: recorded.get(key) for key in verdict}
    return codec.dumps(verdict, sort_keys=True) == codec.dumps(wanted, sort_keys=True)


def _print(visit: "Visit", verdict: dict[str, Any], evidence: str, same: bool | None) -> None:
    header = visit.header
    lines = verdict.get("lines") or verdict.get("best_guess") or []
    told = {None: "the trace holds no earlier one", True: "the same as recorded", False: "NOT the one recorded"}[same]
    pairs: list[tuple[str, object]] = [
        ("visit", header.visit),
        ("outcome", show.text(verdict["outcome"], words.OUTCOMES.get(verdict["outcome"], "cyan"))),
        ("total", words.money(verdict.get("total"), header.currency)),
        ("lines", ", ".join(f"{line['quantity']} × {line['name']}" for line in lines) or "-"),
        ("why", verdict.get("reason") or "-"),
        ("confidence", words.percent(verdict.get("confidence"))),
        ("verdict", told),
        ("evidence", evidence),
    ]
    if visit.incomplete:
        pairs.append(("trace", "incomplete: it ends at a damaged line"))
    console = show.console()
    console.print(show.facts(pairs))
    steps = verdict["account"]["steps"]
    if steps:
        rows = [(s["zone"], f"{s['t']:.1f} s", words.grams(s["delta_g"]), _items(s["items"])) for s in steps]
        console.print(show.table("What the shelves felt", ["zone", "after>", "change>", "read as"], rows))


def _items(items: dict[str, int]) -> str:
    return ", ".join(f"{'took' if n > 0 else 'put back'} {abs(n)} × {sku}" for sku, n in items.items()) or "-"
