"""The text in a member's QR code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinet.identity.codes import CodeError, format_code, parse_code


@given(st.binary(min_size=16, max_size=16))
def test_every_secret_comes_back_from_its_code(secret: bytes) -> None:
    assert parse_code(format_code(secret)) == secret


@given(st.text(max_size=80))
def test_no_text_whatever_breaks_the_reader(text: str) -> None:
    try:
        secret = parse_code(text)
    except CodeError:
        return
    assert format_code(secret) == text.strip().upper()


def test_a_code_has_thirty_one_characters() -> None:
    assert len(format_code(bytes(16))) == 31


def test_lower_case_and_white_space_do_not_matter() -> None:
    code = format_code(bytes(range(16)))
    assert parse_code(f" {code.lower()}\n") == bytes(range(16))


@pytest.mark.parametrize("damage", ["", "CAB2:", "CAB1:", "CAB1:" + "A" * 25, "CAB1:" + "A" * 27, "CAB1:" + "1" * 26])
def test_what_is_no_code_is_refused(damage: str) -> None:
    with pytest.raises(CodeError):
        parse_code(damage)


def test_two_texts_are_never_one_code() -> None:
    with pytest.raises(CodeError):
        parse_code("CAB1:" + "A" * 25 + "B")


def test_the_refusal_does_not_repeat_the_text() -> None:
    with pytest.raises(CodeError) as refusal:
        parse_code("CAB1:SECRETSECRET")
    assert "SECRET" not in str(refusal.value)


@pytest.mark.parametrize("size", [0, 15, 17])
def test_only_sixteen_bytes_make_a_code(size: int) -> None:
    with pytest.raises(CodeError):
        format_code(bytes(size))
