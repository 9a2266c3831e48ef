"""What was taken and what it costs: the recogniser of items, the tally, the price list."""

from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from cabinet.config.values import MODELS, Positive, Section

OUR_MODEL = MODELS / "item"


class Items(Section):
    model: Path = OUR_MODEL  # folder with model.toml
    runtime: Literal["auto", "litert", "tflite"] = "auto"  # auto: the faster of those that can run the model
    delegate: str = ""  # shared library of an accelerator, such as libedgetpu.so.1; empty: the CPU


class Tally(Section):
    overcharge_cost: Positive = 5.0  # what a mistake costs, in any one unit: only the ratios count
    undercharge_cost: Positive = 3.5
    review_cost: Positive = 1.0  # a bill whose expected cost is higher than this goes to a person
    shadow: list[Literal["mps", "no-sight", "weight-only"]] = Field(
        default_factory=list
    )  # judge beside the tally, never billed


class Prices(Section):
    time_zone: str = "UTC"  # IANA name, for discounts with days or times
    tax_included: bool = True  # in the catalogue's prices and deposits; False: added to the bill

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown, no name at all, a folder of the database
            raise ValueError("is no time zone of this machine: write one of `timedatectl list-timezones`") from None
        return name
