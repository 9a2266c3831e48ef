"""What a message of changes makes of a roster: the cloud's, or nothing at all."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinet.identity.entry import fingerprint
from cabinet.identity.roster import (
    CONTRADICTION,
    EMPTY,
    GAP,
    HASH,
    OLD,
    OP,
    SHAPE,
    Change,
    Delta,
    RosterError,
    applied,
    change_of,
    digest,
)
from cabinet.units import MemberId
from tests.identity.test_entry import ENTRY

A, B, C = (MemberId(name) for name in "abc")
ROWS = {A: "1", B: "2"}


def put(op: Any, member: MemberId, found: str) -> Change:
    return Change(op, member, None, found)


def delta(begin: int, to: int, *changes: Change, after: dict[MemberId, str]) -> Delta:
    return Delta(begin, to, changes, digest(after))


def test_added_changed_and_removed_members_make_the_next_roster() -> None:
    after = {B: "3", C: "4"}
    said = delta(5, 9, Change("remove", A), put("change", B, "3"), put("add", C, "4"), after=after)
    assert applied(5, ROWS, said) == after


def test_a_whole_roster_replaces_whatever_is_there() -> None:
    assert applied(5, ROWS, delta(0, 9, put("add", C, "4"), after={C: "4"})) == {C: "4"}
    assert applied(5, ROWS, delta(0, 5, put("add", C, "4"), after={C: "4"})) == {C: "4"}  # the digests had differed


def test_no_change_at_all_is_a_confirmation() -> None:
    assert applied(5, ROWS, delta(5, 5, after=ROWS)) == ROWS
    assert applied(5, ROWS, delta(5, 7, after=ROWS)) == ROWS
    assert applied(0, {}, Delta(0, 0, (), EMPTY)) == {}


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (OLD, delta(0, 4, after={})),
        (OLD, delta(3, 4, after={})),
        (OLD, delta(3, 5, after=ROWS)),
        (GAP, delta(6, 9, after=ROWS)),
        (GAP, delta(4, 9, after=ROWS)),
        (GAP, delta(5, 5, Change("remove", A), after={B: "2"})),
        (CONTRADICTION, delta(5, 9, put("add", A, "3"), after={**ROWS, A: "3"})),
        (CONTRADICTION, delta(5, 9, put("change", C, "3"), after={**ROWS, C: "3"})),
        (CONTRADICTION, delta(5, 9, Change("remove", C), after=ROWS)),
        (CONTRADICTION, delta(5, 9, Change("remove", A), put("add", A, "1"), after=ROWS)),
        (CONTRADICTION, delta(0, 9, Change("remove", A), after={})),
        (HASH, delta(5, 9, put("add", C, "3"), after=ROWS)),
        (HASH, delta(5, 9, after={})),
    ],
)  # fmt: skip  # a table
def test_what_does_not_fit_is_refused_with_the_reason(why: str, said: Delta) -> None:
    before = dict(ROWS)
    with pytest.raises(RosterError) as refusal:
        applied(5, before, said)
    assert (refusal.value.why, before) == (why, ROWS)


MEMBERS = st.sampled_from([MemberId(f"m{n}") for n in range(6)])
ROSTERS = st.dictionaries(MEMBERS, st.sampled_from("xyz"))


@given(before=ROSTERS, after=ROSTERS, mangle=st.integers(0, 5))
def test_the_difference_of_two_rosters_leads_from_one_to_the_other_and_a_part_of_it_leads_nowhere(
    before: dict[MemberId, str], after: dict[MemberId, str], mangle: int
) -> None:
    changes = [Change("remove", member) for member in before if member not in after]
    changes += [
        put("change" if member in before else "add", member, found)
        for member, found in after.items()
        if before.get(member) != found
    ]
    assert applied(1, before, Delta(1, 2, tuple(changes), digest(after))) == after
    if changes:
        changes.pop(mangle % len(changes))
        with pytest.raises(RosterError):
            applied(1, before, Delta(1, 2, tuple(changes), digest(after)))


def test_a_change_is_read_with_its_fingerprint() -> None:
    change = change_of({"op": "add", "entry": ENTRY})
    assert (change.op, change.member, change.fingerprint) == ("add", ENTRY["member"], fingerprint(ENTRY))
    assert change_of({"op": "remove", "member": ENTRY["member"]}) == Change("remove", ENTRY["member"])


@pytest.mark.parametrize(
    ("why", "raw"),
    [
        (SHAPE, None),
        (SHAPE, ["add"]),
        (OP, {}),
        (OP, {"op": "dance", "entry": ENTRY}),
        (OP, {"op": None, "entry": ENTRY}),
        (SHAPE, {"op": "add"}),
        (SHAPE, {"op": "add", "member": ENTRY["member"]}),
        (SHAPE, {"op": "remove", "entry": ENTRY}),
        (SHAPE, {"op": "remove", "member": ENTRY["member"], "entry": ENTRY}),
        (SHAPE, {"op": "remove", "member": "Anna"}),
        (SHAPE, {"op": "add", "entry": {**ENTRY, "age": "old"}}),
    ],
)
def test_a_change_that_cannot_be_read_is_refused_with_the_reason(why: str, raw: object) -> None:
    with pytest.raises(RosterError) as refusal:
        change_of(raw)
    assert refusal.value.why == why
