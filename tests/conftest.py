"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples at every run, and no clock: a busy machine is no fault of what is tested.
settings.register_profile("cabinet", deadline=None, derandomize=True)
settings.load_profile("cabinet")


def shared_data_folder() -> Path | None:
    """The folder of real photographs, faces and traces, where this machine has it (CABINET_DATA overrides)."""
    named = os.environ.get("CABINET_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    return folder if (folder / "README.md").is_file() else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = shared_data_folder()
    if folder is None:
        pytest.skip("the folder of real photographs (../shared/data, or CABINET_DATA) is not on this machine")
    return folder


# These start the cabinet's own processes and live by their clocks.  A machine that stops one of them for seconds while
# the rest goes on proves nothing about the cabinet: such a test is tried once again, and the summary names it.
# Not so where money is hunted for (chaos, crash, campaigns): what is lost once in a hundred times is lost.
BY_THE_CLOCK = ("cloud", "firmware_bridge", "scenarios", "screen", "uplink")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    root = config.rootpath / "tests"
    for item in items:
        if item.path.is_relative_to(root) and item.path.relative_to(root).parts[0] in BY_THE_CLOCK:
            item.add_marker(pytest.mark.flaky(reruns=1))
