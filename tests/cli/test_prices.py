"""Price rules from a file: refused with file, key and reason before anything is sent."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl, Refusal

RULES = """
deposit_tax = "deposit"
[taxes]
standard = 8.875
deposit = 0
[[discounts]]
name = "3 for 2"
skus = ["0708"]
take = 3
pay = 2
days = ["fri"]
from = "17:00"
"""
SENT = {
    "taxes": {"standard": "8.875", "deposit": "0"},
    "deposit_tax": "deposit",
    "discounts": [
        {"name": "3 for 2", "skus": ["0708"], "take": 3, "pay": 2, "days": ["fri"], "from": "17:00", "until": "24:00"}
    ],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "p.toml"
    path.write_text(RULES)
    return path


@pytest.mark.parametrize("command", ["set", "check"])
def test_the_files_rules_are_sent_without_a_float(command: str, cli: Cli, control: FakeControl, file: Path) -> None:
    assert cli("prices", command, str(file)).exit_code == 0
    assert control.asked == [(f"prices.{command}", {"rules": SENT})]


@pytest.mark.parametrize("command", ["set", "check"])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("pay = 2", "pay = 3"), "discounts[0].pay: expected a whole number 0 to 2, got 3"),
        (("take", "takes"), "discounts[0].takes: unknown key"),
        (("[taxes]", "[taxes"), "is not TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_file_key_and_reason(
    command: str, change: tuple[str, str], says: str, cli: Cli, control: FakeControl, file: Path
) -> None:
    file.write_text(RULES.replace(*change))
    done = cli("prices", command, str(file))
    assert (done.exit_code, control.asked) == (2, [])
    assert f"{file}: {says}" in done.stderr.replace("\n", "")


def test_a_file_that_is_not_there_is_refused(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    done = cli("prices", "set", str(tmp_path / "none.toml"))
    assert (done.exit_code, control.asked) == (2, [])
    assert "cannot be read" in done.stderr


def test_what_the_daemon_refuses_is_told_with_the_file(cli: Cli, control: FakeControl, file: Path) -> None:
    control.answers["prices.set"] = Refusal("discounts[0].skus: 0708 not in the catalogue")
    done = cli("prices", "set", str(file))
    assert done.exit_code == 1
    assert f"{file}: discounts[0].skus: 0708 not" in done.stderr.replace("\n", "")


def test_a_person_reads_rates_and_discounts(cli: Cli, control: FakeControl) -> None:
    said = cli("prices", "show").stdout
    wanted = (
        "standard 19 %", "include the tax", "3 for the price of 2", "2 for 3.00 EUR", "20 % off from 1",
        "mon fri 17:00-19:00", "every product", "clock not trusted", "'Bars' saves nothing",
    )  # fmt: skip  # a list
    assert [words for words in wanted if words not in said] == []


def test_every_key_is_explained(cli: Cli) -> None:
    for command in ("set", "check"):
        said = cli("prices", command, "--help").stdout
        keys = (
            "deposit_tax =", "[taxes]", "[[discounts]]", "name =", "skus =", "take =", "pay =", "price =",
            "percent_off =", "from_units =", "days =", "from =", "until =",
        )  # fmt: skip  # a list
        assert [key for key in keys if key not in said] == []


def test_a_deposit_is_typed_in_minor_units(cli: Cli, control: FakeControl) -> None:
    words = ("catalog", "add", "0708", "--name", "Cola", "--mass-g", "505", "--price", "250")
    assert cli(*words, "--deposit", "25").exit_code == 0
    assert control.asked[0][1]["deposit"] == 25
    done = cli(*words, "--deposit", "0.25")
    assert (done.exit_code, len(control.asked)) == (2, 1)
    assert "--deposit: '0.25' is not a whole number" in done.stderr.replace("\n", "")


@pytest.mark.parametrize(("years", "says"), [(18, "at least 18 years old"), (None, "no proof of age any more")])
def test_a_proof_of_age_is_told(years: int | None, says: str, cli: Cli, control: FakeControl) -> None:
    control.answers["members.age"] = {"member": "01M", "years": years, "by": "ann"}
    assert f"01M: {says}" in cli("members", "age", "01M", str(years or 0)).stdout


def test_an_age_that_is_none_is_not_sent(cli: Cli, control: FakeControl) -> None:
    assert (cli("members", "age", "01M", "151").exit_code, control.asked) == (2, [])


def test_the_lists_show_deposits_and_proofs_of_age(cli: Cli, control: FakeControl) -> None:
    (product,) = control.answers["catalog.list"]["products"]
    control.answers["catalog.list"] = {"products": [{**product, "deposit": 25}], "currency": "EUR"}
    assert "0.25 EUR" in cli("catalog", "list").stdout
    (member,) = control.answers["members.list"]["members"]
    control.answers["members.list"] = {"members": [{**member, "age": 21}]}
    assert "│  21 │" in cli("members", "list").stdout


def test_a_visits_lines_show_what_was_taken_off_and_why(cli: Cli, control: FakeControl) -> None:
    shown = control.answers["visits.show"]
    (line,) = shown["visit"]["lines"]
    priced = {**line, "deposit": 25, "discount": 99, "reason": "3 for 2"}
    control.answers["visits.show"] = {**shown, "visit": {**shown["visit"], "lines": [priced]}}
    said = cli("visits", "show", shown["visit"]["visit"]).stdout
    assert all(words in said for words in ("0.25 EUR", "0.99 EUR", "3 for 2"))
