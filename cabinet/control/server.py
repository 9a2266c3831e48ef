"""The technician's door into the running daemon: a Unix socket, one JSON line in, one JSON line out.

Permissions are the file's (0660): whoever is in the cabinet's group may ask.  The peer's user name, as the kernel tells
it, signs what is written.  Garbage is answered with an error and harms nobody.  What may be asked is in
`looking` and `changing`; what changes something leaves a line in the audit trail, or is refused.
"""

import asyncio
import contextlib
import json
import logging
import os
import pwd
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

from cabinet.control.requests import Answer, Arguments, RequestError
from cabinet.ledger import LedgerError
from cabinet.ports import PortError
from cabinet.trace import TraceError

MAX_LINE = 32 << 20  # twenty photographs as base64
MAX_CLIENTS = 16

Audit = Callable[[str, Arguments, str], contextlib.AbstractContextManager[Callable[[Answer], None]]]

log = logging.getLogger(__name__)


def unaudited(_: str, __: Arguments, ___: str) -> contextlib.AbstractContextManager[Callable[[Answer], None]]:
    return contextlib.nullcontext(lambda _: None)


class Control:
    """`operations` answer once; `streams` answer until the client goes.  `audit` is round every operation."""

    def __init__(
        self,
        path: Path,
        operations: Mapping[str, Callable[[Arguments, str], Awaitable[Answer]]],
        streams: Mapping[str, Callable[[], AsyncIterator[Answer]]],
        audit: Audit = unaudited,
    ) -> None:
        self.path = path
        self._audit = audit
        self._operations = operations
        self._streams = streams
        self._clients = 0
        self.refused = 0  # lines that were no request

    async def run(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()  # a killed daemon leaves its socket; daemon.lock keeps two daemons apart
        before = os.umask(0o117)
        try:
            server = await asyncio.start_unix_server(self._client, self.path, limit=MAX_LINE)
        finally:
            os.umask(before)
        async with server:
            await server.serve_forever()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        who = _peer(writer)
        self._clients += 1
        try:
            if self._clients > MAX_CLIENTS:
                await _say(writer, _no(RequestError("too many clients", "close another one")))
                return
            while line := await reader.readline():
                if not await self._serve(line, who, reader, writer):
                    return
        except (ConnectionError, ValueError, asyncio.IncompleteReadError):
            self.refused += 1  # gone in the middle, or a line beyond the bound
        except asyncio.CancelledError:
            writer.transport.abort()  # the daemon ends: nobody waits for a client that does not read
            raise
        finally:
            self._clients -= 1
            writer.close()

    async def _serve(self, line: bytes, who: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """False: nothing more is to be answered."""
        try:
            operation, arguments = _request(line)
            if operation in self._streams:
                await self._pour(operation, reader, writer)
                return False
            answer = await self._answer(operation, arguments, who)
        except RequestError as error:
            self.refused += 1
            answer = _no(error)
        await _say(writer, answer)
        return True

    async def _answer(self, operation: str, arguments: Arguments, who: str) -> Answer:
        known = self._known(operation)
        try:
            with self._audit(operation, arguments, who) as told:
                data = await known(arguments, who)
                told(data)
        except (PortError, LedgerError, TraceError, OSError) as error:
            log.warning("control_failed op=%s who=%s why=%s", operation, who, error)
            raise RequestError(str(error), "cabinet doctor, or journalctl -u cabinet -n 50") from error
        log.info("control op=%s who=%s", operation, who)
        return {"ok": True, "data": data}

    async def _pour(self, operation: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the client says anything more or goes: on a quiet cabinet nothing else would free its place."""

        async def tell() -> None:
            async for answer in self._streams[operation]():
                await _say(writer, {"ok": True, "data": answer})

        telling, leaving = asyncio.create_task(tell()), asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            telling.cancel()
            leaving.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)

    def _known(self, operation: str) -> Callable[[Arguments, str], Awaitable[Answer]]:
        try:
            return self._operations[operation]
        except KeyError:
            remedy = "update the command line and the daemon together"
            raise RequestError(f"unknown operation {operation!r}", remedy) from None


def _request(line: bytes) -> tuple[str, Arguments]:
    try:
        request = json.loads(line)
        operation, arguments = request["op"], request.get("args") or {}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RequestError("the line is no request", 'send {"op": "status", "args": {}}') from error
    if not isinstance(operation, str) or not isinstance(arguments, dict):
        raise RequestError("op must be text and args an object", 'send {"op": "status", "args": {}}')
    return operation, arguments


def _no(error: RequestError) -> Answer:
    return {"ok": False, "error": str(error), "remedy": error.remedy}


async def _say(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
    await writer.drain()


def _peer(writer: asyncio.StreamWriter) -> str:
    """User name of the process at the other end (SO_PEERCRED)."""
    sock = writer.get_extra_info("socket")
    _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
