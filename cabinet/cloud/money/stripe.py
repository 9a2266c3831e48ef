"""The provider port in the shape of Stripe's PaymentIntents: a hold is an intent with `capture_method=manual`.

Plain HTTP of the standard library.  It knows tokens only (`cus_…`, `pm_…`); the secret key comes from a file and is
never logged.  Look-ups use the intent's own address or the customer's list: Stripe's search may lag a minute, or an
hour, behind, so it would call a hold missing that stands.  It refuses currencies whose amounts it cannot say exactly.
"""

import http.client
import json
import logging
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from cabinet.cloud.money.provider import Payer, ProviderAwayError, ProviderRefusedError
from cabinet.cloud.money.values import Intent, Status
from cabinet.units import Minor

log = logging.getLogger(__name__)

API_VERSION: Final = "2025-03-31.basil"  # pinned: an account's default must not change what an answer looks like
API: Final = "https://api.stripe.com"
TIMEOUT_S: Final = 25.0  # well within a cashier's lease
PAGE: Final = 100
EARLIER_S: Final = 600  # their clock and ours may differ by less

# Their units of one of ours, where the two differ (docs.stripe.com/currencies): ISK is said with two decimals.
TIMES: Final = {"ISK": 100}
TENS: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})  # three decimals, of which the last must be 0
HUNDREDS: Final = frozenset({"MGA"})  # ISO 4217 gives it hundredths, Stripe takes none
UNSURE: Final = frozenset({"UGX", "IQD", "LYD", "CLF", "UYW", "UYI"})  # its documentation has said both, or nothing

STATUSES: Final[Mapping[str, Status]] = {
    "requires_capture": "held",
    "succeeded": "captured",
    "canceled": "canceled",
    "requires_payment_method": "declined",
    "requires_action": "declined",  # nobody is there to confirm it: the same as a no
    "requires_confirmation": "declined",
}
NOT_DONE_YET: Final = frozenset({409, 424, 429})  # a lock, a rate: ask again later, after a look
KEY_ERRORS: Final = frozenset({401, 403})  # our key is wrong: no payment's fault, it heals when the key is put right


class StripeProvider:
    def __init__(self, key_file: Path, url: str = API) -> None:
        """Raises ValueError for a key file that cannot be used, or an address that would send the key in the clear."""
        try:
            self._key = key_file.read_text(encoding="ascii").split()[0]
        except (OSError, UnicodeDecodeError, IndexError) as error:
            raise ValueError(f"{key_file} holds no provider key: put it on the first line, readable by us") from error
        place = urlsplit(url)
        if place.scheme != "https" and place.hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise ValueError(f"{url}: only https, or http on this machine, may see the key")
        self._tls, self._host, self._port = place.scheme == "https", place.hostname or "", place.port

    def authorise(self, key: str, visit: str, payer: Payer, amount_minor: Minor, currency: str) -> Intent:
        if not payer.customer or not payer.method:
            return Intent(key, visit, "", "declined", amount_minor, currency=currency, why="no wallet")
        asked = {
            "amount": _out(amount_minor, currency), "currency": currency.lower(), "customer": payer.customer,
            "payment_method": payer.method, "capture_method": "manual", "confirm": "true", "off_session": "true",
            "metadata[visit]": visit, "metadata[key]": key,
        }  # fmt: skip  # a table
        return _intent(self._post("/v1/payment_intents", asked, key))

    def capture(self, intent: str, key: str, amount_minor: Minor, currency: str) -> Intent:
        asked = {"amount_to_capture": _out(amount_minor, currency)}
        return _intent(self._post(f"/v1/payment_intents/{quote(intent)}/capture", asked, key))

    def cancel(self, intent: str, key: str) -> Intent:
        return _intent(self._post(f"/v1/payment_intents/{quote(intent)}/cancel", {}, key))

    def refund(self, intent: str, key: str, amount_minor: Minor, currency: str) -> Intent:
        asked = {"payment_intent": intent, "amount": _out(amount_minor, currency), "metadata[key]": key}
        self._post("/v1/refunds", asked, key)
        found = self._retrieved(intent)
        if found is None:
            raise ProviderAwayError(f"{intent} was refunded and cannot be read")
        return found

    def find(self, auth_key: str, payer: Payer, since_ms: int, intent: str = "") -> Intent | None:
        if intent:
            return self._retrieved(intent)
        if not payer.customer:
            return None  # never asked without one
        since_s = since_ms // 1000 - EARLIER_S
        for found in self._listed({"customer": payer.customer, "created[gte]": since_s}):
            if found.key == auth_key:
                return found
        return None

    def export(self) -> Iterator[Intent]:
        """The newest first: so the list comes.  Intents of others on the same account have no visit: left out."""
        yield from (found for found in self._listed({}) if found.visit)

    def _retrieved(self, intent: str) -> Intent | None:
        try:
            return _intent(self._get(f"/v1/payment_intents/{quote(intent)}", {"expand[]": "latest_charge"}))
        except LookupError:
            return None

    def _listed(self, wanted: Mapping[str, Any]) -> Iterator[Intent]:
        after: dict[str, str] = {}
        while True:
            page = self._get(
                "/v1/payment_intents", {**wanted, "limit": PAGE, "expand[]": "data.latest_charge", **after}
            )
            data = page.get("data")
            if not isinstance(data, list):
                raise ProviderAwayError("a list without data")
            yield from map(_intent, data)
            if page.get("has_more") is not True or not data:
                return
            after = {"starting_after": str(data[-1].get("id"))}

    def _post(self, path: str, asked: Mapping[str, Any], key: str) -> dict[str, Any]:
        status, said, request = self._send("POST", path, urlencode(asked), {"Idempotency-Key": key})
        return _checked(status, said, request)

    def _get(self, path: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        status, said, request = self._send("GET", f"{path}?{urlencode(asked)}", None, {})
        if status == 404:
            raise LookupError(path)
        return _checked(status, said, request)

    def _send(self, verb: str, path: str, body: str | None, more: dict[str, str]) -> tuple[int, Any, str]:
        """Status, JSON and the request's id.  A connection of its own: any thread may come."""
        headers = {
            "Authorization": f"Bearer {self._key}", "Stripe-Version": API_VERSION, "User-Agent": "cabinet", **more,
            **({} if body is None else {"Content-Type": "application/x-www-form-urlencoded"}),
        }  # fmt: skip  # a table
        connection = self._connection()
        try:
            connection.request(verb, path, body, headers)
            answer = connection.getresponse()
            raw, request = answer.read(), answer.headers.get("Request-Id", "")
            log.info("provider_answered verb=%s path=%s status=%d request=%s", verb, path.partition("?")[0],
                     answer.status, request)  # fmt: skip  # a list
            return answer.status, json.loads(raw), request
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ProviderAwayError(f"{verb} {path.partition('?')[0]}: {type(error).__name__} {error}") from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if not self._tls:
            return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_S, context=context)


