"""A serial port under asyncio: bytes in, bytes out, and the news that it went away.  It knows no frames."""

import asyncio
import contextlib
import os
import termios

import serial

from firmware_bridge.errors import LinkDown

MAX_UNSENT = 4096  # bytes the port would not take; a live one takes 11 a millisecond
READ_AT_ONCE = 4096  # bytes


class Line:
    """An open port.  LinkDown from the constructor or from `read` says that it is not there (any more).

    Works on POSIX serial devices and pseudo-terminals, through the event loop's own file watching.
    """

    def __init__(self, port: str, baud: int, loop: asyncio.AbstractEventLoop) -> None:
        try:
            # Exclusive: a second daemon on the same board must fail here, not halve our bytes.
            self._serial = serial.Serial(port, baud, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError, termios.error) as error:  # the last: gone while being opened
            raise LinkDown(f"cannot open {port}: {_reason(error)}") from error
        self._fd: int = self._serial.fileno()
        self._loop = loop
        self._unsent = bytearray()
        self._received = bytearray()
        self._gone: str | None = None
        self._news = asyncio.Event()
        loop.add_reader(self._fd, self._readable)

    async def read(self, until_s: float) -> bytes:
        """What came; empty at `until_s` (loop time), or earlier when nudged.  LinkDown once the port is gone."""
        if not self._news.is_set():
            try:
                async with asyncio.timeout_at(until_s):
                    await self._news.wait()
            except TimeoutError:
                return b""
        self._news.clear()
        if self._gone is not None:
            raise LinkDown(self._gone)
        data, self._received = bytes(self._received), bytearray()
        return data

    def nudge(self) -> None:
        """Let `read` return, so that its caller may look at its deadline again."""
        self._news.set()

    def write(self, data: bytes) -> None:
        """Send now or as soon as the port takes it.  A port that is gone is told by `read`."""
        if not data or self._gone is not None:
            return
        self._unsent += data
        if len(self._unsent) > MAX_UNSENT:
            self._lost("the port takes no bytes")
        else:
            self._writable()

    def close(self) -> None:
        self._lost("closed")
        with contextlib.suppress(OSError, termios.error):
            self._serial.reset_output_buffer()  # else closing may wait for bytes that a hung board never takes
        self._serial.close()

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_AT_ONCE)
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(f"the port went away: {_reason(error)}")
            return
        if not data:
            self._lost("the port went away: end of file")
        self._received += data
        self._news.set()

    def _writable(self) -> None:
        try:
            sent = os.write(self._fd, self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._lost(f"the port went away: {_reason(error)}")
            return
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(self._fd, self._writable)
        else:
            self._loop.remove_writer(self._fd)

    def _lost(self, why: str) -> None:
        if self._gone is None:
            self._gone = why
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._news.set()


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
