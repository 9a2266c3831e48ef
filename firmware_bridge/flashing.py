"""Put the firmware on a Pico over its USB port, and MicroPython on one that has none.

It writes, reads back and compares; it never asks the board to do anything else, and it refuses what it does not
recognise as an RP2040.  `mpremote` does the talking.  The board does not start while it is half written: `main.py`
goes first and comes back last, so a cable pulled in the middle leaves a locked door and a board to flash again.
"""

import contextlib
import hashlib
import io
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any

from firmware_bridge.errors import BridgeError

MICROPYTHON_USB = (0x2E8A, 0x0005)  # vendor Raspberry Pi, product MicroPython on RP2
OLDEST_MICROPYTHON = (1, 22)  # its SDK tells a watchdog's reset from an ordered one, which the firmware reads
CHUNK = 1024  # bytes a write; its text, at most four times as long, is compiled in the board's memory
ANSWER_S = 5.0  # a board that erases flash answers within half a second
SPARE_BYTES = 16384  # of the board's file system, over what is written

IMPORTS = "import os, sys\n"
MAIN = "main.py"
MAIN_TEXT = (
    '"""Starts the firmware in the folder beside this file."""\n\nimport firmware.main\n\nfirmware.main.start()\n'
)

UF2_BLOCK = 512  # bytes; the constants are those of the UF2 specification
UF2_MAGIC = (0x0A324655, 0x9E5D5157, 0x0AB16F30)
UF2_HAS_FAMILY = 0x2000
RP2040_FAMILY = 0xE48BFF56
UF2_INFO = "INFO_UF2.TXT"
RP2040_DRIVE = "RPI-RP2"
MOST_UF2_BYTES = 32 * 1024 * 1024  # a Pico's 2 MiB make 4 MiB of UF2

Progress = Callable[[str, int, int], None]
"""Called with the file's name, the bytes done and the bytes in all."""


class FlashError(BridgeError):
    """The board could not be written; the text names the thing and the remedy."""


@dataclass(frozen=True)
class Build:
    """How the board is built, in the words of `firmware/fitted_by.py`; becomes its `fitted.py`."""

    zones: int = 4
    coil_sense: bool = True
    probe: bool = True
    motor_bolt: bool = False
    second_contact: bool = True

    def source(self) -> str:
        """The text of `fitted.py`.  FlashError if no board can be built so."""
        if not 1 <= self.zones <= 12:
            raise FlashError(f"a board has 1 to 12 zones, not {self.zones}: count its HX711s")
        words = "".join(f"    {name}={value!r},\n" for name, value in vars(self).items())
        return (
            '"""How this board is built: written when it was flashed."""\n\n'
            f"from .fitted_by import Fitted\n\nFITTED = Fitted(\n{words})\n"
        )


@dataclass(frozen=True)
class Found:
    """A board one could flash: `port` runs MicroPython, or `drive` waits for a UF2 (None: not mounted yet)."""

    port: str | None
    drive: Path | None
    what: str


@dataclass(frozen=True)
class Flashed:
    """What was done: the board's MicroPython, files written and files that were right already."""

    micropython: str
    written: int
    kept: int


def find_boards(mounts: Path = Path("/proc/mounts"), labels: Path = Path("/dev/disk/by-label")) -> list[Found]:
    """Every RP2 with MicroPython on a USB port, and every RP2040 in its boot loader.  Opens none of them."""
    from serial.tools import list_ports  # noqa: PLC0415  only who flashes needs it

    found = [
        Found(port.device, None, f"MicroPython, serial number {port.serial_number or 'unknown'}")
        for port in sorted(list_ports.comports(), key=lambda port: str(port.device))
        if (port.vid, port.pid) == MICROPYTHON_USB
    ]
    drives = list(_boot_drives(mounts))
    found += [Found(None, drive, "RP2040 in its boot loader: wants MicroPython first") for drive in drives]
    if not drives and (labels / RP2040_DRIVE).exists():
        device = labels / RP2040_DRIVE
        found.append(Found(None, None, f"RP2040 in its boot loader, not mounted: sudo mount {device} /mnt"))
    return found


