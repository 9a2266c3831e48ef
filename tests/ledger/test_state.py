"""Every state comes back as it was."""

from pathlib import Path
from typing import get_args

import pytest

from cabinet.ledger import Ledger, LedgerError
from cabinet.session import states
from cabinet.session.states import Fault, State
from cabinet.units import MemberId, VisitId
from tests.ledger.examples import stamp

V, M = VisitId("01JV"), MemberId("01JM")
FAULTS = (Fault("camera:top", "stalled"), Fault("lock", "forced", latched=True))
STATES: list[State] = [
    states.Idle(),
    states.Authenticating(V, 12.25),
    states.Unlocked(V, M, 12.25, FAULTS),
    states.Watching(V, M, 3.5, 12.25, 2, FAULTS),
    states.Closing(V, M, 12.25, FAULTS),
    states.Tallying(V, M, 12.25),
    states.Recovering(V, M, 12.25, FAULTS),
    states.Servicing(V, "Tom", "restock", door_open=True, deadline_s=12.25, faults=FAULTS),
    states.OutOfService(FAULTS),
]


def test_the_examples_are_every_state() -> None:
    assert {type(state) for state in STATES} == set(get_args(State))


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_a_state_comes_back_after_a_restart(tmp_path: Path, state: State) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        ledger.commit(state, [], stamp())
    with Ledger(tmp_path / "l.db") as again:
        assert again.state() == state


def test_a_new_ledger_has_no_state(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        assert ledger.state() is None


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE state SET name = 'Dancing'", "'Dancing', which this program does not know"),
        ("UPDATE state SET facts = '{\"mood\": 1}'", "does not fit"),
        ("UPDATE state SET facts = '{'", "no JSON"),
    ],
)
def test_a_state_of_another_program_is_refused(tmp_path: Path, sql: str, says: str) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        ledger.commit(states.Idle(), [], stamp())
        ledger._file.connection.execute(sql)
        with pytest.raises(LedgerError, match=says):
            ledger.state()
