"""A token as a phone would make it, and the keys that phones sign with."""

import hashlib
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cabinet.adapters.codes import CodeReader
from cabinet.identity.signing import SigningKey
from cabinet.identity.token import NO_LIMIT, Token, TokenAccepted, cabinet_hash, check, nonce_text, read
from cabinet.units import MemberId
from tests.cli.answers import MEMBER
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl, Refusal

PRIVATE = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"ada").digest())
PUBLIC = PRIVATE.public_key().public_bytes_raw()
NONCE = bytes(range(12))
SCREEN = {"mode": "idle", "line": "Hello", "nonce": nonce_text(cabinet_hash("c1"), NONCE)}


def pem(private: Any, password: bytes | None = None) -> bytes:
    sealed = form.NoEncryption() if password is None else form.BestAvailableEncryption(password)
    text: bytes = private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, sealed)
    return text


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "ada.pem"
    path.write_bytes(pem(PRIVATE))
    return path


@pytest.fixture
def qr(cli: Cli, control: FakeControl, key: Path) -> Callable[..., Token]:
    control.answers["shopper.screen"] = SCREEN

    def run(*words: str) -> Token:
        done = cli("members", "qr", MEMBER, "--key", str(key), "--json", *words)
        assert done.exit_code == 0, done.output
        return read(json.loads(done.stdout)["token"])

    return run


def test_the_token_is_good_for_the_number_that_the_screen_shows(qr: Callable[..., Token]) -> None:
    answer = check(qr(), cabinet_hash("c1"), SigningKey(PUBLIC, MemberId(MEMBER)), lambda _: "good", None)
    assert answer == TokenAccepted("shop", MemberId(MEMBER), NO_LIMIT)


def test_limit_and_expiry_are_signed(qr: Callable[..., Token], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_790_000_000.7)
    token = qr("--limit", "500", "--expires-s", "60")
    assert (token.limit_minor, token.expires_s, token.nonce) == (500, 1_790_000_060, NONCE)


def test_a_token_for_another_cabinet_says_so(qr: Callable[..., Token]) -> None:
    assert qr("--cabinet", "c2").cabinet == cabinet_hash("c2")


def test_the_picture_is_read_by_the_cabinets_own_reader(
    qr: Callable[..., Token], tmp_path: Path
) -> None:  # fmt: skip  # one line
    png = tmp_path / "ada.png"
    token = qr("--out", str(png))
    picture = cv2.imread(str(png))
    assert picture is not None
    assert CodeReader().read(picture) == [token.text]  # type: ignore[arg-type]  # OpenCV's stub knows no element type
    assert stat.S_IMODE(png.stat().st_mode) == 0o600


def test_without_json_the_token_is_in_the_file_alone(cli: Cli, control: FakeControl, key: Path, tmp_path: Path) -> None:
    control.answers["shopper.screen"] = SCREEN
    done = cli("members", "qr", MEMBER, "--key", str(key), "--out", str(tmp_path / "a.png"))
    assert (done.exit_code, "CAB2" in done.output, "good once" in done.stdout) == (0, False, True)


def test_a_token_needs_somewhere_to_go(cli: Cli, control: FakeControl, key: Path) -> None:
    done = cli("members", "qr", MEMBER, "--key", str(key))
    assert (done.exit_code, control.asked, "--out" in done.stderr) == (2, [], True)


def test_while_the_screen_shows_no_number_nothing_is_signed(cli: Cli, control: FakeControl, key: Path) -> None:
    control.answers["shopper.screen"] = {**SCREEN, "nonce": ""}
    done = cli("members", "qr", MEMBER, "--key", str(key), "--json")
    assert (done.exit_code, done.stdout) == (1, "")


@pytest.mark.parametrize("member", ["ada", MEMBER.lower(), ""])
def test_a_member_who_is_no_id_is_refused(cli: Cli, control: FakeControl, key: Path, member: str) -> None:
    control.answers["shopper.screen"] = SCREEN
    done = cli("members", "qr", member, "--key", str(key), "--json")
    assert (done.exit_code, "cabinet members list" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"hello", b"\xff" * 50_000, pem(PRIVATE, b"secret"),
        pem(ec.generate_private_key(ec.SECP256R1())),
    ],
    ids=["empty", "text", "huge", "sealed", "other kind"],
)  # fmt: skip  # a row
def test_a_file_without_our_kind_of_key_is_refused_before_anything_is_asked(
    cli: Cli, control: FakeControl, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "bad.pem").write_bytes(content)
    done = cli("members", "qr", MEMBER, "--key", str(tmp_path / "bad.pem"), "--json")
    assert (done.exit_code, control.asked, "cabinet members key" in done.stderr) == (2, [], True)