def put_uf2(image: Path, drive: Path, progress: Progress | None = None) -> None:
    """Copy a MicroPython UF2 to an RP2040 in its boot loader, which then restarts by itself.

    FlashError if the image is not a whole one for the RP2040, or the drive not such a boot loader.
    """
    data = _checked_uf2(image)
    info = drive / UF2_INFO
    try:
        board = info.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise FlashError(
            f"{drive} is no boot loader's drive ({UF2_INFO}: {error.strerror}): hold BOOTSEL while plugging the Pico in"
        ) from error
    if f"Board-ID: {RP2040_DRIVE}" not in board:
        raise FlashError(f"{drive} is another chip's boot loader: this firmware wants an RP2040 ({RP2040_DRIVE})")
    done = 0
    try:
        with (drive / image.name).open("wb", buffering=0) as file:
            while done < len(data):
                done += file.write(data[done : done + 64 * UF2_BLOCK])
                if progress is not None:
                    progress(image.name, done, len(data))
            os.fsync(file.fileno())
    except OSError as error:
        if done < len(data) or info.exists():  # else it has all it wants and went to restart, as it should
            raise FlashError(
                f"{drive} took {done} of {len(data)} bytes ({error.strerror}): hold BOOTSEL, plug it in again, repeat"
            ) from error


def flash(
    port: str,
    build: Build,
    *,
    progress: Progress | None = None,
    root: str = "/",
    platform: str = "rp2",
) -> Flashed:
    """Make the board's files those of this package, each compared by SHA-256, and restart it.

    Safe to repeat: files that are right already are not written.  `root` and `platform` are for a rehearsal
    on MicroPython's unix port; anything but "rp2" is not restarted.  FlashError names the thing and the remedy.
    """
    files = _files(build)
    with _console(port) as board:
        version = _greet(board, port, platform)
        folder = _join(root, "firmware")
        if not board.fs_isdir(folder):
            board.fs_mkdir(folder)
        _refuse_if_full(board, root, folder, sum(map(len, files.values())))
        _remove(board, _join(root, MAIN))
        wanted = {_join(folder, name): data for name, data in files.items()}
        _remove_strangers(board, folder, set(wanted))
        wanted[_join(root, MAIN)] = MAIN_TEXT.encode()
        written = sum(_put(board, path, data, progress) for path, data in wanted.items())
        if platform == "rp2":
            board.exec_raw_no_follow("import machine\nmachine.reset()\n")
    return Flashed(version, written, len(wanted) - written)


def _files(build: Build) -> dict[str, bytes]:
    """Name and content of everything in the board's folder `firmware`."""
    package = resources.files("firmware_bridge.firmware")
    files = {entry.name: entry.read_bytes() for entry in package.iterdir() if entry.name.endswith(".py")}
    if "main.py" not in files or "loop.py" not in files:
        raise FlashError("this installation has no firmware in firmware_bridge/firmware: install the cabinet again")
    return dict(sorted(files.items())) | {"fitted.py": build.source().encode()}


@contextlib.contextmanager
def _console(port: str) -> Iterator[Any]:
    """The board's console, open and ours alone.  Whatever goes wrong meanwhile comes out as FlashError."""
    import serial  # noqa: PLC0415  only who flashes needs these two
    from mpremote.transport import TransportError  # noqa: PLC0415  likewise
    from mpremote.transport_serial import SerialTransport  # noqa: PLC0415  likewise

    try:
        board = SerialTransport(port, timeout=ANSWER_S)
    except (TransportError, OSError) as error:
        raise FlashError(_why_not_opened(port)) from error
    board.serial.write_timeout = ANSWER_S
    again = "plug it in again and repeat; until then it does not start, and the door stays locked"
    try:
        yield board
    except serial.SerialException as error:
        raise FlashError(f"{port} went away while the board was being written: {again}") from error
    except (TransportError, struct.error) as error:  # struct: an answer cut short
        last = (str(error).strip().splitlines() or ["no answer"])[-1]
        raise FlashError(f"the board on {port} stopped answering ({last}): {again}") from error
    except OSError as error:  # the cable's own, or what the board said of its file system
        raise FlashError(f"{port}: {os.strerror(error.errno or 0)}: {again}") from error
    finally:
        with contextlib.suppress(OSError):
            board.close()


def _why_not_opened(port: str) -> str:
    if not Path(port).exists():
        return f"there is no {port}: use a USB cable that carries data, and see `cabinet board flash` without a port"
    if not os.access(port, os.R_OK | os.W_OK):
        return f"{port} may not be opened by you: `sudo usermod -aG dialout $USER`, then log in anew"
    return f"{port} is held by another program: stop it (a terminal, an IDE, ModemManager) and repeat"


