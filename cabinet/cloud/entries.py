"""What the cloud's store takes and tells: values without behaviour, and the bookkeeper that it calls."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from cabinet.wire import GENESIS, Payload

Finding = Literal["stored", "duplicate", "fork"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Everything up to `hwm` is stored, and `h` is that event's hash; (0, 64 zeros) before the first."""

    hwm: int = 0
    h: str = GENESIS


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one event, and where its store stands by the transaction that took it."""

    finding: Finding
    mark: Mark
    above: dict[int, str]  # stored beyond the gap: seq → hash, the lowest first
    alarms: tuple[str, ...] = ()  # the kinds of alarm that it raised


@dataclass(frozen=True, slots=True)
class Charge:
    visit: str
    cab: str
    member: str | None
    total_minor: int
    currency: str
    lines: tuple[dict[str, Any], ...]
    seq: int
    stored_ms: int
    review: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    cab: str
    store: str
    seq: int
    h: str
    visit: str | None
    type: str
    body: dict[str, Any]
    wall_ms: int
    clock: str
    stored_ms: int
    redacted: int = 0  # 1: the body is not what was hashed, because a card number stood in it


@dataclass(frozen=True, slots=True)
class Alarm:
    cab: str
    kind: str
    what: str
    at_ms: int


class Bookkeeper(Protocol):
    """Called within the transaction that stores the event, once per event and in whatever order events arrive.

    What it raises undoes the event as well: it is not acknowledged then and comes again.
    """

    def opened(self, cab: str, event: Payload, now_ms: int) -> None: ...

    def closed(self, cab: str, event: Payload, charge: Charge | None, now_ms: int) -> None:
        """`charge`: newly stored by this event, else None."""
        ...

    def adjusted(self, cab: str, event: Payload, now_ms: int) -> None: ...

    def alarmed(self, visit: str, why: str, now_ms: int) -> None:
        """A person has to look at it before it is captured."""
        ...
