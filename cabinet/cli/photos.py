"""Photographs from files to what the daemon takes: read once, looked at, refused by name before anything is sent.

It changes no picture and keeps none.
"""

import base64
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cabinet.cli.errors import BadInputError, RefusedError

MAX_PHOTOS: Final = 20  # the daemon's own bound
MAX_BYTES: Final = 8 << 20  # a phone's photograph has 2 to 6 MiB
MAX_TOTAL: Final = 23 << 20  # as base64 just below the daemon's 32 MiB a line
MAX_SIDE: Final = 6000  # pixels; the daemon's own bound
KINDS: Final = (".jpg", ".jpeg", ".png")


def files_of(named: Sequence[Path], option: str) -> list[Path]:
    """The files, and of each folder its pictures in the order of their names."""
    files: list[Path] = []
    for path in named:
        if not path.is_dir():
            files.append(path)
            continue
        found = sorted(file for file in path.iterdir() if file.suffix.lower() in KINDS and file.is_file())
        if not found:
            raise BadInputError(f"{option}: the folder {path} has no pictures", f"put {', '.join(KINDS)} files into it")
        files += found
    if len(files) > MAX_PHOTOS:
        raise BadInputError(f"{option}: {len(files)} photos, at most {MAX_PHOTOS}", "choose the best ones")
    return files


def encoded(files: Sequence[Path], option: str) -> list[str]:
    """Base64 of every file.  Raises BadInputError naming the first file that will not do, and why."""
    photos = [_checked(file, option) for file in files]
    total = sum(map(len, photos))
    if total > MAX_TOTAL:
        raise BadInputError(
            f"{option}: {total / (1 << 20):.1f} MiB together, at most {MAX_TOTAL >> 20}", "choose fewer or smaller ones"
        )
    return [base64.b64encode(photo).decode() for photo in photos]


def named(refusal: RefusedError, files: Sequence[Path]) -> RefusedError:
    """The daemon counts photographs; the person who typed knows them by file."""

    def name(found: re.Match[str]) -> str:
        number = int(found[1])
        return f"{files[number - 1]}" if 1 <= number <= len(files) else found[0]

    return RefusedError(re.sub(r"photograph (\d{1,3})", name, str(refusal)), refusal.remedy)


def _checked(file: Path, option: str) -> bytes:
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise BadInputError(
                f"{option}: {file} has {size / (1 << 20):.1f} MiB, at most {MAX_BYTES >> 20}", "make it smaller"
            )
        content = file.read_bytes()
    except OSError as error:
        raise BadInputError(
            f"{option}: {file} cannot be read ({error.strerror})", "check the name and who may read it"
        ) from error
    _look(file, option)
    return content


def _look(file: Path, option: str) -> None:
    """It is a whole JPEG or PNG of sane size."""
    from PIL import Image  # noqa: PLC0415  # 0.1 s, only where photos are given

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a strange EXIF tag is no reason to refuse
            with Image.open(file, formats=("JPEG", "PNG")) as picture:
                side = max(picture.size)
                if side <= MAX_SIDE:
                    picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # SyntaxError: a broken PNG
        raise BadInputError(f"{option}: {file} is no readable picture", "give whole JPEG or PNG files") from error
    if side > MAX_SIDE:
        raise BadInputError(f"{option}: {file} has {side} pixels a side, at most {MAX_SIDE}", "make it smaller")
