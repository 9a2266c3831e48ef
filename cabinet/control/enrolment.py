"""From photographs to what is kept of them: face templates of a member, the mean picture vector of a product.

Pictures of people are looked at and forgotten; of a product one small picture is kept beside the numbers, for people to
compare.  Nothing is stored before every picture was good enough.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cabinet.control.requests import RequestError
from cabinet.ledger import Ledger
from cabinet.ports import Face, PortError, Recogniser
from cabinet.units import MemberId, Sku
from cabinet.vision.gallery import Gallery, Reference
from cabinet.vision.photosize import declared_size

if TYPE_CHECKING:
    from cabinet.identity.gallery import Near
    from cabinet.ports import Picture

LEAST_SIDE = 48  # pixels; below it nothing can be told apart
LEAST_SPREAD = 4.0  # of 255; noise alone has 2 to 3
SMALL_SIDE = 160  # pixels of the picture kept for people
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

    async def faces(self, photos: Sequence[bytes]) -> list[Mapping[str, tuple[float, ...]]]:
        """Of each photograph a template by each model; of all or none.

        Raises RequestError with the photograph's number and the remedy.
        """
        if photos and self.enroller is None:
            raise RequestError("faces are switched off here", "set identity.faces = true, or enrol with --code")
        templates = []
        for n, photo in enumerate(photos, start=1):
            try:
                face = await self.enroller.enrol(await asyncio.to_thread(decode, photo, n))  # type: ignore[union-attr]  # checked above
            except PortError as error:
                raise RequestError(f"photograph {n}: {error}", "one person, facing the camera, well lit") from error
            templates.append(face.templates)
        return templates

    def nearest_other(self, faces: Sequence[Mapping[str, Sequence[float]]], than: MemberId | None) -> "Near | None":
        """The member, other than this one, whom any of these faces is nearest to, as the door sees them."""
        from cabinet.identity.gallery import FaceGallery  # noqa: PLC0415  numpy, only when somebody enrols

        gallery = FaceGallery(one for one in self.ledger.templates(self.face_model) if one[0] != than)
        near = [gallery.nearest(face[self.face_model], 1) for face in faces if self.face_model in face]
        return min((one[0] for one in near if one), key=lambda one: one.distance, default=None)

    async def sight_of(self, sku: Sku, photos: Sequence[bytes], *, keep_outliers: bool = False) -> "Sight":
        """What is to be remembered of a product, from whole photographs.  Raises RequestError naming the photograph:
        no picture, no product in it, or (unless `keep_outliers`) not the product that the others show.
        """
        if self.recogniser is None or self.recogniser_trouble() is not None:
            raise RequestError("the recogniser is not in order", "cabinet doctor says why")
        others = {other: known for other, known in self.gallery().items() if other != sku}
        return await asyncio.to_thread(sight, photos, self.recogniser, others, keep_outliers=keep_outliers)

    def recogniser_trouble(self) -> str | None:
        """A model that has stopped making sense."""
        trouble = getattr(self.recogniser, "trouble", None)
        return None if trouble is None else trouble()

    def references(self) -> dict[Sku, int]:
        return {sku: entry.count for sku, entry in self.ledger.gallery(self.item_model).items()}

    def gallery(self) -> Gallery:
        return self.ledger.gallery(self.item_model)


@dataclass(frozen=True, slots=True)
class Sight:
    """What photographs of one product gave."""

    reference: Reference
    picture: bytes  # a small JPEG of it, the most usual of the crops
    barcodes: tuple[str, ...]
    outliers: tuple[int, ...]  # numbers of photographs kept although they look like none of the others


def sight(photos: Sequence[bytes], recogniser: Recogniser, others: Gallery, *, keep_outliers: bool = False) -> Sight:
    """`others`: the rest of the catalogue.  Computes for a second or so: never on the loop.  Raises RequestError."""
    from cabinet.vision.confusion import outliers  # noqa: PLC0415  numpy, only when somebody enrols
    from cabinet.vision.likeness import reference_of, unit  # noqa: PLC0415  likewise

    pictures = [_sharp(decode(photo, n), n) for n, photo in enumerate(photos, start=1)]
    crops = [_crop(picture, n, recogniser) for n, picture in enumerate(pictures, start=1)]
    vectors = unit([_vector(crop, n, recogniser) for n, crop in enumerate(crops, start=1)])
    strange = outliers(vectors, others)
    if strange and not keep_outliers:
        raise RequestError(
            "; ".join(
                f"photograph {one.row + 1} does not show what the others show (likeness {one.likeness:.2f}, "
                f"theirs {one.usual:.2f}){f', it looks like {one.like}' if one.like else ''}"
                for one in strange
            ),
            "take it out, or add --keep-outliers if it really is the same product",
        )
    codes = tuple(dict.fromkeys(text for picture in pictures for text in barcodes(picture)))
    middle = max(range(len(crops)), key=lambda n: float(vectors[n] @ vectors.sum(0)))
    return Sight(reference_of(vectors), _small(crops[middle]), codes, tuple(one.row + 1 for one in strange))


def barcodes(picture: "Picture") -> list[str]:
    """EAN and UPC digits in a photograph; none where no reader is at hand."""
    from cabinet.adapters.codes import CodeReader, is_gtin  # noqa: PLC0415  only when somebody enrols

    try:
        return [text for text in CodeReader().read(picture) if is_gtin(text)]
    except PortError:
        return []


def _crop(picture: "Picture", number: int, recogniser: Recogniser) -> "Picture":
    from cabinet.vision.pictures import cut  # noqa: PLC0415  OpenCV, only when somebody enrols
    from cabinet.vision.takes import padded  # noqa: PLC0415  likewise

    try:
        return cut(picture, padded(recogniser.find(picture), picture.shape[1], picture.shape[0]))
    except PortError as error:
        raise RequestError(f"photograph {number}: {error}", "one product, filling the picture") from error


def _vector(crop: "Picture", number: int, recogniser: Recogniser) -> Sequence[float]:
    try:
        return recogniser.embed(crop)
    except PortError as error:
        raise RequestError(f"photograph {number}: {error}", "one product, filling the picture") from error


def _sharp(picture: "Picture", number: int) -> "Picture":
    """Refuses what shows nothing: too small, or of one colour."""
    side = min(picture.shape[:2])
    if side < LEAST_SIDE:
        raise RequestError(f"photograph {number} has {side} pixels a side", f"at least {LEAST_SIDE}, better 300")
    if float(picture.std()) < LEAST_SPREAD:
        raise RequestError(f"photograph {number} is of one colour", "one product, well lit, filling the picture")
    return picture


def _small(crop: "Picture") -> bytes:
    import cv2  # noqa: PLC0415  only when somebody enrols

    factor = min(1.0, SMALL_SIDE / max(crop.shape[:2]))
    small = cv2.resize(crop, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])


def beside(pictures: Sequence[bytes | None]) -> bytes:
    """Small pictures side by side, as one JPEG; a missing one is grey."""
    import cv2  # noqa: PLC0415  only where pictures are shown
    import numpy as np  # noqa: PLC0415  likewise

    tiles = []
    for jpeg in pictures:
        tile = np.full((SMALL_SIDE, SMALL_SIDE, 3), 128, np.uint8)
        shown = None if jpeg is None else cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if shown is not None:
            high, wide = min(shown.shape[0], SMALL_SIDE), min(shown.shape[1], SMALL_SIDE)
            tile[:high, :wide] = shown[:high, :wide]
        tiles.append(tile)
    return bytes(cv2.imencode(".jpg", np.concatenate(tiles, axis=1), [cv2.IMWRITE_JPEG_QUALITY, 85])[1])


def decode(photo: bytes, number: int) -> "Picture":
    """JPEG or PNG bytes to height x width x 3, BGR."""
    import cv2  # noqa: PLC0415  heavy, and only when somebody enrols
    import numpy as np  # noqa: PLC0415  likewise

    size = declared_size(photo)  # before it is unpacked: a small file may hold a gigabyte of one colour
    if size is not None and max(size) > MAX_SIDE:
        raise RequestError(f"photograph {number} is too large", f"at most {MAX_SIDE} pixels a side")
    picture = None if size is None else cv2.imdecode(np.frombuffer(photo, dtype=np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise RequestError(f"photograph {number} is no picture", "send JPEG or PNG")
    return picture.astype(np.uint8)
