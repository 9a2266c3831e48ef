"""Everything that the books say of one visit, held against each other.  Pure.

A charge that the cloud has not confirmed and does not have is waiting, not lost; what is newer than the given copy of
the cabinet's file is newer, not foreign; a payment that is still under way is not held against the charge yet.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from cabinet.audit.money import money
from cabinet.audit.rows import Fact, Tally
from cabinet.audit.told import Said, Scope, Told


def check_visits(facts: Iterable[Fact], scope: Scope) -> Iterator[Said]:
    """`facts` sorted by visit."""
    for visit, told in groupby(facts, key=attrgetter("visit")):
        yield from Visit(visit, list(told), scope).check()


class Visit(Told):
    def check(self) -> Iterator[Said]:
        if not self.ours:
            yield from self._stranger()
            return
        yield Tally("visits")
        if self.billed:
            yield Tally("sold")
        if self.charges:
            yield Tally("charges", len(self.charges))
        yield from self._charged()
        yield from self._amounts()
        yield from self._ends()
        yield from money(self)

    def _stranger(self) -> Iterator[Said]:
        """The provider took money for a visit that the ledger does not know at all."""
        for intent in self.intents:
            if self.scope.money and self.payment is None and intent.amounts[0] > 0:
                what = f"the provider captured {intent.amounts[0]} ({intent.name}), the ledger knows no such visit"
                yield self.wrong("foreign", "provider", what)

    @property
    def _newer(self) -> bool:
        """Only the cloud knows of it, and only by events newer than the copy of the cabinet's file."""
        told = [*self.all("cloud opened"), *self.all("cloud closed")]
        return not self.sold and bool(told) and all(one.above for one in told)

    @property
    def _unsent(self) -> bool:
        """The cabinet's closing was not confirmed, and is not at the cloud."""
        closings = self.all("edge closed")
        return bool(closings) and not any(one.sure for one in closings) and not self.all("cloud closed")

    def _charged(self) -> Iterator[Said]:
        for one in self.billed[:1]:
            if self.charges:
                continue
            if self._unsent:
                yield Tally("waiting")
            else:
                yield self.wrong("lost", one.where, f"{one.amount} {one.currency} sold, no charge at the cloud")
        if len(self.charges) > 1:
            amounts = " and ".join(f"{one.amount} {one.currency}" for one in self.charges)
            yield self.wrong("doubled", self.charges[0].where, f"charged {len(self.charges)} times: {amounts}")
        if self.charges and not self.billed:
            charge = self.charges[0]
            if self._newer:
                yield Tally("newer")
            elif self.sold:
                what = f"{charge.amount} {charge.currency} charged, the cabinet says: {self.sold[0].word or 'open'}"
                yield self.wrong("foreign", charge.where, what)
            else:
                what = f"{charge.amount} {charge.currency} charged, sold by no given cabinet"
                yield self.wrong("foreign", charge.where, what)

    def _amounts(self) -> Iterator[Said]:
        closings = [one for one in self.all("cloud closed") if one.word == "charge"]
        said = {(one.amount, one.currency) for one in closings}
        if len(said) > 1:
            told = " and ".join(f"{amount} {currency}" for amount, currency in sorted(said))
            yield self.wrong("doubled", closings[0].where, f"the cloud was told {told}")
        for one in [*self.billed[1:], *self.all("edge closed"), *closings, *self.charges]:
            first = next(iter([*self.billed, *closings, *self.charges]), None)
            if first is None or (one.of == "edge closed" and one.word != "charge"):
                continue
            if (one.amount, one.currency) != (first.amount, first.currency):
                what = f"{one.of} of {one.amount} {one.currency}, {first.of} of {first.amount} {first.currency}"
                yield self.wrong("changed", one.where, what)
                return
        for one in [*self.all("edge closed"), *self.all("cloud closed")]:
            if self.sold and self.sold[0].word and one.word != self.sold[0].word:
                yield self.wrong("changed", one.where, f"{one.of} as {one.word}, sold as {self.sold[0].word}")
                return

    def _ends(self) -> Iterator[Said]:
        if self._newer:
            return
        here_opened, here_closed = _distinct(self.all("edge opened")), _distinct(self.all("edge closed"))
        opened, closed = _distinct(self.all("cloud opened")), _distinct(self.all("cloud closed"))
        for side, openings, closings in (("cabinet", here_opened, here_closed), ("cloud", opened, closed)):
            if len(openings) > 1 or len(closings) > 1:
                what = f"opened {len(openings)} and closed {len(closings)} times at the {side}"
                yield self.wrong("closings", self.somewhere, what)
                return
        if not self.sold:
            if here_opened or here_closed:
                what = "the cabinet has its events and no visit"
                yield self.wrong("closings", self.somewhere, what)
            elif opened != closed and len(opened) != len(closed):
                what = f"opened {len(opened)} and closed {len(closed)} times at the cloud"
                yield self.wrong("closings", self.somewhere, what)
            return
        yield from self._ends_of(self.sold[0], len(here_closed), len(opened), len(closed))

    def _ends_of(self, sold: Fact, here_closed: int, opened: int, closed: int) -> Iterator[Said]:
        """Of a visit that the cabinet has."""
        if not sold.word:
            if sold.last and not here_closed and not closed:
                yield Tally("open")
            else:
                yield self.wrong("closings", sold.where, "opened at the cabinet and never closed")
            return
        unconfirmed = [one for one in (*self.all("edge opened"), *self.all("edge closed")) if not one.sure]
        if not here_closed and not closed:
            yield self.wrong("closings", sold.where, "closed, yet nobody has the event of its closing")
        elif (opened, closed) != (1, 1) and not unconfirmed:
            what = f"opened {opened} and closed {closed} times at the cloud"
            yield self.wrong("closings", sold.where, what)


def _distinct(events: list[Fact]) -> set[str]:
    """The same event under another store's name is the same."""
    return {one.name for one in events}
