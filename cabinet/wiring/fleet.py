"""The fleet's side, put together: the uplink, the till that asks over it, the reporter that tells over it."""

from collections.abc import Callable, Mapping
from typing import Any

from cabinet.config import Config
from cabinet.daemon import Daemon
from cabinet.greeter import Doorway
from cabinet.ledger import Ledger
from cabinet.parts import Parts
from cabinet.reporter import Reporter
from cabinet.senses import Nerves
from cabinet.uplink import Uplink
from cabinet.wiring import storage
from cabinet.wiring.credit import till
from cabinet.wiring.far_end import uplink


class Fleet:
    """Without [mqtt] there is no uplink and no reporter, and nobody keeps an account."""

    def __init__(
        self,
        facts: Config,
        ledger: Ledger,
        parts: Parts,
        nerves: Nerves,
        door: Doorway,
        daemon: Daemon,
        line: Callable[[], str],
    ) -> None:
        self.uplink = _uplink(facts, ledger, parts, daemon)
        self.till = till(facts, ledger, self.uplink, door, daemon)
        self.reporter = None
        if self.uplink is not None:
            self.reporter = Reporter(
                fleet=self.uplink,
                ledger=ledger,
                parts=parts,
                nerves=nerves,
                data_dir=facts.cabinet.data_dir,
                every_s=60.0 if facts.mqtt is None else facts.mqtt.telemetry_every_s,
                screen=line,
                state=lambda: daemon.state,
            )

    def loops(self) -> dict[str, Callable[[], Any]]:
        if self.uplink is None or self.reporter is None:
            return {}
        return {"uplink": self.uplink.run, "reporter": self.reporter.run, "till": self.till.run}

    def poke(self) -> None:
        """Something new is in the outbox."""
        if self.uplink is not None:
            self.uplink.poke()

    def cloud(self) -> Mapping[str, Any]:
        """Whether it is reached, and why not."""
        if self.uplink is None:
            return {"connected": False, "why": "no [mqtt] in the config: nothing is sent"}
        figures = self.uplink.figures()
        return {"connected": figures["connected"], "why": figures["why"]}

    def troubles(self) -> dict[str, Callable[[], str | None]]:
        """Parts that do not report by themselves: what is wrong with each."""
        if self.uplink is None:
            return {}
        return {"cloud": lambda: self.cloud()["why"], "roster": self.till.trouble}


def _uplink(facts: Config, ledger: Ledger, parts: Parts, daemon: Daemon) -> Uplink | None:
    if facts.mqtt is None:
        storage.without_cloud(ledger, parts, daemon)
        return None
    return uplink(facts.mqtt, facts.cabinet.id, ledger, lambda why: parts.report("history", why))
