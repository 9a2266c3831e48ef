"""Who comes to the demonstration: a member with one photograph to enrol and another to be known by, and a stranger."""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np

from cabinet.sim import pictures
from cabinet.sim.pictures import Picture


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    enrolled_from: bytes | None  # a photograph's bytes; None: enrols without a face
    seen_as: Picture | None  # what the front camera sees; None: shows a code instead


def from_photographs(data: Path) -> tuple[Person, Person]:
    """A member enrolled from one photograph and seen in another, and somebody who never enrolled."""
    family = data / "faces" / "azure_family"
    member = Person(
        "Frank",
        (family / "Family1-Dad" / "Family1-Dad1.jpg").read_bytes(),
        _read(family / "Family1-Dad" / "Family1-Dad3.jpg"),
    )
    return member, Person("a stranger", None, _read(family / "Family2-Man" / "Family2-Man1.jpg"))


def from_packages() -> tuple[Person, Person]:
    """NASA's public-domain portrait in scikit-image's wheel, changed as another day would; the stranger has a code."""
    portrait = _portrait()
    if portrait is None:
        return Person("Eileen", None, None), Person("a stranger", None, None)
    other_day = cv2.convertScaleAbs(portrait[8:-20, 12:-6], alpha=0.86, beta=14)
    other_day = cv2.GaussianBlur(cv2.resize(other_day, None, fx=0.8, fy=0.8), (3, 3), 0)
    member = Person("Eileen", pictures.jpeg(portrait), np.asarray(other_day, dtype=np.uint8))
    return member, Person("a stranger", None, None)


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
