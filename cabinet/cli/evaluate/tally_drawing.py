"""Pictures of what `cabinet eval tally` found, drawn from its JSON alone."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cabinet.cli.evaluate.tally_telling import WAYS, ways
from cabinet.cli.outfile import save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS: Final = {
    "exact": "#2a9d8f", "review": "#a8c7d8", "wrong_review": "#457b9d", "under": "#f4a261", "swap": "#9d4edd",
    "over": "#d62828",
}  # fmt: skip  # told apart also by those who see no red or green: they differ in lightness
MOST_TAGS = 25


def draw_page(answer: dict[str, Any], path: Path) -> None:
    """All of it on one page.  RefusedError where the picture cannot be written."""
    from matplotlib.figure import Figure  # noqa: PLC0415  a second

    figure = Figure(figsize=(17, 11), layout="constrained")
    grid = figure.add_gridspec(3, 6, height_ratios=(2, 3, 3))
    places = (grid[0, :], grid[1, :3], grid[1, 3:], grid[2, :3], grid[2, 3:])
    bare = f", without {', '.join(answer['without'])}" if answer["without"] else ""
    figure.suptitle(f"The tally on {answer['visits']:,} visits whose truth is known{bare}", fontsize=15)
    for place, (draw, _) in zip(places, PANELS.values(), strict=True):
        draw(figure.add_subplot(place), answer)
    save_figure(figure, path)


def draw_each(answer: dict[str, Any], folder: Path) -> dict[str, str]:
    """A PNG for each panel: its name, and what it shows."""
    from matplotlib.figure import Figure  # noqa: PLC0415  a second

    for name, (draw, _) in PANELS.items():
        figure = Figure(figsize=(10, 3 if name == "labels" else 5.5), layout="constrained")
        draw(figure.add_subplot(), answer)
        save_figure(figure, folder / f"{name}.png")
    return {f"{name}.png": said for name, (_, said) in PANELS.items()}


def _labels(axes: "Axes", answer: dict[str, Any]) -> None:
    names = list(WAYS.values())
    _stack(axes, list(ways(answer).values()), names)
    for y, figures in enumerate(ways(answer).values()):
        share = figures["shares"]["exact"]
        low, high = share["wilson"]
        axes.errorbar(
            share["share"], y, xerr=[[share["share"] - low], [high - share["share"]]], color="black", capsize=4
        )
        axes.text(0.01, y, f"{share['share']:.1%} exact", va="center", color="white", fontweight="bold")
    axes.set(title="Whole bills (whisker: 95 % interval of exact)", xlabel="share of visits")
    axes.legend(ncols=6, loc="upper center", bbox_to_anchor=(0.5, -0.22), frameon=False)


def _stack(axes: "Axes", rows: list[dict[str, Any]], names: list[str]) -> None:
    left = [0.0] * len(rows)
    for label, colour in COLOURS.items():
        widths = [figures["shares"][label]["share"] for figures in rows]
        axes.barh(range(len(rows)), widths, left=left, color=colour, label=label.replace("_", " "))
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set_yticks(range(len(rows)), names)
    axes.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5))


def _shares(axes: "Axes", answer: dict[str, Any]) -> None:
    labels = [label for label in COLOURS if label != "exact"]
    for n, ((way, figures), mark) in enumerate(zip(ways(answer).items(), "osD", strict=True)):
        for y, label in enumerate(labels):
            share, (low, high) = figures["shares"][label]["share"], figures["shares"][label]["wilson"]
            axes.errorbar(
                share, y + 0.22 * (n - 1), xerr=[[share - low], [high - share]], fmt=mark, color=f"C{n}", capsize=3,
                label=WAYS[way] if not y else None,
            )  # fmt: skip  # one point
    axes.set_yticks(range(len(labels)), [label.replace("_", " ") for label in labels])
    axes.set_xscale("symlog", linthresh=0.01)
    axes.set(title="Everything but exact, 95 % intervals (from 1 % on logarithmic)", xlabel="share of visits")
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.005, 0.01, 0.03, 0.1, 0.3, 1], ["0", "0.5 %", "1 %", "3 %", "10 %", "30 %", "100 %"])
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="lower right")


def _reliability(axes: "Axes", answer: dict[str, Any]) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linestyle=":")
    for key, colour, said in (("reliability_all", "0.6", "reviews' guesses too"), ("reliability", "C0", "stated")):
        bins = [row for row in answer[key] if row["count"]]
        axes.plot([b["confidence"] for b in bins], [b["right"] for b in bins], marker="o", color=colour, label=said)
        for b in bins:
            axes.annotate(
                f"{b['count']:,}", (b["confidence"], b["right"]), textcoords="offset points", color=colour,
                xytext=(5, -11) if key == "reliability" else (5, 5), fontsize=8,
            )  # fmt: skip  # one point
    brier = "-" if answer["brier"] is None else f"{answer['brier']:.4f}"
    axes.set(title=f"Is the stated confidence true? (Brier {brier})", xlabel="said", ylabel="was right")
    axes.set(xlim=(0, 1.05), ylim=(-0.02, 1.05))
    axes.legend(loc="lower right")


def _tags(axes: "Axes", answer: dict[str, Any]) -> None:
    worst = sorted(answer["by_tag"].items(), key=lambda one: (one[1]["shares"]["exact"]["share"], one[0]))[:MOST_TAGS]
    _stack(axes, [figures for _, figures in worst], [f"{tag} ({figures['visits']:,})" for tag, figures in worst])
    for y, (_, figures) in enumerate(worst):
        low, high = figures["shares"]["exact"]["wilson"]
        axes.plot([low, high], [y, y], color="black", linewidth=1)
    axes.tick_params(axis="y", labelsize=8)
    axes.set(title="By tag, the worst first (line: 95 % interval of exact)", xlabel="share of visits")


def _latency(axes: "Axes", answer: dict[str, Any]) -> None:
    bins = answer["latency_histogram"]
    ends = [b["up_to_ms"] for b in bins]
    starts = [end / 2**0.25 for end in ends]
    axes.bar(starts, [b["visits"] for b in bins], [e - s for s, e in zip(starts, ends, strict=True)], align="edge")
    axes.set_xscale("log")
    told = answer["latency_ms"]
    for name, colour in (("p50", "C1"), ("p95", "C3")):
        axes.axvline(max(told[name], 1e-3), color=colour, label=f"{name} {told[name]:.1f} ms")
    axes.set(title=f"From the last event to the verdict (max {told['max']:.0f} ms)", xlabel="ms", ylabel="visits")
    axes.legend()


Panel = Callable[["Axes", dict[str, Any]], None]
PANELS: Final[dict[str, tuple[Panel, str]]] = {
    "labels": (_labels, "Whole bills, beside the baselines"),
    "shares": (_shares, "Everything but exact"),
    "reliability": (_reliability, "Confidence stated and found"),
    "tags": (_tags, "By tag"),
    "latency": (_latency, "Time to the verdict"),
}
