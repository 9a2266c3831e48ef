"""Is anything left of bytes that were to be forgotten?  And overwriting them where SQLite does not: in files aside.

Works on bytes alone; opens no database.  A file that cannot be read or written is told, never fatal.
"""

import contextlib
import logging
import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path

log = logging.getLogger(__name__)


def holds(path: Path, needles: Sequence[bytes]) -> bool:
    """Whether any of these stands anywhere in the file; False where there is no file."""
    with _mapped(path) as content:
        return content is not None and any(content.find(needle) >= 0 for needle in needles)


def shredded(path: Path, needles: Sequence[bytes]) -> int:
    """Overwrite each of these with zeros wherever it stands, on the disk too; how often that was."""
    count = 0
    with _mapped(path, write=True) as content:
        if content is None:
            return 0
        for needle in needles:
            at = content.find(needle)
            while needle and at >= 0:
                content[at : at + len(needle)] = bytes(len(needle))
                count += 1
                at = content.find(needle, at + len(needle))
        if count:
            content.flush()
    return count


@contextlib.contextmanager
def _mapped(path: Path, *, write: bool = False) -> Iterator[mmap.mmap | None]:
    """None for what is missing, empty or not ours to touch."""
    with contextlib.ExitStack() as stack:
        content = None
        try:
            file = stack.enter_context(path.open("r+b" if write else "rb"))
            access = mmap.ACCESS_WRITE if write else mmap.ACCESS_READ
            content = stack.enter_context(mmap.mmap(file.fileno(), 0, access=access))
        except FileNotFoundError:
            pass
        except ValueError:  # empty
            pass
        except OSError as error:
            log.error("file_not_scrubbed file=%s why=%s", path, error)  # noqa: TRY400  # the traceback says nothing more
        yield content
