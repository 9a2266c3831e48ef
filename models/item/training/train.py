"""Rebuild the item embedder: `python train.py DATA` (DATA holds grocery/).

Writes model.tflite, model.toml and labels.txt one folder up, and figures.json here.  One core, seeds fixed.
"""

import argparse
import hashlib
import json
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional

import measure
from export import embed, normalised, write_int8
from network import DIM, MEAN, SIDE, SPREAD, Front, Tail, Whole, published
from photos import Photo, all_photos, held_out, plain, read_rgb, varied

NAME, VERSION, SEED = "cabinet-item", "0.1.0", 0
VIEWS, EPOCHS, BATCH = 4, 10, 64
MARGIN, SCALE = 0.15, 20.0  # additive cosine margin (CosFace) and its temperature
RATE_TAIL, RATE_PROJECT, RATE_CLASS = 2e-4, 2e-3, 5e-3
CALIBRATION = 120  # photographs


@torch.no_grad()
def through(front: Front, pictures: list[np.ndarray]) -> np.ndarray:
    """Half-precision N,112,14,14 of the blocks that are not taught."""
    out = []
    for start in range(0, len(pictures), 32):
        x = normalised(np.stack(pictures[start : start + 32])).transpose(0, 3, 1, 2)  # stays channels-last in memory
        out.append(front(torch.from_numpy(x)).half().numpy())
    return np.concatenate(out)


