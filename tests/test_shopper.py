"""What the screen shows, who is asked, and which code of a phone is taken."""

import hashlib
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cabinet.identity.signing import SigningKey
from cabinet.identity.token import NO_LIMIT, Kind, TokenAccepted, TokenRefused, read_nonce, sign
from cabinet.ledger import Stamp
from cabinet.session.effects import Notice
from cabinet.shopper import MODES, Asked, Shopper
from cabinet.units import MemberId

ANN = MemberId("01JD0000000000000000000ANN")
TECH = MemberId("01JD000000000000000000TECH")
NTP, CLOUD = Stamp(0, 1_790_000_000_000, "ntp"), Stamp(0, 1_790_000_000_000, "cloud")
NO_CLOCK, FLOOR = Stamp(0, 5_000, "none"), Stamp(0, 1_790_000_000_000, "floor")


def private(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def signing(name: str, owner: MemberId | None) -> SigningKey:
    return SigningKey(private(name).public_key().public_bytes_raw(), owner)


@dataclass
class Front:
    """A shopper's screen, and what its answers were handed to."""

    heard: list[object] = field(default_factory=list)
    changes: int = 0

    def __post_init__(self) -> None:
        drawn = iter(range(1, 1_000))
        members = {key.kid: key for key in (signing("ann", ANN),)}
        issuers = {key.kid: key for key in (signing("issuer", None),)}
        self.shopper = Shopper("c1", 60.0, members.get, issuers, lambda count: next(drawn).to_bytes(count, "big"))
        self.shopper.line = lambda: "Hello"
        self.shopper.on_digits = self.heard.append
        self.shopper.on_confirm = self.heard.append
        self.shopper.on_change = self._changed
        self.shopper.service_key = lambda kid, who: (
            signing("tech", None) if (kid, who) == (signing("tech", None).kid, TECH) else None
        )

    def _changed(self) -> None:
        self.changes += 1

    def phone(self, who: str = "ann", member: MemberId = ANN, kind: Kind = "shop", expires_s: int = 0) -> str:
        return sign(private(who), read_nonce(self.shopper.nonce_text(0.0)), member, NO_LIMIT, expires_s, kind).text

    def asked(self, what: Asked) -> None:
        self.shopper.show(Notice.LOOKING)
        self.shopper.ask(what, "a hint")
        self.shopper.show(Notice.ASKED)

    def mode(self) -> str:
        return self.shopper.screen(0.0).mode


@pytest.fixture
def front() -> Front:
    return Front()


# --- what the greeter takes -------------------------------------------------------------------------------------------


def test_a_members_token_is_taken_once(front: Front) -> None:
    text = front.phone()
    assert [front.shopper.accept(text, at_s, NTP) for at_s in (1.0, 1.01)] == [
        TokenAccepted("shop", ANN, NO_LIMIT),
        TokenRefused("used nonce"),
    ]


def test_after_a_token_was_taken_another_number_is_shown(front: Front) -> None:
    before = front.shopper.nonce_text(0.0)
    front.shopper.accept(front.phone(), 1.0, NTP)
    assert (front.shopper.nonce_text(1.0) != before, front.changes) == (True, 1)


def test_a_refused_token_leaves_the_number(front: Front) -> None:
    before = front.shopper.nonce_text(0.0)
    front.shopper.accept(front.phone("mallory"), 1.0, NTP)
    assert (front.shopper.nonce_text(1.0), front.changes) == (before, 0)


def test_a_text_that_is_no_token_is_malformed(front: Front) -> None:
    assert front.shopper.accept("CAB2:AAAA", 1.0, NTP) == TokenRefused("malformed")


def test_an_issuer_may_sign_for_a_member_and_for_a_technician(front: Front) -> None:
    shop = front.shopper.accept(front.phone("issuer"), 1.0, NTP)
    service = front.shopper.accept(front.phone("issuer", TECH, "service"), 1.0, NTP)
    assert (shop, service) == (TokenAccepted("shop", ANN, NO_LIMIT), TokenAccepted("service", TECH, NO_LIMIT))


def test_a_technicians_key_signs_for_their_service_alone(front: Front) -> None:
    shop = front.shopper.accept(front.phone("tech", TECH), 1.0, NTP)
    other = front.shopper.accept(front.phone("tech", ANN, "service"), 1.0, NTP)
    own = front.shopper.accept(front.phone("tech", TECH, "service"), 1.0, NTP)
    assert [shop, other, own] == [
        TokenRefused("unknown key"),
        TokenRefused("unknown key"),
        TokenAccepted("service", TECH, NO_LIMIT),
    ]


def test_a_members_key_signs_no_service(front: Front) -> None:
    assert front.shopper.accept(front.phone("ann", ANN, "service"), 1.0, NTP) == TokenRefused("unknown key")


@pytest.mark.parametrize("clock", [NTP, CLOUD])
def test_expiry_counts_where_somebody_vouches_for_the_clock(front: Front, clock: Stamp) -> None:
    assert front.shopper.accept(front.phone(expires_s=1_000), 1.0, clock) == TokenRefused("expired")


@pytest.mark.parametrize("clock", [NO_CLOCK, FLOOR])
def test_without_such_a_clock_the_number_bounds_the_token(front: Front, clock: Stamp) -> None:
    text = front.phone(expires_s=1_000)
    late = front.shopper.accept(text, 120.0, clock)
    assert (late, front.shopper.accept(text, 1.0, clock)) == (
        TokenRefused("unknown nonce"),
        TokenAccepted("shop", ANN, NO_LIMIT),
    )


def test_what_became_of_tokens_is_counted_by_reason_and_nothing_else(front: Front) -> None:
    for text in (front.phone(), "CAB2:AAAA", front.phone("mallory")):
        front.shopper.accept(text, 1.0, NTP)
    assert dict(front.shopper.counts) == {
        "shop tokens accepted": 1,
        "tokens refused: malformed": 1,
        "tokens refused: unknown key": 1,
    }


def test_numbers_are_drawn_by_the_operating_systems_dice() -> None:
    shown = {Shopper("c1", 60.0, lambda _: None, {}).nonce_text(0.0) for _ in range(20)}
    assert len(shown) == 20


# --- what there is to see ---------------------------------------------------------------------------------------------


def test_every_notice_has_a_page() -> None:
    assert set(MODES) == set(Notice)


def test_the_number_is_shown_while_codes_are_read_and_not_during_a_visit(front: Front) -> None:
    shown = {}
    for notice in Notice:
        front.shopper.show(notice)
        shown[front.mode()] = front.shopper.screen(0.0).nonce.startswith("CABN:")
    assert {mode for mode, yes in shown.items() if yes} == {"idle", "look", "refused", "done"}


def test_where_no_codes_are_read_no_number_is_shown() -> None:
    shopper = Shopper("c1", 60.0, lambda _: None, {}, codes=False)
    shopper.show(Notice.READY)
    assert shopper.screen(0.0).nonce == ""


def test_the_line_is_asked_for_each_time(front: Front) -> None:
    lines = iter(["So far: 1 cola.", "So far: nothing."])
    front.shopper.line = lambda: next(lines)
    assert [front.shopper.screen(0.0).line for _ in range(2)] == ["So far: 1 cola.", "So far: nothing."]


def test_a_total_is_shown_with_its_notice_alone(front: Front) -> None:
    front.shopper.show(Notice.THANKS, "USD 4.20")
    first = front.shopper.screen(0.0).total
    front.shopper.show(Notice.READY)
    assert (first, front.shopper.screen(0.0).total) == ("USD 4.20", "")


# --- what is asked ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["digits", "confirm", "challenge"])
def test_what_is_asked_is_shown_with_its_hint(front: Front, what: Asked) -> None:
    front.asked(what)
    seen = front.shopper.screen(0.0)
    assert (seen.mode, seen.hint) == (what, "a hint")


def test_digits_go_to_whoever_asked_once(front: Front) -> None:
    front.asked("digits")
    taken = [front.shopper.digits("1234"), front.shopper.digits("5678")]
    assert (taken, front.heard, front.mode()) == ([True, False], ["1234"], "look")


def test_a_yes_goes_to_whoever_asked_once(front: Front) -> None:
    front.asked("confirm")
    taken = [front.shopper.confirm(yes=False), front.shopper.confirm(yes=True)]
    assert (taken, front.heard) == ([True, False], [False])


def test_an_answer_that_nobody_asked_for_is_not_handed_on(front: Front) -> None:
    front.asked("confirm")
    assert (front.shopper.digits("1234"), front.heard, front.mode()) == (False, [], "confirm")


@pytest.mark.parametrize("notice", [one for one in Notice if one is not Notice.ASKED])
def test_a_question_ends_when_the_visit_goes_on(front: Front, notice: Notice) -> None:
    front.asked("digits")
    front.shopper.show(notice)
    assert (front.shopper.digits("1234"), front.shopper.screen(0.0).hint, front.mode()) == (False, "", MODES[notice])


def test_whoever_asks_again_is_answered_again(front: Front) -> None:
    front.asked("digits")
    front.shopper.on_digits = lambda _: front.shopper.ask("digits")
    assert [front.shopper.digits(digits) for digits in ("1111", "2222")] == [True, True]


def test_nothing_of_the_digits_is_kept(front: Front) -> None:
    front.asked("digits")
    front.shopper.on_digits = lambda _: None
    front.shopper.digits("8642")
    kept = {name: value for name, value in vars(front.shopper).items() if not callable(value)}
    assert "8642" not in repr(kept)
