"""Writing a trace as it happens, going on with one after a restart, and exporting one.

Refuses frames beyond a budget of bytes, never masses; refuses everything after `finish`.
"""

import contextlib
import dataclasses
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cabinet.basket.evidence import Happening, Header
from cabinet.basket.verdict import Charge, Line, Nothing, Review, Verdict
from cabinet.trace.codec import TraceError, event_to_dict, header_to_dict
from cabinet.trace.plain import plain_object
from cabinet.trace.reading import digest, intact
from cabinet.units import CameraId

FRAME_BYTES = 64 * 2**20  # per visit: 600 stills of 100 kB


class Recorder:
    """Appends what is sensed to one trace folder.  One writer; not for use from two threads at once."""

    def __init__(self, folder: Path, frame_bytes: int = FRAME_BYTES) -> None:
        """Use `create` or `resume`."""
        self.folder = folder
        self.torn = False  # `resume` found a damaged tail and cut it off: the caller adds a Gap
        self.last_t = float("-inf")  # of the events written, as far as known
        self.frames_refused = 0
        self._budget = frame_bytes - sum(f.stat().st_size for f in folder.glob("frames/*/*.jpg"))
        self._file = (folder / "events.jsonl").open("ab")

    @classmethod
    def create(cls, folder: Path, header: Header, frame_bytes: int = FRAME_BYTES) -> "Recorder":
        """Begin a trace; visit.json appears whole or not at all.  FileExistsError where one has begun."""
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "visit.json").exists():
            raise FileExistsError(f"{folder / 'visit.json'} exists: resume it")
        write_whole(folder / "visit.json", header_to_dict(header), indent=1)
        sync_folder(folder.parent)
        return cls(folder, frame_bytes)

    @classmethod
    def resume(cls, folder: Path, frame_bytes: int = FRAME_BYTES) -> "Recorder":
        """Go on after a restart; a torn last line is cut off.  TraceError where no trace has begun."""
        if not (folder / "visit.json").is_file():
            raise TraceError(f"{folder.name}: has no visit.json to go on from")
        recorder = cls(folder, frame_bytes)
        content = (folder / "events.jsonl").read_bytes()
        whole = intact(content)
        if whole < len(content):
            recorder._file.truncate(whole)
            recorder.torn = True
        if whole and content[whole - 1 : whole] != b"\n":
            recorder._file.write(b"\n")
        recorder.last_t = max((_t(line) for line in content[:whole].splitlines()), default=float("-inf"))
        recorder.sync()
        return recorder

    def write(self, event: Happening) -> None:
        """Append one event, flushed to the operating system.  TraceError after `finish` or for NaN."""
        if self._file.closed:
            raise TraceError(f"{self.folder.name}: the trace is finished")
        try:
            line = json.dumps(event_to_dict(event), allow_nan=False, separators=(", ", ": "), ensure_ascii=False)
        except ValueError as refused:
            raise TraceError(f"{type(event).__name__} at {event.t}: {refused}") from refused
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        self.last_t = max(self.last_t, event.t)

    def sync(self) -> None:
        """Everything written so far survives a power cut."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def frame(self, camera: CameraId, t: float, jpeg: bytes) -> bool:
        """Keep a still as frames/CAMERA/MS.jpg (MS of 8 digits, a leading minus before the unlock).

        False, and counted, where the visit's budget of bytes is spent.
        """
        if len(jpeg) > self._budget:
            self.frames_refused += 1
            return False
        still = self._still(camera, t)
        still.parent.mkdir(parents=True, exist_ok=True)
        still.write_bytes(jpeg)
        self._budget -= len(jpeg)
        return True

    def drop_frame(self, camera: CameraId, t: float) -> None:
        """A still makes way for a later one of more worth."""
        still = self._still(camera, t)
        if still.is_file():
            self._budget += still.stat().st_size
            still.unlink()

    def _still(self, camera: CameraId, t: float) -> Path:
        ms = round(t * 1000)
        return self.folder / "frames" / camera / f"{'-' if ms < 0 else ''}{abs(ms):08d}.jpg"

    def write_tally(self, verdict: Verdict, extra: Mapping[str, Any] | None = None) -> None:
        """tally.json, whole or not at all."""
        write_tally(self.folder, verdict, extra)

    def finish(self) -> str:
        """Put the lines in ascending t (sensors report out of step), sync, accept no more; the digest."""
        if not self._file.closed:
            self.sync()
            self._file.close()
            path = self.folder / "events.jsonl"
            lines = path.read_bytes().splitlines(keepends=True)
            ordered = sorted(lines, key=_t)
            if ordered != lines:
                _replace(path, b"".join(ordered))
        return self.digest()

    def close(self) -> None:
        """Let go of the file without finishing the trace."""
        self._file.close()

    def digest(self) -> str:
        """SHA-256 over visit.json and events.jsonl as they are now, in hex."""
        if not self._file.closed:
            self._file.flush()
        return digest(self.folder)


def write_tally(folder: Path, verdict: Verdict, extra: Mapping[str, Any] | None = None) -> None:
    """tally.json of a trace folder, whole or not at all."""
    write_whole(folder / "tally.json", {**verdict_to_dict(verdict), **(extra or {})}, indent=1)


def export(folder: Path, tar_path: Path, beside: Mapping[str, Path] | None = None) -> None:
    """The trace as one .tar, its files under the visit's name; appears whole or not at all.

    `beside`: further files by their name in it, a page drawn for the occasion, say.
    """
    partial = tar_path.with_name(tar_path.name + ".partial")
    with tarfile.open(partial, "w") as tar:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.suffix != ".partial":
                tar.add(file, arcname=f"{folder.name}/{file.relative_to(folder)}", recursive=False)
        for name, file in (beside or {}).items():
            tar.add(file, arcname=f"{folder.name}/{name}", recursive=False)
    partial.replace(tar_path)


def verdict_to_dict(verdict: Verdict) -> dict[str, Any]:
    """For tally.json and --json: outcome, lines, total, confidence or reason, and the account."""
    account = dataclasses.asdict(verdict.account)
    match verdict:
        case Charge():
            found = {"outcome": "charge", "confidence": verdict.confidence, "lines": _lines(verdict.lines)}
            return {**found, "total": verdict.total, "account": account}
        case Nothing():
            return {"outcome": "nothing", "confidence": verdict.confidence, "total": 0, "account": account}
        case Review():
            guess = _lines(verdict.best_guess)
            return {"outcome": "review", "reason": verdict.reason, "best_guess": guess, "account": account}


def _lines(lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    return [{**dataclasses.asdict(line), "total": line.total} for line in lines]


def _t(line: bytes) -> float:
    with contextlib.suppress(ValueError, TypeError, AttributeError):  # a stranger's line keeps its place at the end
        value = plain_object(line)
        return float((json.loads(line) if value is None else value).get("t"))  # type: ignore[arg-type]  # None: suppressed
    return float("-inf")


def write_whole(path: Path, value: Mapping[str, Any], indent: int) -> None:
    _replace(path, json.dumps(value, indent=indent, allow_nan=False, ensure_ascii=False).encode() + b"\n")


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """The names in it survive a power cut."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
