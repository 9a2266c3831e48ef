"""Any life at all, with a provider that lies: nothing captured beyond the charge, nothing twice, no hold forgotten."""

import random
from dataclasses import dataclass, field, replace

import pytest

from cabinet.cloud.money import values as v
from cabinet.cloud.money.payments import wake_ms
from cabinet.cloud.money.values import Call, Intent
from tests.cloud.money.lives import VISIT, Life

LIVES = 2000


@dataclass(slots=True)
class Liar:
    """Its books are true; its answers get lost, and it declines and grants in part as the dice fall."""

    dice: random.Random
    declines: float
    intents: dict[str, Intent] = field(default_factory=dict)
    captures: list[str] = field(default_factory=list)

    def ask(self, call: Call) -> v.Event:
        if self.dice.random() < 0.2:
            return v.Lost("before")
        told = self._do(call)
        return v.Lost("after") if self.dice.random() < 0.2 else told

    def look(self, call: Call) -> v.Event:
        if self.dice.random() < 0.2:
            return v.Lost("look")
        found = self.intents.get(call.auth_key)
        return v.Missing() if found is None else v.Seen(found)

    def lapse(self) -> None:
        """A hold that is not captured in time ends by itself."""
        for key, intent in self.intents.items():
            if intent.status == "held" and self.dice.random() < 0.3:
                self.intents[key] = replace(intent, status="canceled")

    def _do(self, call: Call) -> v.Event:
        key = call.auth_key
        if call.op == "authorise":
            if key not in self.intents:
                status = "declined" if self.dice.random() < self.declines else "held"
                granted = call.amount_minor if self.dice.random() < 0.7 else max(1, call.amount_minor // 2)
                self.intents[key] = Intent(key, VISIT, f"pi:{key}", status, granted)  # type: ignore[arg-type]  # ours
            return v.Seen(self.intents[key])
        found = self.intents[key]
        if call.op == "refund":
            if found.refunded_minor + call.amount_minor > found.captured_minor:
                return v.Refused("more than was captured")
            self.intents[key] = replace(found, refunded_minor=found.refunded_minor + call.amount_minor)
        elif found.status != "held":
            return v.Refused(f"it is {found.status}")
        elif call.op == "capture":
            self.captures.append(key)
            self.intents[key] = replace(found, status="captured", captured_minor=call.amount_minor)
        else:
            self.intents[key] = replace(found, status="canceled")
        return v.Seen(self.intents[key])


def attend(life: Life, liar: Liar) -> None:
    """As the cashier does: a call found unanswered is looked up before it is posted again."""
    for _ in range(6):
        call = life.payment.call
        if call is not None:
            if call.look_ms > life.now_ms:
                return
            life(liar.look(call))
            call = life.payment.call
            if life.payment.stuck or (call is not None and call.lost):
                return
        if call is None:
            call = life(v.Ticked()).payment.call
        if call is None:
            return
        if liar.dice.random() < 0.1:
            return  # killed before it asked
        told = liar.ask(call)
        if liar.dice.random() < 0.1:
            return  # killed before it wrote the answer down
        life(told)


def happens(life: Life, dice: random.Random) -> None:
    left = life.payment.due_minor
    events: list[v.Event] = [
        v.Asked(1000), v.Opened(), v.Abandoned(), v.Closed(dice.choice([0, 300, 1000, 1700, None])), v.Alarmed("fork"),
        v.Decided(dice.randint(0, 900)), v.Again(),
    ]  # fmt: skip  # a list
    if left:
        events.append(v.Adjusted(dice.randint(1, left)))
    life(dice.choice(events))


def check(life: Life, liar: Liar) -> None:
    payment, truth = life.payment, liar.intents.values()
    charged = payment.charged_minor or 0
    captured, refunded = sum(one.captured_minor for one in truth), sum(one.refunded_minor for one in truth)
    assert captured <= charged
    assert refunded <= captured
    assert len(set(liar.captures)) == len(liar.captures)
    assert len({part.auth_key for part in payment.taken}) == len(payment.taken)
    assert payment.captured_minor <= captured
    assert payment.returned_minor <= refunded
    names = [(entry.kind, entry.name) for entry in life.entries]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("seed", range(4))
def test_no_life_with_a_lying_provider_takes_too_much_or_forgets_a_hold(seed: int) -> None:
    ends: set[str] = set()
    for number in range(LIVES // 4):
        dice = random.Random(seed * LIVES + number)
        life, liar = Life(), Liar(dice, dice.choice([0.0, 0.25, 0.95]))
        for _ in range(dice.randint(4, 25)):
            happens(life, dice)
            if dice.random() < 0.8:
                attend(life, liar)
            life.later(dice.choice([0, 1000, 6000, v.HOUR_MS, v.DAY_MS, v.HOLD_MS]))
            if dice.random() < 0.1:
                liar.lapse()
            check(life, liar)
        for _ in range(80):  # then time passes and nothing else happens
            due_ms = wake_ms(life.payment, life.now_ms)
            if due_ms is None:
                break
            life.later(max(0, due_ms - life.now_ms))
            attend(life, liar)
            check(life, liar)
        else:
            raise AssertionError(f"it never comes to rest: {life.payment}")
        ends.add(life.state)
        if life.state != "stuck":
            assert not [one for one in liar.intents.values() if one.status == "held"], life.payment
            assert sum(one.captured_minor for one in liar.intents.values()) == life.payment.captured_minor
            assert life.state in {"overdue", "waiting"} or life.payment.rest_minor == 0
    assert {"paid", "released", "overdue"} <= ends
