"""Arms that reach into the cabinet: sleeve, forearm and hand, empty or with an item, blurred along their way.

Drawn from whoever stands before the open door, so they come from the frame's lower edge.  No sway, no second joint.
"""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.sim.sight.products import Cutout
from cabinet.sim.sight.sprites import Layer, Points, Sprite, bounds, layer_of, over, sprite, warped

Colour = tuple[int, int, int]  # BGR

PALM_M = 0.082  # an adult's, across
NEARER = 1.5  # an arm outside is nearer to the eye than its target: so much larger where it enters
LEAN = 0.35  # arms come from the middle, where the shopper stands: share of the way there at the frame's edge
IN_SHARE, GRIP_SHARE = 0.4, 0.2  # of a reach, the rest goes out; judgement: nobody lingers longer than the way takes
PATH_PX = 430.0  # from outside the frame to a facing, nearly: for the speed of a moment
MOST_BLUR_PX = 41  # beyond it nothing of a hand is left to see
SHORTEST = 4.0  # palms that are drawn of an arm that has not entered yet: hand, wrist, cuff
SKIN: Colour = (128, 156, 205)
SLEEVE: Colour = (110, 62, 40)


@dataclass(frozen=True, slots=True)
class Hand:
    """One arm at one moment.  `reach`: 0 outside the frame, 1 at the unit in `row` of the facing."""

    zone: str
    column: int
    reach: float
    holds: str | None = None  # an article
    speed: float = 0.0  # pixels it moves while one frame is exposed
    skin: Colour = SKIN
    sleeve: Colour = SLEEVE
    row: int = 0  # from the front; `Interior.front_row` says which one is frontmost


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Where in the frame a reach ends, and how large things are there."""

    target: Points  # 2, pixels
    palm_px: float
    held_px: tuple[float, float]  # width, height


def reaching(t_s: float, t0_s: float, t1_s: float) -> float:
    """How far a hand is in between `t0_s` and `t1_s` (seconds): in, at the goods for a while, out, with soft starts."""
    share = (t_s - t0_s) / max(t1_s - t0_s, 1e-6)
    if share <= 0 or share >= 1:
        return 0.0
    if share < IN_SHARE:
        return _soft(share / IN_SHARE)
    return _soft(min((1 - share) / (1 - IN_SHARE - GRIP_SHARE), 1.0))


def gripped(t_s: float, t0_s: float, t1_s: float) -> bool:
    """Whether the hand has closed (a take) or opened (a put-back): from the middle of the grip on."""
    return t_s >= t0_s + (IN_SHARE + GRIP_SHARE / 2) * (t1_s - t0_s)


def crossing(
    hand: Hand, sku: str, t_s: float, between_s: tuple[float, float], *, put_back: bool = False
) -> Hand | None:
    """The hand at a moment of a take (in empty, out with `sku`) or of a put-back; None before and after.

    Blurred as by an exposure of 1/30 s.  The unit leaves (or joins) the shelf when `gripped`.
    """
    reach = reaching(t_s, *between_s)
    if reach <= 0:
        return None
    before = reaching(t_s - 1 / 30, *between_s)
    holds = sku if gripped(t_s, *between_s) != put_back else None
    return replace(hand, reach=reach, holds=holds, speed=abs(reach - before) * PATH_PX)


def _soft(share: float) -> float:
    return share * share * (3 - 2 * share)


def drawn(hand: Hand, pose: Pose, held: Cutout | None, size: tuple[int, int]) -> Sprite | None:
    """The arm in a frame of `size` (width, height); None where none of it shows."""
    palm = pose.palm_px * (NEARER + (1 - NEARER) * hand.reach)
    entry = np.array(
        [pose.target[0] + LEAN * (size[0] / 2 - pose.target[0]), size[1] + 2.2 * palm + 1.3 * pose.held_px[1]]
    )
    way = (pose.target - entry) / np.linalg.norm(pose.target - entry)
    tip = entry + (pose.target - entry) * hand.reach
    limb = Limb(tip, way, palm, size)
    if held is not None:
        limb.hold(held, pose.held_px)
    limb.arm(hand.skin, hand.sleeve, float(np.linalg.norm(tip - entry)) / palm)
    limb.hand(hand.skin, closed=held is not None)
    return limb.sprite(hand.speed)


@dataclass
class Limb:
    """Strokes on a canvas of the frame's size, drawn from the tip backwards along `way` (2, unit)."""

    tip: Points
    way: Points
    palm: float
    size: tuple[int, int]
    _colour: NDArray[np.uint8] = field(init=False)  # times alpha: edges are drawn upon black
    _alpha: NDArray[np.uint8] = field(init=False)
    _points: list[Points] = field(default_factory=list)
    _item: Layer | None = None

    def __post_init__(self) -> None:
        self._colour = np.zeros((self.size[1], self.size[0], 3), np.uint8)
        self._alpha = np.zeros(self.size[::-1], np.uint8)

    def at(self, back: float, aside: float = 0.0) -> Points:
        """A point so many palms behind the tip and to its right."""
        right = np.array([-self.way[1], self.way[0]])
        return np.asarray(self.tip + (right * aside - self.way * back) * self.palm, np.float64)

    def hold(self, item: Cutout, held_px: tuple[float, float]) -> None:
        """Upright before the fingers, tilted a little with the arm."""
        across, up = np.array([1.0, 0.3 * self.way[0]]), np.array([0.3 * self.way[0], -1.0])
        half, high = held_px[0] / 2, held_px[1]
        foot = self.at(0.55) - up * 0.1 * high
        corners = [
            foot + up * high - across * half,
            foot + up * high + across * half,
            foot + across * half,
            foot - across * half,
        ]
        quad = np.stack(corners)
        box = bounds(quad, self.size, air=1)
        if box is None:
            return
        self._item = np.zeros((self.size[1], self.size[0], 4), np.float32)
        self._item[box[1] : box[3], box[0] : box[2]] = warped(layer_of(item.colour, item.alpha), quad, box)
        self._points += corners

    def arm(self, skin: Colour, sleeve: Colour, inside: float) -> None:
        """So long that its end lies outside the frame, `inside` palms from the tip."""
        end = SHORTEST + inside
        for n, light in enumerate((0.72, 0.88, 1.0)):  # a round arm: the light falls from above right
            slim = 1 - 0.22 * n
            self._taper((1.5, 0.30 * slim), (end, 0.55 * slim), _lit(skin, light), 0.04 * n)
            self._taper((3.1, 0.50 * slim), (end, 0.80 * slim), _lit(sleeve, light), 0.05 * n)
        self._taper((3.05, 0.51), (3.25, 0.52), _lit(sleeve, 0.6), 0.0)

    def hand(self, skin: Colour, *, closed: bool) -> None:
        """Its back, with spread fingers or with fingers around what it holds."""
        reach = 0.62 if closed else 1.0
        self._taper((1.75, 0.29), (1.15, 0.42), _lit(skin, 0.86), 0.0)
        self._taper((1.3, 0.46), (0.7, 0.5), _lit(skin, 0.94), 0.0)
        for n, long in enumerate((0.72, 0.84, 0.8, 0.6)):
            aside = -0.36 + 0.26 * n
            spread = aside * (1.0 if closed else 1.25)
            self._stroke((0.85, aside), (0.8 - long * reach, spread), 0.26, _lit(skin, 0.8))
            self._stroke((0.85, aside), (0.8 - long * reach, spread), 0.19, _lit(skin, 1.0 - 0.03 * n))
        self._stroke((1.15, -0.36), (0.62, -0.74), 0.28, _lit(skin, 0.86))
        self._stroke((0.62, -0.74), (0.3, -0.66 if closed else -0.8), 0.24, _lit(skin, 0.92))
        self._stroke((1.2, 0.1), (0.85, 0.12), 0.5, _lit(skin, 1.0))

    def sprite(self, speed: float) -> Sprite | None:
        length = min(round(speed), MOST_BLUR_PX)
        box = bounds(np.stack(self._points), self.size, air=round(self.palm * 0.4) + length)
        if box is None:
            return None
        part = slice(box[1], box[3]), slice(box[0], box[2])
        layer = layer_of_strokes(self._colour[part], self._alpha[part])
        if self._item is not None:
            layer = over(layer, self._item[part])
        if length > 1:
            layer = np.asarray(
                cv2.filter2D(layer, -1, _smear(length, self.way), borderType=cv2.BORDER_REPLICATE), np.float32
            )
        return sprite(layer, box[0], box[1])

    def _taper(self, front: tuple[float, float], back: tuple[float, float], colour: Colour, aside: float) -> None:
        """Between two places behind the tip, each with its half width (palms)."""
        (near, slim), (far, thick) = front, back
        corners = [
            self.at(near, aside - slim),
            self.at(near, aside + slim),
            self.at(far, aside + thick),
            self.at(far, aside - thick),
        ]
        whole = np.asarray(np.round(np.stack(corners)), np.int32)
        cv2.fillConvexPoly(self._colour, whole, colour, cv2.LINE_AA)
        cv2.fillConvexPoly(self._alpha, whole, (255,), cv2.LINE_AA)
        self._points += corners

    def _stroke(self, start: tuple[float, float], end: tuple[float, float], thick: float, colour: Colour) -> None:
        ends = [self.at(*start), self.at(*end)]
        (x0, y0), (x1, y1) = (np.asarray(np.round(point), np.int32).tolist() for point in ends)
        width = max(round(thick * self.palm), 1)
        cv2.line(self._colour, (x0, y0), (x1, y1), colour, width, cv2.LINE_AA)
        cv2.line(self._alpha, (x0, y0), (x1, y1), (255,), width, cv2.LINE_AA)
        self._points += ends


def layer_of_strokes(colour: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> Layer:
    share = alpha.astype(np.float32)[..., None] / np.float32(255)
    return np.concatenate([colour.astype(np.float32), share], axis=2)


def _lit(colour: Colour, light: float) -> Colour:
    blue, green, red = (round(min(level * light, 255)) for level in colour)
    return blue, green, red


def _smear(length: int, way: Points) -> NDArray[np.float32]:
    """A line of `length` pixels along the way, its sum 1."""
    side = length | 1
    kernel = np.zeros((side, side), np.float32)
    end = np.asarray(np.round(way * (side // 2)), np.int32)
    middle = side // 2
    start, stop = (middle - int(end[0]), middle - int(end[1])), (middle + int(end[0]), middle + int(end[1]))
    cv2.line(kernel, start, stop, (1.0,), 1)
    return np.asarray(kernel / kernel.sum(), np.float32)
