"""For `cabinet eval tally --frames GALLERY`: traces as the product's own eyes see them, a process at a time.

The gallery is read once, by whoever hands out the work; every process that works keeps a model of its own.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cabinet.cli.errors import RefusedError
from cabinet.rewatch import RewatchError, rewatch

__all__ = ["RewatchError", "gallery_in", "rewatched"]

if TYPE_CHECKING:
    from cabinet.adapters.tflite import ItemRecogniser
    from cabinet.basket.evidence import Visit
    from cabinet.vision.gallery import Gallery


def gallery_in(folder: Path, option: str = "--frames") -> "Gallery":
    """What folder/SKU/*.jpg show, as `cabinet eval items --gallery` reads them; names the pictures it cannot read.

    Numbers only: it can be sent to another process.  Raises BadInputError, RefusedError.
    """
    from cabinet.cli.evaluate.items import gallery_of, look, photos_of  # noqa: PLC0415  with its heavy imports

    taught = look(_recogniser(os.getpid()), photos_of(folder, option), "references")
    for line in taught.skipped:
        typer.secho(f"  skipped {line}", fg="yellow", err=True)
    return gallery_of(taught)


def rewatched(path: Path, visit: "Visit", gallery: "Gallery") -> "Visit":
    """The visit of the trace at `path` with the sightings of our own eyes.  Raises RewatchError, which names it."""
    return rewatch(path, visit, _recogniser(os.getpid()), gallery)


@lru_cache(maxsize=1)
def _recogniser(_process: int) -> "ItemRecogniser":
    """A process that was forked must not use its parent's: a runtime's threads do not come along."""
    from cabinet.adapters.tflite import ItemRecogniser, ModelError  # noqa: PLC0415  a runtime
    from cabinet.config import OUR_MODEL  # noqa: PLC0415  pydantic

    try:
        return ItemRecogniser(OUR_MODEL)
    except ModelError as error:
        raise RefusedError(str(error)) from error
