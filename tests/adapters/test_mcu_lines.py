"""The board's happenings as lines of JSON, and its journal in the cabinet's words."""

import json
import struct
from typing import Any

import pytest
from ulid import ULID

from cabinet.adapters.mcu.lines import board, journal_entry, line
from cabinet.units import ZoneId
from firmware_bridge import happenings as felt
from firmware_bridge.codes import ProbeBad
from firmware_bridge.messages import BAD_SAMPLE, Capability, FaultCode, JournalEntry, LeaseEnd
from tests.support.fake_board import hello, status

V = ULID.from_str("01ARZ3NDEKTSV4RRFFQ69G5FAV")
NOBODY = bytes(16)
ZONES = [ZoneId("s1"), None, ZoneId("s3")]


@pytest.mark.parametrize(
    ("happening", "wanted"),
    [
        (felt.Disconnected("unplugged"), {"type": "disconnected", "why": "unplugged"}),
        (felt.DoorChanged(open=True, at_s=1.0), {"type": "door", "open": True, "at_s": 1.0}),
        (felt.BoltChanged(locked=False, at_s=1.0), {"type": "bolt", "locked": False, "at_s": 1.0}),
        (felt.Gap(0.5, "mass zone 2", 40), {"type": "gap", "what": "mass zone 2", "seconds": 0.5, "samples": 40}),
        (felt.LeaseOver(V.bytes, LeaseEnd.HOST_SILENT), {"type": "lease", "visit": str(V), "ended": "host silent"}),
        (
            felt.FaultGone(FaultCode.CELL_DEAD, 2, 1.0),
            {"type": "fault gone", "fault": "cell dead", "zone": "s3", "at_s": 1.0,
             "what": "the converter sends nothing"},
        ),
        (felt.TemperatureRead(0, 4.5), {"type": "temperature", "probe": 0, "c": 4.5}),
        (felt.TemperatureBad(0, ProbeBad.OPEN), {"type": "temperature", "probe": 0, "c": None, "why": "open"}),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip  # a table
def test_what_happened_is_a_line(happening: felt.Happening, wanted: dict[str, Any]) -> None:
    assert line(happening, ZONES) == wanted


def test_a_connection_tells_who_the_board_is_and_what_it_holds() -> None:
    told = line(felt.Connected(hello(), status(1 << FaultCode.MEMORY)), ZONES)
    assert told is not None
    assert (told["board"], told["firmware"], told["bolt_locked"]) == ((b"i" * 8).hex(), "1.0", True)
    assert told["faults"] == ["memory"]


def test_a_fault_comes_with_its_remedy_and_a_zone_only_where_it_has_one() -> None:
    told = line(felt.FaultRaised(FaultCode.COIL_DEAD, 0, 1.0), ZONES)
    assert told is not None
    assert told["remedy"]
    assert "zone" not in told


@pytest.mark.parametrize("happening", [felt.Masses(0, 1.0, 80.0, [1.0]), felt.CellCounts(0, 1.0, 80.0, [1])])
def test_samples_are_no_lines(happening: felt.Happening) -> None:
    assert line(happening, ZONES) is None


def test_capabilities_are_words() -> None:
    able = Capability.SIGNED_UNLOCK | Capability.MOTOR_BOLT
    assert board(hello(able=able))["capabilities"] == ["signed unlock", "motor bolt"]


def masses(*samples: int) -> bytes:
    return struct.pack(f"<{len(samples)}i", *samples)


@pytest.mark.parametrize(
    ("kind", "body", "name", "visit", "facts"),
    [
        (1, b"\x02", "boot", None, {"cause": "brown out"}),
        (2, V.bytes + masses(30_005, 7, BAD_SAMPLE + 2), "unlock granted", V, {"masses_g": {"s1": 3000.5, "s3": None}}),
        (3, V.bytes + b"\x02", "lease ended", V, {"reason": "host silent"}),
        (4, NOBODY, "door opened", None, {}),
        (5, V.bytes, "door closed", V, {}),
        (6, V.bytes + masses(-5, 0, 10), "masses", V, {"masses_g": {"s1": -0.5, "s3": 1.0}}),
        (7, b"\x0d\x02", "fault raised", None, {"fault": "cell dead", "zone": "s3"}),
        (7, b"\x00\x00", "fault raised", None, {"fault": "door forced"}),
        (
            8, V.bytes + struct.pack("<q", -450) + b"EUR" + b"\xab" * 32, "mirror", V,
            {"amount_minor": -450, "currency": "EUR", "digest": "ab" * 32},
        ),
        (9, struct.pack("<HH", 60, 400), "commissioned", None, {"per_hour": 60, "per_day": 400}),
        (10, struct.pack("<BiI", 1, -5, 9), "calibrated", None, {"zone": "channel 1", "zero_counts": -5, "span": 9}),
        (11, V.bytes + b"\x06", "unlock refused", V, {"answer": "unsigned"}),
        (99, b"\x01\x02", "kind 99", None, {"body": "0102"}),
        (1, b"", "boot", None, {"body": ""}),
    ],
)  # fmt: skip  # a table
def test_every_kind_of_entry_is_kept_in_words(
    kind: int, body: bytes, name: str, visit: ULID | None, facts: dict[str, Any]
) -> None:
    told = journal_entry(JournalEntry(7, 3, 1500, kind, body), "aa" * 8, ZONES)
    assert (told.board, told.index, told.boot, told.t_ms) == ("aa" * 8, 7, 3, 1500)
    assert (told.kind, told.visit, told.facts) == (name, None if visit is None else str(visit), facts)
    json.dumps(dict(told.facts))
