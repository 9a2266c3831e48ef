"""The cabinet that is measured: every process real, the world emulated."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cabinet.cli.demo import goods
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.shop import Shop
from cabinet.cli.demo.waiting import wait_until
from cabinet.sim import pictures

BUSY = ("--per-hour", "60000", "--per-day", "60000")  # no cabinet sells as quickly as a benchmark


@dataclass(frozen=True, slots=True)
class Given:
    """What a benchmark is told."""

    visits: int
    stream_s: float
    say: Callable[[str], None]


@contextmanager
def open_shop(*, inside: bool, shelves: Mapping[str, tuple[str | None, ...]] | None = None) -> Iterator[Shop]:
    """Open for business, the broker connected; `inside`: with an interior camera.  No face is ever looked at."""
    first = {"front": pictures.jpeg(pictures.lobby()), "top": goods.drawn(goods.DRAWN_SHELVES, 1)}
    with TemporaryDirectory(prefix="bench-") as folder:
        interior = goods.interior() if inside else None
        with Bench(Path(folder), interior=interior, pictures=first, board_options=BUSY) as bench:
            shop = Shop(bench)
            shop.stock_drawn(shelves or goods.DRAWN_SHELVES)
            bench.wait_for_state("Idle", within_s=30.0)
            wait_until(lambda: bool(bench.status()["cloud"]["connected"]), 20.0, "the broker is not reached")
            yield shop
