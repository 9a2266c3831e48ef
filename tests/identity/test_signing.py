"""Which public keys may sign at all."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cabinet.identity.signing import MAX_ISSUERS, PublicKeyError, check_public, issuers, kid_of, public_key

P = 2**255 - 19
D = -121_665 * pow(121_666, -1, P) % P
Point = tuple[int, int]


def key(number: int) -> bytes:
    seed = hashlib.sha256(str(number).encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def added(one: Point, other: Point) -> Point:
    """RFC 8032, 5.1.4, in plain coordinates."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    return x, (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P


def decoded(y: int) -> Point:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    return (x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P), y


def small_order() -> list[bytes]:
    """Every encoding of the eight points whose order divides 8, made from a point of the whole group."""
    order = 2**252 + 27742317777372353535851937790883648493
    for y in range(2, 100):
        point = decoded(y)
        if (point[0] ** 2 * (D * y * y + 1) - (y * y - 1)) % P:
            continue  # no point has this y
        seed, torsion = point, (0, 1)
        for bit in f"{order:b}":
            torsion = added(torsion, torsion)
            torsion = added(torsion, seed) if bit == "1" else torsion
        multiples = [(0, 1)]
        while (more := added(multiples[-1], torsion)) != (0, 1):
            multiples.append(more)
        if len(multiples) == 8:
            return [(y | sign << 255).to_bytes(32, "little") for _, y in multiples for sign in (0, 1)]
    raise AssertionError("no point of order 8 found")


def test_any_key_that_was_made_as_it_should_be_is_taken() -> None:
    for number in range(50):
        check_public(key(number))


def test_every_key_of_small_order_is_refused() -> None:
    weak = small_order()
    assert len(weak) == 16
    for public in weak:
        with pytest.raises(PublicKeyError, match="small order"):
            check_public(public)


def test_under_a_key_of_small_order_a_made_up_signature_would_be_good() -> None:
    """Why they are refused: nobody knows a secret for this one, and yet."""
    neutral = (1).to_bytes(32, "little")
    Ed25519PublicKey.from_public_bytes(neutral).verify(neutral + bytes(32), b"let me in")


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(33), b"\x02" + bytes(31), b"\xff" * 32], ids=bytes.hex)
def test_bytes_that_are_no_key_are_refused(public: bytes) -> None:
    with pytest.raises(PublicKeyError):
        check_public(public)


def test_a_y_beyond_the_field_is_refused_though_it_would_be_a_point_below_it() -> None:
    with pytest.raises(PublicKeyError, match="no Ed25519"):
        check_public((P + 1).to_bytes(32, "little"))


def test_a_key_is_named_by_the_beginning_of_its_hash() -> None:
    assert kid_of(key(1)) == hashlib.sha256(key(1)).digest()[:8]


@pytest.mark.parametrize("text", ["", "00", "g" * 64, "a" * 63, "a" * 65, "٣" * 64])
def test_a_key_is_written_with_64_hexadecimal_digits(text: str) -> None:
    with pytest.raises(PublicKeyError, match="64 hexadecimal"):
        public_key(text)


def test_a_file_of_issuers_has_a_key_a_line_and_comments() -> None:
    text = f"# of the app\n{key(1).hex()}\n\n  {key(2).hex().upper()}  # since May\n"
    found = issuers(text)
    assert {kid: (one.public, one.owner) for kid, one in found.items()} == {
        kid_of(key(1)): (key(1), None),
        kid_of(key(2)): (key(2), None),
    }


def test_a_wrong_line_of_issuers_is_named() -> None:
    with pytest.raises(PublicKeyError, match="line 3"):
        issuers(f"# the app\n{key(1).hex()}\nabc\n")


def test_more_issuers_than_anybody_needs_are_refused() -> None:
    with pytest.raises(PublicKeyError, match="at most"):
        issuers("\n".join(key(number).hex() for number in range(MAX_ISSUERS + 1)))
