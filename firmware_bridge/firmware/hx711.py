"""Up to 12 HX711 converters on one clock, read side by side: who is ready, who slipped, who is left out.

A state machine of the RP2040's PIO clocks 25 pulses and samples every data line at each, so that the clock's high
time is the same 0.6 us however slow the processor is: 60 us would switch the converters off.  It waits, when nobody
fetches its words, with the clock low.  Nothing here judges a weight.

Each converter has an oscillator of its own.  A reading waits for the slowest; a faster one, sliding along, will now
and then finish its next conversion in the very 30 us of a reading and spoil it: a slip, or a spike.
"""
# ruff: noqa: F821 - the assembler lends its words (pull, nop, in_, ...) to the program while it translates it
# mypy: disable-error-code="name-defined,untyped-decorator"

from array import array
from time import sleep_us  # type: ignore[attr-defined]  # MicroPython's

import micropython
import rp2
from machine import Pin

LINES = 12  # data lines the program samples, from one pin upwards
PULSES = 25  # 24 bits, and one that chooses channel A with gain 128 for the next conversion
WORDS = 13  # two samples of 12 lines each, the last one half empty
STEP_HZ = 5_000_000  # of the program: three steps high, three low, 30 us in all; the data sheet wants 0.2 us of each
RESET_US = 100  # clock high for more than 60 us: all converters start anew, in step and at gain 128

PATIENCE_MS = 100  # eight conversions at 80 a second: who takes longer is left out of the waiting
TRUST = 40  # readings in a row for which one that was left out must be ready before anybody waits for it again

SPREAD = tuple((n & 1) | (n & 2) << 5 | (n & 4) << 10 | (n & 8) << 15 for n in range(16))  # bit k to bit 6 k


@rp2.asm_pio(sideset_init=rp2.PIO.OUT_LOW, in_shiftdir=rp2.PIO.SHIFT_LEFT, autopush=True, push_thresh=24)
def clock_out() -> None:
    """Fed with PULSES - 1, answers with WORDS."""
    wrap_target()
    pull(block).side(0)
    mov(x, osr).side(0)
    label("pulse")
    nop().side(1)[2]
    in_(pins, 12).side(0)  # as the clock falls; where the queue is full it waits here, low
    jmp(x_dec, "pulse").side(0)[1]
    in_(null, 12).side(0)  # sends off the last half word
    wrap()


@micropython.native
def decode(words: "array[int]", count: int) -> list[int]:
    """`count` signed 24-bit numbers from the samples of their lines.  About 100 steps for 12, not 288."""
    numbers: list[int] = []
    low = 0
    while low < count:  # four lines at a time: spread six bits apart, six samples add up without touching
        a = b = c = d = at = 0
        while at < 12:
            mixed, stop = 0, at + 3
            while at < stop:
                word = words[at]
                mixed = (mixed << 1) | SPREAD[(word >> (12 + low)) & 15]
                mixed = (mixed << 1) | SPREAD[(word >> low) & 15]
                at += 1
            a = (a << 6) | (mixed & 63)
            b = (b << 6) | ((mixed >> 6) & 63)
            c = (c << 6) | ((mixed >> 12) & 63)
            d = (d << 6) | (mixed >> 18)
        numbers += [a, b, c, d]
        low += 4
    return [number - 0x1000000 if number & 0x800000 else number for number in numbers[:count]]


class Converters:
    """`count` of them, data lines on `first_pin` and upwards.  `levels` is the chip's whole input word."""

    def __init__(self, first_pin: int, count: int, clock_pin: int, rate_hz: int, now_ms: int) -> None:
        self.first, self.count = first_pin, count
        for n in range(count):
            Pin(first_pin + n, Pin.IN, Pin.PULL_UP)  # a cut line reads "not ready"
        clock = Pin(clock_pin, Pin.OUT, value=1)
        sleep_us(RESET_US)
        clock.value(0)
        self.machine = rp2.StateMachine(0, clock_out, freq=STEP_HZ, in_base=Pin(first_pin), sideset_base=Pin(clock_pin))
        self.machine.active(1)
        self.words = array("I", [0] * WORDS)
        self.all = ((1 << count) - 1) << first_pin
        self.waited = self.all  # whom a reading waits for
        self.trust = [0] * count
        self.period_ms = 1000 // rate_hz
        self.last_ms = now_ms

    def due(self, levels: int, now_ms: int) -> bool:
        """Everybody waited for is ready, or has been waited for long enough."""
        if self.waited:
            return not levels & self.waited or now_ms - self.last_ms >= PATIENCE_MS
        return now_ms - self.last_ms >= self.period_ms  # nobody lives: keep asking at the usual pace

    def read(self, levels: int, now_ms: int) -> tuple[list[int | None], int]:
        """One number for each converter, None where there is none, and a bit for each that lost step.

        To be called when `due`.  A converter that was read in step holds its line high after the last pulse.
        """
        ready = ~levels & self.all
        if self.waited & ~ready:
            self._leave_out(ready)
        raws: list[int | None] = [None] * self.count
        slips = 0
        if ready:
            self.machine.put(PULSES - 1)
            self.machine.get(self.words)
            numbers = decode(self.words, self.count)
            after = self.words[WORDS - 1] >> 12
            for n in range(self.count):
                if (ready >> (self.first + n)) & 1:
                    raws[n] = numbers[n]
                    if not (after >> n) & 1:
                        slips |= 1 << n
        if self.waited != self.all:
            self._give_back(ready)
        self.last_ms = now_ms
        return raws, slips

    def _leave_out(self, ready: int) -> None:
        for n in range(self.count):
            if not (ready >> (self.first + n)) & 1:
                self.trust[n] = 0
        self.waited &= ready

    def _give_back(self, ready: int) -> None:
        for n in range(self.count):
            line = 1 << (self.first + n)
            if not self.waited & line:
                self.trust[n] = self.trust[n] + 1 if ready & line else 0
                if self.trust[n] >= TRUST:
                    self.waited |= line
