"""Both sides against the bytes of PROTOCOL.md."""

import pytest

from firmware_bridge import messages as m
from firmware_bridge.emulator import wire
from firmware_bridge.emulator.firmware import Chip, Firmware
from firmware_bridge.emulator.world import World
from firmware_bridge.frames import Decoder, Frame, Kind
from tests.firmware_bridge.lab import NONCE, VISIT, golden

BOOT = bytes.fromhex("cd072cd8be6f9f62")
GOLDEN = golden()

MESSAGES: dict[str, m.Message] = {
    "Hello": m.Hello(1, NONCE),
    "Lock": m.Lock(),
    "StatusRequest": m.StatusRequest(),
    "ClearFaults": m.ClearFaults(),
    "Unlock": m.Unlock(VISIT, 5000),
    "Heartbeat": m.Heartbeat(),
    "Lamp": m.Lamp(m.LampMode.OPEN),
    "Buzzer": m.Buzzer(m.BuzzerPattern.PROMPT),
    "HelloReply": m.HelloReply(1, BOOT, 1010, 2, 80, m.Capability(56), "emulator 1"),
    "Status": m.Status(door_open=False, bolt_locked=True, lock_driven=False, uptime_ms=1010, faults=0),
    "UnlockResult": m.UnlockResult(VISIT, m.Answer.OK),
    "Bolt": m.Bolt(locked=False, t_ms=1040),
    "LeaseEnded": m.LeaseEnded(VISIT, m.LeaseEnd.OPENED),
    "Door": m.Door(open=True, t_ms=1060),
    "Fault": m.Fault(m.FaultCode.DOOR_FORCED),
    "Mass": m.Mass(1012, 1, (5050, 5051, -1, None)),
    "Temperature": m.Temperature(0, -450),
    "Alive": m.Alive(1000, BOOT, NONCE, 1, 2),
}


def test_every_message_has_golden_bytes() -> None:
    assert set(GOLDEN) - {"Ack", "HelloAck"} == set(MESSAGES)
    assert {type(message) for message in MESSAGES.values()} == set(m.BY_CODE.values())


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
def test_the_emulator_writes_and_reads_the_golden_frame(name: str) -> None:
    line = GOLDEN[name]
    kind = {"DATA": 0, "ACK": 1, "STREAM": 2, "OPEN": 3}[line.kind]
    assert wire.encode_frame(kind, line.seq, line.payload) == line.frame
    assert wire.decode_frame(line.frame[:-1]) == (kind, line.seq, line.payload)


def test_the_emulators_crc_has_the_published_check_value() -> None:
    assert wire.crc16(b"123456789") == 0x29B1


def test_the_emulated_board_says_the_golden_messages_when_it_lives_through_them() -> None:
    world = World(2, celsius=-4.5)
    for cell in world.cells:
        cell.load_g = 505.0
    board = Firmware(world, Chip(batch=1), 0)
    assert board.boot_id == BOOT
    life = _Life(board)
    life.until(1010)
    life.hear("Hello", "Lock", "StatusRequest", "Unlock")
    life.until(1040)
    assert world.pull()
    life.until(1060)
    for name in ("HelloReply", "Status", "UnlockResult", "Bolt", "LeaseEnded"):
        assert GOLDEN[name].payload in life.said, name
    assert m.Door(open=True, t_ms=1050).to_bytes() in life.said
    assert GOLDEN["Temperature"].payload in life.said
    assert m.Mass(1050, 1, (5050,)).to_bytes() in life.said


def test_the_emulated_board_says_the_golden_fault_when_the_door_is_forced() -> None:
    board = Firmware(world := World(1), Chip(), 0)
    life = _Life(board)
    life.hear("Hello")
    world.force()
    life.until(100)
    assert GOLDEN["Fault"].payload in life.said


def test_the_emulated_board_says_the_golden_alive() -> None:
    board = Firmware(World(1), Chip(), 0)
    life = _Life(board)
    life.hear("Hello")
    board.link.bad_frames, board.link.lost_frames = 1, 2
    life.until(1010)
    last = [alive for payload in life.said if isinstance(alive := m.decode(payload), m.Alive)][-1]
    assert last.to_bytes()[5:] == GOLDEN["Alive"].payload[5:]  # all but the time


def test_the_emulated_board_obeys_the_golden_lamp_and_buzzer() -> None:
    board = Firmware(World(1), Chip(), 0)
    _Life(board).hear("Hello", "Lock", "StatusRequest", "Unlock", "Lamp", "Buzzer")
    assert (board.lamp, board.buzzer) == (3, 2)


class _Life:
    """A host that acknowledges everything and remembers the payloads."""

    def __init__(self, board: Firmware) -> None:
        self._board, self._now_ms = board, 0
        self._decoder = Decoder()
        self.said: list[bytes] = []

    def hear(self, *names: str) -> None:
        for name in names:
            self._board.receive(GOLDEN[name].frame, self._now_ms)
            self._listen()

    def until(self, at_ms: int) -> None:
        while self._now_ms < at_ms:
            self._now_ms += 10
            self._board.step(self._now_ms)
            self._listen()

    def _listen(self) -> None:
        while data := self._board.data_to_send():
            for frame in self._decoder.feed(data):
                if frame.kind in (Kind.DATA, Kind.STREAM) and frame.payload not in self.said:
                    self.said.append(frame.payload)
                if frame.kind is Kind.DATA:
                    self._board.receive(Frame(Kind.ACK, frame.seq).to_bytes(), self._now_ms)
