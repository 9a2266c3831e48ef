"""The cabinet's ledger and the cloud's database side by side, read when everything has calmed down."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cabinet.cloud.run import alarms, charges, events, unclosed
from cabinet.cloud.store import Alarm, Charge, StoredEvent
from cabinet.ledger import Ledger, OutboxRow, VisitRecord

ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Books:
    visits: Mapping[str, VisitRecord]
    outbox: tuple[OutboxRow, ...]
    events: tuple[StoredEvent, ...]
    charges: tuple[Charge, ...]
    alarms: tuple[Alarm, ...]
    unclosed: tuple[str, ...]  # as the cloud sees it

    def outcomes(self) -> Counter[str]:
        """Of shoppers' visits."""
        return Counter(str(v.outcome) for v in self.visits.values() if v.purpose == "shop")

    def once_each(self) -> Counter[str]:
        """What the closings should be."""
        return Counter(dict.fromkeys(self.visits, 1))

    def closings_here(self) -> Counter[str]:
        return Counter(str(row.visit) for row in self.outbox if row.type == "visit.closed")

    def closings_there(self) -> Counter[str]:
        return Counter(str(event.visit) for event in self.events if event.type == "visit.closed")

    def charged(self, visit: str) -> Counter[str]:
        """What the ledger charged."""
        record = self.visits[visit]
        return Counter({str(line.sku): line.quantity for line in record.lines})


def read(ledger: Path, cloud: Path) -> Books:
    """The daemon must be away; the cloud need not be."""
    with Ledger(ledger, read_only=True) as here:
        visits = {str(record.visit): record for record in here.visits(ALL)}
        outbox = tuple(here.outbox(ALL))
    return Books(
        visits,
        outbox,
        tuple(events(cloud, ALL)),
        tuple(charges(cloud)),
        tuple(alarms(cloud)),
        tuple(unclosed(cloud)),
    )
