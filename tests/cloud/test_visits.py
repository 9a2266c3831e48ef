"""The cloud's view of each visit, in whatever order its halves come, and the bookkeeper's calls."""

import itertools
from pathlib import Path

import pytest

from cabinet import wire
from cabinet.cloud.store import CloudStore
from tests.cloud.counterpart import CAB, Counterpart, Notebook, chain, forged
from tests.ledger.examples import stamp, visit_id

TERMS = {"by": "cloud", "hold_minor": 2_500}


def halves(*, opened_by: str | None, closed_by: str | None) -> list[wire.Payload]:
    closing: dict[str, object] = {"outcome": "charge", "total_minor": 250, "currency": "USD", "evidence_hash": "e" * 64}
    if closed_by is not None:
        closing["member"] = closed_by
    bodies = [("visit.opened", {"member": opened_by, "purpose": "shop", "terms": TERMS}), ("visit.closed", closing)]
    first, second = chain(2)
    first = forged(first, visit="01V", type=bodies[0][0], body=bodies[0][1])
    second = {**second, "prev": first["h"]}
    return [first, forged(second, visit="01V", type=bodies[1][0], body=bodies[1][1])]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    ("opened_by", "closed_by", "member"),
    [("ANNA", None, "ANNA"), ("ANNA", "BEN", "BEN"), (None, "BEN", "BEN"), (None, None, None)],
)
def test_the_view_of_a_visit_does_not_depend_on_which_half_comes_first(
    place: str, order: tuple[int, int], opened_by: str | None, closed_by: str | None, member: str | None
) -> None:
    store = CloudStore(place)
    events = halves(opened_by=opened_by, closed_by=closed_by)
    for number in order:
        store.take(CAB, events[number], 10 + number)
    (visit,) = store.books.rows("SELECT * FROM visit")
    assert visit == {
        "visit": "01V", "cab": CAB, "member": member, "purpose": "shop", "opened_ms": 10, "closed_ms": 11,
        "outcome": "charge", "terms": '{"by": "cloud", "hold_minor": 2500}', "evidence_hash": "e" * 64,
        "alarmed_ms": None,
    }  # fmt: skip  # a row
    assert [charge.member for charge in store.charges()] == [member]
    assert store.mark(CAB, "5" * 32).hwm == 2
    store.close()


def test_every_order_of_two_visits_leads_to_the_same_books(tmp_path: Path) -> None:
    desk = Counterpart(tmp_path, str(tmp_path / "first.db"))
    found = set()
    for number, order in enumerate(itertools.permutations(desk.events)):
        store = CloudStore(tmp_path / f"{number}.db")
        for event in order:
            store.take(CAB, event, 7)
        visits = store.books.rows("SELECT * FROM visit ORDER BY visit")
        marks = store.books.rows("SELECT cab, store, hwm, h, head, events, charges, gap_ms FROM mark")
        found.add(repr((visits, marks, sorted(map(repr, store.charges())), store.alarms())))
        store.close()
    desk.close()
    assert len(found) == 1


def test_a_second_closing_of_a_visit_is_told_without_a_charge(desk: Counterpart) -> None:
    for event in desk.events[:2]:
        desk.tell(event)
    desk.ledger.renew_store("restored", stamp())
    for row in desk.ledger.unacknowledged()[:2]:
        desk.tell(row.message())
    assert desk.notebook.lines == [
        ("opened", visit_id(1)), ("closed", visit_id(1), 250), ("opened", visit_id(1)), ("closed", visit_id(1), None),
    ]  # fmt: skip  # a list


def test_a_duplicate_calls_no_bookkeeper(desk: Counterpart) -> None:
    for event in (desk.events[0], desk.events[0], desk.events[1], desk.events[1]):
        desk.tell(event)
    assert desk.notebook.lines == [("opened", visit_id(1)), ("closed", visit_id(1), 250)]


def test_adjustments_reach_the_bookkeeper_also_before_their_visit(desk: Counterpart) -> None:
    kinds = ["visit.refunded", "visit.corrected", "visit.disputed"]
    for seq, kind in enumerate(kinds, start=10):
        desk.tell(forged(desk.events[0], seq=seq, type=kind, body={"id": "1", "back_minor": 5}))
    assert desk.notebook.lines == [(kind, visit_id(1)) for kind in kinds]


def test_a_charge_that_does_not_add_up_is_closed_and_then_alarmed(desk: Counterpart) -> None:
    desk.tell(desk.events[0])
    desk.tell(forged(desk.events[1], body={**desk.events[1]["body"], "total_minor": 1}))
    assert desk.notebook.lines[1:] == [("closed", visit_id(1), 1), ("alarmed", visit_id(1))]


def test_what_a_bookkeeper_raises_undoes_the_event(desk: Counterpart) -> None:
    class Broken(Notebook):
        def closed(self, cab: str, event: wire.Payload, charge: object, now_ms: int) -> None:
            raise ZeroDivisionError

    desk.tell(desk.events[0])
    desk.store.keep_books(Broken())
    with pytest.raises(ZeroDivisionError):
        desk.tell(desk.events[1])
    desk.store.keep_books(desk.notebook)
    assert (desk.store.mark(CAB, desk.ledger.store).hwm, desk.store.charges()) == (1, [])
    ((_, ack),) = desk.tell(desk.events[1])
    assert ack["upto"] == 2
