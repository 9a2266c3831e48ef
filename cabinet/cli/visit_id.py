"""The id of a visit as a person types it: 26 letters and digits in either case, or `last`."""

import re
from pathlib import Path

from cabinet.cli import show
from cabinet.cli.errors import BadInputError, RefusedError


def visit_id(path: Path, visit: str) -> str:
    """`path`: the daemon's socket, asked for the newest.  BadInputError, RefusedError."""
    if visit.lower() == "last":
        newest = show.ask(path, "visits.list", limit=1).get("visits") or []
        if not newest:
            raise RefusedError("there are no visits yet")
        return str(newest[0]["visit"])
    if not is_visit_id(visit):
        raise BadInputError(f"VISIT: {visit!r} is no visit's id", "cabinet visits list shows the ids")
    return visit.upper()


def is_visit_id(visit: str) -> bool:
    return re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", visit.upper(), re.ASCII) is not None  # a ULID
