"""Teach the item embedder: `python train.py DATA OUT [--fold F]`.

Without a fold every class is taught: the shipped model.  With one, its classes are held out, and the vectors of every
photograph are written beside the model, for `finish.py` to measure.  Two threads at most, seeds fixed.
"""

import argparse
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional

from export import Embedder, box_of, normalised, write_int8
from network import DIM, Finder, Front, Tail, Whole, published
from photos import Photo, Teacher, all_photos, crop, fit, held_out, read_rgb
from views import scene, view

SEED = 0
VIEWS, EPOCHS, BATCH = 7, 10, 64
SCENES, FIND_EPOCHS = 3, 12
MARGIN, SCALE = 0.2, 22.0  # additive cosine margin (CosFace) and its temperature
RATE_TAIL, RATE_PROJECT, RATE_CLASS = 3e-4, 2e-3, 5e-3
CALIBRATION = 160  # photographs


@torch.no_grad()
def through(front: Front, pictures: list[np.ndarray]) -> np.ndarray:
    """Half-precision N,80,14,14 of the blocks that are not taught."""
    out = []
    for start in range(0, len(pictures), 32):
        x = normalised(np.stack(pictures[start : start + 32])).transpose(0, 3, 1, 2)  # stays channels-last in memory
        out.append(front(torch.from_numpy(x)).half().numpy())
    return np.concatenate(out)


