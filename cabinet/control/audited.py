"""Which operations only look and which change something, and what of each may stand in the audit trail.

A list of what may be written, never of what may not: ids, places, numbers and a few words, each of its own shape.  No
photograph, key, digit of a telephone, reason or name of a person comes through, not even one typed in the wrong place.
An operation that is missing here is taken for one that changes something, of which nothing may be written.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from cabinet.control.requests import Answer, Arguments
from cabinet.logsafe import redacted

MAX_SUBJECT: Final = 200  # characters
MAX_ERROR: Final = 160
LONGEST: Final = 4096  # of a typed text that an error may repeat; a photograph is longer

WORDS: Final = (  # that may be typed
    "restock", "service", "markers", "empty", "filled", "cancel", "calibrate",
    "tamper", "swap", "misconduct", "dispute-lost", "foreign", "covered", "vouched", "forgiven",
)  # fmt: skip  # a list

Shape = Literal["id", "place", "sku", "word", "answer", "number", "kid"]
_SHAPES: Final[Mapping[Shape, re.Pattern[str]]] = {
    "id": re.compile(r"[0-9A-HJKMNP-TV-Z]{26}"),  # a ULID
    "place": re.compile(r"[A-Za-z0-9_.:-]{1,32}"),  # zones and cameras, as the configuration names them
    "sku": re.compile(r"(?!\d{15})[A-Za-z0-9_.-]{1,64}"),  # a barcode has 14 digits at most, a payment card more
    "word": re.compile("|".join(WORDS)),
    "answer": re.compile(r"[a-z][a-z _-]{0,23}"),  # of a part, never of a person
    "number": re.compile(r"-?\d{1,12}(\.\d{1,4})?"),
    "kid": re.compile(r"[0-9a-f]{16}"),
}


@dataclass(frozen=True, slots=True)
class Changes:
    """`told`: arguments that may be written; `made`: fields of the answer that may."""

    told: Mapping[str, Shape] = field(default_factory=dict)
    made: Mapping[str, Shape] = field(default_factory=dict)


READS: Final = frozenset(
    {
        "status", "doctor", "outbox", "visits.list", "visits.show", "visits.export", "visits.picture", "members.list",
        "catalog.list", "catalog.check", "catalog.masses", "stock.list", "stock.strays", "shadow.show", "prices.show",
        "prices.check", "charges.list", "charges.show", "board.info", "board.log", "scale.show", "camera.list",
        "camera.snapshot", "technicians.list", "technicians.log", "technicians.verify", "members.keys",
        "members.trust", "visits.refused",
        # These leave a line of their own, in the list of who looked at what of whom: cabinet visits accesses.
        "visits.verify", "visits.accesses", "members.export",
    }
)  # fmt: skip  # a list
SHOPPERS: Final = frozenset({"shopper.screen", "shopper.digits", "shopper.confirm"})  # typed by whoever shops
PAGE_USER: Final = "cabinet-screen"  # under whose name they come; from anybody else they are a technician's doing
_MEMBER: Final[Mapping[str, Shape]] = {"member": "id"}
_ZONE: Final[Mapping[str, Shape]] = {"zone": "place"}
_CHANGE: Final[Mapping[str, Shape]] = {"visit": "id", "id": "id"}
CHANGES: Final[Mapping[str, Changes]] = {
    "unlock": Changes({"purpose": "word"}, {"visit": "id"}),
    "members.add": Changes(made=_MEMBER),
    "members.erase": Changes(_MEMBER),
    "members.age": Changes(_MEMBER),
    "members.photo": Changes(_MEMBER, {"templates": "number"}),
    "members.digits": Changes(_MEMBER),
    "members.verify": Changes(_MEMBER),
    "members.withdraw": Changes(_MEMBER, {"templates": "number"}),
    "members.trust_book": Changes({**_MEMBER, "kind": "word"}, {"points": "number"}),
    "members.key_add": Changes(_MEMBER, {"kid": "kid"}),
    "members.key_remove": Changes({**_MEMBER, "kid": "kid"}),
    "catalog.add": Changes({"sku": "sku", "zone": "place", "count": "number"}, {"price_version": "number"}),
    "catalog.forget_mass": Changes({"sku": "sku"}),
    "stock.set": Changes({"zone": "place", "sku": "sku", "count": "number"}),
    "prices.set": Changes(made={"price_version": "number"}),
    "charges.refund": Changes({**_CHANGE, "amount_minor": "number"}, {"back_minor": "number"}),
    "charges.correct": Changes(_CHANGE, {"back_minor": "number"}),
    "charges.dispute": Changes(_CHANGE),
    "board.commission": Changes(made={"per_hour": "number", "per_day": "number"}),
    "board.let_go": Changes(),
    "board.take_back": Changes(),
    "board.selftest": Changes(),
    "scale.tare": Changes({**_ZONE, "then": "word"}, {"answer": "answer"}),
    "scale.point": Changes({**_ZONE, "slot": "number", "mass_g": "number"}, {"answer": "answer"}),
    "scale.calibrate": Changes(_ZONE, {"answer": "answer"}),
    "scale.cancel": Changes(_ZONE),
    "camera.calibrate": Changes({"camera": "place", "how": "word", "step": "word", "zone": "place"}),
    "camera.forget": Changes({"camera": "place"}),
    "technicians.add": Changes(made={"technician": "id"}),
    "technicians.remove": Changes({"technician": "id"}),
    "technicians.code": Changes({"technician": "id", "purpose": "word", "minutes": "number"}),
    "technicians.key": Changes({"technician": "id"}, {"kid": "kid"}),
    "technicians.forget_key": Changes({"kid": "kid"}),
}


def changes(operation: str, who: str) -> Changes | None:
    """None: it only looks, or it is the shopper's answer."""
    if operation in READS or (operation in SHOPPERS and who == PAGE_USER):
        return None
    return CHANGES.get(operation, Changes())


def subject(given: Arguments | Answer, allowed: Mapping[str, Shape]) -> str:
    """`key=value`s of what may be written; `?` for a value that has not the shape it ought to have."""
    told = [f"{key}={_value(given[key], shape)}" for key, shape in allowed.items() if given.get(key) is not None]
    return " ".join(told)[:MAX_SUBJECT]


def error_text(error: Exception, arguments: Arguments) -> str:
    """What was wrong, without anything that was typed: quotations and arguments become `…`."""
    said = str(error) or type(error).__name__
    for typed in sorted(set(_texts([*arguments.values()])), key=len, reverse=True):
        if 1 < len(typed) <= len(said):
            said = said.replace(typed, "…")
    said = re.sub(r"(?<!\w)'[^']*'|\"[^\"]*\"", "…", said)
    return redacted("".join(char if char.isprintable() else " " for char in said))[:MAX_ERROR]


def _value(value: object, shape: Shape) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "?"
    return str(value) if _SHAPES[shape].fullmatch(str(value)) else "?"


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401  # JSON of whoever asks
    match value:
        case str() if len(value) <= LONGEST:
            yield from (value, value.strip())
        case Mapping():
            for key, inner in value.items():
                yield str(key)
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
