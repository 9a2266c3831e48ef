"""Was the evidence changed since the bill was made?  Names every file, line and still that was.

Reads a trace folder or .tar and its evidence.json; writes nothing and judges nothing.  Whoever can write the trace can
write a fitting evidence.json too: only a hash kept elsewhere (the ledger's, the cloud's, a receipt's) settles it.
"""

import difflib
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, cast

from cabinet.basket.evidence import Happening, Header, Visit
from cabinet.trace.codec import TraceError, event_from_dict, header_from_dict, loads
from cabinet.trace.evidence import (
    FORMAT,
    MARK,
    NAME,
    header_hash,
    judged_hash,
    manifest_hash,
    mark,
    sha256,
    verdict_hash,
)
from cabinet.trace.reading import LARGEST, intact
from cabinet.trace.withheld import NAME as WITHHELD
from cabinet.trace.withheld import Withheld
from cabinet.trace.withheld import read as read_withheld

What = Literal["changed", "missing", "added", "unreadable"]
MOST_LINES = 50  # named one by one; a trace that was replaced as a whole needs no list of its lines


@dataclass(frozen=True, slots=True)
class Finding:
    where: str
    what: What
    why: str = ""


@dataclass(slots=True)
class Verified:
    visit: str = ""
    hash: str = ""  # of evidence.json as it is now
    wanted: str = ""  # by the ledger; "": nobody said
    findings: list[Finding] = field(default_factory=list)
    lines: int = 0  # judged, hence bound
    lines_behind: int = 0  # behind the barrier: not bound
    frames: int = 0
    frames_behind: int = 0
    withheld: dict[str, int] = field(default_factory=dict)  # stills kept back by the cabinet: why -> how many
    signed_by: str = ""  # the public key that says so, hexadecimal

    @property
    def same(self) -> bool:
        return not self.findings

    def find(self, where: str, what: What, why: str = "") -> None:
        self.findings.append(Finding(where, what, why))


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    event: Happening | None  # None: cannot be read
    why: str = ""


def verify(path: Path, wanted: str = "") -> Verified:
    """Every hash anew.  `wanted`: the charge's.  TraceError where `path` is no trace at all."""
    files = _files(path)
    if not files:
        raise TraceError(f"{path.name}: no trace; it has no file")
    found = Verified(wanted=wanted)
    told = _manifest(files, found)
    header = _header(files, told, found)
    until = float("inf")
    if header is not None:
        until = _events(files, header, told, found)
    if told:
        _frames(files, told, until, found, _withheld(files, found))
        _tally(files, told, found)
    return found


def _manifest(files: Mapping[str, bytes], found: Verified) -> dict[str, Any]:
    """{} where there is none that can be used."""
    if NAME not in files:
        found.find(NAME, "missing", "nothing says what the bill was made from")
        return {}
    try:
        told = loads(files[NAME], NAME)
    except ValueError as error:
        found.find(NAME, "unreadable", str(error))
        return {}
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        found.find(NAME, "unreadable", f"its format is not {FORMAT}")
        return {}
    found.visit, found.hash = str(told.get("visit", "")), manifest_hash(told)
    if found.wanted and found.hash != found.wanted:
        found.find(NAME, "changed", f"its hash is {found.hash}, the charge's is {found.wanted}")
    return cast("dict[str, Any]", told)


def _header(files: Mapping[str, bytes], told: Mapping[str, Any], found: Verified) -> Header | None:
    if "visit.json" not in files:
        found.find("visit.json", "missing")
        return None
    try:
        header = header_from_dict(loads(files["visit.json"], "visit.json"))
    except ValueError as error:
        found.find("visit.json", "unreadable", str(error))
        return None
    if told and header_hash(header) != told.get("header"):
        found.find("visit.json", "changed")
    found.visit = found.visit or header.visit
    return header


def _events(files: Mapping[str, bytes], header: Header, told: Mapping[str, Any], found: Verified) -> float:
    """Up to which t the tally may have read."""
    if "events.jsonl" not in files:
        found.find("events.jsonl", "missing")
        return float("inf")
    content = files["events.jsonl"]
    lines = _lines(content[: intact(content)], header)
    judged = _judged(lines, header)
    same = not told or judged_hash(judged) == told.get("judged")
    if not same:  # then also what stands behind a damaged line, to say how far the damage goes
        lines = _lines(content, header)
        judged = _judged(lines, header)
    for line in lines:
        if line.event is None:
            found.find(f"events.jsonl line {line.number}", "unreadable", line.why)
    found.lines = len(judged.events)
    found.lines_behind = sum(line.event is not None for line in lines) - found.lines
    if not same and not _changed_lines(lines, judged, str(told.get("lines", "")), found):
        elsewhere = any(finding.where == "visit.json" for finding in found.findings)
        if not elsewhere and all(line.event is not None for line in lines):
            found.find("events.jsonl", "changed", "but not in any line that could be named")
    return max((event.t for event in judged.events), default=float("inf"))


def _judged(lines: Sequence[_Line], header: Header) -> Visit:
    return Visit(header, tuple(line.event for line in lines if line.event is not None)).judged()


