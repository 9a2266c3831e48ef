"""What is known of the board at this moment, in one value, for those who show it."""

from dataclasses import dataclass

from firmware_bridge.codes import FaultCode
from firmware_bridge.happenings import Counters
from firmware_bridge.reports import HelloReply, Status


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """`status` is the last one asked for, `faults` those of the last Alive (every 500 ms).

    Host time = board time + `offset_s`, at the last message.  `drift_ppm`: how much faster than the host's the board's
    clock runs; None before a minute of it.  `jitter_ms`: how much longer than the quickest its messages take, mean.
    """

    hello: HelloReply
    status: Status
    faults: frozenset[FaultCode]
    counters: Counters
    offset_s: float
    drift_ppm: float | None
    jitter_ms: float
    journal_next: int | None  # the board's next entry; None before the first Alive
    journal_read: int  # the first entry not yet had from it

    @property
    def boot_id(self) -> bytes:
        return self.hello.boot_id


def faults_of(bits: int) -> frozenset[FaultCode]:
    """Bit n is fault n; bits of a later firmware have no name here."""
    return frozenset(code for code in FaultCode if bits >> code & 1)
