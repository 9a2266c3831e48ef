"""The state we are in, as one row: the class's name and its facts."""

import json
from dataclasses import asdict
from typing import Any, get_args

from cabinet.ledger.errors import LedgerError
from cabinet.ledger.room import Room, from_json
from cabinet.session.states import Fault, State

_KINDS: dict[str, Any] = {kind.__name__: kind for kind in get_args(State)}


class StateRoom(Room):
    def state(self) -> State | None:
        """Where we were when we last stopped, for whatever reason; None for a new ledger.

        Raises LedgerError for a state that this program does not know.
        """
        row = self._file.row("SELECT name, facts FROM state")
        return None if row is None else revive(row["name"], from_json(row["facts"]))

    def _keep_state(self, state: State) -> None:
        facts = json.dumps(asdict(state), separators=(",", ":"))
        self._file.db.execute(
            "INSERT INTO state VALUES (0, ?, ?) ON CONFLICT DO UPDATE SET name = excluded.name, facts = excluded.facts",
            [type(state).__name__, facts],
        )


def revive(name: str, facts: dict[str, Any]) -> State:
    """The state that was written.  Raises LedgerError."""
    kind = _KINDS.get(name)
    if kind is None:
        known = ", ".join(_KINDS)
        raise LedgerError(f"the ledger is in the state {name!r}, which this program does not know (it knows {known})")
    try:
        if "faults" in facts:
            facts = {**facts, "faults": tuple(Fault(**fault) for fault in facts["faults"])}
        state: State = kind(**facts)
    except TypeError as error:
        raise LedgerError(f"the ledger's state {name} does not fit this program: {error}") from error
    return state
