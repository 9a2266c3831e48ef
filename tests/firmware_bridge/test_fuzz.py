"""Anything at all over the wire, at either end: no exception but the documented ones, bounded memory, a locked lock."""

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.errors import BridgeError
from tests.firmware_bridge.fuzzing import TARGETS, BoardTarget, HostTarget, Programme, board, host

programmes = st.binary(max_size=40) | st.binary(min_size=200, max_size=800)
KEPT_BYTES = 50_000  # what a target may have kept of three times as much nonsense


@given(programmes)
@settings(max_examples=300, deadline=None)
def test_a_host_survives_whatever_a_board_says(programme: bytes) -> None:
    host(programme)


@given(programmes)
@settings(max_examples=300, deadline=None)
def test_a_board_survives_whatever_a_host_says_and_never_unlocks_without_the_signature(programme: bytes) -> None:
    board(programme)


NONSENSE = [
    pytest.param(lambda n: bytes([n % 255 + 1]) * 4096, id="no end ever"),
    pytest.param(lambda n: bytes(4096), id="only ends"),
    pytest.param(lambda n: bytes((n * k * 31 + k * 7) % 256 for k in range(4096)), id="noise"),
    pytest.param(lambda n: (b"\x01" * 7 + b"\x00") * 512, id="short frames"),
]


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_endless_nonsense_leaves_the_hosts_memory_as_it_was(nonsense: Callable[[int], bytes]) -> None:
    target = HostTarget()

    def feed(count: int) -> None:
        for n in range(count):
            try:
                target.dialogue.receive(nonsense(n), target.now_s)
                target.look()
            except BridgeError:
                target.begin()

    feed(10)
    assert growth(lambda: feed(40)) < KEPT_BYTES


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_endless_nonsense_leaves_the_boards_memory_as_it_was(nonsense: Callable[[int], bytes]) -> None:
    target = BoardTarget()

    def feed(count: int) -> None:
        for n in range(count):
            target.board.receive(nonsense(n), target.now_ms)
            target.live(1)
            target.look()

    feed(10)
    assert growth(lambda: feed(40)) < KEPT_BYTES


@pytest.mark.parametrize("name", TARGETS)
def test_a_programme_reaches_every_kind_of_step(name: str) -> None:
    """The fuzzer's language has no dead words."""
    target = HostTarget() if name == "host" else BoardTarget()
    for step in range(8):
        try:
            target.step(Programme(bytes([step, *range(1, 60)])))
            target.look()
        except BridgeError:
            assert isinstance(target, HostTarget)
            target.begin()


def growth(work: Callable[[], None]) -> int:
    """Bytes kept after it that were not before."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
