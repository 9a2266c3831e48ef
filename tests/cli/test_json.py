"""--json prints the daemon's data and nothing else."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

import cabinet
from cabinet.cli.consent import VERSION
from tests.cli.answers import ANSWERS, MEMBER, VISIT
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl, Refusal

ADD_PRODUCT = ("catalog", "add", "0708", "--name", "Cola", "--mass-g", "505", "--price", "250")
NO_RULES = os.devnull  # an empty file
COMMANDS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "status": (("status",), {}),
    "doctor": (("doctor",), {}),
    "visits.list": (("visits", "list", "--outcome", "review", "-n", "3"), {"limit": 3, "outcome": "review"}),
    "visits.show": (("visits", "show", VISIT.lower()), {"visit": VISIT}),
    "visits.export": (("visits", "export", VISIT), {"visit": VISIT, "why": None}),
    "visits.picture": (("visits", "picture", VISIT, "--why", "audit"), {"visit": VISIT, "why": "audit"}),
    "visits.verify": (("visits", "verify", VISIT), {"visit": VISIT, "hash": None}),
    "visits.accesses": (("visits", "accesses"), {"visit": None, "limit": 100}),
    "outbox": (("outbox",), {}),
    "members.add": (
        ("members", "add", "Ada", "--code", "--consent"),
        {
            "name": "Ada", "language": "en", "consent": VERSION, "photos": [], "code": True, "digits": None,
            "verified": False, "no_face": False, "share_face": False, "twin": False,
        },
    ),
    "members.list": (("members", "list"), {}),
    "members.erase": (("members", "erase", MEMBER, "--yes"), {"member": MEMBER}),
    "members.age": (("members", "age", MEMBER, "18"), {"member": MEMBER, "years": 18}),
    "members.digits": (("members", "digits", MEMBER, "0815"), {"member": MEMBER, "digits": "0815"}),
    "members.verify": (("members", "verify", MEMBER), {"member": MEMBER, "verified": True}),
    "members.withdraw": (("members", "withdraw", MEMBER, "--yes"), {"member": MEMBER}),
    "members.export": (("members", "export", MEMBER, "--json"), {"member": MEMBER, "why": None}),
    "prices.show": (("prices", "show"), {}),
    "prices.set": (("prices", "set", NO_RULES), {"rules": {"taxes": {}, "discounts": []}}),
    "prices.check": (("prices", "check", NO_RULES), {"rules": {"taxes": {}, "discounts": []}}),
    "catalog.add": (
        (*ADD_PRODUCT, "--mass-sd-g", "2.5", "--min-age", "16", "--tax", "reduced", "--zone", "s1", "--count", "6"),
        {
            "sku": "0708", "name": "Cola", "mass_g": 505.0, "unit_price": 250, "tax": "reduced", "min_age": 16,
            "mass_sd_g": 2.5, "zone": "s1", "count": 6, "photos": [],
        },
    ),
    "catalog.check": (("catalog", "check"), {}),
    "catalog.list": (("catalog", "list"), {}),
    "catalog.masses": (("catalog", "masses"), {}),
    "catalog.forget_mass": (("catalog", "forget-mass", "0708"), {"sku": "0708"}),
    "stock.strays": (("stock", "strays"), {}),
    "shadow.show": (("shadow", "show"), {}),
    "stock.set": (("stock", "set", "s1", "0708", "6"), {"zone": "s1", "sku": "0708", "count": 6}),
    "stock.list": (("stock", "list"), {}),
    "unlock": (
        ("unlock", "--reason", "new lamp", "--purpose", "restock"),
        {"purpose": "restock", "reason": "new lamp"},
    ),
    "board.info": (("board", "info"), {}),
    "board.log": (("board", "log", "--last", "5"), {"last": 5}),
    "board.selftest": (("board", "selftest", "--yes"), {}),
    "scale.show": (("scale", "show", "s1"), {"zone": "s1"}),
    "scale.point": (
        ("scale", "calibrate", "s1", "--step", "2", "--mass", "5000"), {"zone": "s1", "slot": 2, "mass_g": 5000.0}
    ),
    "scale.calibrate": (("scale", "calibrate", "s1", "--step", "fit"), {"zone": "s1"}),
    "scale.cancel": (("scale", "calibrate", "s1", "--step", "cancel"), {"zone": "s1"}),
}  # fmt: skip  # a table
ASKING_TWICE = {"scale.tare", "board.commission", "members.photo"}  # look first, or need a file: tests of their own


def test_every_answer_of_the_fake_is_asked_for_by_a_command() -> None:
    assert set(COMMANDS) | ASKING_TWICE == set(ANSWERS)


@pytest.mark.parametrize("op", COMMANDS)
def test_json_is_exactly_the_data_of_the_answer(op: str, control: FakeControl, cli: Cli) -> None:
    done = cli(*COMMANDS[op][0], "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, control.answers[op])


@pytest.mark.parametrize("op", COMMANDS)
def test_a_command_asks_once_and_says_what_the_contract_wants(op: str, control: FakeControl, cli: Cli) -> None:
    cli(*COMMANDS[op][0], "--json")
    assert control.asked == [(op, COMMANDS[op][1])]


@pytest.mark.parametrize("op", COMMANDS)
def test_a_refusal_is_told_with_its_remedy_on_stderr_alone(op: str, control: FakeControl, cli: Cli) -> None:

    control.answers[op] = Refusal("not now", "wait a minute")
    done = cli(*COMMANDS[op][0], "--json")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "not now" in done.stderr
    assert "→ wait a minute" in done.stderr


def test_following_as_json_prints_the_status_then_a_line_for_every_happening(control: FakeControl, cli: Cli) -> None:
    control.happenings = [{"type": "part", "part": "board", "ok": True, "why": None}, {"type": "notice", "screen": "x"}]
    control.vanish = True
    lines = [json.loads(line) for line in cli("status", "--follow", "--json").stdout.splitlines()]
    assert lines == [control.answers["status"], *control.happenings]


def test_version_is_told_as_json(cli: Cli) -> None:

    assert json.loads(cli("version", "--json").stdout)["version"] == cabinet.__version__


def test_the_photographs_travel_as_base64_of_the_files(control: FakeControl, cli: Cli, photo: Path) -> None:

    cli(*ADD_PRODUCT, "--photos", str(photo.parent), "--json")
    assert control.asked[0][1]["photos"] == [base64.b64encode(photo.read_bytes()).decode()]
