"""How old it is what the cloud last told us, counted over restarts and without trusting a wrong clock.

For every list of the cloud's by the name of its note; which version is in force stands in the same note, so that both
change in the same transaction.
"""

import json
from dataclasses import dataclass
from typing import Final

from cabinet.ledger.entries import Stamp
from cabinet.ledger.notes import NoteRoom
from cabinet.ledger.outbox import TRUSTED
from cabinet.ledger.room import from_json

KEEP_EVERY_S: Final = 600.0  # how often the age is written down, so that a power cut loses at most so much of it


@dataclass(frozen=True, slots=True)
class Kept:
    """The list that is in force: its version, and for how long it has been known at least."""

    version: int
    age_s: float


class AgeRoom(NoteRoom):
    def kept(self, name: str, clock: Stamp, machine: str) -> Kept | None:
        """None: the cloud has never sent one.  `machine` names this start of the computer (`clock.boot_id`).

        The age is counted by the monotonic clock while the computer runs, and written down every 10 minutes; each new
        start adds those 10 minutes, more than what the last one can have lost.  Time with the power off is added only
        where the wall clock was trusted when the list came and is trusted now.  So under an untrusted clock it errs
        towards younger, by the time without power; and a wall clock that was set wrong makes no list old.
        """
        noted = self.note(name)
        if noted is None:
            return None
        row = from_json(noted)
        ran_ms = clock.mono_ms - row["mono_ms"] if machine == row["machine"] else KEEP_EVERY_S * 1000
        age_ms = row["age_ms"] + max(0, ran_ms)
        if clock.quality in TRUSTED and row["came_quality"] in TRUSTED:
            age_ms = max(age_ms, clock.wall_ms - row["came_ms"])
        return Kept(row["version"], age_ms / 1000)

    def keep_age(self, name: str, clock: Stamp, machine: str, version: int | None = None) -> None:
        """Write the age down; at the start, and every `KEEP_EVERY_S`.  `version`: it is another one from now on, as
        old as the one before, because nobody has said that it is the newest.
        """
        kept, noted = self.kept(name, clock, machine), self.note(name)
        if kept is not None and noted is not None:
            row = from_json(noted)
            came = (row["came_ms"], row["came_quality"])
            self._note_age(
                name, kept.version if version is None else version, round(kept.age_s * 1000), clock, machine, came
            )

    def came_now(self, name: str, version: int, clock: Stamp, machine: str) -> None:
        """The cloud has just said that this version is the newest: its age begins anew."""
        self._note_age(name, version, 0, clock, machine, (clock.wall_ms, clock.quality))

    def _note_age(
        self, name: str, version: int, age_ms: int, clock: Stamp, machine: str, came: tuple[int, str]
    ) -> None:
        kept = {"version": version, "age_ms": age_ms, "machine": machine, "mono_ms": clock.mono_ms}
        self.set_note(name, json.dumps({**kept, "came_ms": came[0], "came_quality": came[1]}))
