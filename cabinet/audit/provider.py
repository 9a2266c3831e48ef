"""The provider's own books, exported as JSON lines: one authorisation a line.  Refuses a line that is none."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cabinet.audit.rows import Fact
from cabinet.ledger.errors import LedgerError


def intents(file: Path) -> Iterator[Fact]:
    """Raises LedgerError with file, line and key."""
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _fact(line, f"{file} line {number}")
    except (OSError, UnicodeDecodeError) as error:
        raise LedgerError(f"{file} cannot be read: {error}") from error


def _fact(line: str, where: str) -> Fact:
    try:
        row: dict[str, Any] = json.loads(line)
        amounts = row["captured_minor"], row["refunded_minor"]
        if not all(isinstance(minor, int) and not isinstance(minor, bool) and minor >= 0 for minor in amounts):
            raise ValueError("captured_minor and refunded_minor are whole numbers from 0 up")  # noqa: TRY301  # told below
        return Fact(
            str(row["visit"]), "intent", "provider", int(row["amount_minor"]), str(row["currency"]).upper(),
            str(row["status"]), str(row["intent"]), ours=False, amounts=amounts,
        )  # fmt: skip  # a row
    except (ValueError, KeyError, TypeError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise LedgerError(f"{where} is no line of a provider's export: {why}") from error
