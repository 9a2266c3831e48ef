"""Tells the board what was charged: should this computer be gone tomorrow, the board still knows the amount.

Best effort.  A visit never waits for it and never fails for it; the newest charge is told again after a reconnection
unless the board's own journal shows that it has it.
"""

import asyncio
import logging
from dataclasses import dataclass, field

from cabinet.daemon import Happened
from cabinet.ledger import Ledger
from cabinet.parts import Part
from cabinet.ports import Charged, Mirror, PortError
from cabinet.session import effects as do
from cabinet.units import VisitId

KIND = "mirror"  # of the journal entry that shows it

log = logging.getLogger(__name__)


@dataclass
class Mirroring:
    ledger: Ledger
    board: Mirror
    _telling: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    def happened(self, step: Happened) -> None:
        """A watcher of the daemon: the charge is in the ledger by now."""
        for effect in step.effects:
            if isinstance(effect, do.CloseVisit) and effect.outcome == "charge":
                self._tell(effect.visit)

    def part_changed(self, part: Part) -> None:
        """A listener of the parts: the board is back."""
        if part.name == "board" and part.ok:
            self._tell(None)

    def _tell(self, visit: VisitId | None) -> None:
        """The charge of the visit; or the newest, if the board has not got it."""
        charge = self.ledger.charge(visit)
        if charge is None or (visit is None and self._has(charge.visit)):
            return
        told = Charged(charge.visit, charge.total_minor, charge.currency, bytes.fromhex(charge.h))
        task = asyncio.get_running_loop().create_task(self._attempt(told))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def _has(self, visit: VisitId) -> bool:
        return any(row.entry.kind == KIND for row in self.ledger.journal_of(visit))

    async def _attempt(self, charge: Charged) -> None:
        try:
            await self.board.mirror(charge)
        except PortError as error:
            log.warning("charge_not_mirrored visit=%s why=%s", charge.visit, error)
