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
