"""Is a camera's clock off the scale's?  A hand is seen before the cells feel it; a camera that is always later lags.

Causality, no fine measure: cameras are looked at five times a second and hands take their time.  It finds a stream that
is buffered for half a second and more, which no single clock here can see; it cannot find a camera that is early.
"""

from dataclasses import dataclass

LATE_S = 0.6  # two looks and the exposure: what is later than that was buffered
MOST_LATE_S = 2.0  # waited for at the closing: what is later still is a hand that was missed, no buffer
LATE_VISITS = 2  # in a row: once may be a bag that shook the shelf before the hand came


@dataclass
class Timing:
    """One camera over visits."""

    late: int = 0
    offset_s: float = 0.0  # of the last visit that told anything

    def visit(self, moved_s: float | None, felt_s: float | None) -> None:
        """When it first saw something move, and when a zone it sees first felt something (monotonic); None: never."""
        if moved_s is None or felt_s is None:
            return
        self.offset_s = moved_s - felt_s
        self.late = self.late + 1 if self.offset_s > LATE_S else 0

    def lag_s(self, moved_s: float | None, felt_s: float | None) -> float:
        """How late the pictures of the visit under way are, as far as known: one that shows the closing comes later.

        Of this visit, where it told anything; else of the last one.  0: in order, or nobody can tell.
        """
        if moved_s is not None and felt_s is not None:
            offset_s = moved_s - felt_s
            return offset_s if LATE_S < offset_s <= MOST_LATE_S else 0.0
        return min(self.offset_s, MOST_LATE_S) if self.late else 0.0

    def trouble(self) -> str | None:
        if self.late < LATE_VISITS:
            return None
        return (
            f"sees hands {self.offset_s:.1f} s after the scale felt them (at most {LATE_S:g} s), {self.late} visits "
            "in a row: its stream is buffered; look at its network, or lower its resolution"
        )
