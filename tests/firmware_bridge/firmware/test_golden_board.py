"""The board against the golden bytes of PROTOCOL.md: frames, messages, and the signed unlock of the page itself."""

import struct
from collections.abc import Callable
from typing import Any

import pytest

from firmware_bridge.emulator.fram import Fram
from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware import messages as m
from firmware_bridge.firmware import wire
from firmware_bridge.firmware.board import Board
from firmware_bridge.firmware.fitted_by import Fitted
from firmware_bridge.firmware.journal import Journal
from firmware_bridge.firmware.memory import Memory
from firmware_bridge.firmware.switches import Inputs
from tests.firmware_bridge.golden import Golden, golden

GOLDEN = golden()
KINDS = {"DATA": wire.DATA, "ACK": wire.ACK, "STREAM": wire.STREAM, "OPEN": wire.OPEN}
OF_HOST = {name: line for name, line in GOLDEN.items() if line.kind != "ACK" and line.payload[0] < 0x80}
OF_BOARD = {name: line for name, line in GOLDEN.items() if line.kind != "ACK" and line.payload[0] >= 0x80}
VISIT = bytes(range(16))
KEY = bytes(range(32))
BOARD_ID = bytes.fromhex("e6614854d3a51f2c")
BOOT_ID = bytes.fromhex("cd072cd8be6f9f62")


class Rolls:
    """Random bytes as the page has them: a boot id, then nothing but its challenge."""

    def __init__(self) -> None:
        self._next = [BOOT_ID]

    def __call__(self, n: int) -> bytes:
        rolled = self._next.pop() if self._next else b"aleatory"
        assert len(rolled) == n
        return rolled


class Page:
    """The board of the page, which has heard its Hello and hears its frames."""

    def __init__(self) -> None:
        nv = Fram()
        memory = Memory(nv, 12)
        memory.key, memory.per_hour, memory.per_day = KEY, 120, 1200
        assert memory.save()
        self.board = Board(Fitted(zones=12), nv, BOARD_ID, Rolls(), 0, 0)
        self.now_ms = 10
        self.inputs = Inputs(door_a_shut=True, door_b_shut=True, bolt_home=True, probe=30_000)
        self.board.tick(0, self.inputs)
        self.said: list[bytes] = []
        self.hear(GOLDEN["Hello"].frame)

    def hear(self, frame: bytes) -> None:
        self.board.receive(frame, self.now_ms)
        while data := self.board.data_to_send(1 << 16):
            for coded in data[:-1].split(b"\0"):
                decoded = wire.decode_frame(coded)
                assert decoded is not None
                kind, seq, payload = decoded
                self.said.append(payload)
                if kind == wire.DATA:
                    self.board.receive(wire.encode_frame(wire.ACK, seq, b""), self.now_ms)

    def order(self, line: Golden) -> None:
        """A golden order as the next one of this session, whatever its own number."""
        kind, seq = KINDS[line.kind], self.board.link._expected_seq
        self.hear(wire.encode_frame(kind, seq if kind == wire.DATA else line.seq, line.payload))

    def live(self, for_ms: int) -> None:
        for _ in range(0, for_ms, 10):
            self.now_ms += 10
            self.board.tick(self.now_ms, self.inputs)
            self.hear(b"")


@pytest.mark.parametrize("name", GOLDEN)
def test_the_board_writes_and_reads_the_golden_frame(name: str) -> None:
    line = GOLDEN[name]
    assert wire.encode_frame(KINDS[line.kind], line.seq, line.payload) == line.frame
    assert wire.decode_frame(line.frame[:-1]) == (KINDS[line.kind], line.seq, line.payload)


def batch(code: int, body: bytes) -> bytes:
    zone, index, t_ms, spacing_us = struct.unpack_from("<BIIH", body)
    samples = struct.unpack(f"<{(len(body) - 11) // 4}i", body[11:])
    return m.batch(code, zone, index, t_ms, spacing_us, list(samples))


def hello_reply(body: bytes) -> bytes:
    protocol, boot_id, uptime_ms, zones, rate, capabilities, board_id, cause, keyed = struct.unpack_from(
        "<B8sIBHH8sBB", body
    )
    layout = zones, rate, capabilities
    return m.hello_reply(protocol, boot_id, uptime_ms, layout, board_id, cause, keyed, body[28:].decode())


