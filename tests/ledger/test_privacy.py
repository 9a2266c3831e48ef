"""What is kept of people: sealed, agreed to, handed out in full, and gone without a trace when they ask for it."""

import json
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet.ledger import Consent, EntryRefusedError, Ledger, OpenedVisit
from cabinet.ledger.privacy import hashed, receipt_is_right
from cabinet.ledger.schema import APPLICATION_ID, MIGRATIONS
from cabinet.ledger.vault import DEVICE
from cabinet.session.states import Idle
from cabinet.units import MemberId
from tests.ledger.examples import charged, stamp, visit_id

CONSENT = Consent("3", 1_795_000_000_000, "de")
VECTOR = tuple(n / 131 + 0.0137 for n in range(128))
OTHER = tuple(reversed(VECTOR))
NAME = "Annabella Unmistakable"
DIGITS = "4711"
DAY_MS = 86_400_000
PRIVACY = 7  # migrations before the one that seals


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as one:
        yield one


def anna_of(ledger: Ledger) -> MemberId:
    anna = ledger.add_member(NAME, CONSENT)
    ledger.add_template(anna, VECTOR, "small")
    ledger.add_template(anna, OTHER, "reference")
    ledger.set_digits(anna, DIGITS)
    return anna


def everything(folder: Path) -> bytes:
    return b"\0\0".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def plain_forms(vector: tuple[float, ...]) -> list[bytes]:
    """Four numbers in a row, as any program could write them down."""
    some = vector[5:9]
    return [
        struct.pack("<4f", *some), struct.pack(">4f", *some), struct.pack("<4d", *some), struct.pack(">4d", *some),
        json.dumps(some).encode(), ",".join(map(repr, some)).encode(),
        str(struct.unpack("<f", struct.pack("<f", some[0]))[0]).encode(),
    ]  # fmt: skip  # a list


def at_rest(ledger: Ledger) -> list[bytes]:
    """Every sealed cell as it stands in the file."""
    members = ledger._file.rows("SELECT wrapped, name, digits FROM member")
    cells = [value for row in members for value in (row["wrapped"], row["name"].encode(), row["digits"])]
    return [cell for cell in cells if cell] + [
        row["vector"] for row in ledger._file.rows("SELECT vector FROM template")
    ]


# Sealed.


def test_name_digits_and_template_are_in_no_file_even_before_erasure(ledger: Ledger, tmp_path: Path) -> None:
    anna_of(ledger)
    found = everything(tmp_path)
    assert not [form for form in (*plain_forms(VECTOR), *plain_forms(OTHER)) if form in found]
    assert NAME.encode() not in found
    assert not [cell for cell in at_rest(ledger) if DIGITS.encode() in cell and len(cell) < 64]


def test_what_was_sealed_comes_back_after_a_restart(ledger: Ledger, tmp_path: Path) -> None:
    anna = anna_of(ledger)
    ledger.close()
    with Ledger(tmp_path / "ledger.db") as again:
        (listed,) = again.members()
        assert (listed.name, listed.digits, listed.readable) == (NAME, True, True)
        assert again.templates("small")[0][1] == pytest.approx(VECTOR)
        assert again.digits() == {anna: DIGITS}
        assert again.sealed_trouble() is None


def test_a_template_whose_bit_flipped_is_left_out_and_told(ledger: Ledger) -> None:
    anna = anna_of(ledger)
    ledger.add_template(anna, OTHER, "small")
    (first, *_) = ledger._file.rows("SELECT n, vector FROM template ORDER BY n")
    torn = bytes([first["vector"][0] ^ 1]) + first["vector"][1:]
    ledger._file.db.execute("UPDATE template SET vector = ? WHERE n = ?", [torn, first["n"]])
    ((left, vector),) = ledger.templates("small")
    assert left == anna
    assert vector == pytest.approx(OTHER)
    assert "1 face templates cannot be opened" in str(ledger.sealed_trouble())


def test_a_template_that_was_moved_to_another_member_or_model_opens_no_more(ledger: Ledger) -> None:
    anna = anna_of(ledger)
    bob = ledger.add_member("Bob", CONSENT)
    ledger._file.db.execute("UPDATE template SET model = 'small'")
    assert len(ledger.templates("small")) == 1
    ledger._file.db.execute("UPDATE template SET member = ?", [bob])
    assert ledger.templates("small") == []
    assert ledger.member(anna) is not None


