"""The board at the terminal: facts, live view, journal, key, self-test, firmware."""

import json
from pathlib import Path
from typing import Any

import pytest

from cabinet.cli import board
from firmware_bridge import flashing
from tests.cli.answers import INFO, TESTED, VISIT
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl, Refusal


def test_the_facts_name_board_key_clock_faults_and_counters(cli: Cli, control: FakeControl) -> None:
    said = cli("board", "info").stdout
    for words in ("30585831c931672e", "cabinet-board 1.0.0, protocol 2", "signed unlock, journal", "up", "2 h",
                  "last reset: brown out", "drift -12.2 ppm", "1.5 ms", "has a key", "60 unlocks an hour", "9 entries",
                  "cell dead", "look at its plug", "frames dropped", "brown out 1 min ago"):  # fmt: skip  # a list
        assert words in said


def test_a_board_that_is_away_says_why(cli: Cli, control: FakeControl) -> None:
    known = ("connected", "why", "port", "key_file", "key", "counters", "faults", "told", "budget", "journal_stored")
    control.answers["board.info"] = {**{key: INFO[key] for key in known}, "connected": False, "why": "held by pid 7"}
    assert "away: held by pid 7" in cli("board", "info").stdout


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"type": "connected", "firmware": "x 1", "faults": []}, "connected: x 1, faults: none"),
        ({"type": "disconnected", "why": "unplugged"}, "away: unplugged"),
        ({"type": "door", "open": True}, "door open"),
        ({"type": "bolt", "locked": True}, "bolt home: locked"),
        ({"type": "lease", "visit": VISIT, "ended": "opened"}, f"lease of {VISIT} ended: opened"),
        (
            {"type": "fault", "fault": "cell dead", "zone": "s2", "what": "silent", "remedy": "plug"},
            "FAULT cell dead in s2: silent → plug",
        ),
        ({"type": "fault gone", "fault": "memory"}, "fault gone: memory"),
        ({"type": "gap", "samples": 8, "what": "mass zone 1", "seconds": 0.1}, "8 samples lost: mass zone 1, 0.1 s"),
        ({"type": "journal", "index": 7, "kind": "boot", "facts": {"cause": "power"}}, "journal 7: boot, cause power"),
        ({"type": "temperature", "probe": 0, "c": 4.0}, "probe0 4.00 °C"),
        ({"type": "temperature", "probe": 0, "c": None, "why": "open"}, "probe0 none (open)"),
        ({"type": "\x1b[2J"}, "�[2J"),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_everything_the_board_tells_is_a_line_of_words(said: dict[str, Any], wanted: str) -> None:
    assert board.happening(said) == wanted


def test_the_live_view_begins_with_the_facts_and_tells_what_happens(cli: Cli, control: FakeControl) -> None:
    control.happenings = [
        {"type": "info", **INFO},
        {"type": "link", "connected": True},
        {"type": "door", "open": True},
    ]
    control.vanish = True
    done = cli("board", "watch")
    assert done.stdout.index("30585831c931672e") < done.stdout.index("door open")
    assert (control.ops(), "link" in done.stdout.splitlines()[-1]) == (["board.watch"], False)


def test_the_live_view_as_json_is_every_line(cli: Cli, control: FakeControl) -> None:
    control.happenings, control.vanish = [{"type": "info", **INFO}, {"type": "link", "connected": True}], True
    lines = [json.loads(line) for line in cli("board", "watch", "--json").stdout.splitlines()]
    assert lines == control.happenings


def test_the_live_view_ends_by_itself_where_so_asked(cli: Cli, control: FakeControl) -> None:
    assert cli("board", "watch", "--seconds", "0.2").exit_code == 0


def test_the_journal_tells_times_masses_and_the_mirror(cli: Cli, control: FakeControl) -> None:
    said = cli("board", "log").stdout
    for words in ("unlock granted", "12.5 s", VISIT, "s1 3,030 g, s2 -", "amount minor 500", "h abababababab…"):
        assert words in said


def test_a_journal_that_is_empty_says_where_to_look(cli: Cli, control: FakeControl) -> None:
    control.answers["board.log"] = {"entries": []}
    assert "cabinet board info" in cli("board", "log").stdout


