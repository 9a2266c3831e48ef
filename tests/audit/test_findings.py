"""Each kind of damage in otherwise sound books is found, and named by its visit; sound books are found sound."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cabinet.audit.rows import KINDS, Event, Fact, Kind
from cabinet.audit.told import Scope
from tests.audit.world import CAB, FILE, NOW_MS, World, altered, event

A, B, C = "01A", "01B", "01C"
Damage = Callable[[World, str], None]


def sound() -> World:
    """Two charges, of the second a part given back, a visit for nothing, and one that goes on."""
    world = World()
    world.sell(A, 500)
    world.sell(B, 300, 100)
    world.leave(C)
    world.open("01D")
    return world


def closing(visit: str) -> Callable[[Event], bool]:
    return lambda one: one.visit == visit and one.type == "visit.closed"


def kinds(world: World, scope: Scope | None = None) -> set[Kind]:
    return {one.kind for one in (world.audit() if scope is None else world.audit(scope))[0]}


def close_again(world: World, visit: str) -> None:
    world.write("visit.closed", visit, outcome="charge", total_minor=world.fact("sold", visit).amount, currency="USD")


def fork(world: World, visit: str) -> None:
    other = event(1, "", "visit.closed", visit, {"outcome": "void", "total_minor": 0})

    def both(one: Event) -> list[Event]:
        return [one, replace(other, seq=one.seq, prev=one.prev, moment=one.moment)]

    world.alter("cloud", closing(visit), both)


def forge(side: str) -> Damage:
    return lambda world, visit: world.alter(side, closing(visit), lambda one: [altered(one, x=1)])


def lose(world: World, visit: str) -> None:
    """From the middle: a cabinet's file that ends early may be an older copy, which is no fault."""
    world.sell("01ZZ")
    world.alter("edge", closing(visit), lambda _: [])


DAMAGES: list[tuple[str, Kind, Damage]] = [
    ("its charge is gone from the cloud", "lost", lambda w, v: w.drop("charge", v)),
    ("its charge stands twice", "doubled", lambda w, v: w.facts.append(w.fact("charge", v))),
    ("captured beyond the charge", "doubled", lambda w, v: paid(w, v, 2, 100)),
    ("the provider captured it twice", "doubled", lambda w, v: w.facts.append(w.fact("intent", v))),
    ("the cloud charges another amount", "changed", lambda w, v: w.change("charge", v, amount=1)),
    ("the cloud charges another currency", "changed", lambda w, v: w.change("charge", v, currency="EUR")),
    ("the cabinet's own row says another amount", "changed", lambda w, v: w.change("sold", v, amount=1)),
    ("the cabinet never sold it", "foreign", lambda w, v: w.change("sold", v, word="nothing", amount=0)),
    ("the payment is of another amount", "changed", lambda w, v: paid(w, v, 0, 1)),
    ("a confirmed event is gone from the cloud", "freed", lambda w, v: w.alter("cloud", closing(v), lambda _: [])),
    ("an event below the mark is gone", "gaps", lambda w, v: w.alter("cloud", closing(v), lambda _: [])),
    ("the cabinet lost a young event", "gaps", lose),
    ("another history at one place", "forks", fork),
    ("the cabinet's event was altered", "hashes", forge("edge")),
    ("the cloud's event was altered", "hashes", forge("cloud")),
    ("it was closed twice", "closings", close_again),
    ("the cabinet has forgotten its end", "closings", lambda w, v: w.change("sold", v, word="", amount=0)),
    ("more was given back than charged", "refunds", lambda w, v: back(w, v, "change")),
    ("more was booked than charged", "refunds", lambda w, v: back(w, v, "booked")),
    ("more returned than captured", "refunds", lambda w, v: paid(w, v, 3, 10_000)),
    ("less was captured than charged", "captured", lambda w, v: paid(w, v, 2, -50)),
    ("the provider captured less than we know", "captured", lambda w, v: w.change("intent", v, amounts=(1, 0))),
    ("a hold still stands", "holds", lambda w, v: paid(w, v, 4, 500)),
    ("a hold stands and nobody is at it", "holds", lambda w, v: stays(w, v, (500, 0, 0, 0, 500))),
    ("it was never captured and nobody is at it", "captured", lambda w, v: stays(w, v, (500, 0, 0, 0, 0))),
    ("the provider still holds", "holds", lambda w, v: w.facts.append(held(v))),
]  # fmt: skip  # a table


