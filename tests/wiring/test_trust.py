"""Every key of [risk], and those of [identity] that the policy asks for, reach it."""

from pathlib import Path

from cabinet import clock
from cabinet.identity.risk import DAY_S, Policy
from cabinet.ledger import Ledger
from cabinet.ledger.roster import FLEET
from cabinet.wiring.trust import policy, trust_keeper
from tests.control.room import facts
from tests.test_daemon import Cabinet, daemon_of

RISK = {
    "limit_minor": 11, "new_limit_minor": 12, "least_trust": 13, "digits_below_trust": 14, "restore_days": 15.0,
    "visits_per_hour": 16, "night": (17, 18),
}  # fmt: skip  # a row
WHO = {"min_age": 19, "card_hold_minor": 20, "card_visits_per_day": 21, "members_days": 22.0}


def test_every_key_reaches_the_policy(tmp_path: Path) -> None:
    made = policy(facts(tmp_path, risk=RISK, identity=WHO))
    assert made == Policy(11, 12, 13, 14, 15.0, 16, (17, 18), 19, 20, 21, 22 * DAY_S)


def test_the_policys_own_defaults_are_those_of_the_configuration(tmp_path: Path) -> None:
    assert policy(facts(tmp_path)) == Policy()


def test_the_keeper_watches_the_daemon_and_knows_that_there_is_no_cloud(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        daemon = daemon_of(Cabinet(ledger))
        keeper = trust_keeper(facts(tmp_path, prices={"time_zone": "Europe/Berlin"}), ledger, daemon)
        assert daemon.watchers == [keeper.happened]
        assert (keeper.cloud, keeper.time_zone, keeper.members_age_s()) == (False, "Europe/Berlin", None)


def test_with_a_broker_there_is_a_cloud(tmp_path: Path) -> None:
    there = facts(tmp_path, mqtt={"host": "broker.example.net", "key_file": str(tmp_path / "mqtt.key")})
    with Ledger(tmp_path / "l.db") as ledger:
        assert trust_keeper(there, ledger, daemon_of(Cabinet(ledger))).cloud


def test_the_age_of_the_fleets_list_is_the_ledgers(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        keeper = trust_keeper(facts(tmp_path), ledger, daemon_of(Cabinet(ledger)))
        ledger.came_now(FLEET, 1, clock.stamp(), clock.boot_id())
        age_s = keeper.members_age_s()
        assert age_s is not None
        assert 0 <= age_s < 60
