"""What seals the people's rows at rest: each member's own key, wrapped by the device's; and the device's signature.

    device.key        32 random bytes, 0600, beside the ledger; made when the first member comes
    device-sign.key   the Ed25519 key that signs receipts, sealed by device.key

A copy of the ledger alone, or of a damaged one that was moved aside, opens nothing.  Whoever has the whole card has
device.key too: against that only the card's own encryption helps.  What was sealed for one member or purpose does not
open as another's.  Nothing here raises for what does not open: it is None, and the caller counts it.
"""

import contextlib
import logging
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cabinet.ledger.errors import EntryRefusedError
from cabinet.units import MemberId

if TYPE_CHECKING:  # 50 ms to import, and only where there are members
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

DEVICE: Final = "device.key"
SIGNING: Final = "device-sign.key"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
MARK_BYTES: Final = 6  # of the nonce: one member's; 6 more are drawn for each row, of which a member has dozens
_WRAPPING: Final = "key"
_SIGNS: Final = "device signing key"

log = logging.getLogger(__name__)


class MemberKey:
    """Seals and opens what is one member's.  Forget it after use: it is nowhere on disk unwrapped."""

    def __init__(self, member: MemberId, raw: bytes, mark: bytes) -> None:
        self._member = member
        self._cipher = _cipher(raw)
        self._mark = mark

    def seal(self, content: bytes, what: str) -> bytes:
        """Begins with the member's mark, so that whether any of it is left in a file is one search."""
        return _seal(self._cipher, content, _about(self._member, what), self._mark)

    def open(self, sealed: bytes | None, what: str) -> bytes | None:
        """None for what this key did not seal for this member and purpose, or what has changed since."""
        return _open(self._cipher, sealed, _about(self._member, what))


class Vault:
    def __init__(self, folder: Path) -> None:
        """Touches nothing yet: the key is read, or made, when it is first needed."""
        self._file = folder / DEVICE
        self._signing = folder / SIGNING
        self._device: AESGCM | None = None
        self.unopened: dict[str, int] = {}  # what -> how many rows did not open when they were last asked for
        self.trouble: str | None = None  # why the device's key cannot be used

    def new_key(self, member: MemberId) -> tuple[MemberKey, bytes]:
        """A key for the member, and the same wrapped, to be kept.  EntryRefusedError where nothing can be sealed."""
        raw = secrets.token_bytes(KEY_BYTES)
        wrapped = _seal(self._needed(), raw, _about(member, _WRAPPING))
        return MemberKey(member, raw, mark_of(wrapped)), wrapped

    def key_of(self, member: MemberId, wrapped: bytes | None) -> MemberKey | None:
        """None where another device's key wrapped it, or this one is gone."""
        device = self._opened()
        if device is None or wrapped is None:
            return None
        raw = _open(device, wrapped, _about(member, _WRAPPING))
        return None if raw is None else MemberKey(member, raw, mark_of(wrapped))

    def sign(self, message: bytes) -> tuple[bytes, bytes]:
        """By the device: its public key and the signature.  Raises EntryRefusedError where its key cannot be used."""
        private = self._private()
        return private.public_key().public_bytes_raw(), private.sign(message)

    def public_key(self) -> bytes:
        """What the device's receipts are verified with.  Raises EntryRefusedError."""
        return self._private().public_key().public_bytes_raw()

    def _private(self) -> "Ed25519PrivateKey":
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415  only where something is signed

        device, about = self._needed(), _about(MemberId(""), _SIGNS)
        sealed = self._signing.read_bytes() if self._signing.is_file() else None
        raw = _open(device, sealed, about)
        if raw is None:
            if sealed is not None:
                log.warning("signing_key_made_anew file=%s why=%s does not open it", self._signing, DEVICE)
            raw = secrets.token_bytes(KEY_BYTES)
            _write(self._signing, _seal(device, raw, about), anew=True)
        return ed25519.Ed25519PrivateKey.from_private_bytes(raw)

    def _needed(self) -> "AESGCM":
        device = self._opened(make=True)
        if device is None:
            raise EntryRefusedError(self.trouble or f"there is no {self._file}")
        return device

    def _opened(self, *, make: bool = False) -> "AESGCM | None":
        if self._device is not None:
            return self._device
        try:
            raw = self._read(make=make)
        except OSError as error:
            self.trouble = f"{self._file}: {error.strerror}; give it back to the cabinet's user"
            return None
        if raw is None:
            return None
        if len(raw) != KEY_BYTES:
            self.trouble = (
                f"{self._file} has {len(raw)} bytes, must have {KEY_BYTES}: put back its copy; without one remove it,"
                " and everybody enrols again"
            )
            return None
        self.trouble, self._device = None, _cipher(raw)
        return self._device

    def _read(self, *, make: bool) -> bytes | None:
        if not self._file.exists():
            if not make:
                return None
            with contextlib.suppress(FileExistsError):  # another process of ours was faster
                _write(self._file, secrets.token_bytes(KEY_BYTES))
                log.info("device_key_made file=%s", self._file)
        elif self._file.stat().st_mode & 0o077:
            self._file.chmod(0o600)
            log.warning("device_key_was_readable file=%s", self._file)
        return self._file.read_bytes()


def mark_of(wrapped: bytes) -> bytes:
    """What everything sealed for the member begins with, and the wrapped key itself."""
    return wrapped[:MARK_BYTES]


def _cipher(raw: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  only where there are members

    return AESGCM(raw)


def _about(member: MemberId, what: str) -> bytes:
    return f"cabinet\0{member}\0{what}".encode()


def _seal(cipher: "AESGCM", content: bytes, about: bytes, mark: bytes = b"") -> bytes:
    nonce = mark + secrets.token_bytes(NONCE_BYTES - len(mark))
    return nonce + cipher.encrypt(nonce, content, about)


def _open(cipher: "AESGCM", sealed: bytes | None, about: bytes) -> bytes | None:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  loaded with the cipher

    if not isinstance(sealed, bytes) or len(sealed) < NONCE_BYTES + TAG_BYTES:
        return None
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except InvalidTag:
        return None


def _write(file: Path, content: bytes, *, anew: bool = False) -> None:
    """Whole, for its owner alone, and on disk before it is used.  FileExistsError unless `anew`."""
    partial = file.with_name(f"{file.name}.{secrets.token_hex(4)}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        if anew:
            partial.replace(file)
        else:
            _name(partial, file)
    finally:
        partial.unlink(missing_ok=True)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _name(partial: Path, file: Path) -> None:
    try:
        file.hardlink_to(partial)
    except FileExistsError:
        raise
    except OSError:  # a file system that knows no second names
        partial.replace(file)
