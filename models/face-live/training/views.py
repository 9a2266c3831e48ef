"""What stands before the camera: a person, or a picture of one.  Frames are BGR, made from photographs.

Live: the photograph itself, or the person cut out and put before another background.  Attacks, by species: `print`
(paper held up), `screen` (telephone, tablet, monitor), `close` (either one so near that no edge shows) and `cutout`
(printed person, cut along the outline).  Whatever the camera does is done to all of them alike, or it would tell.
"""

import cv2
import numpy as np

from pictures import Shot

Dice = np.random.Generator
ATTACKS = ("print", "screen", "close", "cutout")
FRAME = (480, 640)


def cover(picture: np.ndarray, height: int, width: int, dice: Dice) -> np.ndarray:
    """A random part of the picture, filling height x width."""
    grow = max(height / picture.shape[0], width / picture.shape[1]) * dice.uniform(1.0, 1.8)
    big = cv2.resize(picture, None, fx=grow, fy=grow)
    top, left = (int(dice.integers(0, big.shape[n] - (height, width)[n] + 1)) for n in (0, 1))
    return big[top : top + height, left : left + width].copy()


def scene(backs: list[np.ndarray], dice: Dice, height: int, width: int) -> np.ndarray:
    """A background: a shop, a plain wall, sometimes with frames, doors and lamps, out of focus or not."""
    if dice.random() < 0.6:
        ground = cover(backs[dice.integers(len(backs))], height, width, dice)
    else:
        first, second = dice.uniform(20, 235, 3), dice.uniform(20, 235, 3)
        first, second = first.mean() + 0.3 * (first - first.mean()), second.mean() + 0.3 * (second - second.mean())
        ramp = np.linspace(0, 1, width)[None, :, None] * dice.uniform(0, 1) + np.linspace(0, 1, height)[:, None, None] * dice.uniform(0, 1)
        ground = np.clip(first + (second - first) * ramp, 0, 255).astype(np.uint8)
    for _ in range(int(dice.integers(0, 5))):
        x, y = int(dice.integers(-width // 4, width)), int(dice.integers(-height // 4, height))
        corner = x + int(dice.integers(20, width)), y + int(dice.integers(20, height))
        colour = tuple(float(c) for c in np.clip(dice.uniform(0, 255) + dice.normal(0, 25, 3), 0, 255))
        cv2.rectangle(ground, (x, y), corner, colour, -1 if dice.random() < 0.5 else int(dice.integers(2, 14)))
    if dice.random() < 0.3:
        spot = (int(dice.integers(0, width)), int(dice.integers(0, height // 2)))
        cv2.circle(ground, spot, int(dice.integers(6, 40)), (255, 255, 255), -1)
    if dice.random() < 0.6:
        ground = cv2.GaussianBlur(ground, (0, 0), dice.uniform(0.6, 6))
    return ground


def part(shot: Shot, dice: Dice, least: float, most: float) -> np.ndarray:
    """The photograph round the face, `least` to `most` times its box, as far as it goes."""
    x0, y0, x1, y1 = shot.box
    side = (x1 - x0) * dice.uniform(least, most)
    tall = side * dice.uniform(1.0, 1.35)
    cx, cy = (x0 + x1) / 2 + dice.normal(0, 0.12) * (x1 - x0), (y0 + y1) / 2 + dice.uniform(-0.05, 0.35) * (y1 - y0)
    height, width = shot.picture.shape[:2]
    left, right = max(int(cx - side / 2), 0), min(int(cx + side / 2), width)
    top, bottom = max(int(cy - tall / 2), 0), min(int(cy + tall / 2), height)
    return shot.picture[top:bottom, left:right]


def cuttable(shot: Shot) -> bool:
    x0, y0, x1, y1 = (max(int(v), 0) for v in shot.box)
    return bool(shot.alpha[y0:y1, x0:x1].mean() > 0.93)


def person(shot: Shot) -> tuple[np.ndarray, np.ndarray, tuple]:
    """The part of the photograph with the one person, its mask, and where the face is in it."""
    x0, y0, x1, y1 = shot.box
    wide = x1 - x0
    height, width = shot.picture.shape[:2]
    left, right = max(int(x0 - 0.9 * wide), 0), min(int(x1 + 0.9 * wide), width)
    top, bottom = max(int(y0 - 0.9 * wide), 0), min(int(y1 + 2.2 * wide), height)
    mask = np.clip((shot.alpha[top:bottom, left:right] - 0.3) / 0.5, 0, 1)
    return shot.picture[top:bottom, left:right], mask, (x0 - left, y0 - top, x1 - left, y1 - top)


def live(shot: Shot, backs: list[np.ndarray], dice: Dice) -> np.ndarray:
    if dice.random() < 0.5 or not cuttable(shot):
        return part(shot, dice, 2.2, 6.0) 
    picture, mask, box = person(shot)
    grow = dice.uniform(90, 210) / (box[2] - box[0])
    picture, mask = cv2.resize(picture, None, fx=grow, fy=grow), cv2.resize(mask, None, fx=grow, fy=grow)
    height = max(FRAME[0], picture.shape[0])
    frame = scene(backs, dice, height, max(FRAME[1], picture.shape[1]))
    light = dice.uniform(0.7, 1.2) * (1 + dice.normal(0, 0.04, 3))
    left = int(dice.integers(0, frame.shape[1] - picture.shape[1] + 1))
    return put(frame, np.clip(picture * light, 0, 255), mask, left, height - picture.shape[0])


def put(frame: np.ndarray, picture: np.ndarray, mask: np.ndarray, left: int, top: int) -> np.ndarray:
    there = frame[top : top + picture.shape[0], left : left + picture.shape[1]]
    soft = cv2.GaussianBlur(mask, (0, 0), 1.2)[..., None]
    there[:] = (picture * soft + there * (1 - soft)).astype(np.uint8)
    return frame


def printed(picture: np.ndarray, dice: Dice, clean: bool = False) -> np.ndarray:
    """Ink on paper: less black, less colour, a cast, dots or lines of the printer, some with a white margin."""
    if clean:
        return margined((picture.astype(np.float32) * dice.uniform(0.75, 1.0) + dice.uniform(0, 30)).astype(np.uint8), dice)
    x = picture.astype(np.float32) / 255
    grey = x.mean(axis=2, keepdims=True)
    x = grey + (x - grey) * dice.uniform(0.0 if dice.random() < 0.12 else 0.45, 1.15)
    x = np.clip(x, 0, 1) ** dice.uniform(0.7, 1.4)
    low, high = dice.uniform(0.05, 0.3), dice.uniform(0.72, 0.98)
    x = (low + (high - low) * x) * (1 + dice.normal(0, 0.05, 3))
    height, width = x.shape[:2]
    kind = dice.random()
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    if kind < 0.35:  # halftone: each ink at its angle
        pitch = dice.uniform(1.8, 4.5)
        for channel, degrees in enumerate((0, 75, 15)):
            a = np.radians(degrees + dice.uniform(-5, 5))
            u, v = (columns * np.cos(a) + rows * np.sin(a)) / pitch, (rows * np.cos(a) - columns * np.sin(a)) / pitch
            dots = 0.5 + 0.25 * (np.cos(2 * np.pi * u) + np.cos(2 * np.pi * v))
            x[..., channel] += (dots - 0.5) * dice.uniform(0.05, 0.35)
    elif kind < 0.6:  # passes of an ink jet
        x += (np.cos(2 * np.pi * rows / dice.uniform(2, 9)) * dice.uniform(0.01, 0.05))[..., None]
    grain = cv2.GaussianBlur(dice.standard_normal((height, width), np.float32), (0, 0), dice.uniform(0.5, 1.6))
    x += (grain * dice.uniform(0.0, 0.08))[..., None]
    out = np.clip(x * 255, 0, 255).astype(np.uint8)
    return margined(out, dice) if dice.random() < 0.45 else out


def margined(sheet: np.ndarray, dice: Dice) -> np.ndarray:
    margin = int(dice.uniform(0.02, 0.14) * min(sheet.shape[:2])) + 1
    paper = tuple(float(c) for c in np.clip(dice.uniform(185, 250) + dice.normal(0, 6, 3), 0, 255))
    return cv2.copyMakeBorder(sheet, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=paper)


def displayed(picture: np.ndarray, dice: Dice, bezel: bool = True, clean: bool = False) -> np.ndarray:
    """A screen: contrast, bluish or warm white, lines and moire, reflections, a dark rim."""
    x = np.clip(picture.astype(np.float32) / 255, 0, 1) ** (dice.uniform(0.75, 1.35) if not clean else 1.0)
    x *= dice.uniform(0.75, 1.5 if not clean else 1.15) * (1 + dice.normal(0, 0.05, 3) + dice.uniform(-0.03, 0.12) * np.array([1, 0, -1]))
    x += dice.uniform(0.0, 0.12 if not clean else 0.02)
    height, width = x.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    if not clean and dice.random() < 0.75:
        for _ in range(int(dice.integers(1, 4))):
            angle, pitch = dice.uniform(0, np.pi), 10 ** dice.uniform(0.35, 1.6)
            wave = columns * np.cos(angle) + rows * np.sin(angle)
            wave = wave + dice.uniform(0, 8) * np.sin(2 * np.pi * rows / dice.uniform(80, 500))
            for channel in range(3):
                phase = dice.uniform(0, 1.2) * channel
                x[..., channel] *= 1 + dice.uniform(0.02, 0.14) * np.cos(2 * np.pi * wave / pitch + phase)
    if not clean and dice.random() < 0.3:
        x *= 1 + dice.uniform(0.03, 0.15) * np.cos(2 * np.pi * rows / dice.uniform(60, 400) + dice.uniform(0, 6))[..., None]
    x = np.clip(x, 0, 1.2)
    if not clean and dice.random() < 0.6:
        x += reflections(height, width, dice)
    out = np.clip(x * 255, 0, 255).astype(np.uint8)
    if bezel:
        ends = [int(dice.uniform(0.01, 0.09) * max(height, width)) + 2 for _ in range(2)]
        if dice.random() < 0.5:
            ends[0] += int(dice.uniform(0.02, 0.14) * height)
        rim = tuple(float(c) for c in (np.full(3, dice.uniform(4, 60)) if dice.random() < 0.85 else np.full(3, dice.uniform(190, 240))))
        out = cv2.copyMakeBorder(out, ends[0], ends[0], ends[1], ends[1], cv2.BORDER_CONSTANT, value=rim)
    return out


def reflections(height: int, width: int, dice: Dice) -> np.ndarray:
    """Lamps and windows mirrored in glass, or shine on glossy paper: 0..0.8."""
    light = np.zeros((height, width, 3), np.float32)
    for _ in range(int(dice.integers(1, 4))):
        x, y = dice.uniform(0, width), dice.uniform(0, height)
        size = dice.uniform(0.03, 0.4, 2) * max(height, width)
        angle = dice.uniform(0, 360)
        colour = tuple(float(c) for c in dice.uniform(0.15, 0.8) * (1 + dice.normal(0, 0.06, 3)))
        if dice.random() < 0.5:
            cv2.ellipse(light, (int(x), int(y)), (int(size[0]) + 1, int(size[1]) + 1), angle, 0, 360, colour, -1)
        else:
            corners = cv2.boxPoints(((x, y), (float(size[0]) * 2, float(size[1]) * 2), angle))
            cv2.fillConvexPoly(light, corners.astype(np.int32), colour)
    return cv2.GaussianBlur(light, (0, 0), dice.uniform(1, 25))


def held_up(sheet: np.ndarray, frame: np.ndarray, dice: Dice, share: tuple[float, float]) -> np.ndarray:
    """Put a sheet into the frame: bent, tilted, lit from one side, with a shadow, sometimes with fingers."""
    height, width = frame.shape[:2]
    tall, wide = sheet.shape[:2]
    grow = dice.uniform(*share) * min(height / tall, width / wide)
    corners = np.array([[-wide, -tall], [wide, -tall], [wide, tall], [-wide, tall]], np.float32) * grow / 2
    straight = dice.random() < 0.3
    angle = 0.0 if straight else np.radians(dice.normal(0, 9))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    tilt = dice.normal(0, 0.10, 2) * (not straight)
    depth = 1 + corners / (np.abs(corners).max(axis=0)) @ tilt
    corners = (corners / depth[:, None]) @ turn.T
    reach = np.abs(corners).max(axis=0)
    slack = np.maximum(np.array([width, height]) / 2 - reach, 0.06 * np.array([width, height]))
    corners = (corners + np.array([width, height]) / 2 + dice.uniform(-1, 1, 2) * slack).astype(np.float32)
    if dice.random() < 0.35:
        sheet = bent(sheet, dice)
    place = cv2.getPerspectiveTransform(np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32), corners)
    method = cv2.INTER_AREA if grow < 0.7 else cv2.INTER_LINEAR
    if grow < 0.7:
        sheet, place = cv2.resize(sheet, None, fx=grow, fy=grow, interpolation=method), place @ np.diag([1 / grow, 1 / grow, 1])
    moved = cv2.warpPerspective(sheet, place, (width, height))
    mask = cv2.warpPerspective(np.ones(sheet.shape[:2], np.float32), place, (width, height))
    if dice.random() < 0.5:
        shadow = np.roll(cv2.GaussianBlur(mask, (0, 0), 9), (int(dice.integers(-9, 10)), int(dice.integers(-9, 10))), (0, 1))
        frame = (frame * (1 - 0.5 * shadow[..., None])).astype(np.uint8)
    lit = 1 + dice.uniform(-0.25, 0.25) * np.linspace(-1, 1, width)[None, :, None] + dice.uniform(-0.2, 0.2) * np.linspace(-1, 1, height)[:, None, None]
    out = put(frame.copy(), np.clip(moved * lit, 0, 255), mask, 0, 0)
    return fingers(out, corners, dice) if dice.random() < 0.5 else out


def bent(sheet: np.ndarray, dice: Dice) -> np.ndarray:
    """A sheet that is not flat: columns move and get lighter or darker."""
    height, width = sheet.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    phase, count = dice.uniform(0, 6), dice.uniform(0.4, 1.6)
    wave = np.sin(2 * np.pi * count * columns / width + phase)
    out = cv2.remap(sheet, columns, rows + wave * height * dice.uniform(0, 0.02), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(out * (1 + dice.uniform(0.02, 0.18) * wave)[..., None], 0, 255).astype(np.uint8)


def fingers(frame: np.ndarray, corners: np.ndarray, dice: Dice) -> np.ndarray:
    """A thumb or some fingers over one edge."""
    first = int(dice.integers(4))
    start, end = corners[first], corners[(first + 1) % 4]
    along = end - start
    inward = np.array([-along[1], along[0]]) / (np.hypot(*along) + 1e-6)
    skin = np.array([dice.uniform(70, 170), dice.uniform(95, 190), dice.uniform(140, 230)])
    size = dice.uniform(0.035, 0.07) * min(frame.shape[:2])
    at = dice.uniform(0.1, 0.9)
    for n in range(int(dice.integers(1, 5))):
        middle = start + along * at + inward * size * dice.uniform(-1.5, 0.8) + along / (np.hypot(*along) + 1e-6) * n * size * 2.1
        colour = tuple(float(c) for c in skin * dice.uniform(0.85, 1.1))
        angle = float(np.degrees(np.arctan2(inward[1], inward[0])) + dice.normal(0, 8))
        overlay = frame.copy()
        cv2.ellipse(overlay, (int(middle[0]), int(middle[1])), (int(size * 2.6), int(size)), angle, 0, 360, colour, -1)
        frame = cv2.addWeighted(cv2.GaussianBlur(overlay, (0, 0), 1.2), 1.0, frame, 0.0, 0) if n == 0 else overlay
    return frame


def attack(species: str, shot: Shot, backs: list[np.ndarray], dice: Dice) -> np.ndarray:
    ground = scene(backs, dice, *FRAME)
    if species == "cutout" and cuttable(shot):
        picture, mask, box = person(shot)
        grow = dice.uniform(90, 210) / (box[2] - box[0])
        picture, mask = cv2.resize(printed(picture, dice)[: picture.shape[0], : picture.shape[1]], None, fx=grow, fy=grow), cv2.resize(mask, None, fx=grow, fy=grow)
        rim = cv2.dilate(mask, np.ones((int(dice.integers(2, 9)),) * 2)) if dice.random() < 0.6 else mask
        ground = scene(backs, dice, max(FRAME[0], picture.shape[0]), max(FRAME[1], picture.shape[1]))
        white = np.where(mask[..., None] > 0.5, picture, np.full(3, dice.uniform(190, 245)))
        left, top = (int(dice.integers(0, ground.shape[n] - picture.shape[n] + 1)) for n in (1, 0))
        return put(ground, white, (rim > 0.5).astype(np.float32), left, top)
    near = species == "close"
    clean = not near and dice.random() < 0.4  # a good print or screen, told by its edges alone: they must be in view
    source = part(shot, dice, *((1.8, 4.5) if near else (1.3, 2.5 if clean else 3.6)))
    grow = max(1.0, 420 / max(source.shape[:2]))
    source = cv2.resize(source, None, fx=grow, fy=grow, interpolation=cv2.INTER_CUBIC)
    if not clean and dice.random() < 0.3:
        source = cv2.GaussianBlur(source, (0, 0), dice.uniform(0.5, 1.8))
    screen = species == "screen" or (near and dice.random() < 0.5)
    sheet = displayed(source, dice, bezel=not near, clean=clean) if screen else printed(source, dice, clean=clean)
    if not screen and not clean and dice.random() < 0.35:
        sheet = np.clip(sheet + 255 * 0.8 * reflections(*sheet.shape[:2], dice), 0, 255).astype(np.uint8)
    if near:
        if dice.random() < 0.5:
            return sheet
        return held_up(sheet, ground, dice, (1.0, 1.6))
    if screen:
        ground = (ground * dice.uniform(0.35, 1.0)).astype(np.uint8)
    return held_up(sheet, ground, dice, (0.5, 0.85) if clean else (0.55, 1.15))


def camera(frame: np.ndarray, dice: Dice) -> np.ndarray:
    """What the cabinet's camera makes of it (a part of a frame, about four times the face): size, focus, light, white balance, noise, JPEG, at times sideways or mirrored."""
    grow = dice.uniform(160, 480) / max(frame.shape[:2])
    frame = cv2.resize(frame, None, fx=grow, fy=grow, interpolation=cv2.INTER_AREA if grow < 1 else cv2.INTER_LINEAR)
    if dice.random() < 0.5:
        frame = frame[:, ::-1]
    if dice.random() < 0.4:
        frame = cv2.GaussianBlur(frame, (0, 0), dice.uniform(0.4, 2.0))
    if dice.random() < 0.15:
        length = int(dice.integers(3, 10))
        kernel = np.zeros((length, length), np.float32)
        cv2.line(kernel, (0, int(dice.integers(length))), (length - 1, int(dice.integers(length))), 1.0)
        frame = cv2.filter2D(frame, -1, kernel / max(float(kernel.sum()), 1.0))
    if dice.random() < 0.3:
        soft = cv2.GaussianBlur(frame, (0, 0), 1.5)
        frame = cv2.addWeighted(frame, 1 + (amount := float(dice.uniform(0.2, 1.0))), soft, -amount, 0)
    tone = (np.arange(256, dtype=np.float32) / 255) ** dice.uniform(0.7, 1.4) * dice.uniform(0.6, 1.25)
    x = tone[frame] * (1 + dice.normal(0, 0.07, 3)).astype(np.float32)
    if dice.random() < 0.12:
        grey = x.mean(axis=2, keepdims=True)
        x = grey + (x - grey) * dice.uniform(0.1, 0.9)
    if dice.random() < 0.7:
        x += dice.uniform(0.003, 0.035) * dice.standard_normal(x.shape, np.float32)
    out = np.clip(x * 255, 0, 255).astype(np.uint8)
    if dice.random() < 0.7:
        out = cv2.imdecode(cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(dice.integers(35, 96))])[1], cv2.IMREAD_COLOR)
    if dice.random() < 0.08:
        out = np.rot90(out, int(dice.integers(1, 4)))
    return np.ascontiguousarray(out)
