"""The surroundings of the emulated chip in one waiting loop: world, wire, control socket.

The board runs on while it is unplugged, as one with a power supply of its own does.
"""

import os
import selectors
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from firmware_bridge.emulator.commands import POWER, asks_for_thoughts, moves_the_door, obey_line
from firmware_bridge.emulator.plug import Plug
from firmware_bridge.emulator.process import AUTO, CPYTHON, NO_PORT, interpreter
from firmware_bridge.emulator.seat import STARTS_MS, Chip, Seat
from firmware_bridge.emulator.server import Server
from firmware_bridge.emulator.world import World

THINKS_MS = 3000.0  # a chip that runs has said what it thinks by then, on any machine; one that hangs was reset


def now_ms() -> float:
    return time.monotonic_ns() / 1e6


class Supervisor:
    """Runs one board until `stop` or, with `until_stdin_ends`, until its parent is gone."""

    def __init__(self, world: World, chip: Chip, link: Path, control: Path, *, memory_file: Path | None = None) -> None:
        self.world = world
        self.thoughts: Mapping[str, Any] = {}  # what the board last said it thinks
        self._interpreter = interpreter(chip.runs_in)
        self._selector = selectors.SelectSelector()  # the one that keeps fractions of a millisecond
        self._seat = Seat(world, chip, self._selector, self._told, memory_file)
        self._asked_ms: float | None = None  # since when it is waited for what the board thinks
        self._fresh = False  # that has just come, or will not
        self._running = True
        self._plug = Plug(link, self._selector)
        self._server = Server(control, self._selector, self._answer)

    def stop(self) -> None:
        self._running = False

    def until_stdin_ends(self) -> None:
        self._selector.register(0, selectors.EVENT_READ, "stdin")

    # As the world handles it.

    @property
    def plugged(self) -> bool:
        return self._plug.plugged

    @property
    def interpreter(self) -> str:
        return self._interpreter.name

    @property
    def pins(self) -> Mapping[str, Any]:
        seat = self._seat
        return {
            "relay": seat.levels.relay,
            "lamp": seat.levels.lamp,
            "buzzer": seat.levels.buzzer,
            "chip": seat.condition,
            "interpreter": self.interpreter,
            "boots": seat.boots,
            "watchdog_resets": seat.watchdog_resets,
            "crashes": seat.crashes,
        }

    def unplug(self) -> None:
        self._plug.unplug()
        self._seat.to_board.forget()

    def replug(self) -> None:
        self._plug.replug()

    def hang(self) -> None:
        self._seat.hang()

    def restart(self, cause: int) -> None:
        self._seat.power_on(self._interpreter, cause, now_ms())

    # The loop.

    def run_until_ready(self) -> bool:
        """Switch it on; True once the firmware's loop runs.  False if it does not come to that."""
        self.restart(POWER)
        if self._comes_up():
            return True
        if self._seat.chip.runs_in == AUTO and self._seat.ended_with == NO_PORT:
            print("MicroPython does not run here: CPython instead", file=sys.stderr)  # noqa: T201  for who started it
            self._interpreter = interpreter(CPYTHON)
            self._seat.boots = self._seat.crashes = 0
            self.restart(POWER)
            return self._comes_up()
        return False

    def run(self) -> None:
        while self._running:
            self._pass()
        self.close()

    def close(self) -> None:
        self._seat.close()
        self._plug.unplug()
        self._server.close()
        self._selector.close()

    def _comes_up(self) -> bool:
        seat, until_ms = self._seat, now_ms() + STARTS_MS
        while self._running and not seat.runs and not seat.crashes and now_ms() < until_ms:
            self._pass()
        return seat.runs

    def _pass(self) -> None:
        for key, _ in self._selector.select(max(0.0, self._next_ms() - now_ms()) / 1000):
            self._ready(key)
        seat, at_ms = self._seat, now_ms()
        seat.excuse(at_ms)
        self.world.step(at_ms)
        seat.tell(at_ms)
        while seat.to_host and seat.to_host[0][0] <= at_ms:
            self._plug.write(seat.to_host.popleft()[1])
        boots = seat.boots
        seat.watch(at_ms)
        self._keep_asking(at_ms, again=seat.boots != boots)

    def _next_ms(self) -> float:
        due_ms = self._seat.next_ms()
        if (world_ms := self.world.next_ms()) is not None:
            due_ms = min(due_ms, world_ms)
        if self._asked_ms is not None:
            due_ms = min(due_ms, self._asked_ms + THINKS_MS)
        return due_ms

    def _ready(self, key: selectors.SelectorKey) -> None:
        if key.data == "wire":
            self._seat.to_board.push(self._plug.read(), now_ms())
        elif key.data == "control":
            self._server.accept()
        elif key.data == "stdin":
            if not os.read(0, 4096):
                self.stop()
        elif key.data == "chip":
            self._seat.hear()
        elif key.data == "client" and isinstance(key.fileobj, socket.socket):
            self._seat.hear()  # its pins first, each at its time
            self._seat.excuse(now_ms())
            self.world.step(now_ms())
            self._server.listen_to(key.fileobj)

    # The control socket: the answer to `state` waits until the board has told what it thinks, and whoever moves the
    # door until a running chip has seen it as it was left: no hand is quicker than a turn of the chip's loop.

    def _answer(self, line: bytes) -> bytes | None:
        waits = asks_for_thoughts(line) or (moves_the_door(line) and not self._seat.has_seen)
        if waits and not self._fresh and self._seat.thinks:
            if self._asked_ms is None:
                self._asked_ms = now_ms()
                self._seat.ask()
            return None
        boots, was_open = self._seat.boots, self.world.door_open
        answer = obey_line(line, self, now_ms())
        if self.world.door_open != was_open:
            self._seat.show(now_ms())
        if self._asked_ms is not None and self._seat.boots != boots:
            self._seat.ask()
        return answer

    def _told(self, thoughts: dict[str, Any]) -> None:
        self.thoughts = thoughts
        if self._seat.has_told:
            self._answer_all()

    def _answer_all(self) -> None:
        """With what there is."""
        self._asked_ms, self._fresh = None, True
        self._server.retry()
        self._fresh = False

    def _keep_asking(self, at_ms: float, *, again: bool) -> None:
        """Ask a chip that was started anew once more; wait for none that will not answer."""
        if self._asked_ms is None:
            return
        if not self._seat.thinks or at_ms - self._asked_ms > THINKS_MS:
            self._answer_all()
        elif again:
            self._seat.ask()
