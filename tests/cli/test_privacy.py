"""What members may ask of us, as a person types it: their face back, a copy, erasure with a receipt; and who looked."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from cabinet.ledger import Consent, Ledger
from tests.cli.answers import ANSWERS, MEMBER, VISIT
from tests.cli.conftest import Cli
from tests.ledger.examples import stamp
from tests.support.fake_control import FakeControl, Refusal


@pytest.fixture(scope="module")
def receipt(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A true one, and under `of` whose it is."""
    with Ledger(tmp_path_factory.mktemp("ledger") / "ledger.db") as ledger:
        member = ledger.add_member("Ada", Consent("3", 1, "en"))
        told = ledger.erase(member, stamp(), cabinet="c1", removed={"stills": 3})
    assert told is not None
    return {"of": member, "told": told}


@pytest.mark.parametrize("command", ["withdraw", "erase"])
@pytest.mark.parametrize("typed", ["n\n", ""])
def test_what_cannot_be_undone_asks_and_takes_silence_for_no(
    command: str, typed: str, cli: Cli, control: FakeControl
) -> None:
    assert (cli("members", command, MEMBER, typed=typed).exit_code, control.asked) == (1, [])


def test_a_withdrawal_says_what_went_and_what_stays(cli: Cli, control: FakeControl) -> None:
    done = cli("members", "withdraw", MEMBER, typed="y\n")
    assert control.asked == [("members.withdraw", {"member": MEMBER})]
    assert f"{MEMBER}: 4 face templates gone, 1 codes stay" in done.stdout


def test_whoever_is_left_without_any_way_in_is_told(cli: Cli, control: FakeControl) -> None:
    control.answers["members.withdraw"] = {"member": MEMBER, "templates": 4, "tokens": 0}
    assert "nothing opens for them" in cli("members", "withdraw", MEMBER, "--yes").stdout


def test_a_copy_is_written_for_its_owner_alone(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    out = tmp_path / "ada.json"
    done = cli("members", "export", MEMBER, "--out", str(out), "--why", "they asked")
    assert (done.exit_code, stat.S_IMODE(out.stat().st_mode)) == (0, 0o600)
    assert json.loads(out.read_text()) == ANSWERS["members.export"]
    assert control.asked == [("members.export", {"member": MEMBER, "why": "they asked"})]
    assert "Zoë" not in done.output


def test_a_copy_goes_nowhere_unasked(cli: Cli, control: FakeControl) -> None:
    assert (cli("members", "export", MEMBER).exit_code, control.asked) == (2, [])


def test_a_copy_is_never_written_over_a_file(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("mine")
    assert cli("members", "export", MEMBER, "--out", str(tmp_path / "mine.json")).exit_code == 2
    assert ((tmp_path / "mine.json").read_text(), control.asked) == ("mine", [])


def test_the_receipt_of_an_erasure_is_written_and_verified(
    cli: Cli, control: FakeControl, tmp_path: Path, receipt: dict[str, Any]
) -> None:
    control.answers["members.erase"] = {"member": MEMBER, "templates": 2, "tokens": 1, "receipt": receipt["told"]}
    file = tmp_path / "erased.json"
    assert cli("members", "erase", MEMBER, "--yes", "--receipt", str(file)).exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    done = cli("members", "receipt", str(file), "--member", receipt["of"], "--key", receipt["told"]["public_key"])
    assert (done.exit_code, "NOT" in done.stdout, "3 stills" in done.stdout) == (0, False, True)


def test_a_refused_erasure_leaves_no_receipt(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    control.answers["members.erase"] = Refusal("the member is at the cabinet")
    assert cli("members", "erase", MEMBER, "--yes", "--receipt", str(tmp_path / "erased.json")).exit_code == 1
    assert not (tmp_path / "erased.json").exists()


@pytest.mark.parametrize(
    ("change", "words", "told"),
    [
        ({"cabinet": "c2"}, (), "signature_is_right"),
        ({}, ("--member", MEMBER), "of_the_member"),
        ({}, ("--key", "ab" * 32), "of_the_key"),
    ],
    ids=["changed", "another member's", "another cabinet's"],
)
def test_a_receipt_that_is_not_what_it_should_be_ends_with_1(
    change: dict[str, Any], words: tuple[str, ...], told: str, cli: Cli, tmp_path: Path, receipt: dict[str, Any]
) -> None:
    file = tmp_path / "erased.json"
    file.write_text(json.dumps({**receipt["told"], **change}))
    done = cli("members", "receipt", str(file), *words, "--json")
    assert (done.exit_code, json.loads(done.stdout)[told]) == (1, False)


@pytest.mark.parametrize("content", [b"", b"no json", b"[1]", b"\xff\xfe", b"x" * 70_000], ids=range(5))
def test_what_is_no_receipt_is_refused(content: bytes, cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "erased.json"
    file.write_bytes(content)
    done = cli("members", "receipt", str(file))
    assert (done.exit_code, "receipt" in done.stderr) == (2, True)


def test_who_has_looked_is_listed_with_why(cli: Cli, control: FakeControl) -> None:
    done = cli("visits", "accesses", VISIT)
    assert control.asked == [("visits.accesses", {"visit": VISIT, "limit": 100})]
    assert ("tina" in done.stdout, "a complaint" in done.stdout, "inside: not said" in done.stdout) == (True,) * 3


def test_nobody_has_looked_is_said_in_words(cli: Cli, control: FakeControl) -> None:
    control.answers["visits.accesses"] = {"accesses": []}
    assert "nobody has looked" in cli("visits", "accesses").stdout


def test_an_export_tells_how_many_stills_were_blurred_and_why_some_are_missing(
    cli: Cli, control: FakeControl, tmp_path: Path
) -> None:
    control.answers["visits.export"] = {
        **ANSWERS["visits.export"], "withheld": {"blurred": 2, "left out": 1}, "blur_why": "model.tflite is missing",
    }  # fmt: skip  # a row
    done = cli("visits", "export", VISIT, "--out", str(tmp_path / "v.tar"))
    assert "2 stills blurred, 1 stills left out (model.tflite is missing)" in done.stdout
