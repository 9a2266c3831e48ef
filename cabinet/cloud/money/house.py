"""The cloud's money put together: a bookkeeper and a desk for ingest's thread, and cashiers in threads of their own.

Without a provider there is the ledger alone: sales are booked, nothing is held or captured, the cabinets are told whom
they must not let in and are not told to ask.  It ends within a few seconds, whatever the provider does.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from cabinet.cloud.books import Books
from cabinet.cloud.money.adoption import adopt
from cabinet.cloud.money.cashier import PAUSE_S, Cashier, wall_ms
from cabinet.cloud.money.counter import Counter
from cabinet.cloud.money.desk import END_S, CloudDesk
from cabinet.cloud.money.gate import Gate
from cabinet.cloud.money.provider import Provider
from cabinet.ledger.errors import LedgerError

__all__ = ["Money"]

log = logging.getLogger(__name__)

CASHIERS: Final = 4  # a provider far away takes half a second to answer, and one payment waits for it three times


class Money:
    """`books` are ingest's, `open_own` opens the same for another thread.  `close` ends the threads."""

    def __init__(
        self, books: Books, keys: Mapping[str, bytes], provider: Provider | None, open_own: Callable[[], Books]
    ) -> None:
        adopt(books, wall_ms())
        self.bookkeeper = Counter(books)
        self.desk = Gate(books, keys) if provider is None else CloudDesk(books, keys, provider, open_own)
        self._stop = threading.Event()
        self._cashiers: list[threading.Thread] = []
        for n in range(0 if provider is None else CASHIERS):
            told = (provider, open_own, n)
            self._cashiers.append(threading.Thread(target=self._work, args=told, name=f"cashier-{n}", daemon=True))
            self._cashiers[-1].start()

    def close(self) -> None:
        """What was begun and not answered is looked up by the next process."""
        self._stop.set()
        until_s = time.monotonic() + END_S
        self.desk.close()
        for cashier in self._cashiers:
            cashier.join(max(0.0, until_s - time.monotonic()))

    def _work(self, provider: Provider, open_own: Callable[[], Books], nth: int) -> None:
        while not self._stop.is_set():
            try:
                with contextlib.closing(open_own()) as books:
                    Cashier(books, provider, nth=nth).run(self._stop)
            except LedgerError:  # the books are away, or gone: the cabinets' events wait at the cabinets meanwhile
                log.exception("cashier_waits")
                self._stop.wait(PAUSE_S)