def status(body: bytes) -> bytes:
    *shown, uptime_ms, faults, cells = struct.unpack("<4?IIH", body)
    return m.status((shown[0], shown[1], shown[2], shown[3]), uptime_ms, faults, cells)


def packed(layout: str, write: Callable[..., bytes]) -> Callable[[bytes], bytes]:
    def again(body: bytes) -> bytes:
        fields: tuple[Any, ...] = struct.unpack(layout, body)
        return write(*fields)

    return again


WRITTEN: dict[int, Callable[[bytes], bytes]] = {
    c.HELLO_REPLY: hello_reply,
    c.STATUS: status,
    c.DOOR: packed("<?I", m.door),
    c.BOLT: packed("<?I", m.bolt),
    c.MASS: lambda body: batch(c.MASS, body),
    c.UNLOCK_RESULT: packed("<16sB", m.unlock_result),
    c.LEASE_ENDED: packed("<16sB", m.lease_ended),
    c.FAULT: packed("<BB?I", m.fault),
    c.TEMPERATURE: packed("<Bh", m.temperature),
    c.ALIVE: packed("<I8s8sHHII", m.alive),
    c.CHALLENGE: packed("<8s", m.challenge),
    c.COMMISSIONED: packed("<B", m.commissioned),
    c.JOURNAL_ENTRY: m.journal_entry,
    c.JOURNAL_END: packed("<II", m.journal_end),
    c.CELL_REPORT: m.cell_report,
    c.RAW: lambda body: batch(c.RAW, body),
}


def test_the_page_has_golden_bytes_for_every_message_of_the_board() -> None:
    assert {line.payload[0] for line in OF_BOARD.values()} == set(WRITTEN)


@pytest.mark.parametrize("name", OF_BOARD)
def test_the_board_writes_the_golden_message(name: str) -> None:
    payload = OF_BOARD[name].payload
    assert WRITTEN[payload[0]](payload[1:]) == payload


def test_the_journal_gives_the_golden_entries() -> None:
    entries = [line.payload for name, line in GOLDEN.items() if name.startswith("JournalEntry.")][:11]
    journal = Journal(Fram())
    for payload in entries:
        _, boot, t_ms, kind = struct.unpack_from("<IHIB", payload, 1)
        journal.add(boot, t_ms, kind, payload[12:])
    assert [m.journal_entry(entry) for entry in journal.read(1, 16)] == entries


@pytest.mark.parametrize("name", OF_HOST)
def test_the_board_obeys_every_golden_order(name: str) -> None:
    page = Page()
    page.order(OF_HOST[name])
    assert page.board.link.bad_frames == 0


@pytest.mark.parametrize("name", ["Unlock", "Unlock.shortest", "Unlock.longest"])
def test_the_golden_unlocks_open_the_board_they_were_signed_for(name: str) -> None:
    page = Page()
    page.order(GOLDEN["ChallengeRequest"])
    assert GOLDEN["Challenge"].payload in page.said
    page.live(200)
    page.order(GOLDEN[name])
    assert page.said[-1] == bytes((c.UNLOCK_RESULT,)) + GOLDEN[name].payload[1:17] + bytes((c.OK,))
    assert page.board.relay


def test_the_hello_is_acknowledged_with_the_golden_bytes() -> None:
    board = Page().board
    board.receive(GOLDEN["Hello"].frame, 20)
    assert board.data_to_send() == GOLDEN["HelloAck"].frame


def test_a_golden_visit_is_answered_with_golden_bytes() -> None:
    page = Page()
    for name in ("Lock", "StatusRequest", "ChallengeRequest", "Unlock"):
        page.hear(GOLDEN[name].frame)  # with the numbers they have on the page
    page.live(200)
    page.hear(GOLDEN["Heartbeat"].frame)
    page.inputs.bolt_home = False
    page.live(50)
    page.inputs.door_a_shut = page.inputs.door_b_shut = False
    page.live(50)
    for name in ("Challenge", "UnlockResult.ok", "LeaseEnded.opened"):
        assert GOLDEN[name].payload in page.said
