"""Technicians, their codes and keys: what opens a visit of service, how often, until when, and what never does."""

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cabinet.identity.technicians import MAX_MINUTES, Service, TechnicianId, parse_code
from cabinet.ledger import Consent, EntryRefusedError, Ledger, LedgerError
from cabinet.ledger.technicians import MAX_KEYS, MAX_LIVE, MAX_REMEMBERED
from tests.ledger.examples import stamp

START = "this start of the computer"
MINUTE_MS = 60_000
MADE = stamp(mono_ms=1_000_000)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "l.db")


@pytest.fixture
def tina(ledger: Ledger) -> TechnicianId:
    return ledger.add_technician("Tina", MADE, user="tina")


def code_of(ledger: Ledger, technician: str, minutes: int = 10) -> str:
    return ledger.add_service_code(technician, "restock", minutes, MADE, START)


def used(ledger: Ledger, code: str, after_ms: int = 0, start: str = START) -> object:
    return ledger.use_service_code(code, stamp(mono_ms=MADE.mono_ms + after_ms), start)


def test_a_code_opens_a_visit_of_its_technician_for_its_purpose(ledger: Ledger, tina: TechnicianId) -> None:
    assert used(ledger, code_of(ledger, tina)) == Service(tina, "Tina", "restock", "code")


def test_a_code_opens_once(ledger: Ledger, tina: TechnicianId) -> None:
    code = code_of(ledger, tina)
    used(ledger, code)
    assert used(ledger, code) == "used"


@pytest.mark.parametrize(("after_ms", "open"), [(10 * MINUTE_MS - 1, True), (10 * MINUTE_MS, False), (-1, False)])
def test_a_code_is_good_for_its_minutes(ledger: Ledger, tina: TechnicianId, after_ms: int, *, open: bool) -> None:  # noqa: A002  # the word for it
    assert isinstance(used(ledger, code_of(ledger, tina), after_ms), Service) is open


def test_a_restart_of_the_computer_ends_a_code(ledger: Ledger, tina: TechnicianId) -> None:
    assert used(ledger, code_of(ledger, tina), start="another start") == "of another start"


