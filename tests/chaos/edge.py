"""The cabinet of the chaos: the product's own ledger, uplink and pipe, and a shopper who never stops to think.

Started and killed by the harness as `python -m tests.chaos.edge`.  What it says it has sold goes to the oracle's file
after the commit, so the oracle never knows a visit that the ledger need not know.
"""

import argparse
import asyncio
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from ulid import ULID

from cabinet import clock, wire
from cabinet.adapters.mqtt import Broker, MqttPipe
from cabinet.basket.verdict import Line
from cabinet.ledger import ClosedVisit, Ledger, OpenedVisit
from cabinet.session.states import Idle, Unlocked
from cabinet.units import MemberId, Sku, VisitId, ZoneId
from cabinet.uplink import Uplink
from tests.chaos.broken import TrustingPipe
from tests.chaos.shared import CAB, KEY, MEMBERS, RETRY_S, TRUSTING, VARIANTS, edge_file, oracle_file, shut_file

KEEP_ALIVE_S = 5
SHOPPING_S = 0.005  # mean time with an open door: time enough to be killed in
IDLE_S = 0.5  # once everything is sold that was asked for
NOTHING_SHARE, REVIEW_SHARE = 0.08, 0.04  # of the visits: nothing is charged
NAMES = ("Cola 330 ml", "Crème brûlée", "酸奶", "Oat bar")  # of two to five bytes a letter


class Shopper:
    def __init__(self, ledger: Ledger, told: Callable[[], object], oracle: Path, dice: random.Random) -> None:
        self._ledger, self._told, self._dice = ledger, told, dice
        self._oracle = os.open(oracle, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def recover(self) -> None:
        """As the daemon does at its start: a visit without a closing ends as one for a person to look at."""
        for record in self._ledger.open_visits():
            self._ledger.commit(Idle(), [ClosedVisit(record.visit, "review", "restarted")], clock.stamp())

    async def visit(self) -> bool:
        """True where it was charged."""
        visit, member = VisitId(str(ULID())), MemberId(f"M{self._dice.randrange(MEMBERS)}")
        opening = OpenedVisit(
            visit=visit, member=member, purpose="shop", who="face", reason="", price_version=1,
            baseline_g={ZoneId("s1"): 3021.25}, trace=f"visits/{visit}",
        )  # fmt: skip  # a row
        self._ledger.commit(Unlocked(visit, member, 12.5), [opening], clock.stamp())
        self._told()
        await asyncio.sleep(self._dice.expovariate(1 / SHOPPING_S))
        closing = self._closing(visit)
        self._ledger.commit(Idle(), [closing], clock.stamp())
        if closing.outcome == "charge":
            os.write(self._oracle, f"{visit} {closing.total_minor}\n".encode())
            os.fsync(self._oracle)
        self._told()
        return closing.outcome == "charge"

    def _closing(self, visit: VisitId) -> ClosedVisit:
        die = self._dice.random()
        if die < NOTHING_SHARE:
            return ClosedVisit(visit, "nothing")
        if die < NOTHING_SHARE + REVIEW_SHARE:
            return ClosedVisit(visit, "review", "sensors disagree")
        lines = tuple(self._line(Sku(f"W{n}")) for n in range(self._dice.randint(1, 5)))
        return ClosedVisit(visit, "charge", "", lines, sum(line.total for line in lines), "EUR", 0.97, "e" * 64)

    def _line(self, sku: Sku) -> Line:
        dice = self._dice
        return Line(sku, dice.choice(NAMES), dice.randint(1, 3), dice.randint(1, 900), "standard")


class Pace:
    """So many sales over so many seconds since the harness began, whatever time we were dead; at random moments."""

    def __init__(self, sales: int, seconds: float, began_s: float, dice: random.Random) -> None:
        self._sales, self._mean_s, self._began_s, self._dice = sales, seconds / sales, began_s, dice

    def pause_s(self, sold: int) -> float:
        due = min(self._sales, (time.monotonic() - self._began_s) / self._mean_s)
        mean_s = IDLE_S if sold >= self._sales else self._mean_s if sold >= due else self._mean_s / 20
        return self._dice.expovariate(1 / mean_s)


async def run(options: argparse.Namespace) -> None:
    folder: Path = options.folder
    dice = random.Random(options.seed)
    with Ledger(edge_file(folder)) as ledger:
        where = Broker("127.0.0.1", options.port, CAB, retry_s=RETRY_S, keep_alive_s=KEEP_ALIVE_S)
        heard = (wire.topic(CAB, "dn", "+"),)
        pipe = TrustingPipe(where, heard, ledger) if options.variant in TRUSTING else MqttPipe(where, heard)
        uplink = Uplink(ledger, pipe, KEY, CAB, clock=clock.stamp, dice=dice, version="chaos")
        async with asyncio.TaskGroup() as tasks:  # whichever fails ends the process, and the harness counts that
            tasks.create_task(uplink.run())
            shopper = Shopper(ledger, uplink.poke, oracle_file(folder), dice)
            shopper.recover()
            pace = Pace(options.sales, options.seconds, options.began_s, dice)
            sold = oracle_file(folder).read_bytes().count(b"\n")  # quicker than the ledger, and near enough
            while True:
                await asyncio.sleep(pace.pause_s(sold))
                if not shut_file(folder).exists() and uplink.trouble() is None:
                    sold += await shopper.visit()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", required=True)
    parser.add_argument("--sales", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--began-s", type=float, required=True, help="on the machine's monotonic clock")
    parser.add_argument("--variant", choices=VARIANTS, default="none")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
