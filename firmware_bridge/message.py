"""How one message becomes bytes and comes back: the base of every class in orders.py and reports.py."""

import struct
from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar, Self

from firmware_bridge.errors import MessageError

PROTOCOL = 2  # version of the messages; agreed by Hello before anything moves
VISIT_BYTES = 16  # an ULID or UUID

Cast = Callable[[Any], object]


def flag(value: int) -> bool:
    """0 or 1, and nothing else."""
    if value not in (0, 1):
        raise ValueError(f"{value} is no truth value")
    return bool(value)


class Message:
    """One message.  LAYOUT packs the fields in their order, CASTS gives them their types back and refuses
    (ValueError) what is out of range.
    """

    __slots__ = ()
    CODE: ClassVar[int]
    LAYOUT: ClassVar[struct.Struct]
    CASTS: ClassVar[tuple[Cast, ...]] = ()

    def to_bytes(self) -> bytes:
        """MessageError if a field is out of range."""
        try:
            body = self._pack()
            if self.unpack(body) != self:
                raise ValueError("a field has the wrong length")  # noqa: TRY301  struct pads and cuts in silence
        except (struct.error, ValueError) as error:
            raise MessageError(f"{self}: {error}") from error
        return bytes((self.CODE,)) + body

    def _pack(self) -> bytes:
        values = (getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]  # every subclass is a dataclass
        return self.LAYOUT.pack(*values)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The message of a payload without its code.  struct.error or ValueError for nonsense."""
        values = cls.LAYOUT.unpack(body)
        return cls(*(cast(value) for cast, value in zip(cls.CASTS, values, strict=True)))
