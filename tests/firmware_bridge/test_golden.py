"""The host against the bytes of PROTOCOL.md, and the firmware's codec against the same."""

import hashlib

import pytest

from firmware_bridge import codes as c
from firmware_bridge import messages as m
from firmware_bridge.firmware import wire
from firmware_bridge.frames import Decoder, Frame, Kind
from firmware_bridge.signing import unlock_mac
from tests.firmware_bridge.golden import crc16, golden

GOLDEN = golden()
VISIT, NONE, ONES = bytes(range(16)), bytes(16), b"\xff" * 16
KEY, NONCE, CHALLENGE, DIGEST = bytes(range(32)), b"hostside", b"aleatory", hashlib.sha256(b"").digest()
BOARD, BOOT = bytes.fromhex("e6614854d3a51f2c"), bytes.fromhex("cd072cd8be6f9f62")
U32, I32, BAD = 2**32 - 1, 2**31 - 1, -(2**31)
ALL = 447  # capabilities: all but a motor bolt
REASONS = tuple(BAD + reason for reason in c.Bad)


def unlock(visit: bytes, ttl_ms: int) -> m.Unlock:
    return m.Unlock(visit, ttl_ms, unlock_mac(KEY, BOARD, CHALLENGE, visit, ttl_ms))


def hello(uptime_ms: int, zones: int, rate_hz: int, able: int, cause: int, keyed: int, text: str) -> m.HelloReply:
    known = (c.Capability(able), BOARD, c.ResetCause(cause), bool(keyed), text)
    return m.HelloReply(2, BOOT, uptime_ms, zones, rate_hz, *known)


def entry(index: int, kind: int, body: bytes) -> m.JournalEntry:
    return m.JournalEntry(index, 3, 1000 + 10 * index, kind, body)


def cell(answer: c.CellAnswer, about: c.About, mean: int, noise: int, residual: int = 0) -> m.CellReport:
    return m.CellReport(1, about, answer, mean, noise, -83_000, 398_458, residual)


