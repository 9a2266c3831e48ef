"""What was given back of a visit's charge, what its payment came to, and what the provider says of it.  Pure.

A payment that is still under way is not held against the charge yet.
"""

from collections.abc import Iterator
from typing import Final

from cabinet.audit.rows import Fact
from cabinet.audit.told import Said, Told

SETTLED: Final = ("paid", "released", "written off")
UNDER_WAY: Final = ("due",)  # what is owed or in doubt has its own watchers, and may stay so
FOR_A_PERSON: Final = "waiting"  # a person decides before it is captured: the hold stands until then
BOOKED: Final = ("booked", "paid")
UNDECIDED: Final = -1  # of a payment: what was charged, where a person has to say


def money(told: Told) -> Iterator[Said]:
    yield from given_back(told)
    if told.payment is not None:
        yield from _paid(told, told.payment)
    if told.scope.provider:
        yield from _provided(told)


def given_back(told: Told) -> Iterator[Said]:
    total = next((one.amount for one in [*told.billed, *told.charges]), 0)
    here, events = told.all("change"), told.all("edge back")
    booked = [one for one in told.all("booked") if one.word in BOOKED]  # one that waits may still be refused
    for side, changes in (("cabinet", here), ("cloud", booked)):
        back = sum(one.amount for one in changes)
        if back > total and changes and (side == "cabinet" or told.charges):
            what = f"{back} given back at the {side}, {total} charged"
            yield told.wrong("refunds", changes[0].where, what)
    yield from _same_amounts(told, [*here, *events, *told.all("cloud back"), *told.all("booked")])
    missing = {one.name for one in events} - {one.name for one in here}
    if missing and told.sold:
        yield told.wrong("refunds", events[0].where, f"events without their refund: {', '.join(sorted(missing))}")
    told_cloud = {one.name for one in told.all("cloud back")}
    unbooked = told_cloud - {one.name for one in told.all("booked")}
    if told.scope.money and unbooked and told.payment is not None:
        what = f"the cloud was told of {', '.join(sorted(unbooked))} and has not booked it"
        yield told.wrong("refunds", told.payment.where, what)


def _same_amounts(told: Told, facts: list[Fact]) -> Iterator[Said]:
    first: dict[str, Fact] = {}
    for one in facts:
        before = first.setdefault(one.name, one)
        if before.amount != one.amount:
            what = f"{one.of} {one.name} of {one.amount}, {before.of} of {before.amount}"
            yield told.wrong("changed", one.where, what)


def _paid(told: Told, payment: Fact) -> Iterator[Said]:
    charged, back, captured, returned, held = payment.amounts
    where = payment.where
    for one in told.charges[:1]:
        if charged not in {one.amount, UNDECIDED}:
            yield told.wrong("changed", where, f"payment of {charged}, charge of {one.amount}")
    due = charged if charged != UNDECIDED else 0
    if captured > due:
        yield told.wrong("doubled", where, f"{captured} captured, {due} charged")
    if returned > captured:
        yield told.wrong("refunds", where, f"{returned} returned, {captured} captured")
    booked = sum(one.amount for one in told.all("booked") if one.word in BOOKED)
    if booked != back:
        yield told.wrong("refunds", where, f"{booked} booked as given back, the payment says {back}")
    given_up = payment.last and payment.word in UNDER_WAY
    if (payment.word in SETTLED or given_up) and captured - returned != due - back and captured <= due:
        what = f"{captured} captured, {returned} returned, {due} charged, {back} given back"
        yield told.wrong("captured", where, f"{what}, and nobody is at it")
    ended = payment.last and payment.word != FOR_A_PERSON
    if held and (payment.word in SETTLED or ended) and (told.all("cloud closed") or told.charges):
        yield told.wrong("holds", where, f"{held} held, the payment is {payment.word}, and nobody is at it")


def _provided(told: Told) -> Iterator[Said]:
    taken, returned = (sum(one.amounts[n] for one in told.intents) for n in (0, 1))
    due = next((one.amount for one in [*told.charges, *told.billed]), 0)
    if told.payment is not None and told.payment.amounts[0] != UNDECIDED:
        due = max(due, told.payment.amounts[0])
    if taken > due:
        what = f"{taken} captured by the provider in {len(told.intents)} intents, {due} charged"
        yield told.wrong("doubled", "provider", what)
    if returned > taken:
        yield told.wrong("refunds", "provider", f"{returned} refunded by the provider, {taken} captured")
    payment = told.payment
    if payment is None or payment.word not in SETTLED:
        return
    if (taken, returned) != payment.amounts[2:4] and taken <= due:
        what = f"provider: {taken} captured, {returned} refunded; ledger: {payment.amounts[2]}, {payment.amounts[3]}"
        yield told.wrong("captured", "provider", what)
    if told.all("cloud closed") and any(one.word == "held" for one in told.intents):
        yield told.wrong("holds", "provider", f"held at the provider, the payment is {payment.word}")
