"""What the emulated microcontroller runs: the lease rule, debounce, plausibility, samples, messages.

Pure: `step` and `receive` get the time, `data_to_send` gives bytes.  It never keeps the lock driven because
somebody asked nicely: only a live lease of a live host with the door still shut does that.
"""

import enum
import random
import struct
from collections import deque
from dataclasses import dataclass

from firmware_bridge.emulator.wire import BoardLink
from firmware_bridge.emulator.world import World

PROTOCOL = 1
TICK_MS = 10  # switches, lease and plausibility
MAX_TTL_MS = 10_000
HEARTBEAT_MS = 500
CLOSE_DEBOUNCE_MS = 300
IMPLAUSIBLE_MS = 50  # a forced door, before it is a fault
UNLATCHED_MS = 800  # the door rests shut, nothing is driven, yet the bolt is not home
NOISY_FRAMES, NOISY_MS = 10, 1000
ALIVE_MS = 500
TEMPERATURE_MS = 5000
LAP_MS = 2**32
BAD_SAMPLE = -(2**31)
CAPABILITIES = 8 | 16 | 32  # thermometer, lamp, buzzer
DOOR_OPEN, FAULTY, BUSY, BAD_TTL = 1, 2, 3, 4
FORCED, NOT_LATCHED, NOISY_WIRE = 0, 1, 2


class End(enum.IntEnum):
    OPENED = 0
    EXPIRED = 1
    HOST_SILENT = 2
    LOCK_ORDER = 3
    FAULT = 4


@dataclass(frozen=True, slots=True)
class Chip:
    """How this board was built and flashed."""

    rate_hz: int = 80
    batch: int = 8  # samples per Mass
    firmware: str = "emulator 1"
    protocol: int = PROTOCOL
    uptime_ms: int = 0  # the millisecond counter at power-on; a real one starts at 0
    seed: int = 0  # of the boot ids


