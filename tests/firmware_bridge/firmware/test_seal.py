"""Who may unlock: macs bit by bit, and challenges that live once."""

import hashlib
import hmac
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware.seal import Challenges, hmac_sha256, same, unlock_mac

KEY = bytes(range(1, 33))
BOARD = b"board-01"
VISIT = bytes(range(100, 116))

RFC_4231 = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        (
            b"This is a test using a larger than block-size key and a larger than block-size data. "
            b"The key needs to be hashed before being used by the HMAC algorithm."
        ),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]


class Dice:
    """Eight bytes that never repeat."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, n: int) -> bytes:
        self.asked += 1
        return hashlib.sha256(bytes((self.asked % 256, self.asked // 256))).digest()[:n]


def mac_for(
    challenge: bytes, visit: bytes = VISIT, ttl_ms: int = 8000, key: bytes = KEY, board: bytes = BOARD
) -> bytes:
    """As a host makes it, from PROTOCOL.md."""
    said = b"unlock" + board + challenge + visit + struct.pack("<H", ttl_ms)
    return hmac.new(key, said, hashlib.sha256).digest()[:16]


def opened() -> tuple[Challenges, bytes]:
    challenges = Challenges(Dice())
    return challenges, challenges.open(1000)


@pytest.mark.parametrize(("key", "data", "digest"), RFC_4231)
def test_the_vectors_of_rfc_4231(key: bytes, data: bytes, digest: str) -> None:
    assert hmac_sha256(key, data).hex() == digest


@given(st.binary(max_size=200), st.binary(max_size=300))
def test_it_is_the_hmac_of_the_standard_library(key: bytes, data: bytes) -> None:
    assert hmac_sha256(key, data) == hmac.new(key, data, hashlib.sha256).digest()


def test_the_comparison_looks_at_every_byte_whatever_differs() -> None:
    class Counted(bytes):
        looks = 0

        def __getitem__(self, at):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204  both overloads of bytes
            Counted.looks += 1
            return bytes.__getitem__(self, at)

    right = bytes(range(16))
    for wrong in (right, b"\xff" + right[1:], right[:-1] + b"\xff", bytes(16)):
        Counted.looks = 0
        assert same(Counted(wrong), right) == (wrong == right)
        assert Counted.looks == 16


def test_macs_of_another_length_are_wrong() -> None:
    assert not same(bytes(15), bytes(16))
    assert not same(b"", bytes(16))


def test_a_right_mac_opens_once_and_a_replay_is_stale() -> None:
    challenges, challenge = opened()
    mac = mac_for(challenge)
    assert challenges.judge(KEY, BOARD, VISIT, 8000, mac, 1200) == c.OK
    assert challenges.judge(KEY, BOARD, VISIT, 8000, mac, 1201) == c.STALE


def test_the_board_makes_the_mac_the_host_makes() -> None:
    assert unlock_mac(KEY, BOARD, b"8 bytes!", VISIT, 65_535) == mac_for(b"8 bytes!", ttl_ms=65_535)


def test_every_flipped_bit_of_visit_ttl_and_mac_is_refused() -> None:
    for bit in range(8 * 34):
        challenges, challenge = opened()
        whole = bytearray(VISIT + struct.pack("<H", 8000) + mac_for(challenge))
        whole[bit // 8] ^= 1 << bit % 8
        visit, ttl_ms, mac = bytes(whole[:16]), struct.unpack("<H", whole[16:18])[0], bytes(whole[18:])
        assert challenges.judge(KEY, BOARD, visit, ttl_ms, mac, 1001) == c.UNSIGNED
        assert challenges.judge(KEY, BOARD, VISIT, 8000, mac_for(challenge), 1002) == c.STALE


def test_every_flipped_bit_of_key_board_and_challenge_is_refused() -> None:
    for bit in range(8 * 48):
        challenges, challenge = opened()
        whole = bytearray(KEY + BOARD + challenge)
        whole[bit // 8] ^= 1 << bit % 8
        mac = mac_for(bytes(whole[40:]), key=bytes(whole[:32]), board=bytes(whole[32:40]))
        assert challenges.judge(KEY, BOARD, VISIT, 8000, mac, 1001) == c.UNSIGNED


@pytest.mark.parametrize(("age_ms", "answer"), [(0, c.OK), (1999, c.OK), (2000, c.STALE), (10**9, c.STALE)])
def test_a_challenge_lives_two_seconds(age_ms: int, answer: int) -> None:
    challenges, challenge = opened()
    assert challenges.judge(KEY, BOARD, VISIT, 8000, mac_for(challenge), 1000 + age_ms) == answer


def test_a_new_challenge_ends_the_one_before() -> None:
    challenges, first = opened()
    challenges.open(1001)
    assert challenges.judge(KEY, BOARD, VISIT, 8000, mac_for(first), 1002) == c.UNSIGNED


def test_challenges_differ() -> None:
    challenges = Challenges(Dice())
    assert len({challenges.open(n) for n in range(100)}) == 100


def test_without_a_challenge_every_mac_is_stale() -> None:
    assert Challenges(Dice()).judge(KEY, BOARD, VISIT, 8000, mac_for(bytes(8)), 5) == c.STALE


def test_without_a_key_nothing_opens_and_the_challenge_is_gone() -> None:
    challenges, challenge = opened()
    assert challenges.judge(b"", BOARD, VISIT, 8000, mac_for(challenge, key=b""), 1001) == c.NO_KEY
    assert challenges.judge(KEY, BOARD, VISIT, 8000, mac_for(challenge), 1002) == c.STALE


def forge(challenges: Challenges, now_ms: int) -> None:
    challenges.open(now_ms)
    assert challenges.judge(KEY, BOARD, VISIT, 8000, bytes(16), now_ms) == c.UNSIGNED


def test_three_wrong_macs_within_a_minute_are_told_once() -> None:
    challenges = Challenges(Dice())
    told = []
    for n in range(3):
        forge(challenges, 20_000 * n)
        told.append(challenges.forged(20_000 * n))
    assert told == [False, False, True]
    assert not challenges.forged(40_001)
    for n in range(2):
        forge(challenges, 41_000 + n)
        assert not challenges.forged(41_000 + n)
    forge(challenges, 41_002)
    assert challenges.forged(41_002)


def test_three_wrong_macs_in_more_than_a_minute_are_not_told() -> None:
    challenges = Challenges(Dice())
    for now_ms in (0, 30_001, 60_002, 90_003, 120_004):
        forge(challenges, now_ms)
        assert not challenges.forged(now_ms)


def test_stale_and_right_unlocks_are_no_forgeries() -> None:
    challenges = Challenges(Dice())
    for n in range(20):
        challenges.judge(KEY, BOARD, VISIT, 8000, bytes(16), n)
        challenge = challenges.open(n)
        assert challenges.judge(KEY, BOARD, VISIT, 8000, mac_for(challenge), n) == c.OK
    assert not challenges.forged(20)
