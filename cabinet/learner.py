"""Keeps what finished visits teach, and compares shelf and ledger after a technician's visit.

It runs after the closing, in transactions of its own: a crash may lose a lesson, never a bill, and no visit teaches
twice.  A technician's counts may come while the door is open or afterwards: a zone whose grams agree sharply is done
at once, the others when somebody comes next, or after `COUNT_WITHIN_S`.  It changes neither catalogue nor planogram
nor stock; what people should know is an incident (goods are missing) or a part that says so (a catalogue far off).
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cabinet import clock
from cabinet.basket.evidence import Header, Product
from cabinet.basket.learning import Belief, LearningPolicy, Lesson, current, learn, learnt, worth_telling
from cabinet.basket.lessons import Afterthought
from cabinet.basket.restocking import Compared, Shelf, compare, settled, words
from cabinet.basket.zonechange import ZoneChange
from cabinet.daemon import Happened
from cabinet.ledger import Incident, Ledger, LedgerError, Stamp
from cabinet.ledger.beliefs import Uncounted
from cabinet.session import effects as do
from cabinet.session.states import Authenticating, State
from cabinet.units import Sku, VisitId

COUNT_WITHIN_S = 900.0  # after the closing: whoever counts has counted by then
KEPT = 8  # thoughts about visits that are not closed yet
PART = "masses"  # as doctor names it
REMEDY = "cabinet catalog masses shows them; cabinet catalog add corrects one"

log = logging.getLogger(__name__)


@dataclass
class Learner:
    ledger: Ledger
    state: Callable[[], State]
    stamp: Callable[[], Stamp]
    part: Callable[[str, str | None], None]  # Parts.report
    weigh: Callable[[VisitId], None]  # have a technician's visit weighed; answered by `weighed`
    later: Callable[[float, Callable[[], None]], object]
    written: Callable[[], None] = lambda: None  # something new is in the outbox
    shadow: Callable[[], Sequence[str]] = tuple  # names of the heuristics that judge beside the tally
    policy: LearningPolicy = field(default_factory=LearningPolicy)
    _thoughts: OrderedDict[VisitId, Afterthought] = field(default_factory=OrderedDict, init=False)
    _awake: bool = field(default=False, init=False)  # the machine has said where it is: its state may be written

    def start(self) -> None:
        """A technician's visit that a crash left unweighed or uncounted is not forgotten."""
        self.told()
        last = self.ledger.last_service()
        if last is not None:
            self.weigh(last)
        elif self.ledger.uncounted():
            self.later(COUNT_WITHIN_S, self.conclude)

    def catalog(self) -> dict[Sku, Product]:
        """As the next visit's header tells it: with the learnt masses where there are any."""
        beliefs = self.ledger.beliefs()
        return {sku: learnt(product, beliefs.get(sku), self.policy) for sku, product in self.ledger.catalog().items()}

    # What happens.

    def happened(self, step: Happened) -> None:
        self._awake = True
        for effect in step.effects:
            match effect:
                case do.OpenVisit():
                    self.conclude()
                case do.CloseVisit(visit, "serviced"):
                    self.weigh(visit)
                case do.CloseVisit(visit) if visit in self._thoughts:
                    self.taught(visit, self._thoughts.pop(visit))
        if isinstance(step.after, Authenticating):
            self.conclude()  # before the unlock: the next header has what was learnt

    def taught(self, visit: VisitId, thought: Afterthought) -> None:
        """What the tally thought of a visit; kept once it is closed, as it was closed."""
        record = self.ledger.visit(visit)
        if record is None:
            return
        if record.outcome is None:
            self._thoughts[visit] = thought
            while len(self._thoughts) > KEPT:
                self._thoughts.popitem(last=False)
            return
        billed = record.outcome in {"charge", "nothing"}
        at_ms = self.stamp().wall_ms
        lessons, strayed = (thought.lessons, thought.strayed) if billed else ((), ())
        if not (lessons or strayed or thought.opinions):
            return
        try:
            beliefs = self._after(lessons, at_ms)
            new = self.ledger.learn(visit, at_ms, beliefs, strayed, thought.opinions, certain=thought.certain)
        except Exception:
            log.exception("lesson_lost visit=%s", visit)  # and nothing else: the bill is on disk
            return
        if new:
            log.info("learnt visit=%s masses=%d strayed=%d", visit, len(beliefs), len(strayed))
            self.told()

    def weighed(self, visit: VisitId, header: Header, changes: Sequence[ZoneChange]) -> None:
        """What a technician's visit weighed; the counts may be in, or come later."""
        told = [(change, header.stock.get(change.zone, {})) for change in changes]
        try:
            new = self.ledger.await_counts(visit, header.purpose, told)
        except LedgerError as error:
            log.warning("service_not_compared visit=%s why=%s", visit, error)
            return
        if not new:
            return
        for change in changes:
            if change.trouble:
                log.warning("zone_not_compared visit=%s zone=%s why=%s", visit, change.zone, change.trouble)
        self.counted()
        self.later(COUNT_WITHIN_S, self.conclude)

    def counted(self) -> None:
        """A person has counted something: zones whose grams agree now are done, and a service has no counts."""
        self._compare(last=False)

    def conclude(self) -> None:
        """Whoever wanted to count has counted."""
        self._compare(last=True)

    # How.

    def _compare(self, *, last: bool) -> None:
        waiting = self.ledger.uncounted() if self._awake else []
        if not waiting:
            return
        stock, planogram = self.ledger.stock(), self.ledger.planogram()
        for one in waiting:
            zone = one.change.zone
            try:
                self._compare_zone(one, stock.get(zone, {}), planogram.get(zone, ()), last=last)
            except LedgerError as error:  # it waits for the next time
                log.warning("service_not_compared visit=%s zone=%s why=%s", one.visit, zone, error)
            except Exception:
                log.exception("service_not_compared visit=%s zone=%s", one.visit, zone)
                self.ledger.conclude(one, {}, touched=False)  # what cannot be compared must not wait for ever
        self.told()

    def _compare_zone(self, one: Uncounted, after: Mapping[Sku, int], planned: Sequence[Sku], *, last: bool) -> None:
        shelf = Shelf(self.ledger.catalog(), self.ledger.beliefs(), self.policy)
        compared = compare(one.change, one.before, after, shelf)
        stands = {*planned, *after, *one.before}
        if last or one.purpose == "service" or settled(compared, stands, shelf):
            why = words(compared, stands, shelf, one.purpose) if compared.lost else None
            self._done(one, compared, why)

    def _done(self, one: Uncounted, compared: Compared, why: str | None) -> None:
        lessons = compared.lessons if one.purpose == "restock" and compared.explained else ()
        touched = one.purpose == "restock" and bool(compared.counted or compared.change.steps)
        stamp = self.stamp()
        with self.ledger.together():
            new = self.ledger.conclude(one, self._after(lessons, stamp.wall_ms), touched=touched)
            if new and why is not None:
                self.ledger.commit(self.state(), (Incident(why=why, visit=one.visit),), stamp)
        if new and why is not None:
            log.warning("goods_missing visit=%s why=%s", one.visit, why)
            self.written()
        elif new and not compared.explained:
            log.info("restock_beyond_count zone=%s more_g=%.0f", compared.change.zone, compared.residual_g)

    def _after(self, lessons: Sequence[Lesson], at_ms: int) -> dict[Sku, Belief]:
        """The beliefs that these lessons change."""
        known, catalog = self.ledger.beliefs(), self.ledger.catalog()
        changed = {}
        for lesson in lessons:
            product = catalog.get(lesson.sku)
            if product is not None:
                before = current(known.get(lesson.sku), product, self.policy)
                after = learn(before, lesson, at_ms, self.policy)
                if after != before:
                    changed[lesson.sku] = after
        return changed

    def told(self) -> None:
        """Doctor names the products whose catalogue mass is far off."""
        beliefs = self.ledger.beliefs()
        off = notices(self.ledger.catalog(), beliefs, self.policy) if beliefs else {}
        self.part(PART, "; ".join(off.values()) or None)


def notices(catalog: Mapping[Sku, Product], beliefs: Mapping[Sku, Belief], policy: LearningPolicy) -> dict[Sku, str]:
    """Products whose catalogue mass is far off: both values, and since when."""
    found = {}
    for sku, product in catalog.items():
        belief = beliefs.get(sku)
        if belief is not None and worth_telling(belief, product, policy):
            since = clock.wall_text(belief.since_ms)[:10]
            found[sku] = (
                f"{sku} {product.name} weighs {belief.mean_g:.0f} g, the catalogue says {product.mass_g:.0f} g"
                f" (since {since}, {belief.units} units)"
            )
    return found
