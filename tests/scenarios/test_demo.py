"""The demonstration as whoever tries it out runs it, on a machine without photographs."""

import json
import os
import subprocess
import sys
from pathlib import Path

from cabinet import trace
from cabinet.ledger.privacy import receipt_is_right

BOUND_S = 400.0  # on a machine with other things to do


def test_the_demonstration_with_drawn_pictures_ends_well_and_leaves_its_visits(tmp_path: Path) -> None:
    (tmp_path / "no-photographs").mkdir()
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-m", "cabinet", "demo", "--quick", "--out", str(out)],
        env={**os.environ, "CABINET_DATA": str(tmp_path / "no-photographs")},
        capture_output=True, text=True, timeout=BOUND_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "drawn pictures" in done.stdout
    outcomes = {}
    for visit in ("visit-1", "visit-2", "visit-3"):
        (folder,) = (out / visit / "trace").iterdir()
        assert trace.read(folder).events
        assert folder.name in (out / visit / "receipt.txt").read_text()
        outcomes[visit] = json.loads((folder / "tally.json").read_text())["outcome"]
    assert outcomes == {"visit-1": "charge", "visit-2": "nothing", "visit-3": "charge"}
    assert "the door was opened by token" in done.stdout
    assert receipt_is_right(json.loads((out / "erased.json").read_text()))
    assert "is left in the data directory" in done.stdout
