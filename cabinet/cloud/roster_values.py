"""The fleet's list of members as values: at one version, and each member as a person may look at them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cabinet.identity.roster import digest
from cabinet.units import MemberId


@dataclass(frozen=True, slots=True)
class View:
    """The list at one version."""

    version: int
    rows: Mapping[MemberId, tuple[str, frozenset[str] | None]]  # member → fingerprint, cabinets (None: all)
    _digests: dict[str, str] = field(default_factory=dict)

    def of(self, cab: str) -> dict[MemberId, str]:
        return {member: found for member, (found, cabs) in self.rows.items() if cabs is None or cab in cabs}

    def digest(self, cab: str) -> str:
        """The same for all cabinets where every member is everywhere."""
        name = "" if all(cabs is None for _, cabs in self.rows.values()) else cab
        if name not in self._digests:
            self._digests[name] = digest(self.of(cab))
        return self._digests[name]


@dataclass(frozen=True, slots=True)
class Listed:
    """A member as a person may look at them; never a face, a key or digits."""

    member: MemberId
    version: int
    cabinets: tuple[str, ...] | None
    consent: dict[str, Any]
    share_face: dict[str, Any] | None
    verified: bool
    age: int
    digits: bool
    keys: int
    cards: int
    templates: dict[str, int]  # model → how many
    who: str
    at_ms: int


def places(cabs: str) -> frozenset[str] | None:
    found = json.loads(cabs)
    return None if found is None else frozenset(found)


def listed(row: dict[str, Any]) -> Listed:
    entry = json.loads(row["entry"])
    models = [template["model"] for template in entry["templates"]]
    cabs = json.loads(row["cabs"])
    return Listed(
        MemberId(row["member"]), row["version"], None if cabs is None else tuple(cabs), entry["consent"],
        entry["share_face"], entry["verified"], entry["age"], bool(entry["digits"]), len(entry["keys"]),
        len(entry["cards"]), {model: models.count(model) for model in sorted(set(models))}, row["who"], row["at_ms"],
    )  # fmt: skip  # a row
