"""`python -m firmware_bridge.emulator`: one emulated board until SIGTERM.  Prints one JSON line when ready."""

import argparse
import json
import signal
import sys
from pathlib import Path

from firmware_bridge.emulator.firmware import Chip, Firmware
from firmware_bridge.emulator.shell import Shell, now_ms
from firmware_bridge.emulator.world import Signal, World


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m firmware_bridge.emulator", description=__doc__)
    parser.add_argument("--pty-link", type=Path, required=True, help="name under which the host opens the board")
    parser.add_argument("--control", type=Path, required=True, help="Unix socket for JSON lines from the world")
    parser.add_argument("--zones", type=int, default=4, choices=range(1, 33), metavar="1..32")
    parser.add_argument("--masses-g", type=float, nargs="*", default=[], help="loads at power-on, zone by zone")
    parser.add_argument("--noise-g", type=float, default=0.5, help="gaussian noise of the cells, 1 sigma")
    parser.add_argument("--ring-decay-s", type=float, default=0.0, help="swing after a step; 0: none")
    parser.add_argument("--ring-hz", type=float, default=9.0)
    parser.add_argument("--celsius", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=0, help="of noise and boot ids")
    parser.add_argument("--rate-hz", type=int, default=80)
    parser.add_argument("--batch", type=int, default=8, choices=range(1, 49), metavar="1..48")
    parser.add_argument("--door-open", action="store_true", help="the door stands open at power-on")
    parser.add_argument("--protocol", type=int, default=1, help="what Hello is answered with")
    parser.add_argument("--uptime-ms", type=int, default=0, help="the millisecond counter at power-on")
    parser.add_argument("--until-stdin-ends", action="store_true", help="stop when the parent goes away")
    return parser


def main() -> int:
    options = arguments().parse_args()
    signals = Signal(options.noise_g, options.ring_hz, options.ring_decay_s)
    world = World(options.zones, options.seed, signals, celsius=options.celsius)
    for cell, load_g in zip(world.cells, options.masses_g, strict=False):
        cell.load_g = load_g
    if options.door_open:
        world.force()
    chip = Chip(
        rate_hz=options.rate_hz,
        batch=options.batch,
        protocol=options.protocol,
        uptime_ms=options.uptime_ms,
        seed=options.seed,
    )
    firmware = Firmware(world, chip, now_ms())
    shell = Shell(firmware, options.pty_link, options.control, until_stdin_ends=options.until_stdin_ends)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: shell.stop())
    print(json.dumps({"ready": True, "port": str(options.pty_link)}), flush=True)  # noqa: T201  the parent waits for it
    shell.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
