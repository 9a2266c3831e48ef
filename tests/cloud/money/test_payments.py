"""What is held, captured once, given back: claim by claim, then every state with every event."""

import itertools
from collections.abc import Callable

import pytest

from cabinet.cloud.money import values as v
from cabinet.cloud.money.payments import wake_ms
from tests.cloud.money.lives import T0, VISIT, Life, answer, held

HOUR, DAY = v.HOUR_MS, v.DAY_MS


def asked() -> Life:
    return Life()(v.Asked(1000))


def shopped(charged_minor: int | None, review: str = "") -> Life:
    return held()(v.Opened(), v.Closed(charged_minor, review))


def paid(amount_minor: int = 700) -> Life:
    life = shopped(amount_minor)
    life.begin()
    return life.done()


def owed() -> Life:
    life = Life()(v.Opened(), v.Closed(700))
    life.begin()
    return life(v.Seen(answer(life.payment, "declined")))


def overdue() -> Life:
    life = owed()
    for wait_ms in v.RETRIES_MS:
        life.later(wait_ms).begin()
        life(v.Seen(answer(life.payment, "declined")))
    return life


def unknown() -> Life:
    life = shopped(700)
    life.begin()
    return life(v.Lost("timed out"))


def stuck() -> Life:
    return unknown().later(v.REPOST_WITHIN_MS)(v.Missing())


def test_what_was_taken_is_captured_once_and_the_rest_released() -> None:
    life = shopped(700)
    call = life.begin()
    assert (call.op, call.amount_minor, call.auth_key) == ("capture", 700, VISIT)
    life.done()
    assert (life.state, [(e.kind, e.amount_minor) for e in life.entries]) == (
        "paid",
        [("hold", 1000), ("release", 1000), ("capture", 700)],
    )
    assert wake_ms(life.payment, life.now_ms) is None


def test_a_visit_that_cost_nothing_releases_the_hold_at_once() -> None:
    life = shopped(0)
    assert life.begin().op == "cancel"
    assert life.done().state == "released"


def test_beyond_the_hold_the_hold_is_captured_and_the_rest_asked_for_as_a_second_intent() -> None:
    life = shopped(1500)
    assert life.begin().amount_minor == 1000
    call = life.done().begin()
    assert (call.op, call.key, call.amount_minor, life.state) == ("authorise", f"{VISIT}:rest", 500, "due")
    life.done().begin()
    life.done()
    assert [(part.auth_key, part.captured_minor) for part in life.payment.taken] == [
        (VISIT, 1000),
        (f"{VISIT}:rest", 500),
    ]
    assert life.state == "paid"


def test_a_visit_without_a_hold_is_authorised_and_captured_at_its_close() -> None:
    life = Life()(v.Opened(), v.Closed(700))
    assert (life.begin().op, life.call.key, life.call.amount_minor) == ("authorise", VISIT, 700)
    assert (life.done().begin().op, life.done().state) == ("capture", "paid")


@pytest.mark.parametrize(("decided", "ends"), [(400, "paid"), (0, "released")])
def test_a_visit_in_doubt_waits_for_a_person_and_its_hold_is_given_back_before_it_lapses(
    decided: int, ends: str
) -> None:
    life = shopped(None, "two stories")
    assert (life.state, wake_ms(life.payment, life.now_ms)) == ("waiting", life.now_ms + v.HOLD_MS)
    assert life.later(v.HOLD_MS).begin().op == "cancel"
    life.done()(v.Decided(decided))
    if decided:
        assert (life.begin().key, life.call.amount_minor) == (f"{VISIT}:rest", decided)
        life.done().begin()
        life.done()
    assert (life.state, life.payment.captured_minor) == (ends, decided)


def test_what_a_person_decides_in_time_is_captured_from_the_hold() -> None:
    life = shopped(None, "two stories")(v.Decided(400))
    assert (life.begin().op, life.call.amount_minor) == ("capture", 400)


def test_an_alarm_on_a_charge_keeps_it_from_being_captured() -> None:
    life = shopped(700)(v.Alarmed("another amount"))
    assert (life(v.Ticked()).payment.call, life.state) == (None, "waiting")


def test_an_alarm_before_the_closing_is_answered_by_a_clean_one() -> None:
    life = held()(v.Opened(), v.Alarmed("open for a day"), v.Closed(700))
    assert life.begin().op == "capture"


def test_a_hold_granted_in_part_is_what_was_granted() -> None:
    life = asked()
    life.begin()
    life(v.Seen(answer(life.payment, amount_minor=300)))
    assert (life.state, life.payment.held_minor) == ("held", 300)
    assert life(v.Opened(), v.Closed(700)).begin().amount_minor == 300
    assert life.done().begin().amount_minor == 400


