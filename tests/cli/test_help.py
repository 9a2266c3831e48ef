"""Every command explains itself, with an example that the command line itself would accept."""

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cabinet.cli.app import app
from tests.cli.conftest import Cli


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:  # a second name of a shown one
            yield from commands(inner, (*path, name))


ROOT: Any = typer.main.get_command(app)
ALL = sorted(commands(ROOT))
WANTED = {
    "status", "doctor", "visits list", "visits show", "visits export", "visits picture", "outbox", "members add",
    "members list", "members erase", "members age", "prices show", "prices set", "prices check",
    "members qr", "members key", "screen",
    "catalog add", "catalog list", "stock set", "stock list", "unlock", "run", "demo",
    "cloud run", "cloud charges", "cloud status", "config check", "version", "board info", "board watch", "board log",
    "board commission", "board selftest", "board flash", "scale show", "scale tare", "scale calibrate", "scale watch",
    "camera list", "camera show", "camera markers", "camera calibrate",
    "catalog check", "catalog masses", "catalog forget-mass", "stock strays", "shadow show",
    "eval items", "eval states", "eval frames", "eval tally", "eval faces",
    "cloud refund", "cloud settle", "cloud write-off", "cloud answer", "cloud block", "cloud unblock",
    "cloud roster add", "cloud roster change", "cloud roster remove", "cloud roster list", "cloud roster show",
    "cloud wallet set", "cloud visit", "cloud balance", "cloud disputes", "cloud provider-export",
    "charges list", "charges show", "charges refund", "charges correct", "charges dispute", "audit",
    "technicians add", "technicians list", "technicians remove", "technicians code", "technicians key",
    "technicians forget-key", "technicians log",
    "visits refused", "members trust",
    "visits verify", "visits accesses", "members photo", "members digits", "members verify", "members withdraw",
    "members export", "members receipt",
    "replay", "sim campaign", "sim replay", "sim stories", "sim play", "sim traces",
}  # fmt: skip  # a list


def found(path: tuple[str, ...]) -> Any:
    command = ROOT
    for name in path:
        command = command.commands[name]
    return command


def test_the_commands_are_these_and_no_others() -> None:
    assert {" ".join(path) for path in ALL if not hasattr(found(path), "commands")} == WANTED


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_tells_what_it_does_and_gives_an_example(path: tuple[str, ...], cli: Cli) -> None:
    done = cli(*path, "--help")
    assert (done.exit_code, "Example: cabinet" in done.stdout, bool(found(path).help)) == (0, True, True)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_the_example_is_one_that_the_command_line_takes(path: tuple[str, ...]) -> None:
    words = shlex.split(found(path).epilog.removeprefix("Example: "))[1:]
    command, rest = ROOT, words
    while hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    command.make_context("cabinet", list(rest)).close()
    assert tuple(words[: len(path)]) == path


REPORTING = [path for path in ALL if " ".join(path) in WANTED - {"run", "screen", "demo", "cloud run"}]


@pytest.mark.parametrize("path", REPORTING, ids=" ".join)
def test_every_reporting_command_has_json(path: tuple[str, ...]) -> None:
    assert "--json" in {option for parameter in found(path).params for option in parameter.opts}
