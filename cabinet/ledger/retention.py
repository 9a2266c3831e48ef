"""What is forgotten by itself: the faces of members who have not come for long, and who looked at what, long ago.

Under a trusted clock alone: one that jumped ahead by ten years must not take everybody's face.  Logged by count.
"""

import logging
from collections.abc import Callable
from typing import Final

from cabinet.ledger import Ledger
from cabinet.ledger.entries import Stamp
from cabinet.ledger.outbox import TRUSTED

ACCESS_DAYS: Final = 400.0  # as the audit trail: a year, and time to look
EVERY_MS: Final = 6 * 3_600_000  # of the monotonic clock
DAY_MS: Final = 86_400_000

log = logging.getLogger(__name__)


def forget_old(ledger: Ledger, keep_face_days: float, clock: Stamp) -> tuple[int, int]:
    """How many members' faces, and how many accesses, were forgotten."""
    if clock.quality not in TRUSTED:
        return 0, 0
    members, templates = ledger.forget_faces(round(clock.wall_ms - keep_face_days * DAY_MS))
    accesses = ledger.forget_accesses(round(clock.wall_ms - ACCESS_DAYS * DAY_MS))
    if members or accesses:
        log.info("people_forgotten faces_of=%d templates=%d accesses=%d", members, templates, accesses)
    return members, accesses


def chore(
    ledger: Ledger,
    keep_face_days: float,
    now: Callable[[], Stamp],
    changed: Callable[[], None],
    idle: Callable[[], bool] = lambda: True,
) -> Callable[[], None]:
    """To be called every few seconds: works every six hours, and only while nobody is served (`idle`), because every
    page of the ledger is looked at afterwards.  `changed`: the door knows somebody less.
    """
    due_ms = 0

    def work() -> None:
        nonlocal due_ms
        clock = now()
        if clock.mono_ms < due_ms or not idle() or clock.quality not in TRUSTED:
            return
        due_ms = clock.mono_ms + EVERY_MS
        if forget_old(ledger, keep_face_days, clock)[0]:
            changed()

    return work
