"""The bodies of the board's journal entries, told in plain words.  It judges nothing and keeps nothing."""

import struct

from firmware_bridge.codes import Answer, EntryKind, FaultCode, LeaseEnd, ResetCause
from firmware_bridge.errors import MessageError
from firmware_bridge.reports import JournalEntry, bad

Fact = int | str | bytes | list[float | None]

_VISIT = struct.Struct("<16s")
_VISIT_AND_BYTE = struct.Struct("<16sB")
_MIRROR = struct.Struct("<16sq3s32s")
_COMMISSIONED = struct.Struct("<HH")
_CALIBRATED = struct.Struct("<BiI")


def facts(entry: JournalEntry) -> dict[str, Fact]:
    """What the entry says; visits are 16 bytes, masses grams (None: no number), enumerations lower-case words.

    A kind of a later firmware gives {"body": bytes}.  MessageError if the body does not fit its kind.
    """
    if entry.kind not in _KINDS:
        return {"body": entry.body}
    try:
        return _read(EntryKind(entry.kind), entry.body)
    except (struct.error, ValueError) as error:
        raise MessageError(f"journal entry {entry.index} of kind {entry.kind}: {error}") from error


_KINDS = frozenset(EntryKind)


def _read(kind: EntryKind, body: bytes) -> dict[str, Fact]:
    match kind:
        case EntryKind.BOOT:
            (cause,) = body  # ValueError if it is not one byte
            return {"cause": _word(ResetCause(cause))}
        case EntryKind.UNLOCK_GRANTED | EntryKind.MASSES:
            return {"visit": _VISIT.unpack(body[:16])[0], "masses_g": _masses(body[16:])}
        case EntryKind.LEASE_ENDED:
            visit, reason = _VISIT_AND_BYTE.unpack(body)
            return {"visit": visit, "reason": _word(LeaseEnd(reason))}
        case EntryKind.DOOR_OPENED | EntryKind.DOOR_CLOSED:
            return {"visit": _VISIT.unpack(body)[0]}
        case EntryKind.FAULT_RAISED:
            code, detail = body
            return {"fault": _word(FaultCode(code)), "detail": detail}
        case EntryKind.MIRROR:
            visit, amount_minor, currency, digest = _MIRROR.unpack(body)
            charge = {"amount_minor": amount_minor, "currency": currency.decode("ascii")}
            return {"visit": visit, **charge, "digest": digest}
        case EntryKind.COMMISSIONED:
            per_hour, per_day = _COMMISSIONED.unpack(body)
            return {"per_hour": per_hour, "per_day": per_day}
        case EntryKind.CALIBRATED:
            zone, zero_counts, span = _CALIBRATED.unpack(body)
            return {"zone": zone, "zero_counts": zero_counts, "span": span}
        case EntryKind.UNLOCK_REFUSED:
            visit, answer = _VISIT_AND_BYTE.unpack(body)
            return {"visit": visit, "answer": _word(Answer(answer))}


def _masses(body: bytes) -> list[float | None]:
    samples = struct.unpack(f"<{len(body) // 4}i", body)
    return [None if bad(sample) is not None else sample / 10 for sample in samples]


def _word(code: ResetCause | LeaseEnd | FaultCode | Answer) -> str:
    return code.name.lower().replace("_", " ")
