"""What can be checked while no daemon runs.  Opens no device, writes nothing, and imports no native library into this
process: a broken one ends a child instead.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cabinet.config import Config

MIB: Final = 1 << 20
IMPORT_S: Final = 60.0  # dlib's models take 3 s on a Pi with a cold card; beyond a minute something hangs

Part = dict[str, Any]


def part(name: str, why: str | None, *, remedy: str = "", needed: bool = True) -> Part:
    """As the daemon's own doctor answers."""
    return {"part": name, "ok": why is None, "why": why, "needed": needed, "remedy": remedy, "since_s": 0}


def everything(path: Path) -> list[Part]:
    from cabinet.config import ConfigError, load  # noqa: PLC0415  # pydantic, and only without a daemon

    try:
        config = load(path)
    except ConfigError as error:
        return [part("config", str(error), remedy=f"cabinet config check {path}"), *libraries(faces=True, codes=True)]
    return [
        part("config", None),
        folder(config.cabinet.data_dir),
        disk(config.cabinet.data_dir, config.storage.min_free_mib),
        ledger(config.cabinet.data_dir / "ledger.db"),
        model(config.items.model),
        *devices(config),
        *board_key(config),
        *libraries(faces=config.identity.faces, codes=config.identity.codes),
    ]


def folder(data_dir: Path) -> Part:
    there = _nearest(data_dir)
    if os.access(there, os.W_OK | os.X_OK):
        return part("data folder", None)
    return part(
        "data folder",
        f"{there} is not writable for {os.environ.get('USER') or 'this user'}",
        remedy="run as the service's user: sudo -u cabinet cabinet doctor",
    )


def disk(data_dir: Path, min_free_mib: int) -> Part:
    free_mib = shutil.disk_usage(_nearest(data_dir)).free // MIB
    short = f"{free_mib} MiB free, {min_free_mib} needed" if free_mib < min_free_mib else None
    return part("disk", short, remedy=f"remove files near {data_dir}")


def ledger(file: Path) -> Part:
    """Whether the daemon could use it; opened for reading only."""
    from cabinet.ledger import (  # noqa: PLC0415  # only without a daemon
        Ledger,
        LedgerDamagedError,
        LedgerError,
        LedgerForeignError,
    )

    if not file.exists():
        return part("ledger", None)  # the daemon makes it
    again = "start the daemon: it moves the file aside and recovers what can be read"
    try:
        with Ledger(file, read_only=True) as found:
            return part("ledger", found.rotten(), remedy=again)
    except LedgerForeignError as error:
        return part("ledger", str(error), remedy="name another cabinet.data_dir")
    except LedgerDamagedError as error:
        return part("ledger", str(error).partition("; stop the cabinet")[0], remedy=again)
    except LedgerError as error:
        return part("ledger", str(error), remedy="restore it, or move it aside and start anew")


def model(path: Path) -> Part:
    """The file named by model.toml has the sha256 written there."""
    again = "install the cabinet anew, or train: models/item/training"
    try:
        card = tomllib.loads((path / "model.toml").read_text(encoding="utf-8"))
        file = path / str(card.get("file", "model.tflite"))
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        return part("recogniser's model", f"{error.filename} cannot be read ({error.strerror})", remedy=again)
    except ValueError as error:
        return part("recogniser's model", f"{path / 'model.toml'} is not TOML: {error}", remedy=again)
    wanted = card.get("sha256")
    why = None if found == wanted else f"{file} has sha256 {found}, model.toml says {wanted}"
    return part("recogniser's model", why, remedy=again)


def devices(config: "Config") -> Iterator[Part]:
    if config.board is not None:
        port = config.board.port
        remedy = "plug the board in; ls -l /dev/serial/by-id shows what is there"
        yield part("board", _unusable(Path(port), "dialout") if "://" not in port else None, remedy=remedy)
    for camera in config.cameras:
        device = f"/dev/video{camera.source}" if isinstance(camera.source, int) else camera.source
        if device.startswith("/dev/"):
            remedy = "plug the camera in; v4l2-ctl --list-devices shows what is there"
            yield part(f"camera:{camera.id}", _unusable(Path(device), "video"), remedy=remedy)


def board_key(config: "Config") -> Iterator[Part]:
    """What signs the unlocks; only where the lock is on the board."""
    from cabinet.adapters.mcu import KeyFile  # noqa: PLC0415  # pyserial, and only without a daemon

    file = config.board_key_file
    if config.lock.via == "board" and (os.access(file, os.R_OK) or not file.exists()):  # else it is the daemon's alone
        remedy = "start the daemon, then cabinet board commission"
        yield part("board's key", KeyFile(file).why, remedy=remedy)


def libraries(*, faces: bool, codes: bool) -> Iterator[Part]:
    if codes:
        yield part("libzbar (QR codes)", _import("pyzbar.pyzbar"), remedy="sudo apt-get install libzbar0")
    if faces:
        yield part("face library", _import("face_recognition"), remedy="make setup; needs setuptools below 82")
    either = _import("tflite_runtime.interpreter")
    if either is not None:
        either = _import("ai_edge_litert.interpreter")
    yield part("tflite", either, remedy="make setup, which installs tflite-runtime or ai-edge-litert")


def _import(module: str) -> str | None:
    """Why it cannot be imported, or None.  A library may quit the interpreter: so in a child."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", f"import {module}; print('imported')"],
            capture_output=True, text=True, timeout=IMPORT_S, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"importing {module} takes over {IMPORT_S:g} s"
    if done.returncode == 0 and "imported" in done.stdout:
        return None
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return f"{module} cannot be imported: {said[-1] if said else f'exit code {done.returncode}'}"


def _unusable(device: Path, group: str) -> str | None:
    if not device.exists():
        return f"{device} is not there"
    if not os.access(device, os.R_OK | os.W_OK):
        return f"{device} is not for this user: sudo usermod -aG {group} {os.environ.get('USER') or 'cabinet'}"
    return None


def _nearest(path: Path) -> Path:
    """The folder itself, or the one it would be made in."""
    return next((place for place in (path, *path.parents) if place.exists()), Path("/"))
