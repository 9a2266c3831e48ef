"""What the cloud says about money, read strictly: the answer to an ask, and the roster from its parts.

Whether a message is the cloud's is known before it comes here.  Nothing is decided here; bad shapes are WireErrors.
"""

from dataclasses import dataclass, field
from typing import Final

from cabinet import wire
from cabinet.identity.credit import Answer, Roster
from cabinet.units import MemberId, VisitId

MAX_IN_PART: Final = 100  # so that a part stays far below the largest payload
MAX_PARTS: Final = 1_000  # 100,000 members; more is an attack on our memory
MAX_ID: Final = 128  # as asyncapi.json says
MAX_NONCE: Final = 64
MAX_WHY: Final = 32


def answer_of(said: wire.Payload) -> Answer:
    """Raises WireError."""
    granted = said.get("granted")
    if not isinstance(granted, bool):
        raise wire.WireError("granted is neither true nor false")
    return Answer(
        VisitId(wire.text_of(said, "visit", MAX_ID)),
        wire.text_of(said, "nonce", MAX_NONCE),
        granted,
        wire.whole_of(said, "hold_minor"),
        wire.text_of(said, "why", MAX_WHY),
    )


@dataclass(slots=True)
class Assembly:
    """Collects the parts of the newest version; a part of an older one is dropped, a newer one begins anew."""

    version: int = -1
    parts: int = 0
    found: dict[int, dict[MemberId, str]] = field(default_factory=dict)

    def add(self, said: wire.Payload) -> Roster | None:
        """The whole roster once its last part has come.  Raises WireError, and changes nothing then."""
        version, part, parts = (wire.whole_of(said, key) for key in ("version", "part", "parts"))
        if not 1 <= parts <= MAX_PARTS or not 1 <= part <= parts:
            raise wire.WireError(f"part {part} of {parts}")
        blocked = _blocked(said)
        if version < self.version:
            return None
        if (version, parts) != (self.version, self.parts):
            self.version, self.parts, self.found = version, parts, {}
        self.found[part] = blocked
        if len(self.found) < parts:
            return None
        whole = {member: why for found in self.found.values() for member, why in found.items()}
        self.found = {}  # the next time it is said counts anew
        return Roster(version, whole)


def _blocked(said: wire.Payload) -> dict[MemberId, str]:
    rows = said.get("blocked")
    if not isinstance(rows, list) or len(rows) > MAX_IN_PART:
        raise wire.WireError(f"blocked is no list of at most {MAX_IN_PART}")
    found = {}
    for row in rows:
        if not isinstance(row, dict):
            raise wire.WireError("blocked holds what is no object")
        found[MemberId(wire.text_of(row, "member", MAX_ID))] = wire.text_of(row, "why", MAX_WHY)
    return found
