"""Reading a trace, and its digest.  Writes nothing."""

import hashlib
import tarfile
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import Any, Literal, cast

from cabinet.basket.evidence import Happening, Visit, Zone
from cabinet.basket.score import Truth
from cabinet.trace.codec import Fields, TraceError, event_from_dict, header_from_dict, loads
from cabinet.trace.plain import plain_mass, plain_object
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
    content = load("events.jsonl")
    events, whole = _events(content, header.zones, f"{path.name}/events.jsonl")
    events.sort(key=attrgetter("t"))
    return Visit(header, tuple(events), incomplete=not whole)


def _events(content: bytes, zones: Mapping[ZoneId, Zone], name: str) -> tuple[list[Happening], bool]:
    """Up to the first damaged line, and whether there is none.  One pass: a plain line is parsed once."""
    events: list[Happening] = []
    lines: Iterable[bytes] = BytesIO(content)  # shares the bytes, where a list of lines would be a second copy
    end = len(content)
    if b"\r" in content:  # then a return counts as the end of a line too, in numbers that people read
        end = intact(content)
        lines = content[:end].splitlines()
    for number, line in enumerate(lines, 1):
        value: object = plain_object(line)
        if value is None:
            if not (stripped := line.strip()):
                continue
            if _torn(stripped):
                return events, False
            value = loads(stripped, f"{name} line {number}")
        event: Happening | None = plain_mass(cast("dict[str, Any]", value), zones)
        if event is None:
            event = event_from_dict(value, zones, f"{name} line {number}")
        if event is not None:
            events.append(event)
    return events, end == len(content)


def intact(content: bytes) -> int:
    """Bytes up to the first damaged line.  A last line without its newline counts where it is whole JSON."""
    end = 0
    for line in BytesIO(content):
        if plain_object(line) is None and (stripped := line.strip()) and _torn(stripped):
            return end
        end += len(line)
    return end


def _torn(line: bytes) -> bool:
    try:
        return not isinstance(loads(line, "events.jsonl"), dict)
    except TraceError:
        return False  # a NaN is no torn line: the reader refuses it with its number
    except ValueError:
        return True


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
    return _read_object(path, "tally.json")


def read_manifest(path: Path) -> dict[str, Any] | None:
    """evidence.json likewise; None where no bill was bound to the trace."""
    return _read_object(path, "evidence.json")


def _read_object(path: Path, name: str) -> dict[str, Any] | None:
    load = _from_tar(path) if path.is_file() else _from_folder(path)
    try:
        content = load(name)
    except TraceError:
        return None
    try:
        value = loads(content, f"{path.name}/{name}")
    except ValueError as damaged:
        raise TraceError(f"{path.name}/{name}: {damaged}") from damaged
    if not isinstance(value, dict):
        raise TraceError(f"{path.name}/{name}: expected an object")
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
