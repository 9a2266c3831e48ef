"""`python -m tests.chaos`: sell, kill, cut and lie for a while, then compare the books.

Progress goes to stderr; the last line of stdout is one line of JSON; the exit code is 1 where anything is lost, doubled
or foreign, which is what the broken variants are for, where something still waits, or where `cabinet audit` disagrees.
"""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.chaos.play import Options, Play
from tests.chaos.shared import VARIANTS

BAD = ("lost", "doubled", "foreign", "waiting", "missing", "beyond")  # the last two are the provider's


def parsed(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--sales", type=int, default=600, help="at least so many charges")
    parser.add_argument("--seconds", type=float, default=45.0, help="of misfortune, at least")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--variant", choices=VARIANTS, default="none", help="a cabinet or cloud broken on purpose")
    parser.add_argument("--books", choices=("sqlite", "postgresql"), default="sqlite", help="of the cloud")
    parser.add_argument("--workers", type=int, default=1, help="of the cloud")
    parser.add_argument("--provider", action="store_true", help="let a sandbox capture, and compare what it captured")
    parser.add_argument("--folder", type=Path, help="where everything is left to be looked at; else a temporary one")
    return parser.parse_args(words)


async def played(options: Options, folder: Path) -> dict[str, Any]:
    """SIGTERM ends everything that was started, too."""
    playing = asyncio.create_task(Play(options, folder).run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, playing.cancel)
    return await playing


def main() -> int:
    words = parsed()
    options = Options(words.sales, words.seconds, words.seed, words.variant, words.books, words.workers, words.provider)
    with TemporaryDirectory(prefix="chaos-") as temporary:
        folder: Path = words.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        figures = asyncio.run(played(options, folder))
    sys.stdout.write(json.dumps(figures) + "\n")
    bad = any(figures.get(word, 0) for word in BAD) or not figures["audit_ok"]
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
