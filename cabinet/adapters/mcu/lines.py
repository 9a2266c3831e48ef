"""What the board tells, as lines of JSON for whoever watches, and its journal as the cabinet's own entries.  Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, assert_never

from ulid import ULID

from cabinet.adapters.mcu.faults import MEANINGS
from cabinet.ports import BoardEntry
from cabinet.units import VisitId, ZoneId
from firmware_bridge import entries
from firmware_bridge import happenings as felt
from firmware_bridge.codes import EntryKind, FaultCode
from firmware_bridge.errors import MessageError
from firmware_bridge.messages import HelloReply, JournalEntry

Line = dict[str, Any]
Channels = Sequence[ZoneId | None]


def word(code: Any) -> str:  # noqa: ANN401  an enumeration of the bridge
    return str(code.name).lower().replace("_", " ")


def zone_name(zones: Channels, channel: int) -> str:
    named = zones[channel] if channel < len(zones) else None
    return str(named) if named is not None else f"channel {channel}"


def visit_of(raw: bytes) -> VisitId | None:
    """None for the zeros that stand where there is none."""
    return VisitId(str(ULID.from_bytes(raw))) if any(raw) else None


def line(happening: felt.Happening, zones: Channels) -> Line | None:
    """None for what comes many times a second."""
    match happening:
        case felt.Masses() | felt.CellCounts():
            return None
        case felt.Connected(hello, status):
            faults = [word(code) for code in FaultCode if status.faults >> code & 1]
            where = {"door_open": status.door_open, "bolt_locked": status.bolt_locked, "faults": faults}
            return {"type": "connected", **board(hello), **where}
        case felt.Disconnected(why):
            return {"type": "disconnected", "why": why}
        case felt.DoorChanged(is_open, at_s):
            return {"type": "door", "open": is_open, "at_s": round(at_s, 4)}
        case felt.BoltChanged(locked, at_s):
            return {"type": "bolt", "locked": locked, "at_s": round(at_s, 4)}
        case felt.Gap(seconds, what, samples):
            return {"type": "gap", "what": what, "seconds": round(seconds, 4), "samples": samples}
        case felt.LeaseOver(visit, reason):
            return {"type": "lease", "visit": visit_of(visit), "ended": word(reason)}
        case felt.FaultRaised(code, detail, at_s):
            return _fault("fault", code, detail, at_s, zones)
        case felt.FaultGone(code, detail, at_s):
            return _fault("fault gone", code, detail, at_s, zones)
        case felt.TemperatureRead(probe, celsius):
            return {"type": "temperature", "probe": probe, "c": celsius}
        case felt.TemperatureBad(probe, reason):
            return {"type": "temperature", "probe": probe, "c": None, "why": word(reason)}
        case felt.Journaled(entry):
            told = journal_entry(entry, "", zones)
            return {"type": "journal", "index": told.index, "boot": told.boot, "kind": told.kind,
                    "visit": told.visit, "facts": dict(told.facts)}  # fmt: skip  # a row
        case _:
            assert_never(happening)


def board(hello: HelloReply) -> Line:
    """Who it is."""
    return {
        "board": hello.board_id.hex(),
        "firmware": hello.firmware,
        "protocol": hello.protocol,
        "capabilities": [word(able) for able in type(hello.capabilities) if able in hello.capabilities],
        "zones": hello.zones,
        "rate_hz": hello.rate_hz,
        "keyed": hello.keyed,
        "reset_cause": word(hello.reset_cause),
        "boot_id": hello.boot_id.hex(),
    }


def journal_entry(entry: JournalEntry, board_id: str, zones: Channels) -> BoardEntry:
    """As the ledger keeps it; a kind or body of a later firmware is kept as hexadecimal bytes."""
    try:
        said: Mapping[str, entries.Fact] = entries.facts(entry)
    except MessageError:
        said = {"body": entry.body}
    visit = said.get("visit")
    whose = visit_of(visit) if isinstance(visit, bytes) else None
    facts: dict[str, Any] = {}
    for name, value in said.items():
        if name != "visit":
            facts |= _FACTS.get(name, _plain)(name, value, zones)
    if said.get("fault") and FaultCode[str(said["fault"]).upper().replace(" ", "_")] not in _CELLS:
        facts.pop("zone", None)
    kind = word(EntryKind(entry.kind)) if entry.kind in set(EntryKind) else f"kind {entry.kind}"
    return BoardEntry(board_id, entry.index, entry.boot, entry.t_ms, kind, whose, facts)


def _fault(kind: str, code: FaultCode, detail: int, at_s: float, zones: Channels) -> Line:
    made: Line = {"type": kind, "fault": word(code), "what": MEANINGS[code].what, "at_s": round(at_s, 4)}
    if code in _CELLS:
        made["zone"] = zone_name(zones, detail)
    if kind == "fault":
        made["remedy"] = MEANINGS[code].remedy
    return made


def _plain(name: str, value: entries.Fact, _: Channels) -> Line:
    return {name: value.hex() if isinstance(value, bytes) else value}


def _zone(_: str, value: entries.Fact, zones: Channels) -> Line:
    return {"zone": zone_name(zones, int(value))} if isinstance(value, int) else {}


def _masses(name: str, value: entries.Fact, zones: Channels) -> Line:
    """Of the channels that are in use."""
    masses = value if isinstance(value, list) else []
    return {name: {zone_name(zones, n): g for n, g in enumerate(masses) if n >= len(zones) or zones[n] is not None}}


_CELLS = {code for code, meaning in MEANINGS.items() if meaning.part == "scale"}
_FACTS: dict[str, Callable[[str, entries.Fact, Channels], Line]] = {
    "zone": _zone, "detail": _zone, "masses_g": _masses,
}  # fmt: skip  # a table
