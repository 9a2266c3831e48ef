"""The emulator's outside: a pseudo-terminal for the host, a Unix socket for the world, one waiting loop.

The board runs on while it is unplugged, as one with a power supply of its own does.  Bytes that nobody
takes from the pseudo-terminal are lost, as on a wire.
"""

import contextlib
import os
import selectors
import socket
import time
import tty
from pathlib import Path

from firmware_bridge.emulator.commands import obey_line
from firmware_bridge.emulator.firmware import TICK_MS, Firmware

MAX_LINE = 4096  # bytes of a command
MAX_CLIENTS = 8


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Cable:
    """The pseudo-terminal under a fixed name, while plugged."""

    def __init__(self, link: Path, selector: selectors.BaseSelector) -> None:
        self._link, self._selector = link, selector
        self._ends: tuple[int, int] | None = None  # ours, and the host's, held open so that ours never ends
        self.replug()

    @property
    def plugged(self) -> bool:
        return self._ends is not None

    def replug(self) -> None:
        if self._ends is not None:
            return
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self._ends = ours, theirs
        self._selector.register(ours, selectors.EVENT_READ, "wire")
        fresh = self._link.with_name(self._link.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(theirs))
        fresh.replace(self._link)

    def unplug(self) -> None:
        if self._ends is None:
            return
        self._link.unlink(missing_ok=True)
        self._selector.unregister(self._ends[0])
        for end in self._ends:
            os.close(end)
        self._ends = None

    def read(self) -> bytes:
        try:
            return os.read(self._ends[0], 4096) if self._ends else b""
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        if self._ends and data:
            with contextlib.suppress(BlockingIOError):
                os.write(self._ends[0], data)


class Shell:
    """Runs one board until `stop` or, with `until_stdin_ends`, until its parent is gone."""

    def __init__(self, firmware: Firmware, link: Path, control: Path, *, until_stdin_ends: bool) -> None:
        self._firmware = firmware
        self._selector = selectors.DefaultSelector()
        self._control = control
        control.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(control))
        self._listener.listen(MAX_CLIENTS)
        self._selector.register(self._listener, selectors.EVENT_READ, "control")
        self._clients: dict[socket.socket, bytearray] = {}
        self._cable = Cable(link, self._selector)
        self._running = True
        if until_stdin_ends:
            self._selector.register(0, selectors.EVENT_READ, "stdin")

    def stop(self) -> None:
        self._running = False

    def run(self) -> None:
        next_ms = now_ms()
        while self._running:
            for key, _ in self._selector.select(max(0, next_ms - now_ms()) / 1000):
                self._ready(key)
            at_ms = now_ms()
            if at_ms >= next_ms:
                self._firmware.step(at_ms)
                next_ms = at_ms + TICK_MS
            self._cable.write(self._firmware.data_to_send())
        self._close()

    def _ready(self, key: selectors.SelectorKey) -> None:
        if key.data == "wire":
            data, at_ms = self._cable.read(), now_ms()
            self._firmware.step(at_ms)
            self._firmware.receive(data, at_ms)
        elif key.data == "control":
            self._accept()
        elif key.data == "stdin":
            if not os.read(0, 4096):
                self.stop()
        elif isinstance(key.fileobj, socket.socket):
            self._listen_to(key.fileobj)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if len(self._clients) >= MAX_CLIENTS:
            client.close()
            return
        client.settimeout(0.5)  # one that does not read its answers is dropped
        self._clients[client] = bytearray()
        self._selector.register(client, selectors.EVENT_READ, "client")

    def _listen_to(self, client: socket.socket) -> None:
        tail = self._clients[client]
        try:
            data = client.recv(MAX_LINE)
            tail += data
            *lines, rest = bytes(tail).split(b"\n")
            for line in lines:
                at_ms = now_ms()
                self._firmware.step(at_ms)
                client.sendall(obey_line(line, self._firmware, self._cable, at_ms))
        except OSError:
            data, rest = b"", b""
        if not data or len(rest) > MAX_LINE:
            self._selector.unregister(client)
            del self._clients[client]
            client.close()
        else:
            tail[:] = rest

    def _close(self) -> None:
        self._cable.unplug()
        for client in self._clients:
            client.close()
        self._listener.close()
        self._control.unlink(missing_ok=True)
        self._selector.close()
