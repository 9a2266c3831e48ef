"""Plays a recorded life to a Board and prints all it says and does.  Runs in CPython and in MicroPython.

    replay.py FOLDER-OF-THE-FIRMWARE LIFE [time]

A life is lines of JSON: first how the board is built and its memory, then what happened to it.  `time` prints
how long the calls took instead.
"""

import binascii
import hashlib
import json
import sys

try:
    from time import ticks_us  # type: ignore[attr-defined]  # MicroPython's
except ImportError:
    from time import perf_counter_ns

    def ticks_us() -> int:
        return perf_counter_ns() // 1000


STEP_US = 10


class Dice:
    """The same bytes everywhere."""

    def __init__(self) -> None:
        self.rolls = 0

    def __call__(self, n: int) -> bytes:
        self.rolls += 1
        return hashlib.sha256(str(self.rolls).encode()).digest()[:n]


class Chip:
    """A memory that keeps what is written."""

    def __init__(self, content: bytes) -> None:
        self.content = bytearray(content)

    def read(self, at: int, n: int) -> bytes:
        return bytes(self.content[at : at + n])

    def write(self, at: int, data: bytes) -> None:
        self.content[at : at + len(data)] = data


class Took:
    """How long calls took."""

    def __init__(self) -> None:
        self.calls = self.total_us = self.most_us = 0
        self.in_steps = [0] * 200  # of STEP_US; the last: longer

    def add(self, us: int) -> None:
        self.calls += 1
        self.total_us += us
        self.most_us = max(us, self.most_us)
        self.in_steps[min(us // STEP_US, 199)] += 1

    def tell(self) -> str:
        """Calls, mean, the bound that 99 of 100 keep, and the longest."""
        kept, step = 0, 0
        while kept * 100 < self.calls * 99:
            kept += self.in_steps[step]
            step += 1
        told = (self.calls, self.total_us // self.calls, step * STEP_US, self.most_us)
        return "%6d calls, mean %4d us, p99 under %4d us, most %6d us" % told  # noqa: UP031  the same words in both


def replay(lines, out) -> "dict[str, Took]":  # type: ignore[no-untyped-def]  # noqa: ANN001  a file has no name here
    """Write what comes out, line by line; how long each kind of call took."""
    from firmware.board import Board  # type: ignore[import-not-found]  # on a path of its own
    from firmware.fitted_by import Fitted  # type: ignore[import-not-found]  # on a path of its own
    from firmware.switches import Inputs  # type: ignore[import-not-found]  # on a path of its own

    head = json.loads(next(lines))
    nv = Chip(binascii.unhexlify(head["memory"]))
    board = Board(Fitted(**head["fitted"]), nv, binascii.unhexlify(head["board_id"]), Dice(), 0, head["now_ms"])
    took = {what: Took() for what in ("tick", "sampled", "receive", "data_to_send")}
    inputs = Inputs()
    pins = None
    for line in lines:
        what, *rest = json.loads(line)
        said = b""
        if what == "tick":
            inputs.door_a_shut, inputs.door_b_shut, inputs.bolt_home, inputs.housing_open, inputs.coil_on = [
                bool(rest[1] >> n & 1) for n in range(5)
            ]
            inputs.probe = rest[2]
            began_us = ticks_us()
            board.tick(rest[0], inputs)
        elif what == "sampled":
            began_us = ticks_us()
            board.sampled(*rest)
        elif what == "receive":
            data = binascii.unhexlify(rest[0])
            began_us = ticks_us()
            board.receive(data, rest[1])
        else:
            began_us = ticks_us()
            said = board.data_to_send(rest[0])
        took[what].add(ticks_us() - began_us)
        if said:
            out(binascii.hexlify(said).decode())
        shown = [board.relay, board.pump, board.lamp, board.buzzer]
        if shown != pins:
            pins = shown
            out("pins %s" % shown)  # noqa: UP031  the same words in both
    out(fingerprint(nv.content))
    return took


def fingerprint(memory: bytes | bytearray) -> str:
    return "memory " + binascii.hexlify(hashlib.sha256(memory).digest()).decode()


def main() -> None:
    sys.path.insert(0, sys.argv[1])
    timed = len(sys.argv) > 3
    with open(sys.argv[2]) as lines:  # noqa: PTH123  MicroPython has no pathlib
        took = replay(lines, (lambda _: None) if timed else print)
    if timed:
        for what in sorted(took):
            print(what, took[what].tell())  # noqa: T201  that is the answer


if __name__ == "__main__":
    main()