def test_under_another_device_key_members_stay_by_id_and_enrol_again(ledger: Ledger, tmp_path: Path) -> None:
    anna = anna_of(ledger)
    ledger.close()
    (tmp_path / DEVICE).write_bytes(b"\7" * 32)
    with Ledger(tmp_path / "ledger.db") as again:
        (listed,) = again.members()
        assert (listed.member, listed.name, listed.readable) == (anna, "", False)
        assert (again.templates("small"), again.digits()) == ([], {})
        told = str(again.sealed_trouble())
        assert ("1 names" in told, "1 face templates" in told, "enrol again" in told) == (True, True, True)
        with pytest.raises(EntryRefusedError, match=r"another device\.key"):
            again.add_template(anna, VECTOR, "small")
        assert again.erase(anna, stamp()) is not None
        assert again.members() == []


def test_without_members_there_is_no_trouble(ledger: Ledger) -> None:
    assert (ledger.members(), ledger.sealed_trouble()) == ([], None)


# Rows of an earlier program.


def before_sealing(path: Path) -> None:
    """A ledger as an earlier program left it, with one member in the open."""
    with sqlite3.connect(path) as old:
        for migration in MIGRATIONS[:PRIVACY]:
            old.executescript(migration)
        old.executescript(f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={PRIVACY}")
        old.execute("INSERT INTO member VALUES ('01ANNA', ?, '2', 7, 'en', 21, 'tech', 8)", [NAME])
        old.execute("INSERT INTO template (member, model, vector) VALUES ('01ANNA', 'small', ?)", [packed(VECTOR)])
        old.execute("INSERT INTO token VALUES (?, '01ANNA')", ["ab" * 32])
    old.close()


def packed(vector: tuple[float, ...]) -> bytes:
    return struct.pack(f"<{len(vector)}f", *vector)


def test_members_of_an_earlier_program_are_sealed_and_nothing_of_them_stays_in_the_open(tmp_path: Path) -> None:
    before_sealing(tmp_path / "ledger.db")
    assert NAME.encode() in everything(tmp_path)
    with Ledger(tmp_path / "ledger.db") as ledger:
        (listed,) = ledger.members()
        assert (listed.name, listed.age, listed.tokens, listed.templates) == (NAME, 21, 1, 1)
        ((left, vector),) = ledger.templates("small")
        assert left == "01ANNA"
        assert vector == pytest.approx(VECTOR)
        assert [(one.what, one.given, one.consent) for one in ledger.consents(MemberId("01ANNA"))] == [
            ("enrol", True, Consent("2", 7, "en"))
        ]
        found = everything(tmp_path)
    assert NAME.encode() not in found
    assert not [form for form in plain_forms(VECTOR) if form in found]


def test_the_damaged_file_of_an_earlier_program_keeps_no_face_and_no_name_once_they_are_sealed(tmp_path: Path) -> None:
    before_sealing(tmp_path / "ledger.db")
    aside = tmp_path / "ledger.db.damaged-01J"
    aside.write_bytes((tmp_path / "ledger.db").read_bytes())
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.members()
    found = aside.read_bytes()
    assert (NAME.encode() in found, packed(VECTOR) in found, b"01ANNA" in found) == (False, False, True)


def test_the_first_change_after_an_upgrade_may_be_within_a_transaction(tmp_path: Path) -> None:
    before_sealing(tmp_path / "ledger.db")
    with Ledger(tmp_path / "ledger.db") as ledger:
        with ledger.at_once():
            ledger.add_member("Bob", CONSENT)
        assert [one.name for one in ledger.members()] == [NAME, "Bob"]
        assert NAME.encode() not in everything(tmp_path)


# Members.


def test_a_clouds_id_comes_once(ledger: Ledger) -> None:
    assert ledger.add_member("", CONSENT, member=MemberId("M-1"), source="cloud") == "M-1"
    with pytest.raises(EntryRefusedError, match="M-1 is here already"):
        ledger.add_member("Ann", CONSENT, member=MemberId("M-1"))
    (listed,) = ledger.members()
    assert (listed.source, listed.name) == ("cloud", "")


@pytest.mark.parametrize("member", ["", "a b", "x" * 65, "a\0b", "../x"])
def test_an_id_that_is_none_is_refused(member: str, ledger: Ledger) -> None:
    with pytest.raises(EntryRefusedError, match="no id"):
        ledger.add_member("Ann", CONSENT, member=MemberId(member))


@pytest.mark.parametrize("digits", ["", "123", "12345", "12a4", "١٢٣٤", "1234\n"])
def test_digits_are_four_or_none(digits: str, ledger: Ledger) -> None:
    anna = anna_of(ledger)
    with pytest.raises(EntryRefusedError, match="last four"):
        ledger.set_digits(anna, digits)
    assert ledger.digits() == {anna: DIGITS}
    ledger.set_digits(anna, None)
    assert ledger.digits() == {}


def test_who_has_verified_a_member_is_kept_until_it_is_taken_back(ledger: Ledger) -> None:
    anna = anna_of(ledger)
    ledger.set_verified(anna, verified=True, by="tina", clock=stamp())
    assert [row["verified_by"] for row in ledger._file.rows("SELECT verified_by FROM member")] == ["tina"]
    assert [one.verified for one in ledger.members()] == [True]
    ledger.set_verified(anna, verified=False, by="tina", clock=stamp())
    assert [row["verified_by"] for row in ledger._file.rows("SELECT verified_by FROM member")] == [""]
    with pytest.raises(EntryRefusedError, match="no member"):
        ledger.set_verified(MemberId("nobody"), verified=True, by="tina", clock=stamp())


def test_the_last_visit_is_known(ledger: Ledger) -> None:
    anna = anna_of(ledger)
    assert [one.last_visit_ms for one in ledger.members()] == [None]
    visit(ledger, anna, 1, wall_ms=5_000)
    visit(ledger, anna, 2, wall_ms=9_000)
    assert [one.last_visit_ms for one in ledger.members()] == [9_000]


def visit(ledger: Ledger, member: MemberId, number: int, wall_ms: int = 1_795_000_000_000) -> None:
    opened = OpenedVisit(visit_id(number), member, "shop", "face", "", 1, {}, "")
    ledger.commit(Idle(), [opened, charged(number)], stamp(wall_ms=wall_ms))


# Consent, and taking it back.


def test_what_was_agreed_to_is_kept_in_order_and_the_last_word_counts(ledger: Ledger) -> None:
    anna = ledger.add_member(NAME, CONSENT)
    later = Consent("3", CONSENT.at_ms + 5, "en")
    ledger.set_consent(anna, "face", CONSENT)
    ledger.set_consent(anna, "face", later, given=False)
    assert [(one.what, one.given, one.consent) for one in ledger.consents(anna)] == [
        ("enrol", True, CONSENT),
        ("face", True, CONSENT),
        ("face", False, later),
    ]
    assert [ledger.consented(anna, what) for what in ("enrol", "face", "share-face")] == [True, False, False]


def test_a_consent_cannot_be_changed_afterwards(ledger: Ledger) -> None:
    ledger.add_member(NAME, CONSENT)
    with pytest.raises(sqlite3.IntegrityError, match="never changes"):
        ledger._file.connection.execute("UPDATE consent SET given = 0")


@pytest.mark.parametrize(("what", "version"), [("soul", "3"), ("face", " ")])
def test_a_consent_to_nothing_known_or_of_no_version_is_refused(what: str, version: str, ledger: Ledger) -> None:
    anna = ledger.add_member(NAME, CONSENT)
    with pytest.raises(EntryRefusedError, match="is none"):
        ledger.set_consent(anna, what, Consent(version, 0, "en"))  # type: ignore[arg-type]  # what a client may send


def test_a_face_taken_back_is_gone_and_the_code_still_opens(ledger: Ledger, tmp_path: Path) -> None:
    anna = anna_of(ledger)
    token, old = ledger.add_token(anna), at_rest(ledger)
    assert ledger.withdraw_face(anna, stamp()) == 2
    assert (ledger.templates("small"), ledger.templates("reference")) == ([], [])
    assert (ledger.member_of_token(token), ledger.digits()) == (anna, {anna: DIGITS})
    assert [one.name for one in ledger.members()] == [NAME]
    found = everything(tmp_path)
    assert not [cell for cell in old if cell in found]  # not one sealed cell of before, and not the key of it


def test_after_a_withdrawal_no_template_is_kept_until_there_is_a_new_consent(ledger: Ledger) -> None:
    anna = anna_of(ledger)
    ledger.withdraw_face(anna, stamp())
    with pytest.raises(EntryRefusedError, match="does not want their face kept"):
        ledger.add_template(anna, VECTOR, "small")
    ledger.set_consent(anna, "face", CONSENT)
    ledger.add_template(anna, VECTOR, "small")
    assert len(ledger.templates("small")) == 1


def test_a_withdrawal_ends_sharing_too(ledger: Ledger) -> None:
    anna = anna_of(ledger)
    ledger.set_consent(anna, "share-face", CONSENT)
    ledger.withdraw_face(anna, stamp())
    assert not ledger.consented(anna, "share-face")


def test_a_stranger_has_nothing_to_take_back(ledger: Ledger) -> None:
    with pytest.raises(EntryRefusedError, match="no member"):
        ledger.withdraw_face(MemberId("nobody"), stamp())


# Erasure.


def test_after_an_erasure_no_file_holds_anything_of_the_member(ledger: Ledger, tmp_path: Path) -> None:
    others = [ledger.add_member(f"Other {n}", CONSENT) for n in range(40)]
    for other in others:
        ledger.add_template(other, OTHER, "small")
    anna = anna_of(ledger)
    token = ledger.add_token(anna)
    (sha256,) = (row["sha256"] for row in ledger._file.rows("SELECT sha256 FROM token"))
    key = ledger.add_key(anna, bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    visit(ledger, anna, 1)
    old = at_rest_of(ledger, anna)
    for other in others[::2]:
        ledger.erase(other, stamp())
    assert ledger.erase(anna, stamp()) is not None
    found = everything(tmp_path)
    assert not [cell for cell in old if cell in found]
    assert not [form for form in (*plain_forms(VECTOR), *plain_forms(OTHER)) if form in found]
    for secret in (NAME, token.removeprefix("CAB1:"), sha256, key):
        assert secret.encode() not in found
    assert len(ledger.members()) == len(ledger.templates("small")) == 20


def at_rest_of(ledger: Ledger, member: MemberId) -> list[bytes]:
    return list(ledger._at_rest(member))


def test_a_copy_that_sqlite_left_between_its_pages_goes_as_well(ledger: Ledger, tmp_path: Path) -> None:
    anna = anna_of(ledger)
    old = at_rest_of(ledger, anna)
    ledger._file.connection.execute("PRAGMA secure_delete=OFF")  # deleted rows stay where they stood
    ledger.erase(anna, stamp())
    found = everything(tmp_path)
    assert not [cell for cell in old if cell in found]


def test_an_erased_members_key_is_wiped_from_damaged_files_that_were_moved_aside(
    ledger: Ledger, tmp_path: Path
) -> None:
    anna = anna_of(ledger)
    old = at_rest_of(ledger, anna)
    ledger._file.forget_deleted()
    aside = tmp_path / "ledger.db.damaged-01J"
    aside.write_bytes((tmp_path / "ledger.db").read_bytes())
    size = aside.stat().st_size
    ledger.erase(anna, stamp())
    assert not [cell for cell in old if cell in aside.read_bytes()]
    assert aside.stat().st_size == size


def test_every_table_that_names_the_member_is_emptied_but_for_the_bare_id_of_visits(ledger: Ledger) -> None:
    anna = anna_of(ledger)
    ledger.add_token(anna)
    visit(ledger, anna, 1)
    ledger.erase(anna, stamp())
    naming = [
        row["name"]
        for row in ledger._file.rows(
            "SELECT DISTINCT s.name FROM sqlite_schema s, pragma_table_info(s.name) c"
            " WHERE s.type = 'table' AND c.name = 'member'"
        )
        if ledger._file.rows(f"SELECT 1 FROM {row['name']} WHERE member = ?", anna)  # noqa: S608  # names by SQLite
    ]
    assert naming == ["visit"]


def test_the_receipt_says_what_went_by_count_and_holds_under_the_devices_signature(ledger: Ledger) -> None:
    anna = anna_of(ledger)
    ledger.add_token(anna)
    visit(ledger, anna, 1)
    receipt = ledger.erase(anna, stamp(wall_ms=77), cabinet="c1", removed={"stills": 4}, kept={"stills in doubt": 0})
    assert receipt is not None
    assert receipt["removed"] == {"consent": 1, "keys": 1, "member": 1, "stills": 4, "template": 2, "token": 1}
    assert receipt["kept"] == {"visits with the bare id": 1, "stills in doubt": 0}
    assert (receipt["cabinet"], receipt["store"], receipt["wall_ms"], receipt["clock"]) == (
        "c1", ledger.store, 77, "ntp",
    )  # fmt: skip  # a row
    assert receipt["public_key"] == ledger.vault.public_key().hex()
    assert receipt_is_right(receipt)


@pytest.mark.parametrize("change", [{"wall_ms": 78}, {"cabinet": "c2"}, {"removed": {}}, {"signature": "00" * 64}])
def test_a_receipt_that_was_changed_is_none(change: dict[str, object], ledger: Ledger) -> None:
    receipt = ledger.erase(anna_of(ledger), stamp(wall_ms=77))
    assert receipt is not None
    assert not receipt_is_right({**receipt, **change})


@pytest.mark.parametrize("receipt", [{}, {"signature": 3}, {"public_key": "xy", "signature": "zz"}])
def test_what_is_no_receipt_is_none(receipt: dict[str, object]) -> None:
    assert not receipt_is_right(receipt)


def test_the_receipt_is_kept_without_id_or_name_and_the_members_own_id_proves_whose_it_is(ledger: Ledger) -> None:
    anna = anna_of(ledger)
    receipt = ledger.erase(anna, stamp())
    assert ledger.erasures() == [receipt]
    assert anna not in json.dumps(receipt)
    assert receipt is not None
    assert receipt["member_sha256"] == hashed(anna)


def test_the_cloud_is_told_of_the_bare_id_alone_and_later(ledger: Ledger) -> None:
    anna = anna_of(ledger)
    ledger.erase(anna, stamp())
    assert [(one.type, one.body) for one in ledger.unacknowledged()] == [("member.erased", {"member": anna})]


# A copy for the member.


def test_a_copy_holds_everything_in_the_open(ledger: Ledger) -> None:
    anna = anna_of(ledger)
    ledger.add_token(anna)
    ledger.verify_age(anna, 21, "tina", stamp())
    visit(ledger, anna, 1)
    ledger.note_access("tina", "visits.export", visit_id(1), "a complaint", stamp())
    told = ledger.export_member(anna)
    assert (told["name"], told["digits"], told["codes"]) == (NAME, DIGITS, 1)
    assert [(one["model"], len(one["numbers"])) for one in told["templates"]] == [("small", 128), ("reference", 128)]
    assert told["templates"][0]["numbers"] == pytest.approx(list(VECTOR))
    assert [(one["visit"], one["total_minor"]) for one in told["visits"]] == [(visit_id(1), 250)]
    assert [(one["who"], one["why"]) for one in told["accesses"]] == [("tina", "a complaint")]
    assert told["rows"]["consent"][0]["version"] == "3"
    assert (told["rows"]["member"][0]["age"], told["rows"]["member"][0]["age_by"]) == (21, "tina")
    json.dumps(told)


def test_a_copy_has_no_key_and_no_fingerprint_of_a_code(ledger: Ledger) -> None:
    anna = anna_of(ledger)
    ledger.add_token(anna)
    told = json.dumps(ledger.export_member(anna))
    (sha256,) = (row["sha256"] for row in ledger._file.rows("SELECT sha256 FROM token"))
    assert (sha256 in told, '"wrapped"' in told) == (False, False)


def test_a_stranger_gets_no_copy(ledger: Ledger) -> None:
    assert ledger.export_member(MemberId("nobody")) == {}


# Who has looked.


def test_accesses_are_told_newest_first_and_by_visit(ledger: Ledger) -> None:
    ledger.note_access("tina", "visits.export", visit_id(1), "a complaint", stamp(wall_ms=1))
    ledger.note_access("tom", "camera.snapshot", None, "not said", stamp(wall_ms=2))
    assert [(one.who, one.at_ms) for one in ledger.accesses()] == [("tom", 2), ("tina", 1)]
    assert [one.who for one in ledger.accesses(visit_id(1))] == ["tina"]


def test_an_access_cannot_be_changed_afterwards(ledger: Ledger) -> None:
    ledger.note_access("tina", "visits.export", visit_id(1), "", stamp())
    with pytest.raises(sqlite3.IntegrityError, match="never changes"):
        ledger._file.connection.execute("UPDATE access_log SET who = 'tom'")


def test_old_accesses_are_forgotten_by_count(ledger: Ledger) -> None:
    for at_ms in (1, 2, 3):
        ledger.note_access("tina", "visits.export", None, "", stamp(wall_ms=at_ms))
    assert ledger.forget_accesses(3) == 2
    assert [one.at_ms for one in ledger.accesses()] == [3]
