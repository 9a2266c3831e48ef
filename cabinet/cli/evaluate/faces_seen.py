"""Pictures through the product's own eyes: find, choose, encode.  Numbers come out; whose they are is decided later."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from cabinet.cli.evaluate.faces_pictures import Photo, is_grey, progress, read
from cabinet.identity.outcomes import SeveralPeople
from cabinet.identity.recognise import choose, good_enough
from cabinet.identity.seen import SeenFace
from cabinet.ports import Faces, PortError

if TYPE_CHECKING:
    from cabinet.ports import Picture

End = Literal["encoded", "not found", "several people", "unreadable", "failed"]
Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What one picture came to."""

    photo: Photo
    end: End
    face: SeenFace | None = None
    low: str | None = None  # why the product would ask for another frame
    several: bool = False  # somebody else stands as near
    grey: bool = False
    vector: Vector = ()
    reference: Vector = ()  # by the slower network, where it was asked
    find_ms: float = 0.0
    encode_ms: float = 0.0
    reference_ms: float = 0.0
    why: str = ""  # of "failed"

    @property
    def live(self) -> float | None:
        return None if self.face is None else self.face.live


@dataclass
class Looked:
    """Everybody's pictures."""

    enrolled: list[Look]
    probes: list[Look]  # of those who are enrolled
    impostors: list[Look]
    spoofs: list[Look] = field(default_factory=list)

    @property
    def everything(self) -> list[Look]:
        return [*self.enrolled, *self.probes, *self.impostors, *self.spoofs]

    @property
    def skipped(self) -> list[str]:
        said = {"unreadable": "no readable picture", "failed": ""}
        return [f"{one.photo.path}: {said[one.end] or one.why}" for one in self.everything if one.end in said]


async def look_at(faces: Faces, photos: Sequence[Photo], doing: str, *, tell: bool, encode: bool = True) -> list[Look]:
    with progress(doing, len(photos), tell=tell) as done:
        looks = []
        for photo in photos:
            looks.append(await look(faces, photo, encode=encode))
            done()
        return looks


async def look(faces: Faces, photo: Photo, *, encode: bool = True) -> Look:
    """One picture.  A picture that nobody can read, or on which a model fails, is an end of its own."""
    picture = read(photo.path)
    if picture is None:
        return Look(photo, "unreadable")
    try:
        return await seen(faces, photo, picture, encode=encode)
    except PortError as error:
        return Look(photo, "failed", why=str(error))


async def seen(faces: Faces, photo: Photo, picture: "Picture", *, encode: bool = True) -> Look:
    """As the front camera's frame would be.  Raises PortError."""
    began_s = time.perf_counter()
    chosen = choose(await faces.find(picture))
    find_ms = _ms(began_s)
    several = isinstance(chosen, SeveralPeople)
    face = chosen.nearest if isinstance(chosen, SeveralPeople) else chosen
    grey = is_grey(picture)
    if face is None:
        return Look(photo, "several people" if several else "not found", several=several, grey=grey, find_ms=find_ms)
    bad = good_enough(face)
    found = Look(
        photo, "encoded", face, None if bad is None else bad.why, several=several, grey=grey, find_ms=find_ms
    )  # fmt: skip  # one thing
    if not encode:
        return found
    began_s = time.perf_counter()
    vector = tuple(await faces.encode(picture, face))
    return replace(found, vector=vector, encode_ms=_ms(began_s))


async def asked_again(faces: Faces, look: Look) -> Look:
    """The same face by the slower network; as it was where that fails."""
    picture = read(look.photo.path)
    if picture is None or look.face is None:
        return look
    began_s = time.perf_counter()
    try:
        vector = tuple(await faces.reference(picture, look.face))
    except PortError:
        return look
    return replace(look, reference=vector, reference_ms=_ms(began_s))


def _ms(began_s: float) -> float:
    return 1000 * (time.perf_counter() - began_s)
