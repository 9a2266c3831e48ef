"""A serial port under asyncio: bytes in, bytes out, and the news that it went away.  It knows no message.

A 115200 baud port gives a frame in three or four pieces, and waking up for each would be most of what the host spends
on the board: while bytes flow it is looked at every `look_s`, and pieces are kept back until the end of a frame.
"""

import asyncio
import contextlib
import errno
import os
import termios
from collections.abc import Callable

import serial

from firmware_bridge.errors import LinkDown
from firmware_bridge.frames import END
from firmware_bridge.holders import held

MAX_UNSENT = 4096  # bytes the port would not take; a live one takes 11 a millisecond
READ_AT_ONCE = 4096  # bytes
IDLE_LOOK_S = 0.015  # each look costs about a quarter of a millisecond of cold interpreter
LEASE_LOOK_S = 0.004  # a door edge should be heard of within 20 ms
MAX_KEPT = 1024  # bytes without an end, several frames long: noise, for those who count it

Heard = Callable[[bytes], None]


class Line:
    """An open port.  LinkDown from the constructor or from `wait` says that it is not there (any more).

    `heard` gets what came, up to the end of a frame.  Works on POSIX serial devices and pseudo-terminals, through the
    event loop's own file watching.
    """

    def __init__(self, port: str, baud: int, loop: asyncio.AbstractEventLoop, heard: Heard) -> None:
        try:
            # Exclusive: a second daemon on the same board must fail here, not halve our bytes.
            self._serial = serial.Serial(port, baud, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError, termios.error) as error:  # the last: gone while being opened
            if getattr(error, "errno", None) in (errno.EAGAIN, errno.EBUSY):
                raise LinkDown(held(port)) from error
            raise LinkDown(f"cannot open {port}: {_reason(error)}") from error
        self._fd: int = self._serial.fileno()
        self._loop = loop
        self._heard = heard
        self._unsent = bytearray()
        self._kept = bytearray()
        self._over: Exception | None = None
        self._news = asyncio.Event()
        self.look_s = IDLE_LOOK_S  # how often, while bytes flow
        self._look: asyncio.TimerHandle | None = None
        loop.add_reader(self._fd, self._readable)

    async def wait(self, until_s: float) -> None:
        """Return at `until_s` (loop time), or earlier when nudged.  Raises what ended the line."""
        alarm = self._loop.call_at(until_s, self._news.set)
        try:
            await self._news.wait()
        finally:
            alarm.cancel()
        self._news.clear()
        if self._over is not None:
            raise self._over

    def nudge(self) -> None:
        """Let `wait` return, so that its caller may look at its deadline again."""
        self._news.set()

    def end(self, error: Exception) -> None:
        """Neither read nor write any more; `wait` raises the first such `error`."""
        if self._over is None:
            self._over = error
            if self._look is not None:
                self._look.cancel()
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._news.set()

    def write(self, data: bytes) -> None:
        """Send now or as soon as the port takes it.  A port that is gone is told by `wait`."""
        if not data or self._over is not None:
            return
        self._unsent += data
        if len(self._unsent) > MAX_UNSENT:
            self.end(LinkDown("the port takes no bytes"))
        else:
            self._writable()

    def close(self) -> None:
        self.end(LinkDown("closed"))
        with contextlib.suppress(OSError, termios.error):
            self._serial.reset_output_buffer()  # else closing may wait for bytes that a hung board never takes
        self._serial.close()

    def _readable(self) -> None:
        if self._read():
            self._loop.remove_reader(self._fd)
        elif self._over is None:  # ready, yet nothing there
            self.end(LinkDown("the port went away: end of file"))

    def _look_again(self) -> None:
        if not self._read() and self._over is None:
            self._loop.add_reader(self._fd, self._readable)  # quiet: the loop tells when there is more

    def _read(self) -> bool:
        """Whether there was something; then there may soon be more."""
        try:
            data = os.read(self._fd, READ_AT_ONCE)
        except BlockingIOError:
            return False
        except OSError as error:
            self.end(LinkDown(f"the port went away: {_reason(error)}"))
            return False
        if not data:
            return False
        self._look = self._loop.call_later(self.look_s, self._look_again)
        self._kept += data
        if END in data or len(self._kept) > MAX_KEPT:
            data, self._kept = bytes(self._kept), bytearray()
            self._heard(data)
        return True

    def _writable(self) -> None:
        try:
            sent = os.write(self._fd, self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.end(LinkDown(f"the port went away: {_reason(error)}"))
            return
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(self._fd, self._writable)
        else:
            self._loop.remove_writer(self._fd)


def _reason(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number else str(error)  # pyserial's own words repeat the port's name
