"""The part of `cabinet camera` that needs no daemon: the sheet of corner marks, and outlines from two files."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cabinet.cli.errors import BadInputError
from cabinet.units import ZoneId

if TYPE_CHECKING:
    from cabinet.vision.pictures import Picture

INCH_MM = 25.4


def sheet(file: IO[bytes], kind: str, channels: Mapping[str, int]) -> int:
    """Write the pages, and say how many; as PNG they are one below the other."""
    if kind not in {".pdf", ".png"}:
        raise BadInputError(f"OUT: {kind or 'no ending'}", "name a .pdf or a .png")
    import numpy as np  # noqa: PLC0415  with OpenCV, a third of a second that other commands need not pay
    from PIL import Image  # noqa: PLC0415  likewise

    from cabinet.vision.markers import DOTS_MM, sheets  # noqa: PLC0415  likewise

    pages = sheets({ZoneId(zone): channel for zone, channel in channels.items()})
    dots = DOTS_MM * INCH_MM
    if kind == ".pdf":
        first, *rest = [Image.fromarray(page[..., 0]) for page in pages]
        first.save(file, "PDF", save_all=True, append_images=rest, resolution=dots)
    else:
        Image.fromarray(np.vstack(pages)[..., 0]).save(file, "PNG", dpi=(dots, dots))
    return len(pages)


def offline(before: Path, after: Path, zone: str) -> dict[str, Any]:
    """As the daemon would answer, of two files; nothing is stored."""
    import cv2  # noqa: PLC0415  as above
    import numpy as np  # noqa: PLC0415  as above

    from cabinet.vision.calibration import by_restock, drawn  # noqa: PLC0415  as above

    pictures = _read(before, "--before"), _read(after, "--after")
    try:
        finding = by_restock(*pictures, ZoneId(zone))
    except ValueError as error:
        raise BadInputError(str(error), "two pictures of the same camera, neither cut nor turned") from error
    found = {one.zone: one.polygon for one in finding.zones if one.polygon is not None}
    _, jpeg = cv2.imencode(".jpg", np.asarray(drawn(pictures[1], found), np.uint8))
    zones = [{"zone": o.zone, "corners": o.polygon, "why": o.why, "notes": list(o.notes)} for o in finding.zones]
    return {
        "camera": None, "ok": finding.ok, "why": None, "how": "restock", "at": None, "zones": zones, "marks": [],
        "notes": [f"for the config: {z} = {corners_text(p)}" for z, p in found.items()], "kept": None,
        "jpg_b64": base64.b64encode(jpeg.tobytes()).decode(),
    }  # fmt: skip  # a row


def corners_text(corners: Sequence[Sequence[float]] | None) -> str | None:
    """As the config writes them."""
    return None if corners is None else "[" + ", ".join(f"[{x:g}, {y:g}]" for x, y in corners) + "]"


def _read(path: Path, option: str) -> "Picture":
    import cv2  # noqa: PLC0415  as above
    import numpy as np  # noqa: PLC0415  as above

    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInputError(f"{option}: {path} cannot be read ({error.strerror})", "name a JPEG or PNG file") from error
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    if picture is None:
        raise BadInputError(f"{option}: {path} is no picture", "name a JPEG or PNG file")
    return picture.astype(np.uint8)
