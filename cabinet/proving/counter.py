"""The cabinet's till at the fast depth: the product's own, asking over the simulated wire.

The line is down while the broker is away; while it loses answers, each message either way may be lost or doubled.
"""

from typing import TYPE_CHECKING, Any, Final

from cabinet.identity.credit import Limits
from cabinet.sim.shop import CURRENCY
from cabinet.till import Till

if TYPE_CHECKING:
    from cabinet.proving.cabinet import FastCabinet
    from cabinet.proving.stage import Stage

BUDGET_S: Final = 0.8  # of an ask: the usual setting
MACHINE: Final = "proving"  # one start of one computer


class Line:
    """A cabinet.till.Cloud."""

    def __init__(self, stage: "Stage") -> None:
        self._stage = stage

    def ask(self, payload: dict[str, Any]) -> bool:
        stage, wire = self._stage, self._stage.luck.wire
        if stage.far_end is None or wire == "away":
            return False
        ledger, now = stage.cabinet.ledger, stage.cabinet.wall.stamp()
        return stage.far_end.ask(payload, ledger, now, bad=wire == "loses answers")


def till_of(cabinet: "FastCabinet", line: Line, limits: Limits) -> Till:
    """For the daemon that starts on this ledger."""
    return Till(
        ledger=cabinet.ledger, cloud=line, limits=limits, currency=CURRENCY, budget_s=BUDGET_S,
        stamp=cabinet.wall.stamp, machine=MACHINE,
    )  # fmt: skip  # a list
