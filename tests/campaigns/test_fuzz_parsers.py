"""Both parsers of the board's wire under a fuzzer for minutes: hypothesis always, atheris where it is installed.

CABINET_FUZZ_EXAMPLES: programmes per target under hypothesis; CABINET_FUZZ_S: seconds per target under atheris.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.firmware_bridge.fuzzing import GOLDEN, TARGETS

pytestmark = pytest.mark.campaign

EXAMPLES = int(os.environ.get("CABINET_FUZZ_EXAMPLES", "20000"))
FOR_S = int(os.environ.get("CABINET_FUZZ_S", "120"))
GRACE_S = 120  # to start, instrument and report
LONGEST = 4096  # bytes of a programme
MEMORY_MB = 512
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", TARGETS)
def test_no_programme_that_hypothesis_thinks_of_breaks_it(name: str) -> None:
    @given(st.binary(min_size=64, max_size=LONGEST))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    def fuzz(programme: bytes) -> None:
        TARGETS[name](programme)

    fuzz()


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed (x86_64 has a wheel)")
@pytest.mark.parametrize("name", TARGETS)
def test_no_programme_that_coverage_leads_to_breaks_it(name: str, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for line in GOLDEN:
        (corpus / line.name).write_bytes(bytes([0, len(line.frame)]) + line.frame)
    limits = [f"-max_total_time={FOR_S}", f"-max_len={LONGEST}", f"-rss_limit_mb={MEMORY_MB}"]
    command = [sys.executable, "-m", "tests.firmware_bridge.fuzzing", name, str(corpus), *limits]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/"],
        cwd=ROOT, capture_output=True, text=True, timeout=FOR_S + GRACE_S, check=False,
    )  # fmt: skip  # a call
    sys.stdout.write(done.stderr[-2000:])
    assert done.returncode == 0, done.stderr[-4000:]
