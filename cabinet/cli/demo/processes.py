"""A whole cabinet on a bench: broker, cloud, emulated board, camera streams and the daemon, each a process of its own.

Every part is reached as in the field: the board by bytes on a pty, cameras by MJPEG, the cloud through a real broker,
the daemon through its config file and its control socket.  Nothing here looks inside a process.
"""

import base64
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from cabinet.cli.client import Client
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from cabinet.cli.errors import NotReachableError
from cabinet.sim.broker import Mosquitto
from cabinet.sim.streams import CameraStreams
from firmware_bridge.bench import EmulatedBoard
from firmware_bridge.emulator.commissioned import TEST_KEY

CABINET = "bench-001"
CURRENCY = "USD"
STOP_S = 20.0


@dataclass(frozen=True, slots=True)
class Interior:
    """An interior camera: its frame and where the zones are in it."""

    width: int
    height: int
    polygons: Mapping[str, Sequence[tuple[float, float]]]


@dataclass
class Bench:
    folder: Path
    zones: Sequence[str] = ("s1", "s2")
    interior: Interior | None = None  # the one named "top"
    interiors: Mapping[str, Interior] = field(default_factory=dict)  # more of them, by name
    front: bool = True
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # config sections to add or replace
    board_options: Sequence[str] = ()
    commissioned: bool = True  # False: the board is as from the factory, and there is no key
    environment: Mapping[str, str] = field(default_factory=dict)
    with_daemon: bool = True  # False: the caller runs it, in this process
    provider: bool = False  # the cloud has a sandbox that holds, captures and refunds; else it keeps no money at all
    pictures: Mapping[str, bytes] = field(default_factory=dict)  # what the cameras show from the beginning, JPEG

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.broker = Mosquitto(self.folder)
        self.board = EmulatedBoard(
            len(self.zones),
            folder=self.folder / "b",
            options=self.board_options,
            key=TEST_KEY if self.commissioned else None,
        )
        self.streams = CameraStreams(self.folder / "c")
        self.data = self.folder / "data"
        self.config = self.folder / "cabinet.toml"
        self.socket = self.folder / "ctl"
        self.key_file = self.folder / "key"
        self.board_key_file = self.folder / "board.key"
        self.cloud_db = self.folder / "cloud.db"
        self.provider_db = self.folder / "pay.db"
        self._key = secrets.token_hex(32)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    # Starting and stopping.

    def start(self) -> Self:
        try:
            self.broker.start()
            self.board.start()
            self.streams.start()
            for camera, jpeg in self.pictures.items():
                self.streams.control({"camera": camera, "show_jpeg_b64": base64.b64encode(jpeg).decode()})
            self.key_file.write_text(self._key)
            self._write_board_key()
            (self.folder / "keys.json").write_text(json.dumps({CABINET: self._key}))
            self.config.write_text(self._toml())
            self.start_cloud()
            if self.with_daemon:
                self.start_daemon()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        for name in list(self._processes):
            self.end(name)
        self.streams.stop()
        self.board.stop()
        self.broker.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _write_board_key(self) -> None:
        """As `cabinet board commission` leaves it."""
        if self.board.key is not None:
            self.board_key_file.touch(0o600)
            self.board_key_file.write_text(self.board.key.hex() + "\n")

    def start_cloud(self) -> None:
        words = ["cloud", "run", "--host", self.broker.host, "--port", str(self.broker.port)]
        words += ["--db", str(self.cloud_db), "--keys", str(self.folder / "keys.json")]
        words += ["--provider", f"sandbox:{self.provider_db}"] if self.provider else []
        self._run("cloud", [*words, "--retry-max-s", "1"])

    def operate(self, *words: str) -> str:
        """What an operator at the far end types behind `cabinet cloud`; why it was refused, empty where it was done."""
        command = [sys.executable, "-m", "cabinet", "cloud", *words, "--db", str(self.cloud_db)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        return "" if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"

    def start_daemon(self) -> None:
        """Returns when it answers on its socket; it may still be waiting for its parts."""
        self._run("daemon", ["run", "--config", str(self.config)])
        wait_until(self._answers, PATIENCE_S, lambda: f"the daemon does not answer:\n{self.log('daemon')}")

    def kill(self, name: str) -> None:
        """As a power cut ends it."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(STOP_S)

    def end(self, name: str) -> int:
        """As systemd ends it; its exit code."""
        process = self._processes.pop(name)
        process.terminate()
        try:
            return process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait(STOP_S)

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else "(no log)"

    def logs(self) -> list[str]:
        """Every line that any process has logged."""
        return [
            line
            for path in sorted(self.folder.glob("*.log"))
            for line in path.read_text("utf-8", "replace").split("\n")
        ]

    def secrets(self) -> set[str]:
        """What must stand in no log: the keys of this bench."""
        board = set() if self.board.key is None else {self.board.key.hex()}
        return {self._key, *board}

    def _run(self, name: str, words: Sequence[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "cabinet", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "CABINET_LOG": "INFO", **self.environment},
            )

    def _answers(self) -> bool:
        if self._processes["daemon"].poll() is not None:
            raise RuntimeError(f"the daemon ended:\n{self.log('daemon')}")
        try:
            return bool(self.ask("status"))
        except NotReachableError:
            return False

    # Asking the daemon.

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401  whatever JSON carries
        with Client(self.socket) as client:
            return client.ask(operation, arguments, timeout_s=60.0)

    def status(self) -> dict[str, Any]:
        return self.ask("status")

    def wait_for_state(self, *names: str, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """Until the machine is in one of the named states; the status then."""
        found: dict[str, Any] = {}

        def there() -> bool:
            found.update(self.status())
            return found["state"] in names

        wait_until(there, within_s, lambda: f"still {found.get('state')}, wanted {names}: {found.get('faults')}")
        return found

    def wait_for_closed(self, visit: str, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """Until the visit has its closing event; the visit as `visits.show` tells it."""
        found: dict[str, Any] = {}

        def closed() -> bool:
            found.update(self.ask("visits.show", visit=visit))
            return found["visit"]["outcome"] is not None

        wait_until(closed, within_s, lambda: f"visit {visit} is still open: {self.status()}")
        return found

    # The config.

    def _toml(self) -> str:
        sections: dict[str, dict[str, Any]] = {
            "cabinet": {"id": CABINET, "currency": CURRENCY, "data_dir": str(self.data), "socket": str(self.socket)},
            "board": {"port": self.board.port, "key_file": str(self.board_key_file)},
            "mqtt": {
                "host": self.broker.host,
                "port": self.broker.port,
                "key_file": str(self.key_file),
                "reconnect_max_s": 1,
                "telemetry_every_s": 5,
            },
            # Here the same few people shop by their cards all day.
            "identity": {"card_hold_minor": 5_000, "card_visits_per_day": 1_000},
            "risk": {"visits_per_hour": 1_000},
        }
        for name, values in self.settings.items():
            sections[name] = {**sections.get(name, {}), **values}
        lines = [f"zones = {_toml([{'id': zone, 'channel': n} for n, zone in enumerate(self.zones)])}"]
        lines.append(f"cameras = {_toml(self._cameras())}")
        for name, values in sections.items():
            lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
        return "\n".join(lines) + "\n"

    def _cameras(self) -> list[dict[str, Any]]:
        cameras: list[dict[str, Any]] = []
        if self.front:
            cameras.append({"id": "front", "role": "front", "source": self.streams.url("front")})
        inside = dict(self.interiors) if self.interior is None else {"top": self.interior, **self.interiors}
        for name, camera in inside.items():
            polygons = {zone: [list(corner) for corner in corners] for zone, corners in camera.polygons.items()}
            cameras.append(
                {
                    "id": name,
                    "role": "interior",
                    "source": self.streams.url(name),
                    "width": camera.width,
                    "height": camera.height,
                    "polygons": polygons,
                }
            )
        return cameras


def _toml(value: Any) -> str:  # noqa: ANN401  any TOML value
    """A value as inline TOML; JSON but for tables and Python's booleans."""
    if isinstance(value, Mapping):
        pairs = (
            f"{key if re.fullmatch(r'[A-Za-z0-9_-]+', key) else json.dumps(key)} = {_toml(v)}"
            for key, v in value.items()
        )
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return json.dumps(value)
