"""The page's line to the daemon: one connection that listens, and a short one for each answer of the shopper."""

import asyncio
import contextlib
import json
import logging
from pathlib import Path
from typing import Any, Final, NoReturn

from cabinet.screen.seen import AWAY, Seen, StrangeError, read

RETRY_S: Final = 1.0
SILENT_S: Final = 12.0  # the daemon says something every 5 s
ANSWER_S: Final = 3.0
MAX_LINE: Final = 1 << 16

log = logging.getLogger(__name__)


class AwayError(Exception):
    """No daemon answers."""


class RefusedError(Exception):
    """The daemon says no, in its own words."""


class Link:
    """What there is to see now, and `newer` for whoever shows it."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._changed = asyncio.Condition()
        self.seen: Seen = AWAY
        self.version = 0

    async def run(self) -> NoReturn:
        while True:
            why = "it went away"
            try:
                await self._follow()
            except TimeoutError:
                why = "it is silent"
            except (OSError, ValueError) as error:  # also StrangeError, and a line beyond the bound
                why = type(error).__name__ if not isinstance(error, StrangeError) else str(error)
            if self.seen is not AWAY or self.version == 0:
                log.warning("daemon_away socket=%s why=%s", self._socket, why)
            await self._show(AWAY)
            await asyncio.sleep(RETRY_S)

    async def newer(self, version: int, within_s: float) -> int:
        """The version of what there is to see, once it is another one or so much time has passed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(lambda: self.version != version)
        return self.version

    async def ask(self, op: str, arguments: dict[str, Any]) -> None:
        """Raises AwayError, or RefusedError with the daemon's words."""
        try:
            async with asyncio.timeout(ANSWER_S):
                reader, writer = await asyncio.open_unix_connection(self._socket, limit=MAX_LINE)
                try:
                    await _say(writer, op, arguments)
                    answer = _object(await reader.readline())
                finally:
                    writer.close()
        except (OSError, ValueError, TimeoutError) as error:
            raise AwayError from error
        if answer.get("ok") is not True:
            raise RefusedError(str(answer.get("error", "refused")))

    async def _follow(self) -> None:
        reader, writer = await asyncio.open_unix_connection(self._socket, limit=MAX_LINE)
        try:
            await _say(writer, "shopper.watch", {})
            while True:
                async with asyncio.timeout(SILENT_S):
                    line = await reader.readline()
                if not line:
                    return
                answer = _object(line)
                if answer.get("ok") is not True:
                    raise StrangeError(str(answer.get("error", "refused"))[:200])
                await self._show(read(answer.get("data")))
        finally:
            writer.close()

    async def _show(self, seen: Seen) -> None:
        if seen == self.seen and self.version:
            return
        async with self._changed:
            self.seen, self.version = seen, self.version + 1
            self._changed.notify_all()


async def _say(writer: asyncio.StreamWriter, op: str, arguments: dict[str, Any]) -> None:
    writer.write(json.dumps({"op": op, "args": arguments}).encode() + b"\n")
    await writer.drain()


def _object(line: bytes) -> dict[str, Any]:
    answer = json.loads(line)
    if not isinstance(answer, dict):
        raise StrangeError("an answer that is no object")
    return answer
