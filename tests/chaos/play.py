"""The whole play: processes up, misfortune, two certain misfortunes, calm, and the comparison of the books."""

import asyncio
import contextlib
import json
import random
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from cabinet.uplink.core import WINDOW
from tests.chaos import compare, money
from tests.chaos.mischief import LATE_S as PRANK_LATE_S
from tests.chaos.mischief import Mischief
from tests.chaos.misfortune import Gremlin
from tests.chaos.processes import ROOT, Database, ForgetfulBroker, Program, Victim
from tests.chaos.proxy import Proxy
from tests.chaos.shared import CAB, KEY, KEYLESS, TRUSTING, edge_file, oracle_file, shut_file

HEAL_S: Final = 60.0
ROWS_PER_S: Final = 200  # a long campaign leaves more behind than a minute drains: so much longer it may take
CERTAIN_S: Final = 90.0  # two noisy cores, and everything just killed
LOST_SALES: Final = 2  # published while nobody but the broker is there
PUBACK_S: Final = 0.5  # more than the broker's answers take to be heard and believed
SETTLED_S: Final = 1.0  # nothing new at the cloud for so long
LATE_FACTOR: Final = 3  # so many times the seconds asked for, until the sales asked for are made; and
LATE_S: Final = 60.0  # at least so long
LOOK_S: Final = 0.1
TOLD_EVERY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Options:
    sales: int
    seconds: float
    seed: int
    variant: str = "none"
    books: str = "sqlite"
    workers: int = 1
    provider: bool = False  # a sandbox captures, and what it captured is compared, too


