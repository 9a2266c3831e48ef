"""The fleet's list of members, beside what status and doctor say already."""

import asyncio
from typing import Any

from cabinet.control.fleet import FleetRoom


class Inner:
    """As much of the room that it adds to as it asks for."""

    def operations(self) -> dict[str, Any]:
        return {"status": self.status, "doctor": self.doctor, "members.list": self.members_list}

    async def status(self, _: object, __: str) -> dict[str, Any]:
        return {"state": "Idle", "credit": {}}

    async def doctor(self, _: object, __: str) -> dict[str, Any]:
        return {"parts": []}

    async def members_list(self, _: object, __: str) -> dict[str, Any]:
        return {"members": []}


FIGURES = {"version": 5, "age_s": 12, "members": 2, "stale": False, "most_s": 604_800}


def test_status_and_doctor_tell_of_the_list_and_the_others_are_as_before() -> None:
    room = FleetRoom(Inner(), lambda: FIGURES)  # type: ignore[arg-type]  # as much of it as is asked
    operations = room.operations()
    asked = {name: asyncio.run(operation({}, "ann")) for name, operation in operations.items()}
    assert asked["status"] == {"state": "Idle", "credit": {}, "fleet": FIGURES}
    assert asked["doctor"] == {"parts": [], "fleet": FIGURES}
    assert asked["members.list"] == {"members": []}
