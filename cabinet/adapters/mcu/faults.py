"""What each fault of the board means for the cabinet: which part it belongs to, what it is, and what a person does.

Pure bookkeeping of which are raised.  It decides nothing about selling: a part that is not in order does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cabinet.units import ZoneId
from firmware_bridge.messages import FaultCode, Status

LOCK, HOUSING, PROBE, SCALE, TOLD = "lock", "housing", "probe", "scale", "told"
SERVICE = "then cabinet unlock --purpose service"


@dataclass(frozen=True, slots=True)
class Meaning:
    part: str  # LOCK, HOUSING, PROBE, SCALE (of the zone), or TOLD: said once and over
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}"


MEANINGS: Final[dict[FaultCode, Meaning]] = {
    FaultCode.DOOR_FORCED: Meaning(
        LOCK, "the door was forced open", f"look at door, latch and goods, {SERVICE}"
    ),
    FaultCode.NOT_LATCHED: Meaning(
        LOCK, "the door rests shut but the bolt is not home", "free the bolt, or take the magnet off the door contacts"
    ),
    FaultCode.NOISY_WIRE: Meaning(
        TOLD, "the wire damaged frames during an unlock", "shorten the board's cable, keep it off the lock's supply"
    ),
    FaultCode.DOOR_CONTACTS: Meaning(
        LOCK, "the two door contacts contradict each other", f"look for a glued, loose or cut one, {SERVICE}"
    ),
    FaultCode.DRIVE_STUCK: Meaning(
        LOCK, "the lock draws current without an order", f"cut its supply, replace relay and pump, {SERVICE}"
    ),
    FaultCode.BROWN_OUT: Meaning(
        TOLD, "the board's supply broke down", "measure its 5 V while the lock moves; give the lock a supply of its own"
    ),
    FaultCode.WATCHDOG: Meaning(
        TOLD, "the board's program hung and was restarted", "put the newest firmware on it: cabinet board flash"
    ),
    FaultCode.COIL_DEAD: Meaning(
        LOCK, "the lock is driven and draws no current", f"look at its plug, its fuse and the pump, {SERVICE}"
    ),
    FaultCode.BOLT_STUCK: Meaning(
        LOCK, "the lock is driven and the bolt stays home", f"look for what jams it or leans on the door, {SERVICE}"
    ),
    FaultCode.BOLT_SWITCH: Meaning(
        LOCK, "the bolt reads home with the door open", f"look for a glued switch or a short in its wire, {SERVICE}"
    ),
    FaultCode.RELAY_WELDED: Meaning(
        LOCK, "the lock's relay does not open any more", f"replace the relay, {SERVICE}"
    ),
    FaultCode.PUMP_SHORTED: Meaning(
        LOCK, "the charge pump passes current at rest", f"replace its transistor, {SERVICE}"
    ),
    FaultCode.HOUSING_OPEN: Meaning(
        HOUSING, "the board's housing is open", "shut it, and look who was at it"
    ),
    FaultCode.CELL_DEAD: Meaning(
        SCALE, "the converter sends nothing", "look at its plug and its supply"
    ),
    FaultCode.CELL_STUCK: Meaning(
        SCALE, "the converter repeats one number", "look at the bridge's wires, then replace the converter"
    ),
    FaultCode.CELL_SATURATED: Meaning(
        SCALE, "the cell is at the end of its range", "take the load off, then look at the bridge's four wires"
    ),
    FaultCode.CELL_NOISY: Meaning(
        SCALE, "more than one sample in eight is spoilt", "shorten the converter's wires, keep them off the lock's"
    ),
    FaultCode.PROBE_OPEN: Meaning(
        PROBE, "the thermometer's wire is open", "look at its plug"
    ),
    FaultCode.PROBE_SHORT: Meaning(
        PROBE, "the thermometer's wire is shorted", "look for a pinched cable"
    ),
    FaultCode.PROBE_FROZEN: Meaning(
        PROBE, "the thermometer has not moved for a minute", "replace it: a live one never stands still"
    ),
    FaultCode.MEMORY: Meaning(
        LOCK, "the board's memory fails", "replace the chip, then cabinet board commission and cabinet scale calibrate"
    ),
    FaultCode.BUDGET: Meaning(
        LOCK, "the board has granted all unlocks of this hour or day",
        "wait; if business is that good, raise board.unlocks_per_hour and cabinet board commission",
    ),
    FaultCode.UNSIGNED_UNLOCKS: Meaning(
        TOLD, "somebody ordered unlocks with a wrong key", "look who is on this computer and on the board's wire"
    ),
}  # fmt: skip  # a table

OF_THE_DRIVE: Final = {  # mean nothing where the lock is not on the board
    FaultCode.DRIVE_STUCK, FaultCode.COIL_DEAD, FaultCode.BOLT_STUCK, FaultCode.RELAY_WELDED, FaultCode.PUMP_SHORTED,
    FaultCode.MEMORY, FaultCode.BUDGET,
}  # fmt: skip  # a list
OF_THE_SWITCHES: Final = {  # likewise where door and bolt are not
    FaultCode.DOOR_FORCED, FaultCode.NOT_LATCHED, FaultCode.DOOR_CONTACTS, FaultCode.BOLT_SWITCH,
}  # fmt: skip  # a list


@dataclass
class FaultBook:
    """Which faults are raised.  `zones[i]` is the zone on channel i; None where nothing hangs on it."""

    zones: Sequence[ZoneId | None]
    lock: bool = True  # the lock is on the board
    switches: bool = True  # door and bolt are
    raised: set[tuple[FaultCode, int]] = field(default_factory=set)  # with the channel of a cell fault, else 0
    unknown: int = 0  # bits that this program has no word for

    def found(self, status: Status) -> None:
        """What the board holds now, of which some edges may have been missed.

        Which of several cell faults a channel has the status does not say: what was heard before stands, and of a
        channel never heard of it may be any.
        """
        codes = {code for code in FaultCode if status.faults >> code & 1 and not code.told}
        cells = {code for code in codes if MEANINGS[code].part == SCALE}
        now = {(code, 0) for code in codes - cells}
        for channel in (n for n in range(len(self.zones)) if status.cells >> n & 1):
            heard = {(code, n) for code, n in self.raised if n == channel and code in cells}
            now |= heard or {(code, channel) for code in cells}
        self.raised = now
        self.unknown = status.faults >> len(FaultCode) << len(FaultCode)

    def add(self, code: FaultCode, detail: int) -> None:
        if not code.told:
            self.raised.add((code, detail if MEANINGS[code].part == SCALE else 0))

    def drop(self, code: FaultCode, detail: int) -> None:
        self.raised.discard((code, detail if MEANINGS[code].part == SCALE else 0))

    def clear(self) -> None:
        self.raised.clear()
        self.unknown = 0

    def parts(self) -> dict[str, str | None]:
        """Every part that a fault may belong to, in order (None) or not (why)."""
        parts: dict[str, str | None] = {LOCK: self._lock(), HOUSING: self._of(HOUSING), PROBE: self._of(PROBE)}
        for channel, zone in enumerate(self.zones):
            if zone is not None:
                mine = [code for code, detail in self.raised if MEANINGS[code].part == SCALE and detail == channel]
                parts[f"{SCALE}:{zone}"] = _words(mine)
        return parts

    def _lock(self) -> str | None:
        strange = set() if self.lock else OF_THE_DRIVE
        strange = strange if self.switches else strange | OF_THE_SWITCHES
        mine = [code for code, _ in self.raised if MEANINGS[code].part == LOCK and code not in strange]
        if self.unknown:
            numbers = [str(n) for n in range(len(FaultCode), 32) if self.unknown >> n & 1]
            new = f"the board reports fault {', '.join(numbers)}, which this program does not know: update it"
            return new if not mine else f"{_words(mine)}; {new}"
        return _words(mine)

    def _of(self, part: str) -> str | None:
        return _words(code for code, _ in self.raised if MEANINGS[code].part == part)


def _words(codes: Iterable[FaultCode]) -> str | None:
    return "; ".join(str(MEANINGS[code]) for code in sorted(codes)) or None
