"""One ingest worker: `python -m cabinet.cloud.worker`, told by `workers` on standard input what to do.

Says "ready" on standard output, ends with its standard input, and leaves 1 behind where its database failed.
"""

import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Final

from cabinet import logsafe
from cabinet.adapters.mqtt import Tls
from cabinet.cloud.keys import KeysError
from cabinet.cloud.plug import money_of
from cabinet.cloud.run import run_cloud
from cabinet.cloud.workers import READY, Settings
from cabinet.ledger.errors import LedgerError

log = logging.getLogger(__name__)

LOG_FORMAT: Final = "%(levelname)s %(name)s %(message)s"


def main() -> int:
    told = json.loads(sys.stdin.buffer.readline())
    settings = Settings(**{**told, "retry_s": tuple(told["retry_s"])})
    logging.basicConfig(level=logging.INFO, format=f"worker={settings.worker} {LOG_FORMAT}")
    logsafe.guard()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        serve(settings)
    except (KeysError, LedgerError) as error:
        log.error("worker_fails why=%r", str(error))  # noqa: TRY400  # the message says it all
        return 1
    return 0


def serve(settings: Settings) -> None:
    run_cloud(
        settings.host, settings.port, settings.db, Path(settings.keys),
        username=settings.username, password=settings.password,
        tls=None if settings.ca is None else Tls(ca=Path(settings.ca)),
        retry_s=settings.retry_s, money=money_of(settings.provider), share=(settings.worker, settings.workers),
        ready=_ready,
    )  # fmt: skip  # what goes where


def _ready() -> None:
    os.write(1, READY)


def _end_with_parent() -> None:
    while os.read(0, 1):  # not through `sys.stdin`: a thread that waits inside it stops the interpreter's own end
        continue
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
