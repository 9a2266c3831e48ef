"""Who may sign for anybody is read at the start, or nothing starts."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cabinet.config import Config, ConfigError
from cabinet.identity.signing import kid_of
from cabinet.ledger import Ledger
from cabinet.session.effects import Notice
from cabinet.wiring.shopper import issuers_of, shopper
from tests.control.room import facts

PUBLIC = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw()


def with_issuers(folder: Path, content: bytes) -> Config:
    file = folder / "issuers.txt"
    file.write_bytes(content)
    return facts(folder, identity={"issuer_keys_file": str(file)})


def test_without_a_file_nobody_signs_for_everybody(tmp_path: Path) -> None:
    assert issuers_of(facts(tmp_path)) == {}


def test_the_keys_of_the_file_may_sign(tmp_path: Path) -> None:
    assert set(issuers_of(with_issuers(tmp_path, b"# app\n" + PUBLIC.hex().encode()))) == {kid_of(PUBLIC)}


@pytest.mark.parametrize("content", [b"abc\n", b"\xff\xfe", b"00" * 32], ids=["no key", "no text", "a weak key"])
def test_a_file_that_is_wrong_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigError, match=r"identity\.issuer_keys_file: .*issuers\.txt"):
        issuers_of(with_issuers(tmp_path, content))


def test_a_file_that_went_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"issuers\.txt cannot be read"):
        issuers_of(facts(tmp_path, identity={"issuer_keys_file": str(tmp_path / "issuers.txt")}))


@pytest.mark.parametrize(("codes", "faces"), [(True, True), (False, True), (True, False)])
def test_the_screen_tells_how_this_cabinet_recognises(tmp_path: Path, *, codes: bool, faces: bool) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        made = shopper(facts(tmp_path, identity={"codes": codes, "faces": faces}), ledger)
        made.show(Notice.READY)
        assert (made.codes, made.faces, bool(made.screen(0.0).nonce)) == (codes, faces, codes)
