"""The daemon is killed once in every state, the door then open or shut; the visit ends once, and nothing unlocks."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from cabinet.cli.client import Client
from cabinet.cli.demo import goods
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.shop import Member, Shop
from cabinet.cli.demo.waiting import wait_until
from cabinet.sim import pictures
from tests.chaos.visits import books
from tests.chaos.visits.gremlin import state_on_disk
from tests.chaos.visits.lookout import GRACE_S, Lookout

pytestmark = pytest.mark.campaign

COLA = "5000000000011"
ENDS_S = 60.0
SEEN_S = 60.0


@dataclass
class Stage:
    """An open shop with one member, and the moment of the power cut."""

    shop: Shop
    ann: Member
    lookout: Lookout
    cut_s: float = 0.0
    left_in: str = ""  # the state on disk
    taken: Counter[str] = field(default_factory=Counter)

    @property
    def bench(self) -> Bench:
        return self.shop.bench

    def cut(self) -> None:
        self.bench.kill("daemon")
        self.cut_s = time.monotonic()
        self.left_in = state_on_disk(self.bench)

    def cut_at(self, state: str, act: Callable[[], object]) -> None:
        """Act, and cut the power the instant the daemon says it is in that state."""
        with Client(self.bench.socket) as client:
            client.watch()
            client.happening(SEEN_S)  # it greets
            act()
            until_s = time.monotonic() + SEEN_S
            while (client.happening(0.5) or {}).get("after") != state:
                if time.monotonic() > until_s:
                    raise TimeoutError(f"never in {state}")
            self.cut()

    def bolt_out(self) -> None:
        """Until the board has let go by itself."""
        wait_until(lambda: not self.world_state()["lock_driven"], ENDS_S, "the lock is still driven")
        wait_until(lambda: bool(self.world_state()["bolt_locked"]), ENDS_S, "the bolt is not out")

    def world_state(self) -> dict[str, Any]:
        return self.bench.board.control({"do": "state"})

    def faults(self) -> set[str]:
        return {fault["part"] for fault in self.bench.status()["faults"]}

    def restart(self) -> None:
        self.shop.nobody()
        self.bench.start_daemon()

    def take(self) -> None:
        self.shop.take("s1", COLA)
        self.taken[COLA] += 1

    def ended(self, *states: str) -> "Ended":
        """When the cabinet is in one of these states, with everything stored at the cloud; then it is stopped."""
        self.bench.wait_for_state(*states, within_s=ENDS_S)
        self.bolt_out()
        pulled = self.shop.world.pull()
        wait_until(lambda: bool(self.bench.ask("outbox")["count"] == 0), ENDS_S, "the outbox does not empty")
        self.bench.end("daemon")
        looks = [look.asked_s - self.cut_s for look in self.lookout.driven if look.asked_s > self.cut_s + GRACE_S]
        return Ended(books.read(self.bench.data / "ledger.db", self.bench.cloud_db), looks, pulled, self.taken)


@dataclass(frozen=True, slots=True)
class Ended:
    books: books.Books
    driven_s: list[float]  # seconds after the cut at which the lock was seen driven, beyond the board's grace
    pulled: bool  # the door gave way once all was over
    taken: Counter[str]

    def check(self, visits: int) -> None:
        """Every visit ended once, here and there; nobody paid too much; nothing unlocked by itself."""
        read = self.books
        assert len(read.visits) == visits
        assert read.closings_here() == read.closings_there() == read.once_each()
        assert sum((read.charged(visit) for visit in read.visits), Counter()) <= self.taken
        assert read.alarms == ()
        assert self.driven_s == []
        assert not self.pulled


@pytest.fixture
def stage() -> Iterator[Stage]:
    first = {"front": pictures.jpeg(pictures.lobby()), "top": goods.drawn(goods.DRAWN_SHELVES, 1)}
    with (
        TemporaryDirectory(prefix="kill-") as folder,
        Bench(Path(folder), interior=goods.interior(), pictures=first) as bench,
    ):
        shop = Shop(bench)
        shop.stock_drawn()
        ann = shop.enrol(Person("Ann", None, None))
        bench.wait_for_state("Idle")
        with Lookout(bench.board.socket_path) as lookout:
            yield Stage(shop, ann, lookout)


def away(stage: Stage) -> None:
    """For as long as somebody needs to come and plug the cabinet in again."""
    threading.Event().wait(GRACE_S + 0.4)
    assert not stage.world_state()["lock_driven"]


def test_idle_and_shut(stage: Stage) -> None:
    stage.cut()
    assert stage.left_in == "Idle"
    away(stage)
    assert not stage.shop.world.pull()
    stage.restart()
    stage.ended("Idle").check(visits=0)


def test_idle_and_pried_open_while_it_was_dead(stage: Stage) -> None:
    stage.cut()
    stage.bench.board.control({"do": "force"})
    away(stage)
    stage.restart()
    wait_until(lambda: "lock" in stage.faults(), ENDS_S, lambda: f"nobody noticed: {stage.bench.status()}")
    stage.shop.world.shut()
    stage.ended("OutOfService").check(visits=0)


def test_authenticating(stage: Stage) -> None:
    stranger = pictures.reference(COLA)  # somebody whose face nobody has enrolled
    stage.cut_at("Authenticating", lambda: stage.shop.somebody(stranger))
    assert stage.left_in == "Authenticating"
    away(stage)
    assert not stage.shop.world.pull()
    stage.restart()
    stage.ended("Idle").check(visits=0)


def test_unlocked_and_not_opened(stage: Stage) -> None:
    stage.cut_at("Unlocked", lambda: stage.shop.somebody(stage.ann.code))
    assert stage.left_in == "Unlocked"
    stage.bolt_out()
    assert not stage.shop.world.pull()
    stage.restart()
    ended = stage.ended("Idle")
    ended.check(visits=1)
    assert sum(record.total_minor for record in ended.books.visits.values()) == 0


def test_unlocked_and_opened_just_before_the_board_let_go(stage: Stage) -> None:
    stage.cut_at("Unlocked", lambda: stage.shop.somebody(stage.ann.code))
    assert stage.shop.pull()
    away(stage)
    stage.restart()
    stage.bench.wait_for_state("Watching")
    stage.take()
    stage.shop.world.shut()
    stage.ended("Idle").check(visits=1)


def test_watching_and_still_open(stage: Stage) -> None:
    stage.shop.open_as(stage.ann.code)
    stage.take()
    stage.cut()
    assert stage.left_in == "Watching"
    away(stage)
    stage.restart()
    stage.bench.wait_for_state("Watching")
    stage.shop.world.shut()
    stage.ended("Idle").check(visits=1)


def test_watching_and_shut_while_it_was_dead(stage: Stage) -> None:
    stage.shop.open_as(stage.ann.code)
    stage.take()
    stage.cut()
    stage.shop.world.shut()
    away(stage)
    assert not stage.shop.world.pull()
    stage.restart()
    stage.ended("Idle").check(visits=1)


def test_closing_and_shut(stage: Stage) -> None:
    stage.shop.open_as(stage.ann.code)
    stage.take()
    stage.cut_at("Closing", stage.shop.world.shut)
    assert stage.left_in == "Closing"
    away(stage)
    assert not stage.shop.world.pull()
    stage.restart()
    stage.ended("Idle").check(visits=1)


def test_closing_and_pried_open_again_while_it_was_dead(stage: Stage) -> None:
    stage.shop.open_as(stage.ann.code)
    stage.take()
    stage.cut_at("Closing", stage.shop.world.shut)
    stage.bench.board.control({"do": "force"})
    away(stage)
    stage.restart()
    stage.bench.wait_for_state("Watching", "OutOfService")
    stage.shop.world.shut()
    stage.ended("Idle", "OutOfService").check(visits=1)


@pytest.mark.parametrize("attempt", range(3))  # the tally takes some 20 ms: a cut may come just after it
def test_tallying(stage: Stage, attempt: int) -> None:
    stage.shop.open_as(stage.ann.code)
    stage.take()
    stage.cut_at("Tallying", stage.shop.world.shut)
    assert stage.left_in in {"Tallying", "Idle"}
    away(stage)
    stage.restart()
    stage.ended("Idle").check(visits=1)


def test_recovering_is_killed_again(stage: Stage) -> None:
    visit = stage.shop.open_as(stage.ann.code)
    stage.take()
    stage.cut()
    stage.bench.board.control({"do": "unplug"})  # nobody says where the door is
    stage.restart()
    stage.bench.wait_for_state("Recovering")
    stage.cut()
    assert stage.left_in == "Recovering"
    stage.bench.board.control({"do": "replug"})
    stage.restart()
    assert stage.bench.wait_for_state("Watching")["visit"] == visit
    stage.shop.world.shut()
    stage.ended("Idle").check(visits=1)


def test_servicing_and_not_opened(stage: Stage) -> None:
    stage.bench.ask("unlock", purpose="service", reason="a look inside")
    stage.cut()
    assert stage.left_in == "Servicing"
    stage.bolt_out()
    assert not stage.shop.world.pull()
    stage.restart()
    stage.ended("Idle").check(visits=1)


def test_servicing_and_still_open(stage: Stage) -> None:
    stage.bench.ask("unlock", purpose="service", reason="a look inside")
    assert stage.shop.pull()
    stage.cut()
    away(stage)
    stage.restart()
    stage.bench.wait_for_state("Servicing")
    stage.shop.world.shut()
    stage.ended("Idle").check(visits=1)


def test_servicing_and_shut_while_it_was_dead(stage: Stage) -> None:
    stage.bench.ask("unlock", purpose="service", reason="a look inside")
    assert stage.shop.pull()
    stage.cut()
    stage.shop.world.shut()
    away(stage)
    stage.restart()
    stage.ended("Idle").check(visits=1)


def test_out_of_service_for_a_latched_fault(stage: Stage) -> None:
    stage.bench.board.control({"do": "force"})
    stage.bench.wait_for_state("OutOfService")
    stage.shop.world.shut()
    stage.cut()
    assert stage.left_in == "OutOfService"
    away(stage)
    stage.restart()
    stage.ended("OutOfService").check(visits=0)