def paid(world: World, visit: str, n: int, more: int) -> None:
    amounts = list(world.fact("payment", visit).amounts)
    amounts[n] += more
    world.change("payment", visit, amounts=tuple(amounts))


def stays(world: World, visit: str, amounts: tuple[int, ...]) -> None:
    world.change("payment", visit, word="due", last=True, amounts=amounts)


def back(world: World, visit: str, of: Any) -> None:
    world.facts.append(Fact(visit, of, CAB if of == "booked" else FILE, 10_000, word="booked", name="R9"))


def held(visit: str) -> Fact:
    return Fact(visit, "intent", "provider", word="held", ours=False, amounts=(0, 0))


def test_sound_books_are_found_sound_and_counted() -> None:
    findings, counts = sound().audit()
    assert findings == []
    assert counts == {"edge_events": 8, "cloud_events": 8, "visits": 4, "sold": 2, "charges": 2, "open": 1}


@pytest.mark.parametrize(("name", "kind", "damage"), DAMAGES, ids=[name for name, _, _ in DAMAGES])
@pytest.mark.parametrize("visit", [A, B])
def test_damage_is_found_and_names_the_visit(name: str, kind: Kind, damage: Damage, visit: str) -> None:
    world = sound()
    damage(world, visit)
    assert [one.visit for one in world.audit()[0] if one.kind == kind][:1] == [visit], name


def test_every_kind_but_the_databases_own_is_shown_above() -> None:
    assert {kind for _, kind, _ in DAMAGES} == set(KINDS) - {"postings"}


