"""Members: what is kept, what is never listed, and what erasing leaves."""

from pathlib import Path

import pytest

from cabinet.ledger import Consent, EntryRefusedError, Ledger
from cabinet.session.states import Idle
from cabinet.units import MemberId
from tests.ledger.examples import charged, opened, stamp, visit_id

CONSENT = Consent("2026-01", 1_795_000_000_000, "en")
VECTOR = tuple(n / 128 for n in range(128))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "l.db")


def test_members_are_listed_with_their_consent(ledger: Ledger) -> None:
    anna = ledger.add_member("Anna", CONSENT)
    bob = ledger.add_member("Bob", CONSENT)
    assert [(one.member, one.name, one.consent) for one in ledger.members()] == [
        (anna, "Anna", CONSENT),
        (bob, "Bob", CONSENT),
    ]
    assert len(anna) == 26


def test_several_templates_of_a_member_come_back_for_matching(ledger: Ledger) -> None:
    anna = ledger.add_member("Anna", CONSENT)
    ledger.add_template(anna, VECTOR, "dlib")
    ledger.add_template(anna, VECTOR[::-1], "dlib")
    ledger.add_template(anna, VECTOR, "other")
    assert ledger.templates("dlib") == [(anna, VECTOR), (anna, VECTOR[::-1])]


def test_the_list_says_how_many_templates_and_tokens_but_not_what_they_are(ledger: Ledger) -> None:
    anna = ledger.add_member("Anna", CONSENT)
    ledger.add_template(anna, VECTOR, "dlib")
    token = ledger.add_token(anna)
    (listed,) = ledger.members()
    assert (listed.templates, listed.tokens) == (1, 1)
    assert token not in repr(listed)
    assert "0.99" not in repr(listed)


def test_a_token_opens_for_its_member(ledger: Ledger) -> None:
    anna, bob = ledger.add_member("Anna", CONSENT), ledger.add_member("Bob", CONSENT)
    tokens = {ledger.add_token(anna): anna, ledger.add_token(anna): anna, ledger.add_token(bob): bob}
    assert len(tokens) == 3
    assert {text: ledger.member_of_token(text) for text in tokens} == tokens


def test_a_token_is_not_in_the_file(ledger: Ledger, tmp_path: Path) -> None:
    token = ledger.add_token(ledger.add_member("Anna", CONSENT))
    ledger.close()
    assert token.removeprefix("CAB1:").encode() not in (tmp_path / "l.db").read_bytes()


@pytest.mark.parametrize(
    "text", ["", "CAB1:", "CAB1:AAAA", "CAB1:" + "1" * 26, "CAB1:" + "Ä" * 26, "https://x", "A" * 4000]
)
def test_garbage_is_nobodys_token(ledger: Ledger, text: str) -> None:
    assert ledger.member_of_token(text) is None


def test_revoked_tokens_open_nothing(ledger: Ledger) -> None:
    anna = ledger.add_member("Anna", CONSENT)
    token = ledger.add_token(anna)
    assert ledger.revoke_tokens(anna) == 1
    assert ledger.member_of_token(token) is None


def test_erasing_leaves_nothing_but_the_bare_id_on_past_visits(ledger: Ledger, tmp_path: Path) -> None:
    anna = ledger.add_member("Annabella Unmistakable", CONSENT)
    ledger.add_template(anna, VECTOR, "dlib")
    token = ledger.add_token(anna)
    visit = opened(1)
    ledger.commit(Idle(), [type(visit)(visit.visit, anna, "shop", "face", "", 1, {}, ""), charged(1)], stamp())
    assert ledger.erase(anna, stamp())
    assert (ledger.members(), ledger.templates("dlib"), ledger.member_of_token(token)) == ([], [], None)
    record = ledger.visit(visit_id(1))
    assert record is not None
    assert record.member == anna
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"Unmistakable" not in files


def test_the_cloud_is_told_of_an_erasure_by_id_alone(ledger: Ledger) -> None:
    anna = ledger.add_member("Anna", CONSENT)
    ledger.erase(anna, stamp())
    (event,) = ledger.unacknowledged()
    assert (event.type, event.body) == ("member.erased", {"member": anna})


def test_erasing_a_stranger_changes_nothing(ledger: Ledger) -> None:
    assert not ledger.erase(MemberId("nobody"), stamp())
    assert ledger.unacknowledged() == []


def test_a_member_without_consent_is_refused(ledger: Ledger) -> None:
    with pytest.raises(EntryRefusedError, match="consent"):
        ledger.add_member("Anna", Consent("", 0, "en"))


@pytest.mark.parametrize("vector", [(), (float("nan"),), (float("inf"), 1.0)])
def test_a_template_of_no_numbers_is_refused(ledger: Ledger, vector: tuple[float, ...]) -> None:
    with pytest.raises(EntryRefusedError, match="template"):
        ledger.add_template(ledger.add_member("Anna", CONSENT), vector, "dlib")


def test_a_template_or_token_for_nobody_is_refused(ledger: Ledger) -> None:
    with pytest.raises(EntryRefusedError, match="no member"):
        ledger.add_template(MemberId("nobody"), VECTOR, "dlib")
    with pytest.raises(EntryRefusedError, match="no member"):
        ledger.add_token(MemberId("nobody"))
