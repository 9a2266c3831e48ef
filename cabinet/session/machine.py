"""The whole life of a visit, as one pure function.

Everything that decides *when the lock opens*, *when a visit ends* and *that it ends once* is in this file.  Nothing
here reads a clock, touches a pin, logs, or awaits; it does not know what is sold, nor how a member is recognised.
"""

from dataclasses import replace
from typing import NamedTuple, assert_never

from cabinet.session import effects as do
from cabinet.session import events as ev
from cabinet.session.effects import Effect, Notice
from cabinet.session.events import Event
from cabinet.session.policy import Policy
from cabinet.session.states import (
    Authenticating,
    Closing,
    Fault,
    Faults,
    Idle,
    OutOfService,
    Recovering,
    Servicing,
    State,
    Tallying,
    Unlocked,
    Watching,
)
from cabinet.units import MemberId, VisitId

STARTING = Fault("cabinet", "starting")  # until the shell has seen every part answer
FORCED = Fault("door", "opened without an unlock", latched=True)
AJAR = Fault("door", "found open outside a visit")
LOCK = "lock"  # door, bolt and drive contradict each other: told at once, whoever is here
LEFT_OPEN = "service with the door long open"
UNSEEN = "the door was never seen open, yet the masses need a person"

InVisit = Unlocked | Watching | Closing | Tallying | Recovering


class Step(NamedTuple):
    state: State
    effects: tuple[Effect, ...] = ()


def step(state: State, event: Event, policy: Policy) -> Step:
    """Return the next state, and what the shell must do, in order."""
    if isinstance(event, ev.Restarted):
        return _restarted(state, event, policy)
    match state:
        case Idle():
            return _idle(state, event, policy)
        case Authenticating():
            return _authenticating(state, event, policy)
        case Unlocked():
            return _unlocked(state, event, policy)
        case Watching():
            return _watching(state, event, policy)
        case Closing():
            return _closing(state, event, policy)
        case Tallying():
            return _tallying(state, event)
        case Recovering():
            return _recovering(state, event, policy)
        case Servicing():
            return _servicing(state, event, policy)
        case OutOfService():
            return _out_of_service(state, event, policy)
        case _:
            assert_never(state)


def _idle(state: Idle, event: Event, policy: Policy) -> Step:
    match event:
        case ev.ShopperApproached(at_s, visit):
            looking = Authenticating(visit, at_s + policy.face_timeout_s)
            return Step(looking, (do.LookForMember(visit), do.Show(Notice.LOOKING)))
        case ev.ServiceRequested():
            return _service(event, policy, faults=())
        case ev.DoorOpened():
            return _forced()
        case ev.DoorFound(_, open=True):
            return _ajar()
        case ev.PartLost(_, fault):
            return _out_of_order((fault,), _alarming((), fault))
        case (
            ev.MemberRecognised()
            | ev.MemberRefused()
            | ev.ShopperAsked()
            | ev.VisitTallied()
            | ev.EvidenceComplete()
            | ev.NotReleased()
        ):
            return Step(state)  # the answer to a question we no longer ask
        case ev.DoorClosed() | ev.DoorFound() | ev.PartRestored():
            return Step(state)  # what we believe already
        case _:
            return _unexpected(state, event)


