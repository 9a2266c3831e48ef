"""What a bill was made from, as one list of hashes: evidence.json of a trace folder, `cabinet-evidence/1`.

    {"format": "cabinet-evidence/1", "visit": "01J…", "software": "0.1.0", "policy": "12 hex",
     "judged": sha256 over the header and every judged event, in order,
     "header": sha256 of the header, "lines": 8 hex of each judged event, joined: they name the line that was changed,
     "frames": {"CAMERA/MS.jpg": sha256}, the stills there when the tally was made,
     "tally": sha256 of the verdict}

The hash in the charge is the SHA-256 of this object's canonical JSON.  `lines` only says where; `judged` is the proof.
Judges nothing.  What came behind the barrier, and what only explains (origin.json, truth.json), is bound by nothing.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cabinet.basket.evidence import Happening, Header, Visit
from cabinet.basket.verdict import Verdict
from cabinet.trace.codec import event_to_dict, header_to_dict
from cabinet.trace.plain import Spelling
from cabinet.trace.recording import verdict_to_dict, write_whole

FORMAT = "cabinet-evidence/1"
NAME = "evidence.json"
MARK = 8  # hex digits of one event: enough to say which line, not to prove it
BESIDE = {"evidence", "complete", "shadow"}  # stand in tally.json and are no part of the verdict


def canonical(value: object) -> bytes:
    """The same bytes for the same value: sorted keys, no spaces, UTF-8, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def judged_hash(visit: Visit) -> str:
    """SHA-256 in hex over the header and every judged event, in order: what the bill was made from."""
    return _judged(visit, None)


def _judged(visit: Visit, marks: list[str] | None) -> str:
    """`judged_hash`, and each event's mark onto `marks`: in one pass, because the verdict waits for both."""
    found = hashlib.sha256(json.dumps(header_to_dict(visit.header), sort_keys=True).encode())
    spelling = Spelling()
    for event in visit.events:
        spelt = spelling.of(event)
        found.update(spelt[0] if spelt else json.dumps(event_to_dict(event), sort_keys=True).encode())
        if marks is not None:
            marks.append(sha256(spelt[1])[:MARK] if spelt else mark(event))
    return found.hexdigest()


def header_hash(header: Header) -> str:
    return sha256(canonical(header_to_dict(header)))


def mark(event: Happening) -> str:
    return sha256(canonical(event_to_dict(event)))[:MARK]


def verdict_hash(told: Mapping[str, Any]) -> str:
    """Of a verdict as in tally.json; what else stands there (a shadow's opinion, say) does not count."""
    return sha256(canonical({key: value for key, value in told.items() if key not in BESIDE}))


def settle_stills(folder: Path) -> None:
    """The stills on disk for good: a hash of what a power cut then empties would look like somebody's work.

    Raises OSError.
    """
    for camera in folder.glob("frames/*"):
        for path in (*camera.glob("*.jpg"), camera):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def frame_hashes(folder: Path) -> dict[str, str]:
    """By CAMERA/MS.jpg; "" for one that the disk does not give back."""
    stills = sorted(folder.glob("frames/*/*.jpg"))
    return {f"{still.parent.name}/{still.name}": _frame_hash(still) for still in stills}


def _frame_hash(still: Path) -> str:
    try:
        return sha256(still.read_bytes())
    except OSError:
        return ""


def manifest(
    visit: Visit, verdict: Verdict, frames: Mapping[str, str], *, software: str = "", policy: str = ""
) -> dict[str, Any]:
    """`visit`: as judged."""
    marks: list[str] = []
    judged = _judged(visit, marks)
    return {
        "format": FORMAT,
        "visit": visit.header.visit,
        "software": software,
        "policy": policy,
        "judged": judged,
        "header": header_hash(visit.header),
        "lines": "".join(marks),
        "frames": dict(frames),
        "tally": verdict_hash(json.loads(canonical(verdict_to_dict(verdict)))),
    }


def manifest_hash(told: Mapping[str, Any]) -> str:
    """The evidence hash of the charge."""
    return sha256(canonical(told))


def write_manifest(folder: Path, told: Mapping[str, Any]) -> None:
    """evidence.json, whole or not at all.  OSError."""
    write_whole(folder / NAME, told, indent=1)