def teach(tail: Tail, views: np.ndarray, names: list[str]) -> list[float]:
    """Metric learning by classification with a cosine margin; `views` is V,N,112,14,14.  Returns each epoch's loss."""
    labels = sorted(set(names))
    truth = torch.tensor([labels.index(n) for n in names])
    centres = torch.nn.Parameter(torch.randn(len(labels), DIM) * 0.1)
    rest = [p for n, p in tail.named_parameters() if not n.startswith("project")]
    groups = [(tail.project.parameters(), RATE_PROJECT), ([centres], RATE_CLASS), (rest, RATE_TAIL)]
    steps = EPOCHS * (len(names) // BATCH)
    chosen = torch.optim.AdamW([{"params": p, "lr": r} for p, r in groups], weight_decay=1e-2)
    pace = torch.optim.lr_scheduler.OneCycleLR(chosen, [r for _, r in groups], total_steps=steps)
    dice, losses = np.random.default_rng(SEED), []
    tail.teach_mode()
    for _ in range(EPOCHS):
        order, total = dice.permutation(len(names)), 0.0
        for start in range(0, len(order) - BATCH + 1, BATCH):
            rows = order[start : start + BATCH]
            picked = np.stack([views[v, r] for v, r in zip(dice.integers(0, len(views), BATCH), rows, strict=True)])
            batch = torch.from_numpy(picked.astype(np.float32)).contiguous(memory_format=torch.channels_last)
            vectors = functional.normalize(tail(batch))
            cosines = vectors @ functional.normalize(centres).T
            asked = truth[rows]
            loss = functional.cross_entropy(SCALE * (cosines - MARGIN * functional.one_hot(asked, len(labels))), asked)
            chosen.zero_grad()
            loss.backward()
            chosen.step()
            pace.step()
            total += loss.item()
        losses.append(round(total / (len(names) // BATCH), 3))
        print("epoch", len(losses), "loss", losses[-1], flush=True)
    tail.eval()
    return losses


def share(hits: np.ndarray) -> list[float]:
    """Mean, and its Wilson 95 % interval with one case a photograph (rounds of the same photograph add no cases)."""
    return [round(float(x), 4) for x in (hits.mean(), *measure.wilson(float(hits.mean()), len(hits)))]


def told_apart(
    refs: np.ndarray, ref_names: np.ndarray, asks: np.ndarray, ask_names: np.ndarray, gallery: list[str]
) -> dict:
    """Top-1 and top-3 among the gallery for one and for five references."""
    out = {}
    for k in (1, 5):
        one, three = measure.few_shot(refs, ref_names, asks, ask_names, gallery, k)
        by_class = {c: round(float(one[ask_names == c].mean()), 3) for c in sorted(set(ask_names.tolist()))}
        out[f"k{k}"] = {"top1": share(one), "top3": share(three), "top1_by_class": by_class}
    return out


def known_or_not(sims: np.ndarray, truth: np.ndarray, photos: int, temperature: float, threshold: float) -> dict:
    """Open-set figures; `photos` different photographs, asked in equal rounds."""
    known, best = truth >= 0, measure.probabilities(sims, temperature, threshold).argmax(1)
    other, dice = sims.shape[1], np.random.default_rng(SEED)
    top, photo = sims.max(1), np.arange(len(sims)) % photos
    draws = []
    for _ in range(200):  # bootstrap over photographs
        weight = np.bincount(dice.integers(0, photos, photos), minlength=photos)
        rows = np.repeat(np.arange(len(sims)), weight[photo])
        draws.append(measure.auroc(top[rows][known[rows]], top[rows][~known[rows]]))
    auroc = (measure.auroc(top[known], top[~known]), *np.quantile(draws, (0.025, 0.975)))
    outcomes = {
        "known_named_right": best[known] == truth[known],
        "known_called_other": best[known] == other,
        "known_named_wrong": (best[known] != truth[known]) & (best[known] != other),
        "unknown_called_other": best[~known] == other,
    }
    out: dict = {"auroc": [round(float(x), 4) for x in auroc]}
    out |= {
        name: [round(float(x), 4) for x in (hit.mean(), *measure.wilson(float(hit.mean()), photos))]
        for name, hit in outcomes.items()
    }
    return out | {"log_loss": round(measure.log_loss(sims, truth, temperature, threshold), 4)}


def figures(model: Path, photos: list[Photo], pictures: list[np.ndarray], new: list[str]) -> dict:
    """Everything measured on classes that were never shown.

    References are train photographs, queries test photographs (other shops), unless a key says same shops.  The
    temperature and the threshold are fitted on train photographs alone: the first half as references, the rest asks.
    """
    rows = [i for i, p in enumerate(photos) if p.packaged]
    vectors = embed(model, np.stack([pictures[i] for i in rows]))
    names = np.array([photos[i].name for i in rows])
    test = np.array([photos[i].split == "test" for i in rows])
    fresh, first = np.isin(names, new), np.zeros(len(names), bool)
    for c in new:
        mine = np.flatnonzero(~test & (names == c))
        first[mine[: len(mine) // 2]] = True
    refs, asks, rest = ~test & fresh, test & fresh, ~test & fresh & ~first
    fit_on = measure.open_set(vectors[first], names[first], vectors[rest], names[rest], new, 4, 5, 60)
    temperature, threshold = (round(x, 3) for x in measure.calibrate(*fit_on))
    asked = measure.open_set(vectors[refs], names[refs], vectors[asks], names[asks], new, 4, 5, 60, seed=1)
    everything = sorted(set(names.tolist()))
    dice, strange = np.random.default_rng(SEED), test & ~fresh  # look-alikes of every kind, though taught ones
    full = [measure.class_means(vectors[refs], names[refs], new, 5, dice) for _ in range(20)]
    top = [(measure.unit(vectors[rows]) @ np.stack(full).transpose(0, 2, 1)).max(2) for rows in (asks, strange)]
    return {
        "held_out": new,
        "test_photos": int(asks.sum()),
        "among_the_held_out": told_apart(vectors[refs], names[refs], vectors[asks], names[asks], new),
        "same_shops": told_apart(vectors[first], names[first], vectors[rest], names[rest], new),
        "among_all_packaged": told_apart(vectors[~test], names[~test], vectors[asks], names[asks], everything),
        "temperature": temperature,
        "threshold": threshold,
        "open_set": known_or_not(*asked, int(asks.sum()), temperature, threshold),
        "look_alikes": {
            "auroc": round(measure.auroc(top[0].ravel(), top[1].ravel()), 4),
            "unknown_below_threshold": round(float((top[1] < threshold).mean()), 4),
            "known_below_threshold": round(float((top[0] < threshold).mean()), 4),
        },
        "open_set_same_shops_fitted_on": known_or_not(*fit_on, int(rest.sum()), temperature, threshold),
    }


def describe(model: Path, temperature: float, threshold: float) -> str:
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    return f'''# Written by training/train.py together with model.tflite; a loader refuses a file whose sha256 differs.
name = "{NAME}"
version = "{VERSION}"
file = "model.tflite"
sha256 = "{digest}"
licence = "Apache-2.0"
labels = "labels.txt" # classes it was fitted on; the product's own come from reference photographs

[input]
shape = [1, {SIDE}, {SIDE}, 3] # batch, height, width, channel
dtype = "int8" # scale and zero point: read them from the file
colour = "RGB"
resize = "stretch" # a tight crop is stretched to the square
mean = {MEAN} # value = (pixel - mean) / std, before the scale and zero point of the file
std = {SPREAD}

[output]
dim = {DIM}
dtype = "int8" # scale and zero point: read them from the file
unit_length = false # the caller divides by the length

[match]
# Similarity s = cosine with a product's reference: the mean of its unit vectors, brought to unit length again.
# score(product) = exp(s / temperature) / Z, other = exp(other_threshold / temperature) / Z; they sum to 1.
temperature = {temperature}
other_threshold = {threshold}
'''


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path, help="folder that holds grocery/")
    data = arguments.parse_args().data
    here, target, began = Path(__file__).parent, Path(__file__).parents[1], time.monotonic()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(SEED)
    photos = all_photos(data / "grocery")
    new = held_out(photos)
    raw = [read_rgb(p.path) for p in photos]
    pictures = [plain(r) for r in raw]
    taught = [i for i, p in enumerate(photos) if p.split != "test" and p.name not in new]
    front, tail = (half.to(memory_format=torch.channels_last) for half in published())  # twice as fast on a CPU
    dice = np.random.default_rng(SEED)
    views = np.stack([through(front, [varied(raw[i], dice) for i in taught]) for _ in range(VIEWS)])
    print("views after", round(time.monotonic() - began), "s", flush=True)
    losses = teach(tail, views, [photos[i].name for i in taught])
    print("taught after", round(time.monotonic() - began), "s", flush=True)
    ranges = [pictures[i] for i in dice.choice(taught, CALIBRATION, replace=False)]
    model = target / "model.tflite"
    with tempfile.TemporaryDirectory() as scratch:
        drift = write_int8(Whole(front, tail).eval(), np.stack(ranges), model, Path(scratch))
    model.chmod(0o644)
    found = figures(model, photos, pictures, new)
    found |= {"photos_taught": len(taught), "loss_by_epoch": losses, "torch_vs_float_file": drift}
    found |= {"bytes": model.stat().st_size, "seconds": round(time.monotonic() - began)}
    (target / "labels.txt").write_text("\n".join(sorted({photos[i].name for i in taught})) + "\n")
    (target / "model.toml").write_text(describe(model, found["temperature"], found["threshold"]))
    (here / "figures.json").write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
