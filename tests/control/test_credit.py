"""What a technician sees of holds and limits, beside what is seen anyway."""

import asyncio
from typing import Any

import pytest

from cabinet.control.credit import CreditRoom
from tests.control.room import Room

FIGURES = {"policy": "cloud", "blocked": 1}


def ask(room: Room, operation: str) -> dict[str, Any]:
    seen = CreditRoom(room.looking, lambda: FIGURES).operations()
    answer: dict[str, Any] = asyncio.run(seen[operation]({}, "tech"))
    return answer


@pytest.mark.parametrize("operation", ["status", "doctor"])
def test_the_figures_stand_beside_what_is_seen_anyway(room: Room, operation: str) -> None:
    seen = ask(room, operation)
    assert seen["credit"] == FIGURES
    assert set(seen) == {*asyncio.run(room.ask(operation)), "credit"}
