"""`python -m firmware_bridge.emulator`: one emulated board until SIGTERM.  Prints one JSON line when its loop runs."""

import argparse
import hashlib
import json
import signal
import sys
from pathlib import Path

from firmware_bridge.emulator.cells import Signal
from firmware_bridge.emulator.commissioned import TEST_KEY, commission
from firmware_bridge.emulator.fram import SIZE, Fram
from firmware_bridge.emulator.process import AUTO, CPYTHON, MICROPYTHON, InterpreterMissingError
from firmware_bridge.emulator.seat import Chip
from firmware_bridge.emulator.supervisor import Supervisor, now_ms
from firmware_bridge.emulator.world import World
from firmware_bridge.firmware.codes import MOST_PER_DAY, MOST_PER_HOUR, PROTOCOL

KEY_BYTES = 32


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m firmware_bridge.emulator", description=__doc__)
    parser.add_argument("--pty-link", type=Path, required=True, help="name under which the host opens the board")
    parser.add_argument("--control", type=Path, required=True, help="Unix socket for JSON lines from the world")
    parser.add_argument("--until-stdin-ends", action="store_true", help="stop when the parent goes away")
    parser.add_argument("--interpreter", choices=(AUTO, MICROPYTHON, CPYTHON), default=AUTO)
    _of_the_board(parser.add_argument_group("how the board is built"))
    _of_the_memory(parser.add_argument_group("what its memory holds"))
    _of_the_world(parser.add_argument_group("what is round it"))
    return parser


def _of_the_board(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--zones", type=int, default=4, choices=range(1, 13), metavar="1..12")
    group.add_argument("--rate-hz", type=int, default=80)
    group.add_argument("--batch", type=int, default=8, choices=range(1, 49), metavar="1..48")
    group.add_argument("--baud", type=int, default=0, help="of the wire; 0: as quick as it goes")
    group.add_argument("--protocol", type=int, default=PROTOCOL, help="what Hello is answered with")
    group.add_argument("--firmware", default="cabinet-board 1.0.0", help="the name it gives itself")
    group.add_argument("--uptime-ms", type=int, default=0, help="the millisecond counter at power-on")
    group.add_argument("--drift-ppm", type=int, default=0, help="of the chip's clock")
    group.add_argument("--motor-bolt", action="store_true")
    group.add_argument("--no-second-contact", action="store_true")
    group.add_argument("--no-coil-sense", action="store_true")
    group.add_argument("--no-probe", action="store_true")


def _of_the_memory(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--memory", type=Path, help="file that keeps it; used as it is if it exists")
    group.add_argument("--blank", action="store_true", help="fresh from the factory: no key, no calibration")
    group.add_argument("--key", default=TEST_KEY.hex(), help="64 hex digits; the default is known to everybody")
    group.add_argument("--per-hour", type=int, default=MOST_PER_HOUR, help="unlocks")
    group.add_argument("--per-day", type=int, default=MOST_PER_DAY, help="unlocks")


def _of_the_world(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--masses-g", type=float, nargs="*", default=[], help="loads at power-on, zone by zone")
    group.add_argument("--noise-g", type=float, default=0.5, help="gaussian noise of the cells, 1 sigma")
    group.add_argument("--ring-decay-s", type=float, default=0.0, help="swing after a step; 0: none")
    group.add_argument("--ring-hz", type=float, default=9.0)
    group.add_argument("--rate-error", type=float, default=0.0, help="of the converters' oscillators, percent")
    group.add_argument("--celsius", type=float, default=4.0)
    group.add_argument("--seed", type=int, default=0, help="of noise, zeros and slopes, and the chip's own number")
    group.add_argument("--door-open", action="store_true", help="the door stands open at power-on")
    group.add_argument("--break", dest="broken", action="append", default=[], metavar="NAME[:ZONE]")


def main() -> int:
    options = arguments().parse_args()
    try:
        world = _world(options)
        supervisor = Supervisor(world, _chip(options), options.pty_link, options.control, memory_file=options.memory)
    except (ValueError, OSError, InterpreterMissingError) as error:
        print(f"firmware_bridge.emulator: {error}", file=sys.stderr)  # noqa: T201  a command line program
        return 2
    if options.until_stdin_ends:
        supervisor.until_stdin_ends()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    if supervisor.run_until_ready():
        ready = {"ready": True, "port": str(options.pty_link), "interpreter": supervisor.interpreter}
        print(json.dumps(ready), flush=True)  # noqa: T201  the parent waits for it
        supervisor.run()
        return 0
    supervisor.close()
    print("firmware_bridge.emulator: the firmware did not come up", file=sys.stderr)  # noqa: T201  likewise
    return 1


def _chip(options: argparse.Namespace) -> Chip:
    fitted = {
        "zones": options.zones,
        "rate_hz": options.rate_hz,
        "batch": options.batch,
        "coil_sense": not options.no_coil_sense,
        "probe": not options.no_probe,
        "motor_bolt": options.motor_bolt,
        "second_contact": not options.no_second_contact,
        "firmware": options.firmware,
        "protocol": options.protocol,
    }
    board_id = hashlib.sha256(b"board %d" % options.seed).digest()[:8]
    return Chip(fitted, board_id, options.baud, options.drift_ppm, options.uptime_ms, options.interpreter)


def _world(options: argparse.Namespace) -> World:
    """ValueError for a key, a memory or a break that makes no sense."""
    world = World(
        options.zones,
        options.seed,
        Signal(options.noise_g, options.ring_hz, options.ring_decay_s),
        celsius=options.celsius,
        rate_hz=options.rate_hz * (1 + options.rate_error / 100),
        motor_bolt=options.motor_bolt,
        now_ms=now_ms(),
    )
    for cell, load_g in zip(world.cells, options.masses_g, strict=False):
        cell.load_g = load_g
    if options.door_open:
        world.force()
    _remember(options, world)
    for name in options.broken:
        part, _, zone = name.partition(":")
        world.break_part(part, zone=int(zone) if zone else None)
    return world


def _remember(options: argparse.Namespace, world: World) -> None:
    if options.memory is not None and options.memory.exists():
        content = options.memory.read_bytes()
        if len(content) != SIZE:
            raise ValueError(f"{options.memory} holds {len(content)} bytes, want {SIZE}")
        world.nv = Fram(content)
        return
    if not options.blank:
        key = bytes.fromhex(options.key)
        if len(key) != KEY_BYTES or not any(key):
            raise ValueError(f"a key of {len(key)} bytes, want {KEY_BYTES}, not all zeros")
        commission(world.nv, key, options.per_hour, options.per_day, world.cells)
    if options.memory is not None:
        options.memory.write_bytes(world.nv.content)


if __name__ == "__main__":
    sys.exit(main())