def _greet(board: Any, port: str, platform: str) -> str:  # noqa: ANN401  mpremote ships no types
    """Stop what runs there, its watchdog too, and return the version of MicroPython."""
    from mpremote.transport import TransportError  # noqa: PLC0415  only who flashes needs it

    with contextlib.redirect_stdout(io.StringIO()):  # mpremote prints what it did not understand
        try:
            board.enter_raw_repl(soft_reset=False, timeout_overall=ANSWER_S)
        except TransportError as error:
            raise FlashError(
                f"no MicroPython answers on {port}: if the port is right, bridge SERVICE (GP22) to ground and plug the "
                "board in again; a new Pico wants MicroPython first (hold BOOTSEL while plugging it in)"
            ) from error
        board.exec(IMPORTS)
        there = board.eval("sys.platform")
        version = tuple(board.eval("tuple(sys.implementation[1])[:3]"))
        text = ".".join(map(str, version))
        if there != platform:
            raise FlashError(f"the board on {port} is a {there!r}, not an {platform!r}: this firmware wants an RP2040")
        if version[:2] < OLDEST_MICROPYTHON:
            oldest = ".".join(map(str, OLDEST_MICROPYTHON))
            raise FlashError(f"the board has MicroPython {text}, wanted is {oldest} or newer: put a newer UF2 on it")
        if platform == "rp2":
            # Whoever started a watchdog by hand: off, by its bit. Then a soft reset, for a heap as after power-on.
            board.exec("import machine\nmachine.mem32[0x4005B000] = 1 << 30\n")
            board.enter_raw_repl(soft_reset=True, timeout_overall=ANSWER_S)
            board.exec(IMPORTS)
    return text


def _refuse_if_full(board: Any, root: str, folder: str, wanted: int) -> None:  # noqa: ANN401  likewise
    block, _, _, blocks = board.eval(f"os.statvfs({root!r})[:4]")
    had = sum(entry.st_size for entry in board.fs_listdir(folder))
    if blocks * block + had < wanted + SPARE_BYTES:
        raise FlashError(f"the board has {blocks * block} bytes free, the firmware wants {wanted}: erase other files")


def _remove_strangers(board: Any, folder: str, wanted: set[str]) -> None:  # noqa: ANN401  likewise
    for entry in board.fs_listdir(folder):
        path = _join(folder, entry.name)
        if path not in wanted and not entry.st_mode & 0x4000:  # a folder imports nothing by itself
            _remove(board, path)


def _remove(board: Any, path: str) -> None:  # noqa: ANN401  likewise
    if board.fs_exists(path):
        board.fs_rmfile(path)


def _put(board: Any, path: str, data: bytes, progress: Progress | None) -> bool:  # noqa: ANN401  likewise
    """Write unless it is there already; True if written.  FlashError if it reads back otherwise."""
    name, digest = PurePosixPath(path).name, hashlib.sha256(data).digest()
    write = not (board.fs_exists(path) and board.fs_hashfile(path, "sha256", CHUNK) == digest)
    if write:
        step = None if progress is None else (lambda done, total: progress(name, done, total))
        board.fs_writefile(path, data, CHUNK, step)
        if board.fs_hashfile(path, "sha256", CHUNK) != digest:
            raise FlashError(
                f"{path} reads back otherwise than written: repeat; if it stays so, the Pico's flash is worn"
            )
    elif progress is not None:
        progress(name, len(data), len(data))
    return write


def _join(folder: str, name: str) -> str:
    return str(PurePosixPath(folder) / name)


def _boot_drives(mounts: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        for line in mounts.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if len(words) > 2 and words[2] == "vfat":
                drive = Path(words[1].replace("\\040", " "))
                with contextlib.suppress(OSError):
                    if RP2040_DRIVE in (drive / UF2_INFO).read_text(encoding="ascii", errors="replace"):
                        yield drive


def _checked_uf2(image: Path) -> bytes:
    try:
        if image.stat().st_size > MOST_UF2_BYTES:
            raise FlashError(f"{image} is larger than any Pico's flash: it is no UF2 for it")
        data = image.read_bytes()
    except OSError as error:
        raise FlashError(f"cannot read {image}: {error.strerror}") from error
    if not data or len(data) % UF2_BLOCK:
        raise FlashError(f"{image} is no whole UF2 ({len(data)} bytes): download it again")
    blocks = len(data) // UF2_BLOCK
    for number in range(blocks):
        block = data[number * UF2_BLOCK : (number + 1) * UF2_BLOCK]
        first, second, flags, _, _, here, of, family = struct.unpack_from("<8I", block)
        if (first, second, struct.unpack_from("<I", block, UF2_BLOCK - 4)[0]) != UF2_MAGIC:
            raise FlashError(f"{image} is no UF2 (block {number}): download it again")
        if not flags & UF2_HAS_FAMILY or family != RP2040_FAMILY:
            raise FlashError(f"{image} is for another chip (family 0x{family:08X}): wanted is the RP2040's, RPI_PICO")
        if (here, of) != (number, blocks):
            raise FlashError(f"{image} has lost blocks (block {here} of {of} at place {number}): download it again")
    return data
