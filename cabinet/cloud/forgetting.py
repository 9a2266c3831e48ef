"""A member has asked a cabinet to be forgotten: what goes here at once, and what once nothing is owed any more.

A face that was taken back at a cabinet goes from the fleet's list as well (`unshare`).

At once: the place on the deny list, and every further visit or wallet under this id.  The wallet, the one thing that
leads to a person, goes when every event before the erasure is here and every payment of the member has ended; until
then what was taken could not be collected.  Payments, postings and charges stay under the bare id, which now names
nobody: the law on accounts wants them kept.  It refuses a cabinet where the member has never bought, if they have
bought elsewhere: a cabinet in wrong hands must not cut off the members of others.
"""

import logging
from typing import Any, Final

from cabinet.cloud.books import Books
from cabinet.cloud.roster import FleetRoster
from cabinet.wire import Payload

ENDED: Final = ("declined", "released", "paid", "written off")  # of a payment: nothing more is asked of the wallet
MOST: Final = 100  # wallets in one patrol

log = logging.getLogger(__name__)

DUE: Final = (  # every event of that store up to the erasure is here, and nothing is under way
    "SELECT f.member AS member, f.cab AS cab FROM forgotten f JOIN mark m ON m.cab = f.cab AND m.store = f.store"
    " WHERE f.wallet_ms IS NULL AND m.hwm >= f.seq AND NOT EXISTS"
    " (SELECT 1 FROM payment p WHERE p.member = f.member AND p.state NOT IN (?, ?, ?, ?))"
    " ORDER BY f.at_ms LIMIT ?"
)


def forget(books: Books, cab: str, member: str, event: Payload, now_ms: int) -> str:
    """Within `writing`.  Why a person should look; "": it was done."""
    where = {row["cab"] for row in books.rows("SELECT DISTINCT cab FROM payment WHERE member = ?", member)}
    if where and cab not in where:
        return f"{cab} has erased member {member}, who has bought elsewhere alone: nothing was forgotten here"
    books.run(
        "INSERT INTO forgotten (member, cab, store, seq, at_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        member, cab, event["store"], event["seq"], now_ms,
    )  # fmt: skip  # a table
    books.run("DELETE FROM blocked WHERE member = ?", member)
    return ""


def unshare(books: Books, cab: str, member: str, now_ms: int) -> str:
    """Within `writing`: a member of the fleet has taken their face back at this cabinet.  Why a person should look."""
    fleet = FleetRoster(books)
    listed = fleet.member(member)
    if listed is None:  # enrolled at the cabinet itself
        return ""
    if listed.cabinets is not None and cab not in listed.cabinets:
        return f"{cab} says that member {member} took their face back, who is not on its list: it stays on the list"
    said: dict[str, Any] = {"member": member, "share_face": None, "templates": []}
    fleet.change(said, None, f"taken back at {cab}", now_ms, keep=True)
    return ""


def is_forgotten(books: Books, member: str) -> bool:
    return books.row("SELECT 1 AS one FROM forgotten WHERE member = ?", member) is not None


def sweep(books: Books, now_ms: int) -> int:
    """The wallets that are needed no more; how many went.  Call it now and then, outside any transaction."""
    gone = 0
    for row in books.rows(DUE, *ENDED, MOST):
        with books.writing(row["cab"]):
            gone += books.run("DELETE FROM wallet WHERE member = ?", row["member"])
            books.run("UPDATE forgotten SET wallet_ms = ? WHERE member = ?", now_ms, row["member"])
    if gone:
        books.forget_deleted()
        log.info("wallets_forgotten count=%d", gone)
    return gone
