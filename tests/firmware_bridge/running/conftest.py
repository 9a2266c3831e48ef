"""The running firmware: an emulated board in its own processes, reached over its pty."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from firmware_bridge.bench import EmulatedBoard

Start = Callable[..., EmulatedBoard]


@pytest.fixture
def start() -> Iterator[Start]:
    """`start(zones, options)`: a board that lives as long as the test."""
    with ExitStack() as stack:
        yield lambda zones=2, *, options=(), key=None, blank=False: stack.enter_context(
            EmulatedBoard(zones, options=options, key=None)
            if blank
            else EmulatedBoard(zones, options=options, **({} if key is None else {"key": key}))
        )


@pytest.fixture
def board(start: Start) -> EmulatedBoard:
    return start()
