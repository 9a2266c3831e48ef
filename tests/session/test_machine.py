"""Every state meets every event; then every reachable life is searched for harm."""

from dataclasses import dataclass, replace
from itertools import product
from typing import get_args

import pytest

from cabinet.session import effects as do
from cabinet.session import events as ev
from cabinet.session.events import Event
from cabinet.session.machine import AJAR, FORCED, LEFT_OPEN, STARTING, UNSEEN, step
from cabinet.session.policy import Policy
from cabinet.session.states import (
    Authenticating,
    Closing,
    Fault,
    Idle,
    OutOfService,
    Recovering,
    Servicing,
    State,
    Tallying,
    Unlocked,
    Watching,
    open_visit,
)
from cabinet.units import MemberId, VisitId

V, WHO = VisitId("01V"), MemberId("ann")
POLICY = Policy()
BROKEN = Fault("scale:s1", "silent")
LOCK_OUT = Fault("lock", "the bolt is not home")

STATES: dict[type[State], State] = {
    Idle: Idle(),
    Authenticating: Authenticating(V, 8.0),
    Unlocked: Unlocked(V, WHO, 10.0),
    Watching: Watching(V, WHO, 0.0, 30.0),
    Closing: Closing(V, WHO, 5.0),
    Tallying: Tallying(V, WHO, 10.0),
    Recovering: Recovering(V, WHO, 180.0),
    Servicing: Servicing(V, "tina", "restock", door_open=True, deadline_s=10.0),
    OutOfService: OutOfService((BROKEN,)),
}
EVENTS: dict[str, Event] = {
    "approached": ev.ShopperApproached(1.0, V),
    "recognised": ev.MemberRecognised(1.0, V, WHO, "face"),
    "refused": ev.MemberRefused(1.0, V, "stranger"),
    "service": ev.ServiceRequested(1.0, V, "tina", "restock", "monday"),
    "opened": ev.DoorOpened(1.0),
    "closed": ev.DoorClosed(1.0),
    "found-open": ev.DoorFound(1.0, open=True),
    "found-shut": ev.DoorFound(1.0, open=False),
    "complete": ev.EvidenceComplete(1.0, V),
    "tallied": ev.VisitTallied(1.0, V, "charge"),
    "deadline": ev.DeadlineReached(1.0),
    "lost": ev.PartLost(1.0, BROKEN),
    "restored": ev.PartRestored(1.0, BROKEN.part),
    "restarted": ev.Restarted(1.0),
    "not-released": ev.NotReleased(1.0, V, "no room"),
    "lock-lost": ev.PartLost(1.0, LOCK_OUT),
    "nothing": ev.VisitTallied(1.0, V, "nothing"),
    "asked": ev.ShopperAsked(1.0, V),
}

# One row per state, one column per event, in the order of EVENTS.  "-" stays put; "!" stays put and reports it;
# a name is the state that follows (its own name: the same state with other facts).
TABLE = """
state          approached     recognised refused service   opened       closed    found-open   found-shut complete tallied      deadline     lost           restored   restarted not-released lock-lost      nothing asked
Idle           Authenticating -          -       Servicing OutOfService -         OutOfService -          -        -            !            OutOfService   -          OutOfService -            OutOfService   -    -
Authenticating -              Unlocked   Idle    Servicing OutOfService -         OutOfService -          -        -            Idle         OutOfService   -          OutOfService -            OutOfService   -    Authenticating
Unlocked       -              -          -       !         Watching     !         Watching     Closing    -        -            Closing       Unlocked       -          Recovering Idle         Unlocked       -     -
Watching       -              -          -       !         -            Closing   -            Closing    -        -            Watching     Watching       -          Recovering -            Watching       -      -
Closing        -              -          -       !         Watching     -         Watching     -          Tallying -            Tallying     Closing        -          Recovering -            Closing        -      -
Tallying       -              -          -       !         OutOfService -         OutOfService -          -        Idle         Idle         Tallying       -          Recovering -            Tallying       Idle   -
Recovering     -              -          -       !         Watching     Closing   Watching     Closing    -        -            Recovering   Recovering     -          Recovering -            Recovering     -      -
Servicing      -              -          -       !         Servicing    Idle      Servicing    Idle       -        -            Servicing    Servicing      -          Servicing -            Servicing      -       -
OutOfService   -              -          -       Servicing OutOfService -         OutOfService -          -        -            -            -              Idle       OutOfService -            OutOfService   -    -
"""  # noqa: E501  a table is read across


