"""How long the cabinet waits for people and for parts.  Sources: published shopper times and lock practice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """All in seconds."""

    face_timeout_s: float = 8.0  # somebody stands there and is nobody we know
    answer_timeout_s: float = 20.0  # asked for digits, a yes, a turn of the head: time to answer
    unlock_timeout_s: float = 10.0  # unlocked and not opened: relock, void; the board caps a lease at 10 s too
    relock_s: float = 0.5  # after the lease: until the bolt has travelled, whoever opens is still this visit's shopper
    prompt_after_s: float = 30.0  # door open: a friendly word
    alarm_after_s: float = 60.0  # door open: the alarm, and again each time as long
    operator_after_s: float = 180.0  # door open: a person has to look; the visit stays open
    service_prompt_after_s: float = 1800.0  # the grace that food rules give a restock
    evidence_timeout_s: float = 5.0  # after the door closed, for the cells to settle and the cameras to report
    tally_timeout_s: float = 10.0  # hard limit of the tally; then a person decides