class Play:
    def __init__(self, options: Options, folder: Path) -> None:
        self._options, self._folder = options, folder
        self._began_s = time.monotonic()
        self._broker = ForgetfulBroker(folder)
        dice = [random.Random(f"{options.seed} {name}") for name in ("edge's cable", "cloud's cable", "mischief")]
        self._to_edge, self._to_cloud = Proxy(self._broker.port, dice[0]), Proxy(self._broker.port, dice[1])
        self._mischief = Mischief(self._broker.port, dice[2])

    async def run(self) -> dict[str, Any]:
        """The line of figures.  Raises TimeoutError where the play itself came to nothing."""
        async with self._world() as gremlin:
            nursing = asyncio.create_task(gremlin.nurse())
            pranks = asyncio.create_task(self._mischief.run())
            await self._misfortune(gremlin)
            await self._certain_misfortunes(gremlin)
            heal_s = await self._calm()
            pranks.cancel()
            await asyncio.gather(pranks, return_exceptions=True)
            await self._mischief.pipe.stop()
            await asyncio.to_thread(self._victims["edge"].kill)
            figures = self._figures(self._compared(), gremlin, heal_s) | await self._captured()
            nursing.cancel()
            await asyncio.gather(nursing, return_exceptions=True)
            return {**figures, **await self._audited(), "took_s": round(self._spent_s(), 1)}

    @contextlib.asynccontextmanager
    async def _world(self) -> AsyncIterator[Gremlin]:
        await self._to_edge.start()
        await self._to_cloud.start()
        self._victims: dict[str, Victim] = {"broker": self._broker}
        database = Database() if self._options.books == "postgresql" else None
        if database is not None:
            database.start()
            self._victims = {"database": database, **self._victims}
        self._began_s = time.monotonic()
        self._url = str(self._folder / "cloud.db") if database is None else database.fresh()
        if self._options.provider:
            await asyncio.to_thread(money.give_wallets, self._url)
        self._victims |= {"cloud": self._cloud(), "edge": self._edge()}
        gremlin = Gremlin(self._victims, self._options.seed)
        try:
            for victim in self._victims.values():
                if not victim.wanted:
                    victim.start()
            yield gremlin
        finally:
            gremlin.rest()
            await asyncio.get_running_loop().shutdown_default_executor()  # a start under way must not outlive us
            for victim in reversed(self._victims.values()):
                with contextlib.suppress(RuntimeError):  # the database is down already
                    victim.kill()
            await self._to_edge.stop()
            await self._to_cloud.stop()
            if database is not None:
                database.remove()

    def _cloud(self) -> Program:
        keys = self._folder / "keys.toml"
        keys.write_text(f'{CAB} = "{KEY.hex()}"\n')
        module = "tests.chaos.broken" if self._options.variant in KEYLESS else "cabinet"
        words = ["-m", module, "cloud", "run", "--db", self._url, "--keys", str(keys), "--retry-max-s", "1"]
        rest = ["--port", str(self._to_cloud.port), "--workers", str(self._options.workers)]
        if self._options.provider:
            rest += ["--provider", money.spec_of(self._folder, self._options.seed)]
        return Program([*words, *rest], self._folder / "cloud.log")

    def _edge(self) -> Program:
        asked = self._options
        words = ["-m", "tests.chaos.edge", "--folder", str(self._folder), "--port", str(self._to_edge.port)]
        pace = ["--sales", str(asked.sales), "--seconds", str(asked.seconds), "--began-s", str(self._began_s)]
        rest = ["--seed", f"{asked.seed} {{start}}", "--variant", asked.variant]
        return Program([*words, *pace, *rest], self._folder / "edge.log")

    async def _misfortune(self, gremlin: Gremlin) -> None:
        """For as long as asked, and until as much is sold as asked and everything was killed once."""
        asked, begun_s = self._options, self._spent_s()
        haunting = asyncio.create_task(gremlin.haunt())
        told_s = TOLD_EVERY_S
        try:
            while (
                (spent_s := self._spent_s() - begun_s) < asked.seconds
                or self._sold() < asked.sales
                or len(gremlin.kills) < len(self._victims)
            ):
                if haunting.done() or spent_s > max(LATE_S, LATE_FACTOR * asked.seconds):
                    break
                if spent_s > told_s:
                    told_s += TOLD_EVERY_S
                    self._say(f"sold {self._sold()}, waiting {self._backlog()}, kills {dict(gremlin.kills)}")
                await asyncio.sleep(LOOK_S)
        finally:
            gremlin.rest()
            await haunting
        if self._sold() < asked.sales:
            raise TimeoutError(f"only {self._sold()} of {asked.sales} sales in {spent_s:.0f} s")

    async def _certain_misfortunes(self, gremlin: Gremlin) -> None:
        """What chance may have spared us: charges repeated that are stored already, then sales that only the broker
        hears and that die with it.
        """
        self._to_edge.calm = self._to_cloud.calm = True
        mischief = self._mischief
        mischief.calm()
        await self._talking()
        mischief.all_at_once()
        await asyncio.sleep(2 * PRANK_LATE_S[0])
        await self._talking()
        few = WINDOW - 2 * LOST_SALES  # else what is sold next waits for its turn
        await self._until(lambda: self._backlog() < few, "the backlog is short", HEAL_S + self._backlog() / ROWS_PER_S)
        await gremlin.kill("cloud")
        head = mischief.head
        await self._until(lambda: mischief.head >= head + 2 * LOST_SALES, "sales that only the broker hears")
        if self._options.variant in TRUSTING:
            told = mischief.head
            await self._until(lambda: self._believed(told), "what only the broker has heard is believed")
        else:
            await asyncio.sleep(PUBACK_S)
        self._to_edge.cut_all()
        await gremlin.kill("broker")
        await gremlin.start("broker")
        await gremlin.start("cloud")

    async def _talking(self) -> None:
        """The cabinet tells something new, and the cloud answers after that."""
        mischief, head = self._mischief, self._mischief.head
        await self._until(lambda: mischief.head > head, "the cabinet tells of a sale")
        acks = mischief.heard["ack"]
        await self._until(lambda: mischief.heard["ack"] > acks, "the cloud answers")

    async def _calm(self) -> float:
        """Seconds until nothing waits at the edge; a minute or more where something still does."""
        shut_file(self._folder).touch()
        waiting = self._backlog()
        self._say(f"calm: sold {self._sold()}, waiting {waiting}")
        begin_s = time.monotonic()
        with contextlib.suppress(TimeoutError):  # what waits then is among the figures
            await self._until(lambda: self._backlog() == 0, "the backlog is empty", HEAL_S + waiting / ROWS_PER_S)
        heal_s = time.monotonic() - begin_s
        count, since_s = -1, time.monotonic()
        while time.monotonic() - since_s < SETTLED_S:
            if (now := len(compare.read_cloud(self._url).charges)) != count:
                count, since_s = now, time.monotonic()
            await asyncio.sleep(LOOK_S)
        return heal_s

    def _compared(self) -> compare.Verdict:
        there = compare.read_cloud(self._url)
        verdict = compare.judge(compare.read_edge(self._folder), there)
        for word, visits in (("lost", verdict.lost), ("doubled", verdict.doubled), ("foreign", verdict.foreign)):
            for visit in sorted(visits)[:10]:
                self._say(f"{word}: {visit}")
        for alarm in there.alarms[:10]:
            self._say(f"alarm at the cloud: {alarm}")
        return verdict

    async def _captured(self) -> dict[str, Any]:
        """What the provider captured, once everything had its time to be."""
        if not self._options.provider:
            return {}
        sold, begin_s = compare.read_edge(self._folder).sold, time.monotonic()

        def found() -> money.Captures:
            return money.captures(self._folder, sold)

        with contextlib.suppress(TimeoutError):  # what is missing then is among the figures
            await self._until(lambda: not found().missing, "everything is captured", money.SETTLE_S, 1.0)
        return {**asdict(found()), "settle_s": round(time.monotonic() - begin_s, 1)}

    async def _audited(self) -> dict[str, Any]:
        """What the product's own `cabinet audit` says of the same books."""
        words = ("-m", "cabinet", "audit", "--edge", str(edge_file(self._folder)), "--ledger", self._url, "--json")
        audit = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        said, _ = await audit.communicate()
        told = json.loads(said)
        kept = ("lost", "doubled", "changed", "foreign", "gaps", "forks", "freed")
        return {"audit_ok": told["ok"], "audit": {word: told[word] for word in kept}}

    def _figures(self, verdict: compare.Verdict, gremlin: Gremlin, heal_s: float) -> dict[str, Any]:
        cables = self._to_edge.counts + self._to_cloud.counts
        pranks = ("duplicated", "reordered", "forged", "foreign", "spoiled", "garbage")
        return {
            "sold": verdict.sold,
            "acknowledged": verdict.acknowledged,
            "lost": len(verdict.lost),
            "doubled": len(verdict.doubled),
            "foreign": len(verdict.foreign),
            "kills": gremlin.kills.total(),
            "cuts": cables["cuts"],
            "heal_s": round(heal_s, 1),
            "waiting": self._backlog(),
            **asdict(self._options),
            "killed": dict(gremlin.kills),
            "ended_by_itself": dict(gremlin.exits),
            "half_closed": cables["half"],
            "stalls": cables["stalls"],
            "pranks": {word: self._mischief.counts[word] for word in pranks},
        }

    def _spent_s(self) -> float:
        return time.monotonic() - self._began_s

    def _sold(self) -> int:
        told = oracle_file(self._folder)
        return told.read_bytes().count(b"\n") if told.exists() else 0

    def _backlog(self) -> int:
        """Rows of the edge's outbox that are not freed; none before it has one."""
        if not self._sold():
            return 0
        return self._read("SELECT count(*) FROM outbox WHERE acked_at_ms IS NULL")

    def _read(self, sql: str, *values: int) -> int:
        ledger = sqlite3.connect(f"{edge_file(self._folder).absolute().as_uri()}?mode=ro", uri=True, timeout=60.0)
        with contextlib.closing(ledger):
            (number,) = ledger.execute(sql, values).fetchone()
        return int(number)

    def _believed(self, seq: int) -> bool:
        """The edge holds this row of its outbox for delivered."""
        return self._read("SELECT count(*) FROM outbox WHERE seq = ? AND acked_at_ms IS NOT NULL", seq) > 0

    async def _until(
        self, holds: Callable[[], bool], what: str, within_s: float = CERTAIN_S, look_s: float = LOOK_S
    ) -> None:
        deadline_s = time.monotonic() + within_s
        while not holds():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"not within {within_s:g} s: {what}")
            await asyncio.sleep(look_s)

    def _say(self, text: str) -> None:
        sys.stderr.write(f"chaos {self._spent_s():5.1f} s  {text}\n")
        sys.stderr.flush()
