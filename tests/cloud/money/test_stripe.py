"""The adapter against a server that behaves as the documentation says: once each, look before a re-post, no secrets."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet.cloud.money.provider import Payer, ProviderAwayError, ProviderRefusedError, provider_of
from cabinet.cloud.money.stripe import API_VERSION, StripeProvider
from cabinet.cloud.money.values import DAY_MS, HOUR_MS, Intent
from tests.cloud.money.conftest import Shop
from tests.cloud.money.fake_stripe import DAY_S, KEY, FakeStripe

ADA = Payer("cus_ada", "pm_ada")
V = "01JVISIT00000000000000000A"


@pytest.fixture
def fake() -> Iterator[FakeStripe]:
    with FakeStripe() as server:
        yield server


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "stripe.key"
    file.write_text(f"{KEY}\n", encoding="ascii")
    return file


@pytest.fixture
def stripe(fake: FakeStripe, key_file: Path) -> StripeProvider:
    return StripeProvider(key_file, fake.url)


def held(stripe: StripeProvider, amount_minor: int = 1000, currency: str = "EUR", key: str = V) -> Intent:
    return stripe.authorise(key, V, ADA, amount_minor, currency)


def test_a_hold_is_asked_for_as_the_documentation_says(fake: FakeStripe, stripe: StripeProvider) -> None:
    assert held(stripe) == Intent(V, V, "pi_1", "held", 1000, currency="EUR")
    verb, path, asked, headers = fake.heard[0]
    assert (verb, path, asked) == (
        "POST", "/v1/payment_intents",
        {"amount": "1000", "currency": "eur", "customer": "cus_ada", "payment_method": "pm_ada",
         "capture_method": "manual", "confirm": "true", "off_session": "true",
         "metadata[visit]": V, "metadata[key]": V},
    )  # fmt: skip  # a table
    sent = {name: headers[name] for name in ("Idempotency-Key", "Stripe-Version", "Authorization", "Content-Type")}
    assert sent == {
        "Idempotency-Key": V,
        "Stripe-Version": API_VERSION,
        "Authorization": f"Bearer {KEY}",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def test_capture_cancel_and_refund_tell_what_the_books_say_then(stripe: StripeProvider) -> None:
    one, two = held(stripe).intent, held(stripe, key=f"{V}:rest").intent
    assert stripe.capture(one, "c", 700, "EUR").captured_minor == 700
    assert stripe.cancel(two, "x").status == "canceled"
    back = stripe.refund(one, "r", 200, "EUR")
    assert (back.status, back.captured_minor, back.refunded_minor) == ("captured", 700, 200)


@pytest.mark.parametrize("method", ["pm_declined", "pm_3ds"])
def test_a_card_that_says_no_is_an_answer_and_stays_one(stripe: StripeProvider, method: str) -> None:
    for _ in range(2):
        said = stripe.authorise(V, V, Payer("cus_ada", method), 1000, "EUR")
        assert (said.status, said.why, said.intent) == ("declined", "insufficient_funds", "pi_1")
    found = stripe.find(V, ADA, 1_790_000_000_000)
    assert found is not None
    assert found.status == "declined"


def test_a_member_without_a_wallet_never_reaches_the_provider(fake: FakeStripe, stripe: StripeProvider) -> None:
    assert stripe.authorise(V, V, Payer(), 1000, "EUR").status == "declined"
    assert fake.heard == []


def test_a_partial_approval_is_what_can_be_captured(stripe: StripeProvider) -> None:
    assert stripe.authorise(V, V, Payer("cus_ada", "pm_partial"), 1000, "EUR").amount_minor == 500


def test_the_same_key_is_the_same_intent_for_a_day_and_another_one_afterwards(
    fake: FakeStripe, stripe: StripeProvider
) -> None:
    assert held(stripe) == held(stripe)
    with pytest.raises(ProviderRefusedError, match="idempotency_error"):
        held(stripe, 1001)
    fake.now_s += DAY_S
    assert held(stripe).intent == "pi_2"  # the danger that 20 hours keep us from


@pytest.mark.parametrize("fault", [409, 424, 429, 500, 502, 503, "drop", "done and drop"])
def test_no_answer_and_no_clear_answer_leave_it_unknown(
    fake: FakeStripe, stripe: StripeProvider, fault: str | int
) -> None:
    fake.faults.append(fault)
    with pytest.raises(ProviderAwayError):
        held(stripe)
    assert (stripe.find(V, ADA, fake.now_s * 1000) is not None) == (fault == "done and drop")


def test_beyond_the_hold_and_beyond_the_capture_is_refused_with_the_requests_name(stripe: StripeProvider) -> None:
    one = held(stripe).intent
    with pytest.raises(ProviderRefusedError, match=r"amount_too_large .*req_"):
        stripe.capture(one, "c", 1001, "EUR")
    stripe.capture(one, "c2", 700, "EUR")
    with pytest.raises(ProviderRefusedError, match="payment_intent_unexpected_state"):
        stripe.cancel(one, "x")
    with pytest.raises(ProviderRefusedError, match="greater than unrefunded"):
        stripe.refund(one, "r", 701, "EUR")


def test_a_look_up_reads_on_through_the_customers_pages_and_not_before_the_call(
    fake: FakeStripe, stripe: StripeProvider
) -> None:
    fake.page = 2
    for n in range(7):
        held(stripe, key=f"{V}:{n}")
    found = stripe.find(f"{V}:0", ADA, fake.now_s * 1000)
    assert found is not None
    assert (found.intent, stripe.find("nobody", ADA, fake.now_s * 1000)) == ("pi_1", None)
    assert stripe.find(f"{V}:0", ADA, fake.now_s * 1000 + DAY_MS) is None
    assert stripe.find(f"{V}:0", Payer(), 0, intent="pi_9") is None
    assert not [path for _, path, _, _ in fake.heard if "search" in path]  # search lags behind


def test_the_export_has_every_intent_of_ours_and_none_of_others(fake: FakeStripe, stripe: StripeProvider) -> None:
    held(stripe)
    fake.intents["pi_x"] = {**fake.intents["pi_1"], "id": "pi_x", "metadata": {}}
    assert [intent.intent for intent in stripe.export()] == ["pi_1"]


@pytest.mark.parametrize(
    ("currency", "minor", "sent"),
    [("EUR", 1250, "1250"), ("JPY", 500, "500"), ("ISK", 500, "50000"), ("KWD", 5120, "5120"), ("MGA", 1200, "12")],
)
def test_amounts_are_said_in_the_providers_units_and_come_back_in_ours(
    fake: FakeStripe, stripe: StripeProvider, currency: str, minor: int, sent: str
) -> None:
    said = held(stripe, minor, currency)
    assert (fake.heard[0][2]["amount"], said.amount_minor, said.currency) == (sent, minor, currency)


@pytest.mark.parametrize(("currency", "minor"), [("KWD", 5124), ("MGA", 1250), ("UGX", 500)])
def test_an_amount_that_the_provider_cannot_say_exactly_is_refused_unsent(
    fake: FakeStripe, stripe: StripeProvider, currency: str, minor: int
) -> None:
    with pytest.raises(ProviderRefusedError, match="exactly"):
        held(stripe, minor, currency)
    assert fake.heard == []


def test_a_wrong_key_is_nobodys_decline_and_is_never_logged(
    fake: FakeStripe, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "wrong.key"
    file.write_text("sk_test_wrong_one", encoding="ascii")
    with caplog.at_level(logging.DEBUG), pytest.raises(ProviderAwayError) as raised:
        held(StripeProvider(file, fake.url))
    assert "401" in str(raised.value)
    assert "sk_test" not in caplog.text + str(raised.value)


@pytest.mark.parametrize("url", ["http://api.stripe.com", "ftp://127.0.0.2"])
def test_the_key_is_never_sent_in_the_clear(key_file: Path, url: str) -> None:
    with pytest.raises(ValueError, match="only https"):
        StripeProvider(key_file, url)


def test_an_empty_key_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "k").write_text("", encoding="ascii")
    with pytest.raises(ValueError, match="holds no provider key"):
        provider_of(f"stripe:{tmp_path / 'k'}")


def test_a_whole_visit_is_collected_through_lost_answers_once(shop: Shop, fake: FakeStripe, key_file: Path) -> None:
    provider = provider_of(f"stripe:{key_file}@{fake.url}")
    fake.now_s = shop.clock.ms // 1000
    shop.ask(V)
    shop.work(provider)
    shop.open(V)
    shop.close(V, 1500, lines=[])
    fake.faults += ["done and drop", "drop", 429, 500, "done and drop"]
    for _ in range(12):
        shop.work(provider)
        shop.clock.ms += HOUR_MS
        fake.now_s += 3600
    shop.adjust(V, "r1", 700)
    fake.faults += ["done and drop"]
    for _ in range(3):
        shop.work(provider)
        shop.clock.ms += HOUR_MS
        fake.now_s += 3600
    assert (shop.state(V), shop.row(V)["captured_minor"], shop.row(V)["returned_minor"]) == ("paid", 1500, 700)
    assert sorted(intent["amount_received"] for intent in fake.intents.values()) == [500, 1000]
    assert sum(refund["amount"] for refund in fake.refunds) == 700
