import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.errors import FrameError
from firmware_bridge.firmware import wire
from firmware_bridge.frames import END, MAX_CODED, MAX_PAYLOAD, Decoder, Frame, Kind
from tests.firmware_bridge.golden import crc16

frames = st.builds(Frame, st.sampled_from(Kind), st.integers(0, 255), st.binary(max_size=MAX_PAYLOAD))


@given(st.lists(frames, max_size=8), st.integers(1, 7))
def test_frames_survive_any_split_of_the_stream(sent: list[Frame], size: int) -> None:
    stream = b"".join(frame.to_bytes() for frame in sent)
    decoder = Decoder()
    chunks = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert [frame for chunk in chunks for frame in decoder.feed(chunk)] == sent
    assert decoder.dropped == 0


@given(st.lists(frames, max_size=8), st.lists(st.integers(0, 2000), max_size=8))
def test_frames_survive_a_stream_cut_at_any_points(sent: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(frame.to_bytes() for frame in sent)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    decoder = Decoder()
    chunks = [stream[start:end] for start, end in itertools.pairwise(edges)]
    assert [frame for chunk in chunks for frame in decoder.feed(chunk)] == sent


@given(frames)
def test_the_firmwares_own_codec_writes_the_same_bytes(frame: Frame) -> None:
    raw = frame.to_bytes()
    assert wire.encode_frame(frame.kind, frame.seq, frame.payload) == raw
    assert wire.decode_frame(raw[:-1]) == (frame.kind, frame.seq, frame.payload)


@given(frames)
def test_a_frame_has_no_zero_but_its_end_and_stays_short(frame: Frame) -> None:
    raw = frame.to_bytes()
    assert raw.index(END) == len(raw) - 1
    assert len(raw) <= MAX_CODED + 1


@given(st.lists(frames | st.binary(max_size=300), max_size=8), st.lists(st.integers(0, 2000), max_size=8))
def test_any_split_of_any_stream_gives_what_the_whole_gives_on_both_sides(
    sent: list[Frame | bytes], cuts: list[int]
) -> None:
    stream = b"".join(piece.to_bytes() if isinstance(piece, Frame) else piece for piece in sent) + END
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    chunks = [stream[start:end] for start, end in itertools.pairwise(edges)]
    whole, pieces = Decoder(), Decoder()
    assert [frame for chunk in chunks for frame in pieces.feed(chunk)] == whole.feed(stream)
    assert pieces.dropped == whole.dropped
    one, many = wire.BoardLink(), wire.BoardLink()
    assert [payload for chunk in chunks for payload in many.receive(chunk, 0)] == one.receive(stream, 0)
    assert many.bad_frames == one.bad_frames == whole.dropped


@given(st.binary(max_size=3 * MAX_CODED))
def test_noise_before_an_end_never_hides_the_next_frame(noise: bytes) -> None:
    decoder = Decoder()
    decoder.feed(noise + END)
    good = Frame(Kind.DATA, 7, b"open")
    assert decoder.feed(good.to_bytes()) == [good]


@given(st.binary(max_size=3 * MAX_CODED))
def test_both_decoders_agree_on_what_is_a_frame(noise: bytes) -> None:
    chunk = noise.replace(END, b"\x01")
    ours = Decoder().feed(chunk + END)
    theirs = wire.decode_frame(chunk) if len(chunk) <= MAX_CODED else None
    assert [(frame.kind, frame.seq, frame.payload) for frame in ours] == ([theirs] if theirs else [])


def test_endless_noise_takes_no_memory_and_is_one_dropped_frame() -> None:
    decoder = Decoder()
    for _ in range(1000):
        decoder.feed(b"\xaa" * 100)
    assert len(decoder._tail) <= MAX_CODED + 1
    decoder.feed(END)
    assert decoder.dropped == 1


@given(frames, st.data())
def test_one_flipped_bit_is_never_taken_for_a_frame(frame: Frame, data: st.DataObject) -> None:
    raw = bytearray(frame.to_bytes())
    bit = data.draw(st.integers(0, 8 * (len(raw) - 1) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    assert frame not in Decoder().feed(bytes(raw))


def test_a_frame_of_another_framing_is_dropped_and_its_version_kept() -> None:
    body = bytes((2, 0, 0, 0))
    crc = crc16(body).to_bytes(2, "little")
    decoder = Decoder()
    assert decoder.feed(b"\x02\x02\x01\x01\x03" + crc + END) == []
    assert (decoder.dropped, decoder.foreign) == (1, 2)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"\x01\x00\x00", "short frame"),
        (b"\x01\x00\x01\x00\x00\x00", "bad crc"),
        (b"\x01\x00\x01\x05", "bad length"),
        (b"\x01\x09\x01\x00", "unknown kind"),
    ],
)
def test_a_broken_frame_says_what_is_wrong(body: bytes, complaint: str) -> None:
    if len(body) == 4:
        body += crc16(body).to_bytes(2, "little")
    with pytest.raises(FrameError, match=complaint):
        Frame.from_bytes(body)


def test_a_payload_over_the_bound_is_refused_before_it_is_sent() -> None:
    with pytest.raises(FrameError, match="at most 240"):
        Frame(Kind.DATA, 0, bytes(MAX_PAYLOAD + 1)).to_bytes()
