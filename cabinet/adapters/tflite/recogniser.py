"""The item recogniser: a TFLite model that finds and embeds, and a comparison with the references of the gallery.

Numbers that are no numbers, a crop that is no picture, a gallery of another model: always an error, never "nothing
seen".  A model that has stopped making sense stays in `trouble` until the daemon is restarted with another one.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cabinet.adapters.tflite.card import ModelError, checked_bytes, read_card
from cabinet.adapters.tflite.engine import Engines, Pixels
from cabinet.ports import PortError, Scores
from cabinet.vision.finding import box_of
from cabinet.vision.gallery import Gallery
from cabinet.vision.likeness import ForeignReferenceError, Known, Vectors, known, probabilities
from cabinet.vision.pictures import Box

KEPT = 2  # galleries kept as matrices: the catalogue, and one made for a single question


class ItemRecogniser:
    """Implements `Recogniser`.  Calls from several threads each borrow an interpreter."""

    def __init__(self, folder: Path, runtime: str = "auto", delegate: str | None = None) -> None:
        """Loads `folder`/model.toml and the file it names.  `runtime`, `delegate`: as in `Engines`.

        Raises ModelError with the remedy.
        """
        self.card = read_card(folder)
        self.engines = Engines(checked_bytes(folder / self.card.file, self.card.sha256), self.card, runtime, delegate)
        self.runtime = self.engines.runtime
        self._known: list[Known] = []
        self._broken: str | None = None
        self._wake()

    @property
    def name(self) -> str:
        """Which model made a vector: vectors of different names never compare."""
        return f"{self.card.name}-{self.card.version}-{self.card.sha256[:8]}"

    def model_info(self) -> dict[str, str]:
        """For doctor."""
        card = self.card
        return {
            "model": self.name, "runtime": self.runtime, "sha256": card.sha256, "input": "x".join(map(str, card.shape)),
            "temperature": f"{card.fit.temperature:g}", "other_threshold": f"{card.fit.other_threshold:g}",
        }  # fmt: skip

    def trouble(self) -> str | None:
        """Why it cannot be trusted any more, or None."""
        return self._broken

    def embed(self, crop: Pixels) -> tuple[float, ...]:
        """A unit vector of a tight crop (BGR).  Raises PortError."""
        return tuple(map(float, self.vectors([crop])[0]))

    def embed_all(self, crops: Sequence[Pixels]) -> list[tuple[float, ...]]:
        return [tuple(map(float, vector)) for vector in self.vectors(crops)]

    def find(self, picture: Pixels) -> Box:
        """The tight box of the product that a whole photograph (BGR) is of.  Raises PortError."""
        with self.engines.lent() as engine:
            odds = engine.run(picture).odds
        return box_of(odds, picture.shape[1], picture.shape[0])

    def scores(self, crop: Pixels, gallery: Gallery) -> Scores:
        """As `cabinet.vision.likeness` has it.  An empty gallery knows nothing: `other` is 1.  Raises PortError."""
        return self.scores_all([crop], gallery)[0]

    def scores_all(self, crops: Sequence[Pixels], gallery: Gallery) -> list[Scores]:
        if not crops:
            return []
        among = self._among(gallery)
        shares: NDArray[np.float64] = probabilities(self.vectors(crops), among, self.card.fit)
        return [Scores(dict(zip(among.skus, map(float, row), strict=False)), float(row[-1])) for row in shares]

    def vectors(self, crops: Sequence[Pixels]) -> Vectors:
        """Crops x dimension, of unit length: one interpreter for all of them, no crop copied."""
        found = np.empty((len(crops), self.card.dim), np.float32)
        with self.engines.lent() as engine:
            for row, crop in zip(found, crops, strict=True):
                engine.fill(crop)
                try:
                    row[:] = engine.answer().vector
                except PortError as error:
                    self._broken = str(error)
                    raise
        return found

    def _among(self, gallery: Gallery) -> Known:
        """The gallery as a matrix; a gallery is replaced when it changes, never changed in place."""
        for there in self._known:
            if there.gallery is gallery and len(there.skus) == len(gallery):
                return there
        try:
            made = known(gallery, self.card.dim, self.card.fit)
        except ForeignReferenceError as error:
            raise PortError(
                f"recogniser: the reference of {error} was made by another model: add its photographs again"
            ) from error
        self._known = [made, *self._known][:KEPT]
        return made

    def _wake(self) -> None:
        """Two pictures that have nothing in common must not look alike to it."""
        dark, speckled = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64, 3), np.uint8)
        speckled[::3, :, 1] = speckled[:, ::5, 2] = 255
        try:
            one, other = self.vectors([dark, speckled])
        except PortError as error:
            raise ModelError(str(error)) from error
        if float(one @ other) > 0.999:
            raise ModelError("recogniser: the model gives one answer for every picture: restore models/item")
