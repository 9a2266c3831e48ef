"""How large a photograph says it is, before anybody decodes it: half a megabyte may unpack to a gigabyte."""

import struct
from typing import Final

PNG: Final = b"\x89PNG\r\n\x1a\n"
JPEG: Final = b"\xff\xd8"
ALONE: Final = {0x01, *range(0xD0, 0xD9)}  # JPEG markers without a length
FRAMES: Final = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # those that tell the size
ENDS: Final = {0xD9, 0xDA}  # the picture itself, or its end: no size was told before


def declared_size(photo: bytes) -> tuple[int, int] | None:
    """Width and height by the head of a JPEG or PNG; None for anything else, or a head that is cut short."""
    try:
        if photo.startswith(PNG):
            return _png(photo)
        return _jpeg(photo) if photo.startswith(JPEG) else None
    except (struct.error, IndexError):
        return None


def _png(photo: bytes) -> tuple[int, int] | None:
    kind, width, height = struct.unpack_from(">4sII", photo, len(PNG) + 4)
    return (width, height) if kind == b"IHDR" and width and height else None


def _jpeg(photo: bytes) -> tuple[int, int] | None:
    place = len(JPEG)
    while photo[place] == 0xFF:
        marker = photo[place + 1]
        if marker == 0xFF:  # filling
            place += 1
        elif marker in ALONE:
            place += 2
        elif marker in ENDS:
            return None
        elif marker in FRAMES:
            height, width = struct.unpack_from(">HH", photo, place + 5)
            return (width, height) if width and height else None
        else:
            place += 2 + max(struct.unpack_from(">H", photo, place + 2)[0], 2)
    return None