def table() -> dict[tuple[type[State], str], str]:
    header, *rows = (line.split() for line in TABLE.strip().splitlines())
    names = {kind.__name__: kind for kind in STATES}
    return {(names[row[0]], event): cell for row in rows for event, cell in zip(header[1:], row[1:], strict=True)}


def test_the_table_names_every_state_and_every_event() -> None:
    assert set(table()) == set(product(get_args(State), EVENTS))
    assert {type(event) for event in EVENTS.values()} == set(get_args(Event))


@pytest.mark.parametrize(("state", "event"), list(product(STATES, EVENTS)))
def test_transition(state: type[State], event: str) -> None:
    before = STATES[state]
    after, effects = step(before, EVENTS[event], POLICY)
    reported = any(isinstance(effect, do.ReportUnexpected) for effect in effects)

    match table()[state, event]:
        case "-":
            assert (after, effects) == (before, ())
        case "!":
            assert after == before
            assert reported
        case name:
            assert type(after).__name__ == name
            assert after != before
            assert not reported


@pytest.mark.parametrize("event", EVENTS)
def test_only_a_recognised_member_or_a_technician_releases_the_lock(event: str) -> None:
    for state in STATES.values():
        _, effects = step(state, EVENTS[event], POLICY)
        if any(isinstance(effect, do.ReleaseLock) for effect in effects):
            assert event in {"recognised", "service"}


def test_a_late_answer_about_another_visit_opens_nothing() -> None:
    late = ev.MemberRecognised(1.0, VisitId("yesterday"), WHO, "face")
    assert step(STATES[Authenticating], late, POLICY) == (STATES[Authenticating], ())


def test_a_late_tally_of_another_visit_ends_nothing() -> None:
    late = ev.VisitTallied(1.0, VisitId("yesterday"), "charge")
    assert step(STATES[Tallying], late, POLICY) == (STATES[Tallying], ())


def test_the_visit_is_opened_before_the_lock_is_released() -> None:
    _, effects = step(STATES[Authenticating], EVENTS["recognised"], POLICY)
    kinds = [type(effect) for effect in effects]
    assert kinds.index(do.OpenVisit) < kinds.index(do.StartTrace) < kinds.index(do.ReleaseLock)


def unopened() -> State:
    """Unlocked, never seen open, and weighed."""
    state, effects = step(STATES[Unlocked], ev.DeadlineReached(10.0), POLICY)
    assert effects == (do.EngageLock(), do.FinishTrace(V))
    return step(state, EVENTS["complete"], POLICY).state


def test_an_unopened_unlock_relocks_and_charges_nothing() -> None:
    state, effects = step(unopened(), EVENTS["nothing"], POLICY)
    assert state == Idle()
    assert do.CloseVisit(V, "void", "the door was not opened") in effects
    assert not any(isinstance(effect, do.RaiseIncident) for effect in effects)


@pytest.mark.parametrize("outcome", ["charge", "review"])
def test_goods_that_left_by_a_door_nobody_saw_open_are_an_incident_and_never_charged(outcome: str) -> None:
    _, effects = step(unopened(), ev.VisitTallied(12.0, V, outcome), POLICY)  # type: ignore[arg-type]  # one of three
    assert do.CloseVisit(V, "review") in effects
    assert do.RaiseIncident(UNSEEN, V) in effects


def test_what_cannot_be_recorded_is_void_at_once() -> None:
    state, effects = step(STATES[Unlocked], EVENTS["not-released"], POLICY)
    assert state == Idle()
    assert do.CloseVisit(V, "void", "no room") in effects


