"""The whole board in the simulated cabinet: sessions, orders, what it tells of shelves and wire."""

import struct

import pytest

from firmware_bridge.emulator.world import World
from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware.fitted_by import Fitted
from firmware_bridge.firmware.wire import OPEN, STREAM, decode_frame, encode_frame
from tests.firmware_bridge.firmware.bench import BOARD_ID, BORN_MS, NONCE, Bench


def masses(payload: bytes) -> list[int]:
    return list(struct.unpack(f"<{(len(payload) - 12) // 4}i", payload[12:]))


# Sessions.


def test_hello_is_answered_with_how_the_board_is_built() -> None:
    bench = Bench(Fitted(zones=3, rate_hz=80, firmware="cabinet-board 9"))
    bench.run(990)
    bench.hello()
    reply = bench.last(c.HELLO_REPLY)
    assert reply[1] == c.PROTOCOL
    assert struct.unpack_from("<IBHH", reply, 10) == (1010, 3, 80, 0b110111111)
    assert reply[19:27] == BOARD_ID
    assert (reply[27], reply[28], reply[29:]) == (c.POWER_ON, 1, b"cabinet-board 9")


@pytest.mark.parametrize(
    ("words", "bit"),
    [
        ({"coil_sense": False}, c.COIL_CURRENT),
        ({"probe": False}, c.THERMOMETER),
        ({"second_contact": False}, c.SECOND_CONTACT),
    ],
)
def test_a_part_that_is_not_fitted_is_no_capability(words: dict[str, bool], bit: int) -> None:
    assert Fitted(**words).capabilities() == Fitted().capabilities() & ~bit  # type: ignore[arg-type]  # all are switches


def test_every_boot_has_an_id_of_its_own() -> None:
    bench = Bench().hello()
    first = bench.last(c.HELLO_REPLY)[2:10]
    bench.power_on()
    bench.hello()
    assert bench.last(c.HELLO_REPLY)[2:10] != first


@pytest.mark.parametrize("protocol", [0, 1, 3, 255])
def test_hello_of_any_version_is_answered_with_the_boards_own(protocol: int) -> None:
    bench = Bench()
    bench.hello(protocol)
    assert bench.last(c.HELLO_REPLY)[:2] == bytes((c.HELLO_REPLY, c.PROTOCOL))


def test_a_board_of_another_protocol_answers_hello_and_obeys_nothing() -> None:
    bench = Bench(Fitted(zones=2, protocol=3))
    bench.hello()
    for code, body in ((c.CHALLENGE_REQUEST, b""), (c.STATUS_REQUEST, b""), (c.LAMP, b"\x01"), (c.UNLOCK, bytes(34))):
        bench.order(code, body)
    bench.world.force()
    bench.run(3000)
    assert {payload[0] for _, payload in bench.said} == {c.HELLO_REPLY, c.ALIVE}
    assert bench.last(c.HELLO_REPLY)[1] == 3
    assert bench.board.lamp == 0


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x01\x02short", bytes(10), b"\x02" + bytes(34)])
def test_an_open_that_is_no_hello_begins_no_session(payload: bytes) -> None:
    bench = Bench()
    bench.board.receive(encode_frame(OPEN, 0, payload), bench.now_ms)
    bench.run(1000)
    assert {said[0] for _, said in bench.said} == {c.ALIVE}
    assert bench.last(c.ALIVE)[13:21] == bytes(8)


def test_alive_comes_every_500_ms_with_boot_and_nonce_session_or_not() -> None:
    bench = Bench()
    bench.run(2000)
    assert len(bench.all(c.ALIVE)) in (4, 5)
    assert bench.last(c.ALIVE)[13:21] == bytes(8)
    bench.hello()
    bench.run(600)
    alive = bench.last(c.ALIVE)
    assert alive[5:13] == bench.last(c.HELLO_REPLY)[2:10]
    assert alive[13:21] == NONCE


def test_without_a_session_nothing_but_alive_is_said() -> None:
    bench = Bench()
    bench.world.force()
    bench.run(3000)
    assert {payload[0] for _, payload in bench.said} == {c.ALIVE}


def test_a_session_that_acknowledges_nothing_is_given_up_and_alive_says_so() -> None:
    bench = Bench().hello()
    bench.board.link.send(b"\x00", bench.now_ms)
    for _ in range(200):
        bench.now_ms += 10
        bench.board.link.step(bench.now_ms)
    bench.run(600)
    assert bench.last(c.ALIVE)[13:21] == bytes(8)


def test_damaged_frames_unknown_codes_and_fields_out_of_range_are_counted() -> None:
    bench = Bench().hello()
    bench.board.receive(b"noise\0", bench.now_ms)
    for code, body in ((0x77, b""), (c.LAMP, b"\x05"), (c.LAMP, b""), (c.HELLO, bytes(9)), (c.TARE, b"\x02")):
        bench.order(code, body)
    bench.run(600)
    assert struct.unpack_from("<H", bench.last(c.ALIVE), 21) == (6,)


# Orders.


def test_lamp_and_buzzer_do_as_they_are_told() -> None:
    bench = Bench().hello()
    for mode in range(5):
        bench.order(c.LAMP, bytes((mode,)))
        assert bench.board.lamp == mode
    for pattern in range(4):
        bench.order(c.BUZZER, bytes((pattern,)))
        assert bench.board.buzzer == pattern
    assert bench.board.panel.sounds == 4


