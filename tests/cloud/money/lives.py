"""Payments led through their lives, and a provider in memory that answers as ordered."""

from dataclasses import dataclass, field, replace

from cabinet.cloud.money import values as v
from cabinet.cloud.money.payments import step
from cabinet.cloud.money.values import Call, Entry, Event, Intent, Payment

T0 = 1_790_000_000_000
VISIT = "01JVISIT00000000000000000A"


def new(visit: str = VISIT) -> Payment:
    return Payment(visit, "cab-1", "ada", "EUR")


@dataclass(slots=True)
class Life:
    """One payment with its clock and all that the ledger was told."""

    payment: Payment = field(default_factory=new)
    now_ms: int = T0
    entries: list[Entry] = field(default_factory=list)

    def __call__(self, *events: Event) -> "Life":
        for event in events:
            self.payment, entries = step(self.payment, event, self.now_ms)
            self.entries += entries
        return self

    def later(self, ms: int) -> "Life":
        self.now_ms += ms
        return self

    @property
    def call(self) -> Call:
        assert self.payment.call is not None
        return self.payment.call

    @property
    def state(self) -> str:
        return self.payment.state

    def begin(self) -> Call:
        self(v.Ticked())
        return self.call

    def done(self) -> "Life":
        """The provider does what it is asked."""
        return self(v.Seen(answer(self.payment)))


def answer(payment: Payment, status: str = "", amount_minor: int | None = None) -> Intent:
    """What the provider's books say after the call that is under way; or another status."""
    call = payment.call
    assert call is not None
    bare = Intent(call.auth_key, payment.visit, call.intent or f"pi:{call.auth_key}", "held", call.amount_minor)
    if call.op == "authorise":
        status = status or "held"
        granted = call.amount_minor if amount_minor is None else amount_minor
        return replace(bare, status=status, amount_minor=granted)  # type: ignore[arg-type]  # a word of ours
    if call.op == "refund":
        part = next(part for part in payment.taken if part.intent == call.intent)
        back = part.returned_minor + (call.amount_minor if amount_minor is None else amount_minor)
        return replace(bare, status="captured", captured_minor=part.captured_minor, refunded_minor=back)
    status = status or {"capture": "captured", "cancel": "canceled"}[call.op]
    captured = (call.amount_minor if amount_minor is None else amount_minor) if status == "captured" else 0
    return replace(bare, status=status, captured_minor=captured)  # type: ignore[arg-type]  # likewise


def held(amount_minor: int = 1000) -> Life:
    life = Life()(v.Asked(amount_minor))
    life.begin()
    return life.done()
