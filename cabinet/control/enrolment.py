"""From photographs to what is kept of them: face templates of a member, the mean picture vector of a product.

Pictures are looked at and forgotten; only numbers are stored, and only after every picture was good enough.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cabinet.control.requests import RequestError
from cabinet.ledger import Ledger
from cabinet.ports import Face, PortError, Recogniser
from cabinet.units import Sku
from cabinet.vision.gallery import Gallery

if TYPE_CHECKING:
    from cabinet.ports import Picture

MAX_SIDE = 6000  # pixels; a larger picture is no photograph of a person or a product


class Enroller(Protocol):
    async def enrol(self, picture: "Picture") -> Face: ...


@dataclass
class Enrolment:
    ledger: Ledger
    enroller: Enroller | None
    recogniser: Recogniser | None
    face_model: str
    item_model: str

    async def faces(self, photos: Sequence[bytes]) -> list[tuple[float, ...]]:
        """One template a photograph; all or none.  Raises RequestError with the photograph's number and the remedy."""
        if photos and self.enroller is None:
            raise RequestError("faces are switched off here", "set identity.faces = true, or enrol with --code")
        templates = []
        for n, photo in enumerate(photos, start=1):
            try:
                face = await self.enroller.enrol(await asyncio.to_thread(decode, photo, n))  # type: ignore[union-attr]  # checked above
            except PortError as error:
                raise RequestError(f"photograph {n}: {error}", "one person, facing the camera, well lit") from error
            templates.append(face.template)
        return templates

    async def references_of(self, photos: Sequence[bytes]) -> tuple[float, ...]:
        """Unit mean of the photographs' vectors."""
        if self.recogniser is None:
            raise RequestError("the recogniser is not in order", "cabinet doctor says why")
        return await asyncio.to_thread(self._mean, photos, self.recogniser)

    def references(self) -> dict[Sku, int]:
        return {sku: entry.count for sku, entry in self.ledger.gallery(self.item_model).items()}

    def gallery(self) -> Gallery:
        return self.ledger.gallery(self.item_model)

    def _mean(self, photos: Sequence[bytes], recogniser: Recogniser) -> tuple[float, ...]:
        import numpy as np  # noqa: PLC0415  with OpenCV, only when somebody enrols

        vectors = [_vector(photo, n, recogniser) for n, photo in enumerate(photos, start=1)]
        mean = np.mean(np.asarray(vectors, dtype=np.float64), axis=0)
        return tuple(float(x) for x in mean / np.linalg.norm(mean))


def _vector(photo: bytes, number: int, recogniser: Recogniser) -> Sequence[float]:
    try:
        return recogniser.embed(decode(photo, number))
    except PortError as error:
        raise RequestError(f"photograph {number}: {error}", "one product, filling the picture") from error


def decode(photo: bytes, number: int) -> "Picture":
    """JPEG or PNG bytes to height x width x 3, BGR."""
    import cv2  # noqa: PLC0415  heavy, and only when somebody enrols
    import numpy as np  # noqa: PLC0415  likewise

    picture = cv2.imdecode(np.frombuffer(photo, dtype=np.uint8), cv2.IMREAD_COLOR) if photo else None
    if picture is None:
        raise RequestError(f"photograph {number} is no picture", "send JPEG or PNG")
    if max(picture.shape[:2]) > MAX_SIDE:
        raise RequestError(f"photograph {number} is too large", f"at most {MAX_SIDE} pixels a side")
    return picture.astype(np.uint8)
