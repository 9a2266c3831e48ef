"""Lamps and buzzer behind a PCA8574: which blinks how, told by the clock, never by waiting.

The chip's pins are high after power-on and only sink current, so a load is on at *low*.  A chip that does not
answer is asked again once a second; the lock does not care.
"""

from machine import I2C

ADDRESS = 0x20  # A0..A2 to ground; a PCA8574A sits at 0x38
GREEN, RED, SOUND, INSIDE = 1, 2, 4, 8
RETRY_MS = 1000

# Of a mode or pattern: pins, ms on, ms off (0: steady), how often (0: for ever).
LAMPS = (
    (0, 1, 0, 0),  # off
    (GREEN, 1, 0, 0),  # ready
    (GREEN, 500, 500, 0),  # busy
    (GREEN | INSIDE, 1, 0, 0),  # open
    (RED, 250, 250, 0),  # alarm
)
SOUNDS = (
    (0, 1, 0, 0),  # none
    (SOUND, 120, 100, 1),  # ok
    (SOUND, 120, 120, 3),  # prompt
    (SOUND, 500, 500, 0),  # alarm
)


def lit(pattern: tuple[int, int, int, int], since_ms: int) -> int:
    """The pins of a pattern that are on, `since_ms` after it began."""
    pins, on_ms, off_ms, times = pattern
    if not off_ms:
        return pins
    lap, within = divmod(since_ms, on_ms + off_ms)
    return pins if within < on_ms and (not times or lap < times) else 0


class Lights:
    """`lamp` and `buzzer` begin a mode or pattern, the same one too: each order to beep is heard."""

    def __init__(self, bus: I2C, address: int = ADDRESS) -> None:
        self.bus, self.address = bus, address
        self.mode, self.mode_ms = 0, 0
        self.pattern, self.pattern_ms = 0, 0
        self.shown = -1  # what the chip was last told
        self.retry_ms = 0
        self.out = bytearray(1)

    def lamp(self, mode: int, now_ms: int) -> None:
        self.mode, self.mode_ms = mode, now_ms

    def buzzer(self, pattern: int, now_ms: int) -> None:
        self.pattern, self.pattern_ms = pattern, now_ms

    def step(self, now_ms: int) -> None:
        """Tell the chip what has changed; to be called often."""
        want = lit(LAMPS[self.mode], now_ms - self.mode_ms) | lit(SOUNDS[self.pattern], now_ms - self.pattern_ms)
        if want == self.shown or now_ms < self.retry_ms:
            return
        self.out[0] = ~want & 0xFF
        try:
            self.bus.writeto(self.address, self.out)
            self.shown = want
        except OSError:
            self.shown, self.retry_ms = -1, now_ms + RETRY_MS
