"""The house rules: lint, format, types, and who may import whom."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "check", "."], id="ruff"),
        pytest.param(["ruff", "format", "--check", "."], id="format"),
        pytest.param(["mypy"], id="mypy"),
        pytest.param(["lint-imports", "--no-cache"], id="import-contracts"),
    ],
)
def test_the_house_is_in_order(command: list[str]) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


REASONED = re.compile(r"# noqa: [A-Z0-9, ]+[A-Z0-9]\s+\S")


def test_every_lint_exception_has_a_reason() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for package in ("cabinet", "firmware_bridge")
        for path in (ROOT / package).rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if "# noqa" in line and not REASONED.search(line)
    ]
    assert bare == []