def test_a_missing_key_file_is_named(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    done = cli("members", "qr", MEMBER, "--key", str(tmp_path / "none.pem"), "--json")
    assert (done.exit_code, "none.pem" in done.stderr) == (2, True)


# --- keys -------------------------------------------------------------------------------------------------------------

KEYS = {"member": MEMBER, "keys": [{"kid": "ab" * 8, "public": PUBLIC.hex()}]}


def test_a_new_key_is_written_for_its_owner_alone_and_the_daemon_gets_the_public_one(
    cli: Cli, control: FakeControl, tmp_path: Path
) -> None:
    control.answers["members.key_add"] = {**KEYS, "kid": "ab" * 8}
    file = tmp_path / "new.pem"
    done = cli("members", "key", MEMBER, "--new", str(file))
    private = form.load_pem_private_key(file.read_bytes(), None)
    assert isinstance(private, Ed25519PrivateKey)
    public = private.public_key().public_bytes_raw().hex()
    assert (done.exit_code, control.asked) == (0, [("members.key_add", {"member": MEMBER, "public": public})])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_private_key_is_never_printed_or_sent(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    control.answers["members.key_add"] = {**KEYS, "kid": "ab" * 8}
    file = tmp_path / "new.pem"
    done = cli("members", "key", MEMBER, "--new", str(file), "--json")
    private = form.load_pem_private_key(file.read_bytes(), None)
    assert isinstance(private, Ed25519PrivateKey)
    seed = private.private_bytes_raw().hex()
    assert (seed in done.output, "PRIVATE" in done.output, seed in str(control.asked)) == (False, False, False)


def test_where_the_daemon_refuses_no_key_file_stays(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    control.answers["members.key_add"] = Refusal("there is no such member", "cabinet members list")
    assert cli("members", "key", MEMBER, "--new", str(tmp_path / "new.pem")).exit_code == 1
    assert not (tmp_path / "new.pem").exists()


def test_another_key_file_is_never_written_over(cli: Cli, control: FakeControl, key: Path) -> None:
    before = key.read_bytes()
    done = cli("members", "key", MEMBER, "--new", str(key))
    assert (done.exit_code, control.asked, key.read_bytes() == before) == (2, [], True)


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("--public", PUBLIC.hex()), ("members.key_add", {"member": MEMBER, "public": PUBLIC.hex()})),
        (("--remove", "ab" * 8), ("members.key_remove", {"member": MEMBER, "kid": "ab" * 8})),
        (("--list",), ("members.keys", {"member": MEMBER})),
    ],
)
def test_each_asks_for_its_own(cli: Cli, control: FakeControl, words: tuple[str, ...], asked: tuple[str, Any]) -> None:
    control.answers |= dict.fromkeys(("members.key_add", "members.key_remove", "members.keys"), KEYS)
    done = cli("members", "key", MEMBER, *words, "--json")
    assert (done.exit_code, json.loads(done.stdout), control.asked) == (0, KEYS, [asked])


def test_keys_are_shown_by_their_names(cli: Cli, control: FakeControl) -> None:
    control.answers["members.keys"] = KEYS
    assert "ab" * 8 in cli("members", "key", MEMBER, "--list").stdout


def test_a_member_without_keys_is_told_how_to_get_one(cli: Cli, control: FakeControl) -> None:
    control.answers["members.keys"] = {"member": MEMBER, "keys": []}
    assert "--new" in cli("members", "key", MEMBER, "--list").stdout


@pytest.mark.parametrize("words", [(), ("--list", "--remove", "ab"), ("--new", "x.pem", "--public", "00")])
def test_one_thing_at_a_time(cli: Cli, control: FakeControl, words: tuple[str, ...]) -> None:
    done = cli("members", "key", MEMBER, *words)
    assert (done.exit_code, control.asked) == (2, [])
