"""What `cabinet eval tally` found, as tables on a terminal and as a page of Markdown with pictures."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import typer

from cabinet.cli import show, words
from cabinet.cli.errors import RefusedError

WAYS: Final = {"tally": "tally", "weight_only": "weight only", "mps": "MPS"}
ROWS: Final = {
    "exact": "exact",
    "over": "over: charged beyond the truth",
    "under": "under: charged short of it",
    "swap": "swap: both",
    "review": "review: a person, as the truth accepts",
    "wrong_review": "wrong review: a person, without need",
    "sent_to_person": "sent to a person, of either kind",
}
WORST_TAGS = 25
SHOWN_SKIPPED = 20
LONGEST_WHY = 120  # characters: JSON has it whole
Table = tuple[str, Sequence[str], list[tuple[str, ...]]]


def ways(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"tally": answer, **answer["baselines"]}


def show_all(answer: dict[str, Any], *, named: bool) -> None:
    console = show.console()
    for title, columns, rows in tables(answer):
        console.print(show.table(title, columns, [[words.clean(cell) for cell in row] for row in rows]))
    if named:
        rows = [
            (
                w["path"],
                w["label"],
                _goods(w["truth"]),
                _goods(w.get("charged", w.get("guess", {}))),
                w["reason"][:LONGEST_WHY] or "-",
            )
            for w in answer["wrong"]
        ]
        title = f"Wrong visits, {len(rows)} of {answer['wrong_count']}"
        console.print(show.table(title, ["trace", "label", "truth", "charged, or guessed", "why a person"], rows))
    for line in _warnings(answer):
        typer.secho(words.clean(line), fg="yellow", err=True)


def _warnings(answer: dict[str, Any]) -> Iterator[str]:
    if answer["failed"]:
        yield f"  the tally FAILED on {answer['failed']} visits: counted as sent to a person; --list names them"
    for one in answer["skipped"][:SHOWN_SKIPPED]:
        yield f"  skipped {one['path']}: {one['why']}"
    more = answer["skipped_count"] - min(len(answer["skipped"]), SHOWN_SKIPPED)
    if more:
        yield f"  and {more} more skipped: --json lists them"


def tables(answer: dict[str, Any]) -> Iterator[Table]:
    """Title, columns (`>`: aligned right) and rows, for the terminal and for Markdown."""
    bare = f", without {', '.join(answer['without'])}" if answer["without"] else ""
    title = f"{answer['visits']:,} visits{bare}"
    yield title, ["", *(f"{name}>" for name in WAYS.values())], [*_label_rows(answer), *_figure_rows(answer)]
    if answer["by_tag"]:
        worst = sorted(answer["by_tag"].items(), key=lambda one: (one[1]["shares"]["exact"]["share"], one[0]))
        columns = ["tag", "visits>", "exact>", "over>", "under>", "swap>", "review>", "wrong review>", "F1>"]
        rows = [_tag_row(tag, f) for tag, f in worst[:WORST_TAGS]]
        yield f"By tag, the worst first ({len(rows)} of {len(worst)})", columns, rows
    bins = [b for b in answer["reliability"] if b["count"]]
    if bins:
        yield (
            "Reliability",
            ["verdicts>", "confidence stated>", "were right>"],
            [(f"{b['count']:,}", f"{b['confidence']:.1%}", f"{b['right']:.1%}") for b in bins],
        )
    if answer["goals"]:
        yield "Goals", ["", "visits", "figure", "goal>", "found>", ""], [_goal_row(goal) for goal in answer["goals"]]


def _label_rows(answer: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, said in ROWS.items():
        yield said, *(_share(f, name) for f in ways(answer).values())


def _figure_rows(answer: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, said in (
        ("precision", "items: precision"), ("recall", "items: recall"), ("f1", "items: F1"),
        ("f1_with_guess", "items: F1, a review's guess counted"), ("f1_mean", "items: mean F1 of a visit"),
    ):  # fmt: skip  # a table
        yield said, *(f"{f[name]:.4f}" for f in ways(answer).values())
    unit = next(iter(answer["currencies"])) if len(answer["currencies"]) == 1 else "minor units"
    for name, said in (("over", "overcharged"), ("under", "undercharged")):
        told = [f[f"{name}_minor_per_1000"] for f in ways(answer).values()]
        cells = [words.money(round(x), unit) if unit != "minor units" else f"{x:,.0f} {unit}" for x in told]
        yield f"{said} in 1,000 visits", *cells
    yield "Brier score of stated confidence", _number(answer["brier"]), "-", "-"
    yield "Brier score, reviews' guesses too", _number(answer["brier_all"]), "-", "-"
    latency = answer["latency_ms"]
    yield "ms to the verdict: p50, p95, max", ", ".join(f"{latency[n]:.1f}" for n in ("p50", "p95", "max")), "-", "-"


def _share(figures: dict[str, Any], name: str) -> str:
    share = figures["shares"][name]
    low, high = share["wilson"]
    return f"{figures[name]:,}  {share['share']:.2%} [{low:.2%}, {high:.2%}]"


def _tag_row(tag: str, figures: dict[str, Any]) -> tuple[str, ...]:
    rest = (f"{figures[name]:,}" for name in ("over", "under", "swap", "review", "wrong_review"))
    return tag, f"{figures['visits']:,}", _share(figures, "exact"), *rest, f"{figures['f1']:.4f}"


def _goal_row(goal: dict[str, Any]) -> tuple[str, ...]:
    least, limit = "least" in goal, goal.get("least", goal.get("most"))
    told = f"{goal['value']:.4f}" if goal["figure"] == "f1" else f"{goal['value']:.2%}"
    wanted = f"{'≥' if least else '≤'} {limit if goal['figure'] == 'f1' else f'{limit:.1%}'}"
    sure = {True: "shown at 95 %", False: "not shown at 95 %: too few visits", None: ""}[goal["proved"]]
    tick = ("✓", sure) if goal["met"] else ("✗", "missed")
    return tick[0], goal["tag"], goal["figure"].replace("_", " "), wanted, told, tick[1]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _goods(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} × {sku}" for sku, n in sorted(counts.items())) or "nothing"


# The results page

Drawing = Callable[[dict[str, Any], Path], dict[str, str]]


def write_results(answer: dict[str, Any], folder: Path, draw: Drawing) -> None:
    """results.md, figures.json and PNGs.  Names traces, never where they lie.  RefusedError where it cannot write."""
    facts = {**answer, **{key: [_placeless(one) for one in answer[key]] for key in ("wrong", "skipped")}}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pictures = draw(answer, folder)
        (folder / "figures.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        (folder / "results.md").write_text("\n".join(_page(answer, pictures)) + "\n", encoding="utf-8")
    except OSError as error:
        raise RefusedError(f"--results: {folder}: {error.strerror or error}", "name a folder of yours") from error


def _placeless(one: dict[str, Any]) -> dict[str, Any]:
    return {key: str(value).replace(one["path"], Path(one["path"]).name) if key in {"path", "why"} else value
            for key, value in one.items()}  # fmt: skip  # a table


def _page(answer: dict[str, Any], pictures: dict[str, str]) -> Iterator[str]:
    yield "# The tally beside the truth"
    yield ""
    yield (
        f"Written by `cabinet eval tally TRACES --results FOLDER` on {answer['visits']:,} visits whose truth is known; "
        f"{answer['skipped_count']:,} more were skipped. Brackets are Wilson 95 % intervals. The baselines judged "
        "the same traces and never ask a person. `figures.json` holds every figure."
    )
    for title, columns, rows in tables(answer):
        yield f"\n## {title}\n"
        yield "| " + " | ".join(_cell(column.removesuffix(">")) for column in columns) + " |"
        yield "|" + "|".join("--:" if column.endswith(">") else "---" for column in columns) + "|"
        for row in rows:
            yield "| " + " | ".join(_cell(cell) for cell in row) + " |"
    for name, said in pictures.items():
        yield f"\n## {said}\n"
        yield f"![{said}]({name})"


def _cell(text: str) -> str:
    return words.clean(text).replace("|", "\\|")
