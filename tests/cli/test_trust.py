"""Trust and refused attempts on the terminal: words a technician understands, and nothing written without a reason."""

import json
from typing import Any

import pytest

from cabinet.cli.trust import SAID, Kind
from cabinet.control.trust import BOOKED
from cabinet.identity import trust
from tests.cli.answers import ANSWERS, MEMBER, VISIT, WALL_MS
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl

TRUST: dict[str, Any] = {
    "member": MEMBER, "trust": 45, "start": 70, "lost": 25.0, "owed": 0, "vouched": 0, "incidents": 1, "disputes": 0,
    "restore_days": 30.0,
    "bounds": [
        {"asks": "refused", "below": 20, "passed_in_days": 0.0}, {"asks": "digits", "below": 50, "passed_in_days": 8.6}
    ],
    "events": [
        {
            "kind": "swap", "points": 25, "visit": VISIT, "note": "", "who": None, "wall_ms": WALL_MS, "clock": "ntp",
        },
        {
            "kind": "paid-visit", "points": 1, "visit": VISIT, "note": "", "who": None, "wall_ms": WALL_MS,
            "clock": "ntp",
        },
        {
            "kind": "dispute", "points": 0, "visit": VISIT, "note": "not me", "who": "tom", "wall_ms": WALL_MS,
            "clock": "ntp",
        },
    ],
}  # fmt: skip  # rows
REFUSED: dict[str, Any] = {
    "refused": [
        {
            "attempt": VISIT, "member": MEMBER, "way": "digits", "judgement": "deny", "limit_minor": 0,
            "why": "low trust", "reasons": ["trust 10 < 20", "unpaid"], "wall_ms": WALL_MS,
        },
        {
            "attempt": VISIT, "member": None, "way": None, "judgement": "deny", "limit_minor": 0,
            "why": "not recognised", "reasons": [], "wall_ms": WALL_MS,
        },
    ]
}  # fmt: skip  # rows
ADMISSION: dict[str, Any] = {
    "member": MEMBER, "way": "token", "judgement": "allow", "limit_minor": 2_000, "why": "",
    "reasons": ["trust 45 < 50", "care: limit 2000"], "wall_ms": WALL_MS,
    "terms": {"by": "cloud", "hold_minor": 1_500},
}  # fmt: skip  # a row


@pytest.fixture
def told(control: FakeControl) -> FakeControl:
    control.answers |= {
        "members.trust": TRUST,
        "members.trust_book": {**TRUST, "kind": "forgiven", "points": 5},
        "visits.refused": REFUSED,
    }
    return control


def test_the_command_offers_every_kind_that_a_technician_may_book() -> None:
    assert set(Kind.__args__) == set(BOOKED)  # type: ignore[attr-defined]  # of a Literal


def test_every_kind_of_event_has_words() -> None:
    assert set(SAID) == set(trust.Kind.__args__)  # type: ignore[attr-defined]  # of a Literal


def test_trust_is_told_with_what_made_it_and_when_it_comes_back(cli: Cli, told: FakeControl) -> None:
    done = cli("members", "trust", MEMBER)
    assert (done.exit_code, told.asked) == (0, [("members.trust", {"member": MEMBER})])
    for words in ("45 of 100", "half of it comes back in 30 days", "no: below 50 for 8.6 more days", "yes: 20 or more"):
        assert words in done.stdout
    for words in ("-25", "+1", "goods left and another thing stands", "costs nothing", "the cabinet", "tom"):
        assert words in done.stdout


