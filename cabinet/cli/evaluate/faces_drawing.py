"""Pictures of what `cabinet eval faces` found, drawn from its JSON alone."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cabinet.cli.outfile import save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OURS, STOCK = "#1d6f8c", "#c8553d"  # apart in lightness as well


def draw_each(answer: dict[str, Any], folder: Path) -> dict[str, str]:
    """A PNG for each panel that has something to show: its name, and what it shows."""
    from matplotlib.figure import Figure  # noqa: PLC0415  a second

    told = {}
    for name, (wanted, draw, said) in PANELS.items():
        if wanted and not answer[wanted]:
            continue
        figure = Figure(figsize=(9, 5), layout="constrained")
        draw(figure.add_subplot(), answer)
        save_figure(figure, folder / f"{name}.png")
        told[f"{name}.png"] = said
    return told


def _curve(axes: "Axes", answer: dict[str, Any]) -> None:
    stock = answer["stock"].get("curve", [])
    for points, colour, whose in ((answer["curve"], OURS, "cabinet"), (stock, STOCK, "stock")):
        at = [point["threshold"] for point in points]
        for key, style, said in (("far", "-", "strangers let in"), ("frr", "--", "members turned away")):
            if points and points[0][key] is not None:
                axes.plot(at, [point[key] for point in points], style, color=colour, label=f"{whose}: {said}")
    rules = answer["rules"]
    axes.axvline(rules["threshold"], color="0.2", linewidth=1)
    axes.text(rules["threshold"], 1.02, "face alone", ha="right", fontsize=8, transform=axes.get_xaxis_transform())
    if rules["with_digits"] > rules["threshold"]:
        axes.axvspan(rules["threshold"], rules["with_digits"], color="0.9")
        axes.text(rules["with_digits"], 1.02, "with digits", fontsize=8, transform=axes.get_xaxis_transform())
    axes.set_yscale("symlog", linthresh=0.01)
    axes.set_yticks([0, 0.005, 0.01, 0.03, 0.1, 0.3, 1], ["0", "0.5 %", "1 %", "3 %", "10 %", "30 %", "100 %"])
    axes.set(xlabel="distance up to which somebody is let in", ylabel="share of attempts", ylim=(0, 1.05))
    axes.grid(alpha=0.3)
    axes.legend(loc="center right", fontsize=8)


def _trade(axes: "Axes", answer: dict[str, Any]) -> None:
    stock = answer["stock"].get("curve", [])
    for points, colour, whose in ((answer["curve"], OURS, "cabinet"), (stock, STOCK, "stock")):
        if points and points[0]["far"] is not None and points[0]["frr"] is not None:
            far, frr = ([point[key] for point in points] for key in ("far", "frr"))
            axes.plot(far, frr, marker=".", color=colour, label=f"{whose}, by threshold")
    if answer["far"] is not None and answer["frr"] is not None:
        axes.plot(answer["far"], answer["frr"], "*", markersize=15, color="black", label="as the cabinet decides")
    for setter, ticks in ((axes.set_xscale, axes.set_xticks), (axes.set_yscale, axes.set_yticks)):
        setter("symlog", linthresh=0.005)
        ticks([0, 0.005, 0.01, 0.03, 0.1, 0.3, 1], ["0", "0.5 %", "1 %", "3 %", "10 %", "30 %", "100 %"])
    axes.set(xlabel="strangers let in", ylabel="members turned away", xlim=(-0.0005, 1), ylim=(-0.0005, 1))
    axes.grid(alpha=0.3)
    axes.legend()


def _times(axes: "Axes", answer: dict[str, Any]) -> None:
    ours, stock, timed = answer["stage_ms"], answer["stock"].get("stage_ms", {}), answer["at_720p"]
    rows = [(f"cabinet: {name}", ours[name], OURS) for name in ours if ours[name]]
    rows += [(f"stock: {name}", ms, STOCK) for name, ms in stock.items() if ms]
    rows.append(("cabinet: decision at 1280 x 720", timed["ours_ms"], OURS))
    rows.append(("stock: decision at 1280 x 720", timed.get("stock_ms"), STOCK))
    rows.append(("cabinet: search among 10,000", answer["search_10000_ms"], OURS))
    shown = [row for row in rows if row[1]]
    axes.barh([row[0] for row in shown], [row[1] for row in shown], color=[row[2] for row in shown])
    for n, (_, ms, _) in enumerate(shown):
        axes.text(ms, n, f" {ms:.3g}", va="center", fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set(xlabel="ms (median)", xlim=(None, 3 * max(row[1] for row in shown)))


def _sizes(axes: "Axes", answer: dict[str, Any]) -> None:
    rows = answer["by_gallery_size"]
    at = [row["members"] for row in rows]
    for key, colour, said in (
        ("far", STOCK, "strangers let in"), ("strangers_asked_digits", "#e0a458", "strangers asked for digits"),
        ("frr", OURS, "members turned away"), ("needs_digits", "#7fb3c8", "members asked for digits"),
    ):  # fmt: skip  # a table
        values = [row[key] for row in rows]
        if any(value is not None for value in values):
            axes.plot(at, values, marker="o", color=colour, label=said)
    axes.set_xscale("log")
    axes.set_xticks(at, [str(size) for size in at])
    axes.minorticks_off()
    axes.set_yscale("symlog", linthresh=0.01)
    axes.set_yticks([0, 0.005, 0.01, 0.03, 0.1, 0.3, 1], ["0", "0.5 %", "1 %", "3 %", "10 %", "30 %", "100 %"])
    axes.set(
        xlabel="members in the gallery (random sets of real people)", ylabel="share of attempts", ylim=(-0.0005, 1)
    )
    axes.grid(alpha=0.3)
    axes.legend()


def _tail(axes: "Axes", answer: dict[str, Any]) -> None:
    tail = answer["tail"]
    edges = tail["histogram"]["edges"]
    for key, colour, said in (("same", OURS, "same person"), ("different", STOCK, "different people")):
        axes.stairs(tail["histogram"][key], edges, fill=True, alpha=0.6, color=colour, label=said)
    axes.axvline(tail["at"], color="0.2", linewidth=1)
    axes.text(tail["at"], 1.02, "anchor", ha="center", fontsize=8, transform=axes.get_xaxis_transform())
    axes.set(xlabel="distance of two templates", ylabel="share of pairs", xlim=(0, 1.2))
    axes.legend()


def _budget(axes: "Axes", answer: dict[str, Any]) -> None:
    rows = answer["tail"]["thresholds"]
    at = [row["members"] for row in rows]
    for key, style, colour, said in (
        ("in_use", "-", OURS, "face alone, in use"), ("measured_here", "--", OURS, "face alone, by these pictures"),
        ("measured_here_cautious", ":", OURS, "the same, cautiously (people drawn anew)"),
        ("in_use_with_digits", "-", STOCK, "with digits, in use"),
    ):  # fmt: skip  # a table
        axes.plot(at, [row[key] for row in rows], style, marker=".", color=colour, label=said)
    axes.set_xscale("log")
    axes.set(xlabel="members", ylabel="distance that the budget allows")
    axes.grid(alpha=0.3)
    axes.legend()


Panel = Callable[["Axes", dict[str, Any]], None]
PANELS: Final[dict[str, tuple[str, Panel, str]]] = {
    "curve": ("curve", _curve, "Errors by threshold"),
    "trade": ("curve", _trade, "Strangers let in against members turned away"),
    "sizes": ("by_gallery_size", _sizes, "By size of the gallery"),
    "pairs": ("tail", _tail, "Distances of pairs"),
    "budget": ("tail", _budget, "What distance the budget allows"),
    "times": ("", _times, "Times"),
}
