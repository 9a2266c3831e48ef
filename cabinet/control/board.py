"""What a technician asks of the board: who it is, what it wrote down, a key for it, and its port for a while."""

from dataclasses import dataclass
from typing import Any

from cabinet import clock
from cabinet.config import Config
from cabinet.control.maintenance import Maintenance
from cabinet.control.requests import Answer, Arguments, RequestError, integer
from cabinet.ledger import JournalRow, Ledger
from cabinet.ports import Desk

FLASHING = "flash"
FLASH_S = 300.0  # writing takes half a minute


@dataclass
class BoardRoom:
    config: Config
    ledger: Ledger
    desk: Desk
    maintenance: Maintenance

    def operations(self) -> dict[str, Any]:
        return {
            "board.info": self.info,
            "board.log": self.log,
            "board.commission": self.commission,
            "board.let_go": self.let_go,
            "board.take_back": self.take_back,
        }

    async def info(self, _: Arguments, __: str) -> Answer:
        facts, board = dict(self.desk.facts()), self.config.board
        if board is not None:
            facts["budget"] = {"per_hour": board.unlocks_per_hour, "per_day": board.unlocks_per_day}
        stored = 1 if "board" not in facts else self.ledger.journal_next(facts["board"])
        return {**facts, "journal_stored": stored - 1, "maintenance": self.maintenance.doing}

    async def log(self, arguments: Arguments, _: str) -> Answer:
        """The newest entries, the oldest first, as the ledger keeps them."""
        rows = self.ledger.journal_rows(integer(arguments, "last", 64, low=1, high=10_000))
        return {"entries": self._dated(rows)}

    async def commission(self, _: Arguments, who: str) -> Answer:
        """A fresh key and the config's budget; refused by a board that has a key and whose housing is shut."""
        board = self.config.board
        if board is None:
            raise RequestError("there is no board in the config", "add [board]")
        async with self.maintenance.during("commission", who, alone=True):
            file = await self.desk.commission(board.unlocks_per_hour, board.unlocks_per_day)
        return {"key_file": file, "per_hour": board.unlocks_per_hour, "per_day": board.unlocks_per_day}

    async def let_go(self, _: Arguments, who: str) -> Answer:
        """The port is the technician's, for flashing: until it is given back, or so many seconds."""
        await self.maintenance.begin(FLASHING, who, alone=True, for_s=FLASH_S)
        return {"port": self.desk.let_go(FLASH_S), "for_s": FLASH_S}

    async def take_back(self, _: Arguments, __: str) -> Answer:
        self.maintenance.refuse_others(FLASHING)
        self.desk.take_back()
        self.maintenance.end()
        return {}

    def _dated(self, rows: list[JournalRow]) -> list[Answer]:
        """With the wall clock's time where it is known: of the boot that still runs."""
        facts = self.desk.facts()
        board, uptime_s = facts.get("board"), facts.get("uptime_s")
        boots = [row.entry.boot for row in rows if row.entry.board == board]
        booted_ms = None if uptime_s is None else clock.stamp().wall_ms - uptime_s * 1000
        return [
            {
                "board": row.entry.board,
                "index": row.entry.index,
                "boot": row.entry.boot,
                "t_s": row.entry.t_ms / 1000,
                "at_wall_ms": round(booted_ms + row.entry.t_ms)
                if booted_ms is not None and row.entry.board == board and row.entry.boot == boots[-1]
                else None,
                "kind": row.entry.kind,
                "visit": row.entry.visit,
                "facts": dict(row.entry.facts),
                "received_wall_ms": row.received.wall_ms,
            }
            for row in rows
        ]