# The key.


def test_a_key_is_given_only_after_a_yes_and_never_shown(cli: Cli, control: FakeControl) -> None:
    done = cli("board", "commission", typed="y\n")
    assert (done.exit_code, control.ops()) == (0, ["board.info", "board.commission"])
    assert "60 unlocks an hour, 400 a day; the key is in /var/lib/cabinet/board.key" in done.stdout


@pytest.mark.parametrize("typed", ["", "\n", "n\n"])
def test_silence_gives_no_key(typed: str, cli: Cli, control: FakeControl) -> None:
    done = cli("board", "commission", typed=typed)
    assert (done.exit_code, control.ops()) == (1, ["board.info"])


def test_a_board_that_refuses_the_key_says_what_to_do(cli: Cli, control: FakeControl) -> None:
    control.answers["board.commission"] = Refusal("the housing is shut", "open it")
    done = cli("board", "commission", "--yes", "--json")
    assert (done.exit_code, done.stdout, "→ open it" in done.stderr) == (1, "", True)


# The self-test.


def test_the_technician_is_told_before_the_lock_moves(cli: Cli, control: FakeControl) -> None:
    done = cli("board", "selftest", typed="n\n")
    assert "do not pull it" in done.stderr
    assert (done.exit_code, control.asked) == (1, [])


def test_a_line_that_fails_is_exit_code_1_with_figures_and_remedy(cli: Cli, control: FakeControl) -> None:
    bad = {"test": "cell s1", "ok": False, "measured": "noise 0.00 g", "limit": "0 < noise", "remedy": "look at it"}
    control.answers["board.selftest"] = {"ok": False, "tests": [*TESTED["tests"], bad]}
    done = cli("board", "selftest", "--yes")
    assert done.exit_code == 1
    for words in ("1 of 2 tests FAILED", "pass", "FAIL", "noise 0.00 g", "look at it"):
        assert words in done.stdout
    assert cli("board", "selftest", "--yes", "--json").exit_code == 1


# Firmware.


class Flasher:
    """In the place of `flashing.flash`: writes down what it was asked, and what the daemon had been asked by then."""

    def __init__(self, control: FakeControl | None, fails: str = "") -> None:
        self.control, self.fails = control, fails
        self.calls: list[tuple[str, flashing.Build]] = []
        self.asked_by_then: list[str] = []

    def __call__(self, port: str, build: flashing.Build, **_: object) -> flashing.Flashed:
        self.calls.append((port, build))
        self.asked_by_then = self.control.ops() if self.control is not None else []
        if self.fails:
            raise flashing.FlashError(self.fails)
        return flashing.Flashed("1.24.1", 20, 3)


def lends(control: FakeControl) -> None:
    control.answers["board.let_go"] = {"port": INFO["port"], "for_s": 300.0}
    control.answers["board.take_back"] = {}


