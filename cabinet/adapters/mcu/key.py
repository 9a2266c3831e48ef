"""The key that signs unlocks, in a file that its owner alone may read.  It is never printed and never logged."""

import contextlib
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cabinet.ports import PortError

KEY_BYTES = 32
COMMISSION = "cabinet board commission"


@dataclass
class KeyFile:
    """`key` is None while there is none to use; `why` then says so with the remedy."""

    path: Path
    key: bytes | None = field(default=None, repr=False)
    why: str | None = None

    def __post_init__(self) -> None:
        self.read()

    def read(self) -> None:
        self.key, self.why = None, None
        try:
            mode = stat.S_IMODE(self.path.stat().st_mode)
            text = self.path.read_text(encoding="ascii").strip()
            key = bytes.fromhex(text)
        except FileNotFoundError:
            self.why = f"no key: run {COMMISSION}"
            return
        except OSError as error:
            self.why = f"the key {self.path} cannot be read ({error.strerror}): give it to the daemon's user"
            return
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES or not any(key):
            self.why = (
                f"the key {self.path} is not 64 hexadecimal digits: put the copy back, or remove it and {COMMISSION}"
            )
        elif mode & 0o077:
            self.why = f"the key {self.path} is readable by others: chmod 600 {self.path}"
        else:
            self.key = key

    def fresh(self) -> bytes:
        """A new key, kept beside the old one until `keep`.  Raises PortError where it cannot be written."""
        key = secrets.token_bytes(KEY_BYTES)
        next_to_it = self._next
        try:
            next_to_it.unlink(missing_ok=True)
            number = os.open(next_to_it, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(number, "w", encoding="ascii") as file:  # noqa: PTH123  # a descriptor has no path
                file.write(key.hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise PortError(f"key: {next_to_it} cannot be written ({error.strerror}): look at the folder") from error
        return key

    def keep(self) -> None:
        """The board has taken the fresh key.  Raises PortError."""
        try:
            os.replace(self._next, self.path)  # noqa: PTH105  # what it is named after
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise PortError(
                f"key: the board has it, but {self.path} cannot be written ({error.strerror}): mv {self._next} there"
            ) from error
        self.read()

    def drop_fresh(self) -> None:
        """The board has not taken it."""
        with contextlib.suppress(OSError):
            self._next.unlink(missing_ok=True)

    @property
    def _next(self) -> Path:
        return self.path.with_name(self.path.name + ".next")