def test_status_shows_the_moment() -> None:
    bench = Bench().hello()
    assert bench.last(c.STATUS)[1:5] == bytes((0, 1, 0, 0))
    bench.unlock()
    bench.run(250)
    bench.order(c.STATUS_REQUEST)
    assert bench.last(c.STATUS)[1:5] == bytes((0, 0, 1, 0))
    bench.world.pull()
    bench.world.break_part("housing_open")
    bench.run(50)
    bench.order(c.STATUS_REQUEST)
    assert bench.last(c.STATUS)[1:5] == bytes((1, 0, 0, 1))


def test_masses_come_from_every_zone_and_in_grams() -> None:
    bench = Bench().hello()
    for zone, load_g in enumerate((505.0, 12.5)):
        bench.world.cells[zone].put(load_g, bench.now_ms)
    bench.run(1000)
    for zone, load_dg in enumerate((5050, 125)):
        batch = [payload for payload in bench.all(c.MASS) if payload[1] == zone][-1]
        assert all(abs(dg - load_dg) <= 2 for dg in masses(batch))


def test_samples_are_numbered_without_a_gap_and_timed_since_boot() -> None:
    bench = Bench().hello()
    bench.run(3000)
    batches = [payload for payload in bench.all(c.MASS) if payload[1] == 0]
    next_index = None
    for batch in batches:
        index, t_ms, spacing_us = struct.unpack_from("<IIH", batch, 2)
        assert next_index in (None, index)
        next_index = index + len(masses(batch))
        assert abs(t_ms - (index + 1) * 12.5) <= 15
        assert 12_400 <= spacing_us <= 12_600
    assert len(batches) > 25


def test_raw_counts_come_for_the_zone_that_was_asked_and_end_with_the_session() -> None:
    bench = Bench().hello()
    bench.order(c.RAW_STREAM, b"\x01\x01")
    bench.run(1000)
    assert {payload[1] for payload in bench.all(c.RAW)} == {1}
    bench.hello(nonce=b"otherone")
    before = len(bench.all(c.RAW))
    bench.run(1000)
    assert len(bench.all(c.RAW)) == before
    bench.order(c.RAW_STREAM, b"\x01\x01")
    bench.order(c.RAW_STREAM, b"\x01\x00")
    bench.run(500)
    assert len(bench.all(c.RAW)) == before


def test_the_temperature_comes_every_second() -> None:
    bench = Bench().hello()
    bench.run(5000)
    told = [struct.unpack("<h", payload[2:])[0] for payload in bench.all(c.TEMPERATURE)]
    assert len(told) in (4, 5)
    assert all(abs(centi_c - 400) < 50 for centi_c in told)


def test_a_board_without_a_probe_tells_no_temperature_and_misses_none() -> None:
    bench = Bench(Fitted(zones=1, probe=False)).hello()
    bench.world.break_part("probe_open")
    bench.run(3000)
    assert bench.all(c.TEMPERATURE) == []
    assert bench.faults() == []


def test_a_cell_is_tared_calibrated_and_noted() -> None:
    bench = Bench().hello()

    def show(load_g: float, code: int, body: bytes) -> int:
        bench.world.cells[1].put(load_g, bench.now_ms)
        bench.run(2500)
        bench.order(code, body)
        return bench.last(c.CELL_REPORT)[3]

    assert show(0.0, c.TARE, b"\x01") == 0
    assert show(500.0, c.CALIBRATION_POINT, struct.pack("<BBI", 1, 1, 5000)) == 0
    assert show(2000.0, c.CALIBRATION_POINT, struct.pack("<BBI", 1, 2, 20_000)) == 0
    bench.order(c.CALIBRATE, b"\x01")
    assert bench.last(c.CELL_REPORT)[1:4] == bytes((1, 3, 0))
    assert [kind for kind, _ in bench.journal()].count(c.CALIBRATED) == 2


@pytest.mark.parametrize("body", [bytes((2, 1)) + bytes(4), bytes((0, 0)) + bytes(4), bytes((0, 3)) + bytes(4)])
def test_a_point_of_no_zone_or_slot_is_not_answered(body: bytes) -> None:
    bench = Bench().hello()
    bench.order(c.CALIBRATION_POINT, body)
    assert bench.all(c.CELL_REPORT) == []


def test_what_it_hands_out_never_exceeds_the_room_and_is_whole_frames_in_the_end() -> None:
    bench = Bench(Fitted(zones=12), world=World(12, now_ms=BORN_MS))
    board = bench.board
    board.receive(encode_frame(OPEN, 0, b"\x01\x02hostside"), bench.now_ms)
    out = b""
    for n in range(2000):
        bench.now_ms += 1
        for t_us, raws, slips in bench.world.samples(bench.now_ms):
            board.sampled(t_us, raws, slips)
        if n % 10 == 0:
            board.scales.stream(wanted=True, now_ms=bench.now_ms)
        piece = board.data_to_send(11)  # 11 bytes a ms are 115200 baud
        assert len(piece) <= 11
        out += piece
    whole = out.split(b"\0")[:-1]
    assert all(decode_frame(coded) is not None for coded in whole)
    seqs = [frame[1] for frame in map(decode_frame, whole) if frame is not None and frame[0] == STREAM]
    assert seqs == [(seqs[0] + n) & 0xFF for n in range(len(seqs))]
