"""Where the emulated chip sits: its power, its pins' wires to the world, its watchdog, the memory beside it.

It carries bytes and levels and knows no message of the board's.  The physics goes on whatever the chip does.
"""

import json
import os
import selectors
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware_bridge.emulator import records
from firmware_bridge.emulator.drive import DRIVE_BREAKS
from firmware_bridge.emulator.fram import SIZE
from firmware_bridge.emulator.plug import Paced
from firmware_bridge.emulator.process import AUTO, ChipProcess, Interpreter
from firmware_bridge.emulator.watchdog import Patience, Watchdog
from firmware_bridge.emulator.world import World

BY_WATCHDOG = 1  # the reset cause
PROBE_EVERY_MS = 500.0
BUNDLE_MS = 25.0  # conversions go to the chip in bundles; each carries its own time
STARTS_MS = 60_000.0  # a loaded machine; a tenth of a second is usual


@dataclass(frozen=True, slots=True)
class Chip:
    """How the board is built and flashed."""

    fitted: Mapping[str, Any]  # the words of firmware.fitted_by.Fitted
    board_id: bytes
    baud: int = 0  # of the wire; 0: as quick as it goes
    drift_ppm: int = 0  # of its clock
    uptime_ms: int = 0  # its millisecond counter at power-on; a real one starts at 0
    runs_in: str = AUTO

    def settings(self, cause: int, at_ms: float, *, first: bool) -> dict[str, Any]:
        """What the process of the chip is told at power-on."""
        return {
            "origin_us": round(1000 * at_ms),
            "uptime_ms": self.uptime_ms if first else 0,
            "drift_ppm": self.drift_ppm,
            "baud": self.baud,
            "board_id": self.board_id.hex(),
            "cause": cause,
            "fitted": dict(self.fitted),
        }


@dataclass(slots=True)
class Levels:
    """What the chip's pins hold, as last told."""

    relay: bool = False
    lamp: int = 0
    buzzer: int = 0