class Firmware:
    """One board, powered on at `now_ms`."""

    def __init__(self, world: World, chip: Chip, now_ms: int) -> None:
        self.world, self.chip = world, chip
        self._dice = random.Random(chip.seed)  # noqa: S311  boot ids of a toy
        self.boots = 0
        self.reset(now_ms)

    def reset(self, now_ms: int) -> None:
        """Power-on: everything forgotten, the relay off, a new boot id."""
        self.boots += 1
        self.boot_id = self._dice.randbytes(8)
        self.link = BoardLink()
        self.lamp = self.buzzer = 0
        self.faults: set[int] = set()
        self.lease: bytes | None = None
        self._lease_until_ms = self._heartbeat_ms = 0
        self._booted_ms = self._ticked_ms = self._now_ms = now_ms
        self._alive_due_ms = self._temperature_due_ms = now_ms
        self._samples = 0  # taken of each zone since boot
        self._batches: list[list[int | None]] = [[] for _ in self.world.cells]
        self._bad_seen, self._bad_at_ms = 0, deque[int](maxlen=NOISY_FRAMES)
        self._drive(on=False)
        self.door_open, self.bolt_locked = self.world.door_open, self.world.bolt_in_strike
        self._shut_ms: int | None = None
        self._strange_ms: dict[int, int] = {}  # fault -> since when the switches disagree

    @property
    def driven(self) -> bool:
        return self.world.coil

    def uptime_ms(self, at_ms: float | None = None) -> int:
        """The board's 32-bit clock."""
        since_ms = (self._now_ms if at_ms is None else at_ms) - self._booted_ms
        return (self.chip.uptime_ms + round(since_ms)) % LAP_MS

    def step(self, now_ms: int) -> None:
        """Run every tick that is due by `now_ms`; the shell does so before `receive`."""
        while self._ticked_ms + TICK_MS <= now_ms:
            self._ticked_ms += TICK_MS
            self._now_ms = self._ticked_ms
            self._tick()

    def receive(self, data: bytes, now_ms: int) -> None:
        self._now_ms = max(now_ms, self._now_ms)
        for payload in self.link.receive(data, self._now_ms):
            self._obey(payload)
        self._judge_noise()

    def data_to_send(self) -> bytes:
        return self.link.data_to_send()

    # -- the lock

    def _tick(self) -> None:
        self.world.step(self._now_ms)
        self._watch_door()
        self._watch_bolt()
        self._watch_lease()
        self._watch_plausibility()
        self.link.step(self._now_ms)
        self._take_samples()
        self._stream_slow_things()

    def _watch_door(self) -> None:
        now_ms = self._now_ms
        if self.world.door_open:
            self._shut_ms = None
            if not self.door_open:
                self.door_open = True
                forced = self.bolt_locked and not self.driven
                if forced:
                    self._strange_ms[FORCED] = now_ms
                self._end_lease(End.OPENED)
                self._send(0x83, struct.pack("<BI", 1, self.uptime_ms()))
        elif self.door_open:
            self._shut_ms = now_ms if self._shut_ms is None else self._shut_ms
            if now_ms - self._shut_ms >= CLOSE_DEBOUNCE_MS and self.world.bolt_in_strike:
                self.door_open = False
                self._send(0x83, struct.pack("<BI", 0, self.uptime_ms(self._shut_ms)))

    def _watch_bolt(self) -> None:
        if self.world.bolt_in_strike != self.bolt_locked:
            self.bolt_locked = self.world.bolt_in_strike
            self._send(0x84, struct.pack("<BI", self.bolt_locked, self.uptime_ms()))

    def _watch_lease(self) -> None:
        if self.lease is not None:
            if self._now_ms >= self._lease_until_ms:
                self._end_lease(End.EXPIRED)
            elif self._now_ms - self._heartbeat_ms >= HEARTBEAT_MS:
                self._end_lease(End.HOST_SILENT)

    def _watch_plausibility(self) -> None:
        resting = not self.world.door_open and not self.driven
        if resting and not self.bolt_locked:
            self._strange_ms.setdefault(NOT_LATCHED, self._now_ms)
        else:
            self._strange_ms.pop(NOT_LATCHED, None)
            self.faults.discard(NOT_LATCHED)  # the only fault that a push at the door mends
        if not self.world.door_open:
            self._strange_ms.pop(FORCED, None)
        for fault, bound_ms in ((FORCED, IMPLAUSIBLE_MS), (NOT_LATCHED, UNLATCHED_MS)):
            if self._now_ms - self._strange_ms.get(fault, self._now_ms) >= bound_ms:
                self._raise(fault)

    def _judge_noise(self) -> None:
        for _ in range(self._bad_seen, self.link.bad_frames):
            self._bad_at_ms.append(self._now_ms)
        self._bad_seen = self.link.bad_frames
        noisy = len(self._bad_at_ms) == NOISY_FRAMES and self._now_ms - self._bad_at_ms[0] < NOISY_MS
        if noisy and self.lease is not None:
            self._end_lease(End.FAULT)
            self._send(0x88, bytes((NOISY_WIRE,)))  # told, not latched: it passes with the noise

    def _raise(self, fault: int) -> None:
        if fault not in self.faults:
            self.faults.add(fault)
            self._end_lease(End.FAULT)
            self._send(0x88, bytes((fault,)))

    def _end_lease(self, reason: End) -> None:
        self._drive(on=False)
        if self.lease is not None:
            self._send(0x87, self.lease + bytes((reason,)))
            self.lease = None

    def _drive(self, *, on: bool) -> None:
        self.world.coil = on

    # -- orders of the host

    def _obey(self, payload: bytes) -> None:
        code, body = payload[0] if payload else 0, payload[1:]
        if code == 0x01 and len(body) == 9:
            self._greet()
        elif self.chip.protocol != PROTOCOL:
            pass  # a stranger's board answers Hello and nothing else
        elif code == 0x02 and len(body) == 18:
            self._unlock(body[:16], int.from_bytes(body[16:], "little"))
        elif code == 0x03:
            self._end_lease(End.LOCK_ORDER)
        elif code == 0x04:
            self._heartbeat_ms = self._now_ms
        elif code == 0x05 and body and body[0] <= 4:
            self.lamp = body[0]
        elif code == 0x06 and body and body[0] <= 3:
            self.buzzer = body[0]
        elif code == 0x08:
            self.faults.clear()  # what still holds is raised again within its own time
        elif code == 0x07:
            bits = sum(1 << fault for fault in self.faults)
            flags = (self.door_open, self.bolt_locked, self.driven)
            self._send(0x82, struct.pack("<BBBIH", *flags, self.uptime_ms(), bits))

    def _greet(self) -> None:
        chip = self.chip
        numbers = (chip.protocol, self.boot_id, self.uptime_ms(), self.world.zones, chip.rate_hz, CAPABILITIES)
        self._send(0x81, struct.pack("<B8sIBHH", *numbers) + chip.firmware.encode())

    def _unlock(self, visit: bytes, ttl_ms: int) -> None:
        answer = 0
        if self.world.door_open or self.door_open:
            answer = DOOR_OPEN
        elif self.faults:
            answer = FAULTY
        elif self.lease not in (None, visit):
            answer = BUSY
        elif ttl_ms == 0:
            answer = BAD_TTL
        elif self.lease is None:  # asked again for the same visit: yes, but not for longer
            self.lease = visit
            self._lease_until_ms = self._now_ms + min(ttl_ms, MAX_TTL_MS)
            self._heartbeat_ms = self._now_ms
            self._drive(on=True)
        self._send(0x86, visit + bytes((answer,)))

    # -- what it measures

    def _take_samples(self) -> None:
        spacing_ms = 1000 / self.chip.rate_hz
        while (at_ms := self._booted_ms + (self._samples + 1) * spacing_ms) <= self._now_ms:
            self._samples += 1
            for zone, batch in enumerate(self._batches):
                batch.append(self.world.sample_dg(zone, at_ms))
            if self._samples % self.chip.batch == 0:
                self._send_batches(at_ms - (self.chip.batch - 1) * spacing_ms)

    def _send_batches(self, first_ms: float) -> None:
        for zone, batch in enumerate(self._batches):
            if self.link.opened_with is not None and self.chip.protocol == PROTOCOL:
                raw = [BAD_SAMPLE if dg is None else max(BAD_SAMPLE + 1, min(dg, -BAD_SAMPLE - 1)) for dg in batch]
                head = struct.pack("<BIB", 0x85, self.uptime_ms(first_ms), zone)
                self.link.stream(head + struct.pack(f"<{len(raw)}i", *raw))
            batch.clear()

    def _stream_slow_things(self) -> None:
        if self._now_ms >= self._alive_due_ms:
            self._alive_due_ms = self._now_ms + ALIVE_MS
            nonce = (self.link.opened_with or b"")[2:10].ljust(8, b"\0")
            counts = (self.link.bad_frames & 0xFFFF, self.link.lost_frames & 0xFFFF)
            alive = struct.pack("<BI8s8sHH", 0x8A, self.uptime_ms(), self.boot_id, nonce, *counts)
            self.link.stream(alive)
        if self._now_ms >= self._temperature_due_ms and self.link.opened_with is not None:
            self._temperature_due_ms = self._now_ms + TEMPERATURE_MS
            self.link.stream(struct.pack("<BBh", 0x89, 0, round(100 * self.world.celsius)))

    def _send(self, code: int, body: bytes) -> None:
        self.link.send(bytes((code,)) + body, self._now_ms)
