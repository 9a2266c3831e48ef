"""What the shopper reads, as one line and on the page, and who watches along."""

from collections.abc import Callable

from cabinet import clock, screenline
from cabinet.basket.evidence import Header
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.verdict import Interim
from cabinet.control.watching import Watching
from cabinet.ledger import Ledger
from cabinet.scales import Scales
from cabinet.session.effects import Notice
from cabinet.session.states import State
from cabinet.shelfwatch import ShelfWatch
from cabinet.units import VisitId
from cabinet.wiring.people import People


class ShopScreen:
    """`line`: what the machine said last; `now` adds what only this moment knows."""

    def __init__(
        self,
        ledger: Ledger,
        currency: str,
        people: People,
        scales: Scales,
        header: Callable[[VisitId, str], Header],
        state: Callable[[], State],
    ) -> None:
        self._ledger, self._currency, self._people = ledger, currency, people
        self.line = screenline.LINES[Notice.OUT_OF_SERVICE]
        self.watching = Watching(state, self.now)
        self.shelfwatch = ShelfWatch(
            TallyPolicy(),
            lambda visit: header(visit, "shop"),
            lambda: scales.recent(clock.now_s()),
            self._interim,
        )
        people.shopper.line = self.now

    def show(self, notice: Notice, visit: VisitId | None) -> None:
        record = None if visit is None else self._ledger.visit(visit)
        total_minor = 0 if record is None else record.total_minor
        self.line = screenline.line(notice, total_minor, self._currency)
        if notice is Notice.REFUSED:
            self.line = screenline.refused(self._people.greeter.refusal)
        self._people.show(notice, screenline.total(notice, total_minor, self._currency))
        self.watching.tell({"type": "notice", "notice": notice.value, "screen": self.line})

    def now(self) -> str:
        """What the shopper reads now."""
        return self._people.greeter.hint or screenline.so_far(self.shelfwatch.interim, self.line)

    def _interim(self, interim: Interim | None) -> None:
        self.watching.interim(interim)
        self._people.shopper.on_change()
