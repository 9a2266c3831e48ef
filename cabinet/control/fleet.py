"""The fleet's list of members as a technician sees it: added to the answers of status and doctor.

It only looks; who is on that list is the cloud's business.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cabinet.control.credit import CreditRoom
from cabinet.control.requests import Answer, Arguments


@dataclass
class FleetRoom:
    """Its operations stand in the place of those it adds to."""

    inner: CreditRoom
    figures: Callable[[], Mapping[str, Any]]

    def operations(self) -> dict[str, Any]:
        return {**self.inner.operations(), "status": self.status, "doctor": self.doctor}

    async def status(self, arguments: Arguments, origin: str) -> Answer:
        return {**await self.inner.status(arguments, origin), "fleet": dict(self.figures())}

    async def doctor(self, arguments: Arguments, origin: str) -> Answer:
        return {**await self.inner.doctor(arguments, origin), "fleet": dict(self.figures())}
