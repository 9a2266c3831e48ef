"""Wires that lose, turn, cut and delay, and the links at both ends of one, the host's and the firmware's."""

import random
from collections import deque
from collections.abc import Callable

from firmware_bridge.firmware.wire import BoardLink
from firmware_bridge.frames import END
from firmware_bridge.link import Link

Damage = Callable[[bytes], bytes]
STEP_MS = 10


def clean() -> Damage:
    return lambda data: data


def lossy(seed: int = 1) -> Damage:
    """Every fifth frame vanishes."""
    dice = random.Random(seed)

    def lose(data: bytes) -> bytes:
        *frames, rest = data.split(END)
        return b"".join(frame + END for frame in frames if dice.random() >= 0.2) + rest

    return lose


def noisy(seed: int = 2) -> Damage:
    """One of a hundred bits comes over turned."""
    dice = random.Random(seed)

    def flip(data: bytes) -> bytes:
        masks = (sum((dice.random() < 0.01) << bit for bit in range(8)) for _ in data)
        return bytes(byte ^ mask for byte, mask in zip(data, masks, strict=True))

    return flip


class Way:
    """One direction: damaged, then up to `latest_ms` later at the other end in pieces of `piece` bytes (0: whole)."""

    def __init__(self, damage: Damage, piece: int = 0, latest_ms: int = 0, seed: int = 3) -> None:
        self.damage, self._piece, self._latest_ms = damage, piece, latest_ms
        self._dice = random.Random(seed)
        self._under_way: deque[tuple[int, bytes]] = deque()
        self._arrived_ms = 0

    def put(self, data: bytes, now_ms: int) -> None:
        if data := self.damage(data):
            self._arrived_ms = max(self._arrived_ms, now_ms + self._dice.randint(0, self._latest_ms))
            self._under_way.append((self._arrived_ms, data))

    def take(self, now_ms: int) -> list[bytes]:
        """What has arrived by now."""
        pieces: list[bytes] = []
        while self._under_way and self._under_way[0][0] <= now_ms:
            data = self._under_way.popleft()[1]
            size = self._piece or len(data)
            pieces += (data[at : at + size] for at in range(0, len(data), size))
        return pieces


class Wire:
    """Both links; `at_board` and `at_host` are the payloads that came through."""

    def __init__(self, make: Callable[[], tuple[Way, Way]], max_tries: int) -> None:
        self.host, self.board = Link(max_tries), BoardLink()
        self.to_board, self.to_host = make()
        self.now_ms = 0
        self.at_board: list[bytes] = []
        self.at_host: list[bytes] = []
        self.sessions = 0
        self.open()

    @property
    def now_s(self) -> float:
        return self.now_ms / 1000

    def open(self) -> None:
        self.sessions += 1
        self.host.open(f"hello {self.sessions}".encode(), self.now_s)

    def run(self, until: Callable[[], bool], bound_ms: int = 3_000_000) -> None:
        end_ms = self.now_ms + bound_ms
        while not until():
            self.step()
            assert self.now_ms < end_ms

    def step(self) -> None:
        """10 ms; LinkDown when the host gives up."""
        self.now_ms += STEP_MS
        self.board.step(self.now_ms)
        if self.host.deadline_s is not None and self.now_s >= self.host.deadline_s:
            self.host.deadline_reached(self.now_s)
        self.exchange()

    def exchange(self) -> None:
        self.to_board.put(self.host.data_to_send(), self.now_ms)
        for piece in self.to_board.take(self.now_ms):
            self.at_board += self.board.receive(piece, self.now_ms)
        self.to_host.put(self.board.data_to_send(), self.now_ms)
        for piece in self.to_host.take(self.now_ms):
            self.host.receive(piece, self.now_s)
            self.at_host += self.host.messages()


def ways(damage: Callable[[int], Damage], piece: int = 0, latest_ms: int = 0) -> Callable[[], tuple[Way, Way]]:
    """The same kind of wire both ways, each with dice of its own."""
    return lambda: (Way(damage(1), piece, latest_ms, 3), Way(damage(2), piece, latest_ms, 4))
