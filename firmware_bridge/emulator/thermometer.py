"""The thermistor on its divider, as the analogue converter of the board sees it."""

import math
import random

FULL = 65_520  # sum of 16 readings of 12 bits
FIXED_OHM = 10_000.0  # from the thermistor to 3.3 V
NOMINAL_OHM, NOMINAL_K, BETA_K = 10_000.0, 298.15, 3950.0  # NTC 10 k, B 3950, to ground
NOISE = 5.0  # of the sum, 1 sigma: 1.25 steps a reading
EVERY_MS = 100  # a new reading

PROBE_BREAKS = ("probe_open", "probe_short", "probe_frozen")


def code_at(celsius: float) -> float:
    """What the sum of 16 readings shows at this temperature, without noise: 0 hot .. 65520 cold."""
    ohm = NOMINAL_OHM * math.exp(BETA_K * (1 / (celsius + 273.15) - 1 / NOMINAL_K))
    return FULL * ohm / (ohm + FIXED_OHM)


class Thermometer:
    def __init__(self, celsius: float, dice: random.Random) -> None:
        self.celsius = celsius
        self._dice = dice
        self._code = round(code_at(celsius))
        self._read_ms = -math.inf

    def read(self, now_ms: float, broken: set[str]) -> int:
        """The sum of 16 readings, 0..65520; a new one every 100 ms."""
        if "probe_open" in broken:
            return FULL
        if "probe_short" in broken:
            return 0
        if now_ms - self._read_ms >= EVERY_MS and "probe_frozen" not in broken:
            self._read_ms = now_ms
            noisy = round(code_at(self.celsius) + self._dice.gauss(0.0, NOISE))
            self._code = max(0, min(noisy, FULL))
        return self._code
