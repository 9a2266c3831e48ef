"""Room that is ours beforehand: a file beside the ledger, given up when a visit could not be closed for want of it.

Its blocks are allocated, and that is checked: a sparse file would hold nothing back.
"""

import contextlib
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

MIB: Final = 1 << 20
BLOCK: Final = 512  # bytes of st_blocks, whatever the file system's own

log = logging.getLogger(__name__)


@dataclass
class Ballast:
    path: Path
    mib: int
    given_up: bool = field(default=False, init=False)  # since the program started, and nobody was told yet

    @property
    def there(self) -> bool:
        if self.mib == 0:
            return True
        try:
            found = self.path.stat()
        except OSError:
            return False
        return found.st_size >= self.mib * MIB and found.st_blocks * BLOCK >= self.mib * MIB

    def make(self) -> None:
        """Durable when this returns.  Raises OSError, and leaves nothing behind then."""
        try:
            with self.path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self.mib * MIB)
                if not self.there:  # a file system that only noted the size
                    for _ in range(self.mib):
                        file.write(os.urandom(MIB))  # nothing that could be packed
                    file.flush()
                os.fsync(file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                self.path.unlink()
            raise

    def give_up(self) -> bool:
        """True: there was something, and its room is free now."""
        if self.mib == 0 or not self.path.exists():
            return False
        try:
            os.truncate(self.path, 0)  # also where the folder's own entry cannot be changed on a full disk
            self.path.unlink()
        except OSError as error:
            log.error("ballast_not_given_up why=%s", error)  # noqa: TRY400  # the traceback says nothing more
            return False
        self.given_up = True
        log.warning("ballast_given_up mib=%d", self.mib)
        return True
