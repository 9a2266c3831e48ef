"""What seeing costs: a crop beside the bare interpreter, frames while nothing moves, a large gallery."""

import gc
import itertools
import os
import statistics
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray

from cabinet.adapters.tflite import ItemRecogniser
from cabinet.config import OUR_MODEL
from cabinet.sim import pictures
from cabinet.units import Sku, ZoneId
from cabinet.vision.gallery import Gallery, Reference
from cabinet.vision.motion import MotionFinder
from tests.benchmarks.figures import Figures, Goal, spread
from tests.benchmarks.place import Given

SIZES = ((90, 60), (160, 110), (240, 200), (360, 240), (360, 640))  # height, width of crops from a 640 x 360 frame
TURNS = 60  # of each size
PRODUCTS = 300
WIDTH, HEIGHT, FPS = 640, 360, 10.0
FRAMES = 150  # a camera
OVERHEAD_GOAL, SHARE_GOAL, GALLERY_GOAL_MIB = 1.2, 1.5, 16.0

Pixels = NDArray[np.uint8]


def measure(given: Given) -> tuple[Figures, list[Goal]]:
    recogniser = ItemRecogniser(Path(OUR_MODEL))
    given.say(f"gallery of {PRODUCTS} products")
    gallery, gallery_mib = _gallery(recogniser)
    given.say("crops")
    crops = _crops(recogniser, gallery)
    found: Figures = {"runtime": recogniser.runtime, "crops": crops, "gallery_300_mib": round(gallery_mib, 2)}
    for cameras in (1, 2, 4):
        given.say(f"{cameras} cameras at {WIDTH} x {HEIGHT}, nothing moves")
        found[f"cameras_{cameras}"] = _watch(cameras, recogniser, gallery)
    goals = [
        Goal("our time for a crop / the interpreter's", crops["overhead"], OVERHEAD_GOAL),
        Goal("watching / decoding alone, 4 cameras", found["cameras_4"]["over_decoding"], SHARE_GOAL),
        Goal(f"gallery of {PRODUCTS} products, MiB", gallery_mib, GALLERY_GOAL_MIB),
    ]
    return found, goals


def _gallery(recogniser: ItemRecogniser) -> tuple[Gallery, float]:
    dice = np.random.default_rng(1)
    gc.collect()
    before = psutil.Process(os.getpid()).memory_info().rss
    gallery: dict[Sku, Reference] = {}
    for n in range(PRODUCTS):
        mean = dice.normal(size=recogniser.card.dim)
        gallery[Sku(f"{n:013}")] = Reference(tuple(map(float, mean / np.linalg.norm(mean))), 0.2, 5)
    recogniser.scores(np.full((64, 64, 3), 90, np.uint8), gallery)
    return gallery, (psutil.Process(os.getpid()).memory_info().rss - before) / (1 << 20)


def _crops(recogniser: ItemRecogniser, gallery: Gallery) -> Figures:
    """Ours: from the decoded frame's pixels to 300 scores.  Theirs: `invoke()` on the tensor that ours left."""
    dice = np.random.default_rng(2)
    frame = dice.integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    ours: dict[str, list[float]] = {}
    ratios, bare = [], []
    for _, (high, wide) in itertools.product(range(TURNS), SIZES):
        top, left = int(dice.integers(0, 720 - high)), int(dice.integers(0, 1280 - wide))
        crop = frame[top : top + high, left : left + wide]
        began = time.perf_counter()
        recogniser.scores(crop, gallery)
        took = time.perf_counter() - began
        with recogniser.engines.lent() as engine:
            began = time.perf_counter()
            engine.interpreter.invoke()
            alone = time.perf_counter() - began
        ours.setdefault(f"{wide}x{high}", []).append(1000 * took)
        bare.append(1000 * alone)
        ratios.append(took / alone)
    return {
        "overhead": round(statistics.median(ratios), 4),
        "invoke_ms": spread(bare),
        "ours_ms": {size: spread(taken) for size, taken in ours.items()},
    }


def _stream(seed: int) -> list[Any]:
    """JPEG frames of one shelf that nobody touches, with a sensor's noise."""
    dice, names = np.random.default_rng(seed), list(pictures.LOOKS)
    shelf = cv2.resize(pictures.cabinet([names[:3], names[1:4]]), (WIDTH, HEIGHT))
    frames = []
    for _ in range(10):
        noisy = np.clip(shelf.astype(np.float32) + dice.normal(0, 2.5, shelf.shape), 0, 255).astype(np.uint8)
        frames.append(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 85])[1])
    return frames


def _watch(cameras: int, recogniser: ItemRecogniser, gallery: Gallery) -> Figures:
    """CPU time of decoding every frame, and of decoding and watching it."""
    streams = [_stream(seed) for seed in range(cameras)]
    zones = {ZoneId("s1"): [(0.0, 0.0), (640.0, 0.0), (640.0, 180.0), (0.0, 180.0)],
             ZoneId("s2"): [(0.0, 180.0), (640.0, 180.0), (640.0, 360.0), (0.0, 360.0)]}  # fmt: skip
    finders = [MotionFinder() for _ in range(cameras)]
    took = {False: 0.0, True: 0.0}
    for n, watching in itertools.product(range(FRAMES), (False, True)):
        began = time.process_time()
        for finder, frames in zip(finders, streams, strict=True):
            frame = np.asarray(cv2.imdecode(frames[n % len(frames)], cv2.IMREAD_COLOR), np.uint8)
            if watching:
                finder.update(frame, n / FPS, zones, recogniser, gallery)
        took[watching] += time.process_time() - began
    return {
        "frames_per_s_of_a_core": round(FRAMES * cameras / took[True], 1),
        "decoding_alone_per_s": round(FRAMES * cameras / took[False], 1),
        "over_decoding": round(took[True] / took[False], 3),
        "ms_a_frame": round(1000 * took[True] / (FRAMES * cameras), 3),
    }
