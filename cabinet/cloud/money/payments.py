"""The whole life of a payment, as one pure function.

Everything that decides *what is held*, *what is captured, once* and *what is given back* is in this file.  At most one
call to the provider is under way for a payment.  It is written down before it is made; whoever finds it written down
and unanswered looks it up before anything is posted again, and posts nothing again that is older than 20 hours.
"""

from dataclasses import replace
from typing import assert_never

from cabinet.cloud.money import values as v
from cabinet.cloud.money.values import Call, Entry, Event, Intent, Payment, Step, Taken

NO_ANSWER = "no answer"


def step(payment: Payment, event: Event, now_ms: int) -> Step:
    """Return the payment after the event, and what the ledger has to say of it."""
    match event:
        case v.Seen() | v.Missing() | v.Lost() | v.Refused():
            return _answered(payment, event, now_ms)
        case v.Ticked():
            return Step(_begin(payment, now_ms))
        case v.Asked(hold_minor):
            if payment.asked_ms or payment.closed:
                return Step(payment)  # asked already, or too late
            return Step(replace(payment, asked_ms=now_ms, hold_minor=hold_minor))
        case v.Abandoned():
            return Step(payment if payment.opened or payment.closed else replace(payment, abandoned=True))
        case v.Opened():
            return Step(replace(payment, opened=True))
        case v.Closed():
            return Step(_closed(payment, event))
        case v.Adjusted(back_minor, forgiven):
            back = min(payment.back_minor + back_minor, payment.charged_minor or 0)
            return Step(replace(payment, back_minor=back, forgiven=payment.forgiven or forgiven))
        case v.Alarmed(why):
            return Step(replace(payment, review=payment.review or why))
        case v.Decided(capture_minor):
            return Step(_decided(payment, capture_minor))
        case v.Again():
            aside = replace(payment, stuck="", call=None, agains=payment.agains + 1) if payment.stuck else payment
            return Step(replace(aside, retry_ms=now_ms))
        case _:
            assert_never(event)


def wake_ms(payment: Payment, now_ms: int) -> int | None:
    """When from now on there is something to ask of the provider, if nothing happens before; None: never."""
    if payment.stuck:
        return None
    if payment.call is not None:
        return payment.call.look_ms
    moments = (now_ms, payment.retry_ms, payment.asked_ms + v.OPENS_WITHIN_MS, payment.held_ms + v.HOLD_MS)
    coming = sorted(at_ms for at_ms in moments if at_ms >= now_ms)
    return next((at_ms for at_ms in coming if _wanted(payment, at_ms) is not None), None)


def _closed(payment: Payment, event: v.Closed) -> Payment:
    """The first closing counts.  An alarm raised before it (open for so long) is answered by a clean one."""
    if payment.closed:
        return payment
    review = event.review or ("in doubt" if event.charged_minor is None else "")
    return replace(
        payment, closed=True, charged_minor=event.charged_minor, review=review, tries=0, retry_ms=0, why="",
    )  # fmt: skip  # a table


def _decided(payment: Payment, capture_minor: int) -> Payment:
    """Of a visit without a charge what the person says; a charge that is captured in part was adjusted before."""
    if not payment.closed or not payment.review:
        return payment
    if payment.charged_minor is None:
        return replace(payment, charged_minor=capture_minor, review="")
    return replace(payment, review="")


def _begin(payment: Payment, now_ms: int) -> Payment:
    if payment.stuck or payment.call is not None:
        return payment
    call = _wanted(payment, now_ms)
    if call is None:
        return replace(payment, abandoned=payment.abandoned or payment.unasked)  # a hold that comes too late
    return replace(payment, call=call, nth=payment.nth + (call.op == "authorise"))


def _wanted(payment: Payment, now_ms: int) -> Call | None:
    """The next thing to ask of the provider, given that nothing is under way."""
    if payment.stuck:
        return None
    if payment.held_minor:
        return _of_hold(payment, now_ms)
    if not payment.closed:
        if payment.unasked and now_ms < payment.asked_ms + v.OPENS_WITHIN_MS:
            return _authorise(payment, payment.hold_minor, now_ms)
        return None
    if payment.rest_minor < 0:
        return _refund(payment, now_ms)
    tired = payment.tries > len(v.RETRIES_MS) and not payment.retry_ms
    if payment.review or payment.rest_minor == 0 or tired or now_ms < payment.retry_ms:
        return None
    return _authorise(payment, payment.rest_minor, now_ms)


