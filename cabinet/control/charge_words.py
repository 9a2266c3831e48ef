"""A charge and what became of it, as an answer to whoever asks; and its evidence, packed for a dispute."""

import dataclasses
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from cabinet import trace
from cabinet.basket.verdict import Line
from cabinet.control.requests import Answer
from cabinet.ledger import Adjustment, Standing
from cabinet.trace.withheld import Blur, Sign


def brief(standing: Standing) -> Answer:
    record, dispute = standing.record, standing.dispute
    return {
        "visit": record.visit,
        "member": record.member,
        "opened_wall_ms": record.opened.wall_ms,
        "currency": record.currency,
        "charged_minor": record.total_minor,
        "back_minor": standing.back_minor,
        "still_minor": standing.still_minor,
        "disputed": dispute is not None,
        "due_wall_ms": None if dispute is None else dispute.facts.get("due_ms"),
        "queued": standing.queued,
        "waiting": standing.waiting,
    }


def told_change(one: Adjustment) -> Answer:
    return {
        "id": one.id,
        "kind": one.kind,
        "back_minor": one.back_minor,
        "reason": one.reason,
        "who": one.who,
        "wall_ms": None if one.at is None else one.at.wall_ms,
        **({"lines": [told_line(line) for line in one.lines]} if one.kind == "correction" else {}),
        **one.facts,
    }


def told_line(line: Line) -> Answer:
    return {**dataclasses.asdict(line), "total": line.total}


def pack(folder: Path, disputes: Path, blur: Blur, sign: Sign) -> dict[str, Any]:
    """The recording as `visits export` packs it, on the disk before anybody is told; no name where it is gone."""
    if not folder.is_dir():
        return {"evidence": "", "evidence_hash": ""}
    disputes.mkdir(mode=0o750, parents=True, exist_ok=True)
    tar = disputes / f"{folder.name}.tar"
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / folder.name
        copy.mkdir()
        trace.shown_copy(folder, copy, blur, sign)
        trace.export(copy, tar)
    with tar.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    parent = os.open(disputes, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
    return {"evidence": tar.name, "evidence_hash": found}
