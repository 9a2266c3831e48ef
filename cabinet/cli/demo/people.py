"""Who comes to the demonstration: a member with one photograph to enrol and another to be known by, and a stranger."""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np

from cabinet.sim import pictures
from cabinet.sim.pictures import HEIGHT, WIDTH, Picture

SEAM = 31  # pixels over which a photograph goes over into what lies beside it
SMEARED = 61  # rows or columns that are mixed where its edge goes on


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    enrolled_from: bytes | None  # a photograph's bytes; None: enrols without a face
    seen_as: Picture | None  # the front camera's whole frame with them in it; None: shows a code instead


def from_photographs(data: Path) -> tuple[Person, Person]:
    """A member enrolled from one photograph and seen in another, and somebody who never enrolled."""
    family = data / "faces" / "azure_family"
    member = Person(
        "Frank",
        (family / "Family1-Dad" / "Family1-Dad1.jpg").read_bytes(),
        standing(_read(family / "Family1-Dad" / "Family1-Dad3.jpg")),
    )
    return member, Person("a stranger", None, standing(_read(family / "Family2-Man" / "Family2-Man1.jpg")))


def from_packages() -> tuple[Person, Person]:
    """NASA's public-domain portrait in scikit-image's wheel, changed as another day would; the stranger has a code."""
    portrait = _portrait()
    if portrait is None:
        return Person("Eileen", None, None), Person("a stranger", None, None)
    other_day = cv2.convertScaleAbs(portrait[8:-20, 12:-6], alpha=0.86, beta=14)
    other_day = cv2.GaussianBlur(cv2.resize(other_day, None, fx=0.8, fy=0.8), (3, 3), 0)
    member = Person("Eileen", pictures.jpeg(portrait), standing(np.asarray(other_day, dtype=np.uint8)))
    return member, Person("a stranger", None, None)


def standing(photograph: Picture) -> Picture:
    """The front camera's frame with this person in it: what surrounds them goes on to the frame's edge.

    A photograph with its borders before a wall is a print held up, and our liveness model says so.
    """
    high, wide = photograph.shape[:2]
    scale = min(HEIGHT / high, WIDTH / wide)
    size = min(round(wide * scale), WIDTH), min(round(high * scale), HEIGHT)
    fitted = cv2.resize(photograph, size, interpolation=cv2.INTER_AREA)
    left, top = (WIDTH - size[0]) // 2, (HEIGHT - size[1]) // 2
    whole = cv2.copyMakeBorder(
        fitted, top, HEIGHT - size[1] - top, left, WIDTH - size[0] - left, cv2.BORDER_REPLICATE
    ).astype(np.float32)
    beside = cv2.blur(whole, (1, SMEARED) if left > top else (SMEARED, 1))
    own = np.zeros((HEIGHT, WIDTH), np.float32)
    own[top : top + size[1], left : left + size[0]] = 1.0
    own = cv2.blur(own, (SEAM, 1) if left > top else (1, SEAM))[:, :, None].astype(np.float32)
    return np.asarray(np.clip(whole * own + beside * (1.0 - own), 0, 255), dtype=np.uint8)


def code_picture(text: str) -> Picture:
    """A phone that shows a QR code."""
    import segno  # noqa: PLC0415  only where a code is shown

    matrix = np.array([list(row) for row in segno.make_qr(text, error="m").matrix], dtype=np.uint8)
    quiet = np.pad(matrix, 4)
    code = np.where(np.kron(quiet, np.ones((7, 7), dtype=np.uint8)) > 0, 20, 245).astype(np.uint8)
    phone = np.full((code.shape[0] + 90, code.shape[1] + 30, 3), 28, dtype=np.uint8)
    phone[45 : 45 + code.shape[0], 15 : 15 + code.shape[1]] = code[:, :, None]
    return phone


def _portrait() -> Picture | None:
    """The file inside the wheel; scikit-image itself is not imported."""
    try:
        files = metadata.files("scikit-image") or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == "astronaut.png":
            return _read(Path(str(file.locate())))
    return None


def _read(path: Path) -> Picture:
    picture = cv2.imread(str(path))
    if picture is None:
        raise FileNotFoundError(f"{path} cannot be read")
    return np.asarray(picture, dtype=np.uint8)
