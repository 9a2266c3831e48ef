"""What a story expects, held against a bench: its ledger, its cloud, its board, and its recordings judged anew."""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cabinet.basket.policy import TallyPolicy
from cabinet.cli.demo.acting import soon
from cabinet.cli.demo.farewell import Forgotten, still_kept
from cabinet.cli.demo.misfortunes import Misfortunes
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.purse import Purse
from cabinet.cli.demo.shop import Member
from cabinet.cli.demo.tapping import Tap, pieces_in
from cabinet.cli.errors import CliError
from cabinet.cloud.run import alarms, charges
from cabinet.ledger import Ledger
from cabinet.ledger.entries import VisitRecord
from cabinet.proving.overhearing import leak, secret
from cabinet.sim import acts as a
from cabinet.tallier import work_out

REST_S = 60.0  # a bill takes at most evidence and tally timeouts; an operator's call 180 s is not waited for
SEEN_S = 20.0  # until the daemon has noticed a part that fails, or is well again
DOOR_S, INCIDENT_S, BOOKS_S = 2.0, 10.0, 30.0
PATROL_S = 40.0  # the far end makes its round every 15 s
TAIL_S = 3.0  # a recording goes on for two seconds after the door has shut
AT_REST = frozenset({"Idle", "OutOfService"})
OPENED = frozenset({"Watching", "Servicing"})
MOST = 100_000


@dataclass
class Verifier:
    bench: Bench
    misfortunes: Misfortunes
    pause: Callable[[float], None]
    members: Mapping[tuple[str, str], Member] = field(default_factory=dict)
    forgotten: Mapping[str, Sequence[Forgotten]] = field(default_factory=dict)
    tap: Tap | None = None
    since: int = 0  # events up to here are none of the story's: a daemon that starts has heard of no part yet

    def __post_init__(self) -> None:
        self.purse = Purse(self.bench, self.members)

    def begin(self) -> None:
        """From here on it counts."""
        self.purse = Purse(self.bench, self.members)
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
            case "visits":
                self.rest()
                there = len(self.visits())
                return "" if there == act.number else f"{there} visits were opened"
            case "screen":
                found = soon(lambda: act.text in str(self.bench.status()["screen"]), DOOR_S)
                return "" if found else f"it says: {self.bench.status()['screen']}"
            case "owes" | "captured" | "returned" | "released":
                self.rest()
                return self.purse.wrong(act, self.visits())
            case "evidence":
                self.rest()
                return self._wrong_wire()
            case "logs":
                tokens = {member.token for member in self.members.values()}
                return secret(self.bench.logs(), {*self.bench.secrets(), *tokens, *self.purse.tokens()})
            case "forgotten":
                return self._wrong_kept(act.text)
            case "total":
                last = self._last()
                return "" if last is not None and last.total_minor == act.number else f"the total is {_told(last)}"

    def listen(self) -> None:
        """To every byte that passes the broker."""
        self.tap = Tap(self.bench.broker.host, self.bench.broker.port)
        self.tap.start()

    def stop_listening(self) -> None:
        if self.tap is not None:
            self.tap.stop()

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

    def _wrong_kept(self, who: str) -> str:
        """Once all is sent and the far end has made its round."""
        gone = self.forgotten.get(who, ())
        if not gone or not self.misfortunes.alive:
            return f"{who} has taken nothing back, or the daemon is dead: this proves nothing"
        if not soon(lambda: bool(self.bench.ask("outbox")["count"] == 0), BOOKS_S):
            return "the far end was not told"
        soon(lambda: not still_kept(self.bench, gone), PATROL_S)
        return "; ".join(still_kept(self.bench, gone))

    def _wrong_wire(self) -> str:
        """The closing's hash went over it, and nothing else of what was recorded."""
        last, tap = self._last(), self.tap
        if last is None or not last.evidence_hash or tap is None:
            return "there is no evidence, or nobody listens: this proves nothing"
        told = last.evidence_hash.encode()
        if not soon(lambda: any(told in payload for payload in tap.payloads), BOOKS_S):
            return "the hash of the evidence was not sent"
        return leak(list(tap.payloads), pieces_in(self.bench.data / "traces"))

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
