"""Holds and limits as a technician sees them: added to the answers of status and doctor.

It only looks; whom no cabinet lets in is the cloud's list, and is changed there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cabinet.control.looking import Looking
from cabinet.control.requests import Answer, Arguments


@dataclass
class CreditRoom:
    """Its operations stand in the place of `Looking`'s own."""

    looking: Looking
    figures: Callable[[], Mapping[str, Any]]

    def operations(self) -> dict[str, Any]:
        return {"status": self.status, "doctor": self.doctor}

    async def status(self, arguments: Arguments, origin: str) -> Answer:
        return {**await self.looking.status(arguments, origin), "credit": dict(self.figures())}

    async def doctor(self, arguments: Arguments, origin: str) -> Answer:
        return {**await self.looking.doctor(arguments, origin), "credit": dict(self.figures())}
