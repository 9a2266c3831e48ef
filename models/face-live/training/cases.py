"""Make the crops that teach and measure: `python cases.py DATA MORE OUT COUNT SEED [--held-out]` writes OUT (.npz).

One case: a frame with a face found in it, cut as the product cuts it, with its species, and what the teacher says.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from engines import Teacher, crop, faces
from pictures import backgrounds, shots
from views import ATTACKS, attack, camera, live

cv2.setNumThreads(1)
SIDE, SCALES = 112, (2.7, 4.0)
REGION = 4.4 # times the box: what is kept of a frame
TURNS = 5  # different cameras before one frame
LIVE_SHARE = 0.5
SPECIES = ("live", *ATTACKS)


def nearest(found: list) -> tuple | None:
    return max(found, key=lambda f: f[2] - f[0], default=None)


def frames(everyone: list, grounds: list, dice: np.random.Generator) -> tuple[int, np.ndarray]:
    shot = everyone[dice.integers(len(everyone))]
    kind = 0 if dice.random() < LIVE_SHARE else 1 + int(dice.choice(4, p=(0.34, 0.34, 0.2, 0.12)))
    return kind, live(shot, grounds, dice) if kind == 0 else attack(SPECIES[kind], shot, grounds, dice)


def jittered(box: tuple, dice: np.random.Generator) -> tuple:
    side = box[2] - box[0]
    grow, move = dice.normal(0, 0.04) * side, dice.normal(0, 0.04, 2) * side
    return box[0] + move[0] - grow, box[1] + move[1] - grow, box[2] + move[0] + grow, box[3] + move[1] + grow


def small(picture: np.ndarray, dice: np.random.Generator | None = None) -> np.ndarray:
    """RGB SIDE,SIDE,3.  The product's ways of making a picture smaller differ: both are taught."""
    area = dice is None or dice.random() < 0.4
    return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA if area else cv2.INTER_LINEAR)[..., ::-1]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "more", "out"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("count", type=int)
    arguments.add_argument("seed", type=int)
    arguments.add_argument("--held-out", action="store_true")
    given = arguments.parse_args()
    dice = np.random.default_rng(given.seed)
    everyone = [s for s in shots(given.data, given.more) if s.held_out == given.held_out]
    grounds, teacher = backgrounds(given.data, given.held_out), Teacher(given.data)
    pictures, kinds, says = [], [], []
    while len(pictures) < given.count:
        kind, frame = frames(everyone, grounds, dice)
        if (found := nearest(faces(frame))) is None or found[2] - found[0] < 40:
            continue
        region = crop(frame, found, REGION)
        for _ in range(TURNS):
            seen = camera(region, dice)
            if (face := nearest(faces(seen))) is not None:
                box = jittered(face, dice)
                pictures.append([small(crop(seen, box, scale), dice) for scale in SCALES])
                kinds.append(kind)
                says.append(teacher(seen, face))
    np.savez(given.out, pictures=np.stack(pictures), kinds=np.array(kinds), says=np.array(says, np.float32))
    print(f"train: {given.out.name}: {len(pictures)} crops")


if __name__ == "__main__":
    main()