def _authenticating(state: Authenticating, event: Event, policy: Policy) -> Step:
    match event:
        case ev.MemberRecognised(at_s, visit, member, by) if visit == state.visit:
            return Step(
                Unlocked(visit, member, at_s + policy.unlock_timeout_s + policy.relock_s),
                (
                    do.OpenVisit(visit, member, "shop", by),
                    do.StopLooking(),
                    do.StartTrace(visit),
                    do.ReleaseLock(visit, policy.unlock_timeout_s),
                    do.Show(Notice.WELCOME),
                ),
            )
        case ev.MemberRefused(_, visit) if visit == state.visit:
            return Step(Idle(), (do.StopLooking(), do.Show(Notice.REFUSED)))
        case ev.ShopperAsked(at_s, visit) if visit == state.visit:
            patient = replace(state, deadline_s=at_s + policy.answer_timeout_s)
            return Step(patient, (do.Show(Notice.ASKED),))
        case ev.DeadlineReached():
            return Step(Idle(), (do.StopLooking(), do.Show(Notice.READY)))
        case ev.ServiceRequested():
            after = _service(event, policy, faults=())
            return Step(after.state, (do.StopLooking(), *after.effects))
        case ev.DoorOpened():
            after = _forced()
            return Step(after.state, (do.StopLooking(), *after.effects))
        case ev.DoorFound(_, open=True):
            after = _ajar()
            return Step(after.state, (do.StopLooking(), *after.effects))
        case ev.PartLost(_, fault):
            after = _out_of_order((fault,), _alarming((), fault))
            return Step(after.state, (do.StopLooking(), *after.effects))
        case (
            ev.MemberRecognised()
            | ev.MemberRefused()
            | ev.ShopperAsked()
            | ev.VisitTallied()
            | ev.EvidenceComplete()
            | ev.NotReleased()
        ):
            return Step(state)
        case ev.ShopperApproached() | ev.DoorClosed() | ev.DoorFound() | ev.PartRestored():
            return Step(state)
        case _:
            return _unexpected(state, event)


def _unlocked(state: Unlocked, event: Event, policy: Policy) -> Step:
    match event:
        case ev.DoorOpened(at_s) | ev.DoorFound(at_s, open=True):
            return _opened(state, at_s, policy)
        case ev.DeadlineReached(at_s):  # a magnet can hold the switch: what the shelves weigh has the last word
            unopened = Closing(state.visit, state.member, at_s + policy.evidence_timeout_s, state.faults, opened=False)
            return Step(unopened, (do.EngageLock(), do.FinishTrace(state.visit)))
        case ev.NotReleased(_, visit, why) if visit == state.visit:
            return _void(state, why)
        case ev.DoorFound():  # the board came back: it may have relocked, and an opening may have been missed
            return _closed(state, event.at_s, policy)
        case _:
            return _during_visit(state, event)


def _watching(state: Watching, event: Event, policy: Policy) -> Step:
    match event:
        case ev.DoorClosed(at_s) | ev.DoorFound(at_s, open=False):
            return _closed(state, at_s, policy)
        case ev.DeadlineReached(at_s):
            return _door_held(state, at_s, policy)
        case ev.DoorOpened() | ev.DoorFound():
            return Step(state)  # a switch that bounces says it twice
        case _:
            return _during_visit(state, event)


def _closing(state: Closing, event: Event, policy: Policy) -> Step:
    match event:
        case ev.EvidenceComplete(at_s, visit) if visit == state.visit:
            return _to_tally(state, at_s, policy, complete=True)
        case ev.DeadlineReached(at_s):
            return _to_tally(state, at_s, policy, complete=False)
        case ev.DoorOpened(at_s) | ev.DoorFound(at_s, open=True):  # it bounced, or a sleeve is caught in it
            return _opened(state, at_s, policy)
        case ev.DoorFound() | ev.DoorClosed() | ev.EvidenceComplete():
            return Step(state)
        case _:
            return _during_visit(state, event)


def _tallying(state: Tallying, event: Event) -> Step:
    match event:
        case ev.VisitTallied(_, visit, outcome) if visit == state.visit and not state.opened:
            return _unopened(state, nothing=outcome == "nothing")
        case ev.VisitTallied(_, visit, outcome) if visit == state.visit:
            notice = {"charge": Notice.THANKS, "nothing": Notice.NOTHING_TAKEN, "review": Notice.REVIEW}[outcome]
            return _ended(state, do.CloseVisit(visit, outcome), notice)
        case ev.DeadlineReached():
            late = do.CloseVisit(state.visit, "review", "the tally took too long")
            return _ended(state, late, Notice.REVIEW)
        case ev.DoorOpened() | ev.DoorFound(_, open=True):  # nobody was let in
            review = do.CloseVisit(state.visit, "review", "the door was opened again before the bill was ready")
            after = _forced(state.faults)
            return Step(after.state, (review, do.EndTrace(state.visit), *after.effects))
        case ev.DoorFound() | ev.DoorClosed() | ev.EvidenceComplete():
            return Step(state)
        case _:
            return _during_visit(state, event)


