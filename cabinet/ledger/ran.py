"""How long the cabinet has been running in all, over every start: a time that needs no wall clock and never goes back.

It stands still without power, so it tells what has passed at least.  It is written down every 10 minutes: a power cut
loses at most so much of it.
"""

import json
from typing import Final

from cabinet.identity.trust import Instant
from cabinet.ledger.entries import Stamp
from cabinet.ledger.outbox import TRUSTED, OutboxRoom
from cabinet.ledger.room import from_json

RAN: Final = "trust.ran"  # note: JSON of the sum, and since when the present start is counted
KEEP_EVERY_S: Final = 600.0


def instant(clock: Stamp, ran_ms: int) -> Instant:
    return Instant(ran_ms, clock.wall_ms if clock.quality in TRUSTED else None)


class RanRoom(OutboxRoom):
    def ran_ms(self, clock: Stamp, machine: str) -> int:
        """In all, over every start, at least.  `machine` names this start of the computer (`clock.boot_id`)."""
        noted = self.note(RAN)
        if noted is None:
            return max(0, clock.mono_ms)
        row = from_json(noted)
        same = machine == row["machine"] and clock.mono_ms >= row["mono_ms"]  # else it began anew, unnamed
        return int(row["ran_ms"]) + max(0, clock.mono_ms - (row["mono_ms"] if same else 0))

    def keep_ran(self, clock: Stamp, machine: str) -> None:
        """Write it down; at the start, and every `KEEP_EVERY_S`."""
        ran_ms = self.ran_ms(clock, machine)
        self.set_note(RAN, json.dumps({"ran_ms": ran_ms, "machine": machine, "mono_ms": clock.mono_ms}))