@settings(max_examples=150, deadline=None)
@given(
    sales=st.lists(st.tuples(st.integers(1, 900), st.integers(0, 3), st.booleans()), min_size=1, max_size=7),
    damage=st.sampled_from(DAMAGES),
    which=st.integers(0, 6),
)
def test_whatever_the_books_one_damage_is_found_and_none_is_imagined(
    sales: list[tuple[int, int, bool]], damage: tuple[str, Kind, Damage], which: int
) -> None:
    world = World()
    for n, (minor, thirds, left) in enumerate(sales):
        world.sell(f"01V{n}", minor + 10, (minor + 10) * thirds // 4)
        if left:
            world.leave(f"01W{n}")
    assert world.audit()[0] == []
    visit = f"01V{which % len(sales)}"
    damage[2](world, visit)
    assert (damage[1], visit) in {(one.kind, one.visit) for one in world.audit()[0]}


@settings(max_examples=100, deadline=None)
@given(
    sales=st.lists(st.integers(1, 900), min_size=1, max_size=6),
    seq=st.integers(1, 20),
    lost=st.sets(st.integers(1, 20), max_size=4),
)
def test_what_is_on_its_way_waits_and_is_never_found_lost(sales: list[int], seq: int, lost: set[int]) -> None:
    world = World()
    for n, minor in enumerate(sales):
        world.sell(f"01V{n}", minor + 3, minor // 3)
    world.unsend(seq)
    findings, counts = world.audit()
    assert findings == []
    assert counts["sold"] == counts.get("charges", 0) + counts.get("waiting", 0)
    # Single events may arrive before those in front of them, and be confirmed one by one.
    early = [one for one in world.edge if one.seq in lost and one.seq > world.hwm and one.type == "visit.opened"]
    world.cloud += early
    world.edge = [replace(one, sure=one.sure or one in early) for one in world.edge]
    assert world.audit()[0] == []


def test_an_event_that_arrived_and_was_not_confirmed_yet_is_no_finding() -> None:
    world = sound()
    world.edge = [replace(one, sure=False) for one in world.edge]
    assert kinds(world) == set()


def test_a_charge_that_arrived_and_is_not_there_is_lost_though_nobody_confirmed_it() -> None:
    world = sound()
    world.edge = [replace(one, sure=False) for one in world.edge]
    world.drop("charge", A)
    assert kinds(world) == {"lost"}


def test_events_that_were_kept_for_90_days_may_be_gone_from_the_cabinet() -> None:
    world = sound()
    world.newest_ms = NOW_MS + 91 * 86_400_000
    world.edge = world.edge[4:]
    assert kinds(world) == set()


def test_an_event_that_nobody_has_is_a_gap() -> None:
    world = sound()
    for side in ("edge", "cloud"):
        world.alter(side, closing(A), lambda _: [])
    findings = [one for one in world.audit()[0] if one.kind == "gaps"]
    assert "event 2 is neither at the cabinet nor at the cloud" in findings[0].what


def test_a_mark_beyond_the_last_event_is_a_gap() -> None:
    world = sound()
    world.hwm = 11
    assert "events 9 to 11 are neither" in world.audit()[0][0].what


def test_what_is_newer_than_the_copy_of_the_file_is_not_foreign() -> None:
    world = sound()
    world.sell("01E")
    world.edge = world.edge[:-2]
    world.facts = [one for one in world.facts if (one.of, one.visit) != ("sold", "01E")]
    world.change("charge", "01E", above=True)
    findings, counts = world.audit()
    assert (findings, counts["newer"]) == ([], 1)


def test_a_charge_that_nobody_told_of_is_foreign_whatever_its_number() -> None:
    world = sound()
    world.facts.append(Fact("01X", "charge", CAB, 500, "USD", above=True))
    assert kinds(world) == {"foreign"}


def test_other_cabinets_charges_are_nobodys_business() -> None:
    world = sound()
    world.facts.append(Fact("01X", "charge", "c2", 500, "USD", ours=False))
    assert kinds(world) == set()


def test_money_taken_for_a_visit_that_the_ledger_does_not_know_is_foreign() -> None:
    world = sound()
    world.facts.append(Fact("01X", "intent", "provider", word="captured", ours=False, amounts=(500, 0)))
    assert kinds(world) == {"foreign"}


def test_a_visit_that_stays_open_behind_later_ones_is_found() -> None:
    world = sound()
    world.change("sold", "01D", last=False)
    assert kinds(world) == {"closings"}


def test_the_same_event_moved_to_a_new_store_is_no_second_closing() -> None:
    world = sound()
    moved = next(one for one in world.cloud if closing(A)(one))
    total = Fact(A, "cloud closed", CAB, 500, "USD", "charge", name=moved.moment)
    world.facts.append(total)
    assert kinds(world) == set()
    world.facts.append(replace(total, name="another", amount=501))
    assert {"closings", "doubled"} <= kinds(world)


def test_a_payment_under_way_is_not_held_against_the_charge() -> None:
    world = sound()
    world.change("payment", A, word="owed", amounts=(500, 0, 200, 0, 0))
    world.change("intent", A, amounts=(200, 0))
    assert kinds(world) == set()


def test_a_capture_in_two_parts_is_not_a_doubled_one() -> None:
    world = sound()
    world.change("intent", A, amounts=(300, 0))
    world.facts.append(replace(world.fact("intent", A), amounts=(200, 0)))
    assert kinds(world) == set()


def test_books_without_money_are_compared_without_it() -> None:
    world = World()
    world.sell(A, 500, 100, money=False)
    assert world.audit(Scope())[0] == []
    world.drop("charge", A)
    assert kinds(world, Scope()) == {"lost"}


def test_a_refund_that_the_cloud_was_told_of_and_did_not_book_is_found() -> None:
    world = sound()
    world.drop("booked", B)
    assert "refunds" in kinds(world)


def test_a_refund_of_another_amount_than_its_event_is_found() -> None:
    world = sound()
    world.change("change", B, amount=99)
    assert "changed" in kinds(world)


def test_a_store_that_no_given_file_knows_is_compared_with_itself() -> None:
    world = sound()
    world.edge = []
    world.facts = [one for one in world.facts if one.of != "sold"]
    findings, _ = world.audit(known=False)
    assert {one.kind for one in findings} == {"foreign", "closings"}  # sold by none of the files, and one goes on
    world.alter("cloud", closing(A), lambda _: [])
    assert "gaps" in {one.kind for one in world.audit(known=False)[0]}


def test_a_place_whose_event_the_cloud_keeps_redacted_is_not_called_altered() -> None:
    world = sound()
    world.alter("cloud", closing(A), lambda one: [replace(altered(one, why="[redacted]"), true_h="")])
    assert kinds(world) == set()
