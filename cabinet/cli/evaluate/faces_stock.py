"""face_recognition as it comes (HOG and its encodings), on the same pictures in the same run: what is to be beaten."""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from cabinet.cli.errors import RefusedError
from cabinet.cli.evaluate.faces_pictures import Photo, progress, read
from cabinet.cli.evaluate.faces_sums import interval, share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cabinet.ports import Picture

NAMED: Final = 0.6  # the library's own threshold
STEPS: Final = tuple(round(0.20 + 0.005 * n, 3) for n in range(121))


@dataclass(frozen=True, slots=True)
class Took:
    photo: Photo
    vector: "NDArray[np.float64] | None"  # None: no face was found
    find_ms: float
    encode_ms: float


class Stock:
    """Raises RefusedError where the library is not there."""

    def __init__(self) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of pkg_resources, which the library's models ask for
                import face_recognition  # noqa: PLC0415  a second and 200 MB
                from PIL import ImageFile  # noqa: PLC0415  the library has loaded it
        except (ImportError, SystemExit) as error:  # it calls quit() where its models cannot be found
            raise RefusedError(
                "face_recognition cannot be imported, so nothing can be measured beside it",
                "make setup installs it; --no-stock measures without",
            ) from error
        ImageFile.LOAD_TRUNCATED_IMAGES = False  # the library switches it on for everybody: half a picture is none here
        self._library: Any = face_recognition

    def look(self, picture: "Picture", photo: Photo) -> Took:
        """The largest face, as its examples do it."""
        import numpy as np  # noqa: PLC0415  with the library

        rgb = np.ascontiguousarray(picture[..., ::-1])
        began_s = time.perf_counter()
        places = self._library.face_locations(rgb)
        found_s = time.perf_counter()
        if not places:
            return Took(photo, None, 1000 * (found_s - began_s), 0.0)
        nearest = max(places, key=lambda place: (place[2] - place[0]) * (place[1] - place[3]))
        vector = self._library.face_encodings(rgb, [nearest])[0]
        return Took(photo, vector, 1000 * (found_s - began_s), 1000 * (time.perf_counter() - found_s))

    def look_at(self, photos: Sequence[Photo], doing: str, *, tell: bool) -> list[Took]:
        """Those that can be read."""
        took = []
        with progress(doing, len(photos), tell=tell) as done:
            for photo in photos:
                picture = read(photo.path)
                if picture is not None:
                    took.append(self.look(picture, photo))
                done()
        return took


def figures(
    enrolled: Sequence[Took], probes: Sequence[Took], others: Sequence[Took], *, left_out: bool
) -> dict[str, Any]:
    """Errors at the library's threshold, and at the one that suits these very pictures best (known only afterwards)."""
    import numpy as np  # noqa: PLC0415  with the library

    names = sorted({one.photo.name for one in enrolled if one.vector is not None})
    place = {name: n for n, name in enumerate(names)}
    owner = np.array([place[one.photo.name] for one in enrolled if one.vector is not None], int)
    rows = np.array([one.vector for one in enrolled if one.vector is not None]).reshape(-1, 128)
    mine = [_nearest(one, rows, owner, place.get(one.photo.name, -1), without=-1) for one in probes]
    theirs = [
        _nearest(one, rows, owner, -1, without=place.get(one.photo.name, -1) if left_out else -1) for one in others
    ]
    points = [_at(at, mine, theirs) for at in STEPS]
    least = min(point["errors"] for point in points)
    best = [point for point in points if point["errors"] == least]
    asked = [*probes] if left_out else [*probes, *others]  # those left out are the same pictures
    took = [*enrolled, *asked]
    return {
        "at_0.6": _at(NAMED, mine, theirs),
        "best": best[len(best) // 2],
        "curve": points[::2],
        "not_found": sum(one.vector is None for one in asked),
        "enrolled_not_found": sum(one.vector is None for one in enrolled),
        "stage_ms": {
            "find": _middle([one.find_ms for one in took]),
            "encode": _middle([one.encode_ms for one in took if one.vector is not None]),
        },
    }


def _nearest(
    one: Took, rows: "NDArray[np.float64]", owner: "NDArray[np.int64]", member: int, *, without: int
) -> tuple[float, bool]:
    """Distance to the nearest template, and whether that is the right one."""
    import numpy as np  # noqa: PLC0415  likewise

    if one.vector is None:
        return float("inf"), False
    apart = np.linalg.norm(rows - one.vector, axis=1)
    apart[owner == without] = np.inf
    if not len(apart):
        return float("inf"), False
    best = int(apart.argmin())
    return float(apart[best]), int(owner[best]) == member


def _at(threshold: float, mine: Sequence[tuple[float, bool]], theirs: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    accepted = sum(reach <= threshold for reach, _ in theirs)
    other = sum(reach <= threshold and not right for reach, right in mine)
    rejected = sum(reach > threshold for reach, _ in mine)
    return {
        "threshold": threshold,
        "false_accepts": accepted + other,
        "false_rejects": rejected,
        "errors": accepted + other + rejected,
        "misidentified": other,
        "far": share(accepted, len(theirs)),
        "far_ci": interval(accepted, len(theirs)),
        "frr": share(rejected, len(mine)),
        "frr_ci": interval(rejected, len(mine)),
    }


def _middle(values: Sequence[float]) -> float | None:
    return round(median(values), 2) if values else None
