"""What a story expects, held against a bench: its ledger, its cloud, its board, and its recordings judged anew."""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cabinet.basket.policy import TallyPolicy
from cabinet.cli.demo.acting import soon
from cabinet.cli.demo.misfortunes import Misfortunes
from cabinet.cli.demo.processes import Bench
from cabinet.cli.errors import CliError
from cabinet.cloud.run import alarms, charges
from cabinet.ledger import Ledger
from cabinet.ledger.entries import VisitRecord
from cabinet.sim import acts as a
from cabinet.tallier import work_out

REST_S = 60.0  # a bill takes at most evidence and tally timeouts; an operator's call 180 s is not waited for
SEEN_S = 20.0  # until the daemon has noticed a part that fails, or is well again
DOOR_S, INCIDENT_S, BOOKS_S = 2.0, 10.0, 30.0
TAIL_S = 3.0  # a recording goes on for two seconds after the door has shut
AT_REST = frozenset({"Idle", "OutOfService"})
OPENED = frozenset({"Watching", "Servicing"})
MOST = 100_000


@dataclass
class Verifier:
    bench: Bench
    misfortunes: Misfortunes
    pause: Callable[[float], None]
    since: int = 0  # events up to here are none of the story's: a daemon that starts has heard of no part yet

    def begin(self) -> None:
        """From here on it counts."""
        with closing(self._ledger()) as ledger:
            self.since = ledger.head()[0]

    def wrong(self, act: a.Expect) -> str:
        """What is not as expected; empty where all is well."""
        match act.what:
            case "bill":
                return self._wrong_bill(act)
            case "incident":
                found = soon(lambda: any(act.text in why for why in self.incidents()), INCIDENT_S)
                return "" if found else f"no such incident: {'; '.join(self.incidents()) or 'none'}"
            case "no incident":
                return "; ".join(self.incidents())
            case "door":
                return self._wrong_door(act.text)
            case "service":
                return self._wrong_service(out=act.text == "out of")
            case "no visit":
                self.rest()
                return f"{len(self.visits())} visits were opened" if self.visits() else ""
            case "books":
                return self._wrong_books()
            case "again":
                return self._wrong_again()
            case "total":
                last = self._last()
                return "" if last is not None and last.total_minor == act.number else f"the total is {_told(last)}"

    def rest(self) -> None:
        """Until no visit is open and the cabinet waits for somebody, or a door for its shutting; at most a minute."""
        if self.misfortunes.alive:
            soon(lambda: self._calm() or self._left_open(), REST_S)

    def visits(self) -> list[VisitRecord]:
        """The newest first."""
        with closing(self._ledger()) as ledger:
            return ledger.visits(limit=MOST)

    def incidents(self) -> list[str]:
        with closing(self._ledger()) as ledger:
            rows = ledger.outbox(limit=MOST)
        return [str(row.body["why"]) for row in reversed(rows) if row.type == "incident" and row.seq > self.since]

    def _ledger(self) -> Ledger:
        return Ledger(self.bench.data / "ledger.db", read_only=True)

    def _calm(self) -> bool:
        try:
            return self.bench.status()["state"] in AT_REST and not any(v.outcome is None for v in self.visits()[:1])
        except CliError:
            return False

    def _left_open(self) -> bool:
        """Nothing ends before the story shuts the door."""
        try:
            known = self.bench.status()["state"] in OPENED
        except CliError:
            return False
        return known and bool(self.bench.board.control({"do": "look"})["door_open"])

    def _last(self) -> VisitRecord | None:
        self.rest()
        return next(iter(self.visits()), None)

    def _wrong_bill(self, act: a.Expect) -> str:
        last = self._last()
        if last is None or last.outcome is None:
            return "no visit was closed"
        wanted = Counter({sku: n for n, sku in act.basket})
        right = last.outcome in act.outcomes and (last.outcome != "charge" or not act.basket or wanted == _billed(last))
        return "" if right else f"it is {_told(last)}"

    def _wrong_door(self, word: str) -> str:
        found: dict[str, Any] = {}

        def so() -> bool:
            found.update(self.bench.board.control({"do": "look"}))
            is_open, locked = bool(found["door_open"]), bool(found["bolt_locked"])
            return {
                "locked": locked and not found["lock_driven"], "unlocked": not locked and not is_open,
                "open": is_open, "shut": not is_open,
            }[word]  # fmt: skip

        if soon(so, DOOR_S):
            return ""
        return f"door {'open' if found['door_open'] else 'shut'}, bolt {'home' if found['bolt_locked'] else 'out'}"

    def _wrong_service(self, *, out: bool) -> str:
        self.rest()
        if not self.misfortunes.alive:
            return "the daemon is dead"
        if soon(lambda: (self.bench.status()["state"] == "OutOfService") == out, SEEN_S):
            return ""
        status = self.bench.status()
        faults = [f"{fault['part']}: {fault['why']}" for fault in status["faults"]]
        return f"it is {status['state']} {'; '.join(faults)}"

    def _wrong_books(self) -> str:
        """Everything is sent; the cloud has each closed visit and each charge, once and of the same amount."""
        self.rest()
        if not self.misfortunes.alive:
            return "the daemon is dead: nobody sends anything"
        if not soon(lambda: bool(self.bench.ask("outbox")["count"] == 0), BOOKS_S):
            return f"{self.bench.ask('outbox')['count']} rows wait for the cloud"
        here = [(v.visit, v.total_minor) for v in reversed(self.visits()) if v.outcome == "charge"]
        there = [(charge.visit, charge.total_minor) for charge in charges(self.bench.cloud_db)]
        told = [] if here == there else [f"charged here {here}, there {there}"]
        return "; ".join(told + [f"alarm: {alarm.what}" for alarm in alarms(self.bench.cloud_db)])

    def _wrong_again(self) -> str:
        """The last visit's recording, copied and judged anew, must give what its tally.json says, to the byte."""
        last = self._last()
        if last is None:
            return "there was no visit"
        folder = self.bench.data / "traces" / last.visit
        if not (folder / "tally.json").is_file():
            return f"visit {last.visit} was not tallied"
        self.pause(TAIL_S)
        first = (folder / "tally.json").read_text()
        with tempfile.TemporaryDirectory(prefix="again-") as place:
            copied = Path(shutil.copytree(folder, Path(place) / last.visit))
            (copied / "tally.json").unlink()
            work_out(copied, TallyPolicy(), complete=json.loads(first)["complete"])
            kept = copied / "tally.json"
            again = kept.read_text() if kept.is_file() else "unreadable"
        return "" if again == first else f"it was {first}, judged again it is {again}"


def _billed(visit: VisitRecord) -> Counter[str]:
    return Counter({line.sku: line.quantity for line in visit.lines})


def _told(visit: VisitRecord | None) -> str:
    if visit is None:
        return "no visit"
    goods = ", ".join(f"{n} {sku}" for sku, n in _billed(visit).items())
    return f"{visit.outcome} {visit.total_minor} {goods} {visit.why or ''}".strip()
