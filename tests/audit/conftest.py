"""Books on SQLite and on a PostgreSQL of our own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audit.books import RealBooks
from tests.support.postgres import Postgres, binaries


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed: sudo apt-get install postgresql")
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> RealBooks:
    if request.param == "sqlite":
        return RealBooks(tmp_path, str(tmp_path / "cloud.db"))
    server: Postgres = request.getfixturevalue("server")
    return RealBooks(tmp_path, server.fresh())
