"""Reading a trace, and its digest.  Writes nothing."""

import hashlib
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, Literal, cast

from cabinet.basket.evidence import Happening, Visit
from cabinet.basket.score import Truth
from cabinet.trace.codec import Fields, TraceError, event_from_dict, header_from_dict, loads
from cabinet.units import Sku, ZoneId

LARGEST = 256 * 2**20  # bytes of one file; an hour of four zones at 80 Hz has 10 MiB


def read(path: Path) -> Visit:
    """A trace folder or .tar.  Events in ascending t; a damaged line ends it there and marks it incomplete.

    TraceError: another format, a missing file, or a value that cannot be, with file, line and key.
    """
    load = _from_tar(path) if path.is_file() else _from_folder(path)
    try:
        value = loads(load("visit.json"), f"{path.name}/visit.json")
    except TraceError:
        raise
    except ValueError as damaged:
        raise TraceError(f"{path.name}/visit.json: {damaged}") from damaged
    header = header_from_dict(value, f"{path.name}/visit.json")
    events: list[Happening] = []
    content = load("events.jsonl")
    whole = intact(content)
    for number, line in enumerate(content[:whole].splitlines(), 1):
        if line.strip():
            where = f"{path.name}/events.jsonl line {number}"
            event = event_from_dict(loads(line, where), header.zones, where)
            if event is not None:
                events.append(event)
    events.sort(key=lambda event: event.t)
    return Visit(header, tuple(events), incomplete=whole < len(content))


def intact(content: bytes) -> int:
    """Bytes up to the first damaged line.  A last line without its newline counts where it is whole JSON."""
    end = 0
    while end < len(content):
        newline = content.find(b"\n", end)
        after = len(content) if newline < 0 else newline + 1
        line = content[end:after].strip()
        try:
            if line and not isinstance(loads(line, "events.jsonl"), dict):
                return end
        except TraceError:
            pass  # a NaN is no torn line: the reader refuses it with its number
        except ValueError:
            return end
        end = after
    return end


def read_truth(path: Path) -> Truth:
    """truth.json of a trace folder or .tar; TraceError where there is none."""
    load = _from_tar(path) if path.is_file() else _from_folder(path)
    where = f"{path.name}/truth.json"
    f = Fields(loads(load("truth.json"), where), where)
    moved = cast("list[tuple[str, str, str]]", f.list("moved", []))
    return Truth(
        {Sku(s): n for s, n in f.table("basket", lambda g, sku: g.count(sku)).items() if n},
        cast("Literal['charge', 'review', 'either']", f.choice("outcome", "charge", "review", "either")),
        tuple((Sku(s), ZoneId(a), ZoneId(b)) for s, a, b in moved),
        f.text("story", ""),
        f.texts("tags", []),
    )


def read_tally(path: Path) -> dict[str, Any] | None:
    """tally.json of a trace folder or .tar, as it stands; None where the visit was never judged.  TraceError."""
    load = _from_tar(path) if path.is_file() else _from_folder(path)
    try:
        content = load("tally.json")
    except TraceError:
        return None
    try:
        value = loads(content, f"{path.name}/tally.json")
    except ValueError as damaged:
        raise TraceError(f"{path.name}/tally.json: {damaged}") from damaged
    if not isinstance(value, dict):
        raise TraceError(f"{path.name}/tally.json: expected an object")
    return cast("dict[str, Any]", value)


def digest(folder: Path) -> str:
    """SHA-256 over visit.json and events.jsonl: the evidence hash of the visit, in hex."""
    found = hashlib.sha256()
    for name in ("visit.json", "events.jsonl"):
        found.update((folder / name).read_bytes())
    return found.hexdigest()


def _from_folder(folder: Path) -> Callable[[str], bytes]:
    def load(name: str) -> bytes:
        file = folder / name
        if not file.is_file():
            raise TraceError(f"{folder.name}: has no {name}")
        if file.stat().st_size > LARGEST:
            raise TraceError(f"{folder.name}/{name}: larger than {LARGEST} bytes")
        return file.read_bytes()

    return load


def _from_tar(path: Path) -> Callable[[str], bytes]:
    def load(name: str) -> bytes:
        try:
            with tarfile.open(path) as tar:
                for member in tar:
                    place = PurePosixPath(member.name)
                    if member.isfile() and place.name == name and len(place.parts) <= 2:
                        if member.size > LARGEST:
                            raise TraceError(f"{path.name}/{name}: larger than {LARGEST} bytes")
                        file = tar.extractfile(member)
                        return file.read() if file else b""
        except tarfile.TarError as damaged:
            raise TraceError(f"{path.name}: {damaged}") from damaged
        raise TraceError(f"{path.name}: has no {name}")

    return load