MESSAGES: dict[str, m.Message] = {
    "Hello": m.Hello(2, NONCE),
    "Lock": m.Lock(),
    "StatusRequest": m.StatusRequest(),
    "ChallengeRequest": m.ChallengeRequest(),
    "Unlock": unlock(VISIT, 5000),
    "Unlock.shortest": unlock(ONES, 1),
    "Unlock.longest": unlock(VISIT, 65_535),
    "Heartbeat": m.Heartbeat(),
    "Heartbeat.last": m.Heartbeat(),
    **{f"Lamp.{mode.name.lower()}": m.Lamp(mode) for mode in c.LampMode},
    **{f"Buzzer.{pattern.name.lower()}": m.Buzzer(pattern) for pattern in c.BuzzerPattern},
    "ClearFaults": m.ClearFaults(),
    "Commission": m.Commission(KEY, 12, 100),
    "Commission.most": m.Commission(b"\xff" * 32, 120, 1200),
    "JournalRead": m.JournalRead(1, 8),
    "JournalRead.last": m.JournalRead(U32, 16),
    "Mirror": m.Mirror(VISIT, 1250, b"EUR", DIGEST),
    "Mirror.least": m.Mirror(NONE, -(2**63), b"JPY", bytes(32)),
    "Mirror.most": m.Mirror(ONES, 2**63 - 1, b"EUR", b"\xff" * 32),
    "Tare": m.Tare(1),
    "CalibrationPoint": m.CalibrationPoint(1, 1, 5000),
    "CalibrationPoint.most": m.CalibrationPoint(11, 2, 2_000_000),
    "Calibrate": m.Calibrate(1),
    "CellRequest": m.CellRequest(11),
    "RawStream.on": m.RawStream(1, on=True),
    "RawStream.off": m.RawStream(1, on=False),
    "HelloReply": hello(1010, 4, 80, ALL, 0, 1, "cabinet-board 1.0.0"),
    "HelloReply.least": hello(0, 1, 1, 0, 1, 0, ""),
    "HelloReply.most": hello(U32, 12, 65_535, 65_535, 3, 1, "x" * 30 + "µ"),
    "Status": m.Status(False, True, False, False, 1010, 0, 0),  # noqa: FBT003  in the order of the wire
    "Status.open": m.Status(True, False, True, True, U32, 1 << 22 | 1 << 13 | 1, 1 << 11 | 1),  # noqa: FBT003  likewise
    "Door.open": m.Door(open=True, t_ms=1060),
    "Door.shut": m.Door(open=False, t_ms=U32),
    "Bolt.out": m.Bolt(locked=False, t_ms=1040),
    "Bolt.home": m.Bolt(locked=True, t_ms=U32),
    "Mass": m.Mass(1, 80, 1012, 12_500, (5050, 5051, -1, BAD)),
    "Mass.bad": m.Mass(0, 0, 0, 1, REASONS),
    "Mass.extremes": m.Mass(11, U32, U32, 65_535, (BAD + 256, 0, I32)),
    "Mass.longest": m.Mass(3, 4800, 60_000, 12_480, tuple(range(-24_000, 24_000, 1000))),
    **{f"UnlockResult.{answer.name.lower()}": m.UnlockResult(VISIT, answer) for answer in c.Answer},
    **{f"LeaseEnded.{reason.name.lower()}": m.LeaseEnded(VISIT, reason) for reason in c.LeaseEnd},
    "Fault": m.Fault(c.FaultCode.DOOR_FORCED, 0, raised=True, t_ms=1110),
    "Fault.cell": m.Fault(c.FaultCode.CELL_DEAD, 11, raised=True, t_ms=U32),
    "Fault.gone": m.Fault(c.FaultCode.CELL_DEAD, 11, raised=False, t_ms=0),
    "Fault.last": m.Fault(c.FaultCode.UNSIGNED_UNLOCKS, 0, raised=True, t_ms=1110),
    "Temperature": m.Temperature(0, -450),
    "Temperature.coldest": m.Temperature(0, -27_315),
    "Temperature.warmest": m.Temperature(0, 32_767),
    **{f"Temperature.{why.name.lower()}": m.Temperature(0, -32_768 + why) for why in c.ProbeBad},
    "Alive": m.Alive(1000, BOOT, NONCE, 1, 2, 0, 5),
    "Alive.alone": m.Alive(500, BOOT, bytes(8), 0, 0, 1 << c.FaultCode.HOUSING_OPEN, 1),
    "Alive.most": m.Alive(U32, b"\xff" * 8, b"\xff" * 8, 65_535, 65_535, 2**23 - 1, U32),
    "Challenge": m.Challenge(CHALLENGE),
    **{f"Commissioned.{answer.name.lower()}": m.Commissioned(answer) for answer in c.Commissioning},
    "JournalEntry.boot": entry(1, 1, b"\0"),
    "JournalEntry.unlock_granted": entry(2, 2, VISIT + bytes.fromhex("ba130000 bb130000 ffffffff 06000080")),
    "JournalEntry.lease_ended": entry(3, 3, VISIT + b"\0"),
    "JournalEntry.door_opened": entry(4, 4, VISIT),
    "JournalEntry.door_closed": entry(5, 5, VISIT),
    "JournalEntry.masses": entry(6, 6, VISIT + b"".join((10_000 * n).to_bytes(4, "little") for n in range(12))),
    "JournalEntry.fault_raised": entry(7, 7, b"\x0d\x0b"),
    "JournalEntry.mirror": entry(8, 8, m.Mirror(VISIT, 1250, b"EUR", DIGEST).to_bytes()[1:]),
    "JournalEntry.commissioned": entry(9, 9, b"\x0c\0\x64\0"),
    "JournalEntry.calibrated": entry(10, 10, bytes.fromhex("01 c8bbfeff 7a140600")),
    "JournalEntry.unlock_refused": entry(11, 11, NONE + b"\x07"),
    "JournalEntry.most": m.JournalEntry(U32, 65_535, U32, 255, b"\xff" * 64),
    "JournalEntry.least": m.JournalEntry(1, 0, 0, 0, b""),
    "JournalEnd": m.JournalEnd(1, 12),
    "JournalEnd.empty": m.JournalEnd(1, 1),
    "JournalEnd.most": m.JournalEnd(U32 - 63, U32),
    "CellReport.request": cell(c.CellAnswer.OK, c.About.REQUEST, 120_456, 31),
    "CellReport.tare": cell(c.CellAnswer.NOT_STEADY, c.About.TARE, 120_456, 4123),
    "CellReport.point": m.CellReport(1, c.About.POINT, c.CellAnswer.MASS_OUT_OF_RANGE, -1, 0, 0, 0, 0),
    "CellReport.calibrate": cell(c.CellAnswer.RESIDUAL, c.About.CALIBRATE, 339_000, 31, -1234),
    "CellReport.least": m.CellReport(0, c.About.REQUEST, c.CellAnswer.NO_SIGNAL, BAD, 0, BAD, 0, BAD),
    "CellReport.most": m.CellReport(11, c.About.CALIBRATE, c.CellAnswer.NOT_STORED, I32, 65_535, I32, U32, I32),
    "Raw": m.Raw(1, 80, 1012, 12_500, (120_456, 120_457, -83_000, BAD + c.Bad.SATURATED)),
    "Raw.extremes": m.Raw(0, U32, U32, 65_535, (-(2**23), 2**23 - 1, BAD + c.Bad.NO_CONVERSION)),
}


