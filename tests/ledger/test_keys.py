"""Members' public keys, and how often a printed card let somebody in."""

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cabinet.identity.signing import SigningKey, kid_of
from cabinet.ledger import ClosedVisit, Consent, EntryRefusedError, Ledger
from cabinet.ledger.entries import OpenedVisit
from cabinet.ledger.keys import MAX_KEYS
from cabinet.session.states import Idle
from cabinet.units import MemberId
from tests.ledger.examples import SHELF, stamp, visit_id

CONSENT = Consent("2026-01", 1_795_000_000_000, "en")
NOON_MS = 1_795_000_000_000
NOBODY = MemberId("01JD0000000000000000000000")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "l.db")


@pytest.fixture
def ann(ledger: Ledger) -> MemberId:
    return ledger.add_member("Ann", CONSENT)


def public(number: int) -> bytes:
    seed = hashlib.sha256(str(number).encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def test_a_token_names_the_key_and_the_ledger_says_whose_it_is(ledger: Ledger, ann: MemberId) -> None:
    kid = ledger.add_key(ann, public(1))
    assert (kid, ledger.key(bytes.fromhex(kid))) == (kid_of(public(1)).hex(), SigningKey(public(1), ann))


def test_a_key_that_nobody_added_is_nobodys(ledger: Ledger, ann: MemberId) -> None:
    ledger.add_key(ann, public(1))
    assert (ledger.key(kid_of(public(2))), ledger.key(b"")) == (None, None)


def test_keys_are_listed_by_member(ledger: Ledger, ann: MemberId) -> None:
    ben = ledger.add_member("Ben", CONSENT)
    kids = [ledger.add_key(ann, public(1)), ledger.add_key(ben, public(2)), ledger.add_key(ann, public(3))]
    held = ledger.keys()
    assert [key.kid for key in held] == kids
    assert [(key.kid, key.member, key.public) for key in ledger.keys(ann)] == [
        (kids[0], ann, public(1)),
        (kids[2], ann, public(3)),
    ]


def test_a_removed_key_is_nobodys(ledger: Ledger, ann: MemberId) -> None:
    kid = ledger.add_key(ann, public(1))
    assert (ledger.remove_key(kid.upper()), ledger.remove_key(kid), ledger.keys()) == (True, False, [])


def test_a_key_goes_with_its_member(ledger: Ledger, ann: MemberId) -> None:
    ledger.add_key(ann, public(1))
    ledger.erase(ann, stamp())
    assert ledger.keys() == []


def test_a_key_is_one_members(ledger: Ledger, ann: MemberId) -> None:
    ledger.add_key(ann, public(1))
    ben = ledger.add_member("Ben", CONSENT)
    with pytest.raises(EntryRefusedError, match="known already"):
        ledger.add_key(ben, public(1))


@pytest.mark.parametrize("bad", [b"", bytes(31), bytes(32), (1).to_bytes(32, "little"), b"\xff" * 32], ids=bytes.hex)
def test_what_is_no_trustworthy_key_is_refused(ledger: Ledger, ann: MemberId, bad: bytes) -> None:
    with pytest.raises(EntryRefusedError, match="key"):
        ledger.add_key(ann, bad)


def test_nobody_has_no_key(ledger: Ledger) -> None:
    with pytest.raises(EntryRefusedError, match="no member"):
        ledger.add_key(NOBODY, public(1))


def test_a_member_has_so_many_keys_and_no_more(ledger: Ledger, ann: MemberId) -> None:
    for number in range(MAX_KEYS):
        ledger.add_key(ann, public(number))
    with pytest.raises(EntryRefusedError, match="remove one"):
        ledger.add_key(ann, public(99))


# --- cards ------------------------------------------------------------------------------------------------------------


def let_in(ledger: Ledger, number: int, member: MemberId, who: str, at_ms: int, outcome: str = "nothing") -> None:
    visit = visit_id(number)
    opened = OpenedVisit(visit, member, "shop", who, "", 1, {SHELF: 0.0}, f"visits/{number}")
    ledger.commit(Idle(), [opened], stamp(wall_ms=at_ms))
    if outcome:
        closed = ClosedVisit(visit, outcome)  # type: ignore[arg-type]  # one of the ledger's words
        ledger.commit(Idle(), [closed], stamp(wall_ms=at_ms))


def test_visits_by_card_are_counted_from_an_instant_on(ledger: Ledger, ann: MemberId) -> None:
    for number, hours in enumerate((0, 1, 2), 1):
        let_in(ledger, number, ann, "card", NOON_MS + hours * 3_600_000)
    assert [ledger.card_visits_since(ann, NOON_MS + hours * 3_600_000) for hours in range(4)] == [3, 2, 1, 0]


@pytest.mark.parametrize("who", ["face", "digits", "token"])
def test_other_ways_in_do_not_count_as_a_card(ledger: Ledger, ann: MemberId, who: str) -> None:
    let_in(ledger, 1, ann, who, NOON_MS)
    assert ledger.card_visits_since(ann, 0) == 0


def test_another_members_card_does_not_count(ledger: Ledger, ann: MemberId) -> None:
    let_in(ledger, 1, NOBODY, "card", NOON_MS)
    assert ledger.card_visits_since(ann, 0) == 0


def test_the_visit_under_way_counts(ledger: Ledger, ann: MemberId) -> None:
    let_in(ledger, 1, ann, "card", NOON_MS, outcome="")
    assert ledger.card_visits_since(ann, 0) == 1


def test_a_door_that_was_never_opened_does_not_count(ledger: Ledger, ann: MemberId) -> None:
    let_in(ledger, 1, ann, "card", NOON_MS, outcome="void")
    assert ledger.card_visits_since(ann, 0) == 0


def test_counting_reads_no_more_than_the_members_own_visits_by_card(ledger: Ledger) -> None:
    sql = (
        "EXPLAIN QUERY PLAN SELECT count(*) FROM visit WHERE member = ? AND who = 'card' AND opened_wall_ms >= ?"
        " AND outcome IS NOT 'void'"
    )
    assert "visit_by_card" in str(ledger._file.rows(sql, NOBODY, 0))