def test_a_rest_granted_in_part_is_captured_and_what_then_is_missing_is_owed() -> None:
    life = Life()(v.Opened(), v.Closed(700))
    life.begin()
    life(v.Seen(answer(life.payment, amount_minor=100))).begin()
    life.done()
    assert (life.state, life.payment.rest_minor) == ("owed", 600)
    assert wake_ms(life.payment, life.now_ms) == life.now_ms + v.RETRIES_MS[1]


def test_a_decline_after_the_goods_left_is_a_debt_tried_after_1_h_6_h_1_d_3_d_7_d_and_then_overdue() -> None:
    life, waits, keys = owed(), [], [VISIT]
    while (due_ms := wake_ms(life.payment, life.now_ms)) is not None:
        assert life.state == "owed"
        waits.append(due_ms - life.now_ms)
        keys.append(life.later(due_ms - life.now_ms).begin().key)
        life(v.Seen(answer(life.payment, "declined")))
    assert (waits, life.state) == ([HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY], "overdue")
    assert len(set(keys)) == len(keys) == 6  # a key that was declined would only be declined again


def test_an_overdue_debt_is_tried_once_more_when_a_person_says_so_and_is_paid_when_the_card_says_yes() -> None:
    life = overdue()(v.Again())
    life.begin()
    assert life(v.Seen(answer(life.payment, "declined"))).state == "overdue"
    life(v.Again()).begin()
    life.done().begin()
    assert life.done().state == "paid"


def test_a_debt_written_off_is_asked_for_no_more() -> None:
    life = overdue()(v.Adjusted(700, forgiven=True), v.Again(), v.Ticked())
    assert (life.state, life.payment.call) == ("written off", None)


def test_an_unknown_answer_is_looked_up_later_and_later_and_posted_again_with_the_same_key() -> None:
    life, waits = unknown(), []
    first = life.call
    for _ in range(8):
        waits.append(life.call.look_ms - life.now_ms)
        life(v.Lost("timed out"))
    assert waits == [5_000, 20_000, 80_000, 320_000, 1_280_000, HOUR, HOUR, HOUR]
    life(v.Missing())
    assert (life.call.key, life.call.amount_minor, life.call.lost) == (first.key, first.amount_minor, "")


def test_an_unknown_answer_that_turns_out_done_is_done_once() -> None:
    life = unknown()
    life.done()
    assert (life.state, life.payment.captured_minor) == ("paid", 700)
    assert life(v.Seen(answer(unknown().payment))).payment.captured_minor == 700  # told twice


def test_what_is_unknown_for_20_hours_is_not_posted_again_but_shown_to_a_person() -> None:
    life = unknown().later(v.REPOST_WITHIN_MS)
    life(v.Missing(), v.Ticked())
    assert (life.state, wake_ms(life.payment, life.now_ms)) == ("stuck", None)
    again = life(v.Again()).begin()
    assert (again.op, again.key != unknown().call.key) == ("capture", True)


def test_a_hold_never_granted_that_nobody_needs_is_forgotten_after_20_hours() -> None:
    life = asked()
    life.begin()
    assert life(v.Lost("timed out")).later(v.REPOST_WITHIN_MS)(v.Missing()).state == "released"


def test_a_hold_whose_visit_does_not_open_within_15_minutes_is_released_and_asked_for_again_at_the_close() -> None:
    life = held()
    assert wake_ms(life.payment, life.now_ms) == T0 + 15 * v.MINUTE_MS
    assert life.later(15 * v.MINUTE_MS).begin().op == "cancel"
    assert life.done().state == "released"
    assert life(v.Opened(), v.Closed(700)).begin().key == f"{VISIT}:rest"


def test_a_hold_that_was_not_asked_of_the_provider_in_time_is_never_asked() -> None:
    life = asked().later(v.OPENS_WITHIN_MS)(v.Ticked())
    assert (life.state, wake_ms(life.payment, life.now_ms)) == ("released", None)


def test_a_refund_before_the_capture_reduces_it_and_one_after_it_is_given_back() -> None:
    assert shopped(700)(v.Adjusted(200)).begin().amount_minor == 500
    life = paid()(v.Adjusted(200))
    assert (life.begin().op, life.call.key, life.call.amount_minor) == ("refund", f"{VISIT}:back:1", 200)
    assert (life.done().state, life.payment.returned_minor) == ("paid", 200)


def test_a_refund_while_the_capture_is_under_way_is_given_back_afterwards() -> None:
    life = shopped(700)
    life.begin()
    life(v.Adjusted(700)).done()
    assert (life.begin().op, life.call.amount_minor) == ("refund", 700)