def _of_hold(payment: Payment, now_ms: int) -> Call | None:
    lapsing = now_ms >= payment.held_ms + v.HOLD_MS
    if payment.closed and payment.held_elsewhere:
        return _about(payment, "cancel", 0, now_ms)  # whatever a person decides: the charge is asked for in its own
    if not payment.closed:
        late = payment.abandoned or now_ms >= payment.asked_ms + v.OPENS_WITHIN_MS
        return _about(payment, "cancel", 0, now_ms) if lapsing or (late and not payment.opened) else None
    if payment.review:
        return _about(payment, "cancel", 0, now_ms) if lapsing else None
    if payment.rest_minor > 0:
        return _about(payment, "capture", min(payment.rest_minor, payment.held_minor), now_ms)
    return _about(payment, "cancel", 0, now_ms)


def _authorise(payment: Payment, amount_minor: int, now_ms: int) -> Call:
    key = v.auth_key(payment.visit, payment.nth + 1)
    return Call("authorise", key, key, "", amount_minor, now_ms, now_ms, currency=payment.currency)


def _about(payment: Payment, op: v.Op, amount_minor: int, now_ms: int) -> Call:
    key = payment.auth_key
    return Call(op, f"{key}:{op}{_suffix(payment)}", key, payment.intent, amount_minor, now_ms, now_ms)


def _suffix(payment: Payment) -> str:
    """After a person had something put aside the provider must not answer as it did before."""
    return f":{payment.agains}" if payment.agains else ""


def _refund(payment: Payment, now_ms: int) -> Call | None:
    """From the newest capture that still has something to give."""
    for part in reversed(payment.taken):
        amount = min(-payment.rest_minor, part.captured_minor - part.returned_minor)
        if amount > 0:
            key = f"{part.auth_key}:back:{part.refunds + 1}{_suffix(payment)}"
            return Call("refund", key, part.auth_key, part.intent, amount, now_ms, now_ms)
    return None


def _answered(payment: Payment, event: v.Seen | v.Missing | v.Lost | v.Refused, now_ms: int) -> Step:
    call = payment.call
    if call is None or payment.stuck:
        return Step(payment)  # the answer to what we no longer ask
    match event:
        case v.Lost(why):
            return Step(_unknown(payment, call, why, now_ms))
        case v.Refused(why):  # it may have been done before: the books say
            return Step(_unknown(payment, replace(call, refused=why or "refused"), why, now_ms))
        case v.Missing():
            return Step(_not_done(payment, call, now_ms))
        case v.Seen(intent):
            return _seen(payment, call, intent, now_ms)
        case _:
            assert_never(event)


def _unknown(payment: Payment, call: Call, why: str, now_ms: int) -> Payment:
    return replace(payment, call=replace(_later(call, now_ms), lost=why or NO_ANSWER), why=why)


def _later(call: Call, now_ms: int) -> Call:
    wait_ms = min(v.FIRST_LOOK_MS * 4 ** min(call.looks, 6), v.HOUR_MS)
    return replace(call, looks=call.looks + 1, look_ms=now_ms + wait_ms)


def _not_done(payment: Payment, call: Call, now_ms: int) -> Payment:
    """A look-up says so.  The same key may be posted again for 20 hours; then a person has to look."""
    needless = call.op == "authorise" and payment.rest_minor <= 0
    if call.refused and needless:
        return _declined(replace(payment, call=None), call.refused, now_ms)
    if call.refused:
        return replace(payment, stuck=f"{call.op} refused: {call.refused}", why=call.refused)
    if needless and now_ms - call.first_ms >= v.REPOST_WITHIN_MS:
        return replace(payment, call=None)  # never done, and nothing to be done
    if now_ms - call.first_ms >= v.REPOST_WITHIN_MS:
        return replace(payment, stuck=f"{call.op} of {call.key}: not done, and too old to be asked again")
    return replace(payment, call=replace(_later(call, now_ms), lost=""))


