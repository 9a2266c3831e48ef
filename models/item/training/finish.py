"""Measure the folds, fit the constants, write what ships: `python finish.py OUT` in the product's own environment.

Reads OUT/fold*.npz and OUT/final.tflite.  Writes model.tflite, model.toml and labels.txt one folder up, figures.json
here and the plots of results.md.  With `--cases DIR DATA` also pictures of the hardest photographs, which are not ours
to publish and stay out of the repository.  The formula is the product's (cabinet.vision.likeness), never a copy.
"""

import argparse
import hashlib
import json
import shutil
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cabinet.cli.evaluate.measures import auroc, calibration_error, reliability, wilson
from cabinet.units import Sku
from cabinet.vision.likeness import Fit, known, probabilities, reference_of, unit

NAME, VERSION = "cabinet-item", "0.2.0"
HERE = Path(__file__).parent
COUNTS = (1, 2, 3, 5, 10)
ROUNDS = 20  # random choices of references
SEED = 0


@dataclass
class Fold:
    name: str
    rows: dict  # what train.py wrote

    def classes(self, packaged: bool) -> list[str]:
        from_kind = self.rows["packaged"] == packaged
        return sorted(set(self.rows["names"][from_kind & self.unseen()].tolist()))

    def unseen(self) -> np.ndarray:
        number = int(self.name[-1])
        names, packaged = self.rows["names"], self.rows["packaged"]
        away = {*sorted(set(names[packaged].tolist()))[number::3], *sorted(set(names[~packaged].tolist()))[number::5]}
        return np.array([n in away for n in names])


def asked(fold: Fold, wanted: list[str], crop: str, k: int, splits: tuple, rounds: int, seed: int = SEED):
    """Per round: unit vectors of the queries, their class, and a gallery of k random references a class.

    `splits`: a function of (names, splits) rows that gives the rows references come from, and those that ask.
    """
    dice = np.random.default_rng(seed)
    names, vectors = fold.rows["names"], unit(fold.rows[crop])
    refs, asks = splits
    q = np.flatnonzero(np.isin(names, wanted) & asks)
    truth = np.array([wanted.index(n) for n in names[q]])
    for _ in range(rounds):
        gallery = {}
        for name in wanted:
            mine = np.flatnonzero((names == name) & refs)
            gallery[Sku(name)] = reference_of(vectors[dice.choice(mine, min(k, len(mine)), replace=False)])
        yield vectors[q], truth, gallery, q


def other_shops(fold: Fold) -> tuple:
    return fold.rows["splits"] != "test", fold.rows["splits"] == "test"


