"""Nobody's face leaves the cabinet on a recording: stills that are handed out are looked at, and faces blurred.

Where the face finder cannot be used no still is handed out at all; the recording keeps them.
"""

import logging
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cabinet.config import MODELS
from cabinet.ledger import EntryRefusedError, Ledger
from cabinet.ports import PortError
from cabinet.trace.withheld import Sign

if TYPE_CHECKING:
    from cabinet.adapters.tflite.blazeface import FaceFinder

FINDER: Final = MODELS / "face-detect"
QUALITY: Final = 90  # JPEG, of a still with a blurred face
LOOKS: Final = 3  # a face beside a blurred one may be found only then (3 of 23 photographs; none after three looks)

log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def _finder(folder: Path) -> "FaceFinder":
    from cabinet.adapters.tflite.blazeface import FaceFinder  # noqa: PLC0415  only where a recording is handed out

    return FaceFinder(folder)


@dataclass
class Blurring:
    """A `cabinet.trace.withheld.Blur`.  Takes 0.1 s a still and more: never on the loop."""

    folder: Path = FINDER
    trouble: str = field(default="", init=False)  # why stills are left out; "": they are not

    def __call__(self, jpeg: bytes) -> tuple[bytes, int] | None:
        import cv2  # noqa: PLC0415  heavy, and only where a recording is handed out
        import numpy as np  # noqa: PLC0415  likewise

        from cabinet.vision.faces import blur_faces  # noqa: PLC0415  likewise

        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
        if picture is None:
            return None
        blurred, faces = picture.astype(np.uint8), 0
        try:
            for _ in range(LOOKS):
                boxes = _finder(self.folder).boxes(blurred)
                if not boxes:
                    break
                blurred, faces = blur_faces(blurred, boxes), max(faces, len(boxes))
        except (PortError, OSError) as error:
            if not self.trouble:
                log.error("stills_not_handed_out why=%s", error)  # noqa: TRY400  # the traceback says nothing more
            self.trouble = str(error)
            return None
        self.trouble = ""
        if not faces:
            return jpeg, 0
        return bytes(cv2.imencode(".jpg", blurred, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]), faces


def signer(ledger: Ledger) -> Sign:
    """What signs the list of what is kept back; to be called on the loop, its result anywhere."""
    vault = ledger.vault

    def signed(message: bytes) -> tuple[bytes, bytes] | None:
        try:
            return vault.sign(message)
        except EntryRefusedError as error:
            log.warning("not_signed why=%s", error)
            return None

    return signed
