"""`cabinet cloud run`: the far end as one process, and reading its database from another one."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

from cabinet.adapters.mqtt import Broker, MqttPipe, Tls
from cabinet.cloud.books import Books, open_books
from cabinet.cloud.keys import load_keys
from cabinet.cloud.loop import CloudLoop
from cabinet.cloud.overview import Overview, overview
from cabinet.cloud.service import CloudService, Desk
from cabinet.cloud.store import Alarm, Bookkeeper, Charge, CloudStore, StoredEvent

__all__ = [
    "SUBSCRIBE", "Alarm", "Charge", "CloudLoop", "CloudStore", "Money", "OpenMoney", "Overview", "StoredEvent",
    "alarms", "charges", "events", "run_cloud", "status", "unclosed",
]  # fmt: skip  # a list

log = logging.getLogger(__name__)

SUBSCRIBE: Final = ("$share/ingest/cab/v1/+/up/#",)  # the broker deals each message to one of the workers


class Money(Protocol):
    """What money brings: a bookkeeper within each event's transaction, and a desk that answers the cabinets."""

    @property
    def bookkeeper(self) -> Bookkeeper: ...

    @property
    def desk(self) -> Desk | None: ...

    def close(self) -> None: ...


OpenMoney = Callable[[Books, Mapping[str, bytes], Callable[[], Books]], Money]
"""From ingest's own books, the keys, and a way to open the same books for another thread."""


def run_cloud(  # noqa: PLR0913  # one argument per option of the command line
    host: str,
    port: int,
    db: str | Path,
    keys: Path,
    *,
    username: str | None = None,
    password: str | None = None,
    tls: Tls | None = None,
    retry_s: tuple[int, int] = (1, 30),
    ready: Callable[[], None] | None = None,
    money: OpenMoney | None = None,
    share: tuple[int, int] = (0, 1),
) -> None:
    """Serve until SIGTERM or SIGINT.  `ready` is called once the database is open and connecting has begun.

    `share`: (i, n), which one of how many workers this is.  Raises KeysError or LedgerError, each with the place and
    the remedy.
    """
    known = load_keys(keys)
    broker = Broker(host, port, f"cloud-{os.getpid()}", username, password, tls, retry_s)
    with contextlib.closing(CloudStore(db)) as store, with_money(money, store, known, db) as desk:
        service = CloudService(store, known, desk=desk, share=share)
        asyncio.run(_serve(service, MqttPipe(broker, SUBSCRIBE), ready))


@contextlib.contextmanager
def with_money(
    money: OpenMoney | None, store: CloudStore, keys: Mapping[str, bytes], db: str | Path
) -> Iterator[Desk | None]:
    """The store with its bookkeeper, and the desk; None for ingest alone."""
    if money is None:
        yield None
        return
    with contextlib.closing(money(store.books, keys, lambda: open_books(db))) as opened:
        store.keep_books(opened.bookkeeper)
        yield opened.desk


async def _serve(service: CloudService, pipe: MqttPipe, ready: Callable[[], None] | None) -> None:
    serving = asyncio.create_task(CloudLoop(service, pipe).run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    if ready is not None:
        ready()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def charges(db: str | Path) -> list[Charge]:
    """Every charge of the cloud's database, in the order of arrival; safe while the cloud runs."""
    with contextlib.closing(CloudStore(db, read_only=True)) as store:
        return store.charges()


def events(db: str | Path, limit: int = 1000) -> list[StoredEvent]:
    """The newest events, in the order of arrival; safe while the cloud runs."""
    with contextlib.closing(CloudStore(db, read_only=True)) as store:
        return store.events(limit)


def alarms(db: str | Path) -> list[Alarm]:
    """What a person has to look at: forks, rollbacks, charges of another amount, card numbers, what stays open."""
    with contextlib.closing(CloudStore(db, read_only=True)) as store:
        return store.alarms()


def unclosed(db: str | Path) -> list[str]:
    """Visits opened and not closed, the oldest first."""
    with contextlib.closing(CloudStore(db, read_only=True)) as store:
        return store.unclosed()


def status(db: str | Path) -> Overview:
    """Where everything stands; safe while the cloud runs."""
    with contextlib.closing(CloudStore(db, read_only=True)) as store:
        return overview(store)
