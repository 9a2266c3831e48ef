"""Cameras that show what they are told to: an MJPEG server in a process of its own, for the bench, demo and tests.

    python -m cabinet.sim.streams --port 0 --announce FILE --control SOCKET

Each camera is at http://127.0.0.1:PORT/NAME.mjpg.  The control socket takes JSON lines and answers each with
{"ok": true} or {"ok": false, "error": ...}: {"camera": "front", "show": "/path.jpg"} (or "show_jpeg_b64"), and the
misfortunes {"stall": true} (the connection stays, frames stop), {"drop": true} (connections are closed and refused),
{"garbage": true} (bytes that are no JPEG), {"freeze": true} (one picture again and again), each undone by
false.  Serves loopback only.
"""

import argparse
import base64
import binascii
import contextlib
import itertools
import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

BOUNDARY = "frame"
MAX_LINE = 32 << 20  # bytes; a picture in base64
MAX_CAMERAS = 32
QUALITY = 85  # JPEG, as of usual cameras
START_S = 60.0  # two busy cores start Python slowly
GARBAGE = b"\xff\xd8" + bytes(range(256)) * 8
MISFORTUNES = frozenset({"stall", "drop", "garbage", "freeze"})
TAKES = 11  # no two that are looked at in a row are the same, unless somebody looks every 1.1 s to the frame
NOISE = 1.0  # standard deviation, of 255: a good sensor in good light


@dataclass
class Channel:
    """What one camera shows."""

    takes: list[bytes]  # the same scene with other noise each time: no sensor sends one picture twice
    troubles: set[str] = field(default_factory=set)
    clients: int = 0

    def jpeg(self, n: int) -> bytes:
        return self.takes[0 if "freeze" in self.troubles else n % len(self.takes)]


class Studio:
    """All the cameras.  Every change wakes who waits for it."""

    def __init__(self, fps: float, width: int, height: int) -> None:
        self.frame_s = 1 / fps
        self.changed = threading.Condition()
        self._blank = as_jpegs(_blank(width, height))
        self._channels: dict[str, Channel] = {}

    def channel(self, name: str) -> Channel:
        """A camera nobody has named yet shows grey."""
        with self.changed:
            if name not in self._channels:
                if len(self._channels) >= MAX_CAMERAS:
                    raise ValueError(f"more than {MAX_CAMERAS} cameras")
                self._channels[name] = Channel(self._blank)
            return self._channels[name]

    def obey(self, order: dict[str, Any]) -> None:
        """Raises ValueError, OSError for an order that cannot be followed."""
        channel = self.channel(str(order["camera"]))
        unknown = order.keys() - MISFORTUNES - {"camera", "show", "show_jpeg_b64"}
        if unknown:
            raise ValueError(f"unknown keys {sorted(unknown)}")
        takes = None
        if "show" in order:
            takes = as_jpegs(Path(order["show"]).read_bytes())
        elif "show_jpeg_b64" in order:
            takes = as_jpegs(base64.b64decode(order["show_jpeg_b64"], validate=True))
        with self.changed:
            channel.takes = takes or channel.takes
            for trouble in MISFORTUNES & order.keys():
                (channel.troubles.add if order[trouble] else channel.troubles.discard)(trouble)
            self.changed.notify_all()


def as_jpegs(data: bytes) -> list[bytes]:
    """Any picture, encoded anew TAKES times with a sensor's noise, without its metadata.  Raises ValueError."""
    import cv2  # noqa: PLC0415  the class that starts the server does not need it
    import numpy as np  # noqa: PLC0415  likewise

    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if picture is None:
        raise ValueError("that is no picture")
    dice = np.random.default_rng(1)
    grain = np.round(dice.normal(0, NOISE, picture.shape)).astype(np.int16)
    noisy = [np.clip(picture + np.roll(grain, 37 * n, axis=(0, 1)), 0, 255).astype(np.uint8) for n in range(TAKES)]
    return [bytes(cv2.imencode(".jpg", take, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]) for take in noisy]


def _blank(width: int, height: int) -> bytes:
    import cv2  # noqa: PLC0415  only where a picture is coded
    import numpy as np  # noqa: PLC0415  likewise

    return bytes(cv2.imencode(".jpg", np.full((height, width, 3), 96, np.uint8))[1])


