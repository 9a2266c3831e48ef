"""Is a person there, or a picture, a screen, a mask?  From the scores of several frames; where they leave doubt, a turn
of the head decides.

A flat picture that is turned shows the nose where it was between the ears, so it never looks to the side; a head does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final, Literal

Mode = Literal["off", "passive", "challenge"]
Alive = Literal["live", "unsure", "attack"]
Move = Literal["left", "right"]  # as whoever stands there sees it

KEPT: Final = 5  # scores of the latest frames
FEW: Final = 2  # scores that say "live"; an attack and doubt need one more
STRAIGHT: Final = 0.2  # of yaw
TURNED: Final = 0.4  # a head turned by about 30 degrees
TIME_S: Final = 8.0  # for one turn of the head (judgement; people take 1 to 3 s)


@dataclass(frozen=True, slots=True)
class LiveRules:
    """`live_from` and `spoof_below` are the model's own; between them it is not sure."""

    mode: Mode = "challenge"
    live_from: float = 0.6
    spoof_below: float = 0.2


def alive(scores: Sequence[float], rules: LiveRules, *, no_model: bool = False) -> Alive | None:
    """None: more frames are needed.  `no_model`: nobody scores, so that every face is in doubt."""
    if rules.mode == "off":
        return "live"
    if no_model:
        return "unsure"
    if len(scores) < FEW:
        return None
    middle = median(scores)
    if middle >= rules.live_from:
        return "live"
    if len(scores) <= FEW:
        return None
    return "attack" if middle < rules.spoof_below else "unsure"


@dataclass(frozen=True, slots=True)
class Challenge:
    """Look straight ahead, turn the head, and look straight ahead again."""

    move: Move
    until_s: float
    straight: bool = False  # has looked straight ahead before the turn
    turned: bool = False


def ask(move: Move, now_s: float) -> Challenge:
    """`move` is drawn by the shell: whoever shows a recording cannot know it."""
    return Challenge(move, now_s + TIME_S)


def watch(challenge: Challenge, yaw: float, now_s: float) -> Challenge | Literal["met", "failed"]:
    """One more frame.  `yaw` as `Quality` has it: whoever turns to their own left looks to the picture's right."""
    if now_s > challenge.until_s:
        return "failed"
    wanted = yaw if challenge.move == "left" else -yaw
    if not challenge.straight:
        return replace(challenge, straight=abs(yaw) <= STRAIGHT)
    if not challenge.turned:
        return replace(challenge, turned=wanted >= TURNED)
    return "met" if abs(yaw) <= STRAIGHT else challenge
