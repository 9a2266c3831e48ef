"""The thermometer: an NTC of 10 kΩ at 25 °C, B 3950, to ground, under 10 kΩ to the converter's own reference.

From a converter's code to 0.01 °C by a table, within 0.1 K of the beta formula from -25 to +60 °C; no pins, no clock.
It says when there is nothing to say (open, short, frozen) and never invents a temperature.
"""

from . import codes as c

COLDEST = -4000  # 0.01 °C, the first row of the table; beyond it the wire is open
STEP = 250  # 0.01 °C a row
FROZEN_MS = 60_000
OPEN, SHORT, FROZEN = 1, 2, 3  # told as NO_TEMPERATURE plus these
NO_TEMPERATURE = -32768

# 65520 R / (R + 10k) with R = 10k exp(3950 (1/T - 1/298.15)), from -40 to +85 °C.
# fmt: off
_CODES = [
    63929, 63625, 63273, 62867, 62403, 61874, 61274, 60599, 59842, 58999, 58066, 57040, 55919, 54703, 53393,
    51990, 50500, 48928, 47282, 45571, 43806, 41999, 40161, 38306, 36446, 34593, 32760, 30957, 29195, 27481,
    25824, 24229, 22701, 21242, 19856, 18542, 17302, 16134, 15036, 14008, 13046, 12148, 11310, 10530, 9805,
    9131, 8505, 7924, 7385, 6885, 6422,
]
# fmt: on


def centidegrees(code: int) -> int:
    """0.01 °C for a code within the table."""
    row = 1
    while code < _CODES[row]:
        row += 1
    above, below = _CODES[row - 1], _CODES[row]
    return COLDEST + STEP * (row - 1) + (STEP * (above - code) + (above - below) // 2) // (above - below)


class Probe:
    """One thermometer, read about once a second."""

    def __init__(self) -> None:
        self._code = -1
        self._changed_ms = 0
        self._trouble = 0

    def read(self, code: int, now_ms: int) -> int:
        """0.01 °C, or NO_TEMPERATURE plus 1 open, 2 short, 3 frozen.

        `code` is the sum of 16 conversions of 12 bits, 0..65520: a live one never repeats itself for a minute.
        """
        if code != self._code:
            self._code, self._changed_ms = code, now_ms
        self._trouble = 0
        if code > _CODES[0]:
            self._trouble = OPEN
        elif code < _CODES[-1]:
            self._trouble = SHORT
        elif now_ms - self._changed_ms >= FROZEN_MS:
            self._trouble = FROZEN
        if self._trouble:
            return NO_TEMPERATURE + self._trouble
        return centidegrees(code)

    def fault(self) -> int:
        """The fault of the last reading, -1 for none."""
        if not self._trouble:
            return -1
        return c.PROBE_OPEN + self._trouble - 1
