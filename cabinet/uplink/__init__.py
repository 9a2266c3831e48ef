"""The uplink: carries the ledger's outbox to the cloud, over a pipe that may lose anything.

A thin asyncio shell round `core.Sender`.  It neither decides what is charged nor keeps a queue of its own: what is not
in the ledger is not sent, and what was sent stays there until the cloud has named its hash.
"""

import asyncio
import contextlib
import logging
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from cabinet import wire
from cabinet.identity.credit import Answer, Roster
from cabinet.ledger import Ledger, Stamp
from cabinet.uplink.core import Message, Sender
from cabinet.uplink.members import Keeper
from cabinet.uplink.pipe import Pipe
from cabinet.uplink.telemetry import offline_payload, state_payload, telemetry_payload

__all__ = ["Pipe", "Uplink", "offline_payload"]

log = logging.getLogger(__name__)

LOOK_AGAIN_S: Final = 5.0  # rows that were committed without a poke are found at the latest after this
ASK_EXPIRY_S: Final = 3  # nobody waits longer at a locked door: the broker need not keep it for a cloud that is away
MAX_INBOX: Final = 256  # eight windows of answers; what is beyond is said again by the cloud


class Uplink:
    def __init__(  # noqa: PLR0913  # each is one independent fact about this cabinet
        self,
        ledger: Ledger,
        pipe: Pipe,
        key: bytes,
        cab: str,
        *,
        clock: Callable[[], Stamp],
        dice: random.Random | None = None,
        version: str = "",
        on_cloud_time: Callable[[int], None] | None = None,
        on_split: Callable[[str | None], None] | None = None,
    ) -> None:
        """`key` is shared with the cloud (at least 16 bytes).  `on_cloud_time` gets the cloud's wall clock (ms),
        `on_split` the reason why nothing may be sold, and None once that is over; see `trouble`.
        """
        if len(key) < 16:
            raise ValueError(f"the key of {cab} has {len(key)} bytes, needs at least 16")
        self._ledger, self._pipe, self._cab, self._clock = ledger, pipe, cab, clock
        self._on_split = on_split
        self._split = ledger.split()
        self.on_terms: Callable[[Answer], None] = lambda _: None  # the cloud's answer to an ask
        self.on_roster: Callable[[Roster], bool] = lambda _: True  # whom no cabinet lets in; False: known newer
        self._sender = Sender(
            ledger,
            key,
            cab,
            dice=dice or random.SystemRandom(),
            version=version,
            told_time=on_cloud_time,
            told_terms=self._tell_terms,
            told_roster=self._tell_roster,
        )
        self._poked = asyncio.Event()
        self._inbox: deque[tuple[str, bytes]] = deque()
        self._changes: deque[bool] = deque()
        self._connected = False
        self._state: Mapping[str, Any] = {}

    def keep_members(self, keeper: Keeper) -> None:
        """Who has the fleet's list of members here; before `run`.  Without one the cloud is not asked for it."""
        self._sender.members.keeper = keeper

    async def run(self) -> None:
        """Until cancelled.  Raises LedgerError where the ledger fails; nothing else ends it."""
        self._pipe.start(self._heard, self._changed)
        try:
            while True:
                self._turn()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pause_s()):  # wait_for may swallow the order to stop (Python 3.11)
                        await self._poked.wait()
                self._poked.clear()
        finally:
            self._publish("state", wire.plain(offline_payload(self._cab)), retain=True)
            await self._pipe.stop()

    def poke(self) -> None:
        """There may be new rows.  From the event loop's thread."""
        self._poked.set()

    def ask(self, payload: wire.Payload) -> bool:
        """May this member shop?  Said at once and once; the answer comes by `on_terms`.  False: nobody to ask now."""
        message = self._sender.ask(payload) if self._connected else None
        if message is None:
            return False
        return self._pipe.send(wire.topic(self._cab, "up", message.kind), message.payload, expiry_s=ASK_EXPIRY_S)

    def publish_state(self, state: Mapping[str, Any]) -> None:
        """{state, screen, faults: [{part, why, latched}]}; retained, and told again at each connection."""
        self._state = dict(state)
        if self._connected:
            self._tell_state()

    def publish_telemetry(self, telemetry: Mapping[str, Any]) -> bool:
        """{kind: health | stock | visit, …} as in asyncapi.json.  False: shed, because there is no connection."""
        if not self._connected:
            self._sender.counts["telemetry shed"] += 1
            return False
        return self._publish("telemetry", wire.plain(telemetry_payload(self._cab, telemetry, self._at())))

    def trouble(self) -> str | None:
        """Why nothing may be sold: the cloud knows another history of this ledger.  None: sell."""
        return self._ledger.split()

    def figures(self) -> dict[str, Any]:
        """For status and doctor: connection, welcome, backlog and what was dropped."""
        count, oldest_ms = self._ledger.backlog()
        return {
            "connected": self._connected,
            "welcomed": self._sender.welcomed,
            "answers_asks": self._sender.answers_asks,
            "why": self._pipe.trouble(),
            "backlog": count,
            "oldest_wall_ms": oldest_ms,
            "split": self.trouble(),
            **{name.replace(" ", "_"): number for name, number in self._sender.counts.items()},
        }

    def _turn(self) -> None:
        """Everything that came in, then everything that is due."""
        while self._changes:
            self._connected = self._changes.popleft()
            log.info("uplink_changed connected=%s", self._connected)
            if self._connected:
                self._tell_state()
                self._send(self._sender.connected(self._clock()))
            else:
                self._sender.disconnected()
        while self._inbox:
            self._send(self._sender.heard(*self._inbox.popleft(), self._clock()))
            self._tell_split()
        self._send(self._sender.wake(self._clock()))

    def _tell_split(self) -> None:
        before, self._split = self._split, self.trouble()
        if before != self._split and self._on_split is not None:
            self._on_split(self._split)

    def _tell_terms(self, answer: Answer) -> None:
        self.on_terms(answer)

    def _tell_roster(self, roster: Roster) -> bool:
        return self.on_roster(roster)

    def _pause_s(self) -> float:
        due_ms = self._sender.next_ms()
        if due_ms is None:
            return LOOK_AGAIN_S
        return min(LOOK_AGAIN_S, max(0.0, (due_ms - self._clock().mono_ms) / 1000))

    def _send(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._publish(message.kind, message.payload)

    def _publish(self, kind: str, payload: bytes, *, retain: bool = False) -> bool:
        return self._pipe.send(wire.topic(self._cab, "up", kind), payload, retain=retain)

    def _tell_state(self) -> None:
        self._publish("state", wire.plain(state_payload(self._cab, self._state, self._at())), retain=True)

    def _at(self) -> dict[str, Any]:
        now = self._clock()
        return {
            "boot": self._ledger.boot,
            "mono_ms": now.mono_ms,
            "wall_ms": now.wall_ms,
            "clock": now.quality,
        }

    def _heard(self, topic: str, payload: bytes) -> None:
        if len(self._inbox) >= MAX_INBOX:
            self._sender.counts["inbox full"] += 1
            return
        self._inbox.append((topic, payload))
        self._poked.set()

    def _changed(self, connected: bool) -> None:  # noqa: FBT001  # the port's own signature
        self._changes.append(connected)
        self._poked.set()
