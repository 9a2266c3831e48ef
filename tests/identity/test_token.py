"""Signed tokens: whatever is not exactly what the phone signed for this screen just now is refused."""

import base64
import hashlib
import re
from dataclasses import dataclass, field, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from ulid import ULID

from cabinet.identity.nonces import Nonces
from cabinet.identity.signing import SigningKey
from cabinet.identity.token import (
    LENGTH,
    NO_LIMIT,
    PREFIX,
    TokenAccepted,
    TokenError,
    TokenRefused,
    cabinet_hash,
    check,
    nonce_text,
    read,
    read_nonce,
    sign,
)
from cabinet.units import MemberId

ANN, BEN = MemberId("01JD0000000000000000000ANN"), MemberId("01JD0000000000000000000BEN")
NOON_S = 1_790_000_000
QR_ALPHANUMERIC = re.compile(r"[0-9A-Z $%*+\-./:]+")


def private(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def public(name: str) -> bytes:
    return private(name).public_key().public_bytes_raw()


KEYS = {
    key.kid: key
    for key in (SigningKey(public("ann"), ANN), SigningKey(public("ben"), BEN), SigningKey(public("issuer"), None))
}


def nonce(number: int) -> bytes:
    return hashlib.sha256(b"nonce" + bytes([number])).digest()[:12]


@dataclass
class Cabinet:
    """As much of one as a token meets."""

    id: str = "c1"
    nonces: Nonces = field(default_factory=lambda: Nonces(60.0).turned(0.0, nonce(0)))

    def screen(self) -> str:
        return nonce_text(cabinet_hash(self.id), self.nonces.current())

    def shown(self, text: str, now_s: float = 1.0, wall_s: int | None = NOON_S) -> TokenAccepted | TokenRefused:
        token = read(text)
        answer = check(
            token, cabinet_hash(self.id), KEYS.get(token.kid), lambda one: self.nonces.standing(one, now_s), wall_s
        )  # fmt: skip  # one line
        if isinstance(answer, TokenAccepted):
            self.nonces = self.nonces.used(token.nonce, now_s, nonce(99))
        return answer


def phone(cabinet: Cabinet, who: str = "ann", member: MemberId = ANN, limit: int = 500, expires_s: int = 0) -> str:
    return sign(private(who), read_nonce(cabinet.screen()), member, limit, expires_s).text


GOOD = phone(Cabinet())


def test_a_member_is_let_in_by_what_their_own_phone_signed() -> None:
    assert Cabinet().shown(GOOD) == TokenAccepted("shop", ANN, 500)


def test_an_issuer_signs_for_anybody() -> None:
    cabinet = Cabinet()
    assert cabinet.shown(phone(cabinet, "issuer", BEN)) == TokenAccepted("shop", BEN, 500)


def test_a_members_key_signs_for_nobody_else() -> None:
    cabinet = Cabinet()
    assert cabinet.shown(phone(cabinet, "ann", BEN)) == TokenRefused("not yours")


def test_a_members_key_signs_no_service_token_even_for_themselves() -> None:
    cabinet = Cabinet()
    service = sign(private("ann"), read_nonce(cabinet.screen()), ANN, kind="service").text
    assert cabinet.shown(service) == TokenRefused("not yours")


def test_an_issuers_service_token_says_that_it_is_one() -> None:
    cabinet = Cabinet()
    service = sign(private("issuer"), read_nonce(cabinet.screen()), BEN, kind="service").text
    assert cabinet.shown(service) == TokenAccepted("service", BEN, NO_LIMIT)


def test_a_token_is_taken_once_even_in_the_very_next_frame() -> None:
    cabinet = Cabinet()
    assert [type(cabinet.shown(GOOD)), cabinet.shown(GOOD)] == [TokenAccepted, TokenRefused("used nonce")]


def test_a_second_token_for_the_same_number_is_refused_too() -> None:
    cabinet = Cabinet()
    tokens = phone(cabinet), phone(cabinet, "ben", BEN)
    assert [cabinet.shown(text) for text in tokens][1] == TokenRefused("used nonce")


def test_a_refused_token_uses_up_nothing() -> None:
    cabinet = Cabinet()
    cabinet.shown(phone(cabinet, "ann", BEN))
    assert isinstance(cabinet.shown(GOOD), TokenAccepted)


def test_a_token_kept_for_later_is_refused() -> None:
    cabinet = Cabinet()
    assert cabinet.shown(GOOD, now_s=120.0) == TokenRefused("unknown nonce")


def test_a_token_from_before_a_restart_is_refused() -> None:
    restarted = Cabinet(nonces=Nonces(60.0).turned(0.0, nonce(1)))
    assert restarted.shown(GOOD) == TokenRefused("unknown nonce")


def test_of_two_cabinets_shown_the_same_token_only_the_one_it_was_signed_for_takes_it() -> None:
    here, there = Cabinet("c1"), Cabinet("c2", Nonces(60.0).turned(0.0, nonce(7)))
    text = phone(here)
    assert (there.shown(text), type(here.shown(text))) == (TokenRefused("foreign cabinet"), TokenAccepted)


def test_two_cabinets_of_one_name_still_know_their_own_numbers() -> None:
    here, twin = Cabinet("c1"), Cabinet("c1", Nonces(60.0).turned(0.0, nonce(7)))
    assert twin.shown(phone(here)) == TokenRefused("unknown nonce")


def test_an_expired_token_is_refused_where_the_clock_can_be_believed() -> None:
    cabinet = Cabinet()
    text = phone(cabinet, expires_s=NOON_S)
    assert (cabinet.shown(text, wall_s=NOON_S), type(cabinet.shown(text, wall_s=NOON_S - 1))) == (
        TokenRefused("expired"),
        TokenAccepted,
    )


def test_without_a_clock_that_can_be_believed_the_number_alone_bounds_the_token() -> None:
    cabinet = Cabinet()
    text = phone(cabinet, expires_s=1)
    late = cabinet.shown(text, now_s=120.0, wall_s=None)
    assert (late, type(cabinet.shown(text, wall_s=None))) == (TokenRefused("unknown nonce"), TokenAccepted)


def test_in_1970_a_token_of_today_is_good() -> None:
    cabinet = Cabinet()
    assert isinstance(cabinet.shown(phone(cabinet, expires_s=NOON_S), wall_s=5), TokenAccepted)


def test_a_key_that_nobody_knows_lets_nobody_in() -> None:
    cabinet = Cabinet()
    assert cabinet.shown(phone(cabinet, "mallory")) == TokenRefused("unknown key")


def test_naming_somebody_elses_key_does_not_help() -> None:
    token = read(phone(Cabinet(), "mallory"))
    assert Cabinet().shown(replace(token, kid=read(GOOD).kid).text) == TokenRefused("bad signature")


def test_every_flipped_bit_of_the_token_is_refused() -> None:
    whole = int.from_bytes(read(GOOD).body + read(GOOD).signature, "big")
    flipped = [(whole ^ 1 << bit).to_bytes(118, "big") for bit in range(118 * 8)]
    assert [bit for bit, raw in enumerate(flipped) if not refused(with_bytes(raw))] == []


def test_every_flipped_bit_of_the_text_is_refused() -> None:
    raw = GOOD.encode("ascii")
    flipped = [bytearray(raw) for _ in range(8 * len(raw))]
    for bit, text in enumerate(flipped):
        text[bit // 8] ^= 1 << bit % 8
    assert [bit for bit, text in enumerate(flipped) if not refused(text.decode("latin-1"))] == []


@given(st.binary(min_size=118, max_size=118))
def test_random_bytes_let_nobody_in(raw: bytes) -> None:
    assert refused(with_bytes(raw))


@settings(max_examples=300)
@given(st.integers(0, 117), st.integers(1, 255), st.integers(0, 117), st.integers(0, 255))
def test_no_two_changed_bytes_let_anybody_in(first: int, by: int, second: int, also: int) -> None:
    raw = bytearray(read(GOOD).body + read(GOOD).signature)
    raw[first] ^= by
    raw[second] ^= also if second != first else 0
    assert refused(with_bytes(bytes(raw)))


def with_bytes(raw: bytes) -> str:
    return PREFIX + base64.b32encode(raw).decode().rstrip("=")


def refused(text: str) -> bool:
    try:
        return isinstance(Cabinet().shown(text), TokenRefused)
    except TokenError:
        return True


# --- the text ---------------------------------------------------------------------------------------------------------

MEMBERS = st.integers(0, 2**128 - 1).map(lambda number: MemberId(str(ULID.from_int(number))))


@given(MEMBERS, st.integers(0, NO_LIMIT), st.integers(0, NO_LIMIT), st.sampled_from(["shop", "service"]))
def test_what_was_signed_is_read(member: MemberId, limit: int, expires_s: int, kind: str) -> None:
    token = sign(private("ann"), (cabinet_hash("c1"), nonce(0)), member, limit, expires_s, kind)  # type: ignore[arg-type]  # sampled
    assert read(token.text) == token


@given(st.text(max_size=300) | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=LENGTH, max_size=LENGTH))
def test_a_text_is_one_token_or_none_and_one_token_is_one_text(body: str) -> None:
    for text in (body, PREFIX + body):
        try:
            token = read(text)
        except TokenError:
            continue
        assert token.text == text


@pytest.mark.parametrize(
    "text",
    [
        "", "CAB2:", GOOD[:-1], GOOD + "A", GOOD + "=", GOOD.lower(), " " + GOOD, GOOD + "\n", "CAB1:" + GOOD[5:],
        GOOD[:-1] + "1", GOOD[:-1] + "Ä", GOOD[:40] + "\x00" + GOOD[41:],
    ],
)  # fmt: skip  # a row
def test_a_text_that_is_nearly_a_token_is_none(text: str) -> None:
    with pytest.raises(TokenError):
        read(text)


def test_the_spare_bit_of_the_last_letter_makes_no_second_text() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    twin = GOOD[:-1] + alphabet[alphabet.index(GOOD[-1]) ^ 1]
    with pytest.raises(TokenError):
        read(twin)


def test_a_complaint_never_has_the_text_in_it() -> None:
    with pytest.raises(TokenError) as caught:
        read(GOOD + "A")
    assert GOOD[5:25] not in str(caught.value)


@pytest.mark.parametrize(("byte", "value"), [(0, 2), (0, 0), (1, 0), (1, 3)])
def test_another_version_or_kind_is_not_read(byte: int, value: int) -> None:
    raw = bytearray(read(GOOD).body + read(GOOD).signature)
    raw[byte] = value
    with pytest.raises(TokenError, match="this program knows"):
        read(with_bytes(bytes(raw)))


def test_token_and_number_are_small_qr_codes() -> None:
    cabinet = Cabinet()
    assert (len(GOOD), len(cabinet.screen())) == (194, 37)
    assert all(QR_ALPHANUMERIC.fullmatch(text) for text in (GOOD, cabinet.screen()))


def test_the_bytes_are_those_of_the_page() -> None:
    """Written by hand from the table in the module: another program signs by it."""
    body = read(GOOD).body
    member = b"\x01\x93\x40" + bytes(11) + b"\x2a\xb5"
    assert body == (
        b"\x01\x01" + hashlib.sha256(public("ann")).digest()[:8] + hashlib.sha256(b"c1").digest()[:8] + nonce(0)
        + member + b"\x00\x00\x01\xf4" + bytes(4)
    )  # fmt: skip  # a row


@pytest.mark.parametrize("text", ["", "CABN:", "CABN:AAAA", GOOD, "CABN:" + "1" * 32, "cabn:" + "A" * 32])
def test_what_no_screen_shows_is_no_number(text: str) -> None:
    with pytest.raises(TokenError):
        read_nonce(text)


@pytest.mark.parametrize(
    ("member", "limit", "expires_s"),
    [("ann", 1, 0), (ANN.lower(), 1, 0), ("8" + "Z" * 25, 1, 0), (ANN, -1, 0), (ANN, 2**32, 0), (ANN, 1, 2**32)],
)
def test_nothing_that_does_not_fit_is_signed(member: str, limit: int, expires_s: int) -> None:
    with pytest.raises(TokenError):
        sign(private("ann"), (cabinet_hash("c1"), nonce(0)), MemberId(member), limit, expires_s)
