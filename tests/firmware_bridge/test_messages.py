"""Messages: what is written is read back, and nonsense is refused on either way."""

import dataclasses
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import entries
from firmware_bridge import messages as m
from firmware_bridge.errors import MessageError, WrongProtocol
from firmware_bridge.reports import BAD_CENTI_C
from tests.firmware_bridge.golden import golden

u16, u32, i32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1)
VISIT, MAC, KEY = bytes(16), bytes(16), bytes(range(32))
HELLO = m.HelloReply(
    *(2, bytes(8), 0, 1, 80, m.Capability(0), bytes(8), m.ResetCause.POWER),
    keyed=True,
    firmware="x",
)
MASS = m.Mass(0, 0, 0, 12_500, (1,))
MIRROR = m.Mirror(VISIT, 0, b"EUR", bytes(32))


@given(st.integers(0, 255), u32, u32, st.integers(1, 2**16 - 1), st.lists(i32, min_size=1, max_size=48))
def test_samples_come_back_as_they_were(zone: int, index: int, t_ms: int, spacing_us: int, samples: list[int]) -> None:
    for kind in (m.Mass, m.Raw):
        batch = kind(zone, index, t_ms, spacing_us, tuple(samples))
        assert m.decode(batch.to_bytes()) == batch


@given(st.binary(max_size=240))
def test_any_payload_is_a_message_or_a_bridge_error(payload: bytes) -> None:
    try:
        message = m.decode(payload)
    except (MessageError, WrongProtocol):
        return
    assert message.to_bytes() == payload


@given(st.sampled_from([line.payload for line in golden().values() if line.payload]), st.data())
def test_a_message_with_any_byte_changed_is_a_message_or_a_bridge_error(payload: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(payload) - 1))
    changed = payload[:at] + bytes([data.draw(st.integers(0, 255))]) + payload[at + 1 :]
    try:
        message = m.decode(changed)
    except (MessageError, WrongProtocol):
        return
    assert message.to_bytes() == changed


@pytest.mark.parametrize("name", [name for name in golden() if not name.startswith("Ack")])
def test_a_message_cut_short_or_with_a_byte_too_many_is_refused_or_another_sound_one(name: str) -> None:
    payload = golden()[name].payload
    for changed in (payload[:-1], payload + b"\0"):
        with suppress(MessageError):
            assert m.decode(changed).to_bytes() == changed


@pytest.mark.parametrize(
    "message",
    [
        m.Unlock(b"short", 1000, MAC),
        m.Unlock(bytes(17), 1000, MAC),
        m.Unlock(VISIT, 70_000, MAC),
        m.Unlock(VISIT, -1, MAC),
        m.Unlock(VISIT, 1000, bytes(32)),
        m.Hello(2, b"nonce"),
        m.Commission(KEY[:31], 1, 1),
        m.Commission(KEY, 2**16, 1),
        m.JournalRead(1, 0),
        m.JournalRead(1, 17),
        m.JournalRead(-1, 8),
        dataclasses.replace(MIRROR, currency=b"EURO"),
        dataclasses.replace(MIRROR, currency="€".encode()),
        dataclasses.replace(MIRROR, amount_minor=2**63),
        dataclasses.replace(MIRROR, digest=b"short"),
        m.CalibrationPoint(0, 0, 1),
        m.CalibrationPoint(0, 3, 1),
        m.CalibrationPoint(0, 1, 2**32),
        m.Tare(256),
        dataclasses.replace(MASS, samples=()),
        dataclasses.replace(MASS, samples=(0,) * 49),
        dataclasses.replace(MASS, samples=(2**31,)),
        dataclasses.replace(MASS, spacing_us=0),
        m.Temperature(0, 40_000),
        m.Temperature(0, -27_316),
        m.Temperature(0, BAD_CENTI_C),
        m.JournalEntry(1, 1, 1, 1, bytes(65)),
        dataclasses.replace(HELLO, zones=0),
        dataclasses.replace(HELLO, zones=13),
        dataclasses.replace(HELLO, rate_hz=0),
        dataclasses.replace(HELLO, firmware="x" * 33),
        dataclasses.replace(HELLO, board_id=b"short"),
    ],
    ids=repr,
)
def test_a_field_out_of_range_is_refused_before_it_is_sent(message: m.Message) -> None:
    with pytest.raises(MessageError):
        message.to_bytes()


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param("", id="nothing"),
        pytest.param("00", id="no such code"),
        pytest.param("0378", id="a byte too many"),
        pytest.param("88 17 00 01 00000000", id="fault 23"),
        pytest.param("88 00 00 02 00000000", id="neither raised nor gone"),
        pytest.param("83 02 00000000", id="a door neither open nor shut"),
        pytest.param("85 00 00000000 00000000 d430 0000", id="half a sample"),
        pytest.param("85 00 00000000 00000000 d430", id="no sample"),
        pytest.param("86" + 16 * "00" + "09", id="answer 9"),
        pytest.param("89 00 0080", id="bad temperature 0"),
        pytest.param("89 00 0480", id="bad temperature 4"),
        pytest.param("8c 03", id="commissioned 3"),
        pytest.param("8f 00 04 00" + 18 * "00", id="a cell report about 4"),
        pytest.param("8f 00 00 0b" + 18 * "00", id="a cell's answer 11"),
        pytest.param("81 02" + 8 * "61" + "00000000 01 5000 0000" + 8 * "62" + "04 01", id="reset cause 4"),
        pytest.param("81 02" + 8 * "61" + "00000000 01 5000 0000" + 8 * "62" + "00 01 ff", id="no UTF-8"),
    ],
)
def test_nonsense_is_refused_when_it_is_read(payload: str) -> None:
    with pytest.raises(MessageError):
        m.decode(bytes.fromhex(payload))


