"""What the caretaker is told of disk and warmth."""

from pathlib import Path

from cabinet.wiring.caring import limits
from tests.control.room import facts


def test_ambient_goods_are_never_too_warm(tmp_path: Path) -> None:
    assert limits(facts(tmp_path)).max_c is None


def test_disk_and_warmth_are_as_the_config_says(tmp_path: Path) -> None:
    said = limits(
        facts(
            tmp_path,
            temperature={"max_c": 7.0, "grace_s": 60.0},
            storage={"min_free_mib": 5, "traces_mib": 99, "traces_days": 2.0},
        )
    )
    assert (said.max_c, said.grace_s) == (7.0, 60.0)
    assert (said.min_free_mib, said.traces_mib, said.traces_days) == (5, 99, 2.0)