def batch_of(features: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(features.astype(np.float32)).contiguous(memory_format=torch.channels_last)


def teach(tail: Tail, views: np.ndarray, names: list[str]) -> list[float]:
    """Metric learning by classification with a cosine margin; `views` is V,N,80,14,14.  Returns each epoch's loss.

    Rare classes are drawn as often as frequent ones up to a factor of two.
    """
    labels = sorted(set(names))
    truth = torch.tensor([labels.index(n) for n in names])
    centres = torch.nn.Parameter(torch.randn(len(labels), DIM) * 0.1)
    rest = [p for n, p in tail.named_parameters() if not n.startswith("project")]
    groups = [(tail.project.parameters(), RATE_PROJECT), ([centres], RATE_CLASS), (rest, RATE_TAIL)]
    per_epoch = len(names) // BATCH
    chosen = torch.optim.AdamW([{"params": p, "lr": r} for p, r in groups], weight_decay=1e-2)
    pace = torch.optim.lr_scheduler.OneCycleLR(chosen, [r for _, r in groups], total_steps=EPOCHS * per_epoch)
    dice, losses = np.random.default_rng(SEED), []
    tail.teach_mode()
    for epoch in range(EPOCHS):
        order, total = dice.permutation(len(names)), 0.0
        for start in range(0, len(order) - BATCH + 1, BATCH):
            rows = order[start : start + BATCH]
            picked = np.stack([views[v, r] for v, r in zip(dice.integers(0, len(views), BATCH), rows, strict=True)])
            vectors = functional.normalize(tail(batch_of(picked)))
            cosines = vectors @ functional.normalize(centres).T
            asked = truth[rows]
            loss = functional.cross_entropy(SCALE * (cosines - MARGIN * functional.one_hot(asked, len(labels))), asked)
            chosen.zero_grad()
            loss.backward()
            chosen.step()
            pace.step()
            total += loss.item()
        losses.append(round(total / per_epoch, 3))
        print("epoch", epoch + 1, "loss", losses[-1], flush=True)
    tail.eval()
    return losses


def teach_finder(finder: Finder, features: np.ndarray, covered: np.ndarray) -> float:
    """`features` N,80,14,14, `covered` N,196 shares.  Returns the last epoch's loss."""
    chosen = torch.optim.AdamW(finder.parameters(), lr=3e-3, weight_decay=1e-3)
    steps = FIND_EPOCHS * (len(features) // BATCH)
    pace = torch.optim.lr_scheduler.OneCycleLR(chosen, 3e-3, total_steps=steps)
    dice, total = np.random.default_rng(SEED), 0.0
    finder.train()
    for _ in range(FIND_EPOCHS):
        order, total = dice.permutation(len(features)), 0.0
        for start in range(0, len(order) - BATCH + 1, BATCH):
            rows = order[start : start + BATCH]
            loss = functional.binary_cross_entropy_with_logits(
                finder(batch_of(features[rows])), torch.from_numpy(covered[rows])
            )
            chosen.zero_grad()
            loss.backward()
            chosen.step()
            pace.step()
            total += loss.item()
    finder.eval()
    return total / max(len(features) // BATCH, 1)


def measure_all(model: Path, photos: list[Photo], raw: list[np.ndarray], boxes: list, out: Path) -> None:
    """Vectors of every photograph: given the teacher's box, with the box the model finds itself, and uncropped."""
    worker = Embedder(model)
    given, found, whole, own = [], [], [], []
    for rgb, box in zip(raw, boxes, strict=True):
        given.append(worker.run(crop(rgb, box))[0])
        vector, odds = worker.run(fit(rgb))
        mine = box_of(odds, rgb.shape[1], rgb.shape[0])
        whole.append(vector)
        own.append(mine)
        found.append(worker.run(crop(rgb, mine))[0])
    np.savez_compressed(
        out, given=np.stack(given), found=np.stack(found), whole=np.stack(whole), boxes=np.array(boxes),
        own=np.array(own), names=np.array([p.name for p in photos]), splits=np.array([p.split for p in photos]),
        packaged=np.array([p.packaged for p in photos]), paths=np.array([str(Path(*p.path.parts[-4:])) for p in photos]),
    )  # fmt: skip


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path, help="folder that holds grocery/ and models/detect/")
    arguments.add_argument("out", type=Path, help="folder for model and vectors")
    arguments.add_argument("--fold", type=int)
    arguments.add_argument("--threads", type=int, default=1)
    asked = arguments.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    name, began = "final" if asked.fold is None else f"fold{asked.fold}", time.monotonic()
    torch.set_num_threads(asked.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(SEED)
    photos = all_photos(asked.data / "grocery")
    away = held_out(photos, asked.fold)
    raw = [read_rgb(p.path) for p in photos]
    teacher = Teacher(next((asked.data / "models" / "detect").glob("*.tflite")))
    boxes = [teacher.box(rgb) for rgb in raw]
    taught = [i for i, p in enumerate(photos) if p.name not in away]
    print(name, len(taught), "photographs; boxes after", round(time.monotonic() - began), "s", flush=True)
    front, tail = (half.to(memory_format=torch.channels_last) for half in published())  # twice as fast on a CPU
    dice = np.random.default_rng(SEED)
    made = [scene(raw[i], boxes[i], raw[int(dice.choice(taught))], dice) for _ in range(SCENES) for i in taught]
    finder = Finder()
    missed = teach_finder(finder, through(front, [m[0] for m in made]), np.stack([m[1] for m in made]))
    print("finder loss", round(missed, 4), "after", round(time.monotonic() - began), "s", flush=True)
    views = np.stack([through(front, [view(raw[i], boxes[i], dice) for i in taught]) for _ in range(VIEWS)])
    print("views after", round(time.monotonic() - began), "s", flush=True)
    losses = teach(tail, views, [photos[i].name for i in taught])
    print("taught after", round(time.monotonic() - began), "s", losses, flush=True)
    picked = dice.choice(taught, CALIBRATION, replace=False)
    ranges = [crop(raw[i], boxes[i]) if n % 2 else fit(raw[i]) for n, i in enumerate(picked)]
    model = asked.out / f"{name}.tflite"
    with tempfile.TemporaryDirectory() as scratch:
        drift = write_int8(Whole(front, tail, finder).eval(), np.stack(ranges), model, Path(scratch))
    model.chmod(0o644)
    measure_all(model, photos, raw, boxes, asked.out / f"{name}.npz")
    print("done after", round(time.monotonic() - began), "s; torch against float file", drift, flush=True)


if __name__ == "__main__":
    main()