def test_a_reply_of_another_version_names_both_whatever_else_it_holds() -> None:
    with pytest.raises(WrongProtocol, match=r"board speaks protocol 9, this host speaks protocol 2"):
        m.decode(b"\x81\x09and then something else")


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        *[(m.BAD_SAMPLE + reason, reason) for reason in m.Bad],
        (m.BAD_SAMPLE + 7, m.Bad.UNKNOWN),
        (m.BAD_SAMPLE + 255, m.Bad.UNKNOWN),
        (m.BAD_SAMPLE + 256, None),
        (0, None),
    ],
)
def test_a_bad_sample_has_its_reason_and_one_of_a_later_board_is_no_number_either(
    sample: int, reason: m.Bad | None
) -> None:
    assert m.bad(sample) is reason


def test_a_key_is_never_in_an_error() -> None:
    assert KEY.hex() not in repr(m.Commission(KEY, 1, 1))
    with pytest.raises(MessageError) as caught:
        m.Commission(KEY, -1, 1).to_bytes()
    assert repr(KEY) not in str(caught.value)


VISIT_WORDS = {"visit": bytes(range(16))}


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("boot", {"cause": "power"}),
        ("unlock_granted", {**VISIT_WORDS, "masses_g": [505.0, 505.1, -0.1, None]}),
        ("lease_ended", {**VISIT_WORDS, "reason": "opened"}),
        ("door_opened", VISIT_WORDS),
        ("door_closed", VISIT_WORDS),
        ("masses", {**VISIT_WORDS, "masses_g": [1000.0 * n for n in range(12)]}),
        ("fault_raised", {"fault": "cell dead", "detail": 11}),
        ("commissioned", {"per_hour": 12, "per_day": 100}),
        ("calibrated", {"zone": 1, "zero_counts": -83_000, "span": 398_458}),
        ("unlock_refused", {"visit": bytes(16), "answer": "stale"}),
        ("most", {"body": b"\xff" * 64}),
    ],
)
def test_a_journal_entry_says_in_words_what_it_holds(name: str, facts: dict[str, entries.Fact]) -> None:
    entry = m.decode(golden()[f"JournalEntry.{name}"].payload)
    assert isinstance(entry, m.JournalEntry)
    assert entries.facts(entry) == facts


def test_a_mirrored_charge_is_read_back() -> None:
    entry = m.decode(golden()["JournalEntry.mirror"].payload)
    assert isinstance(entry, m.JournalEntry)
    facts = entries.facts(entry)
    assert (facts["amount_minor"], facts["currency"], len(str(facts["digest"])) > 0) == (1250, "EUR", True)


@given(st.integers(0, 255), st.binary(max_size=64))
def test_any_journal_entry_is_told_or_a_message_error(kind: int, body: bytes) -> None:
    try:
        entries.facts(m.JournalEntry(1, 1, 1, kind, body))
    except MessageError:
        return