def test_a_bound_that_time_alone_does_not_pass_says_so(cli: Cli, told: FakeControl) -> None:
    told.answers["members.trust"] = {
        **TRUST, "owed": 25, "bounds": [{"asks": "digits", "below": 50, "passed_in_days": None}], "events": [],
    }  # fmt: skip  # a row
    done = cli("members", "trust", MEMBER)
    assert "time alone does not change that" in done.stdout
    assert "25 until it is paid" in done.stdout
    assert "nothing is kept of this member" in done.stdout


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("--add", "dispute-lost", "--note", "seen"), {"kind": "dispute-lost", "points": None, "note": "seen"}),
        (("--forgive", "5", "--note", "a mistake"), {"kind": "forgiven", "points": 5, "note": "a mistake"}),
    ],
)
def test_a_word_is_written_with_its_reason(
    cli: Cli, told: FakeControl, words: tuple[str, ...], asked: dict[str, Any]
) -> None:
    done = cli("members", "trust", MEMBER, *words)
    sent = {key: value for key, value in told.asked[0][1].items() if value is not None}
    assert (done.exit_code, told.ops()) == (0, ["members.trust_book"])
    assert sent == {"member": MEMBER, **{key: value for key, value in asked.items() if value is not None}}
    assert "written down" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("--add", "swap"),
        ("--add", "swap", "--note", " "),
        ("--forgive", "5"),
        ("--add", "swap", "--forgive", "5", "--note", "x"),
        ("--add", "unpaid", "--note", "x"),
        ("--forgive", "0", "--note", "x"),
        ("--forgive", "101", "--note", "x"),
    ],
)
def test_without_a_reason_or_with_nonsense_nothing_is_sent(cli: Cli, told: FakeControl, words: tuple[str, ...]) -> None:
    done = cli("members", "trust", MEMBER, *words)
    assert (done.exit_code, told.asked) == (2, [])


@pytest.mark.parametrize(
    ("words", "op"), [(("members", "trust", MEMBER), "members.trust"), (("visits", "refused"), "visits.refused")]
)
def test_json_is_the_data(cli: Cli, told: FakeControl, words: tuple[str, ...], op: str) -> None:
    assert json.loads(cli(*words, "--json").stdout) == told.answers[op]


def test_who_was_turned_away_is_told_with_the_reasons(cli: Cli, told: FakeControl) -> None:
    done = cli("visits", "refused", "-n", "7")
    assert (done.exit_code, told.asked) == (0, [("visits.refused", {"limit": 7})])
    for words in ("low trust", "trust 10 < 20; unpaid", "face and digits", "nobody we know", "not recognised"):
        assert words in done.stdout


def test_where_nobody_was_turned_away_it_says_so(cli: Cli, told: FakeControl) -> None:
    told.answers["visits.refused"] = {"refused": []}
    assert "nobody was turned away yet" in cli("visits", "refused").stdout


def test_a_visit_shows_how_its_member_was_let_in(cli: Cli, control: FakeControl) -> None:
    control.answers["visits.show"] = {**ANSWERS["visits.show"], "admission": ADMISSION}
    shown = cli("visits", "show", VISIT).stdout
    assert "by signed token, for at most 20.00 EUR, 15.00 EUR held by the cloud" in shown
    assert "trust 45 < 50; care: limit 2000" in shown


@pytest.mark.parametrize(
    ("by", "said"), [("offline", "15.00 EUR held by the cabinet without the cloud"), ("none", "at most 20.00 EUR\n")]
)
def test_who_holds_the_amount_is_told_where_somebody_does(cli: Cli, control: FakeControl, by: str, said: str) -> None:
    held = {**ADMISSION, "terms": {"by": by, "hold_minor": 1_500}}
    control.answers["visits.show"] = {**ANSWERS["visits.show"], "admission": held}
    lines = (line.rstrip() + "\n" for line in cli("visits", "show", VISIT).stdout.splitlines())
    assert any(said in line for line in lines)


def test_a_visit_without_an_admission_is_shown_as_before(cli: Cli, control: FakeControl) -> None:
    control.answers["visits.show"] = {**ANSWERS["visits.show"], "admission": None}
    done = cli("visits", "show", VISIT)
    assert (done.exit_code, "let in" in done.stdout) == (0, False)
