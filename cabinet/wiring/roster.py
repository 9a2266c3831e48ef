"""The keeper of the fleet's list of members as the config names it, joined to the uplink where there is one."""

from collections.abc import Callable

from cabinet import clock
from cabinet.config import Config
from cabinet.ledger import Ledger
from cabinet.rosterkeeper import RosterKeeper
from cabinet.uplink import Uplink

DAY_S = 86_400.0


def roster(
    facts: Config,
    ledger: Ledger,
    uplink: Uplink | None,
    changed: Callable[[], None],
    busy: Callable[[], bool] = lambda: False,
) -> RosterKeeper:
    """`changed` is called where other members, or other faces, are known from now on; `busy`: a visit is open."""
    made = RosterKeeper(
        ledger=ledger,
        stamp=clock.stamp,
        machine=clock.boot_id(),
        members_s=facts.identity.members_days * DAY_S,
        changed=changed,
        busy=busy,
    )
    if uplink is not None:
        uplink.keep_members(made)
    return made