def test_the_daemon_lends_its_port_for_the_flashing(
    cli: Cli, control: FakeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    lends(control)
    monkeypatch.setattr(flashing, "flash", flasher := Flasher(control))
    done = cli("board", "flash", "/dev/ttyACM0", "--zones", "2", "--no-probe", "--yes")
    assert (done.exit_code, "20 files written, 3 were right already" in done.stdout) == (0, True)
    assert flasher.calls == [("/dev/ttyACM0", flashing.Build(zones=2, probe=False))]
    assert flasher.asked_by_then[-1] == "board.let_go"
    assert control.ops()[-1] == "board.take_back"


def test_a_board_that_cannot_be_written_gives_the_port_back_and_says_why(
    cli: Cli, control: FakeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    lends(control)
    monkeypatch.setattr(flashing, "flash", Flasher(control, fails="no MicroPython answers"))
    done = cli("board", "flash", "/dev/ttyACM0", "--yes")
    assert (done.exit_code, control.ops()[-1]) == (1, "board.take_back")
    assert "no MicroPython answers" in done.stderr


def test_during_a_visit_nothing_is_flashed(cli: Cli, control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> None:
    control.answers["board.let_go"] = Refusal("the cabinet is Watching", "wait")
    monkeypatch.setattr(flashing, "flash", flasher := Flasher(control))
    assert cli("board", "flash", "/dev/ttyACM0", "--yes").exit_code == 1
    assert flasher.calls == []


def test_another_board_than_the_daemons_is_nobodys_business(
    cli: Cli, control: FakeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flashing, "flash", Flasher(control))
    assert cli("board", "flash", "/dev/ttyACM7", "--yes").exit_code == 0
    assert "board.let_go" not in control.ops()


def test_without_a_daemon_a_board_is_flashed_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flashing, "flash", flasher := Flasher(None))
    done = cli("board", "flash", "/dev/ttyACM0", "--yes", "--json")
    assert (done.exit_code, len(flasher.calls)) == (0, 1)
    assert json.loads(done.stdout)["build"]["zones"] == 4


@pytest.mark.parametrize("typed", ["", "n\n"])
def test_silence_flashes_nothing(typed: str, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flashing, "flash", flasher := Flasher(None))
    done = cli("board", "flash", "/dev/ttyACM0", typed=typed)
    assert (done.exit_code, flasher.calls) == (1, [])


def found(monkeypatch: pytest.MonkeyPatch, *boards: flashing.Found) -> None:
    monkeypatch.setattr(flashing, "find_boards", lambda: list(boards))


def test_the_only_board_that_is_found_is_taken(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, flashing.Found("/dev/ttyACM3", None, "MicroPython"))
    monkeypatch.setattr(flashing, "flash", flasher := Flasher(None))
    assert cli("board", "flash", "--yes").exit_code == 0
    assert [port for port, _ in flasher.calls] == ["/dev/ttyACM3"]


@pytest.mark.parametrize(
    ("boards", "words"),
    [
        ((), "no board with MicroPython"),
        ((flashing.Found(None, Path("/media/p"), "RP2040 in its boot loader"),), "cabinet board flash --uf2"),
        ((flashing.Found("/dev/a", None, ""), flashing.Found("/dev/b", None, "")), "there are several: /dev/a, /dev/b"),
    ],
    ids=["none", "boot loader", "two"],
)
def test_where_the_board_is_not_plain_it_says_what_to_do(
    boards: tuple[flashing.Found, ...], words: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, *boards)
    done = cli("board", "flash", "--yes")
    assert (done.exit_code, words in done.stderr) == (1, True)


def test_a_pico_without_micropython_is_given_it_first(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put: list[tuple[Path, Path]] = []
    found(monkeypatch, flashing.Found(None, tmp_path, "RP2040 in its boot loader"))
    monkeypatch.setattr(flashing, "put_uf2", lambda image, drive, _: put.append((image, drive)))
    done = cli("board", "flash", "--uf2", "mp.uf2", "--yes")
    assert (done.exit_code, put) == (0, [(Path("mp.uf2"), tmp_path)])
    assert "cabinet board flash" in done.stdout


def test_without_a_board_in_its_boot_loader_no_image_is_written(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch)
    done = cli("board", "flash", "--uf2", "mp.uf2", "--yes")
    assert (done.exit_code, "BOOTSEL" in done.stderr) == (1, True)


@pytest.mark.parametrize("words", [("--zones", "0"), ("--zones", "13"), ("--zones", "many")])
def test_a_board_that_cannot_be_built_is_refused(words: tuple[str, ...], cli: Cli) -> None:
    assert cli("board", "flash", "/dev/ttyACM0", *words, "--yes").exit_code == 2


@pytest.mark.parametrize(
    "words",
    [("board", "info"), ("board", "log"), ("board", "watch"), ("board", "commission", "--yes"),
     ("board", "selftest", "--yes"), ("scale", "show"), ("scale", "tare", "s1", "--yes"), ("scale", "watch"),
     ("scale", "calibrate", "s1", "--masses", "1000,5000")],
    ids=" ".join,
)  # fmt: skip  # a list
def test_without_a_daemon_each_says_how_to_start_one(words: tuple[str, ...], cli: Cli) -> None:
    done = cli(*words)
    assert (done.exit_code, "cabinet run --config" in done.stderr) == (3, True)
