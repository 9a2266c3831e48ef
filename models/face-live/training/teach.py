"""Teach the readers, measure them on people held out, write what ships: `python teach.py DATA MORE CASES`.

CASES: folder of train*.npz and held.npz (cases.py).  The figures are of readers that saw none of the held-out people,
their backgrounds, or the three real samples; what ships is taught the same way on everybody, and still not on the
samples.  Writes model.tflite and the sha256 in model.toml one folder up, figures.json here.
"""

import argparse
import hashlib
import json
import re
from pathlib import Path

import cv2
import litert_torch
import numpy as np
import torch
from torch.nn import functional

from cases import SCALES, SPECIES, nearest, small
from engines import Engine, Teacher, crop, faces
from features import features, front_file
from network import MEAN, SIDE, SPREAD, Front, Reader, Shipped
from pictures import shots

HERE = Path(__file__).parent
SEEDS, STEPS, BATCH, RATE, DECAY, NOISE, SMOOTH = 3, 900, 192, 3e-3, 1.0, 0.1, 0.03


def taught(maps: np.ndarray, live: np.ndarray, seed: int) -> Reader:
    """From cases (N, scales, WIDTH): one reader for all scales."""
    torch.manual_seed(seed)
    x = torch.from_numpy(maps.reshape(-1, maps.shape[2]))
    y = torch.from_numpy(np.repeat(np.where(live, 1 - SMOOTH, SMOOTH), maps.shape[1])).float()
    reader = Reader(x.mean(0), x.std(0) + 1e-3)
    steps = torch.optim.AdamW(reader.parameters(), lr=RATE, weight_decay=DECAY)
    pace = torch.optim.lr_scheduler.OneCycleLR(steps, RATE, total_steps=STEPS)
    for _ in range(STEPS):
        rows = torch.randint(len(x), (BATCH,))
        seen = x[rows] + torch.randn(BATCH, x.shape[1]) * reader.spread * NOISE
        loss = functional.binary_cross_entropy_with_logits(reader(seen)[:, 0], y[rows])
        steps.zero_grad()
        loss.backward()
        steps.step()
        pace.step()
    return reader.eval()


def likely(readers: list[Reader], maps: np.ndarray) -> np.ndarray:
    """Of cases (N, scales, WIDTH): the mean over the scales, as the product takes it."""
    with torch.inference_mode():
        odds = np.mean([r(torch.from_numpy(maps)).numpy()[..., 0] for r in readers], axis=0)
    return (1 / (1 + np.exp(-odds))).mean(axis=1)


def rates(score: np.ndarray, kinds: np.ndarray, bound: float) -> dict:
    """Share below the bound of people (bpcer), and at or above it of each species (apcer)."""
    out = {"from": round(bound, 4), "bpcer": round(float(np.mean(score[kinds == 0] < bound)), 4)}
    return out | {f"apcer_{s}": round(float(np.mean(score[kinds == n] >= bound)), 4) for n, s in enumerate(SPECIES) if n}


def curve(score: np.ndarray, kinds: np.ndarray) -> dict:
    people = np.sort(score[kinds == 0])
    wins = (people[:, None] > score[kinds != 0][None]).mean()
    bounds = [float(people[int(len(people) * share)]) for share in (0.01, 0.02, 0.05, 0.10)]
    return {"auroc": round(float(wins), 4), "at": [rates(score, kinds, b) for b in [*bounds, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]]}


def stills(data: Path, more: Path, teacher: Teacher) -> list[dict]:
    """Whole photographs as they are, and the three real samples, as they are and turned upright."""
    rows = [
        {"name": s.name, "held_out": s.held_out, "pictures": [small(crop(s.picture, s.box, scale)) for scale in SCALES], "teacher": teacher(s.picture, s.box)}
        for s in shots(data, more)
    ]
    for file in sorted((data / "faces" / "antispoof_samples").glob("*.jpg")):
        for quarters in (0, 3):
            frame = np.ascontiguousarray(np.rot90(cv2.imread(str(file)), quarters))
            box = nearest(faces(frame))
            rows.append({"name": f"{file.name}/{quarters}", "held_out": True, "pictures": [small(crop(frame, box, scale)) for scale in SCALES], "teacher": teacher(frame, box)})
    return rows


def write(readers: list[Reader], target: Path) -> str:
    shipped = litert_torch.to_channel_last_io(Shipped(Front(), readers).eval(), args=[0]).eval()
    litert_torch.convert(shipped, (torch.zeros(1, SIDE, SIDE, 3),)).export(str(target))
    card = target.with_name("model.toml")
    found = hashlib.sha256(target.read_bytes()).hexdigest()
    if card.is_file():
        card.write_text(re.sub(r'^sha256 = ".*"', f'sha256 = "{found}"', card.read_text(), flags=re.M))
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "more", "cases"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--out", type=Path, default=HERE.parent)
    given = arguments.parse_args()
    torch.set_num_threads(1)
    front = Engine(front_file(given.cases / "front.tflite"))

    def of_all(pictures: np.ndarray) -> np.ndarray:
        return features(front, pictures.reshape(-1, SIDE, SIDE, 3)).reshape(*pictures.shape[:2], -1)

    def loaded(file: Path) -> tuple:
        rows, kept = np.load(file), file.with_suffix(".features.npy")
        if not kept.is_file():
            np.save(kept, of_all(rows["pictures"]))
        return np.load(kept), rows["kinds"], rows["says"]

    train = [loaded(f) for f in sorted(given.cases.glob("train*.npz"))]
    maps, kinds, _ = (np.concatenate([t[n] for t in train]) for n in range(3))
    held, held_kinds, says = loaded(given.cases / "held.npz")
    readers = [taught(maps, kinds == 0, seed) for seed in range(SEEDS)]
    still = stills(given.data, given.more, Teacher(given.data))
    still_maps = of_all(np.stack([np.stack(s["pictures"]) for s in still]))
    everybody = [taught(np.concatenate([maps, held]), np.concatenate([kinds, held_kinds]) == 0, seed) for seed in range(SEEDS)]
    sha = write(everybody, given.out / "model.tflite")
    engine = Engine(given.out / "model.tflite")
    shipped = [[engine((p[None].astype(np.float32) - MEAN) / SPREAD)[0][0] for p in s["pictures"]] for s in still]
    figures = {
        "crops": {"taught": {s: int((kinds == n).sum()) for n, s in enumerate(SPECIES)}, "held_out": {s: int((held_kinds == n).sum()) for n, s in enumerate(SPECIES)}},
        "held_out": curve(likely(readers, held), held_kinds),
        "held_out_each_scale": {str(scale): curve(likely(readers, held[:, n : n + 1]), held_kinds)["auroc"] for n, scale in enumerate(SCALES)},
        "minifasnet": curve(says.mean(axis=1), held_kinds),
        "stills": [
            {"name": s["name"], "held_out": s["held_out"], "split": round(float(split), 3), "shipped": round(float(np.mean([1 / (1 + np.exp(o[0] - o[1])) for o in odds])), 3), "minifasnet": round(float(np.mean(s["teacher"])), 3)}
            for s, split, odds in zip(still, likely(readers, still_maps), shipped, strict=True)
        ],
        "sha256": sha,
    }  # fmt: skip
    (given.out / "training" / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures["held_out"]))


if __name__ == "__main__":
    main()
