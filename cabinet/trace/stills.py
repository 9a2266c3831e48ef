"""The pictures of a trace: frames/CAMERA/MS.jpg as bytes, and where its clips are.  Decodes nothing.

Refuses a still whose name is no time.
"""

import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from cabinet.trace.codec import TraceError
from cabinet.units import CameraId

FOLDER, ENDING = "frames", ".jpg"
MOST_BYTES = 512 * 2**20  # of one .tar's stills, which are held in memory


@dataclass(frozen=True, slots=True)
class Still:
    t: float
    name: str  # for messages
    load: Callable[[], bytes]


def stills(path: Path) -> dict[CameraId, tuple[Still, ...]]:
    """Of each camera of a trace folder or .tar, in ascending t; empty where none was kept.  OSError, TraceError."""
    found: dict[CameraId, list[Still]] = {}
    for place, load in _in_tar(path) if path.is_file() else _in_folder(path):
        camera = CameraId(place.parent.name)
        name = f"{path.name}/{FOLDER}/{camera}/{place.name}"
        try:
            t = int(place.stem) / 1000
        except ValueError as error:
            raise TraceError(f"{name}: the name of a still is its time in milliseconds") from error
        found.setdefault(camera, []).append(Still(t, name, load))
    return {camera: tuple(sorted(found[camera], key=lambda still: still.t)) for camera in sorted(found)}


def clips(path: Path) -> dict[CameraId, Path]:
    """Of each camera, its video; of a trace folder only."""
    return {CameraId(file.stem): file for file in sorted((path / "clips").glob("*.mkv"))} if path.is_dir() else {}


def _in_folder(folder: Path) -> Iterator[tuple[PurePosixPath, Callable[[], bytes]]]:
    for file in folder.glob(f"{FOLDER}/*/*{ENDING}"):
        yield PurePosixPath(file), file.read_bytes


def _in_tar(path: Path) -> Iterator[tuple[PurePosixPath, Callable[[], bytes]]]:
    left = MOST_BYTES
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                place = PurePosixPath(member.name)
                if not member.isfile() or place.suffix != ENDING or place.parent.parent.name != FOLDER:
                    continue
                left -= member.size
                if left < 0:
                    raise TraceError(f"{path.name}: more than {MOST_BYTES} bytes of stills: unpack it")
                file = tar.extractfile(member)
                yield place, partial(bytes, b"" if file is None else file.read())
    except tarfile.TarError as damaged:
        raise TraceError(f"{path.name}: {damaged}") from damaged
