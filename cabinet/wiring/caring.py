"""The caretaker as the config names it, and the faces that it forgets."""

from collections.abc import Callable, Mapping

from cabinet import clock
from cabinet.caretaker import Caretaker, Limits
from cabinet.config import Config
from cabinet.daemon import Daemon
from cabinet.ledger import Ledger, retention
from cabinet.parts import Parts
from cabinet.ports import Lock
from cabinet.session.states import Idle
from cabinet.wiring import facts as words
from cabinet.wiring.sensing import Sensing

GRACE_S = 1800.0  # without [temperature], where nothing is too warm


def caretaker(
    facts: Config,
    ledger: Ledger,
    parts: Parts,
    sensing: Sensing,
    daemon: Daemon,
    lock: Lock,
    others: Mapping[str, Callable[[], str | None]],
) -> Caretaker:
    """`others`: parts that do not report by themselves, and what is wrong with each."""
    return Caretaker(
        parts=parts,
        nerves=sensing.nerves,
        witness=sensing.witness,
        eyes=sensing.cameras,
        ledger=ledger,
        traces=words.traces(facts),
        limits=limits(facts),
        state=lambda: daemon.state,
        lock=lock,
        others=others,
    )


def limits(facts: Config) -> Limits:
    storage, cold = facts.storage, facts.temperature
    return Limits(
        min_free_mib=storage.min_free_mib,
        traces_mib=storage.traces_mib,
        traces_days=storage.traces_days,
        max_c=None if cold is None else cold.max_c,
        grace_s=GRACE_S if cold is None else cold.grace_s,
    )


def forgetting(facts: Config, ledger: Ledger, changed: Callable[[], None], daemon: Daemon) -> Callable[[], None]:
    """The chore that forgets faces; `changed` is called where the door knows somebody less."""
    days = facts.identity.keep_face_days
    return retention.chore(ledger, days, clock.stamp, changed, lambda: isinstance(daemon.state, Idle))
