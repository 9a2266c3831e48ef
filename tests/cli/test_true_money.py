"""What a bench's listener finds of recordings in the broker's traffic."""

import base64
import json
from pathlib import Path

from cabinet.cli.demo.tapping import CHUNK, pieces_in
from cabinet.proving.overhearing import leak


def recorded(folder: Path) -> bytes:
    """A trace of one still and some samples; returns the still's bytes."""
    still = b"\xff\xd8" + bytes(range(256)) * 20
    (folder / "01").mkdir()
    (folder / "01" / "before.jpg").write_bytes(still)
    (folder / "01" / "events.jsonl").write_text(json.dumps({"t": 1.0, "grams": [545.25, 545.5, 545.0, 544.75]}) + "\n")
    return still


def test_a_still_is_found_as_it_is_and_as_base64(tmp_path: Path) -> None:
    still = recorded(tmp_path)
    middle = still[20 * CHUNK : 60 * CHUNK]
    assert leak([b"clip " + middle], pieces_in(tmp_path))
    assert leak([b'{"clip":"' + base64.b64encode(still) + b'"}'], pieces_in(tmp_path))


def test_samples_are_found_and_what_an_event_may_say_is_not(tmp_path: Path) -> None:
    recorded(tmp_path)
    assert leak([b'{"x":[545.25, 545.5, 545.0, 544.75]}'], pieces_in(tmp_path))
    assert leak([b'{"evidence_hash":"ab12","visit":"01","total_minor":220}'], pieces_in(tmp_path)) == ""
