"""What is kept back of a trace's stills, and why: `withheld.json` beside evidence.json, signed by the cabinet.

    {"format": "cabinet-withheld/1", "visit": "01J…",
     "stills": {"CAMERA/MS.jpg": {"why": "blurred", "original": sha256, "shown": sha256, "faces": 2}},
     "public_key": 64 hex, "signature": 128 hex}

`blurred`: faces on the copy are made unrecognisable; `left out`: it could not be looked at, so it is not handed out;
`erased`: a member was erased, and with them the stills of their visits.  `original` is the hash that evidence.json
binds; the signature says that the cabinet itself, and nobody on the way, made one of the other.  Knows no faces.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from cabinet.identity.signature import is_signed
from cabinet.trace.evidence import canonical, frame_hashes, sha256
from cabinet.trace.recording import write_whole

FORMAT: Final = "cabinet-withheld/1"
NAME: Final = "withheld.json"
PICTURES: Final = ("frames", "clips")

Why = Literal["blurred", "left out", "erased"]
Sign = Callable[[bytes], tuple[bytes, bytes] | None]  # public key and signature; None: there is nothing to sign with
Blur = Callable[[bytes], tuple[bytes, int] | None]  # a JPEG and how many faces were on it; None: it cannot be looked at


@dataclass(frozen=True, slots=True)
class Withheld:
    why: Why
    original: str
    shown: str = ""  # "": not there
    faces: int = 0


def shown_copy(folder: Path, copy: Path, blur: Blur, sign: Sign) -> dict[str, Withheld]:
    """The trace as it may be handed out: `copy` is made.  Stills without a face are the same bytes; clips stay behind.

    What is kept back, by CAMERA/MS.jpg.  OSError.
    """
    withheld = _known(folder)
    for file in sorted(folder.rglob("*")):
        place = file.relative_to(folder)
        if not file.is_file() or file.suffix == ".partial" or place.parts[0] == "clips" or place.name == NAME:
            continue
        name = place.relative_to("frames").as_posix() if place.parts[0] == "frames" else ""
        content = file.read_bytes() if name else b""
        seen = blur(content) if name else None
        if name and seen is None:
            withheld[name] = Withheld("left out", sha256(content))
            continue
        (copy / place).parent.mkdir(parents=True, exist_ok=True)
        if seen is None or not seen[1]:
            shutil.copyfile(file, copy / place)
        else:
            (copy / place).write_bytes(seen[0])
            withheld[name] = Withheld("blurred", sha256(content), sha256(seen[0]), seen[1])
    if withheld:
        write(copy, folder.name, withheld, sign)
    return withheld


def erase_pictures(folder: Path, sign: Sign) -> int:
    """The stills and clips of a trace folder, for good; masses and the bill stay.  How many stills.  OSError."""
    hashes = frame_hashes(folder)
    if hashes:
        write(folder, folder.name, {**_known(folder), **{n: Withheld("erased", h) for n, h in hashes.items()}}, sign)
    for name in PICTURES:
        shutil.rmtree(folder / name, ignore_errors=True)
    return len(hashes)


def write(folder: Path, visit: str, withheld: Mapping[str, Withheld], sign: Sign) -> None:
    told: dict[str, Any] = {
        "format": FORMAT,
        "visit": visit,
        "stills": {name: asdict(one) for name, one in sorted(withheld.items())},
    }
    signed = sign(canonical(told))
    public, signature = ("", "") if signed is None else (signed[0].hex(), signed[1].hex())
    write_whole(folder / NAME, {**told, "public_key": public, "signature": signature}, indent=1)


def read(content: bytes) -> tuple[dict[str, Withheld], str]:
    """What is kept back, and the public key that says so.  Raises ValueError for what is not whole and signed."""
    told = json.loads(content)
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    body = {key: told.get(key) for key in ("format", "visit", "stills")}
    public = str(told.get("public_key", ""))
    if not is_signed(canonical(body), bytes.fromhex(public), bytes.fromhex(str(told.get("signature", "")))):
        raise ValueError("its signature is not right")
    try:
        found = {str(name): Withheld(**one) for name, one in told["stills"].items()}
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"its list of stills is none: {error}") from error
    if any(one.why not in get_args(Why) for one in found.values()):
        raise ValueError("it gives a reason that is none")
    return found, public


def _known(folder: Path) -> dict[str, Withheld]:
    """Kept back before; nothing where that cannot be read."""
    try:
        return read((folder / NAME).read_bytes())[0]
    except (OSError, ValueError):
        return {}