def _recovering(state: Recovering, event: Event, policy: Policy) -> Step:
    match event:
        case ev.DoorFound(at_s, open=True) | ev.DoorOpened(at_s):
            return _opened(state, at_s, policy)
        case ev.DoorFound(at_s) | ev.DoorClosed(at_s):
            return _closed(state, at_s, policy)
        case ev.DeadlineReached(at_s):
            waiting = replace(state, deadline_s=at_s + policy.operator_after_s)
            return Step(waiting, (do.RaiseIncident("an open visit waits for the board", state.visit),))
        case _:
            return _during_visit(state, event)


def _during_visit(state: InVisit, event: Event) -> Step:
    """What means the same in every state of a running visit."""
    match event:
        case ev.PartLost(_, fault):
            return Step(replace(state, faults=_with(state.faults, fault)), _alarming(state.faults, fault, state.visit))
        case ev.PartRestored(_, part):
            return Step(replace(state, faults=_without(state.faults, part)))
        case ev.MemberRecognised() | ev.MemberRefused() | ev.ShopperAsked() | ev.ShopperApproached():
            return Step(state)  # one visit at a time
        case ev.VisitTallied() | ev.EvidenceComplete() | ev.NotReleased():
            return Step(state)  # about a visit that is over, or that opened again
        case _:
            return _unexpected(state, event)


def _servicing(state: Servicing, event: Event, policy: Policy) -> Step:
    match event:
        case ev.DoorOpened(at_s) | ev.DoorFound(at_s, open=True):
            return Step(replace(state, door_open=True, deadline_s=at_s + policy.service_prompt_after_s))
        case ev.DoorClosed() | ev.DoorFound(_, open=False) if state.door_open:
            return _serviced(state)
        case ev.DeadlineReached(at_s) if state.door_open:
            again = replace(state, deadline_s=at_s + policy.alarm_after_s, told=True)
            told = () if state.told else (do.RaiseIncident(LEFT_OPEN, state.visit),)
            return Step(again, (*told, do.Show(Notice.CLOSE_DOOR), do.SoundAlarm(LEFT_OPEN)))
        case ev.DeadlineReached():
            return _void(state, "the door was not opened")
        case ev.NotReleased(_, visit, why) if visit == state.visit and not state.door_open:
            return _void(state, why)
        case ev.PartLost(_, fault):
            return Step(replace(state, faults=_with(state.faults, fault)), _alarming(state.faults, fault, state.visit))
        case ev.PartRestored(_, part):
            return Step(replace(state, faults=_without(state.faults, part)))
        case (
            ev.DoorClosed()
            | ev.DoorFound()
            | ev.MemberRecognised()
            | ev.MemberRefused()
            | ev.ShopperAsked()
            | ev.ShopperApproached()
        ):
            return Step(state)
        case ev.VisitTallied() | ev.EvidenceComplete() | ev.NotReleased():
            return Step(state)
        case _:
            return _unexpected(state, event)


def _out_of_service(state: OutOfService, event: Event, policy: Policy) -> Step:
    match event:
        case ev.PartLost(_, fault):
            return Step(OutOfService(_with(state.faults, fault)), _alarming(state.faults, fault))
        case ev.PartRestored(_, part):
            rest = _without(state.faults, part)
            return Step(OutOfService(rest)) if rest else _ready(())
        case ev.DoorFound(_, open=True):
            told = () if AJAR in state.faults else (do.RaiseIncident(AJAR.why),)
            return Step(OutOfService(_with(state.faults, AJAR)), told)
        case ev.DoorFound() | ev.DoorClosed():  # not the latched fault: a forced door stays one when it is shut
            rest = _without(state.faults, AJAR.part)
            return Step(OutOfService(rest)) if rest else _ready(())
        case ev.DoorOpened() if FORCED not in state.faults:
            return _forced(state.faults)
        case ev.ServiceRequested():
            return _service(event, policy, state.faults)
        case _:
            return Step(state)