def test_a_refund_comes_from_the_newest_intent_first_and_then_from_the_one_before() -> None:
    life = shopped(1500)
    for _ in range(3):
        life.begin()
        life.done()
    life(v.Adjusted(1200))
    sums = []
    for _ in range(2):
        sums.append((life.begin().auth_key, life.call.amount_minor))
        life.done()
    assert sums == [(f"{VISIT}:rest", 500), (VISIT, 700)]


def test_a_hold_that_the_provider_let_lapse_is_asked_for_anew_at_once_and_then_with_pauses() -> None:
    life = shopped(700)
    life.begin()
    life(v.Seen(answer(life.payment, "canceled")))
    assert life.begin().key == f"{VISIT}:rest"
    life.done().begin()
    life(v.Seen(answer(life.payment, "canceled")))
    assert (life(v.Ticked()).payment.call, life.state) == (None, "owed")


@pytest.mark.parametrize("says", [701, 1000])
def test_a_provider_that_captured_another_amount_is_shown_to_a_person(says: int) -> None:
    life = shopped(700)
    life.begin()
    life(v.Seen(answer(life.payment, amount_minor=says)))
    assert (life.state, life.payment.captured_minor) == ("stuck", 0)


def test_a_request_refused_is_looked_up_once_and_then_shown_to_a_person() -> None:
    life = shopped(700)
    life.begin()
    life(v.Refused("no such intent"))
    assert life.state == "unknown"
    assert life(v.Seen(answer(life.payment, "held"))).state == "stuck"


def test_a_hold_refused_is_a_no_and_blocks_nothing() -> None:
    life = asked()
    life.begin()
    assert life(v.Refused("no such customer"), v.Missing()).state == "declined"


STARTS: dict[str, Callable[[], Life]] = {
    "asked": asked,
    "held": held,
    "declined": lambda: (life := asked(), life.begin(), life(v.Seen(answer(life.payment, "declined"))))[0],
    "open": lambda: Life()(v.Opened()),
    "unknown": unknown,
    "waiting": lambda: shopped(None, "two stories"),
    "due": lambda: shopped(700),
    "paid": paid,
    "released": lambda: (life := shopped(0), life.begin(), life.done())[0],
    "owed": owed,
    "overdue": overdue,
    "written off": lambda: overdue()(v.Adjusted(700, forgiven=True)),
    "stuck": stuck,
}
SEEN = answer(unknown().payment)
EVENTS: dict[str, v.Event] = {
    "asked": v.Asked(500), "abandoned": v.Abandoned(), "opened": v.Opened(), "closed": v.Closed(700),
    "closed for nothing": v.Closed(0), "closed in doubt": v.Closed(None), "adjusted": v.Adjusted(700),
    "alarmed": v.Alarmed("fork"), "decided": v.Decided(700), "let go": v.Decided(0), "again": v.Again(),
    "ticked": v.Ticked(), "seen": v.Seen(SEEN), "missing": v.Missing(), "lost": v.Lost("?"), "refused": v.Refused("?"),
}  # fmt: skip  # a table
MOVES: dict[tuple[str, str], str] = {
    ("asked", "abandoned"): "released", ("asked", "opened"): "open", ("asked", "closed"): "due",
    ("asked", "closed for nothing"): "released", ("asked", "closed in doubt"): "waiting",
    ("held", "closed"): "due", ("held", "closed for nothing"): "due", ("held", "closed in doubt"): "waiting",
    ("declined", "opened"): "open", ("declined", "closed"): "due", ("declined", "closed for nothing"): "released",
    ("declined", "closed in doubt"): "waiting",
    ("open", "closed"): "due", ("open", "closed for nothing"): "released", ("open", "closed in doubt"): "waiting",
    ("unknown", "seen"): "paid", ("unknown", "missing"): "due",
    ("waiting", "decided"): "due", ("waiting", "let go"): "due",
    ("due", "alarmed"): "waiting",
    ("paid", "adjusted"): "due",
    ("owed", "adjusted"): "released", ("owed", "alarmed"): "waiting",
    ("overdue", "adjusted"): "released", ("overdue", "alarmed"): "waiting",
    ("stuck", "again"): "due",
}  # fmt: skip  # a table


@pytest.mark.parametrize(("start", "event"), list(itertools.product(STARTS, EVENTS)))
def test_every_state_with_every_event(start: str, event: str) -> None:
    life = STARTS[start]()
    assert life.state == start
    assert life(EVENTS[event]).state == MOVES.get((start, event), start)


@pytest.mark.parametrize("start", STARTS)
def test_no_answer_moves_a_payment_that_asks_nothing(start: str) -> None:
    life = STARTS[start]()
    before = life.payment
    if before.call is None:
        assert life(v.Seen(SEEN), v.Missing(), v.Lost("?"), v.Refused("?")).payment == before
