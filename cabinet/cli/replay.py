"""`cabinet replay`: the daemon's own tally on a recorded visit.  Needs no daemon."""

import json as codec
from pathlib import Path
from typing import Annotated, Any

import typer

from cabinet.cli import show, words
from cabinet.cli.errors import BadInputError


def replay(
    trace: Annotated[Path, typer.Argument(metavar="TRACE", help="A trace's folder, or its .tar from visits export.")],
    json: show.AsJson = False,
) -> None:
    """Judge a recorded visit anew. The same trace gives the same verdict, byte for byte, on any machine.

    Exit code 1 where the trace holds another verdict (tally.json) than this software gives.
    """
    from cabinet import trace as format_  # noqa: PLC0415  with the tally
    from cabinet.basket.policy import TallyPolicy  # noqa: PLC0415  likewise
    from cabinet.tallier import evidence_hash, judge  # noqa: PLC0415  likewise

    try:
        visit = format_.read(trace)
        recorded = format_.read_tally(trace)
    except (format_.TraceError, OSError) as error:
        raise BadInputError(f"TRACE: {error}", "cabinet visits export VISIT writes one") from error
    judged = visit.judged()
    complete = True if recorded is None else recorded.get("complete", True) is True
    verdict = format_.verdict_to_dict(judge(judged, TallyPolicy(), complete=complete))
    evidence = evidence_hash(judged)
    same = None if recorded is None else _same(verdict, recorded)
    if json:
        show.as_json({
            "visit": visit.header.visit, "incomplete": visit.incomplete, "evidence": evidence, "same": same,
            "verdict": verdict,
        })  # fmt: skip  # a table
    else:
        _print(visit, verdict, evidence, same)
    if same is False:
        raise typer.Exit(1)


def _same(verdict: dict[str, Any], recorded: dict[str, Any]) -> bool:
    """Compared as text: what JSON cannot hold does not count."""
    wanted = {key: recorded.get(key) for key in verdict}
    return codec.dumps(verdict, sort_keys=True) == codec.dumps(wanted, sort_keys=True)


def _print(visit: Any, verdict: dict[str, Any], evidence: str, same: bool | None) -> None:  # noqa: ANN401  a Visit, imported late
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
