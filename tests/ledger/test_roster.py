"""The fleet's members in the ledger: all of a message or nothing, sealed, forgotten on disk, and how old it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cabinet.identity.credit import Roster
from cabinet.identity.entry import entry_of, fingerprint, packed
from cabinet.identity.roster import GAP, HASH, Change, Delta, RosterError, digest
from cabinet.ledger import Consent, EntryRefusedError, Ledger, Stamp
from cabinet.ledger.aging import KEEP_EVERY_S, Kept
from cabinet.ledger.roster import ONE_BY_ONE
from cabinet.units import MemberId
from tests.ledger.examples import stamp

MACHINE = "boot-1"
MODEL = "test-model"
AGREED = {"version": "3", "language": "en", "at_ms": 5}
FACE = (0.123456, 0.654321, 0.777)
KEY = "58" + "66" * 31
A, B, C = (MemberId(f"01J{number:023d}") for number in (1, 2, 3))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "l.db") as made:
        yield made


def raw(member: MemberId, **more: Any) -> dict[str, Any]:
    return {
        "member": member, "salt": "0" * 32, "consent": AGREED, "share_face": None, "verified": False, "age": 0,
        "digits": "", "keys": [], "cards": [], "templates": [], **more,
    }  # fmt: skip  # a row


def with_face(*numbers: float) -> dict[str, Any]:
    return {"share_face": AGREED, "templates": [{"model": MODEL, "vector": packed(numbers or FACE)}]}


def whole(to: int, *entries: dict[str, Any]) -> Delta:
    changes = [Change("add", entry["member"], entry_of(entry), fingerprint(entry)) for entry in entries]
    return Delta(0, to, tuple(changes), digest({change.member: change.fingerprint for change in changes}))


def keep(ledger: Ledger, delta: Delta, now: Stamp | None = None, *, fresh: bool = True) -> None:
    ledger.keep_fleet(delta, now or stamp(), MACHINE, fresh=fresh)


def test_a_member_of_the_cloud_is_one_like_any_other(ledger: Ledger) -> None:
    entry = raw(A, verified=True, age=21, digits="4711", keys=[KEY], cards=["c" * 64], **with_face())
    keep(ledger, whole(1, entry))
    member = ledger.member(A)
    assert member is not None
    assert (member.source, member.name, member.verified, member.age) == ("cloud", "", True, 21)
    assert (member.templates, member.tokens, member.consent) == (1, 1, Consent("3", 5, "en"))
    assert ledger.digits() == {A: "4711"}
    assert [key.public.hex() for key in ledger.keys(A)] == [KEY]
    ((owner, vector),) = ledger.templates(MODEL)
    assert owner == A
    assert vector == pytest.approx(FACE)
    assert ledger.consented(A, "share-face")


def test_a_change_replaces_what_the_cloud_said_before(ledger: Ledger) -> None:
    first = raw(A, verified=True, age=21, digits="4711", keys=[KEY], cards=["c" * 64], **with_face())
    keep(ledger, whole(1, first))
    keep(ledger, whole(2, raw(A, cards=["d" * 64], consent={**AGREED, "version": "4"})))
    member = ledger.member(A)
    assert member is not None
    assert (member.verified, member.age, member.templates, member.tokens) == (False, None, 0, 1)
    assert (ledger.digits(), ledger.keys(A), ledger.templates(MODEL)) == ({}, [], [])
    told = [(one.what, one.given, one.consent.version) for one in ledger.consents(A)]
    assert told == [("enrol", True, "3"), ("share-face", True, "3"), ("enrol", True, "4"), ("share-face", False, "3")]


def test_the_same_said_again_writes_no_member_anew(ledger: Ledger) -> None:
    said = whole(1, raw(A, **with_face()), raw(B))
    keep(ledger, said)
    done = ledger.keep_fleet(Delta(0, 2, said.changes, said.digest), stamp(), MACHINE, fresh=True)
    assert (done.put, done.removed, ledger.fleet_version()) == (0, 0, 2)


def test_a_face_is_sealed_at_rest_and_nowhere_on_the_disk_after_its_removal(ledger: Ledger, tmp_path: Path) -> None:
    keep(ledger, whole(1, raw(A, cards=["c" * 64], **with_face()), raw(B)))
    sealed = ledger._at_rest(A)
    assert sealed
    files = [path for path in tmp_path.iterdir() if path.name.startswith("l.db")]
    face = packed(FACE).encode()
    assert not any(face in path.read_bytes() for path in files)
    keep(ledger, whole(2, raw(B)))
    assert ledger.member(A) is None
    assert not any(one in path.read_bytes() for path in files if path.exists() for one in (*sealed, b"c" * 64))


@pytest.mark.parametrize("many", [ONE_BY_ONE, ONE_BY_ONE + 3])
def test_so_it_is_with_many_at_once(ledger: Ledger, tmp_path: Path, many: int) -> None:
    members = [MemberId(f"01J{number:023d}") for number in range(many)]
    keep(ledger, whole(1, *(raw(member, **with_face()) for member in members)))
    sealed = [one for member in members for one in ledger._at_rest(member)]
    keep(ledger, whole(2))
    assert ledger.fleet_members() == frozenset()
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("l.db"))
    assert not any(one in left for one in sealed)


def test_a_face_that_the_cloud_takes_back_opens_no_more(ledger: Ledger) -> None:
    keep(ledger, whole(1, raw(A, digits="4711", **with_face())))
    wrapped = ledger._at_rest(A)[0]
    keep(ledger, whole(2, raw(A, digits="4711")))
    assert ledger._at_rest(A)[0] != wrapped
    assert (ledger.digits(), ledger.templates(MODEL)) == ({A: "4711"}, [])


def test_a_removal_is_no_request_and_the_cloud_is_told_nothing(ledger: Ledger) -> None:
    keep(ledger, whole(1, raw(A)))
    keep(ledger, whole(2))
    assert (ledger.backlog()[0], ledger.erasures()) == (0, [])


def test_a_removal_takes_every_row_that_names_the_member(ledger: Ledger) -> None:
    keep(ledger, whole(1, raw(A, keys=[KEY], cards=["c" * 64], **with_face())))
    keep(ledger, whole(2))
    for table in (*ledger._tables(), "roster"):
        rows = ledger._file.rows(f'SELECT count(*) AS n FROM "{table}" WHERE member = ?', A)  # noqa: S608  # its own names
        assert (table, rows[0]["n"]) == (table, 0)


def test_whom_the_cloud_blocks_stays_blocked_after_their_removal(ledger: Ledger) -> None:
    keep(ledger, whole(1, raw(A)))
    ledger.keep_roster(Roster(1, {A: "denied"}), stamp(), MACHINE)
    keep(ledger, whole(2))
    assert ledger.blocked() == {A: "denied"}


def test_what_cannot_be_kept_whole_is_not_kept_at_all(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(ledger, whole(1, raw(A, **with_face())), stamp(0))

    def fail(*_: object) -> None:
        raise RuntimeError("the power is cut")

    monkeypatch.setattr(ledger, "set_note", fail)
    with pytest.raises(RuntimeError):
        keep(ledger, whole(2, raw(B)))
    monkeypatch.undo()
    assert ledger.fleet_version() == 1
    assert ledger.fleet_members() == {A}
    assert [member for member, _ in ledger.templates(MODEL)] == [A]


def test_a_key_that_is_no_key_refuses_the_whole_message(ledger: Ledger) -> None:
    keep(ledger, whole(1, raw(A)))
    with pytest.raises(EntryRefusedError, match="key"):
        keep(ledger, whole(2, raw(B), raw(C, keys=["00" * 32])))
    assert ledger.fleet_version() == 1
    assert ledger.fleet_members() == {A}


def test_a_wrong_result_changes_nothing(ledger: Ledger) -> None:
    keep(ledger, whole(1, raw(A)))
    with pytest.raises(RosterError, match=HASH):
        keep(ledger, Delta(1, 2, (Change("remove", A),), "0" * 64))
    assert ledger.fleet_members() == {A}


def test_a_first_list_that_may_be_old_is_not_taken(ledger: Ledger) -> None:
    with pytest.raises(RosterError, match=GAP):
        keep(ledger, whole(1, raw(A)), fresh=False)


def test_a_card_or_key_of_somebody_who_enrolled_here_stays_theirs(ledger: Ledger) -> None:
    own = ledger.add_member("Ada", Consent("3", 0, "en"))
    text = ledger.add_token(own)
    (row,) = ledger._file.rows("SELECT sha256 FROM token")
    ledger.add_key(own, bytes.fromhex(KEY))
    done = ledger.keep_fleet(whole(1, raw(A, cards=[row["sha256"]], keys=[KEY])), stamp(), MACHINE, fresh=True)
    assert (done.doubled, ledger.member_of_token(text)) == (2, own)
    assert [key.member for key in ledger.keys(own)] == [own]
    keep(ledger, whole(2))
    assert ledger.member_of_token(text) == own


def test_a_face_withdrawn_here_does_not_come_back_with_the_next_list(ledger: Ledger) -> None:
    keep(ledger, whole(1, raw(A, **with_face())))
    ledger.withdraw_face(A, stamp())
    keep(ledger, whole(2, raw(A, verified=True, **with_face())))
    assert (ledger.templates(MODEL), ledger.consented(A, "share-face")) == ([], False)
    member = ledger.member(A)
    assert member is not None
    assert member.verified


def test_list_and_members_survive_a_restart(ledger: Ledger, tmp_path: Path) -> None:
    keep(ledger, whole(3, raw(A), raw(B)))
    known = ledger.fleet_known()
    ledger.close()
    with Ledger(tmp_path / "l.db") as again:
        assert again.fleet_known() == known
        assert again.fleet_members() == {A, B}


# How old it is: as of the list of blocked members, whose tests are in test_credit.py.


def test_its_age_is_counted_over_restarts_and_begins_anew_with_a_fresh_answer_alone(ledger: Ledger) -> None:
    assert ledger.fleet_age(stamp(), MACHINE) is None
    said = whole(1, raw(A))
    keep(ledger, said, stamp(0))
    assert ledger.fleet_age(stamp(9_000), MACHINE) == Kept(1, 9.0)
    keep(ledger, Delta(1, 2, (), said.digest), stamp(20_000), fresh=False)
    assert ledger.fleet_age(stamp(20_000), MACHINE) == Kept(2, 20.0)
    ledger.keep_fleet_age(stamp(50_000), MACHINE)
    assert ledger.fleet_age(stamp(0, quality="none"), "boot-2") == Kept(2, 50.0 + KEEP_EVERY_S)
    keep(ledger, Delta(2, 2, (), said.digest), stamp(60_000))
    assert ledger.fleet_age(stamp(61_000), MACHINE) == Kept(2, 1.0)


def test_the_list_of_members_and_that_of_blocked_ones_age_apart(ledger: Ledger) -> None:
    keep(ledger, whole(1), stamp(0))
    assert ledger.roster(stamp(), MACHINE) is None
