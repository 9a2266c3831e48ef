"""Charges that were stored before the cloud kept payments get one each, so that money knows every charge.

They wait for a person: nobody here knows whether such a charge was collected by other means, and charging twice is
worse than late.  `cabinet cloud settle VISIT --capture AMOUNT` collects it, `--release` lets it go.
"""

import json
import logging
from typing import Any, Final

from cabinet.cloud.books import Books
from cabinet.cloud.money import accounts
from cabinet.cloud.money.register import Register
from cabinet.cloud.money.values import Closed, Payment

log = logging.getLogger(__name__)

WHY: Final = "charged before the cloud kept payments: was it collected by other means?"
BATCH: Final = 200  # in one transaction: others may write in between
ORPHANS: Final = (
    "SELECT visit, cab, member, currency, total_minor, lines, review FROM charge"
    " WHERE NOT EXISTS (SELECT 1 FROM payment WHERE payment.visit = charge.visit) ORDER BY visit LIMIT ?"
)


def adopt(books: Books, now_ms: int) -> int:
    """How many there were.  Of several processes each finds what the others have left."""
    adopted = 0
    while books.row(ORPHANS, 1) is not None:
        with books.writing("adoption"):
            found = books.rows(ORPHANS, BATCH)
            for row in found:
                _adopt(books, row, now_ms)
            adopted += len(found)
    if adopted:
        log.warning("charges_adopted n=%d why=%r", adopted, WHY)
    return adopted


def _adopt(books: Books, row: dict[str, Any], now_ms: int) -> None:
    bare = Payment(row["visit"], row["cab"], row["member"], row["currency"])
    register, lines = Register(books), json.loads(row["lines"])
    payment = register.start(bare, Closed(row["total_minor"], row["review"] or WHY), now_ms)
    accounts.post_sale(books, payment, accounts.parts_of(row["total_minor"], lines, []), now_ms)
    register.book_waiting(row["visit"], now_ms, payment)
