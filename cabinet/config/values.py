"""What the values of every section are made of: bounds, names, money, and a refusal."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]  # goes into topics, file names and part names
ZoneName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]  # as the ledger keeps stock by
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Point = tuple[float, float]
Amount = Annotated[int, Field(ge=0, le=1_000_000_000)]  # minor units

MODELS = Path(__file__).parents[2] / "models"


class ConfigError(Exception):
    """The file is wrong; the message says where and what to do, a line per fault."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
