"""Where a state is laid out, to be opened by the product's own code: a folder in memory, where there is one."""

import shutil
import tempfile
from pathlib import Path
from typing import Final, Self

from tests.crash.disk import Files

FOLDERS: Final = (Path("/dev/shm"), Path(tempfile.gettempdir()))  # noqa: S108  memory first: nothing here needs to last


class Bed:
    """A folder in memory that is laid out anew for each state."""

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="crash-", dir=next(f for f in FOLDERS if f.is_dir())))
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def lay(self, files: Files) -> Path:
        for old in self.folder.iterdir():
            if old.is_dir():
                shutil.rmtree(old)
            else:
                old.unlink()
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return self.folder
