"""`cabinet technicians` as it is typed: what is asked of the daemon, what is shown, and what is refused before."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.answers import WALL_MS
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl, Refusal

TINA = "01JD000000000000000000000T"
CODE = "CAB3:" + "B" * 26
HASH = "ab" * 32
LINE: dict[str, Any] = {
    "n": 7, "wall_ms": WALL_MS, "quality": "ntp", "who": "tina", "technician": TINA, "name": "Tina Turner",
    "op": "stock.set", "subject": "zone=s1 sku=0708 count=6", "result": "ok", "error": "",
}  # fmt: skip  # a table
WHOLE: dict[str, Any] = {"whole": True, "why": "", "lines": 41, "first": 8, "n": 48, "h": HASH}
ROW: dict[str, Any] = {
    "technician": TINA, "name": "Tina Turner", "user": "tina", "since_wall_ms": WALL_MS, "removed_wall_ms": None,
    "keys": 1, "kids": ["0123456789abcdef"],
}  # fmt: skip  # a table


@pytest.fixture(autouse=True)
def answers(control: FakeControl) -> None:
    control.answers |= {
        "technicians.add": ROW,
        "technicians.list": {"technicians": [ROW], "live_codes": 2},
        "technicians.remove": {"technician": TINA, "keys": 1},
        "technicians.code": {
            "technician": TINA, "purpose": "restock", "minutes": 5, "code": CODE,
            "qr_png_b64": base64.b64encode(b"a picture").decode(),
        },
        "technicians.key": {"technician": TINA, "kid": "0123456789abcdef"},
        "technicians.forget_key": {"kid": "0123456789abcdef"},
        "technicians.log": {"lines": [LINE]},
        "technicians.verify": WHOLE,
    }  # fmt: skip  # rows


@pytest.mark.parametrize(
    ("words", "op", "sent"),
    [
        (("add", "Tina Turner"), "add", {"name": "Tina Turner", "user": None}),
        (("add", "Tina Turner", "--user", "tina"), "add", {"name": "Tina Turner", "user": "tina"}),
        (("list",), "list", {}),
        (("remove", TINA.lower(), "--yes"), "remove", {"technician": TINA}),
        (("code", TINA), "code", {"technician": TINA, "purpose": "service", "minutes": 10}),
        (
            ("code", TINA, "--minutes", "5", "--purpose", "restock"), "code",
            {"technician": TINA, "purpose": "restock", "minutes": 5},
        ),
        (("key", TINA, f" {'d7' * 32}"), "key", {"technician": TINA, "public": "d7" * 32}),
        (("forget-key", "0123456789abcdef"), "forget_key", {"kid": "0123456789abcdef"}),
        (("log",), "log", {"limit": 50, "who": None}),
        (("log", "-n", "3", "--who", "tina"), "log", {"limit": 3, "who": "tina"}),
        (("log", "--verify"), "verify", {}),
        (("log", "--verify", "--head", f"7:{HASH.upper()}"), "verify", {"n": 7, "h": HASH}),
    ],
)  # fmt: skip  # rows
def test_what_is_typed_is_asked_and_answered_as_json(
    cli: Cli, control: FakeControl, words: tuple[str, ...], op: str, sent: dict[str, Any]
) -> None:
    done = cli("technicians", *words, "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, control.answers[f"technicians.{op}"])
    assert control.asked == [(f"technicians.{op}", sent)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "Tina", "--user", "tina"), f"Tina Turner is technician {TINA}; what the user tina types is theirs"),
        (("list",), "2 codes are good now"),
        (("remove", TINA, "--yes"), "is no technician any more"),
        (("code", TINA, "--qr-out", "OUT"), "good once within 5 minutes, for restock"),
        (("key", TINA, "d7" * 32), f"the key 0123456789abcdef signs for {TINA}"),
        (("forget-key", "0123456789abcdef"), "is forgotten"),
        (("log",), "zone=s1 sku=0708 count=6"),
        (("log", "--verify"), f"--head 48:{HASH}"),
    ],
)
def test_what_was_done_is_said_in_words(cli: Cli, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = cli("technicians", *(str(tmp_path / "out.png") if word == "OUT" else word for word in words))
    assert (done.exit_code, said in done.stdout) == (0, True)


def test_the_second_name_does_the_same(cli: Cli, control: FakeControl) -> None:
    assert cli("technician", "list", "--json").exit_code == 0
    assert control.ops() == ["technicians.list"]


def test_a_code_is_shown_as_text_and_to_be_photographed(cli: Cli) -> None:
    shown = cli("technicians", "code", TINA).stdout
    assert shown.splitlines()[0] == CODE
    assert shown.count("\n") > 12


def test_a_code_goes_into_a_file_that_its_owner_alone_can_read(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "code.png"
    assert cli("technicians", "code", TINA, "--qr-out", str(out)).exit_code == 0
    assert (out.read_bytes(), out.stat().st_mode & 0o777) == (b"a picture", 0o600)


def test_a_code_that_is_refused_leaves_no_file(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    control.answers["technicians.code"] = Refusal("there is no such technician")
    out = tmp_path / "code.png"
    assert cli("technicians", "code", TINA, "--qr-out", str(out)).exit_code == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"result": "refused", "error": "a visit is open"}, "refused: a visit is open"),
        ({"result": "begun"}, "begun, its end was never told"),
        ({"technician": None, "name": None}, "tina"),
    ],
)
def test_an_entry_tells_how_it_ended(cli: Cli, control: FakeControl, result: dict[str, Any], said: str) -> None:
    control.answers["technicians.log"] = {"lines": [{**LINE, **result}]}
    assert said in cli("technicians", "log").stdout


@pytest.mark.parametrize("json_too", [False, True])
def test_a_trail_that_is_not_whole_is_told_and_fails(cli: Cli, control: FakeControl, *, json_too: bool) -> None:
    control.answers["technicians.verify"] = {**WHOLE, "whole": False, "why": "line 7 is not what was written"}
    done = cli("technicians", "log", "--verify", *(["--json"] if json_too else []))
    assert done.exit_code == 1
    assert "line 7 is not what was written" in (done.stdout if json_too else done.stderr)


@pytest.mark.parametrize(
    "words",
    [
        ("add", " "),
        ("add", "x" * 121),
        ("remove", "tina", "--yes"),
        ("code", "tina"),
        ("code", TINA, "--minutes", "61"),
        ("code", TINA, "--minutes", "0"),
        ("code", TINA, "--purpose", "shop"),
        ("key", "tina", "d7" * 32),
        ("log", "--head", f"7:{HASH}"),
        ("log", "--verify", "--head", "7"),
        ("log", "--verify", "--head", f"x:{HASH}"),
        ("log", "--limit", "0"),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_is_asked(
    cli: Cli, control: FakeControl, words: tuple[str, ...]
) -> None:
    assert cli("technicians", *words).exit_code == 2
    assert control.asked == []


@pytest.mark.parametrize("typed", ["n\n", ""])
def test_nobody_is_removed_without_a_yes(cli: Cli, control: FakeControl, typed: str) -> None:
    assert cli("technicians", "remove", TINA, typed=typed).exit_code == 1
    assert control.asked == []


@pytest.mark.parametrize(("op", "words"), [("list", ("list",)), ("log", ("log",))])
def test_nothing_yet_is_said_in_words(cli: Cli, control: FakeControl, op: str, words: tuple[str, ...]) -> None:
    control.answers[f"technicians.{op}"] = {"technicians": [], "lines": []}
    done = cli("technicians", *words)
    assert (done.exit_code, "no " in done.stdout) == (0, True)


def test_a_name_cannot_move_the_cursor(cli: Cli, control: FakeControl) -> None:
    control.answers["technicians.log"] = {"lines": [{**LINE, "name": "a\x1b[2Jb", "subject": "[red]x"}]}
    shown = cli("technicians", "log").stdout
    assert ("\x1b[2J" in shown, "[red]x" in shown) == (False, True)
