"""The members whose consent a story is about: enrolled in the simulated cabinet's own ledger, and erased from it.

Everybody else in a story is a member because the story says so; these are known as long as the ledger knows them.
"""

import random
from pathlib import Path
from typing import Final

from cabinet.ledger import Consent, EntryRefusedError
from cabinet.proving import forgotten
from cabinet.proving.far_end import CAB
from cabinet.proving.front import Person
from cabinet.proving.stage import Stage
from cabinet.sim import acts as a
from cabinet.sim.story import Story
from cabinet.units import MemberId

MODEL: Final = "simulated"  # what a simulated camera makes of a face: numbers out of a hat
NUMBERS: Final = 128


class Consents:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._sought: dict[str, dict[str, bytes]] = {}  # of whom was erased: what must stand nowhere any more
        self._purses: dict[str, dict[str, bytes]] = {}  # likewise in no row of the far end's books
        self.enrolled: set[str] = set()

    def begin(self, story: Story) -> None:
        """Whoever will take it back has given it before."""
        for who in sorted({line.act.who for line in story.lines if isinstance(line.act, a.Withdraw)}):
            self._enrol(who)
        self._stage.door.knows = self.knows

    def _enrol(self, who: str) -> None:
        ledger, dice, member = self._stage.cabinet.ledger, random.Random(who), MemberId(who)
        agreed = Consent("1", self._stage.cabinet.wall.stamp().wall_ms, "en")
        ledger.add_member(_name(who), agreed, member=member)
        ledger.set_consent(member, "face", agreed)
        ledger.add_template(member, [dice.gauss(0.0, 0.1) for _ in range(NUMBERS)], MODEL)
        ledger.add_token(member)
        self.enrolled.add(who)

    def knows(self, person: Person) -> bool:
        """What the greeter's gallery and card reader go by."""
        if person.who not in self.enrolled:
            return True
        ledger, member = self._stage.cabinet.ledger, MemberId(person.who)
        if person.by == "face":
            return any(one == member for one, _ in ledger.templates(MODEL))
        known = ledger.member(member)
        return known is not None and known.tokens > 0

    def withdraw(self, who: str) -> str:
        """As `cabinet members erase`.  Why not; empty where it was done."""
        cabinet, far_end = self._stage.cabinet, self._stage.far_end
        if not cabinet.alive:
            return "the daemon is dead"
        if any(visit.member == who for visit in cabinet.ledger.open_visits()):
            return f"{who} is at the cabinet"
        sought = forgotten.pieces(cabinet.path, who)
        purse = {} if far_end is None else forgotten.purse(Path(far_end.store.books.where), who)
        try:
            receipt = cabinet.ledger.erase(MemberId(who), cabinet.wall.stamp(), cabinet=CAB)
        except EntryRefusedError as error:
            return str(error)
        if receipt is None:
            return f"there is no member {who}"
        self._sought[who], self._purses[who] = {**sought, "the name": _name(who).encode()}, purse
        return ""

    def kept(self, who: str) -> str:
        """What either end still has of them, once all was sent; empty where nothing is."""
        cabinet, far_end = self._stage.cabinet, self._stage.far_end
        sought = self._sought.get(who)
        if sought is None:
            return f"{who} has taken nothing back: this proves nothing"
        if far_end is None or not cabinet.alive:
            return "there is no far end"
        books = Path(far_end.store.books.where)
        files = [file for kept in (cabinet.path, books) for file in kept.parent.glob(f"{kept.name}*")]
        told = forgotten.rows_here(cabinet.path, [who]) + forgotten.rows_there(books, [who])
        told += [f"{about} stands in a file" for about in forgotten.found(sought, files)]
        return "; ".join(told + [f"{about} stands in a row" for about in forgotten.in_rows(self._purses[who], books)])


def _name(who: str) -> str:
    """One that stands nowhere by chance, as the bare id may."""
    return f"{who} Unmistakable-Example"
