"""The room with an empty ledger."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet.ledger import Ledger
from tests.control.room import Room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield Room(tmp_path, ledger)
