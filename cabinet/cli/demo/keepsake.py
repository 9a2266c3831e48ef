"""What a visit leaves in the demonstration's folder: the trace, one picture, the receipt."""

import base64
import io
import tarfile
from pathlib import Path

from cabinet.cli.demo.processes import Bench


def keep_visit(bench: Bench, visit: str, folder: Path, *, picture: bool) -> None:
    """Ask the daemon for everything, as `cabinet visits export` would."""
    folder.mkdir(parents=True, exist_ok=True)
    exported = bench.ask("visits.export", visit=visit)
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(exported["tar_b64"]))) as tar:
        tar.extractall(folder / "trace", filter="data")
    (folder / "receipt.txt").write_text(bench.ask("visits.show", visit=visit)["receipt"] + "\n")
    if picture:
        png = bench.ask("visits.picture", visit=visit)["png_b64"]
        (folder / "visit.png").write_bytes(base64.b64decode(png))
