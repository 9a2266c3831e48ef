"""Which photographs a member may be enrolled from: refuses with why, and what to do about it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from cabinet.identity.seen import SeenFace
from cabinet.ports import PortError
from cabinet.vision.faces import colourfulness

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

LEAST_SIDE: Final = 64  # pixels of the photograph
MOST_SIDE: Final = 6000
SURELY_A_FACE: Final = 0.6  # score of a second face; below it may be a pattern in the background
LEAST_HEIGHT_PX: Final = 64.0  # of the face; the network takes 150 for the chip around it
LEAST_COLOUR: Final = 3.2  # measured on 28 faces in colour: 3.6 to 13.6; without: 0, tinted and noisy: up to 2.9
DARKEST: Final = 50.0
BRIGHTEST: Final = 215.0
LEAST_CONTRAST: Final = 18.0  # measured: 29 to 76
LEAST_SHARPNESS: Final = 22.0  # measured on 278 sharp faces: 29 and more; blurred so far (1.7 of 128 pixels): 5 to 26
MOST_YAW: Final = 0.6  # both eyes are still seen; a profile has 0.8 and more
MOST_PITCH: Final = 0.8
MOST_ROLL_DEG: Final = 40.0


class EnrolError(PortError):
    """The picture is not good enough to enrol from: says why, and where in the picture (left, top, right, bottom)."""

    def __init__(self, why: str, where: tuple[int, int, int, int] | None = None) -> None:
        super().__init__(why)
        self.where = where


def checked(picture: "Pixels") -> "Pixels":
    """The photograph, if it is one.  Raises EnrolError."""
    shape = "x".join(map(str, picture.shape))
    if picture.dtype.name != "uint8" or picture.ndim != 3 or picture.shape[2] != 3:
        raise EnrolError(f"the photograph is no picture in colour ({picture.dtype.name}, {shape}): send JPEG or PNG")
    if min(picture.shape[:2]) < LEAST_SIDE:
        raise EnrolError(f"the photograph is only {shape} pixels: send one of {LEAST_SIDE} a side at least, better 500")
    if max(picture.shape[:2]) > MOST_SIDE:
        raise EnrolError(f"the photograph has {shape} pixels: send one of at most {MOST_SIDE} a side")
    return picture


def the_one(picture: "Pixels", faces: Sequence[SeenFace]) -> SeenFace:
    """The face, if it is one alone and good enough.  Raises EnrolError."""
    if not faces:
        raise EnrolError("no face found: take it from nearer, from the front, in good light")
    face, *others = faces
    sure = 1 + sum(other.score >= SURELY_A_FACE for other in others)
    where = face.left, face.top, face.right, face.bottom
    if sure > 1:
        raise EnrolError(f"{sure} faces: only the person to be enrolled may be in the picture", where)
    why = _why_not(picture, face)
    if why is not None:
        raise EnrolError(why, where)
    return face


def _why_not(picture: "Pixels", face: SeenFace) -> str | None:
    seen = face.quality
    height, width = picture.shape[:2]
    if seen.height_px < LEAST_HEIGHT_PX:
        return f"the face is only {seen.height_px:.0f} pixels high, {LEAST_HEIGHT_PX:.0f} needed: go nearer"
    if not all(0 <= x < width and 0 <= y < height for x, y in face.marks[:4]):
        return "the face is cut off by the picture's edge: all of it must be in the picture"
    if seen.brightness < DARKEST:
        return "the face is too dark: more light, from the front"
    if seen.brightness > BRIGHTEST:
        return "the face is too bright: no lamp or sun straight into the face"
    if colourfulness(picture, (face.left, face.top, face.right, face.bottom)) < LEAST_COLOUR:
        return "the photograph has no colour: photograph the person in colour, no print and no copy"
    if seen.contrast < LEAST_CONTRAST:
        return "the face has no contrast: more light, nothing before the lens"
    if seen.sharpness < LEAST_SHARPNESS:
        return "the face is blurred: hold still, wipe the lens"
    if abs(seen.yaw) > MOST_YAW or abs(seen.pitch) > MOST_PITCH or abs(seen.roll_deg) > MOST_ROLL_DEG:
        return "the face is turned away: look straight into the camera, head upright"
    return None
