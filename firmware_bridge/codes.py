"""The numbers of PROTOCOL.md that have names: lamp modes, answers, faults, reasons.  Tables only."""

import enum


class LampMode(enum.IntEnum):
    OFF = 0
    READY = 1
    BUSY = 2
    OPEN = 3
    ALARM = 4


class BuzzerPattern(enum.IntEnum):
    NONE = 0
    OK = 1
    PROMPT = 2
    ALARM = 3


class Answer(enum.IntEnum):
    """What the board says to an unlock."""

    OK = 0
    DOOR_OPEN = 1
    FAULT = 2  # one is raised that blocks
    BUSY = 3  # another visit holds the lease
    BAD_TTL = 4  # 0 ms
    BUDGET = 5  # too many unlocks this hour or day
    UNSIGNED = 6  # wrong mac
    STALE = 7  # no challenge is open
    NO_KEY = 8


class LeaseEnd(enum.IntEnum):
    OPENED = 0
    EXPIRED = 1
    HOST_SILENT = 2
    LOCK_ORDER = 3
    FAULT = 4


class FaultCode(enum.IntEnum):
    """Bit n of Status.faults and Alive.faults is code n."""

    DOOR_FORCED = 0
    NOT_LATCHED = 1
    NOISY_WIRE = 2
    DOOR_CONTACTS = 3
    DRIVE_STUCK = 4
    BROWN_OUT = 5
    WATCHDOG = 6
    COIL_DEAD = 7
    BOLT_STUCK = 8
    BOLT_SWITCH = 9
    RELAY_WELDED = 10
    PUMP_SHORTED = 11
    HOUSING_OPEN = 12
    CELL_DEAD = 13
    CELL_STUCK = 14
    CELL_SATURATED = 15
    CELL_NOISY = 16
    PROBE_OPEN = 17
    PROBE_SHORT = 18
    PROBE_FROZEN = 19
    MEMORY = 20
    BUDGET = 21
    UNSIGNED_UNLOCKS = 22

    @property
    def told(self) -> bool:
        """Said once, not held: nothing will take it back."""
        return self in _TOLD


_TOLD = frozenset({FaultCode.NOISY_WIRE, FaultCode.BROWN_OUT, FaultCode.WATCHDOG, FaultCode.UNSIGNED_UNLOCKS})


class Bad(enum.IntEnum):
    """Why a sample is no number."""

    UNKNOWN = 0  # also a reason that this host does not know
    SETTLING = 1  # after power-up
    SATURATED = 2
    BIT_SLIP = 3  # the converter lost step with its clock
    SPIKE = 4  # far from both neighbours
    NO_CONVERSION = 5
    NOT_CALIBRATED = 6


class ProbeBad(enum.IntEnum):
    """Why there is no temperature."""

    OPEN = 1
    SHORT = 2
    FROZEN = 3


class ResetCause(enum.IntEnum):
    POWER = 0
    WATCHDOG = 1
    BROWN_OUT = 2
    OTHER = 3


class Commissioning(enum.IntEnum):
    """What the board says to a key."""

    OK = 0
    HOUSING_SHUT = 1  # and it has a key already
    OUT_OF_RANGE = 2


class About(enum.IntEnum):
    """What a CellReport answers."""

    REQUEST = 0
    TARE = 1
    POINT = 2
    CALIBRATE = 3


class CellAnswer(enum.IntEnum):
    """What the board says to a tare or a calibration; only OK stores anything."""

    OK = 0
    NOT_STEADY = 1
    NO_SIGNAL = 2
    ZERO_OUT_OF_RANGE = 3
    MASSES_TOO_NEAR = 4
    MASS_OUT_OF_RANGE = 5
    SPAN_OUT_OF_RANGE = 6
    RESIDUAL = 7
    POINTS_MISSING = 8
    WIRES_SWAPPED = 9
    NOT_STORED = 10


class EntryKind(enum.IntEnum):
    """Kinds of journal entries; entries.py reads their bodies."""

    BOOT = 1
    UNLOCK_GRANTED = 2
    LEASE_ENDED = 3
    DOOR_OPENED = 4
    DOOR_CLOSED = 5
    MASSES = 6
    FAULT_RAISED = 7
    MIRROR = 8
    COMMISSIONED = 9
    CALIBRATED = 10
    UNLOCK_REFUSED = 11


class Capability(enum.IntFlag):
    SIGNED_UNLOCK = 1
    JOURNAL = 2
    COIL_CURRENT = 4
    TEMPERATURE = 8
    LAMP = 16
    BUZZER = 32
    MOTOR_BOLT = 64
    HOUSING_SWITCH = 128
    SECOND_DOOR_CONTACT = 256
