"""The clock that other tests trust."""

import asyncio
import time

import pytest

from tests.support.virtual_time import VirtualTimeLoop, run_in_virtual_time


def test_an_hour_passes_in_a_moment() -> None:
    async def wait() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    began_s = time.monotonic()
    assert run_in_virtual_time(wait()) == pytest.approx(3600)
    assert time.monotonic() - began_s < 3600


def test_timers_fire_in_the_order_of_their_times() -> None:
    fired: list[tuple[str, float]] = []

    async def wait() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(0.3, lambda: fired.append(("late", loop.time())))
        loop.call_later(0.1, lambda: fired.append(("early", loop.time())))
        await asyncio.sleep(1)

    run_in_virtual_time(wait())
    assert [name for name, _ in fired] == ["early", "late"]
    assert [at_s for _, at_s in fired] == pytest.approx([0.1, 0.3])


def test_a_callback_from_elsewhere_comes_before_the_next_timer() -> None:
    async def wait() -> list[str]:
        loop, seen = asyncio.get_running_loop(), list[str]()
        loop.call_later(0.1, seen.append, "timer")
        loop.call_soon_threadsafe(seen.append, "thread")
        await asyncio.sleep(0.2)
        return seen

    assert run_in_virtual_time(wait()) == ["thread", "timer"]


def test_time_moved_by_hand_makes_a_timer_due() -> None:
    async def wait() -> bool:
        loop, due = asyncio.get_running_loop(), asyncio.Event()
        assert isinstance(loop, VirtualTimeLoop)
        loop.call_later(5.0, due.set)
        loop.advance(6.0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return due.is_set() and loop.time() == pytest.approx(6.0)

    assert run_in_virtual_time(wait())
