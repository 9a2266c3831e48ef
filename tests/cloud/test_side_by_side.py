"""Several workers on one database: nothing is stuck, nothing is said twice, nothing is asked for in vain."""

import contextlib
import threading
from collections.abc import Callable

import pytest

from cabinet import wire
from cabinet.cloud import watchdogs
from cabinet.cloud.service import CloudService
from cabinet.cloud.store import CloudStore, ForeignStoreError, Mark
from tests.cloud.counterpart import CAB, KEYS, OTHER, Counterpart, chain, opened

STORE = "5" * 32
BOUND_S = 60.0  # only a failure waits so long


def at_once(*works: Callable[[], None]) -> None:
    """Each in a thread of its own, none before all are there; tells of the first failure."""
    barrier, failures = threading.Barrier(len(works)), list[BaseException]()

    def run(work: Callable[[], None]) -> None:
        try:
            barrier.wait(BOUND_S)
            work()
        except BaseException as error:  # noqa: BLE001  # told below
            failures.append(error)

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(BOUND_S)
    assert failures == []


def worker(place: str, events: list[wire.Payload], cab: str = CAB) -> Callable[[], None]:
    def take() -> None:
        with contextlib.closing(CloudStore(place)) as store:
            for event in events:
                store.take(cab, event, 1)

    return take


@pytest.mark.parametrize("turned", [False, True])
def test_two_workers_with_neighbouring_events_never_leave_the_mark_behind(place: str, *, turned: bool) -> None:
    events = chain(60)
    store = CloudStore(place)
    halves = [events[0::2], events[1::2]]
    at_once(*(worker(place, half[::-1] if turned else half) for half in halves))
    assert store.mark(CAB, STORE) == Mark(60, events[-1]["h"])
    assert store.alarms() == []
    store.close()


@pytest.mark.parametrize("order", [(3, 4), (4, 3)])
def test_the_second_of_two_neighbours_waits_for_the_first_ones_commit(place: str, order: tuple[int, int]) -> None:
    """The first is held within its transaction until the second one has begun."""
    events = chain(5)
    first = CloudStore(place)
    for event in events[:3]:
        first.take(CAB, event, 1)
    begun = threading.Event()

    def later() -> None:
        second = CloudStore(place)
        begun.set()
        second.take(CAB, events[order[1]], 1)
        second.close()

    waiting = threading.Thread(target=later)
    with first.books.writing(CAB):
        first.take(CAB, events[order[0]], 1)
        waiting.start()
        assert begun.wait(BOUND_S)
        waiting.join(0.2)
        assert waiting.is_alive()
    waiting.join(BOUND_S)
    assert not waiting.is_alive()
    assert first.mark(CAB, STORE).hwm == 5
    first.close()


def test_the_same_event_at_two_workers_at_once_is_stored_once(place: str) -> None:
    events = chain(20)
    store = CloudStore(place)
    at_once(*(worker(place, events) for _ in range(3)))
    assert [event.seq for event in store.events()] == list(range(1, 21))
    assert (store.mark(CAB, STORE).hwm, store.alarms()) == (20, [])
    store.close()


def test_a_store_told_by_two_cabinets_at_once_belongs_to_one(place: str) -> None:
    store, refused = CloudStore(place), list[str]()

    def tell(cab: str) -> Callable[[], None]:
        def take() -> None:
            try:
                worker(place, chain(3), cab)()
            except ForeignStoreError:
                refused.append(cab)

        return take

    at_once(tell(CAB), tell(OTHER))
    assert len(refused) == 1
    assert {event.cab for event in store.events()} == {CAB, OTHER} - set(refused)
    store.close()


def test_a_gap_that_another_worker_has_closed_is_not_asked_for(desk: Counterpart) -> None:
    desk.tell(desk.events[0], mono_ms=0)
    desk.tell(desk.events[3], mono_ms=0)
    other = CloudStore(desk.place)
    for event in desk.events[1:3]:
        other.take(CAB, event, 7)
    other.close()
    assert desk.service.tick(20_000) == []
    assert desk.service._gaps == {}


def test_a_younger_gap_that_another_worker_left_gets_its_own_ten_seconds(desk: Counterpart) -> None:
    desk.tell(desk.events[0], mono_ms=0)
    desk.tell(desk.events[3], mono_ms=0)
    other = CloudStore(desk.place)
    other.take(CAB, desk.events[1], 7)
    other.close()
    assert desk.service.tick(10_000) == []
    ((_, nak),) = opened(desk.service.tick(20_000))
    assert (nak["from"], nak["to"]) == (3, 3)


def test_a_hello_is_answered_by_whichever_worker_hears_it(desk: Counterpart) -> None:
    desk.tell(desk.events[0])
    other = CloudStore(desk.place)
    desk.service = CloudService(other, KEYS)
    assert desk.hello()["hwm"] == 1
    other.close()


def test_each_of_several_workers_greets_its_own_cabinets(desk: Counterpart) -> None:
    for number, cab in enumerate((CAB, OTHER)):
        desk.store.take(cab, chain(1, store=str(number) * 32)[0], 1)
    greeted = [CloudService(desk.store, KEYS, share=(i, 3)).greetings(7) for i in range(3)]
    assert sorted(reply.topic for part in greeted for reply in part) == [
        wire.topic(CAB, "dn", "welcome"),
        wire.topic(OTHER, "dn", "welcome"),
    ]


def test_a_visit_that_stays_open_is_told_by_one_of_two_watchdogs(desk: Counterpart) -> None:
    desk.tell(desk.events[0], wall_ms=1)
    other = CloudStore(desk.place)
    told = [watchdogs.patrol(store, 1 + watchdogs.OPEN_AWAY_MS) for store in (desk.store, other)]
    other.close()
    assert [len(found) for found in told] == [1, 0]
    assert desk.alarms() == ["open"]