def same_shops(fold: Fold) -> tuple:
    """References from the first half of each class's train photographs, the second half asks: to fit on."""
    names, splits = fold.rows["names"], fold.rows["splits"]
    first = np.zeros(len(names), bool)
    for name in set(names.tolist()):
        mine = np.flatnonzero((names == name) & (splits != "test"))
        first[mine[: len(mine) // 2]] = True
    return first, (splits != "test") & ~first


def accuracy(fold: Fold, wanted: list[str], crop: str, k: int) -> dict:
    one, three, q = [], [], []
    for vectors, truth, gallery, q in asked(fold, wanted, crop, k, other_shops(fold), ROUNDS):
        means = np.array([r.mean for r in gallery.values()])
        order = np.argsort(-(vectors @ means.T), 1)
        one.append(order[:, 0] == truth)
        three.append((order[:, :3] == truth[:, None]).any(1))
    one, three = np.mean(one, 0), np.mean(three, 0)
    names = fold.rows["names"][q]
    return {
        "photos": len(one), "top1": share(one), "top3": share(three),
        "by_class": {n: round(float(one[names == n].mean()), 3) for n in wanted if (names == n).any()},
    }  # fmt: skip


def share(hits: np.ndarray) -> list[float]:
    """Mean, and its Wilson 95 % interval with one case a photograph (rounds of one photograph add no cases)."""
    return [round(float(x), 4) for x in (hits.mean(), *wilson(float(hits.sum()), len(hits)))]


def pooled(folds: list[Fold], crop: str, splits, k: int, rounds: int, seed: int = SEED) -> list[tuple]:
    return [
        one for fold in folds for one in asked(fold, fold.classes(True), crop, k, splits(fold), rounds, seed=seed)
    ]


def both_ways(rounds: list[tuple], fit: Fit, dim: int) -> dict[str, np.ndarray]:
    """Each photograph with its product in the gallery and, as a stranger, without."""
    found = {"sure": [], "right": [], "in": [], "out": [], "loss_in": [], "loss_out": [], "said_in": [], "said_out": []}
    for vectors, truth, gallery, _ in rounds:
        shares = probabilities(vectors, known(gallery, dim, fit), fit)
        row = np.arange(len(truth))
        without = shares.copy()
        without[row, truth] = 0
        without /= without.sum(1, keepdims=True)
        found["sure"].append(shares[:, :-1].max(1) / np.maximum(1 - shares[:, -1], 1e-12))
        found["right"].append(shares[:, :-1].argmax(1) == truth)
        found["in"].append(1 - shares[:, -1])
        found["out"].append(1 - without[:, -1])
        found["loss_in"].append(-np.log(np.maximum(shares[row, truth], 1e-9)))
        found["loss_out"].append(-np.log(np.maximum(without[:, -1], 1e-9)))
        found["said_in"].append(shares.argmax(1) == shares.shape[1] - 1)
        found["said_out"].append(without.argmax(1) == shares.shape[1] - 1)
    return {key: np.concatenate(rows) for key, rows in found.items()}


def fitted(rounds: list[tuple], dim: int) -> Fit:
    """Least log loss, known and stranger weighing the same, on a grid."""
    usual = float(np.mean([r.spread for _, _, gallery, _ in rounds for r in gallery.values()]))

    def loss(fit: Fit) -> float:
        both = both_ways(rounds, fit, dim)
        return float(both["loss_in"].mean() + both["loss_out"].mean())

    best = Fit(0.08, 0.5, 0.0, usual)
    for step in (1.0, 0.4, 0.15):
        grid = [
            Fit(best.temperature * np.exp(0.5 * step * t), best.other_threshold + 0.12 * step * c, w, usual)
            for t in (-2, -1, 0, 1, 2) for c in (-2, -1, 0, 1, 2)
            for w in ((0.0, 0.25, 0.5, 0.75) if step == 1.0 else (best.spread_weight,))
        ]  # fmt: skip
        best = min(grid, key=loss)
    return Fit(*(round(float(x), 4) for x in (best.temperature, best.other_threshold, best.spread_weight, usual)))


def open_set(rounds: list[tuple], fit: Fit, dim: int) -> dict:
    both = both_ways(rounds, fit, dim)
    return {
        "auroc": round(auroc(both["in"], both["out"]), 4),
        "ece": round(calibration_error(both["sure"], both["right"]), 4),
        "known_called_other": round(float(both["said_in"].mean()), 4),
        "stranger_called_other": round(float(both["said_out"].mean()), 4),
        "reliability": [[n, round(m, 4), round(s, 4)] for n, m, s in reliability(both["sure"], both["right"])],
        "log_loss": [round(float(both[key].mean()), 4) for key in ("loss_in", "loss_out")],
    }


def overlap(fold: Fold) -> dict:
    """How well the finder's box meets the teacher's on classes it has not seen (intersection over union)."""
    rows = fold.unseen()
    a, b = fold.rows["boxes"][rows], fold.rows["own"][rows]
    left, top = np.maximum(a[:, 0], b[:, 0]), np.maximum(a[:, 1], b[:, 1])
    right, bottom = np.minimum(a[:, 2], b[:, 2]), np.minimum(a[:, 3], b[:, 3])
    both = np.clip(right - left, 0, None) * np.clip(bottom - top, 0, None)
    area = [(x[:, 2] - x[:, 0]) * (x[:, 3] - x[:, 1]) for x in (a, b)]
    iou = both / np.maximum(area[0] + area[1] - both, 1)
    return {"median": round(float(np.median(iou)), 3), "below_half": round(float((iou < 0.5).mean()), 3)}


def figures(folds: list[Fold]) -> dict:
    dim = folds[0].rows["given"].shape[1]
    out: dict = {"folds": {}}
    for fold in folds:
        packaged, loose = fold.classes(True), fold.classes(False)
        out["folds"][fold.name] = {
            "unseen": packaged, "unseen_loose": loose, "finder": overlap(fold),
            **{
                crop: {f"k{k}": accuracy(fold, packaged, crop, k) for k in COUNTS} for crop in ("found", "given", "whole")
            },
            "loose_found": {f"k{k}": accuracy(fold, loose, "found", k) for k in (1, 4)},
        }  # fmt: skip
        others = [f for f in folds if f is not fold] or [fold]
        fit = fitted(pooled(others, "found", same_shops, 5, 4), dim)
        rounds = pooled([fold], "found", other_shops, 5, ROUNDS, seed=1)
        out["folds"][fold.name]["open_set"] = {"fit": asdict(fit)}
        out["folds"][fold.name]["open_set"] |= open_set(rounds, fit, dim)
        out["folds"][fold.name]["open_set"]["fitted_on"] = [f.name for f in others]
    fit = fitted(pooled(folds, "found", same_shops, 5, 4), dim)
    out["fit"] = asdict(fit)
    mixed: Counter = Counter()
    for fold in folds:
        wanted = fold.classes(True)
        for vectors, truth, gallery, _ in asked(fold, wanted, "found", 5, other_shops(fold), ROUNDS):
            said = (vectors @ np.array([r.mean for r in gallery.values()]).T).argmax(1)
            mixed.update((wanted[t], wanted[s]) for t, s in zip(truth, said, strict=True))
    out["confusions"] = [[a, b, round(n / ROUNDS, 2)] for (a, b), n in mixed.most_common() if a != b][:30]
    return out


def describe(model: Path, fit: dict) -> str:
    return f'''# Written by training/finish.py together with model.tflite; a loader refuses a file whose sha256 differs.
name = "{NAME}"
version = "{VERSION}"
file = "model.tflite"
sha256 = "{hashlib.sha256(model.read_bytes()).hexdigest()}"
licence = "Apache-2.0"
labels = "labels.txt" # classes it was fitted on; the product's own come from reference photographs

[input]
shape = [1, 224, 224, 3] # batch, height, width, channel
dtype = "int8" # scale and zero point: read them from the file
colour = "RGB"
resize = "stretch" # a tight crop is stretched to the square; the whole photograph, where the product is to be found
mean = 127.0 # value = (pixel - mean) / std, before the scale and zero point of the file
std = 128.0

[output] # two: told apart by their sizes
dim = 128 # the vector; dtype int8, not of unit length: the caller divides by the length
grid = 14 # the finder's map: grid x grid log-odds that a cell lies on the product
dtype = "int8" # scale and zero point: read them from the file
unit_length = false

[match] # cabinet/vision/likeness.py says what they mean; fitted on products that the network had not seen
temperature = {fit["temperature"]}
other_threshold = {fit["other_threshold"]}
spread_weight = {fit["spread_weight"]}
usual_spread = {fit["usual_spread"]:.4f}
'''


def plots(found: dict, target: Path) -> None:
    from matplotlib.figure import Figure

    target.mkdir(exist_ok=True)
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for crop, label, style in (
        ("found", "whole photograph, product found", "-o"), ("given", "teacher's box given", "--s"),
        ("whole", "whole photograph, not cropped", ":^"),
    ):  # fmt: skip
        for top, colour in (("top1", "tab:blue"), ("top3", "tab:green")):
            mean = [np.mean([f[crop][f"k{k}"][top][0] for f in found["folds"].values()]) for k in COUNTS]
            axes.plot(COUNTS, mean, style, color=colour, label=f"{top}, {label}", markersize=4)
    axes.set(xlabel="reference photographs a product", ylabel="right", xscale="log", ylim=(0.5, 1.005))
    axes.set_xticks(COUNTS, [str(k) for k in COUNTS])
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, loc="lower right")
    figure.savefig(target / "references.png", dpi=110)
    figure = Figure(figsize=(4.5, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], ":", color="0.6")
    for name, fold in found["folds"].items():
        rows = [r for r in fold["open_set"]["reliability"] if r[0] >= 20]
        axes.plot([r[1] for r in rows], [r[2] for r in rows], "-o", label=f"{name}, error {fold['open_set']['ece']:.3f}")
    axes.set(xlabel="confidence said", ylabel="share right", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.legend(fontsize=8)
    figure.savefig(target / "reliability.png", dpi=110)
    names = sorted({n for f in found["folds"].values() for n in f["unseen"]})
    grid = np.zeros((len(names), len(names)))
    for f in found["folds"].values():
        for name, value in f["found"]["k5"]["by_class"].items():
            grid[names.index(name), names.index(name)] = value
    for a, b, n in found["confusions"]:
        photos = sum(1 for f in found["folds"].values() if a in f["unseen"]) and 1
        grid[names.index(a), names.index(b)] = max(n / 26 * photos, 0.01)  # about 26 photographs a class
    figure = Figure(figsize=(9, 8), layout="constrained")
    axes = figure.subplots()
    shown = axes.imshow(np.sqrt(grid), cmap="magma_r", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set(xlabel="taken for", ylabel="is", title="five references, other shops; only products of one split are compared")
    figure.colorbar(shown, ax=axes, label="share of its photographs (root)")
    figure.savefig(target / "confusions.png", dpi=90)


def cases(folds: list[Fold], data: Path, target: Path) -> None:
    """The photographs that most rounds got wrong, each beside the product it was taken for."""
    import cv2
    from matplotlib.figure import Figure

    target.mkdir(parents=True, exist_ok=True)
    worst = []
    for fold in folds:
        wanted = fold.classes(True)
        said, q = [], []
        for vectors, truth, gallery, q in asked(fold, wanted, "found", 5, other_shops(fold), ROUNDS):
            said.append((vectors @ np.array([r.mean for r in gallery.values()]).T).argmax(1))
        for n, row in enumerate(q):
            votes = Counter(int(s[n]) for s in said)
            wrong = sum(c for s, c in votes.items() if s != truth[n])
            other = max((c, s) for s, c in votes.items() if s != truth[n])[1] if wrong else None
            if other is not None:
                worst.append((wrong / ROUNDS, fold, row, wanted[other]))
    worst.sort(key=lambda w: -w[0])
    figure = Figure(figsize=(14, 9), layout="constrained")
    grid = figure.subplots(3, 6).ravel()
    for axes, (share_wrong, fold, row, other) in zip(grid, worst, strict=False):
        path = data / "grocery" / str(fold.rows["paths"][row])
        picture = cv2.imread(str(path))
        if picture is None:
            continue
        factor = max(picture.shape[:2]) / 480
        left, top, right, bottom = (round(float(x) * max(factor, 1)) for x in fold.rows["own"][row])
        cv2.rectangle(picture, (left, top), (right, bottom), (0, 0, 255), max(2, round(4 * factor)))
        axes.imshow(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        axes.set_title(f"{fold.rows['names'][row][:26]}\nfor {other[:26]} {share_wrong:.0%}", fontsize=7)
    for axes in grid:
        axes.set_axis_off()
    figure.savefig(target / "hard_cases.png", dpi=80)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("out", type=Path, help="where train.py wrote to")
    arguments.add_argument("--cases", nargs=2, type=Path, metavar=("DIR", "DATA"))
    arguments.add_argument("--look", action="store_true", help="print the figures, write nothing")
    given = arguments.parse_args()
    folds = [Fold(p.stem, dict(np.load(p))) for p in sorted(given.out.glob("fold*.npz"))]
    found = figures(folds)
    if given.cases:
        cases(folds, given.cases[1], given.cases[0])
    if given.look:
        print(json.dumps(found, indent=1))
        return
    model = HERE.parent / "model.tflite"
    shutil.copy(given.out / "final.tflite", model)
    model.chmod(0o644)
    final = dict(np.load(given.out / "final.npz"))
    found["bytes"], found["photos_taught"] = model.stat().st_size, len(final["names"])
    (HERE.parent / "labels.txt").write_text("\n".join(sorted(set(final["names"].tolist()))) + "\n")
    (HERE.parent / "model.toml").write_text(describe(model, found["fit"]))
    (HERE / "figures.json").write_text(json.dumps(found, indent=1) + "\n")
    plots(found, HERE.parent / "results")


if __name__ == "__main__":
    main()
