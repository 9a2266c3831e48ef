"""The port to whoever moves the money.  Called from worker threads, never inside a transaction.

Each answer is the whole authorisation as the provider's books show it, so that an answer and a look-up read alike.  A
card that says no is an answer (`declined`); everything else that goes wrong is one of the two errors.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cabinet.cloud.money.values import Intent
from cabinet.units import Minor

__all__ = ["Payer", "Provider", "ProviderAwayError", "ProviderRefusedError", "provider_of"]


class ProviderAwayError(Exception):
    """No answer, or none that says what happened: done or not done, nobody knows."""


class ProviderRefusedError(Exception):
    """The provider will not do this, however often it is asked."""


@dataclass(frozen=True, slots=True)
class Payer:
    """The provider's tokens for a member; never a card's number."""

    customer: str = ""
    method: str = ""


class Provider(Protocol):
    """Every verb raises ProviderAwayError and ProviderRefusedError; all may be called by several threads."""

    def authorise(self, key: str, visit: str, payer: Payer, amount_minor: Minor, currency: str) -> Intent: ...

    def capture(self, intent: str, key: str, amount_minor: Minor, currency: str) -> Intent: ...

    def cancel(self, intent: str, key: str) -> Intent: ...

    def refund(self, intent: str, key: str, amount_minor: Minor, currency: str) -> Intent: ...

    def find(self, auth_key: str, payer: Payer, since_ms: int, intent: str = "") -> Intent | None:
        """The authorisation made with this key, not long before `since_ms` at the earliest; None: there is none."""
        ...

    def export(self) -> Iterator[Intent]:
        """Everything in the provider's books, the oldest first where it can say so."""
        ...


def provider_of(spec: str) -> Provider | None:
    """`none`, `sandbox:FILE[?seed=7&decline=0.1&…]` or `stripe:KEYFILE[@URL]`.  Raises ValueError with the remedy."""
    kind, _, rest = spec.partition(":")
    if spec == "none":
        return None
    if kind == "sandbox" and rest:
        from cabinet.cloud.money.sandbox import Sandbox  # noqa: PLC0415  # only who asks for it loads it

        file, _, moods = rest.partition("?")
        return Sandbox.of(Path(file), moods)
    if kind == "stripe" and rest:
        from cabinet.cloud.money.stripe import StripeProvider  # noqa: PLC0415  # likewise

        file, at, url = rest.partition("@http")
        return StripeProvider(Path(file), **({"url": f"http{url}"} if at else {}))
    raise ValueError(f"{spec!r} is no provider: give none, sandbox:FILE or stripe:KEYFILE[@URL]")