def test_a_restart_of_the_program_alone_does_not_end_a_code(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.db") as first:
        code = code_of(first, first.add_technician("Tina", MADE))
    with Ledger(tmp_path / "l.db") as second:
        assert isinstance(used(second, code), Service)


def test_where_the_computer_cannot_tell_its_starts_apart_a_code_ends_with_the_program(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.db") as first:
        tina = first.add_technician("Tina", MADE)
        code, other = (first.add_service_code(tina, "service", 10, MADE, "unknown") for _ in range(2))
        assert isinstance(first.use_service_code(code, MADE, "unknown"), Service)
    with Ledger(tmp_path / "l.db") as second:
        assert second.use_service_code(other, MADE, "unknown") == "of another start"


@pytest.mark.parametrize(
    ("made", "shown", "open"),
    [("ntp", "ntp", False), ("ntp", "cloud", False), ("ntp", "floor", True), ("none", "ntp", True)],
)
def test_a_wall_clock_ends_a_code_earlier_only_where_it_is_believed_at_both_ends(
    ledger: Ledger,
    tina: TechnicianId,
    made: str,
    shown: str,
    *,
    open: bool,  # noqa: A002  # the word for it
) -> None:
    code = ledger.add_service_code(tina, "service", 10, stamp(1_000, 1_795_000_000_000, made), START)
    found = ledger.use_service_code(code, stamp(2_000, 1_795_000_000_000 + 11 * MINUTE_MS, shown), START)
    assert isinstance(found, Service) is open


def test_a_wall_clock_that_was_set_back_keeps_no_code_alive(ledger: Ledger, tina: TechnicianId) -> None:
    code = ledger.add_service_code(tina, "service", 10, stamp(1_000, 1_795_000_000_000), START)
    assert ledger.use_service_code(code, stamp(1_000 + 10 * MINUTE_MS, 1_700_000_000_000), START) == "expired"


def test_the_codes_of_a_removed_technician_open_nothing(ledger: Ledger, tina: TechnicianId) -> None:
    code = code_of(ledger, tina)
    assert ledger.remove_technician(tina, "root", MADE)
    assert used(ledger, code) == "removed"


def test_a_code_is_in_no_file(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        code = code_of(ledger, ledger.add_technician("Tina", MADE))
        secret = parse_code(code)
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert (secret in content, code.removeprefix("CAB3:").encode() in content) == (False, False)
    assert hashlib.sha256(secret).hexdigest().encode() in content


def test_no_more_codes_are_good_at_a_time_than_the_bound(ledger: Ledger, tina: TechnicianId) -> None:
    for _ in range(MAX_LIVE):
        code_of(ledger, tina)
    with pytest.raises(EntryRefusedError, match="wait until one has ended"):
        code_of(ledger, tina)


def test_a_code_that_was_used_or_has_ended_makes_room_for_another(ledger: Ledger, tina: TechnicianId) -> None:
    codes = [code_of(ledger, tina) for _ in range(MAX_LIVE)]
    used(ledger, codes[0])
    code_of(ledger, tina)
    later = stamp(mono_ms=MADE.mono_ms + 10 * MINUTE_MS)
    assert (ledger.live_codes(MADE, START), ledger.live_codes(later, START)) == (MAX_LIVE, 0)


def test_old_codes_are_forgotten_in_the_end(ledger: Ledger, tina: TechnicianId) -> None:
    for _ in range(MAX_REMEMBERED + 5):
        used(ledger, code_of(ledger, tina))
    row = ledger._file.row("SELECT count(*) AS n FROM technician_code")
    assert row == {"n": MAX_REMEMBERED}


@pytest.mark.parametrize("minutes", [0, -1, MAX_MINUTES + 1, True])
def test_a_code_for_no_time_or_too_long_is_refused(ledger: Ledger, tina: TechnicianId, minutes: int) -> None:
    with pytest.raises(EntryRefusedError, match=f"1 to {MAX_MINUTES} minutes"):
        code_of(ledger, tina, minutes)


@pytest.mark.parametrize("text", ["", "CAB3:", "CAB3:" + "A" * 26, "CAB3:" + "Ä" * 26, "CAB3:" + "A" * 4000, "x"])
def test_garbage_opens_nothing(ledger: Ledger, tina: TechnicianId, text: str) -> None:
    assert used(ledger, text) == "unknown"


def test_a_technicians_code_is_nobodys_card(ledger: Ledger, tina: TechnicianId) -> None:
    code = code_of(ledger, tina)
    assert ledger.member_of_token(code) is None
    assert ledger.member_of_token(code.replace("CAB3:", "CAB1:")) is None


def test_a_members_card_opens_no_visit_of_service(ledger: Ledger) -> None:
    card = ledger.add_token(ledger.add_member("Anna", Consent("1", 1, "en")))
    assert [used(ledger, card), used(ledger, card.replace("CAB1:", "CAB3:"))] == ["unknown", "unknown"]


def test_a_code_whose_use_cannot_be_written_down_is_not_used(
    ledger: Ledger, tina: TechnicianId, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise LedgerError("no room on the disk")

    code = code_of(ledger, tina)
    with monkeypatch.context() as broken:
        broken.setattr(ledger, "note_audit", full)
        with pytest.raises(LedgerError, match="no room"):
            used(ledger, code)
    assert isinstance(used(ledger, code), Service)


def test_a_used_code_leaves_a_line_with_its_technician(ledger: Ledger, tina: TechnicianId) -> None:
    used(ledger, code_of(ledger, tina))
    (line,) = ledger.audited(10)
    assert (line.who, line.name, line.op, line.subject, line.result) == (
        "camera", "Tina", "code.use", "purpose=restock", "ok",
    )  # fmt: skip  # a row


def test_a_used_code_cannot_be_made_good_again(ledger: Ledger, tina: TechnicianId) -> None:
    used(ledger, code_of(ledger, tina))
    with pytest.raises(EntryRefusedError, match="used once"), ledger._file.writing() as db:
        db.execute("UPDATE technician_code SET used = 0")


# Who they are.


def test_a_technician_is_found_by_the_user_they_are_bound_to(ledger: Ledger, tina: TechnicianId) -> None:
    assert (ledger.technician_of_user("tina"), ledger.technician_of_user("tim")) == (tina, None)


@pytest.mark.parametrize(
    ("name", "user", "said"),
    [
        ("", None, "1 to 120"),
        ("x" * 121, None, "1 to 120"),
        ("a\x1b[2J", None, "1 to 120"),
        ("Tina", None, "of that name"),
        ("Tim", "tina", "another technician's"),
        ("Tim", "no user", "no name of a user"),
    ],
)
def test_a_technician_who_cannot_be_told_from_others_is_refused(
    ledger: Ledger, tina: TechnicianId, name: str, user: str | None, said: str
) -> None:
    with pytest.raises(EntryRefusedError, match=said):
        ledger.add_technician(name, MADE, user=user)


def test_a_removed_technician_keeps_nothing_but_the_name(ledger: Ledger, tina: TechnicianId) -> None:
    ledger.add_technician_key(tina, public(), MADE)
    ledger.remove_technician(tina, "root", MADE)
    (listed,) = ledger.technicians()
    assert (listed.name, listed.removed_ms, listed.keys) == ("Tina", MADE.wall_ms, 0)
    assert (ledger.technician(tina), ledger.technician_of_user("tina"), ledger.technician_keys()) == (None, None, {})


def test_a_name_and_a_user_are_free_again_after_a_removal(ledger: Ledger, tina: TechnicianId) -> None:
    ledger.remove_technician(tina, "root", MADE)
    again = ledger.add_technician("Tina", MADE, user="tina")
    assert ledger.technician_of_user("tina") == again != tina


def test_nobody_is_removed_twice(ledger: Ledger, tina: TechnicianId) -> None:
    assert [ledger.remove_technician(tina, "root", MADE) for _ in range(2)] == [True, False]


# Keys of phones.


def public() -> bytes:
    return Ed25519PrivateKey.generate().public_key().public_bytes_raw()


def test_a_key_is_its_technicians(ledger: Ledger, tina: TechnicianId) -> None:
    raw = public()
    kid = ledger.add_technician_key(tina, raw, MADE)
    (key,) = ledger.technician_keys().values()
    assert (key.public, str(key.owner), key.kid.hex()) == (raw, tina, kid)


def test_a_lost_phones_key_is_forgotten(ledger: Ledger, tina: TechnicianId) -> None:
    kid = ledger.add_technician_key(tina, public(), MADE)
    assert [ledger.remove_technician_key(kid) for _ in range(2)] == [True, False]
    assert ledger.technician_keys() == {}


@pytest.mark.parametrize("raw", [b"", bytes(32), b"\x01" + bytes(31), b"x" * 33])
def test_what_is_no_key_is_refused(ledger: Ledger, tina: TechnicianId, raw: bytes) -> None:
    with pytest.raises(EntryRefusedError):
        ledger.add_technician_key(tina, raw, MADE)


def test_a_key_is_added_once(ledger: Ledger, tina: TechnicianId) -> None:
    raw = public()
    ledger.add_technician_key(tina, raw, MADE)
    with pytest.raises(EntryRefusedError, match="known already"):
        ledger.add_technician_key(tina, raw, MADE)


def test_a_technician_has_so_many_keys_and_no_more(ledger: Ledger, tina: TechnicianId) -> None:
    for _ in range(MAX_KEYS):
        ledger.add_technician_key(tina, public(), MADE)
    with pytest.raises(EntryRefusedError, match="remove one first"):
        ledger.add_technician_key(tina, public(), MADE)


def test_nobodys_key_is_refused(ledger: Ledger) -> None:
    with pytest.raises(EntryRefusedError, match="no such technician"):
        ledger.add_technician_key("nobody", public(), MADE)
