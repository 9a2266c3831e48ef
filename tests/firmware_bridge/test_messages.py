import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import messages as m
from firmware_bridge.errors import MessageError, WrongProtocol

samples = st.lists(st.none() | st.integers(m.BAD_SAMPLE + 1, -m.BAD_SAMPLE - 1), min_size=1, max_size=48)


@given(st.integers(0, 2**32 - 1), st.integers(0, 255), samples)
def test_masses_come_back_as_they_were(t_ms: int, zone: int, dg: list[int | None]) -> None:
    mass = m.Mass(t_ms, zone, tuple(dg))
    assert m.decode(mass.to_bytes()) == mass


@given(st.binary(max_size=240))
def test_any_payload_is_a_message_or_a_bridge_error(payload: bytes) -> None:
    try:
        message = m.decode(payload)
    except (MessageError, WrongProtocol):
        return
    assert message.to_bytes() == payload


@pytest.mark.parametrize(
    "message",
    [
        m.Unlock(b"short", 1000),
        m.Unlock(bytes(17), 1000),
        m.Unlock(bytes(16), 70_000),
        m.Unlock(bytes(16), -1),
        m.Hello(1, b"nonce"),
        m.Mass(0, 0, ()),
        m.Mass(0, 0, (0,) * 49),
        m.Mass(0, 0, (m.BAD_SAMPLE,)),
        m.Temperature(0, 40_000),
        m.HelloReply(1, bytes(8), 0, 1, 80, m.Capability(0), "x" * 33),
    ],
)
def test_a_field_out_of_range_is_refused_before_it_is_sent(message: m.Message) -> None:
    with pytest.raises(MessageError):
        message.to_bytes()


@pytest.mark.parametrize("payload", [b"", b"\x00", b"\x03x", b"\x88\x63", b"\x83\x02\0\0\0\0", b"\x85\0\0\0\0\0xx"])
def test_nonsense_is_refused_when_it_is_read(payload: bytes) -> None:
    with pytest.raises(MessageError):
        m.decode(payload)


def test_a_reply_of_another_version_names_both_whatever_else_it_holds() -> None:
    with pytest.raises(WrongProtocol, match=r"board speaks protocol 9, this host speaks protocol 1"):
        m.decode(b"\x81\x09and then something else")
