"""What seals the people's rows: keys that open one member's alone, and a device key that is made once."""

import stat
from pathlib import Path

import pytest

from cabinet.identity.signature import is_signed
from cabinet.ledger import EntryRefusedError
from cabinet.ledger.vault import DEVICE, SIGNING, Vault
from cabinet.units import MemberId

ANN, BEN = MemberId("ann"), MemberId("ben")


def test_what_was_sealed_opens_again_with_the_wrapped_key(tmp_path: Path) -> None:
    key, wrapped = Vault(tmp_path).new_key(ANN)
    sealed = key.seal(b"a face", "template m")
    again = Vault(tmp_path).key_of(ANN, wrapped)
    assert again is not None
    assert again.open(sealed, "template m") == b"a face"
    assert b"a face" not in sealed


def test_the_device_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    Vault(tmp_path).new_key(ANN)
    first = (tmp_path / DEVICE).read_bytes()
    Vault(tmp_path).new_key(BEN)
    assert (len(first), (tmp_path / DEVICE).read_bytes()) == (32, first)
    assert stat.S_IMODE((tmp_path / DEVICE).stat().st_mode) == 0o600


def test_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    assert Vault(tmp_path).key_of(ANN, b"x" * 60) is None
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_others_could_read_is_shut(tmp_path: Path) -> None:
    Vault(tmp_path).new_key(ANN)
    (tmp_path / DEVICE).chmod(0o644)
    Vault(tmp_path).new_key(ANN)
    assert stat.S_IMODE((tmp_path / DEVICE).stat().st_mode) == 0o600


def test_another_members_key_or_purpose_opens_nothing(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    (ann, wrapped), (ben, _) = vault.new_key(ANN), vault.new_key(BEN)
    sealed = ann.seal(b"1234", "digits")
    assert (ben.open(sealed, "digits"), ann.open(sealed, "name")) == (None, None)
    assert vault.key_of(BEN, wrapped) is None


@pytest.mark.parametrize("place", [0, 12, -1], ids=["nonce", "content", "tag"])
def test_a_flipped_bit_opens_nothing(place: int, tmp_path: Path) -> None:
    key, _ = Vault(tmp_path).new_key(ANN)
    sealed = bytearray(key.seal(b"1234", "digits"))
    sealed[place] ^= 1
    assert key.open(bytes(sealed), "digits") is None


@pytest.mark.parametrize("sealed", [None, b"", b"short"])
def test_what_was_never_sealed_opens_to_nothing(sealed: bytes | None, tmp_path: Path) -> None:
    key, _ = Vault(tmp_path).new_key(ANN)
    assert key.open(sealed, "digits") is None


def test_the_same_content_is_never_sealed_to_the_same_bytes(tmp_path: Path) -> None:
    key, _ = Vault(tmp_path).new_key(ANN)
    assert key.seal(b"1234", "digits") != key.seal(b"1234", "digits")


def test_another_devices_key_opens_nothing(tmp_path: Path) -> None:
    _, wrapped = Vault(tmp_path).new_key(ANN)
    (tmp_path / DEVICE).write_bytes(b"\1" * 32)
    assert Vault(tmp_path).key_of(ANN, wrapped) is None


def test_a_damaged_device_key_is_told_with_the_remedy_and_stays(tmp_path: Path) -> None:
    (tmp_path / DEVICE).write_bytes(b"short")
    vault = Vault(tmp_path)
    with pytest.raises(EntryRefusedError, match="5 bytes, must have 32: put back its copy"):
        vault.new_key(ANN)
    assert vault.key_of(ANN, b"x" * 60) is None
    assert (tmp_path / DEVICE).read_bytes() == b"short"


def test_a_signature_is_the_devices_and_of_these_bytes_alone(tmp_path: Path) -> None:
    public, signature = Vault(tmp_path).sign(b"gone")
    assert is_signed(b"gone", public, signature)
    assert not is_signed(b"gone.", public, signature)
    assert Vault(tmp_path).public_key() == public


def test_the_signing_key_stands_sealed(tmp_path: Path) -> None:
    public, _ = Vault(tmp_path).sign(b"x")
    assert len((tmp_path / SIGNING).read_bytes()) == 12 + 32 + 16
    (tmp_path / DEVICE).write_bytes(b"\2" * 32)
    assert Vault(tmp_path).public_key() != public


@pytest.mark.parametrize(("public", "signature"), [(b"", b""), (b"\0" * 32, b"\0" * 64), (b"x" * 31, b"y" * 64)])
def test_no_key_and_no_signature_sign_nothing(public: bytes, signature: bytes) -> None:
    assert not is_signed(b"x", public, signature)
