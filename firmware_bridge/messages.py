"""What host and board say to each other: frozen dataclasses to bytes and back, little-endian.

The words are in codes.py, orders.py and reports.py; here is the way back from bytes.
"""

import struct

from firmware_bridge.codes import (
    About,
    Answer,
    Bad,
    BuzzerPattern,
    Capability,
    CellAnswer,
    Commissioning,
    EntryKind,
    FaultCode,
    LampMode,
    LeaseEnd,
    ProbeBad,
    ResetCause,
)
from firmware_bridge.errors import MessageError
from firmware_bridge.message import PROTOCOL, VISIT_BYTES, Message
from firmware_bridge.orders import (
    ORDERS,
    Buzzer,
    Calibrate,
    CalibrationPoint,
    CellRequest,
    ChallengeRequest,
    ClearFaults,
    Commission,
    Heartbeat,
    Hello,
    JournalRead,
    Lamp,
    Lock,
    Mirror,
    RawStream,
    StatusRequest,
    Tare,
    Unlock,
)
from firmware_bridge.reports import (
    BAD_CENTI_C,
    BAD_SAMPLE,
    BAD_SAMPLES,
    MAX_SAMPLES,
    REPORTS,
    Alive,
    Bolt,
    CellReport,
    Challenge,
    Commissioned,
    Door,
    Fault,
    HelloReply,
    JournalEnd,
    JournalEntry,
    LeaseEnded,
    Mass,
    Raw,
    Status,
    Temperature,
    UnlockResult,
    bad,
)

__all__ = [
    "BAD_CENTI_C",
    "BAD_SAMPLE",
    "BAD_SAMPLES",
    "BY_CODE",
    "MAX_SAMPLES",
    "PROTOCOL",
    "VISIT_BYTES",
    "About",
    "Alive",
    "Answer",
    "Bad",
    "Bolt",
    "Buzzer",
    "BuzzerPattern",
    "Calibrate",
    "CalibrationPoint",
    "Capability",
    "CellAnswer",
    "CellReport",
    "CellRequest",
    "Challenge",
    "ChallengeRequest",
    "ClearFaults",
    "Commission",
    "Commissioned",
    "Commissioning",
    "Door",
    "EntryKind",
    "Fault",
    "FaultCode",
    "Heartbeat",
    "Hello",
    "HelloReply",
    "JournalEnd",
    "JournalEntry",
    "JournalRead",
    "Lamp",
    "LampMode",
    "LeaseEnd",
    "LeaseEnded",
    "Lock",
    "Mass",
    "Message",
    "Mirror",
    "ProbeBad",
    "Raw",
    "RawStream",
    "ResetCause",
    "Status",
    "StatusRequest",
    "Tare",
    "Temperature",
    "Unlock",
    "UnlockResult",
    "bad",
    "decode",
]

BY_CODE: dict[int, type[Message]] = {message.CODE: message for message in ORDERS + REPORTS}


def decode(payload: bytes) -> Message:
    """The message of a frame's payload.  MessageError, or WrongProtocol for a HelloReply of another version."""
    message = BY_CODE.get(payload[0]) if payload else None
    if message is None:
        raise MessageError(f"unknown message: {payload[:1].hex() or 'empty'}")
    try:
        return message.unpack(payload[1:])
    except (struct.error, ValueError) as error:
        raise MessageError(f"{message.__name__} {payload.hex()}: {error}") from error
