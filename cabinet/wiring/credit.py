"""The till as the config names it, joined to the uplink, the door and the daemon."""

from cabinet import clock
from cabinet.config import Config
from cabinet.daemon import Daemon
from cabinet.greeter import Doorway
from cabinet.identity.credit import Limits
from cabinet.ledger import Ledger
from cabinet.till import Till
from cabinet.uplink import Uplink

DAY_S = 86_400.0


def till(facts: Config, ledger: Ledger, uplink: Uplink | None, door: Doorway, daemon: Daemon) -> Till:
    credit = facts.credit
    made = Till(
        ledger=ledger,
        cloud=uplink,
        limits=Limits(
            hold_minor=credit.hold_minor,
            member_visits=credit.offline_member_visits,
            member_minor=credit.offline_member_minor,
            cabinet_visits=credit.offline_cabinet_visits,
            cabinet_minor=credit.offline_cabinet_minor,
            roster_s=credit.roster_days * DAY_S,
        ),
        currency=facts.cabinet.currency,
        budget_s=credit.budget_ms / 1000,
        stamp=clock.stamp,
        machine=clock.boot_id(),
    )
    door.terms, daemon.terms_of = made.terms, made.terms_of
    if uplink is not None:
        uplink.on_terms, uplink.on_roster = made.answer, made.take_roster
    return made