class Seat:
    """`told` hears what the board thinks, asked by `ask`."""

    def __init__(
        self,
        world: World,
        chip: Chip,
        selector: selectors.BaseSelector,
        told: Callable[[dict[str, Any]], None],
        memory_file: Path | None,
    ) -> None:
        self.world, self.chip = world, chip
        self.levels = Levels()
        self.boots = self.watchdog_resets = self.crashes = 0
        self.ended_with: int | None = None  # exit code of a chip that ended by itself
        self.to_board = Paced(chip.baud)
        self.to_host: deque[tuple[float, bytes]] = deque()  # when its last bit has left, and bytes
        self._selector, self._told = selector, told
        self._watchdog, self._patience = Watchdog(), Patience()
        self._process: ChipProcess | None = None
        self._memory = None if memory_file is None else memory_file.open("r+b", buffering=0)
        self._shown: tuple[int, int] | None = None
        self._probe_due_ms = self._samples_due_ms = self._started_ms = 0.0
        self._asked = self._answered = self._to_see = 0  # questions of this boot, answers, the one asked after `show`

    @property
    def runs(self) -> bool:
        """The firmware's loop has fed the watchdog."""
        return self._watchdog.armed

    @property
    def thinks(self) -> bool:
        """It can be asked, as far as one can see."""
        return self._process is not None and not self._process.hung

    @property
    def has_told(self) -> bool:
        """Whatever it was asked."""
        return self._answered >= self._asked

    @property
    def has_seen(self) -> bool:
        """What it was shown; a chip that does not run yet is not waited for."""
        return self._answered >= self._to_see or not self.runs

    @property
    def condition(self) -> str:
        if self._process is None:
            return "crashed"
        if self._process.hung:
            return "hung"
        return "running" if self.runs else "starting"

    # Power.

    def power_on(self, runs_in: Interpreter, cause: int, at_ms: float) -> None:
        """Off and on: the pins let go, the memory stays, the loop starts from nothing."""
        self.power_off()
        self.world.step(at_ms)
        self.world.relay(on=False)
        self.levels = Levels()
        self.to_board.forget()
        self.to_host.clear()
        self._watchdog.disarm()
        self._asked = self._answered = self._to_see = 0
        self.boots += 1
        self.world.note("boot", self.boots)
        settings = self.chip.settings(cause, at_ms, first=self.boots == 1)
        self._interpreter, self._started_ms, self._shown = runs_in, at_ms, None
        self._process = ChipProcess(runs_in, self.world.nv, settings)
        self._selector.register(self._process.socket, selectors.EVENT_READ, "chip")

    def power_off(self) -> None:
        if (process := self._taken_off()) is not None:
            for record in process.kill():
                if record[0] == records.STORED:  # what was written stays written
                    self._store(record)

    def close(self) -> None:
        self.power_off()
        if self._memory is not None:
            self._memory.close()

    def hang(self) -> None:
        if self._process is not None:
            self._process.hang()

    def watch(self, at_ms: float) -> None:
        """Let the watchdog bite; give up a chip that does not start."""
        if self._watchdog.bites(at_ms):
            self.watchdog_resets += 1
            self.power_on(self._interpreter, BY_WATCHDOG, at_ms)
        elif self._process is not None and not self.runs and at_ms - self._started_ms > STARTS_MS:
            self._crashed()

    def excuse(self, at_ms: float) -> None:
        """Do not hold against the chip what the machine does to it."""
        if self._process is not None and self.runs:
            pumping = self.world.drive.next_ms() is not None
            excused_ms = self._patience.excused_ms(at_ms, self._process.kept_waiting, pumping=pumping)
            if excused_ms:
                self._watchdog.excuse(excused_ms)
                self.world.drive.excuse(excused_ms)

    def next_ms(self) -> float:
        """When something is to be done for it."""
        due = [self._samples_due_ms, self._probe_due_ms]
        due += [ms for ms in (self.to_board.next_ms(), self._watchdog.next_ms()) if ms is not None]
        if self.to_host:
            due.append(self.to_host[0][0])
        return min(due)

    def _crashed(self) -> None:
        """The firmware ended by itself: the pins stay as it left them; the watchdog bites, if it is armed."""
        self.crashes += 1
        if (process := self._taken_off()) is not None:
            self.ended_with = process.ended()

    def _taken_off(self) -> ChipProcess | None:
        process, self._process = self._process, None
        if process is not None:
            self._selector.unregister(process.socket)
        return process

    # To the chip.

    def ask(self) -> None:
        """It will tell what it thinks."""
        if self._process is not None:
            self._asked += 1
            self._process.send(bytes((records.ASK,)))

    def show(self, at_ms: float) -> None:
        """Its pins as they are now.  It answers once it has read them, and looks before it reads on."""
        if self._process is not None:
            self._tell_inputs(self._process, at_ms)
            self.ask()
            self._to_see = self._asked

    def tell(self, at_ms: float) -> None:
        """All that its pins are to see by now."""
        process = self._process
        if at_ms >= self._samples_due_ms:
            self._samples_due_ms = max(self._samples_due_ms + BUNDLE_MS, at_ms)
            conversions = self.world.samples(at_ms)
            if process is not None and self.runs:  # a chip that starts does not clock them yet
                process.send(*(records.samples(*conversion) for conversion in conversions))
        if process is None:
            return
        self._tell_inputs(process, at_ms)
        if data := self.to_board.due(at_ms):
            process.send(bytes((records.RECEIVED,)) + data)

    def _tell_inputs(self, process: ChipProcess, at_ms: float) -> None:
        inputs, mode = self.world.inputs(), self.world.nv.mode
        bits = records.DOOR_A_SHUT * inputs.door_a_shut + records.DOOR_B_SHUT * inputs.door_b_shut
        bits += records.BOLT_HOME * inputs.bolt_home + records.HOUSING_OPEN * inputs.housing_open
        for bit, name in enumerate(DRIVE_BREAKS, records.FIRST_BREAK):
            bits += (name in self.world.broken) << bit
        if (bits, mode) != self._shown or at_ms >= self._probe_due_ms:
            self._shown, self._probe_due_ms = (bits, mode), at_ms + PROBE_EVERY_MS
            process.send(bytes((records.MEMORY, mode)), records.inputs(bits, inputs.probe))

    # From the chip.

    def hear(self) -> None:
        """Whatever it has told, each at its time."""
        if self._process is None:
            return
        try:
            for record in self._process.records():
                self._heard(record)
        except EOFError:
            self._crashed()

    def _heard(self, record: bytes) -> None:
        match record[0]:
            case records.OUTPUTS:
                self._set_levels(record)
            case records.SENT:
                left_us, data = records.read_sent(record)
                self.to_host.append((left_us / 1000 if self.chip.baud else 0.0, data))
            case records.STORED:
                self._store(record)
            case records.TOLD:
                thoughts = json.loads(record[1:])
                self._answered = thoughts.pop("answers")
                self._told(thoughts)

    def _set_levels(self, record: bytes) -> None:
        at_us, relay, pump_us, lamp, buzzer, fed = records.read_outputs(record)
        self.levels = Levels(relay, lamp, buzzer)
        self._patience.heard(at_us / 1000)
        self.world.step(at_us / 1000)
        self.world.relay(relay)
        self.world.drive.fed_until_ms = pump_us / 1000
        if fed:
            self._watchdog.feed(at_us / 1000)

    def _store(self, record: bytes) -> None:
        at, data = records.read_placed(record)
        if at + len(data) <= SIZE:
            self.world.nv.content[at : at + len(data)] = data
            if self._memory is not None:
                os.pwrite(self._memory.fileno(), data, at)
