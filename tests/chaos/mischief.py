"""Somebody on the broker who repeats, keeps back, forges and invents messages.

It is let do what no rule of the broker stops: a broker without an access list, as here, lets anybody publish anything.
It never makes up an event of the cabinet itself with a right hash: only the broker's access list stops that.
"""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable

from cabinet import wire
from cabinet.adapters.mqtt import Broker, MqttPipe
from tests.chaos.shared import CAB, RETRY_S, STRANGER, STRANGERS_KEY

EVERY_S = 0.12  # mean time between two pranks
KEPT = 400  # messages it remembers, of each direction
LATE_S = (0.2, 5.0)
FORGED_AT_ONCE = 0.15  # share of the events for which it tries to be quicker than the cloud
VISIT = "01JMADEUPVISIT{:012d}"


class Mischief:
    """`counts`: duplicated, reordered, forged, foreign, spoiled, garbage: what the broker was handed of each."""

    def __init__(self, port: int, dice: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self.heard: Counter[str] = Counter()  # by kind of message, repeated ones too
        self.head = 0  # the highest event of the cabinet's heard so far: no repeated one moves it
        self._dice = dice
        self._kept: dict[str, deque[tuple[str, bytes]]] = {"up": deque(maxlen=KEPT), "dn": deque(maxlen=KEPT)}
        self._ours: deque[bytes] = deque(maxlen=KEPT)  # the broker tells us what we said, too
        self._newest: wire.Payload | None = None  # the event last heard
        self._later: set[asyncio.TimerHandle] = set()
        self._calm = False
        self.pipe = MqttPipe(Broker("127.0.0.1", port, "mischief", retry_s=RETRY_S), ("cab/#",))

    async def run(self) -> None:
        """Until cancelled."""
        self.pipe.start(self._heard, lambda _connected: None)
        pranks: tuple[Callable[[], None], ...] = (
            self._repeat, self._repeat, self._keep_back, self.forge, self._stranger, self._spoil, self._garble,
        )  # fmt: skip  # a list
        while True:
            await asyncio.sleep(self._dice.expovariate(1 / EVERY_S))
            if not self._calm:
                self._dice.choice(pranks)()

    def calm(self) -> None:
        self._calm = True
        for handle in self._later:
            handle.cancel()

    def all_at_once(self) -> None:
        """The charges heard last, once more each, and one of every prank; one comes a moment later."""
        self.forge()
        self._stranger()
        self._spoil()
        self._garble()
        self._again("reordered", LATE_S[0])
        for topic, payload in list(self._kept["up"])[-20:]:
            if topic.endswith("/ev"):
                self._say("duplicated", topic, payload)

    def forge(self) -> None:
        """Acknowledgements and welcomes with the right numbers and the wrong key."""
        event = self._newest
        if event is None:
            return
        place = {"store": event["store"], "h": event["h"]}
        one = {"seq": event["seq"], "h": event["h"]}
        ack = {**place, "upto": event["seq"], "selective": [one]}
        welcome = {**place, "hwm": event["seq"], "nonce": None, "cloud_ms": 1, "config_version": 0}
        kind, said = self._dice.choice((("ack", ack), ("welcome", welcome)))
        topic = wire.topic(CAB, "dn", kind)
        forged = self._dice.choice((wire.signed(STRANGERS_KEY, CAB, kind, said), wire.canonical(said)))
        self._say("forged", topic, forged)

    def _heard(self, topic: str, payload: bytes) -> None:
        place = wire.split_topic(topic)
        if place is None or place[0] != CAB or payload in self._ours:
            return
        self.heard[place[2]] += 1
        self._kept[place[1]].append((topic, payload))
        if place[2] == "ev":
            self._newest = wire.parse(payload)
            self.head = max(self.head, self._newest["seq"])
            if not self._calm and self._dice.random() < FORGED_AT_ONCE:
                self.forge()

    def _repeat(self) -> None:
        self._again("duplicated", 0.0)

    def _keep_back(self) -> None:
        self._again("reordered", self._dice.uniform(*LATE_S))

    def _again(self, word: str, after_s: float) -> None:
        """Of what the cabinet said, or of what the cloud answered: acks, welcomes and naks."""
        kept = self._kept[self._dice.choice(("up", "dn", "dn"))]
        if kept:
            handle = asyncio.get_running_loop().call_later(after_s, self._say, word, *self._dice.choice(kept))
            self._later = {other for other in self._later if other.when() > asyncio.get_running_loop().time()}
            self._later.add(handle)

    def _stranger(self) -> None:
        """A whole visit, well made, of a cabinet whose key the cloud does not have."""
        store, prev = f"{self._dice.getrandbits(128):032x}", wire.GENESIS
        visit = VISIT.format(self._dice.randrange(10**12))
        body = {"outcome": "charge", "total_minor": 4711, "currency": "EUR", "lines": []}
        for seq, kind in enumerate(("visit.opened", "visit.closed"), start=1):
            event = {
                "store": store, "boot": "0" * 16, "seq": seq, "visit": visit, "type": kind, "body": body,
                "mono_ms": 1, "wall_ms": 1, "clock": "ntp",
            }  # fmt: skip  # one line per group
            h = wire.event_hash(event, prev)
            topic = wire.topic(STRANGER, "up", "ev")
            self._say("foreign", topic, wire.canonical({**event, "prev": prev, "h": h}))
            prev = h

    def _spoil(self) -> None:
        """A true event with another amount, or another visit, under the old hash."""
        if self._newest is None:
            return
        changed = {"visit": VISIT.format(0)} if self._dice.random() < 0.5 else {}
        body = {**self._newest["body"], "outcome": "charge", "total_minor": 1, "currency": "EUR"}
        spoiled = {**self._newest, **changed, "type": "visit.closed", "body": body}
        self._say("spoiled", wire.topic(CAB, "up", "ev"), wire.canonical(spoiled))

    def _garble(self) -> None:
        way, kind = self._dice.choice((("up", "ev"), ("up", "hello"), ("dn", "ack"), ("dn", "welcome"), ("dn", "nak")))
        payload = self._dice.randbytes(self._dice.choice((0, 1, 40, 4000)))
        self._say("garbage", wire.topic(CAB, way, kind), payload)

    def _say(self, word: str, topic: str, payload: bytes) -> None:
        if word not in {"duplicated", "reordered"}:
            self._ours.append(payload)
        if self.pipe.send(topic, payload):
            self.counts[word] += 1
