"""The only place that chooses parts: builds the daemon from a config file and runs it until it is told to stop."""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from cabinet import config, logsafe
from cabinet.config import Config, ConfigError
from cabinet.ledger import Ledger, LedgerError
from cabinet.ports import PortError
from cabinet.wiring.house import House
from cabinet.wiring.storage import open_ledger

__all__ = ["House", "run"]

EXIT_CONFIG = 78  # sysexits.h EX_CONFIG: systemd shows it by name

log = logging.getLogger(__name__)


def run(path: Path) -> int:
    """`cabinet run`: 0 after SIGTERM or SIGINT; 78 for a wrong config, 1 where the ledger cannot be used."""
    logging.basicConfig(
        level=os.environ.get("CABINET_LOG", "INFO"), format="%(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    logsafe.guard()
    try:
        facts = config.load(path)
        facts.cabinet.data_dir.mkdir(parents=True, exist_ok=True)
    except (ConfigError, OSError) as error:
        sys.stderr.write(f"cabinet: refused to start\n{error}\n")
        return EXIT_CONFIG
    code = 0
    try:
        with _alone(facts.cabinet.data_dir), open_ledger(facts) as ledger:
            asyncio.run(_live(facts, ledger))
    except* (LedgerError, PortError) as errors:  # alone, or in the group of a loop's task
        code = 1
        sys.stderr.writelines(f"cabinet: {error}\n" for error in _each(errors))
    return code


def _each(errors: BaseExceptionGroup[Exception]) -> Iterator[BaseException]:
    for error in errors.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _each(error)
        else:
            yield error


@contextlib.contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """One daemon a cabinet: two would fight over the board, the socket and the ledger.  Raises PortError."""
    try:
        opened = (data_dir / "daemon.lock").open("w")
    except OSError as error:
        raise PortError(f"{data_dir} cannot be written ({error.strerror}): check the folder and its owner") from error
    with opened as lock:  # the kernel lets go of it when the process ends, however
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise PortError(f"another daemon uses {data_dir}: stop it, or name another cabinet.data_dir") from error
        yield


async def _live(facts: Config, ledger: Ledger) -> None:
    house = House(facts, ledger)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    house.start()
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(loop(), name=name) for name, loop in house.loops().items()]
            await stop.wait()
            log.info("stopping")
            await _lock(house)
            for task in running:
                task.cancel()
    finally:
        await _lock(house)  # where a loop has failed; a board that has gone lets the lease end by itself
        await house.close()


async def _lock(house: House) -> None:
    with contextlib.suppress(PortError):
        await house.hardware.lock.engage()