def _restarted(state: State, event: ev.Restarted, policy: Policy) -> Step:
    """Never unlocks: a visit under way waits for the board to say where the door is."""
    match state:
        case Unlocked() | Watching() | Closing() | Tallying() | Recovering():
            waiting = Recovering(
                state.visit,
                state.member,
                event.at_s + policy.operator_after_s,
                _with(state.faults, STARTING),
            )
            return Step(waiting, (do.EngageLock(), do.StartTrace(state.visit)))
        case Servicing():  # counted as opened: a technician closes the door to end it
            on = replace(
                state,
                door_open=True,
                deadline_s=event.at_s + policy.service_prompt_after_s,
                faults=_with(state.faults, STARTING),
            )
            return Step(on, (do.EngageLock(), do.StartTrace(state.visit), do.Show(Notice.SERVICE)))
        case OutOfService():
            return Step(OutOfService(_with(state.faults, STARTING)), (do.EngageLock(), do.Show(Notice.OUT_OF_SERVICE)))
        case Idle() | Authenticating():
            return _out_of_order((STARTING,))
        case _:
            assert_never(state)


def _service(event: ev.ServiceRequested, policy: Policy, faults: Faults) -> Step:
    return Step(
        Servicing(
            event.visit,
            event.who,
            event.purpose,
            door_open=False,
            deadline_s=event.at_s + policy.unlock_timeout_s + policy.relock_s,
            faults=faults,
        ),
        (
            do.OpenVisit(event.visit, None, event.purpose, event.who, event.reason),
            do.StartTrace(event.visit),
            do.ClearLockFaults(),
            do.ReleaseLock(event.visit, policy.unlock_timeout_s),
            do.Show(Notice.SERVICE),
        ),
    )


def _void(state: Unlocked | Servicing, why: str) -> Step:
    """Nobody opened it, and nobody can any more."""
    after = _ready(state.faults)
    void = do.CloseVisit(state.visit, "void", why)
    return Step(after.state, (void, do.EngageLock(), do.EndTrace(state.visit), *after.effects))


def _serviced(state: Servicing) -> Step:
    """A person has looked at the cabinet, so latched faults end; a part that still fails is reported anew."""
    after = _ready(tuple(fault for fault in state.faults if not fault.latched))
    closed = do.CloseVisit(state.visit, "serviced", state.purpose)
    return Step(after.state, (closed, do.EngageLock(), do.EndTrace(state.visit), *after.effects))


def _opened(state: Unlocked | Closing | Recovering, at_s: float, policy: Policy) -> Step:
    watching = Watching(state.visit, state.member, at_s, at_s + policy.prompt_after_s, faults=state.faults)
    return Step(watching, (do.EngageLock(), do.Show(Notice.SHOPPING)))  # the slam latch must catch when it is shut


def _closed(state: Unlocked | Watching | Recovering, at_s: float, policy: Policy) -> Step:
    closing = Closing(state.visit, state.member, at_s + policy.evidence_timeout_s, state.faults)
    return Step(closing, (do.EngageLock(), do.FinishTrace(state.visit), do.Show(Notice.TALLYING)))


def _door_held(state: Watching, at_s: float, policy: Policy) -> Step:
    """Prompt at 30 s, alarm at 60 s and each 60 s after; at 180 s an operator is called.  The visit stays open."""
    complaints = state.complaints + 1
    open_for_s = at_s - state.opened_at_s
    next_s = policy.alarm_after_s - policy.prompt_after_s if complaints == 1 else policy.alarm_after_s
    held = replace(state, complaints=complaints, deadline_s=at_s + next_s)
    if complaints == 1:
        return Step(held, (do.Show(Notice.CLOSE_DOOR),))
    alarm = (do.Show(Notice.CLOSE_DOOR), do.SoundAlarm("door held open"))
    called_before = open_for_s - policy.alarm_after_s >= policy.operator_after_s
    if open_for_s >= policy.operator_after_s and not called_before:
        return Step(held, (do.RaiseIncident("door held open", state.visit), *alarm))
    return Step(held, alarm)