@pytest.mark.parametrize("kind", STATES)
def test_of_a_lock_that_contradicts_itself_somebody_is_told_once(kind: type[State]) -> None:
    state, effects = step(STATES[kind], EVENTS["lock-lost"], POLICY)
    assert [type(effect) for effect in effects].count(do.RaiseIncident) == 1
    assert do.RaiseIncident not in {type(effect) for effect in step(state, EVENTS["lock-lost"], POLICY).effects}


def test_what_a_visit_left_broken_is_an_incident() -> None:
    state, _ = step(STATES[Tallying], EVENTS["lost"], POLICY)
    _, effects = step(state, EVENTS["tallied"], POLICY)
    assert do.RaiseIncident("scale:s1 failed in a visit: silent", V) in effects


def test_what_has_not_been_in_order_since_the_start_has_not_failed() -> None:
    new = Fault("lock", "not heard of yet", new=True)
    _, effects = step(OutOfService((STARTING,)), ev.PartLost(1.0, new), POLICY)
    assert effects == ()
    state, _ = step(STATES[Tallying], ev.PartLost(1.0, Fault("scale:s1", "not heard of yet", new=True)), POLICY)
    _, effects = step(state, EVENTS["tallied"], POLICY)
    assert not any(isinstance(effect, do.RaiseIncident) for effect in effects)


def test_a_service_left_open_is_told_once_and_sounds_on() -> None:
    state, first = step(STATES[Servicing], ev.DeadlineReached(1800.0), POLICY)
    _, later = step(state, ev.DeadlineReached(1860.0), POLICY)
    assert do.RaiseIncident(LEFT_OPEN, V) in first
    assert do.RaiseIncident(LEFT_OPEN, V) not in later
    assert do.SoundAlarm(LEFT_OPEN) in later


def held_open(for_s: float) -> list[tuple[float, do.Effect]]:
    state: State = step(STATES[Unlocked], ev.DoorOpened(0.0), POLICY).state
    said: list[tuple[float, do.Effect]] = []
    while isinstance(state, Watching) and state.deadline_s <= for_s:
        now_s = state.deadline_s
        state, effects = step(state, ev.DeadlineReached(now_s), POLICY)
        said += [(now_s, effect) for effect in effects]
    assert isinstance(state, Watching)
    return said


def test_a_door_left_open_is_prompted_at_30_s() -> None:
    assert held_open(59.0) == [(30.0, do.Show(do.Notice.CLOSE_DOOR))]


def test_a_door_left_open_sounds_the_alarm_at_60_s_and_each_60_s() -> None:
    alarms = [at_s for at_s, effect in held_open(300.0) if isinstance(effect, do.SoundAlarm)]
    assert alarms == [60.0, 120.0, 180.0, 240.0, 300.0]


def test_a_door_left_open_calls_an_operator_once_at_180_s() -> None:
    calls = [at_s for at_s, effect in held_open(600.0) if isinstance(effect, do.RaiseIncident)]
    assert calls == [180.0]


def test_a_part_lost_during_a_visit_ends_the_selling_after_it() -> None:
    state: State = STATES[Tallying]
    state, _ = step(state, ev.PartLost(1.0, BROKEN), POLICY)
    state, effects = step(state, EVENTS["tallied"], POLICY)
    assert state == OutOfService((BROKEN,))
    assert do.CloseVisit(V, "charge") in effects


def test_a_part_lost_and_found_during_a_visit_leaves_no_trace() -> None:
    state, _ = step(STATES[Watching], ev.PartLost(1.0, BROKEN), POLICY)
    state, _ = step(state, ev.PartRestored(2.0, BROKEN.part), POLICY)
    assert state == STATES[Watching]


def test_missing_evidence_is_told_to_the_tally() -> None:
    _, effects = step(STATES[Closing], ev.DeadlineReached(5.0), POLICY)
    assert effects == (do.Tally(V, complete=False),)


