"""A member as a person hands them to the far end: a JSON file of our own shape, or what `cabinet members export` wrote.

Only reads; whether the fields are right, the list itself says.  From a copy for the member it takes what a cabinet
needs and nothing else: no name, no visits.  It refuses faces that the member has not agreed to share.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cabinet.identity.entry import MAX_NUMBERS, packed

OURS: Final = frozenset(
    {"member", "consent", "share_face", "verified", "age", "digits", "keys", "cards", "templates", "cabinets"}
)
AGREED: Final = ("version", "language", "at_ms")
LARGEST: Final = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]  # float32


class MemberFileError(ValueError):
    """The message names the field."""


@dataclass(frozen=True, slots=True)
class Said:
    entry: dict[str, Any]  # fields of an entry, as many as the file has
    cabinets: object = None
    named: bool = False  # the file says which cabinets


def read(raw: object, *, faces: bool = True) -> Said:
    """`faces`: False leaves them out.  Raises MemberFileError."""
    if not isinstance(raw, dict):
        raise MemberFileError("the file holds no JSON object")
    said = _exported(raw, faces=faces) if "rows" in raw else dict(raw)
    unknown = sorted(set(said) - OURS)
    if unknown:
        raise MemberFileError(f"{unknown[0]}: is no field of a member; known are {', '.join(sorted(OURS))}")
    if not faces:
        said.pop("templates", None)
    elif "templates" in said:
        said["templates"] = _templates(said["templates"])
    named = "cabinets" in said
    return Said(said, said.pop("cabinets", None), named)


def _exported(raw: Mapping[str, Any], *, faces: bool) -> dict[str, Any]:
    """The newest consent of each kind counts.  Printed cards are not in a copy: they cannot be read back."""
    rows = raw["rows"] if isinstance(raw["rows"], dict) else {}
    consents = {one["what"]: one for one in _rows(rows, "consent") if isinstance(one.get("what"), str)}
    agreed = {what: {name: one.get(name) for name in AGREED} for what, one in consents.items() if one.get("given") == 1}
    if "enrol" not in agreed:
        raise MemberFileError("consent: the copy holds none that the member has given and not taken back")
    templates = raw.get("templates") or []
    if faces and templates and "share-face" not in agreed:
        raise MemberFileError("templates: the member has not agreed to share their face (share-face)")
    there = next(iter(_rows(rows, "member")), {})
    return {
        "member": raw.get("member"),
        "consent": agreed["enrol"],
        "share_face": agreed.get("share-face"),
        "verified": there.get("verified") == 1,
        "age": there.get("age") or 0,
        "digits": raw.get("digits") or "",
        "keys": [key.get("public") for key in _rows(rows, "member_key")],
        "templates": templates,
    }


def _rows(rows: Mapping[str, Any], table: str) -> list[dict[str, Any]]:
    found = rows.get(table, [])
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _templates(raw: object) -> object:
    """Numbers become base64; whatever else is wrong, the list finds."""
    if not isinstance(raw, list):
        return raw
    made = []
    for place, one in enumerate(raw):
        if not isinstance(one, dict) or not set(one) & {"numbers", "vector"}:
            raise MemberFileError(f"templates[{place}]: is not {{model, numbers}}")
        name = "numbers" if "numbers" in one else "vector"
        others = {key: value for key, value in one.items() if key != name}
        made.append({**others, "vector": _packed(f"templates[{place}].{name}", one[name])})
    return made


def _packed(name: str, numbers: object) -> str:
    if isinstance(numbers, str):  # as the list itself has it
        return numbers
    right = isinstance(numbers, list) and 0 < len(numbers) <= MAX_NUMBERS
    if not isinstance(numbers, list) or not right or not all(_is_number(number) for number in numbers):
        raise MemberFileError(f"{name}: is no list of 1 to {MAX_NUMBERS} numbers")
    return packed(numbers)


def _is_number(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and abs(value) <= LARGEST
    )