def _to_tally(state: Closing, at_s: float, policy: Policy, *, complete: bool) -> Step:
    tallying = Tallying(state.visit, state.member, at_s + policy.tally_timeout_s, state.faults, state.opened)
    return Step(tallying, (do.Tally(state.visit, complete),))


def _ended(state: Tallying, closed: do.CloseVisit, notice: Notice) -> Step:
    """The bill stays on the screen until somebody else comes, unless there is something wrong to be told."""
    end = (closed, *_told(state), do.EndTrace(state.visit), do.Show(notice, state.visit))
    if state.faults:
        return Step(OutOfService(state.faults), (*end, do.Show(Notice.OUT_OF_SERVICE)))
    return Step(Idle(), end)


def _unopened(state: Tallying, *, nothing: bool) -> Step:
    """Nobody saw the door open.  Where the masses agree the visit is void, else a person looks at it."""
    closed: tuple[Effect, ...] = (do.CloseVisit(state.visit, "void", "the door was not opened"),)
    if not nothing:
        closed = (do.CloseVisit(state.visit, "review"), do.RaiseIncident(UNSEEN, state.visit))
    after = _ready(state.faults)
    return Step(after.state, (*closed, *_told(state), do.EndTrace(state.visit), *after.effects))


def _told(state: Tallying) -> tuple[Effect, ...]:
    """What a visit left broken is an incident; of the lock it was told at once, and starting is no fault."""
    broken = (fault for fault in state.faults if not fault.new and fault.part not in {LOCK, STARTING.part})
    return tuple(do.RaiseIncident(f"{fault.part} failed in a visit: {fault.why}", state.visit) for fault in broken)


def _ready(faults: Faults) -> Step:
    if faults:
        return Step(OutOfService(faults), (do.Show(Notice.OUT_OF_SERVICE),))
    return Step(Idle(), (do.Show(Notice.READY),))


def _out_of_order(faults: Faults, told: tuple[Effect, ...] = ()) -> Step:
    return Step(OutOfService(faults), (*told, do.EngageLock(), do.Show(Notice.OUT_OF_SERVICE)))


def _alarming(before: Faults, fault: Fault, visit: VisitId | None = None) -> tuple[Effect, ...]:
    """A door that reads shut with the bolt out may stand open: of the lock somebody is told at once, and once."""
    if fault.part != LOCK or fault.new or any(known.part in {LOCK, FORCED.part} for known in before):
        return ()
    return (do.RaiseIncident(f"{fault.part}: {fault.why}", visit),)


def _ajar() -> Step:
    """Nobody saw it open: we were away, or the wire was.  It may have been pried, so somebody is told."""
    after = _out_of_order((AJAR,))
    return Step(after.state, (do.RaiseIncident(AJAR.why), *after.effects))


def _forced(faults: Faults = ()) -> Step:
    return Step(
        OutOfService(_with(faults, FORCED)),
        (
            do.RaiseIncident(FORCED.why),
            do.EngageLock(),
            do.Show(Notice.OUT_OF_SERVICE),
            do.SoundAlarm(FORCED.why),
        ),
    )


def _with(faults: Faults, fault: Fault) -> Faults:
    """One fault a part, except that a latched one stays beside a passing one."""
    kept = tuple(f for f in faults if f.part != fault.part or (f.latched and not fault.latched))
    return (*kept, fault)


def _without(faults: Faults, part: str) -> Faults:
    return tuple(fault for fault in faults if fault.part != part or fault.latched)


def visit_of(state: State) -> tuple[VisitId, MemberId] | None:
    """The shopper's visit under way, if any."""
    if isinstance(state, InVisit):
        return state.visit, state.member
    return None


def _unexpected(state: State, event: Event) -> Step:
    """Stay put and say so: a stray sensor edge must not stop the cabinet."""
    return Step(state, (do.ReportUnexpected(type(state).__name__, type(event).__name__),))
