"""What a request may hold: every argument is looked at before anything is done, and refused with the remedy."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from cabinet.basket.evidence import Product
from cabinet.ledger import EntryRefusedError

MAX_PHOTOS = 20

Arguments = Mapping[str, Any]
Answer = dict[str, Any]


class RequestError(Exception):
    """The request cannot be done; `remedy` says what to do instead."""

    def __init__(self, error: str, remedy: str = "") -> None:
        super().__init__(error)
        self.remedy = remedy


class Refusals:
    """`with Refusals():` - what the ledger refuses is told to whoever asked."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, EntryRefusedError):
            raise RequestError(str(error), "correct it and try again") from error


def text(arguments: Arguments, key: str, default: str | None = None) -> str:
    value = arguments.get(key, default)
    if not isinstance(value, str) or not value.strip():
        raise RequestError(f"{key} is missing or empty", f"give {key} as text")
    return value


def integer(arguments: Arguments, key: str, default: int | None = None, *, low: int, high: int) -> int:
    value = arguments.get(key, default)
    if value is None and default is not None:
        value = default
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise RequestError(f"{key} is {value!r}", f"give a whole number from {low} to {high}")
    return value


def number(arguments: Arguments, key: str) -> float | None:
    value = arguments.get(key)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise RequestError(f"{key} is {value!r}", "give a number of grams")
    return float(value)


def product(arguments: Arguments) -> Product:
    mass_g = number(arguments, "mass_g")
    if mass_g is None:
        raise RequestError("mass_g is missing", "weigh one unit and give its grams")
    return Product(
        name=text(arguments, "name"),
        mass_g=mass_g,
        unit_price=integer(arguments, "unit_price", low=0, high=100_000_000),
        mass_sd_g=number(arguments, "mass_sd_g"),
        tax=text(arguments, "tax", "standard"),
        min_age=integer(arguments, "min_age", 0, low=0, high=120),
        deposit=integer(arguments, "deposit", 0, low=0, high=100_000_000),
    )


def photos(arguments: Arguments) -> list[bytes]:
    given = arguments.get("photos") or []
    if not isinstance(given, list) or len(given) > MAX_PHOTOS:
        raise RequestError("too many photographs", f"give at most {MAX_PHOTOS}")
    try:
        return [base64.b64decode(photo, validate=True) for photo in given]
    except (binascii.Error, TypeError, ValueError) as error:
        raise RequestError("a photograph is not base64", "send the file's bytes as base64") from error
