"""A whole cabinet for each story: broker, cloud, board on a pty, camera streams and the daemon, real processes all."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cabinet.cli.demo import goods
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.shop import Member, Shop
from cabinet.sim import pictures


def bench_in(folder: Path) -> Bench:
    first = {"front": pictures.jpeg(pictures.lobby()), "top": goods.drawn(goods.DRAWN_SHELVES, 1)}
    settings = {"session": {"prompt_after_s": 3.0, "alarm_after_s": 4.0, "operator_after_s": 8.0}}
    return Bench(folder, interior=goods.interior(), pictures=first, settings=settings)


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Open for business, with drawn goods on two shelves.  The folder's name is short: it holds Unix sockets."""
    with TemporaryDirectory(prefix="shop-") as folder, bench_in(Path(folder)) as bench:
        shop = Shop(bench)
        shop.stock_drawn()
        bench.wait_for_state("Idle")
        yield shop


@pytest.fixture
def ann(shop: Shop) -> Member:
    """A member who shows a code."""
    return shop.enrol(Person("Ann", None, None))
