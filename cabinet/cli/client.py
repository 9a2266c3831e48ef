"""The other end of the control socket: a line of JSON out, a line back, within a time.

Plain and blocking.  It knows no operation's meaning and never tries again by itself: a repeated `unlock` or
`members.add` would not be the same as one.
"""

import contextlib
import errno
import grp
import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from cabinet.cli.errors import BadInputError, NotReachableError, RefusedError

MAX_LINE: Final = 32 << 20  # the daemon's own bound on a line
ANSWER_S: Final = 10.0
LONG_ANSWER_S: Final = 60.0  # pictures are looked at, one by one
SLICE_S: Final = 0.25  # how often a wait says that it still waits
CHUNK: Final = 1 << 16

Data = dict[str, Any]
Waiting = Callable[[float], None]  # is told how many seconds have passed


def _silent(_: float) -> None: ...


class Client:
    """One connection.  Raises NotReachableError where nobody listens or answers, RefusedError where they say no."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rest = bytearray()
        self._socket = _connected(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(
        self, op: str, args: Data | None = None, *, timeout_s: float = ANSWER_S, waiting: Waiting = _silent
    ) -> Data:
        """The `data` of the answer."""
        line = json.dumps({"op": op, "args": args or {}}).encode() + b"\n"
        if len(line) > MAX_LINE:
            raise BadInputError(
                f"the request has {len(line) >> 20} MiB, the daemon takes {MAX_LINE >> 20}",
                "send fewer or smaller photos",
            )
        self._send(line, timeout_s)
        answer = self._line(timeout_s, waiting)
        if answer is None:
            raise NotReachableError(
                f"the daemon has not answered {op} within {timeout_s:g} s",
                "look at what it does: journalctl -u cabinet -n 50",
            )
        return self._data(answer)

    def watch(self, op: str = "watch") -> None:
        """Ask for happenings; from now on `happening` is the only thing this connection is good for."""
        self._send(json.dumps({"op": op, "args": {}}).encode() + b"\n", ANSWER_S)

    def happening(self, wait_s: float) -> Data | None:
        """The next one, or None if there was none for so long."""
        line = self._line(wait_s, _silent)
        return None if line is None else self._data(line)

    def _send(self, line: bytes, timeout_s: float) -> None:
        self._socket.settimeout(timeout_s)
        try:
            self._socket.sendall(line)
        except TimeoutError as error:
            raise NotReachableError("the daemon does not read", "look: journalctl -u cabinet -n 50") from error
        except OSError as error:
            raise _gone() from error

    def _line(self, timeout_s: float, waiting: Waiting) -> bytes | None:
        begin_s = time.monotonic()
        while b"\n" not in self._rest[-CHUNK:]:  # the newest bytes: the older ones were looked at
            if len(self._rest) > MAX_LINE:
                raise self._strange(f"an answer over {MAX_LINE >> 20} MiB")
            passed_s = time.monotonic() - begin_s
            if passed_s >= timeout_s:
                return None
            self._socket.settimeout(min(SLICE_S, timeout_s - passed_s))
            try:
                chunk = self._socket.recv(CHUNK)
            except TimeoutError:
                waiting(time.monotonic() - begin_s)
                continue
            except OSError as error:
                raise _gone() from error
            if not chunk:
                raise _gone()
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return bytes(line)

    def _data(self, line: bytes) -> Data:
        try:
            answer = json.loads(line)
            ok, data = answer["ok"], answer.get("data")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._strange("something else than an answer") from error
        if ok is not True:
            raise RefusedError(str(answer.get("error", "refused")), str(answer.get("remedy", "")))
        if not isinstance(data, dict):
            raise self._strange("an answer without data")
        return data

    def _strange(self, what: str) -> NotReachableError:
        return NotReachableError(
            f"{self._path} gave {what}: this is not the cabinet's daemon, or of another version",
            "check --socket; restart the daemon after an update: sudo systemctl restart cabinet",
        )


def _connected(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(ANSWER_S)
    try:
        made.connect(str(path))
    except OSError as error:
        made.close()
        raise _why_not(path, error) from error
    return made


def _why_not(path: Path, error: OSError) -> NotReachableError:
    start = "sudo systemctl start cabinet, or cabinet run --config FILE"
    if isinstance(error, PermissionError):
        group = _group_of(path)
        return NotReachableError(
            f"you may not speak to the daemon at {path}: that is for the group {group}",
            f"sudo usermod -aG {group} {_me()}, then log in again; or use sudo",
        )
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return NotReachableError(f"the daemon is not running (no socket at {path})", start)
    if error.errno == errno.ECONNREFUSED:
        return NotReachableError(f"the daemon is not running (nobody listens at {path})", start)
    if isinstance(error, TimeoutError):
        return NotReachableError(f"the daemon does not take the call at {path}", "sudo systemctl restart cabinet")
    why = error.strerror or str(error)  # a path beyond 107 bytes has no errno
    return NotReachableError(f"cannot reach the daemon at {path}: {why}", "name its socket with --socket")


def _group_of(path: Path) -> str:
    """Who the socket, or the first folder that hides it, belongs to."""
    for place in (path, *path.parents):
        with contextlib.suppress(OSError, KeyError):
            return grp.getgrgid(place.stat().st_gid).gr_name
    return "cabinet"


def _me() -> str:
    return os.environ.get("USER") or "USER"


def _gone() -> NotReachableError:
    return NotReachableError(
        "the daemon went away before it answered", "cabinet status, or journalctl -u cabinet -n 50"
    )
