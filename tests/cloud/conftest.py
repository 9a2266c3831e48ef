"""Both databases for every test that takes `place`: a SQLite file, and an empty database of one PostgreSQL server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud.counterpart import Counterpart
from tests.support.postgres import Postgres, binaries


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres | None]:
    if binaries() is None:
        yield None
        return
    with Postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where empty books are."""
    if request.param == "sqlite":
        return str(tmp_path / "cloud.db")
    server: Postgres | None = request.getfixturevalue("server")
    if server is None:
        pytest.skip("PostgreSQL is not installed: sudo apt-get install postgresql")
    return server.fresh()


@pytest.fixture
def desk(tmp_path: Path, place: str) -> Iterator[Counterpart]:
    desk = Counterpart(tmp_path, place)
    yield desk
    desk.close()
