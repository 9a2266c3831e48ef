"""A cable that stalls, is cut inside a packet, or carries one way only; between a client and the broker, on TCP."""

import asyncio
import contextlib
import random
import time
from collections import Counter

CHUNK = 4096
CUT_AFTER_S = 4.0  # mean life of one direction of a connection
STALL_CHANCE, STALL_S = 0.004, 1.5  # of each chunk, and at most so long
HALF_CHANCE, HALF_S = 0.4, 1.0  # of the cuts: one direction ends, the other goes on for at most so long


class Line:
    """One connection: two directions, cut once."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self._writers = writers

    def end(self, *, rudely: bool = False) -> None:
        for writer in self._writers:
            if rudely:
                writer.transport.abort()
            writer.close()


class Proxy:
    """`calm` carries on like a good cable.  Belongs to the running loop."""

    def __init__(self, far_port: int, dice: random.Random) -> None:
        self.counts: Counter[str] = Counter()  # cuts (half ones are among them), half, stalls
        self.calm = False
        self.port = 0
        self._far_port, self._dice = far_port, dice
        self._lines: dict[asyncio.Task[None] | None, Line] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for line in self._lines.values():
            line.end(rudely=True)
        await asyncio.gather(*(task for task in self._lines if task), return_exceptions=True)

    def cut_all(self) -> None:
        """Every connection that there is now."""
        for line in self._lines.values():
            self.counts["cuts"] += 1
            line.end(rudely=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._far_port)
        except OSError:
            writer.transport.abort()
            return
        line = Line(writer, far_writer)
        self._lines[asyncio.current_task()] = line
        await asyncio.gather(self._carry(reader, far_writer, line), self._carry(far_reader, writer, line))
        del self._lines[asyncio.current_task()]

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, line: Line) -> None:
        cut_at_s = time.monotonic() + self._dice.expovariate(1 / CUT_AFTER_S)
        with contextlib.suppress(OSError):  # the other direction, or either end, was quicker
            while data := await source.read(CHUNK):
                if not self.calm and self._dice.random() < STALL_CHANCE:
                    self.counts["stalls"] += 1
                    await asyncio.sleep(self._dice.uniform(0, STALL_S))
                if not self.calm and time.monotonic() >= cut_at_s:
                    await self._cut(data, sink, line)
                    return
                sink.write(data)
                await sink.drain()
        line.end()

    async def _cut(self, data: bytes, sink: asyncio.StreamWriter, line: Line) -> None:
        self.counts["cuts"] += 1
        sink.write(data[: self._dice.randrange(len(data))])  # never the whole of it
        await sink.drain()
        if self._dice.random() < HALF_CHANCE and sink.can_write_eof():
            self.counts["half"] += 1
            sink.write_eof()
            await asyncio.sleep(self._dice.uniform(0, HALF_S))
        line.end(rudely=self._dice.random() < 0.5)
