"""May this member shop, and for how much?  And whom no cabinet lets in."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cabinet import wire
from cabinet.cloud.books import open_books
from cabinet.cloud.money import roster
from cabinet.cloud.money.desk import FORGET_MS, CloudDesk
from cabinet.cloud.money.gate import LOOK_MS as ROSTER_LOOK_MS
from cabinet.cloud.money.gate import Gate
from cabinet.cloud.money.house import Money
from cabinet.cloud.money.provider import Payer, ProviderAwayError
from cabinet.cloud.money.sandbox import Moods
from cabinet.cloud.money.values import OPENS_WITHIN_MS, Intent
from cabinet.cloud.service import CloudService, Reply
from cabinet.cloud.store import CloudStore
from tests.cloud.money.conftest import CAB, Shop

KEYS = {CAB: b"k" * 32, "cab-2": b"l" * 32, "cab-3": b"m" * 32, "cab-4": b"n" * 32, "cab-5": b"o" * 32}
PATIENCE_S = 60.0


class Counted:
    """A provider that counts its authorisations."""

    def __init__(self, inner: Any) -> None:
        self._inner, self.asked = inner, 0

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._inner, verb)

    def authorise(self, key: str, visit: str, payer: Payer, amount_minor: int, currency: str) -> Intent:
        self.asked += 1
        answer: Intent = self._inner.authorise(key, visit, payer, amount_minor, currency)
        return answer


@pytest.fixture
def provider(shop: Shop) -> Counted:
    return Counted(shop.sandbox())


@pytest.fixture
def desk(shop: Shop, provider: Any) -> Iterator[CloudDesk]:
    made = CloudDesk(shop.books, KEYS, provider, lambda: open_books(shop.url), shop.clock)
    yield made
    made.close()


def ask(visit: str, member: str = "ada", nonce: str = "n1", **more: Any) -> dict[str, Any]:
    return {"visit": visit, "member": member, "currency": "EUR", "hold_minor": 1000, "nonce": nonce, **more}


def said(reply: Reply) -> dict[str, Any]:
    """The payload, after its signature was checked as the cabinet checks it."""
    cab, kind = reply.topic.split("/")[2], reply.topic.rsplit("/", 1)[1]
    payload: dict[str, Any] = json.loads(reply.payload)
    assert wire.authentic(KEYS[cab], cab, kind, payload)
    return payload


def answered(desk: CloudDesk, shop: Shop, replies: list[Reply]) -> dict[str, Any]:
    """The terms, once a worker has them."""
    until_s = time.monotonic() + PATIENCE_S
    while not replies:
        assert time.monotonic() < until_s, "no answer"
        time.sleep(0.002)  # real threads: nothing else tells when they are done
        replies = [reply for reply in desk.due(shop.clock.ms) if reply.topic.endswith("/terms")]
    return said(replies[0])


def terms(desk: CloudDesk, shop: Shop, visit: str, **more: Any) -> tuple[bool, int, str]:
    got = answered(desk, shop, desk.asked(CAB, ask(visit, **more), shop.clock.ms))
    return got["granted"], got["hold_minor"], got["why"]


def test_a_member_with_a_wallet_gets_a_hold_and_the_answer_names_visit_and_nonce(desk: CloudDesk, shop: Shop) -> None:
    got = answered(desk, shop, desk.asked(CAB, ask("v1", nonce="abc"), shop.clock.ms))
    assert {key: got[key] for key in ("visit", "nonce", "granted", "hold_minor", "why")} == {
        "visit": "v1", "nonce": "abc", "granted": True, "hold_minor": 1000, "why": "",
    }  # fmt: skip  # a table
    assert shop.state("v1") == "held"


def test_the_same_visit_asked_again_gets_the_same_answer_and_no_second_hold(
    desk: CloudDesk, shop: Shop, provider: Counted
) -> None:
    first = terms(desk, shop, "v1")
    assert (terms(desk, shop, "v1", nonce="n2"), provider.asked) == (first, 1)


def test_an_ask_in_the_middle_of_the_first_one_is_answered_with_its_own_nonce(desk: CloudDesk, shop: Shop) -> None:
    desk.asked(CAB, ask("v1", nonce="n1"), shop.clock.ms)
    got = answered(desk, shop, desk.asked(CAB, ask("v1", nonce="n2"), shop.clock.ms))
    assert (got["nonce"], got["granted"]) == ("n2", True)


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda shop: shop.office.block("ada", "stole", 0), "denied"),
        (lambda shop: shop.books.run("DELETE FROM wallet"), "no wallet"),
        (lambda shop: shop.office.set_wallet("ada", "cus_ada", "declines", 0), "declined"),
    ],
)
def test_who_is_not_let_in_is_told_why(
    desk: CloudDesk, shop: Shop, prepare: Callable[[Shop], object], why: str
) -> None:
    with shop.books.writing():
        prepare(shop)
    assert terms(desk, shop, "v1") == (False, 0, why)


def test_who_owes_from_an_earlier_visit_is_not_let_in_until_it_is_paid(desk: CloudDesk, shop: Shop) -> None:
    shop.office.set_wallet("ada", "cus_ada", "declines", 0)
    shop.close("old")
    shop.work()
    shop.office.set_wallet("ada", "cus_ada", "pm_new", 0)
    assert terms(desk, shop, "v1") == (False, 0, "unpaid")
    shop.office.again("old", shop.clock.ms)
    shop.work()
    assert terms(desk, shop, "v2")[0]


def test_a_hold_granted_in_part_is_what_the_cabinet_is_told(desk: CloudDesk, shop: Shop) -> None:
    shop.office.set_wallet("ada", "cus_ada", "partial", 0)
    assert terms(desk, shop, "v1") == (True, 500, "")


def test_a_new_visit_at_the_same_cabinet_gives_the_forgotten_hold_back(desk: CloudDesk, shop: Shop) -> None:
    terms(desk, shop, "v1")
    terms(desk, shop, "v2")
    shop.work()
    assert (shop.state("v1"), shop.state("v2")) == ("released", "held")


def test_a_member_holds_at_most_three_at_other_cabinets(desk: CloudDesk, shop: Shop) -> None:
    for n, cab in enumerate(["cab-2", "cab-3", "cab-4"]):
        answered(desk, shop, desk.asked(cab, ask(f"v{n}"), shop.clock.ms))
    got = answered(desk, shop, desk.asked("cab-5", ask("v9"), shop.clock.ms))
    assert (got["granted"], got["why"]) == (False, "denied")
    shop.clock.ms += OPENS_WITHIN_MS
    shop.work()
    assert answered(desk, shop, desk.asked("cab-5", ask("v10"), shop.clock.ms))["granted"]


def test_another_cabinets_visit_is_nobody_elses(desk: CloudDesk, shop: Shop) -> None:
    terms(desk, shop, "v1")
    got = answered(desk, shop, desk.asked("cab-2", ask("v1"), shop.clock.ms))
    assert (got["granted"], got["why"]) == (False, "denied")


@pytest.mark.parametrize(
    "broken", [{"visit": 7}, {"hold_minor": "1"}, {"hold_minor": -1}, {"nonce": None}, {"currency": "EURO"}]
)
def test_what_is_no_question_is_refused(desk: CloudDesk, shop: Shop, broken: dict[str, Any]) -> None:
    with pytest.raises(wire.WireError):
        desk.asked(CAB, {**ask("v1"), **broken}, shop.clock.ms)


def test_a_provider_that_does_not_answer_leaves_the_cabinet_to_itself_and_the_hold_is_given_back(shop: Shop) -> None:
    class Away:
        def __getattr__(self, verb: str) -> Any:
            def asked(*_: Any) -> Any:
                raise ProviderAwayError(verb)

            return asked

    away: Any = Away()
    desk = CloudDesk(shop.books, KEYS, away, lambda: open_books(shop.url), shop.clock)
    assert desk.asked(CAB, ask("v1"), shop.clock.ms) == []
    desk.close()  # after its worker is done
    assert [reply for reply in desk.due(shop.clock.ms) if reply.topic.endswith("/terms")] == []
    assert shop.state("v1") == "unknown"
    desk.due(shop.clock.ms + FORGET_MS)
    assert desk._pending == {}
    shop.clock.ms += OPENS_WITHIN_MS
    shop.work()
    assert shop.state("v1") == "released"


def test_an_ask_that_a_killed_desk_left_behind_is_looked_after_by_a_cashier(shop: Shop) -> None:
    shop.ask("v1")
    shop.work(shop.sandbox(Moods(lost_after=1.0)))
    shop.clock.ms += OPENS_WITHIN_MS
    shop.work()
    assert (shop.state("v1"), [one.status for one in shop.sandbox().export()]) == ("released", ["canceled"])


def rosters(desk: CloudDesk, now_ms: int) -> list[dict[str, Any]]:
    return [said(reply) for reply in desk.due(now_ms) if reply.topic.endswith("/roster")]


def test_the_roster_is_sent_when_greeted_after_a_change_and_every_ten_minutes(desk: CloudDesk, shop: Shop) -> None:
    now_ms = shop.clock.ms
    with shop.books.writing():
        shop.books.run("INSERT INTO mark (cab, store, hwm, h) VALUES (?, 's', 0, '0')", CAB)
    (first,) = [said(reply) for reply in desk.greeted(CAB, now_ms)]
    assert (first["blocked"], first["part"], first["parts"]) == ([], 1, 1)
    assert len(rosters(desk, now_ms)) == 1  # the first round
    assert rosters(desk, now_ms + ROSTER_LOOK_MS) == []
    shop.office.block("eve", "stole", now_ms)
    (changed,) = rosters(desk, now_ms + 2 * ROSTER_LOOK_MS)
    assert (changed["version"], changed["blocked"]) == (first["version"] + 1, [{"member": "eve", "why": "denied"}])
    assert rosters(desk, now_ms + 3 * ROSTER_LOOK_MS) == []
    (again,) = rosters(desk, now_ms + 2 * ROSTER_LOOK_MS + roster.RESEND_MS)
    assert again["version"] == changed["version"]
    assert shop.office.unblock("eve")
    assert roster.current(shop.books) == (changed["version"] + 1, [])


def test_of_two_desks_one_sends_the_roster(shop: Shop) -> None:
    version, _ = roster.current(shop.books)
    with contextlib.closing(open_books(shop.url)) as other:
        turns = [roster.take_turn(shop.books, version, 5), roster.take_turn(other, version, 6)]
    assert turns == [True, False]


def test_a_long_roster_comes_in_parts_that_a_message_can_carry(desk: CloudDesk, shop: Shop) -> None:
    for n in range(250):
        shop.office.block(f"member-{n:03d}-{'x' * 20}", "stole", 0)
    replies = desk.greeted(CAB, 0)
    got = [said(reply) for reply in replies]
    assert [(one["part"], one["parts"], len(one["blocked"])) for one in got] == [(1, 3, 100), (2, 3, 100), (3, 3, 50)]
    assert max(len(reply.payload) for reply in replies) < wire.MAX_PAYLOAD_BYTES


def test_the_whole_house_collects_by_itself_and_closes(shop: Shop) -> None:
    shop.close("v1")
    shop.books.run("UPDATE payment SET next_ms = 0")
    money = Money(shop.books, KEYS, shop.sandbox(), lambda: open_books(shop.url))
    until_s = time.monotonic() + PATIENCE_S
    while shop.state("v1") != "paid":
        assert time.monotonic() < until_s, shop.row("v1")
        time.sleep(0.005)  # a real thread, likewise
    money.close()


def test_an_answer_pokes_whoever_sends_it(desk: CloudDesk, shop: Shop) -> None:
    poked = threading.Event()
    desk.call(poked.set)
    assert desk.asked(CAB, ask("v1"), shop.clock.ms) == []
    assert poked.wait(PATIENCE_S)
    assert [reply.topic for reply in desk.due(shop.clock.ms) if reply.topic.endswith("/terms")] != []


def test_an_end_does_not_wait_for_a_provider_that_takes_its_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cabinet.cloud.money.desk.END_S", 0.05)
    asked, released = threading.Event(), threading.Event()

    class Slow:
        def __getattr__(self, verb: str) -> Any:
            def wait(*_: Any) -> Any:
                asked.set()
                released.wait(PATIENCE_S)
                raise ProviderAwayError(verb)

            return wait

    slow: Any = Slow()
    desk = CloudDesk(shop.books, KEYS, slow, lambda: open_books(shop.url), shop.clock)
    desk.asked(CAB, ask("v1"), shop.clock.ms)
    assert asked.wait(PATIENCE_S)
    desk.close()  # returns although the provider has not
    assert not released.is_set()
    released.set()
    for worker in desk._workers:
        worker.join(PATIENCE_S)


def test_without_a_provider_cabinets_hear_whom_to_keep_out_and_are_not_told_to_ask(shop: Shop) -> None:
    money = Money(shop.books, KEYS, None, lambda: open_books(shop.url))
    assert isinstance(money.desk, Gate)
    assert (money.desk.answers, money.desk.asked(CAB, ask("v1"), shop.clock.ms)) == (False, [])
    shop.office.block("eve", "stole", shop.clock.ms)
    assert said(money.desk.greeted(CAB, shop.clock.ms)[0])["blocked"] == [{"member": "eve", "why": "denied"}]
    money.close()


@pytest.mark.parametrize("provided", [True, False])
def test_a_welcome_says_whether_asks_are_answered(shop: Shop, *, provided: bool) -> None:
    store = CloudStore(shop.url)
    money = Money(store.books, KEYS, shop.sandbox() if provided else None, lambda: open_books(shop.url))
    hello = {"store": "s", "boot": "b", "nonce": "n", "head": 0, "h": wire.GENESIS}
    service = CloudService(store, KEYS, desk=money.desk)
    told = service.heard(wire.topic(CAB, "up", "hello"), json.dumps(hello).encode(), mono_ms=0, wall_ms=0)
    assert [said(reply)["terms"] for reply in told if reply.topic.endswith("/welcome")] == [provided]
    money.close()
    store.close()
