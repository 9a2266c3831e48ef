"""A trace that is complete from the beginning: written at once, where there was no daemon to record it."""

import json
from pathlib import Path

from cabinet.basket.evidence import Visit
from cabinet.basket.score import Truth
from cabinet.trace.codec import event_to_dict, header_to_dict


def write(folder: Path, visit: Visit, truth: Truth | None = None) -> None:
    """visit.json, events.jsonl and, where it is known, truth.json.  FileExistsError where the folder is there."""
    folder.mkdir(parents=True)
    header = json.dumps(header_to_dict(visit.header), indent=1, allow_nan=False, ensure_ascii=False)
    (folder / "visit.json").write_text(header + "\n", encoding="utf-8")
    with (folder / "events.jsonl").open("w", encoding="utf-8") as file:
        for event in visit.events:
            line = json.dumps(event_to_dict(event), allow_nan=False, separators=(", ", ": "), ensure_ascii=False)
            file.write(line + "\n")
    if truth is not None:
        (folder / "truth.json").write_text(
            json.dumps(truth_to_dict(truth), ensure_ascii=False) + "\n", encoding="utf-8"
        )


def truth_to_dict(truth: Truth) -> dict[str, object]:
    return {
        "basket": dict(truth.basket),
        "moved": [list(move) for move in truth.moved],
        "outcome": truth.outcome,
        "story": truth.story,
        "tags": list(truth.tags),
    }
