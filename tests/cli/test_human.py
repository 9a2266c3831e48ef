"""What a person reads: state first, faults with their remedy, money and times in words."""

from pathlib import Path
from typing import Any

import pytest

from cabinet.cli import show
from tests.cli.answers import ANSWERS, STATUS, VISIT
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl


def test_status_tells_state_door_cloud_and_shelves(cli: Cli, control: FakeControl) -> None:
    said = cli("status").stdout
    for words in ("IDLE  ready to sell", "shut, bolt locked", "p1 4.2 °C", "not connected: connection refused",
                  "2 events wait", "3,012 g", "up 2 h", "Show your face or code"):  # fmt: skip  # a list
        assert words in said
    assert control.ops() == ["status"]


def test_status_out_of_service_names_each_fault_and_how_a_latched_one_ends(cli: Cli, control: FakeControl) -> None:
    faults = [
        {"part": "bolt", "why": "forced", "latched": True},
        {"part": "board", "why": "unplugged", "latched": False},
    ]
    control.answers["status"] = {**STATUS, "state": "OutOfService", "faults": faults}
    said = cli("status").stdout
    assert "OUT OF SERVICE  sells nothing" in said
    assert "forced — stays until a service visit" in said
    assert "unplugged │" in " ".join(said.split())


def test_status_admits_what_it_does_not_know(cli: Cli, control: FakeControl) -> None:
    control.answers["status"] = {**STATUS, "door_open": None, "bolt_locked": None}
    assert "unknown, bolt unknown" in cli("status").stdout


def test_a_name_cannot_paint_or_move_the_cursor(cli: Cli, control: FakeControl) -> None:
    member = {**ANSWERS["members.list"]["members"][0], "name": "[red]Eve[/red]\x1b[2J"}
    control.answers["members.list"] = {"members": [member]}
    said = cli("members", "list").stdout
    assert "[red]Eve[/red]�[2J" in said
    assert "\x1b" not in said


def test_an_error_of_the_daemon_cannot_move_the_cursor(cli: Cli, control: FakeControl) -> None:
    control.answers["status"] = b'{"ok": false, "error": "no \\u001b[2J"}\n'
    assert "\x1b[2J" not in cli("status").stderr


def test_a_visit_is_shown_with_outcome_lines_steps_and_receipt(cli: Cli, control: FakeControl) -> None:
    said = cli("visits", "show", VISIT).stdout
    assert said.index("charge") < said.index(VISIT)
    for words in ("5.00 EUR", "2.50 EUR", "98.7%", "took 2 × 070847811169", "-1,010 g", "2 x Cola 5.00", "face"):
        assert words in said
    assert control.ops() == ["visits.show"]


def test_a_visit_under_review_says_that_the_guess_is_not_charged(cli: Cli, control: FakeControl) -> None:
    shown = ANSWERS["visits.show"]
    guess = {**shown["visit"], "outcome": "review", "lines": [], "best_guess": shown["visit"]["lines"]}
    control.answers["visits.show"] = {"visit": guess, "tally": None, "receipt": ""}
    assert "Best guess, not charged: a person decides" in cli("visits", "show", VISIT).stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("visits", "list"), "5.00 EUR"), (("outbox",), "1 of 9 events wait"), (("members", "list"), "Zoë"),
        (("board", "info"), "30585831c931672e"), (("board", "log"), "s1 3,030 g, s2 -"),
        (("board", "selftest", "--yes"), "all 1 tests passed"), (("scale", "show"), "105.16"),
        (("catalog", "list"), "2.50 EUR"), (("stock", "list"), "Cola"), (("stock", "set", "s1", "0708", "6"), "✓ 6 of"),
        (("unlock", "--reason", "lamp"), f"unlocked for service, visit {VISIT}"), (("doctor",), "start the broker"),
        (("catalog", "add", "0708", "--name", "C", "--mass-g", "5", "--price", "1"), "weighs the same as 0709"),
    ],
)  # fmt: skip  # a table
def test_every_command_has_words_for_people(
    words: tuple[str, ...], expected: str, cli: Cli, control: FakeControl
) -> None:
    done = cli(*words)
    assert (done.exit_code, expected in done.stdout, len(control.asked)) == (0, True, 1)


@pytest.mark.parametrize(
    ("op", "empty", "words", "expected"),
    [
        ("visits.list", {"visits": []}, ("visits", "list"), "no visits yet"),
        ("members.list", {"members": []}, ("members", "list"), "no members yet: cabinet members add"),
        ("catalog.list", {"products": [], "price_version": 0, "currency": "EUR"}, ("catalog", "list"), "catalog add"),
        ("stock.list", {"stock": []}, ("stock", "list"), "cabinet stock set"),
        ("outbox", {"count": 0, "oldest_wall_ms": None, "head_seq": 7, "rows": []}, ("outbox",), "confirmed all 7"),
    ],
)
def test_nothing_is_said_in_words_and_how_to_begin(
    op: str, empty: dict[str, Any], words: tuple[str, ...], expected: str, cli: Cli, control: FakeControl
) -> None:
    control.answers[op] = empty
    assert expected in cli(*words).stdout


@pytest.mark.parametrize(("kind", "content"), [("export", b"a tar"), ("picture", b"a png")])
def test_files_of_a_visit_are_written_and_never_over_another(
    kind: str, content: bytes, cli: Cli, control: FakeControl, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first, second = (cli("visits", kind, VISIT, "--out", str(out)) for _ in range(2))
    assert (first.exit_code, second.exit_code, out.read_bytes(), len(control.asked)) == (0, 2, content, 1)


def test_a_visits_file_is_named_by_its_id_in_the_present_folder(
    cli: Cli, control: FakeControl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    control.answers["visits.export"] = {**ANSWERS["visits.export"], "name": "../../elsewhere.tar"}
    cli("visits", "export", VISIT)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{VISIT}.tar", "control.sock"]


def test_a_long_wait_is_announced_once_and_a_short_one_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with show.patience("looking", 60) as waiting:
        waiting(1.9)
        assert capsys.readouterr().err == ""
        waiting(2.1)
        waiting(2.4)
    assert capsys.readouterr().err == "looking, for at most 60 s …\n"


def test_following_shows_the_state_and_what_happened(cli: Cli, control: FakeControl) -> None:
    control.happenings = [{"type": "notice", "notice": "IDLE", "screen": "Welcome, Ada"}]
    control.vanish = True
    done = cli("status", "--follow")
    assert "IDLE  ready to sell" in done.stdout
    assert (done.exit_code, "went away" in done.stderr) == (3, True)
