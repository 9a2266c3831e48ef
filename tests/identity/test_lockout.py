"""Five refusals, then a wait."""

from cabinet.identity.lockout import FORGET_S, TRIES, WAIT_S, Lockout


def refused(times: int, start_s: float = 0.0, every_s: float = 1.0) -> Lockout:
    lockout = Lockout()
    for n in range(times):
        lockout = lockout.refused(start_s + n * every_s)
    return lockout


def test_nobody_waits_at_first() -> None:
    assert Lockout().waiting_s(0.0) == 0


def test_four_refusals_cost_no_wait() -> None:
    assert refused(TRIES - 1).waiting_s(4.0) == 0


def test_the_fifth_refusal_costs_thirty_seconds() -> None:
    assert refused(TRIES).waiting_s(4.0) == WAIT_S


def test_the_wait_runs_out() -> None:
    assert refused(TRIES).waiting_s(4.0 + WAIT_S) == 0


def test_a_refusal_while_waiting_does_not_lengthen_the_wait() -> None:
    assert refused(TRIES).refused(20.0).waiting_s(20.0) == WAIT_S - 16


def test_after_the_wait_there_are_five_new_tries() -> None:
    lockout = refused(TRIES)
    for n in range(TRIES - 1):
        lockout = lockout.refused(40.0 + n)
    assert lockout.waiting_s(44.0) == 0
    assert lockout.refused(44.0).waiting_s(44.0) == WAIT_S


def test_a_member_let_in_wipes_the_slate() -> None:
    assert refused(TRIES - 1).accepted().refused(10.0).waiting_s(10.0) == 0


def test_refusals_of_long_ago_were_somebody_elses() -> None:
    assert refused(TRIES - 1).refused(FORGET_S + 10.0).tries == 1
