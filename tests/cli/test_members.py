"""Consent comes before photographs; codes go into files that nobody else reads; erasing asks first."""

# What members may ask of us is in test_privacy.py.

import stat
from pathlib import Path

import pytest

from cabinet.cli import photos
from cabinet.cli.consent import VERSION
from tests.cli.answers import MEMBER
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl, Refusal


@pytest.mark.parametrize("typed", ["n\n", "\n", ""])
def test_without_agreement_no_photo_is_touched_and_nothing_is_sent(
    typed: str, cli: Cli, control: FakeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched: list[object] = []
    monkeypatch.setattr(photos, "files_of", lambda *names: touched.append(names))
    monkeypatch.setattr(photos, "encoded", lambda *names: touched.append(names))
    done = cli("members", "add", "Ada", "--photo", "not-there.jpg", typed=typed)
    assert (done.exit_code, touched, control.asked) == (1, [], [])
    assert "--consent" in done.stderr


@pytest.mark.parametrize("words", [("--consent",), ()])
def test_the_consent_text_is_shown_even_where_it_is_agreed_beforehand(
    words: tuple[str, ...], cli: Cli, control: FakeControl, photo: Path
) -> None:
    done = cli("members", "add", "Ada", "--photo", str(photo), *words, typed="y\n")
    assert (done.exit_code, control.ops()) == (0, ["members.add"])
    assert "What is kept" in done.stderr


def test_agreeing_at_the_prompt_enrols(cli: Cli, control: FakeControl, photo: Path) -> None:
    done = cli("members", "add", "Ada", "--photo", str(photo), typed="y\n")
    assert done.exit_code == 0
    assert control.asked[0][1]["consent"] == VERSION
    assert f"Ada is member {MEMBER}, with 1 faces" in done.stdout


def test_a_refused_photo_is_named_by_its_file(cli: Cli, control: FakeControl, photo: Path) -> None:
    control.answers["members.add"] = Refusal("photograph 1: there is no face", "one person, well lit")
    done = cli("members", "add", "Ada", "--photo", str(photo), "--consent")
    assert (done.exit_code, f"{photo}: there is no face" in done.stderr.replace("\n", "")) == (1, True)


def test_the_code_goes_into_a_file_for_its_owner_alone(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    png = tmp_path / "ada.png"
    done = cli("members", "add", "Ada", "--qr-out", str(png), "--consent")
    assert (done.exit_code, png.read_bytes(), stat.S_IMODE(png.stat().st_mode)) == (0, b"a code", 0o600)
    assert control.asked[0][1]["code"] is True
    assert "CAB1:" not in done.output


def test_without_a_file_the_code_is_drawn_on_the_terminal_once(cli: Cli, control: FakeControl) -> None:
    done = cli("members", "add", "Ada", "--code", "--consent")
    assert control.ops() == ["members.add"]
    assert "█" in done.stdout
    assert "CAB1:" not in done.output


@pytest.mark.parametrize("name", ["there.png", "no/folder.png"])
def test_a_code_file_that_cannot_be_made_is_found_before_the_member_is(
    name: str, cli: Cli, control: FakeControl, tmp_path: Path
) -> None:
    (tmp_path / "there.png").write_text("mine")
    done = cli("members", "add", "Ada", "--qr-out", str(tmp_path / name), "--consent")
    assert (done.exit_code, control.asked, (tmp_path / "there.png").read_text()) == (2, [], "mine")


def test_a_refused_member_leaves_no_code_file(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    control.answers["members.add"] = Refusal("no")
    assert cli("members", "add", "Ada", "--qr-out", str(tmp_path / "ada.png"), "--consent").exit_code == 1
    assert not (tmp_path / "ada.png").exists()


@pytest.mark.parametrize("typed", ["n\n", ""])
def test_erasing_asks_and_takes_silence_for_no(typed: str, cli: Cli, control: FakeControl) -> None:
    assert (cli("members", "erase", MEMBER, typed=typed).exit_code, control.asked) == (1, [])


def test_erasing_after_a_yes_tells_how_much_went(cli: Cli, control: FakeControl) -> None:
    done = cli("members", "erase", MEMBER, typed="y\n")
    assert control.asked == [("members.erase", {"member": MEMBER})]
    assert f"{MEMBER} erased: 2 faces, 1 codes" in done.stdout


@pytest.mark.parametrize("language", ["en", "de"])
def test_there_is_a_consent_text_in_each_language(language: str, cli: Cli, control: FakeControl, photo: Path) -> None:
    done = cli("members", "add", "Ada", "--photo", str(photo), "--language", language, typed="y\n")
    assert (done.exit_code, control.asked[0][1]["language"], VERSION in done.stderr) == (0, language, True)
    for word in ("--no-face", "members withdraw", "members erase", "--share-face"):
        assert word in done.stderr


def test_without_a_text_in_the_language_nothing_is_read(cli: Cli, control: FakeControl) -> None:
    done = cli("members", "add", "Ada", "--photo", "not-there.jpg", "--language", "tlh")
    assert (done.exit_code, control.asked, "de, en" in done.stderr) == (2, [], True)


def test_what_is_said_of_a_member_is_sent_with_them(cli: Cli, control: FakeControl, photo: Path) -> None:
    words = ("--digits", "0815", "--verified", "--share-face", "--twin")
    done = cli("members", "add", "Ada", "--photo", str(photo), *words, "--consent")
    asked = control.asked[0][1]
    assert done.exit_code == 0
    assert [asked[key] for key in ("digits", "verified", "share_face", "twin", "no_face")] == [
        "0815", True, True, True, False,
    ]  # fmt: skip  # a row


@pytest.mark.parametrize(
    "words",
    [
        ("--no-face", "--photo", "a.jpg"),
        ("--no-face", "--share-face", "--code"),
        ("--code", "--digits", "815"),
        ("--code", "--digits", "08 15"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_refused_before_anything_is_read(
    words: tuple[str, ...], cli: Cli, control: FakeControl
) -> None:
    assert (cli("members", "add", "Ada", *words, "--consent").exit_code, control.asked) == (2, [])


def test_more_photographs_need_the_consent_first(cli: Cli, control: FakeControl, photo: Path) -> None:
    assert cli("members", "photo", MEMBER, "--photo", str(photo), typed="n\n").exit_code == 1
    assert control.asked == []
    done = cli("members", "photo", MEMBER, "--photo", str(photo), typed="y\n")
    assert (done.exit_code, f"{MEMBER} has 3 faces now" in done.stdout) == (0, True)
    assert (control.asked[0][0], control.asked[0][1]["consent"]) == ("members.photo", VERSION)


def test_digits_are_taken_away_by_the_word_none(cli: Cli, control: FakeControl) -> None:
    assert cli("members", "digits", MEMBER, "none").exit_code == 0
    assert control.asked == [("members.digits", {"member": MEMBER, "digits": None})]


@pytest.mark.parametrize("digits", ["", "12", "12345", "abcd"])
def test_digits_that_are_none_are_refused_and_not_repeated(digits: str, cli: Cli, control: FakeControl) -> None:
    done = cli("members", "digits", MEMBER, digits)
    assert (done.exit_code, control.asked) == (2, [])


def test_a_proof_is_taken_back_by_undo(cli: Cli, control: FakeControl) -> None:
    cli("members", "verify", MEMBER, "--undo")
    assert control.asked == [("members.verify", {"member": MEMBER, "verified": False})]


def test_a_member_whose_name_does_not_open_is_listed_as_such(cli: Cli, control: FakeControl) -> None:
    (row,) = control.answers["members.list"]["members"]
    control.answers["members.list"] = {"members": [{**row, "name": "", "readable": False}]}
    assert "(sealed by another device.key)" in cli("members", "list").stdout


def test_member_is_another_name_of_members(cli: Cli, control: FakeControl) -> None:
    assert cli("member", "list", "--json").exit_code == 0
    assert control.ops() == ["members.list"]