def test_every_message_and_every_journal_entry_has_golden_bytes() -> None:
    assert set(GOLDEN) - {"Ack", "Ack.last", "HelloAck"} == set(MESSAGES)
    assert {type(message) for message in MESSAGES.values()} == set(m.BY_CODE.values())
    assert {message.kind for message in MESSAGES.values() if isinstance(message, m.JournalEntry)} >= set(c.EntryKind)


@pytest.mark.parametrize("name", MESSAGES)
def test_the_host_writes_and_reads_the_golden_message(name: str) -> None:
    assert MESSAGES[name].to_bytes() == GOLDEN[name].payload
    assert m.decode(GOLDEN[name].payload) == MESSAGES[name]


@pytest.mark.parametrize("name", GOLDEN)
def test_the_host_writes_and_reads_the_golden_frame(name: str) -> None:
    line = GOLDEN[name]
    frame = Frame(Kind[line.kind], line.seq, line.payload)
    assert frame.to_bytes() == line.frame
    assert Decoder().feed(line.frame) == [frame]


@pytest.mark.parametrize("name", GOLDEN)
def test_the_firmware_writes_and_reads_the_golden_frame(name: str) -> None:
    line = GOLDEN[name]
    kind = {"DATA": 0, "ACK": 1, "STREAM": 2, "OPEN": 3}[line.kind]
    assert wire.encode_frame(kind, line.seq, line.payload) == line.frame
    assert wire.decode_frame(line.frame[:-1]) == (kind, line.seq, line.payload)


def test_the_crc_has_the_published_check_value() -> None:
    assert crc16(b"123456789") == 0x29B1


def test_an_empty_frame_is_nothing() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\0\0\0" + GOLDEN["Lock"].frame) == [Frame(Kind.DATA, 1, b"\x03")]
    assert decoder.dropped == 0


def test_a_report_of_a_cell_says_what_it_weighs() -> None:
    report = MESSAGES["CellReport.request"]
    assert isinstance(report, m.CellReport)
    assert report.grams == 483.2
    uncalibrated = MESSAGES["CellReport.point"]
    assert isinstance(uncalibrated, m.CellReport)
    assert uncalibrated.grams is None
