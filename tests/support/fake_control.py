"""A control server that speaks the daemon's lines on a real Unix socket and answers what a test tells it to."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

Data = dict[str, Any]
BOUND_S = 60.0  # only a failure waits so long
STREAMS = {"watch", "board.watch", "scale.watch"}  # each gets the happenings


class Refusal(Exception):  # noqa: N818  # an answer, not a mistake
    def __init__(self, error: str, remedy: str = "") -> None:
        super().__init__(error)
        self.remedy = remedy


class FakeControl:
    """`answers`: operation → data, a Refusal, raw bytes, or a function of the arguments that returns one of these.

    `asked` holds every (operation, arguments) in order.  Whoever watches gets `happenings`, then the line stays quiet
    unless the daemon is to `vanish`.
    """

    def __init__(self, path: Path, answers: dict[str, Any] | None = None) -> None:
        self.path = path
        self.answers: dict[str, Any] = answers or {}
        self.happenings: list[Data] = []
        self.vanish = False
        self.asked: list[tuple[str, Data]] = []
        self.release = threading.Event()  # what a slow answer may wait for
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen(8)
        self._clients: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        _close(self._server)
        self._threads[0].join(BOUND_S)  # after this nobody else is let in
        for client in self._clients:
            _close(client)
        for thread in self._threads:
            thread.join(BOUND_S)

    def ops(self) -> list[str]:
        return [op for op, _ in self.asked]

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self._clients.append(client)
            self._threads.append(threading.Thread(target=self._serve, args=(client,), daemon=True))
            self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client.makefile("rb") as lines:
                for line in lines:
                    request = json.loads(line)
                    self.asked.append((request["op"], request["args"]))
                    client.sendall(self._answer(request["op"], request["args"]))
                    if request["op"] in STREAMS and self.vanish:
                        client.shutdown(socket.SHUT_RDWR)
        except (OSError, ValueError):
            return  # the client went, or the test ended

    def _answer(self, op: str, args: Data) -> bytes:
        if op in STREAMS:
            return b"".join(_line({"ok": True, "data": said}) for said in self.happenings)
        answer = self.answers.get(op, Refusal(f"unknown operation {op!r}"))
        if isinstance(answer, Callable):  # type: ignore[arg-type]  # mypy wants a class; this one works
            answer = answer(args)
        if isinstance(answer, bytes):
            return answer
        if isinstance(answer, Refusal):
            return _line({"ok": False, "error": str(answer), "remedy": answer.remedy})
        return _line({"ok": True, "data": answer})


def _close(open_socket: socket.socket) -> None:
    with contextlib.suppress(OSError):  # gone already
        open_socket.shutdown(socket.SHUT_RDWR)
    open_socket.close()


def _line(answer: Data) -> bytes:
    return json.dumps(answer).encode() + b"\n"