def _seen(payment: Payment, call: Call, seen: Intent, now_ms: int) -> Step:
    if call.intent and seen.intent != call.intent:
        return Step(replace(payment, stuck=f"asked for {call.intent}, the provider answers for {seen.intent}"))
    if call.op == "authorise":
        return _authorised(payment, call, seen, now_ms)
    if call.op == "refund":
        return _refunded(payment, call, seen, now_ms)
    if seen.status == "held":
        return Step(_not_done(payment, call, now_ms))
    ended = replace(payment, call=None, held_minor=0, held_in="")
    release = Entry("release", call.auth_key, payment.held_minor, payment.held_in)
    if seen.status != "captured":  # cancelled, by us or by the provider: what is still due is asked for anew
        again = replace(ended, tries=1, retry_ms=now_ms) if not ended.tries else _declined(ended, seen.status, now_ms)
        return Step(again if call.op == "capture" else ended, (release,))
    if call.op == "cancel" or seen.captured_minor != call.amount_minor:
        why = f"{call.op} of {call.amount_minor}, yet the provider captured {seen.captured_minor}"
        return Step(replace(payment, stuck=why))
    taken = Taken(call.auth_key, call.intent, seen.captured_minor)
    capture = Entry("capture", call.auth_key, seen.captured_minor)
    return Step(_tried(replace(ended, taken=(*payment.taken, taken)), now_ms), (release, capture))


def _tried(payment: Payment, now_ms: int) -> Payment:
    """After a capture: a rest beyond a hold is asked for at once, one that a card would not grant in full is not."""
    if payment.rest_minor <= 0:
        return replace(payment, tries=0, retry_ms=0, why="")
    return _declined(payment, payment.why, now_ms) if payment.tries else payment


def _authorised(payment: Payment, call: Call, seen: Intent, now_ms: int) -> Step:
    answered = replace(payment, call=None, intent=seen.intent)
    match seen.status:
        case "held" if 0 < seen.amount_minor <= call.amount_minor:
            hold = Entry("hold", call.auth_key, seen.amount_minor, call.currency)
            held = replace(answered, held_minor=seen.amount_minor, held_ms=now_ms, held_in=call.currency)
            if held.held_elsewhere:
                return Step(held, (hold,))
            if payment.closed and seen.amount_minor < min(call.amount_minor, payment.rest_minor):
                held = replace(held, tries=max(1, held.tries), why="granted in part")
            return Step(held, (hold,))
        case "declined" | "canceled":
            return Step(_declined(answered, seen.why or seen.status, now_ms))
        case _:
            said = f"asked to hold {call.amount_minor}, the provider says {seen.status} {seen.amount_minor}"
            return Step(replace(payment, stuck=said))


def _declined(payment: Payment, why: str, now_ms: int) -> Payment:
    """Counted; before the closing nothing is due and nothing is tried again."""
    tries = payment.tries + 1
    wait_ms = v.RETRIES_MS[tries - 1] if tries <= len(v.RETRIES_MS) else None
    return replace(payment, tries=tries, retry_ms=0 if wait_ms is None else now_ms + wait_ms, why=why)


def _refunded(payment: Payment, call: Call, seen: Intent, now_ms: int) -> Step:
    at = next(n for n, part in enumerate(payment.taken) if part.intent == call.intent)
    part = payment.taken[at]
    if seen.refunded_minor == part.returned_minor:
        return Step(_not_done(payment, call, now_ms))
    if seen.refunded_minor != part.returned_minor + call.amount_minor:
        why = f"{seen.refunded_minor} refunded of {call.intent}, of which we know {part.returned_minor}"
        return Step(replace(payment, stuck=why))
    done = replace(part, returned_minor=seen.refunded_minor, refunds=part.refunds + 1)
    taken = (*payment.taken[:at], done, *payment.taken[at + 1 :])
    return Step(replace(payment, call=None, taken=taken), (Entry("repay", call.key, call.amount_minor),))