def _lines(content: bytes, header: Header) -> list[_Line]:
    """In ascending t, as the tally reads them; what cannot be read stays where it stands."""
    read: list[tuple[float, _Line]] = []
    t = float("-inf")
    for number, raw in enumerate(content.splitlines(), 1):
        if not raw.strip():
            continue
        try:
            event = event_from_dict(loads(raw, "it"), header.zones, "it")
        except ValueError as error:
            read.append((t, _Line(number, None, str(error))))
            continue
        if event is not None:
            t = event.t
            read.append((t, _Line(number, event)))
    return [line for _, line in sorted(read, key=lambda pair: pair[0])]


def _changed_lines(lines: Sequence[_Line], judged: Visit, marks: str, found: Verified) -> int:
    """The judged events against the marks of those at the tally; how many were named."""
    before = len(found.findings)
    then = [marks[i : i + MARK] for i in range(0, len(marks), MARK)]
    kept = iter(judged.events)
    now, numbers = [], []
    left = len(judged.events)
    for line in lines:
        if left == 0:
            break
        numbers.append(line.number)
        if line.event is None:
            now.append("unreadable")
        else:
            now.append(mark(next(kept)))
            left -= 1
    told = 0
    for kind, a0, a1, b0, b1 in difflib.SequenceMatcher(None, then, now, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        pairs = min(a1 - a0, b1 - b0)
        for i in range(b0, b1):
            if now[i] != "unreadable" and told < MOST_LINES:
                found.find(f"events.jsonl line {numbers[i]}", "changed" if i < b0 + pairs else "added")
                told += 1
        gone = a1 - a0 - pairs
        if gone:
            place = numbers[b1 - 1] if b1 else 0
            after = f"after line {place}" if place else "at the beginning"
            found.find("events.jsonl", "missing", f"{gone} line{'s' if gone > 1 else ''} {after}")
    if told == MOST_LINES:
        found.find("events.jsonl", "changed", f"in more lines than these {MOST_LINES}")
    return len(found.findings) - before


def _withheld(files: Mapping[str, bytes], found: Verified) -> dict[str, Withheld]:
    """{} where nothing is kept back, or where nobody vouches for it."""
    if WITHHELD not in files:
        return {}
    try:
        withheld, found.signed_by = read_withheld(files[WITHHELD])
    except ValueError as error:
        found.find(WITHHELD, "unreadable", str(error))
        return {}
    return withheld


def _kept_back(one: Withheld | None, original: object, shown: str) -> bool:
    """The cabinet itself has made this of the still that was bound."""
    return one is not None and (one.original, one.shown) == (original, shown)


def _frames(
    files: Mapping[str, bytes],
    told: Mapping[str, Any],
    until: float,
    found: Verified,
    withheld: Mapping[str, Withheld],
) -> None:
    then = told.get("frames")
    then = then if isinstance(then, dict) else {}
    now = {name.removeprefix("frames/"): name for name in files if name.startswith("frames/")}
    found.frames = len(then)
    for name, hash_ in sorted(then.items()):
        shown = sha256(files[now[name]]) if name in now else ""
        if shown == hash_:
            continue
        if _kept_back(withheld.get(name), hash_, shown):
            found.withheld[withheld[name].why] = found.withheld.get(withheld[name].why, 0) + 1
        else:
            found.find(f"frames/{name}", "changed" if shown else "missing")
    for name in sorted(set(now) - set(then)):
        stem = PurePosixPath(name).stem
        if stem.isdigit() and int(stem) / 1000 > until:
            found.frames_behind += 1
        else:
            found.find(f"frames/{name}", "added", "it was not there when the bill was made")


def _tally(files: Mapping[str, bytes], told: Mapping[str, Any], found: Verified) -> None:
    if "tally.json" not in files:
        found.find("tally.json", "missing")
        return
    try:
        tally = json.loads(files["tally.json"])
        same = verdict_hash(tally) == told.get("tally")
    except (ValueError, TypeError, AttributeError) as error:
        found.find("tally.json", "unreadable", str(error))
        return
    if not same:
        found.find("tally.json", "changed")
    elif tally.get("evidence", found.hash) != found.hash:
        found.find("tally.json", "changed", "it names another evidence hash")


def _files(path: Path) -> dict[str, bytes]:
    """Every file by its name within the trace.  TraceError for what is no folder and no .tar."""
    if path.is_dir():
        return {
            str(file.relative_to(path)): file.read_bytes()
            for file in sorted(path.rglob("*"))
            if file.is_file() and file.suffix != ".partial"
        }
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                parts = PurePosixPath(member.name).parts
                own = parts if parts[:1] in {("frames",), ("visit.json",), ("events.jsonl",)} else parts[1:]
                if not member.isfile() or not own:
                    continue
                if member.size > LARGEST:
                    raise TraceError(f"{path.name}/{member.name}: larger than {LARGEST} bytes")
                file = tar.extractfile(member)
                found["/".join(own)] = file.read() if file else b""
    except tarfile.TarError as damaged:
        raise TraceError(f"{path.name}: {damaged}") from damaged
    return found
