"""The item recogniser over TFLite: `card` reads model.toml, `engine` runs the file, `recogniser` makes scores of it.

Faces: `runner` runs any one file; `blazeface` (with `blazenet` and `facetable`) finds; `facemarks`, `faceprint` and
`liveness` look closer.
"""

from cabinet.adapters.tflite.card import Card, ModelError, read_card
from cabinet.adapters.tflite.engine import LITERT, TFLITE, Engine, Engines
from cabinet.adapters.tflite.recogniser import ItemRecogniser

__all__ = ["LITERT", "TFLITE", "Card", "Engine", "Engines", "ItemRecogniser", "ModelError", "read_card"]
