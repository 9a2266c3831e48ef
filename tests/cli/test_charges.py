"""Charges as a technician types them: refused before anything is sent, or sent whole."""

from typing import Any

import pytest

from cabinet.cli.charges import minor
from cabinet.cli.errors import BadInputError
from tests.cli.answers import VISIT, WALL_MS
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl, Refusal

CHANGE_ID = "01J8Z0000000000000000000R1"
CHANGE: dict[str, Any] = {
    "id": CHANGE_ID, "kind": "refund", "back_minor": 120, "reason": "broken seal", "who": "ann", "wall_ms": WALL_MS,
}  # fmt: skip  # a table
DISPUTE = {**CHANGE, "kind": "dispute", "back_minor": 0, "evidence": f"{VISIT}.tar", "evidence_hash": "a" * 64,
           "due_ms": WALL_MS + 7 * 86_400_000}  # fmt: skip  # a table
CHARGE: dict[str, Any] = {
    "visit": VISIT, "member": "01M", "opened_wall_ms": WALL_MS, "currency": "EUR", "charged_minor": 500,
    "back_minor": 120, "still_minor": 380, "disputed": True, "due_wall_ms": DISPUTE["due_ms"], "queued": True,
    "waiting": 2, "changes": [CHANGE, DISPUTE], "dispute": DISPUTE, "receipt": "NEW TOTAL  EUR 3.80",
}  # fmt: skip  # a table


@pytest.fixture(autouse=True)
def answers(control: FakeControl) -> None:
    control.answers |= {
        "charges.list": {"charges": [CHARGE]},
        "charges.show": CHARGE,
        "charges.refund": {**CHARGE, "change": CHANGE, "again": False},
        "charges.correct": {**CHARGE, "change": {**CHANGE, "kind": "correction"}, "again": False},
        "charges.dispute": {**CHARGE, "change": DISPUTE, "again": False},
    }


@pytest.mark.parametrize(
    ("typed", "currency", "total_minor"),
    [
        ("1.20", "EUR", 120),
        ("1.2", "USD", 120),
        ("3", "USD", 300),
        ("0.01", "USD", 1),
        ("1500", "JPY", 1500),
        ("0.750", "KWD", 750),
        (" 2.50 ", "EUR", 250),
    ],
)
def test_an_amount_is_read_with_the_currencys_own_digits(typed: str, currency: str, total_minor: int) -> None:
    assert minor(typed, currency) == total_minor


@pytest.mark.parametrize(
    ("typed", "currency"),
    [
        ("1,20", "EUR"),
        ("1.205", "EUR"),
        ("1.0", "JPY"),
        ("-1", "EUR"),
        ("0", "EUR"),
        ("0.00", "EUR"),
        ("", "EUR"),
        ("1e3", "EUR"),
        ("1.", "EUR"),
        (".5", "EUR"),
        ("１", "EUR"),
        ("1 000", "EUR"),
    ],
)
def test_what_is_no_amount_is_refused(typed: str, currency: str) -> None:
    with pytest.raises(BadInputError, match="--amount"):
        minor(typed, currency)


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (("--amount", "1.20"), {"amount_minor": 120}),
        (("--all",), {"all": True}),
        (("--line", "C=2", "--line", "B"), {"lines": {"C": 2, "B": 1}}),
        (("--all", "--id", CHANGE_ID.lower()), {"all": True, "id": CHANGE_ID}),
    ],
)
def test_a_refund_is_sent_in_minor_units(
    words: tuple[str, ...], sent: dict[str, Any], cli: Cli, control: FakeControl
) -> None:
    done = cli("charges", "refund", VISIT.lower(), *words, "--reason", "broken seal")
    assert done.exit_code == 0
    assert control.asked[-1] == ("charges.refund", {"visit": VISIT, "reason": "broken seal", **sent})
    assert "1.20 EUR given back, 3.80 EUR still charged" in done.stdout


def test_a_refund_that_was_done_before_says_so(cli: Cli, control: FakeControl) -> None:
    control.answers["charges.refund"] = {**CHARGE, "change": CHANGE, "again": True}
    assert "done before, not again" in cli("charges", "refund", VISIT, "--all", "--reason", "x").stdout


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--all", "--amount", "1"),
        ("--all", "--line", "C"),
        ("--line", "C=0"),
        ("--line", "C=x"),
        ("--line", "=1"),
        ("--line", "C=1", "--line", "C=1"),
        ("--all", "--id", "ticket-1"),
        ("--all", "--reason", " "),
    ],
)
def test_an_unclear_refund_is_not_sent(words: tuple[str, ...], cli: Cli, control: FakeControl) -> None:
    assert cli("charges", "refund", VISIT, "--reason", "x", *words).exit_code == 2
    assert "charges.refund" not in control.ops()


def test_the_newest_visit_can_be_named(cli: Cli, control: FakeControl) -> None:
    assert cli("charges", "dispute", "last", "--reason", "x").exit_code == 0
    assert control.asked[-1] == ("charges.dispute", {"visit": VISIT, "reason": "x"})


def test_a_correction_sends_the_quantities_that_are_named(cli: Cli, control: FakeControl) -> None:
    done = cli("charges", "correct", VISIT, "--set", "C=0", "--set", "B=2", "--reason", "twice")
    assert control.asked == [("charges.correct", {"visit": VISIT, "reason": "twice", "set": {"C": 0, "B": 2}})]
    assert "given back by a new bill" in done.stdout
    assert cli("charges", "correct", VISIT, "--set", "C", "--reason", "twice").exit_code == 2


@pytest.mark.parametrize(("again", "says"), [(False, "is disputed"), (True, "was disputed before")])
def test_a_dispute_tells_its_evidence_and_the_day_of_the_answer(
    again: bool,  # noqa: FBT001  # a case
    says: str,
    cli: Cli,
    control: FakeControl,
) -> None:
    control.answers["charges.dispute"] = {**CHARGE, "change": DISPUTE, "again": again}
    said = cli("charges", "dispute", VISIT, "--reason", "x").stdout
    assert all(words in said for words in (says, f"disputes/{VISIT}.tar", "an answer is due 20"))
    control.answers["charges.dispute"] = {**CHARGE, "change": {**DISPUTE, "evidence": ""}}
    assert "no longer kept" in cli("charges", "dispute", VISIT, "--reason", "x").stdout


def test_a_person_reads_what_became_of_a_charge(cli: Cli) -> None:
    said = cli("charges", "show", VISIT).stdout
    wanted = ("5.00 EUR", "1.20 EUR", "3.80 EUR", "broken seal", "ann", CHANGE_ID, "answer due", "NEW TOTAL",
              "the charge waits for it")  # fmt: skip  # a list
    assert [words for words in wanted if words not in said] == []


def test_the_list_shows_what_is_still_charged(cli: Cli, control: FakeControl) -> None:
    said = cli("charges", "list", "--disputed", "-n", "5").stdout
    assert control.asked == [("charges.list", {"limit": 5, "disputed": True, "refunded": False})]
    assert all(words in said for words in (VISIT, "5.00 EUR", "3.80 EUR", "answer due"))
    assert cli("charges", "list", "--disputed", "--refunded").exit_code == 2
    control.answers["charges.list"] = {"charges": []}
    assert "no such charges" in cli("charges", "list").stdout


def test_what_the_daemon_refuses_is_told(cli: Cli, control: FakeControl) -> None:
    control.answers["charges.refund"] = Refusal("nothing is left to give back")
    done = cli("charges", "refund", VISIT, "--all", "--reason", "x")
    assert (done.exit_code, "nothing is left" in done.stderr) == (1, True)
