"""Files that commands write: whole or not at all, never over another one, and readable by their owner alone."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from cabinet.cli.errors import BadInputError, RefusedError


@contextlib.contextmanager
def new_file(path: Path, option: str) -> Iterator[IO[bytes]]:
    """Made before the daemon is asked, so that a wrong path costs nothing; removed again where the asking fails."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise BadInputError(f"{option}: {path} is there already", "name another file, or remove it first") from error
    except OSError as error:
        raise BadInputError(f"{option}: {path} cannot be written ({error.strerror})", "name another file") from error
    try:
        with open(number, "wb") as file:  # noqa: PTH123  # a descriptor has no path
            yield file
    except OSError as error:
        path.unlink(missing_ok=True)
        raise RefusedError(f"{option}: {path} could not be written ({error.strerror})", "is the disk full?") from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def save_figure(figure: Any, path: Path) -> None:  # noqa: ANN401  a matplotlib figure, which nobody imports for its name
    """Raises RefusedError where the picture cannot be written."""
    try:
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise RefusedError(
            f"--picture: {path} cannot be written ({error})", "name a .png in a folder of yours"
        ) from error
