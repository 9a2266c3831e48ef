"""What a story expects when it comes to a line, and what is otherwise."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from cabinet.proving.consent import Consents
from cabinet.proving.moneywise import screen, wrong_kept, wrong_money
from cabinet.proving.overhearing import wrong_logs, wrong_wire
from cabinet.proving.recorded import replayed
from cabinet.proving.stage import Stage
from cabinet.proving.watchman import Account, Watchman
from cabinet.session.states import OutOfService
from cabinet.sim import acts as a
from cabinet.trace import verdict_to_dict


@dataclass(frozen=True, slots=True)
class Expecting:
    stage: Stage
    watchman: Watchman
    rest: Callable[[], None]  # until the cabinet waits for somebody
    consents: Consents

    def wrong(self, act: a.Expect) -> str:
        """What is not as expected; empty where all is well."""
        incidents = [incident.why for incident in self.watchman.incidents]
        match act.what:
            case "bill":
                return self._wrong_bill(act)
            case "incident":
                self.stage.run_for(2.0)
                incidents = [incident.why for incident in self.watchman.incidents]
                found = any(act.text in why for why in incidents)
                return "" if found else f"no such incident: {'; '.join(incidents) or 'none'}"
            case "no incident":
                return "; ".join(incidents)
            case "door":
                return self._wrong_door(act.text)
            case "service":
                return self._wrong_service(out=act.text == "out of")
            case "no visit":
                self.rest()
                return "" if not self.watchman.accounts else f"{len(self.watchman.accounts)} visits were opened"
            case "books":
                return self._wrong_books()
            case "again":
                return self._wrong_again()
            case "visits":
                self.rest()
                there = len(self.watchman.accounts)
                return "" if there == act.number else f"{there} visits were opened"
            case "screen":
                said = screen(self.stage)
                return "" if act.text in said else f"it says: {said}"
            case "owes" | "captured" | "returned" | "released":
                self.rest()
                return wrong_money(self.stage, act)
            case "evidence":
                self.rest()
                return wrong_wire(self.stage)
            case "logs":
                return wrong_logs(self.stage)
            case "forgotten":
                self.rest()
                return wrong_kept(self.stage, self.consents, act.text)
            case "total":
                closed = self._last()
                total = None if closed is None or closed.closed is None else closed.closed.total_minor
                return "" if total == act.number else f"the total is {total}"
            case _:
                return ""

    def _wrong_service(self, *, out: bool) -> str:
        self.rest()
        state = self.stage.cabinet.state
        faults = "; ".join(f"{fault.part}: {fault.why}" for fault in getattr(state, "faults", ()))
        return "" if isinstance(state, OutOfService) == out else f"it is {type(state).__name__} {faults}"

    def _last(self) -> Account | None:
        return next(reversed(self.watchman.accounts.values()), None)

    def _wrong_bill(self, act: a.Expect) -> str:
        self.rest()
        account = self._last()
        if account is None or account.closed is None:
            return "no visit was closed"
        closed = account.closed
        billed = Counter({line.sku: line.quantity for line in closed.lines})
        wanted = Counter({sku: n for n, sku in act.basket})
        told = f"{closed.outcome} {', '.join(f'{n} {sku}' for sku, n in billed.items())} {closed.why}".strip()
        if closed.outcome not in act.outcomes:
            return f"it is {told}"
        if closed.outcome == "charge" and act.basket and billed != wanted:
            return f"it is {told}"
        return ""

    def _wrong_books(self) -> str:
        """Everything is sent over a bad wire, then over a good one; both ends must say the same."""
        self.rest()
        stage = self.stage
        if stage.far_end is None or not stage.cabinet.alive:
            return "there is no far end to agree with"
        stage.far_end.deliver(stage.cabinet.ledger, stage.cabinet.wall.stamp(), bad=True)
        if not stage.far_end.deliver(stage.cabinet.ledger, stage.cabinet.wall.stamp(), bad=False):
            return "what waits was not acknowledged"
        return "; ".join(stage.far_end.disagreements(stage.cabinet.ledger))

    def _wrong_again(self) -> str:
        """The last visit's trace, written to disk and read back, must give the same verdict, byte for byte."""
        self.rest()
        account = self._last()
        if account is None:
            return "there was no visit"
        page = self.stage.notebook.pages[account.visit]
        verdicts = (page.verdict, replayed(self.stage.notebook.recorded(page), complete=page.complete))
        first, again = (None if v is None else json.dumps(verdict_to_dict(v)) for v in verdicts)
        return "" if first == again else f"it was {first}, replayed it is {again}"

    def _wrong_door(self, word: str) -> str:
        board = self.stage.board
        is_so = {
            "locked": board.bolt_home and not board.driven, "unlocked": not board.bolt_home and not board.door_open,
            "open": board.door_open, "shut": not board.door_open,
        }[word]  # fmt: skip
        told = f"door {'open' if board.door_open else 'shut'}, bolt {'home' if board.bolt_home else 'out'}"
        return "" if is_so else told
