"""Lives of a board, recorded: what its pins showed, what its wire brought, when it was asked what to say."""

import json
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware_bridge.emulator.cells import Signal
from firmware_bridge.emulator.commissioned import TEST_KEY
from firmware_bridge.emulator.world import World
from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware.board import Board
from firmware_bridge.firmware.fitted_by import Fitted
from firmware_bridge.firmware.switches import Inputs
from tests.firmware_bridge.firmware.bench import BOARD_ID, BORN_MS, OTHER_VISIT, VISIT, Bench
from tests.firmware_bridge.firmware.replay import Dice


class Recorded(Bench):
    """A bench that writes down every call of its board."""

    def __init__(self, zones: int, lines: list[str]) -> None:
        self.lines, self._dice_of_life = lines, Dice()
        world = World(zones, 5, Signal(noise_g=0.3, ring_decay_s=0.2), now_ms=BORN_MS)
        super().__init__(Fitted(zones=zones), world=world)

    def make(self, cause: int) -> Board:
        words = {"zones": self.fitted.zones}
        memory = bytes(self.world.nv.content).hex()
        self._write({"fitted": words, "memory": memory, "board_id": BOARD_ID.hex(), "now_ms": self.now_ms})
        board = Board(self.fitted, self.world.nv, BOARD_ID, self._dice_of_life, cause, self.now_ms)
        for name in ("tick", "sampled", "receive", "data_to_send"):
            setattr(board, name, self._noted(name, getattr(board, name)))
        return board

    def _noted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any) -> Any:
            told: list[Any] = []
            for argument in arguments:
                if isinstance(argument, bytes):
                    told.append(argument.hex())
                elif isinstance(argument, Inputs):
                    switches = (argument.door_a_shut, argument.door_b_shut, argument.bolt_home, argument.housing_open)
                    told += [sum(on << n for n, on in enumerate((*switches, argument.coil_on))), argument.probe]
                else:
                    told.append(argument)
            self._write([name, *told])
            return call(*arguments)

        return noted

    def _write(self, what: Any) -> None:
        self.lines.append(json.dumps(what))


def besieged(zones: int, path: Path) -> Recorded:
    """Orders of every code with bodies of every length and of dice, and bytes that are no frames."""
    lines: list[str] = []
    bench, dice = Recorded(zones, lines), random.Random(zones)
    bench.hello()
    lengths = (0, 1, 2, 5, 6, 34, 36, 59, 230)
    for code in range(0x14):
        for length in lengths:
            bench.order(code, dice.randbytes(length))
        bench.run(30)
    for _ in range(200):
        bench.board.receive(dice.randbytes(dice.randint(0, 300)), bench.now_ms)
        bench.run(5)
    bench.hello(nonce=b"otherone")
    for _ in range(300):
        zoned = bytes((dice.randrange(zones + 1),)) + dice.randbytes(5)
        bench.order(dice.randint(0x0D, 0x11), zoned[: dice.choice((1, 2, 6))])
        bench.run(dice.randint(1, 20))
    path.write_text("\n".join(lines) + "\n")
    return bench


def live(zones: int, path: Path) -> Recorded:
    """Visits, refusals, faults, calibration, the journal, noise; the record is at `path`."""
    lines: list[str] = []
    bench = Recorded(zones, lines)
    bench.run(600)
    bench.hello()
    bench.order(c.LAMP, b"\x01")
    for cell in bench.world.cells:
        cell.put(1000.0, bench.now_ms)
    bench.run(1500)
    _visit(bench)
    _calibrate(bench)
    _break(bench)
    bench.order(c.MIRROR, VISIT + struct.pack("<q3s32s", 1250, b"EUR", bytes(32)))
    bench.order(c.COMMISSION, TEST_KEY + struct.pack("<HH", 1, 2))
    bench.world.break_part("housing_open", on=True)
    bench.run(50)
    bench.order(c.COMMISSION, TEST_KEY + struct.pack("<HH", 1, 2))
    bench.unlock(OTHER_VISIT)
    bench.board.receive(b"noise\0" * 12, bench.now_ms)
    bench.run(500)
    bench.order(c.JOURNAL_READ, struct.pack("<IB", 0, 16))
    bench.run(1000)
    path.write_text("\n".join(lines) + "\n")
    return bench


def _visit(bench: Recorded) -> None:
    bench.open_door()
    bench.order(c.RAW_STREAM, b"\x00\x01")
    bench.run(700)
    bench.world.cells[0].put(650.0, bench.now_ms)
    bench.run(700)
    bench.world.shut()
    bench.run(2500)
    assert bench.unlock(OTHER_VISIT, beating=False) == c.OK
    bench.run(900)


def _calibrate(bench: Recorded) -> None:
    def weigh(load_g: float) -> None:
        bench.world.cells[1].put(load_g, bench.now_ms)
        bench.run(2500)

    weigh(0.0)
    bench.order(c.TARE, b"\x01")
    weigh(500.0)
    bench.order(c.CALIBRATION_POINT, struct.pack("<BBI", 1, 1, 5000))
    weigh(2000.0)
    bench.order(c.CALIBRATION_POINT, struct.pack("<BBI", 1, 2, 20000))
    bench.order(c.CALIBRATE, b"\x01")
    bench.order(c.CELL_REQUEST, b"\x01")
    bench.run(500)


def _break(bench: Recorded) -> None:
    for name in ("cell_dead", "cell_stuck", "cell_saturated", "cell_slipping", "cell_spiking"):
        bench.world.break_part(name, on=True, zone=0)
        bench.run(1200)
        bench.world.break_part(name, on=False, zone=0)
        bench.run(400)
    for name in ("probe_open", "probe_short", "door_a_open"):
        bench.world.break_part(name, on=True)
        bench.run(1200)
        bench.world.break_part(name, on=False)
    bench.run(500)
    bench.order(c.CLEAR_FAULTS)
    bench.unlock(beating=True)
    bench.run(400)
    bench.world.break_part("relay_welded", on=True)
    bench.order(c.LOCK)
    bench.run(300)
    bench.world.break_part("relay_welded", on=False)
    bench.order(c.CLEAR_FAULTS)
