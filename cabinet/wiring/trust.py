"""The keeper of trust as the config names it, joined to the daemon."""

from cabinet import clock
from cabinet.config import Config
from cabinet.daemon import Daemon
from cabinet.identity.risk import DAY_S, Policy
from cabinet.ledger import Ledger
from cabinet.trustkeeper import TrustKeeper


def policy(facts: Config) -> Policy:
    risk, who = facts.risk, facts.identity
    return Policy(
        limit_minor=risk.limit_minor,
        new_limit_minor=risk.new_limit_minor,
        least_trust=risk.least_trust,
        digits_below_trust=risk.digits_below_trust,
        restore_days=risk.restore_days,
        visits_per_hour=risk.visits_per_hour,
        night=risk.night,
        min_age=who.min_age,
        card_hold_minor=who.card_hold_minor,
        card_visits_per_day=who.card_visits_per_day,
        members_s=who.members_days * DAY_S,
    )


def trust_keeper(facts: Config, ledger: Ledger, daemon: Daemon) -> TrustKeeper:
    machine = clock.boot_id()

    def members_age_s() -> float | None:
        kept = ledger.fleet_age(clock.stamp(), machine)
        return None if kept is None else kept.age_s

    made = TrustKeeper(
        ledger=ledger,
        policy=policy(facts),
        stamp=clock.stamp,
        machine=machine,
        time_zone=facts.prices.time_zone,
        cloud=facts.mqtt is not None,
        members_age_s=members_age_s,
    )
    daemon.watchers.append(made.happened)
    return made
