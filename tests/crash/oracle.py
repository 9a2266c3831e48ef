"""What must hold when the power comes back, whatever the disk kept: asked of the product's own ledger and trace.

The strict rule: the ledger is the one after some whole commit, and no older than the last that had returned.  The
invariants of the design are asked one by one all the same, so that a failure has a name.
"""

import contextlib
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cabinet import trace, wire
from cabinet.ledger import Ledger, LedgerError, OutboxRow
from cabinet.session.states import open_visit
from cabinet.trace.recording import Recorder
from cabinet.trace.verifying import verify
from tests.crash.bed import Bed
from tests.crash.disk import Files
from tests.crash.facts import Fact, Mirrored, Published, Shown, Unlocked

ALL: Final = 1_000_000
TOO_LARGE: Final = {"gallery", "template"}  # vectors of pictures: no money, and half of the file


@dataclass(frozen=True, slots=True)
class Kept:
    """What one ledger holds, as far as anybody may ask."""

    digest: str  # over every row but pictures' vectors
    events: dict[tuple[str, int], OutboxRow]  # by store and seq
    evidence: dict[str, str]  # closed visit -> hash of its evidence, where there is one
    faults: tuple[str, ...]  # what it contradicts within itself


@dataclass(frozen=True, slots=True)
class Found:
    """A broken promise: the invariant and what was seen."""

    invariant: str
    what: str


@dataclass
class History:
    """The commits of one record, in order, and where in the record each was safe."""

    commits: list[Kept] = field(default_factory=list)
    safe_at: list[int] = field(default_factory=list)

    def allowed(self, at: int) -> Sequence[Kept]:
        """The newest commit that had returned before that place, and the one that may have been under way."""
        newest = max((n for n, place in enumerate(self.safe_at) if place < at), default=0)
        return self.commits[newest : newest + 2]

    def note(self, at: int, kept: Kept) -> None:
        if not self.commits or kept.digest != self.commits[-1].digest:
            self.commits.append(kept)
            self.safe_at.append(at)


def look(path: Path) -> Kept:
    """Open the ledger as the daemon does at boot.  Raises LedgerError."""
    with Ledger(path) as ledger:
        rows = list(reversed(ledger.outbox(ALL)))
        visits = ledger.visits(ALL)
        faults = [*_chain(rows), *_closings(ledger, rows)]
        evidence = {str(v.visit): v.evidence_hash for v in visits if v.outcome is not None and v.evidence_hash}
        events = {(row.store, row.seq): row for row in rows}
        return Kept(_digest(ledger, named=bool(rows)), events, evidence, tuple(faults))


def _digest(ledger: Ledger, *, named: bool) -> str:
    """Over all rows; without the store's name while it has not spoken, because it may still be drawn anew."""
    found = hashlib.sha256()
    tables = ledger._file.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    for table in tables:
        name = str(table["name"])
        if name in TOO_LARGE or (name == "identity" and not named):
            continue
        for row in ledger._file.connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2"):  # noqa: S608  its own schema
            found.update(repr((name, row)).encode())
    return found.hexdigest()


def _chain(rows: Sequence[OutboxRow]) -> Iterable[str]:
    """Gapless from 1, and every hash the one of its event and of the row before."""
    prev = wire.GENESIS
    for place, row in enumerate(rows, start=1):
        if row.seq != place:
            yield f"a gap: event {row.seq} stands in place {place}"
            return
        if row.prev != prev or wire.event_hash(row.message(), prev) != row.h:
            yield f"the chain breaks at event {row.seq}"
        prev = row.h


