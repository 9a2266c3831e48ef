"""How a board is built: how many zones, which sensors, which kind of lock.

Fixed when it is made, never negotiated.  The Pico's own is in `fitted.py`; a simulated board gets one by argument.
"""

from . import codes as c


class Fitted:
    """`zones` 1..12, `rate_hz` 16..65 535 conversions a second, `batch` 1..48 samples in a Mass.

    A motor bolt whose end switches cut its current must say `coil_sense=False`: the faults of the coil
    expect current as long as it is driven.
    """

    def __init__(  # noqa: PLR0913  one word for each thing that may be fitted or not
        self,
        zones: int = 4,
        rate_hz: int = 80,
        batch: int = 8,
        *,
        coil_sense: bool = True,
        probe: bool = True,
        motor_bolt: bool = False,
        second_contact: bool = True,
        firmware: str = "cabinet-board 1.0.0",
        protocol: int = c.PROTOCOL,
    ) -> None:
        if not 1 <= zones <= c.MOST_ZONES:
            raise ValueError(f"{zones} zones, want 1..{c.MOST_ZONES}")
        if not 16 <= rate_hz <= 65535 or not 1 <= batch <= 48:
            raise ValueError(f"{rate_hz} Hz in batches of {batch}, want 16..65535 in 1..48")
        if len(firmware.encode()) > 32:
            raise ValueError("a firmware's name of more than 32 bytes")
        self.zones, self.rate_hz, self.batch = zones, rate_hz, batch
        self.coil_sense, self.probe = coil_sense, probe
        self.motor_bolt, self.second_contact = motor_bolt, second_contact
        self.firmware, self.protocol = firmware, protocol

    def capabilities(self) -> int:
        bits = c.SIGNED_UNLOCK | c.JOURNAL | c.HAS_LAMP | c.HAS_BUZZER | c.HOUSING_SWITCH
        if self.coil_sense:
            bits |= c.COIL_CURRENT
        if self.probe:
            bits |= c.THERMOMETER
        if self.motor_bolt:
            bits |= c.MOTOR_BOLT
        if self.second_contact:
            bits |= c.SECOND_CONTACT
        return bits
