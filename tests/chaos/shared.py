"""What the harness and the processes it starts agree on: names, the key, files of the folder, variants."""

from pathlib import Path
from typing import Final

CAB: Final = "chaos-1"
KEY: Final = bytes(range(32))
STRANGER: Final = "chaos-2"  # a cabinet whose key the cloud does not have
STRANGERS_KEY: Final = b"nobody ever gave this to a cloud"
MEMBERS: Final = 50  # M0, M1 …
VARIANTS: Final = ("none", "puback", "nodedupe", "both")  # all but the first are broken on purpose: see broken.py
TRUSTING: Final = ("puback", "both")  # the edge
KEYLESS: Final = ("nodedupe", "both")  # the cloud
RETRY_S: Final = (1, 1)


def edge_file(folder: Path) -> Path:
    return folder / "edge.db"


def oracle_file(folder: Path) -> Path:
    """`VISIT TOTAL_MINOR` a line, written once the ledger's commit had returned."""
    return folder / "oracle"


def shut_file(folder: Path) -> Path:
    """While it is there nothing more is sold."""
    return folder / "shut"
