"""model.toml: what a model file takes, gives and was fitted with.  Refuses a file that is not the one it speaks of."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cabinet.ports import PortError
from cabinet.vision.likeness import Fit


class ModelError(PortError):
    """The model folder or its file is not what it should be."""


@dataclass(frozen=True, slots=True)
class Card:
    """model.toml."""

    name: str
    version: str
    file: str
    sha256: str
    shape: tuple[int, ...]  # batch, height, width, channel
    colour: str
    mean: float
    std: float
    dim: int
    grid: int  # cells a side of the finder's map
    fit: Fit


def read_card(folder: Path) -> Card:
    """Raises ModelError naming the file and the key."""
    path = folder / "model.toml"
    try:
        card = _card(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; name the model's folder under [items]") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: {error}") from error
    except KeyError as error:
        raise ModelError(f"{path}: the key {error} is missing") from error
    if len(card.shape) != 4 or card.shape[0] != 1 or card.fit.temperature <= 0 or card.std <= 0 or card.grid <= 0:
        raise ModelError(f"{path}: shape, std, grid or temperature is out of its range")
    if card.colour not in {"RGB", "BGR"}:
        raise ModelError(f"{path}: colour is {card.colour!r}, must be RGB or BGR")
    return card


def _card(facts: Mapping[str, Any]) -> Card:
    entry, leaving, match = facts["input"], facts["output"], facts["match"]
    fit = Fit(
        float(match["temperature"]), float(match["other_threshold"]), float(match["spread_weight"]),
        float(match["usual_spread"]),
    )  # fmt: skip
    return Card(
        str(facts["name"]), str(facts["version"]), str(facts["file"]), str(facts["sha256"]).lower(),
        tuple(int(n) for n in entry["shape"]), str(entry.get("colour", "RGB")),
        float(entry["mean"]), float(entry["std"]), int(leaving["dim"]), int(leaving["grid"]), fit,
    )  # fmt: skip


def checked_bytes(path: Path, wanted: str) -> bytes:
    """The file, if its sha256 is `wanted`.  Raises ModelError with both hashes."""
    try:
        model = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; fetch the model again") from error
    found = hashlib.sha256(model).hexdigest()
    if found != wanted:
        raise ModelError(f"{path}: sha256 is {found}, model.toml says {wanted}: fetch the model again")
    return model