def _checked(status: int, said: Any, request: str) -> dict[str, Any]:  # noqa: ANN401  # whatever they sent
    """The object asked for, or the intent within a card's no.  Raises the port's two errors."""
    if not isinstance(said, dict):
        raise ProviderAwayError(f"an answer that is no object (request {request})")
    if 200 <= status < 300:
        return said
    error = said.get("error")
    error = error if isinstance(error, dict) else {}
    words = " ".join(str(error[name]) for name in ("type", "code", "decline_code", "message") if error.get(name))
    told = f"{status} {words} (request {request})"[:300]
    if status == 402 and error.get("type") == "card_error" and isinstance(error.get("payment_intent"), dict):
        why = str(error.get("decline_code") or error.get("code") or "card_declined")
        return {**error["payment_intent"], "why": why}
    if status >= 500 or status in NOT_DONE_YET or status in KEY_ERRORS or not error:
        raise ProviderAwayError(told)
    raise ProviderRefusedError(told)


def _intent(said: Mapping[str, Any]) -> Intent:
    """Raises ProviderAwayError for what is no intent, or one that is still on its way."""
    status = STATUSES.get(str(said.get("status")))
    metadata = said.get("metadata")
    if status is None or not isinstance(metadata, dict) or not isinstance(said.get("id"), str):
        raise ProviderAwayError(f"an intent with status {str(said.get('status'))[:40]!r}")
    currency = str(said.get("currency", "")).upper()
    granted = said.get("amount_capturable") if status == "held" else said.get("amount")
    charge = said.get("latest_charge")
    refunded = charge.get("amount_refunded", 0) if isinstance(charge, dict) else 0
    captured = said.get("amount_received", 0) if status == "captured" else 0
    return Intent(
        str(metadata.get("key", "")), str(metadata.get("visit", "")), said["id"], status, _in(granted, currency),
        _in(captured, currency), _in(refunded, currency), currency, str(said.get("why", "")),
    )  # fmt: skip  # what goes where


def _out(minor: Minor, currency: str) -> int:
    """In their units.  Raises ProviderRefusedError where they have none for this amount."""
    code = currency.upper()
    step = 10 if code in TENS else 100 if code in HUNDREDS else 1
    if code in UNSURE or minor % step:
        raise ProviderRefusedError(f"{minor} {code} cannot be said exactly to this provider")
    return minor // 100 if code in HUNDREDS else minor * TIMES.get(code, 1)


def _in(amount: object, code: str) -> Minor:
    if not isinstance(amount, int):
        raise ProviderAwayError(f"{amount!r} is no amount")
    if code in HUNDREDS:
        return amount * 100
    return amount // TIMES.get(code, 1)