def test_a_forced_door_stays_a_fault_when_it_is_shut_again() -> None:
    state, _ = step(Idle(), ev.DoorOpened(1.0), POLICY)
    state, _ = step(state, ev.DoorClosed(2.0), POLICY)
    state, _ = step(state, ev.Restarted(3.0), POLICY)
    state, _ = step(state, ev.PartRestored(4.0, STARTING.part), POLICY)
    assert state == OutOfService((FORCED,))


def test_a_service_visit_ends_a_latched_fault() -> None:
    state, _ = step(OutOfService((FORCED,)), EVENTS["service"], POLICY)
    state, _ = step(state, ev.DoorOpened(2.0), POLICY)
    state, effects = step(state, ev.DoorClosed(3.0), POLICY)
    assert state == Idle()
    assert do.CloseVisit(V, "serviced", "restock") in effects


def test_a_door_found_open_outside_a_visit_is_told_once() -> None:
    state, effects = step(Idle(), ev.DoorFound(1.0, open=True), POLICY)
    assert do.RaiseIncident(AJAR.why) in effects
    _, again = step(state, ev.DoorFound(2.0, open=True), POLICY)
    assert again == ()


def test_a_door_ajar_at_boot_is_waited_for() -> None:
    state, _ = step(Idle(), ev.Restarted(0.0), POLICY)
    state, _ = step(state, ev.DoorFound(1.0, open=True), POLICY)
    state, _ = step(state, ev.PartRestored(2.0, STARTING.part), POLICY)
    assert state == OutOfService((AJAR,))
    assert step(state, ev.DoorClosed(3.0), POLICY).state == Idle()


@dataclass(frozen=True)
class Life:
    """A reachable moment: the state, and what the shell has been told to do so far."""

    state: State
    released: bool = False  # the lock is open as far as the shell knows
    opened: bool = False  # a visit is durably open
    tracing: bool = False


def live(life: Life, event: Event) -> Life:
    state, effects = step(life.state, event, POLICY)
    for effect in effects:
        match effect:
            case do.OpenVisit():
                assert not life.opened, f"a visit opened inside another: {life}"
                life = replace(life, opened=True)
            case do.CloseVisit():
                assert life.opened, f"a visit closed twice, or never opened: {life}"
                life = replace(life, opened=False)
            case do.ReleaseLock():
                assert life.opened, "unlocked before the visit was durable"
                life = replace(life, released=True)
            case do.EngageLock():
                life = replace(life, released=False)
            case do.StartTrace():
                life = replace(life, tracing=True)
            case do.EndTrace():
                life = replace(life, tracing=False)
            case _:
                pass
    return replace(life, state=state)


def normal(life: Life) -> Life:
    """Lives that differ only in when they wait are one life; so are a tenth and an eleventh complaint."""
    state = life.state
    if not isinstance(state, Idle | OutOfService):
        state = replace(state, deadline_s=0.0)
    if isinstance(state, Watching):
        state = replace(state, complaints=min(state.complaints, 2))
    if not isinstance(state, Idle | Authenticating):
        state = replace(state, faults=tuple(sorted(set(state.faults), key=str)))
    return replace(life, state=state)


def every_reachable_life() -> set[Life]:
    seen: set[Life] = set()
    frontier = {Life(Idle())}
    while frontier:
        seen |= frontier
        frontier = {normal(live(life, event)) for life in frontier for event in EVENTS.values()} - seen
    return seen


LIVES = every_reachable_life()


def test_every_state_can_be_reached() -> None:
    assert {type(life.state) for life in LIVES} == set(STATES)


def test_no_life_leaves_the_lock_open_with_nobody_accountable() -> None:
    for life in LIVES:
        if life.released:
            assert isinstance(life.state, Unlocked | Servicing), life


def test_no_life_loses_a_visit() -> None:
    for life in LIVES:
        assert life.opened == (open_visit(life.state) is not None), life


def test_every_open_visit_is_being_recorded() -> None:
    for life in LIVES:
        assert life.tracing == life.opened, life


def test_no_life_is_out_of_service_without_a_fault() -> None:
    for life in LIVES:
        if isinstance(life.state, OutOfService):
            assert life.state.faults, life
