"""Pictures of what `cabinet eval` found."""

from pathlib import Path
from typing import Any

from cabinet.cli.outfile import save_figure

MOST_NAMED = 40  # products whose names still fit beside a map


def draw_items(answer: dict[str, Any], path: Path) -> None:
    """Confusions and reliability of `eval items`, as one PNG.  Raises RefusedError where it cannot be written."""
    from matplotlib.figure import Figure  # noqa: PLC0415  a second

    names = sorted(answer["by_sku"])
    place = {name: n for n, name in enumerate(names)}
    figure = Figure(figsize=(14, 6.5), layout="constrained")
    grid, curve = figure.subplots(1, 2, width_ratios=(3, 2))
    shares = [[0.0] * len(names) for _ in names]
    for name, facts in answer["by_sku"].items():
        shares[place[name]][place[name]] = facts["top1"]
    for mix in answer["confusions"]:
        if mix["said"] in place:
            shares[place[mix["truth"]]][place[mix["said"]]] = mix["count"] / answer["by_sku"][mix["truth"]]["queries"]
    shown = grid.imshow(shares, vmin=0, vmax=1, cmap="magma_r", aspect="auto")
    figure.colorbar(shown, ax=grid, label="share of its photographs")
    if len(names) <= MOST_NAMED:
        grid.set_xticks(range(len(names)), [name[:24] for name in names], rotation=90, fontsize=7)
        grid.set_yticks(range(len(names)), [name[:24] for name in names], fontsize=7)
    grid.set(title=f"named right {answer['top1']:.1%} of {answer['queries']}", xlabel="taken for", ylabel="is")
    bins = [row for row in answer["reliability"] if row["count"]]
    curve.plot([0, 1], [0, 1], color="0.7", linestyle=":")
    curve.plot([row["confidence"] for row in bins], [row["right"] for row in bins], marker="o")
    for row in bins:
        curve.annotate(
            str(row["count"]), (row["confidence"], row["right"]), textcoords="offset points", xytext=(4, -10)
        )
    curve.set(
        title=f"calibration error {answer['ece']}", xlabel="said", ylabel="was right", xlim=(0, 1.02), ylim=(0, 1.02)
    )
    save_figure(figure, path)


def draw_frames(video: Path, answer: dict[str, Any], path: Path) -> None:
    """The frame after each told event, with its box, as one PNG."""
    import cv2  # noqa: PLC0415  only where pictures are drawn
    from matplotlib.figure import Figure  # noqa: PLC0415  a second

    found = answer["found"] or [{"t0": 0.0, "t1": 0.0, "action": "nothing told", "box": [0, 0, 0, 0], "true": False}]
    figure = Figure(figsize=(5 * min(len(found), 4), 3.2 * ((len(found) + 3) // 4)), layout="constrained")
    axes = figure.subplots((len(found) + 3) // 4, min(len(found), 4), squeeze=False).ravel()
    film = cv2.VideoCapture(str(video))
    for axis, event in zip(axes, found, strict=False):
        film.set(cv2.CAP_PROP_POS_MSEC, 1000 * (event["t0"] + event["t1"]) / 2)
        ok, shown = film.read()
        if ok:
            left, top, right, bottom = event["box"]
            cv2.rectangle(shown, (left, top), (right, bottom), (0, 200, 0) if event["true"] else (0, 0, 255), 3)
            axis.imshow(cv2.cvtColor(shown, cv2.COLOR_BGR2RGB))
        axis.set_title(f"{event['action']} {event['t0']:.1f} - {event['t1']:.1f} s", fontsize=9)
    for axis in axes:
        axis.set_axis_off()
    save_figure(figure, path)


def draw_states(shown: dict[str, Any], pairs: list[dict[str, Any]], path: Path) -> None:
    """Each pair side by side, the changed places boxed on the one before.  `shown`: RGB by state."""
    from matplotlib.figure import Figure  # noqa: PLC0415  a second
    from matplotlib.patches import Rectangle  # noqa: PLC0415  likewise

    figure = Figure(figsize=(10, 4.4 * len(pairs)), layout="constrained")
    axes = figure.subplots(len(pairs), 2, squeeze=False)
    for (left, right), pair in zip(axes, pairs, strict=True):
        left.imshow(shown[pair["before"]])
        right.imshow(shown[pair["after"]])
        for region in pair["regions"]:
            x0, y0, x1, y1 = region["box"]
            left.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor="red", linewidth=2))
            left.text(x0, y0 - 4, f"{region['action']} {region['sku']}", color="red", fontsize=8)
        left.set_title(f"{pair['before']} → {pair['after']}: {'exact' if pair['exact'] else 'WRONG'}", fontsize=10)
        right.set_title(f"seen {pair['seen']}, truth {pair['truth']}", fontsize=8)
        left.set_axis_off()
        right.set_axis_off()
    save_figure(figure, path)
