"""`cabinet visits verify` as a person uses it: by the visit's id through the daemon, or a trace and a hash."""

import dataclasses
import json
from pathlib import Path

import pytest

from cabinet import trace
from cabinet.basket.policy import TallyPolicy
from cabinet.ledger.vault import Vault
from cabinet.tallier import work_out
from tests.cli.answers import ANSWERS, VISIT
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl
from tests.test_tallier import recorded


@pytest.fixture
def judged(tmp_path: Path) -> tuple[Path, str]:
    folder = recorded(tmp_path, 1)
    (folder / "frames" / "inside").mkdir(parents=True)
    (folder / "frames" / "inside" / "00000000.jpg").write_bytes(b"a still")
    return folder, work_out(folder, TallyPolicy(), complete=True).evidence_hash


def serve(control: FakeControl, folder: Path, hash_: str) -> None:
    """As the daemon answers: it looks at the recording itself."""
    found = trace.verify(folder, hash_)
    control.answers["visits.verify"] = {**dataclasses.asdict(found), "same": found.same, "compared": True}


def test_a_visits_evidence_is_compared_with_the_ledgers_hash(
    cli: Cli, control: FakeControl, judged: tuple[Path, str]
) -> None:
    serve(control, *judged)
    done = cli("visits", "verify", VISIT)
    assert (done.exit_code, "unchanged" in done.stdout) == (0, True)
    assert control.asked == [("visits.verify", {"visit": VISIT, "hash": None})]


def test_evidence_that_fits_itself_but_not_the_ledger_differs(
    cli: Cli, control: FakeControl, judged: tuple[Path, str]
) -> None:
    serve(control, judged[0], "ab" * 32)
    done = cli("visits", "verify", VISIT, "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["same"], told["findings"][0]["where"]) == (1, False, "evidence.json")


def test_an_answer_of_another_program_is_refused(cli: Cli, control: FakeControl) -> None:
    control.answers["visits.verify"] = {"visit": VISIT}
    done = cli("visits", "verify", VISIT)
    assert (done.exit_code, "update" in done.stderr) == (1, True)


def test_stills_that_the_cabinet_blurred_are_told_with_whose_signature_says_so(
    cli: Cli, judged: tuple[Path, str], tmp_path: Path
) -> None:
    folder, hash_ = judged
    vault, copy = Vault(tmp_path), tmp_path / "copy" / folder.name
    copy.mkdir(parents=True)
    trace.shown_copy(folder, copy, lambda jpeg: (jpeg + b"blurred", 1), vault.sign)
    done = cli("visits", "verify", str(copy), "--hash", hash_)
    assert (done.exit_code, "stills blurred" in done.stdout) == (0, True)
    assert vault.public_key().hex() in done.stdout.replace("\n", "")


def test_a_trace_is_verified_offline_against_a_hash(cli: Cli, judged: tuple[Path, str]) -> None:
    folder, hash_ = judged
    assert cli("visits", "verify", str(folder), "--hash", hash_.upper()).exit_code == 0
    (folder / "tally.json").unlink()
    done = cli("visits", "verify", str(folder), "--hash", hash_)
    assert (done.exit_code, "tally.json" in done.stdout, "missing" in done.stdout) == (1, True, True)


def test_a_trace_without_a_hash_is_said_to_be_compared_with_no_charge(cli: Cli, judged: tuple[Path, str]) -> None:
    done = cli("visits", "verify", str(judged[0]))
    assert (done.exit_code, "with no charge" in done.stdout) == (0, True)
    assert json.loads(cli("visits", "verify", str(judged[0]), "--json").stdout)["compared"] is False


@pytest.mark.parametrize(
    ("words", "said"),
    [(("nowhere",), "VISIT|TRACE"), (("nowhere", "--hash", "12ab"), "--hash"), (("pyproject.toml",), "VISIT|TRACE")],
)
def test_what_is_no_trace_and_what_is_no_hash_is_refused(cli: Cli, words: tuple[str, ...], said: str) -> None:
    done = cli("visits", "verify", *words)
    assert (done.exit_code, said in done.stderr) == (2, True)


def test_replaying_names_the_manifests_hash_and_whether_it_fits(cli: Cli, judged: tuple[Path, str]) -> None:
    folder, hash_ = judged
    told = json.loads(cli("replay", str(folder), "--json").stdout)
    assert (told["evidence"], told["bound"]) == (hash_, True)
    (folder / "evidence.json").unlink()
    told = json.loads(cli("replay", str(folder), "--json").stdout)
    assert (told["evidence"], told["bound"]) == (told["judged"], None)


def test_export_says_where_no_page_could_be_drawn(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    lacking = {**ANSWERS["visits.export"], "page": False, "page_why": "matplotlib is not installed"}
    control.answers["visits.export"] = lacking
    done = cli("visits", "export", VISIT, "--out", str(tmp_path / "v.tar"))
    assert "without page.png: matplotlib is not installed" in done.stdout


def test_show_says_where_the_evidence_is_kept_and_when_no_longer(cli: Cli, control: FakeControl) -> None:
    for kept, said in ((True, "/traces/V"), (False, "no longer kept")):
        control.answers["visits.show"] = {**ANSWERS["visits.show"], "evidence": {"path": "/traces/V", "kept": kept}}
        assert said in cli("visits", "show", VISIT).stdout
