"""Killed at any instant, side by side, with a provider that misbehaves: nothing lost, nothing doubled."""

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cabinet.cloud.books import Books, open_books
from cabinet.cloud.money.accounts import trial_balance
from cabinet.cloud.money.leases import LEASE_MS
from cabinet.cloud.money.provider import Payer, ProviderAwayError, ProviderRefusedError, provider_of
from cabinet.cloud.money.sandbox import Moods, Sandbox
from cabinet.cloud.money.values import DAY_MS, HOUR_MS
from tests.cloud.money.conftest import Shop

V = "01JVISIT00000000000000000A"


class Killed(BaseException):
    """As SIGKILL: nobody catches it, nothing runs afterwards."""


@dataclass(slots=True)
class Fuse:
    """Burns down by one at each instant at which the process could die."""

    left: int

    def burn(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed


class DyingBooks:
    def __init__(self, books: Books, fuse: Fuse) -> None:
        self._books, self._fuse = books, fuse

    @property
    def where(self) -> str:
        return self._books.where

    @contextlib.contextmanager
    def writing(self, of: str = "") -> Iterator[None]:
        self._fuse.burn()
        with self._books.writing(of):
            yield
            self._fuse.burn()  # before the commit
        self._fuse.burn()  # after it

    def batch(self) -> contextlib.AbstractContextManager[None]:
        return self._books.batch()

    def run(self, sql: str, *values: object) -> int:
        self._fuse.burn()
        return self._books.run(sql, *values)

    def row(self, sql: str, *values: object) -> dict[str, Any] | None:
        if self._fuse.left < 0:
            raise Killed
        return self._books.row(sql, *values)

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        return self._books.rows(sql, *values)

    def forget_deleted(self) -> None:
        self._books.forget_deleted()

    def close(self) -> None:
        self._books.close()


class DyingProvider:
    """Dies before it is asked, and after it has done it."""

    def __init__(self, provider: Sandbox, fuse: Fuse) -> None:
        self._provider, self._fuse = provider, fuse

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def asked(*args: Any) -> Any:
            self._fuse.burn()
            answer = getattr(self._provider, verb)(*args)
            self._fuse.burn()
            return answer

        return asked


def life(shop: Shop, fuse: Fuse) -> None:
    """Hold, visit beyond the hold, refund; the cashier dies once on the way and another goes on after its lease."""
    provider: Any = DyingProvider(shop.sandbox(), fuse)
    books = DyingBooks(shop.books, fuse)

    def work() -> None:
        try:
            cashier = shop.cashier(provider, books)
            while cashier.work():
                pass
        except Killed:
            shop.clock.ms += LEASE_MS
            shop.work()

    shop.ask(V)
    work()
    shop.open(V)
    shop.close(V, 1500, lines=[])
    work()
    shop.adjust(V, "r1", 700)
    work()


def told_once(shop: Shop, captured: int, returned: int) -> None:
    intents = list(shop.sandbox().export())
    assert max(Counter(intent.key for intent in intents).values()) == 1
    assert sum(intent.captured_minor for intent in intents) == captured == shop.row(V)["captured_minor"]
    assert sum(intent.refunded_minor for intent in intents) == returned == shop.row(V)["returned_minor"]
    assert "held" not in {intent.status for intent in intents}
    assert not sum(row["minor"] for row in trial_balance(shop.books))
    assert shop.accounts(V) == {"clearing": captured - returned, "revenue": returned - captured}


@pytest.mark.parametrize("first", range(4))
def test_a_kill_at_any_instant_neither_loses_nor_doubles(tmp_path: Path, first: int) -> None:
    instant = first
    for instant in range(first, 400, 4):
        shop = Shop(str(tmp_path / f"{instant}.db"), tmp_path / f"{instant}.provider")
        fuse = Fuse(instant)
        life(shop, fuse)
        told_once(shop, 1500, 700)
        shop.books.close()
        if fuse.left >= 0:
            break
    assert 80 < instant < 390  # it came to the end of a life, and there are that many instants in one


@pytest.mark.parametrize("instant", [3, 12, 25, 40, 61])
def test_the_same_on_both_kinds_of_books(shop: Shop, instant: int) -> None:
    life(shop, Fuse(instant))
    told_once(shop, 1500, 700)


@pytest.mark.parametrize("seed", range(12))
def test_a_provider_that_loses_answers_declines_and_hears_twice_is_collected_from_all_the_same(
    tmp_path: Path, seed: int
) -> None:
    shop = Shop(str(tmp_path / "cloud.db"), tmp_path / "provider.db")
    moods = Moods(seed=seed, decline=0.3, partial=0.2, lost_before=0.25, lost_after=0.25, twice=0.3)
    dice, visits = random.Random(seed), [f"v{n}" for n in range(5)]
    for visit in visits:
        shop.ask(visit)
    for _ in range(60):
        visit = dice.choice(visits)
        row = shop.row(visit)
        if row["charged_minor"] is None and dice.random() < 0.5:
            shop.close(visit, dice.choice([0, 400, 1700]), lines=[])
        elif row["due_minor"]:
            shop.adjust(visit, f"{visit}{shop.clock.ms}", dice.randint(1, row["due_minor"]))
        shop.work(shop.sandbox(moods))
        shop.clock.ms += dice.choice([1, 6_000, HOUR_MS, DAY_MS])
    for _ in range(40):
        for step_ms in (2 * HOUR_MS, HOUR_MS, 3 * DAY_MS):
            shop.work(shop.sandbox(moods))
            shop.clock.ms += step_ms
        for row in shop.books.rows("SELECT visit FROM payment WHERE state = 'stuck'"):
            shop.office.again(row["visit"], shop.clock.ms)  # a person has looked: not done, and too old
    intents = list(shop.sandbox().export())
    assert max(Counter(intent.key for intent in intents).values()) == 1
    for visit in visits:
        row = shop.row(visit)
        mine = [intent for intent in intents if intent.visit == visit]
        assert row["state"] in {"paid", "released", "overdue"}
        assert sum(intent.captured_minor for intent in mine) == row["captured_minor"] <= (row["charged_minor"] or 0)
        assert sum(intent.refunded_minor for intent in mine) == row["returned_minor"]
        assert "held" not in {intent.status for intent in mine}
        rest = row["due_minor"] - row["captured_minor"] + row["returned_minor"]
        assert shop.accounts(visit).get("receivable:ada", 0) == rest
        assert (rest > 0) == (row["state"] == "overdue")
    shop.books.close()


def test_cashiers_side_by_side_ask_for_each_payment_once(shop: Shop) -> None:
    visits = [f"v{n}" for n in range(24)]
    for visit in visits:
        shop.close(visit)
    trouble: list[BaseException] = []

    def serve() -> None:
        try:
            with contextlib.closing(open_books(shop.url)) as books:
                cashier = shop.cashier(books=books)
                while cashier.work():
                    pass
        except BaseException as error:  # noqa: BLE001  # a thread's failure must reach the test
            trouble.append(error)

    threads = [threading.Thread(target=serve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shop.work()
    asked = shop.books.rows("SELECT visit FROM attempt WHERE op = 'capture' AND phase = 'before'")
    assert (trouble, sorted(row["visit"] for row in asked)) == ([], sorted(visits))
    assert {shop.state(visit) for visit in visits} == {"paid"}


class Meanwhile:
    """A provider that does as it is asked, and before it answers something happens."""

    def __init__(self, provider: Sandbox, happens: Callable[[], object]) -> None:
        self._provider, self._happens = provider, happens

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def asked(*args: Any) -> Any:
            answer = getattr(self._provider, verb)(*args)
            self._happens()
            return answer

        return asked


def test_a_payment_that_somebody_works_on_is_left_alone_until_the_lease_ends(shop: Shop) -> None:
    shop.close(V)
    turns: list[bool] = []
    with contextlib.closing(open_books(shop.url)) as books:
        other = shop.cashier(books=books)
        busy: Any = Meanwhile(shop.sandbox(), lambda: turns.append(other.attend(V)))
        shop.cashier(busy).attend(V)
    assert (turns, shop.state(V)) == ([False, False], "paid")


def test_an_answer_that_comes_after_the_lease_is_left_to_whoever_looked_it_up(shop: Shop) -> None:
    shop.close(V)
    with contextlib.closing(open_books(shop.url)) as books:
        other = shop.cashier(shop.sandbox(Moods(lost_before=1.0)), books)

        def lapse() -> None:
            shop.clock.ms += LEASE_MS
            other.attend(V)  # finds the authorisation, and gets no answer to its capture

        slow: Any = Meanwhile(shop.sandbox(), lapse)
        shop.cashier(slow).attend(V)
    assert (shop.state(V), shop.row(V)["held_minor"]) == ("unknown", 700)
    shop.clock.ms += HOUR_MS
    shop.work()
    assert (shop.state(V), [intent.captured_minor for intent in shop.sandbox().export()]) == ("paid", [700])


def test_what_was_unknown_for_a_day_is_not_posted_again_when_the_provider_has_forgotten_the_key(shop: Shop) -> None:
    shop.ask(V)
    shop.open(V)
    shop.close(V)
    shop.work(shop.sandbox(Moods(lost_before=1.0)))
    assert shop.state(V) == "unknown"
    shop.clock.ms += DAY_MS
    shop.work()
    assert (shop.state(V), list(shop.sandbox().export())) == ("stuck", [])
    shop.office.again(V, shop.clock.ms)
    shop.work()
    assert (shop.state(V), len(list(shop.sandbox().export()))) == ("paid", 1)


def test_a_payment_that_trips_the_cashier_is_put_off_with_an_alarm_and_the_others_are_collected(shop: Shop) -> None:
    shop.close(V)
    shop.clock.ms += 1
    shop.close("v2")
    stop, sandbox = threading.Event(), shop.sandbox()

    class Broken:
        def __getattr__(self, verb: str) -> Callable[..., Any]:
            def asked(*args: Any) -> Any:
                if V in str(args):
                    raise ZeroDivisionError("a fault of ours")
                if verb == "capture":
                    stop.set()
                return getattr(sandbox, verb)(*args)

            return asked

    broken: Any = Broken()
    shop.cashier(broken).run(stop)
    assert (shop.state("v2"), shop.row(V)["next_ms"], shop.alarms()) == (
        "paid",
        shop.clock.ms + HOUR_MS,
        ["payment"],
    )


def test_each_call_stands_in_the_books_before_and_after_it_is_made(shop: Shop) -> None:
    shop.close(V)
    shop.work()
    rows = shop.books.rows("SELECT op, phase FROM attempt ORDER BY n")
    assert [(row["op"], row["phase"]) for row in rows] == [
        ("authorise", "before"), ("authorise", "after"), ("capture", "before"), ("capture", "after"),
    ]  # fmt: skip  # a table


PAYER = Payer("cus_ada", "pm_ada")


def test_the_sandbox_answers_the_same_key_the_same_way_and_forgets_it_after_a_day(tmp_path: Path) -> None:
    now = [1_000_000]
    sandbox = Sandbox(tmp_path / "p.db", Moods(), lambda: now[0])
    first = sandbox.authorise("k", "v", PAYER, 500, "EUR")
    assert sandbox.authorise("k", "v", PAYER, 500, "EUR") == first
    with pytest.raises(ProviderRefusedError, match="another request"):
        sandbox.authorise("k", "v", PAYER, 501, "EUR")
    now[0] += DAY_MS
    assert sandbox.authorise("k", "v", PAYER, 500, "EUR").intent != first.intent  # the danger


def test_the_sandbox_captures_refunds_and_cancels_within_what_there_is(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "p.db")
    one = sandbox.authorise("k", "v", PAYER, 500, "EUR").intent
    with pytest.raises(ProviderRefusedError):
        sandbox.capture(one, "c", 501, "EUR")
    assert sandbox.capture(one, "c2", 400, "EUR").captured_minor == 400
    with pytest.raises(ProviderRefusedError):
        sandbox.capture(one, "c3", 100, "EUR")
    with pytest.raises(ProviderRefusedError):
        sandbox.cancel(one, "x")
    assert sandbox.refund(one, "r", 300, "EUR").refunded_minor == 300
    with pytest.raises(ProviderRefusedError):
        sandbox.refund(one, "r2", 101, "EUR")


@pytest.mark.parametrize(("mood", "done"), [("lost_before=1", 0), ("lost_after=1", 1)])
def test_the_sandbox_loses_answers_before_or_after_the_work(tmp_path: Path, mood: str, done: int) -> None:
    sandbox = provider_of(f"sandbox:{tmp_path / 'p.db'}?{mood}")
    assert sandbox is not None
    with pytest.raises(ProviderAwayError):
        sandbox.authorise("k", "v", PAYER, 500, "EUR")
    assert len(list(sandbox.export())) == done


@pytest.mark.parametrize("spec", ["", "sandbox:", "paypal:x", "sandbox:f?temper=1", "stripe:/no/such/file"])
def test_what_is_no_provider_is_refused(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"provider|mood"):
        provider_of(spec)
