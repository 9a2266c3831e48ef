"""People shop while processes are killed, cables pulled and the board reset; afterwards the books are compared.

CABINET_VISITS: how many visits with an opened door; CABINET_SEED: whose dice.
"""

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cabinet.cli.demo import goods
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.shop import Shop
from cabinet.cli.demo.waiting import wait_until
from cabinet.sim import pictures
from tests.chaos.visits import books
from tests.chaos.visits.books import Books
from tests.chaos.visits.customers import FULL, Customers
from tests.chaos.visits.gremlin import Gremlin
from tests.chaos.visits.lookout import Lookout

pytestmark = pytest.mark.campaign

VISITS = int(os.environ.get("CABINET_VISITS", "24"))
SEED = int(os.environ.get("CABINET_SEED", "7301"))
CALM_S = 60.0  # until the outbox is empty once nobody kills any more
# One member shops all day while the cloud is killed again and again: who is let in without it is told elsewhere.
CREDIT = {
    "offline_member_visits": 1_000, "offline_member_minor": 10_000_000,
    "offline_cabinet_visits": 1_000, "offline_cabinet_minor": 10_000_000,
}  # fmt: skip  # a table


@dataclass(frozen=True, slots=True)
class Aftermath:
    books: Books
    customers: Customers
    gremlin: Gremlin
    lookout: Lookout
    took_s: float

    def scores(self) -> Counter[str]:
        """How the bills of opened doors came out beside what left."""
        return Counter(self._score(visit, taken) for visit, taken in self.customers.taken.items())

    def _score(self, visit: str, taken: Counter[str]) -> str:
        outcome = str(self.books.visits[visit].outcome)
        if outcome not in {"charge", "nothing"}:
            return outcome
        charged = self.books.charged(visit)
        return "right" if charged == taken else "over" if charged - taken else "under"

    def told(self) -> str:
        shop, gremlin, eyes, read = self.customers, self.gremlin, self.lookout, self.books
        lines = (
            f"chaos: seed {SEED}, {len(shop.taken)} doors opened in {self.took_s:.0f} s",
            f"  turned away {shop.turned_away}, services {shop.services}",
            f"  misfortunes {dict(gremlin.done)}",
            f"  daemon killed in {dict(gremlin.killed_in)}",
            f"  bills of opened doors {dict(self.scores())}",
            f"  outcomes of all shop visits {dict(read.outcomes())}",
            f"  events here {len(read.outbox)}, at the cloud {len(read.events)}; charges {len(read.charges)}",
            f"  looks at the lock {eyes.looks}, found driven {len(eyes.driven)}",
            f"  longest gap between looks {eyes.longest_blink_s * 1000:.0f} ms",
        )
        return "\n".join(lines)


@pytest.fixture(scope="module")
def aftermath() -> Iterator[Aftermath]:
    with TemporaryDirectory(prefix="chaos-") as folder:
        yield _lived(Path(folder))


def _lived(folder: Path) -> Aftermath:
    first = {"front": pictures.jpeg(pictures.lobby()), "top": goods.drawn(FULL, SEED)}
    began_s = time.monotonic()
    with Bench(folder, interior=goods.interior(), pictures=first, settings={"credit": CREDIT}) as bench:
        shop = Shop(bench, SEED)
        shop.stock_drawn(FULL)
        member = shop.enrol(Person("Ann", None, None))
        with Lookout(bench.board.socket_path) as lookout:
            gremlin = Gremlin(bench, random.Random(SEED))
            customers = Customers(shop, member, random.Random(SEED + 1), gremlin.moment, gremlin.check)
            customers.ready()
            with gremlin:
                customers.come_and_go(VISITS)
            gremlin.check()
            customers.ready()
            wait_until(lambda: bench.ask("outbox")["count"] == 0, CALM_S, "the outbox does not empty")
        bench.end("daemon")
        read = books.read(bench.data / "ledger.db", bench.cloud_db)
    return Aftermath(read, customers, gremlin, lookout, time.monotonic() - began_s)


def test_chaos_was_had(aftermath: Aftermath, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        sys.stderr.write(f"\n{aftermath.told()}\n")
    assert aftermath.gremlin.done["daemon"] > 0


def test_every_opened_visit_ends_once_in_the_ledger(aftermath: Aftermath) -> None:
    read = aftermath.books
    assert aftermath.customers.unclosed == []
    assert [visit for visit, record in read.visits.items() if record.outcome is None] == []
    assert read.closings_here() == read.once_each()


def test_every_opened_visit_ends_once_at_the_cloud(aftermath: Aftermath) -> None:
    read = aftermath.books
    assert read.unclosed == ()
    assert read.closings_there() == read.once_each()


def test_the_cloud_has_each_charge_once_with_the_ledgers_amount(aftermath: Aftermath) -> None:
    read = aftermath.books
    here = {visit: record.total_minor for visit, record in read.visits.items() if record.outcome == "charge"}
    assert sorted((charge.visit, charge.total_minor) for charge in read.charges) == sorted(here.items())


def test_the_cloud_has_every_event_without_a_gap_and_raised_no_alarm(aftermath: Aftermath) -> None:
    read = aftermath.books
    assert sorted(event.seq for event in read.events) == list(range(1, len(read.outbox) + 1))
    assert {(event.store, event.seq, event.h) for event in read.events} == {
        (row.store, row.seq, row.h) for row in read.outbox
    }
    assert read.alarms == ()


def test_every_door_was_opened_within_a_visit_that_the_ledger_knows(aftermath: Aftermath) -> None:
    assert set(aftermath.customers.taken) <= set(aftermath.books.visits)


def test_nobody_is_charged_for_more_than_left_with_them(aftermath: Aftermath) -> None:
    read, taken = aftermath.books, aftermath.customers.taken
    over = {visit: (read.charged(visit), left) for visit, left in taken.items() if read.charged(visit) - left}
    assert over == {}


def test_nobody_is_charged_who_never_opened_the_door(aftermath: Aftermath) -> None:
    read, taken = aftermath.books, aftermath.customers.taken
    assert {visit for visit, record in read.visits.items() if record.total_minor} <= set(taken)


def test_the_lock_is_driven_only_while_a_visit_is_open(aftermath: Aftermath) -> None:
    def accounted(visit: str | None, asked_ms: float, answered_ms: float) -> bool:
        record = None if visit is None else aftermath.books.visits.get(visit)
        if record is None or record.closed is None:
            return False
        return record.opened.wall_ms <= answered_ms and asked_ms <= record.closed.wall_ms

    looks = aftermath.lookout.driven
    assert looks, "the lock was never seen driven: nothing was looked at"
    assert [look for look in looks if not accounted(look.visit, look.asked_wall_ms, look.answered_wall_ms)] == []


def test_the_lock_is_not_driven_while_the_daemon_is_dead(aftermath: Aftermath) -> None:
    assert aftermath.lookout.driven_within(aftermath.gremlin.dead) == []