def _closings(ledger: Ledger, rows: Sequence[OutboxRow]) -> Iterable[str]:
    """One opening and at most one closing for each visit, as its row says; the state is of the one that is open."""
    opened = [row.visit for row in rows if row.type == "visit.opened"]
    closed = {row.visit: row for row in rows if row.type == "visit.closed"}
    if len(closed) != sum(row.type == "visit.closed" for row in rows):
        yield "I2: a visit has two closings"
    for record in ledger.visits(ALL):
        if opened.count(record.visit) != 1:
            yield f"visit {record.visit} has {opened.count(record.visit)} openings"
        closing = closed.get(record.visit)
        if (closing is None) != (record.outcome is None):
            yield f"visit {record.visit}: {record.outcome} in its row, its event says {closing}"
        elif closing is not None and closing.body["total_minor"] != record.total_minor:
            yield f"I6: visit {record.visit}: {record.total_minor} in its row, {closing.body['total_minor']} told"
    state = ledger.state()
    current = None if state is None else open_visit(state)
    still_open = [record.visit for record in ledger.open_visits()]
    if still_open != ([] if current is None else [current]):
        yield f"the state is of visit {current}, open are {still_open}"


def judge(path: Path, allowed: Sequence[Kept] | None, known: Iterable[Fact]) -> list[Found]:
    """Everything that a power cut took away from this ledger and may not.  `allowed` None: nobody knows the commits."""
    try:
        kept = look(path)
    except LedgerError as error:
        return [Found("opens", str(error)[:300])]
    found = [Found("consistent", fault) for fault in kept.faults]
    found += [Found(*broken) for fact in known if (broken := _broken(fact, kept)) is not None]
    if allowed is not None and kept.digest not in {one.digest for one in allowed}:
        found.append(Found("whole commits", f"{len(kept.events)} events are none of the states that were committed"))
    return found


def _broken(fact: Fact, kept: Kept) -> tuple[str, str] | None:
    by_visit = {(row.type, str(row.visit)): row for row in kept.events.values()}
    match fact:
        case Unlocked(visit):
            return None if ("visit.opened", visit) in by_visit else ("I1", f"{visit} was unlocked and is unknown")
        case Published(store, seq, h):
            row = kept.events.get((store, seq))
            return None if row is not None and row.h == h else ("I8", f"event {seq} was published and is {row}")
        case Mirrored(visit, total_minor, h):
            row = by_visit.get(("visit.closed", visit))
            same = row is not None and row.h == h and row.body["total_minor"] == total_minor
            return None if same else ("I6", f"{visit} was mirrored with {total_minor} and is {row}")
        case Shown(visit, outcome, total_minor):
            row = by_visit.get(("visit.closed", visit))
            same = row is not None and (row.body["outcome"], row.body["total_minor"]) == (outcome, total_minor)
            return None if same else ("I6", f"{visit} was shown as {outcome} {total_minor} and is {row}")


def judge_traces(files: Files, bed: Bed, allowed: Sequence[Kept], seen: set[tuple[object, ...]]) -> list[Found]:
    """A trace can be read or gone on with, or says that it cannot; that of a bill is as the bill's hash says.

    Stills are never synced: that one of them is missing is told by `verify`, and is no fault here.  `seen`: folders
    that were found in order, by their content.
    """
    found: list[Found] = []
    bound = allowed[0].evidence if allowed else {}  # certainly closed
    folders: dict[str, Files] = {visit: {} for visit in bound}
    for name, content in files.items():
        folders.setdefault(name.split("/")[1], {})[name] = content
    for visit, inside in folders.items():
        place = (visit, bound.get(visit), tuple(sorted(inside.items())))
        if place in seen:
            continue
        wrong = _judge_trace(bed.lay(inside) / "traces" / visit, bound.get(visit))
        found += wrong
        if not wrong:
            seen.add(place)
    return found


def _judge_trace(folder: Path, evidence: str | None) -> list[Found]:
    found = []
    if evidence is not None:
        visit = folder.name
        try:
            wrong = [one for one in verify(folder, evidence).findings if not one.where.startswith("frames/")]
        except (trace.TraceError, OSError) as error:
            found.append(Found("evidence", f"visit {visit}: {error}"))
        else:
            found += [Found("evidence", f"visit {visit}: {one}") for one in wrong]
    with contextlib.suppress(trace.TraceError, OSError):
        trace.read(folder)
    with contextlib.suppress(trace.TraceError, OSError):
        Recorder.resume(folder).close()
    return found
