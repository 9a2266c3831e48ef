"""The people's rows in a damaged ledger: what can be read is kept, sealed as it was; what lies is not believed."""

import struct
from pathlib import Path

import pytest

from cabinet.identity.risk import Allow
from cabinet.ledger import Consent, Ledger, recovery, salvage
from cabinet.ledger.pages import PAGE
from cabinet.session.states import Idle
from cabinet.units import MemberId
from tests.ledger.examples import stamp, visit_id

CONSENT = Consent("3", 1_795_000_000_000, "de")
VECTOR = tuple(struct.unpack("<f", struct.pack("<f", n / 131))[0] for n in range(128))
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


@pytest.fixture(params=["recover", "pages"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With SQLite's command, and on a cabinet that has none."""
    if request.param == "pages":
        monkeypatch.setattr(salvage, "COMMAND", "no-such-sqlite3")
    return str(request.param)


def fill(path: Path) -> tuple[MemberId, str]:
    """One of everything that is kept of people.  The member, and the text of their code."""
    with Ledger(path) as ledger:
        ledger.commit(Idle(), [], stamp())
        anna = ledger.add_member("Anna", CONSENT)
        ledger.add_template(anna, VECTOR, "small")
        ledger.set_digits(anna, "4711")
        ledger.set_verified(anna, verified=True, by="tina", clock=stamp())
        ledger.verify_age(anna, 21, "tina", stamp())
        token = ledger.add_token(anna)
        ledger.set_consent(anna, "face", CONSENT)
        ledger.add_key(anna, PUBLIC)
        ledger.note_admission(visit_id(1), anna, "face", Allow(500, ("in good standing",)), stamp(), 7)
        ledger.add_trust_event(anna, "paid-visit", 1, stamp(), 7, visit=visit_id(1))
        ledger.note_access("tina", "visits.export", visit_id(1), "a complaint", stamp())
        tina = ledger.add_technician("Tina", stamp(), user="tina")
        ledger.add_technician_key(tina, PUBLIC, stamp())
        ledger.add_technician("Tom", stamp())
        for subject in ("one", "two"):
            ledger.note_audit("tina", "unlock", stamp(), technician=tina, subject=subject)
        ledger.erase(ledger.add_member("Bob", CONSENT), stamp())
        ledger._file.forget_deleted()
    return anna, token


def damage(path: Path) -> None:
    """The first page, and with it all that says which table is where."""
    content = bytearray(path.read_bytes())
    content[100:PAGE] = bytes(PAGE - 100)
    path.write_bytes(content)


@pytest.mark.usefixtures("way")
def test_everything_of_people_is_kept_and_still_opens(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    anna, token = fill(path)
    damage(path)
    ledger, found = recovery.opened(path, stamp(), lambda: "01J" + "Z" * 23)
    with ledger:
        assert found is not None
        (member,) = ledger.members()
        assert (member.member, member.name, member.age, member.verified) == (anna, "Anna", 21, True)
        assert ledger.templates("small") == [(anna, VECTOR)]
        assert (ledger.digits(), ledger.member_of_token(token)) == ({anna: "4711"}, anna)
        assert [one.what for one in ledger.consents(anna)] == ["enrol", "face"]
        assert [one.public for one in ledger.keys(anna)] == [PUBLIC]
        assert [one.kind for one in ledger.trust_events(anna)] == ["paid-visit"]
        assert ledger._file.rows("SELECT judgement FROM admission") == [{"judgement": "allow"}]
        assert [one.who for one in ledger.accesses()] == ["tina"]
        assert sorted(one.name for one in ledger.technicians()) == ["Tina", "Tom"]
        assert len(ledger.technician_keys()) == 1
        assert [line.subject for line in ledger.audit_lines(0, 9)] == ["one", "two"]
        assert len(ledger.erasures()) == 1
        assert ledger.sealed_trouble() is None
        assert {name: n for name, n in found.lost.items() if n} == {}


@pytest.mark.usefixtures("way")
def test_a_technicians_code_is_not_recovered_because_its_use_may_have_been_lost(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        ledger.commit(Idle(), [], stamp())
        tina = ledger.add_technician("Tina", stamp())
        ledger.add_service_code(tina, "service", 10, stamp(), "start")
        ledger._file.forget_deleted()
    damage(path)
    ledger, _ = recovery.opened(path, stamp(), lambda: "01J" + "Z" * 23)
    with ledger:
        assert ledger.live_codes(stamp(), "start") == 0


@pytest.mark.parametrize(
    ("old", "new", "table"),
    [
        (b"a complaint", b"a complainz", "access_log"),  # nothing tells: kept as it stands
        (b"unlockone", b"unlockbne", "audit_line"),  # its hash tells
        (b'"cabinet":""', b'"cabinet":"x', "erasure"),  # its signature tells
        (b'["in good standing"]', b'{"in good standing"}', "admission"),
    ],
)
def test_a_row_that_says_itself_that_it_is_wrong_is_not_taken(
    old: bytes, new: bytes, table: str, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.db"
    fill(path)
    damage(path)
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    ledger, found = recovery.opened(path, stamp(), lambda: "01J" + "Z" * 23)
    with ledger:
        assert found is not None
        assert (found.lost[table] > 0) == (table != "access_log")


@pytest.mark.usefixtures("way")
def test_a_member_of_an_earlier_program_is_recovered_in_the_open_and_sealed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    fill(path)
    with Ledger(path) as ledger:
        ledger._file.db.execute("UPDATE member SET wrapped = NULL, name = 'Annabella Unmistakable', digits = NULL")
        ledger._file.db.execute("UPDATE template SET vector = ?", [struct.pack("<128f", *VECTOR)])
        ledger._file.forget_deleted()
    damage(path)
    ledger, _ = recovery.opened(path, stamp(), lambda: "01J" + "Z" * 23)
    with ledger:
        (member,) = ledger.members()
        assert member.name == "Annabella Unmistakable"
        assert [vector for _, vector in ledger.templates("small")] == [VECTOR]
    found = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert (b"Unmistakable" in found, struct.pack("<4f", *VECTOR[3:7]) in found) == (False, False)
