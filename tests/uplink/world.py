"""Ledger, sender, a bad network and the real settlement, joined on one virtual clock."""

import random
from dataclasses import dataclass, field
from pathlib import Path

from cabinet import wire
from cabinet.cloud.service import CloudService
from cabinet.cloud.store import CloudStore
from cabinet.ledger import Ledger, Stamp
from cabinet.uplink.core import Message, Sender
from tests.ledger.examples import shop

CAB = "cab-1"
KEY = bytes(range(32))
WALL_MS = 1_795_000_000_000


@dataclass
class Weather:
    """What the network does to a message: probabilities, and the longest delay."""

    loss: float = 0.0
    double: float = 0.0
    delay_ms: int = 0


@dataclass
class World:
    folder: Path
    seed: int = 0
    weather: Weather = field(default_factory=Weather)

    def __post_init__(self) -> None:
        self.now_ms = 0
        self.dice = random.Random(self.seed)
        self.ledger = Ledger(self.folder / "edge.db")
        self.cloud_store = CloudStore(self.folder / "cloud.db")
        self.cloud = CloudService(self.cloud_store, {CAB: KEY})
        self.sender = self._new_sender()
        self.flying: list[tuple[int, str, bytes]] = []  # when it lands, topic, payload
        self.said: list[tuple[int, str, bytes]] = []  # what the cabinet said, and when
        self.visits = 0

    def _new_sender(self) -> Sender:
        return Sender(self.ledger, KEY, CAB, dice=self.dice, version="1")

    def stamp(self) -> Stamp:
        return Stamp(self.now_ms, WALL_MS + self.now_ms, "ntp")

    def shop(self) -> str:
        self.visits += 1
        return shop(self.ledger, self.visits, self.stamp())

    def connect(self) -> None:
        self.say(self.sender.connected(self.stamp()))

    def disconnect(self) -> None:
        """The broker is gone, with everything in flight."""
        self.flying.clear()
        self.sender.disconnected()

    def crash_edge(self) -> None:
        """Power cut: no goodbye, the ledger is opened anew."""
        self.flying.clear()
        self.ledger.close()
        self.ledger = Ledger(self.folder / "edge.db")
        self.sender = self._new_sender()

    def crash_cloud(self) -> None:
        self.cloud_store.close()
        self.cloud_store = CloudStore(self.folder / "cloud.db")
        self.cloud = CloudService(self.cloud_store, {CAB: KEY})

    def say(self, messages: list[Message]) -> None:
        for message in messages:
            topic = wire.topic(CAB, "up", message.kind)
            self.said.append((self.now_ms, message.kind, message.payload))
            self.fly(topic, message.payload)

    def fly(self, topic: str, payload: bytes) -> None:
        if self.dice.random() < self.weather.loss:
            return
        copies = 2 if self.dice.random() < self.weather.double else 1
        for _ in range(copies):
            self.flying.append((self.now_ms + self.dice.randint(0, self.weather.delay_ms), topic, payload))

    def run(self, for_ms: int) -> None:
        """Everything that lands or falls due within this time, in order."""
        end_ms = self.now_ms + for_ms
        for _ in range(20_000):
            self.say(self.sender.wake(self.stamp()))
            for reply in [*self.cloud.tick(self.now_ms), *self.cloud.due(WALL_MS + self.now_ms)]:
                self.fly(reply.topic, reply.payload)
            due_ms = self.sender.next_ms()
            moments = [at for at, _, _ in self.flying] + ([] if due_ms is None else [due_ms])
            moment = min(moments, default=end_ms + 1)
            if moment > end_ms:
                self.now_ms = end_ms
                return
            self.now_ms = max(self.now_ms, moment)
            self._land()
        raise AssertionError("the conversation does not come to rest")

    def _land(self) -> None:
        landing = [flown for flown in self.flying if flown[0] <= self.now_ms]
        self.flying = [flown for flown in self.flying if flown[0] > self.now_ms]
        for _, topic, payload in landing:
            if "/up/" in topic:
                for reply in self.cloud.heard(topic, payload, mono_ms=self.now_ms, wall_ms=WALL_MS + self.now_ms):
                    self.fly(reply.topic, reply.payload)
            else:
                self.say(self.sender.heard(topic, payload, self.stamp()))

    def hear(self, kind: str, payload: wire.Payload, key: bytes = KEY) -> list[Message]:
        """The cabinet is told something, signed with `key`."""
        return self.sender.heard(wire.topic(CAB, "dn", kind), wire.signed(key, CAB, kind, payload), self.stamp())

    def charged(self) -> list[str]:
        return [charge.visit for charge in self.cloud_store.charges()]

    def close(self) -> None:
        self.ledger.close()
        self.cloud_store.close()
