"""The Unix socket on which the world round the board is told what to do: JSON lines in, JSON lines out.

An answer that needs the chip waits for it, and the rest of that client's lines behind it.
"""

import selectors
import socket
from collections.abc import Callable
from pathlib import Path

MAX_LINE = 4096  # bytes of a command
MAX_CLIENTS = 8
PATIENCE_S = 0.5  # a client that does not read its answers is dropped

Answer = Callable[[bytes], bytes | None]  # None: later


class Client:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.tail = bytearray()
        self.lines: list[bytes] = []


class Server:
    """`answer(line)` gives the answer, or None to be asked again by `retry`."""

    def __init__(self, path: Path, selector: selectors.BaseSelector, answer: Answer) -> None:
        self._path, self._selector, self._answer = path, selector, answer
        self._clients: dict[socket.socket, Client] = {}
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(MAX_CLIENTS)
        selector.register(self._listener, selectors.EVENT_READ, "control")

    def accept(self) -> None:
        connection, _ = self._listener.accept()
        if len(self._clients) >= MAX_CLIENTS:
            connection.close()
            return
        connection.settimeout(PATIENCE_S)
        self._clients[connection] = Client(connection)
        self._selector.register(connection, selectors.EVENT_READ, "client")

    def listen_to(self, connection: socket.socket) -> None:
        client = self._clients[connection]
        try:
            data = connection.recv(MAX_LINE)
        except OSError:
            data = b""
        client.tail += data
        *lines, rest = bytes(client.tail).split(b"\n")
        client.tail[:] = rest
        client.lines += lines
        self._serve(client)
        if not data or len(rest) > MAX_LINE:
            self._drop(connection)

    def retry(self) -> None:
        """Whatever was waited for has come, or will not."""
        for client in list(self._clients.values()):
            self._serve(client)

    def close(self) -> None:
        for connection in list(self._clients):
            self._drop(connection)
        self._selector.unregister(self._listener)
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _serve(self, client: Client) -> None:
        while client.lines and client.connection in self._clients:
            answer = self._answer(client.lines[0])
            if answer is None:
                return
            client.lines.pop(0)
            try:
                client.connection.sendall(answer)
            except OSError:
                self._drop(client.connection)

    def _drop(self, connection: socket.socket) -> None:
        if self._clients.pop(connection, None) is not None:
            self._selector.unregister(connection)
            connection.close()
