"""One store's chain of events as the cabinet has it, beside the same as the cloud has it.  Pure.

An event that was never confirmed may be missing at the cloud: it waits.  One that the cloud has may be missing at the
cabinet once its 90 days are over.  Anything else that is missing, or stands twice, or does not follow, is found.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from cabinet.audit.rows import Event, Fact, Finding, Of, Side, Tally
from cabinet.wire import GENESIS

KEPT_MS: Final = 89 * 86_400_000  # the cabinet keeps confirmed events for 90 days; a day for clocks that differ
TOLD: Final[dict[str, str]] = {
    "visit.opened": "opened",
    "visit.closed": "closed",
    "visit.refunded": "back",
    "visit.corrected": "back",
}

Said = Finding | Fact | Tally


@dataclass(slots=True)
class Chain:
    """`head`: the cabinet's newest event of this store; None where no given file knows the store."""

    store: str
    where: str
    cab: str
    head: int | None
    hwm: int = 0
    newest_ms: int = 0  # the cloud's newest arrival of all
    _last: int = field(default=0, init=False)
    _before: set[str] = field(default_factory=lambda: {GENESIS}, init=False)

    def compare(self, edge: Iterable[Event], cloud: Iterable[Event]) -> Iterator[Said]:
        """Both ascending by seq; the cloud may have several events of one seq."""
        for seq, here, there in places(edge, cloud):
            if seq > self._last + 1:
                yield from self._missing(self._last + 1, seq - 1)
            yield from self._hashes(here, there)
            yield from self._place(seq, here, there)
            yield from self._follows(seq, here, there)
            yield from self._facts(seq, here, there)
            self._last = seq
            self._before = {one.h for one in there} | ({here.h} if here is not None else set())
        if self.hwm > self._last:
            yield from self._missing(self._last + 1, self.hwm)

    def _missing(self, first: int, last: int) -> Iterator[Said]:
        which = f"event {first} is" if first == last else f"events {first} to {last} are"
        yield Finding("gaps", self.where, f"{which} neither at the cabinet nor at the cloud (store {self.store[:8]})")

    def _place(self, seq: int, here: Event | None, there: list[Event]) -> Iterator[Said]:
        if here is not None and not there:
            if here.sure:
                what = f"event {seq} ({here.type}) was confirmed, and the cloud does not have it"
                yield Finding("freed", self.where, what, here.visit)
            if seq <= self.hwm:
                what = f"the cloud's mark stands at {self.hwm}, yet it has no event {seq} ({here.type})"
                yield Finding("gaps", self.cab, what, here.visit)
        kept = here is not None or self.head is None or seq > self.head
        if not kept and there and there[0].stored_ms > self.newest_ms - KEPT_MS:
            what = f"the cabinet has lost event {seq} ({there[0].type}) before its 90 days were over"
            yield Finding("gaps", self.where, what, there[0].visit)
        known = {one.h for one in there} | ({here.h} if here is not None else set())
        if len(known) > 1:
            visit = there[0].visit if here is None else here.visit
            yield Finding("forks", self.where, f"event {seq} has {len(known)} histories", visit)

    def _hashes(self, here: Event | None, there: list[Event]) -> Iterator[Said]:
        sides: list[tuple[Side, Event]] = [("cloud", one) for one in there]
        if here is not None:
            sides.append(("edge", here))
        for side, one in sides:
            yield Tally("edge_events" if side == "edge" else "cloud_events")
            if one.true_h not in {one.h, ""}:
                place = self.where if side == "edge" else self.cab
                whose = "the cabinet's" if side == "edge" else "the cloud's"
                yield Finding("hashes", place, f"{whose} event {one.seq} ({one.type}) was altered", one.visit)

    def _follows(self, seq: int, here: Event | None, there: list[Event]) -> Iterator[Said]:
        """Where what was before is known at all."""
        if seq != self._last + 1:
            return
        for one in [*there, *([here] if here is not None else [])]:
            if one.prev not in self._before:
                what = f"event {seq} ({one.type}) does not follow event {seq - 1}"
                yield Finding("forks", self.where, what, one.visit)
                return

    def _facts(self, seq: int, here: Event | None, there: list[Event]) -> Iterator[Said]:
        if here is not None and here.type in TOLD:
            yield _fact("edge", here, self.where, stored=bool(there))
        above = self.head is not None and seq > self.head
        for one in there:
            if one.type in TOLD:
                yield _fact("cloud", one, self.cab, above=above)


def _fact(side: Side, event: Event, where: str, *, stored: bool = True, above: bool = False) -> Fact:
    body, what = event.body, TOLD[event.type]
    of: Of = f"{side} {what}"  # type: ignore[assignment]  # one of the words of `Of`
    amount = body.get("back_minor" if what == "back" else "total_minor", 0)
    return Fact(
        event.visit, of, where,
        amount=amount if isinstance(amount, int) else -1,
        currency=str(body.get("currency", "")),
        word=str(body.get("outcome", "")),
        name=str(body.get("id", "")) if what == "back" else event.moment,
        sure=event.sure or (side == "edge" and stored),
        above=above,
    )  # fmt: skip  # a table


def places(edge: Iterable[Event], cloud: Iterable[Event]) -> Iterator[tuple[int, Event | None, list[Event]]]:
    """Both chains side by side: seq, the cabinet's event, the cloud's."""
    mine, theirs = iter(edge), iter(cloud)
    here, there = next(mine, None), next(theirs, None)
    while here is not None or there is not None:
        seq = min(one.seq for one in (here, there) if one is not None)
        found: list[Event] = []
        while there is not None and there.seq == seq:
            found.append(there)
            there = next(theirs, None)
        if here is not None and here.seq == seq:
            yield seq, here, found
            here = next(mine, None)
        else:
            yield seq, None, found