class Viewer(BaseHTTPRequestHandler):
    """One connected client."""

    studio: Studio
    timeout = 10.0  # seconds for a request line and for one frame

    def do_GET(self) -> None:
        name = self.path.strip("/").removesuffix(".mjpg")
        if not name.isidentifier() or not self.path.endswith(".mjpg"):
            self.send_error(404)
            return
        channel = self.studio.channel(name)
        if "drop" in channel.troubles:
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        with contextlib.suppress(OSError):
            self._stream(channel)
        self.close_connection = True

    def _stream(self, channel: Channel) -> None:
        next_s = time.monotonic()
        for n in itertools.count():
            with self.studio.changed:
                self.studio.changed.wait_for(lambda: "stall" not in channel.troubles or "drop" in channel.troubles, 60)
                if "drop" in channel.troubles:
                    return
                jpeg = GARBAGE if "garbage" in channel.troubles else channel.jpeg(n)
                stalled = "stall" in channel.troubles
            if not stalled:
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
            next_s = max(next_s + self.studio.frame_s, time.monotonic())
            with self.studio.changed:
                self.studio.changed.wait_for(lambda: "drop" in channel.troubles, next_s - time.monotonic())

    def log_message(self, *_: object) -> None:
        """Says nothing: a camera keeps no log."""


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients come and go."""


class _Orders(socketserver.StreamRequestHandler):
    studio: Studio

    def handle(self) -> None:
        while line := self.rfile.readline(MAX_LINE):
            try:
                order = json.loads(line)
                self.studio.obey(order)
                answer: dict[str, Any] = {"ok": True}
            except (ValueError, OSError, KeyError, TypeError, AttributeError, binascii.Error) as error:
                answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
            self.wfile.write(json.dumps(answer).encode() + b"\n")


def main() -> None:
    """Serve until the parent closes our standard input (or for ever at a terminal)."""
    parser = argparse.ArgumentParser(prog="python -m cabinet.sim.streams", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--announce", type=Path, required=True, help="the port is written into this file")
    parser.add_argument("--control", type=Path, required=True, help="path of the control socket")
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--until-eof", action="store_true", help="end when standard input ends")
    given = parser.parse_args()
    studio = Studio(given.fps, given.width, given.height)
    web = _Http(("127.0.0.1", given.port), type("Bound", (Viewer,), {"studio": studio}))
    given.control.unlink(missing_ok=True)
    orders = socketserver.ThreadingUnixStreamServer(str(given.control), type("Bound", (_Orders,), {"studio": studio}))
    orders.daemon_threads = True
    threading.Thread(target=orders.serve_forever, daemon=True).start()
    fresh = given.announce.with_suffix(".new")
    fresh.write_text(str(web.server_address[1]))
    fresh.replace(given.announce)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    if given.until_eof:
        sys.stdin.buffer.read()
    else:
        threading.Event().wait()


class CameraStreams:
    """The server as a child process: ends with us, however we end."""

    def __init__(self, folder: Path, *, fps: float = 10.0, width: int = 640, height: int = 480) -> None:
        """`folder`: for the control socket (its path must stay under 108 bytes) and the announced port."""
        self._folder = folder
        self._size = fps, width, height
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def socket_path(self) -> Path:
        return self._folder / "control"

    def start(self) -> Self:
        """Returns when the server serves.  Raises RuntimeError with what it said where it does not."""
        self._folder.mkdir(parents=True, exist_ok=True)
        announce, errors = self._folder / "port", self._folder / "errors"
        announce.unlink(missing_ok=True)
        fps, width, height = map(str, self._size)
        command = [
            sys.executable, "-m", "cabinet.sim.streams", "--announce", str(announce),
            "--control", str(self.socket_path), "--fps", fps, "--width", width, "--height", height, "--until-eof",
        ]  # fmt: skip
        with errors.open("wb") as sink:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=sink)
        until_s = time.monotonic() + START_S
        while not announce.exists():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.02)
            if self._process.returncode is not None or time.monotonic() > until_s:
                self.stop()
                raise RuntimeError(f"the camera server did not start: {errors.read_text()[-500:]}")
        self._port = int(announce.read_text())
        return self

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(FileNotFoundError):
            self.socket_path.unlink()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the camera server is not running")
        return self._process.pid

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._port}/{name}.mjpg"

    def control(self, order: dict[str, Any]) -> None:
        """One order, as in this module's description.  Raises RuntimeError where it was refused."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(10.0)
            line.connect(os.fspath(self.socket_path))
            line.sendall(json.dumps(order).encode() + b"\n")
            with line.makefile("rb") as answers:
                answer = json.loads(answers.readline() or b'{"ok": false, "error": "no answer"}')
        if not answer["ok"]:
            raise RuntimeError(f"the camera server refused: {answer['error']}")


if __name__ == "__main__":
    main()
