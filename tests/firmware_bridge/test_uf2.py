"""MicroPython for a Pico that has none: only a whole UF2 for its chip, only on its own drive."""

import errno
import os
import struct
from pathlib import Path

import pytest

from firmware_bridge.flashing import FlashError, put_uf2

RP2040, RP2350 = 0xE48BFF56, 0xE48BFF59


def boot_drive(path: Path, board: str = "RPI-RP2") -> Path:
    path.mkdir(exist_ok=True)
    (path / "INFO_UF2.TXT").write_text(f"UF2 Bootloader v3.0\r\nModel: Raspberry Pi\r\nBoard-ID: {board}\r\n")
    return path


def uf2(family: int = RP2040, blocks: int = 20, flags: int = 0x2000) -> bytes:
    parts = []
    for number in range(blocks):
        head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, flags, 0x10000000 + 256 * number, 256, number, blocks, family)
        parts.append(head + bytes([number]) * 476 + struct.pack("<I", 0x0AB16F30))
    return b"".join(parts)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "micropython.uf2"
    path.write_bytes(uf2())
    return path


def test_a_uf2_is_copied_whole(image: Path, tmp_path: Path) -> None:
    steps: list[int] = []
    drive = boot_drive(tmp_path / "drive")
    put_uf2(image, drive, lambda _name, done, _all: steps.append(done))
    assert ((drive / "micropython.uf2").read_bytes(), steps[-1]) == (uf2(), 20 * 512)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no whole UF2"),
        (uf2()[:-1], "no whole UF2"),
        (b"\0" * 512, "no UF2"),
        (uf2()[:-4] + b"\0\0\0\0", "no UF2"),
        (uf2(RP2350), "another chip .family 0xE48BFF59"),
        (uf2(flags=0), "another chip"),
        (uf2()[:-512], "lost blocks"),
        (uf2()[512:], "lost blocks"),
    ],
    ids=["empty", "cut", "zeros", "end", "rp2350", "no-family", "last", "first"],
)
def test_what_is_no_whole_uf2_for_the_rp2040_is_refused(image: Path, tmp_path: Path, data: bytes, told: str) -> None:
    image.write_bytes(data)
    drive = boot_drive(tmp_path / "drive")
    with pytest.raises(FlashError, match=told):
        put_uf2(image, drive)
    assert not (drive / image.name).exists()


def test_a_missing_image_and_a_drive_that_is_none_are_told(image: Path, tmp_path: Path) -> None:
    with pytest.raises(FlashError, match="cannot read"):
        put_uf2(tmp_path / "none.uf2", boot_drive(tmp_path / "drive"))
    with pytest.raises(FlashError, match="hold BOOTSEL"):
        put_uf2(image, tmp_path)


def test_another_chip_s_boot_loader_is_refused(image: Path, tmp_path: Path) -> None:
    with pytest.raises(FlashError, match="another chip's boot loader"):
        put_uf2(image, boot_drive(tmp_path / "drive", "RP2350"))


def test_a_boot_loader_that_restarts_as_soon_as_it_has_all_is_no_error(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive = boot_drive(tmp_path / "drive")

    def gone(_: int) -> None:
        (drive / "INFO_UF2.TXT").unlink()
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", gone)
    put_uf2(image, drive)


def test_a_drive_that_fails_while_it_is_still_there_is_told(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive = boot_drive(tmp_path / "drive")

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(FlashError, match="took 10240 of 10240 bytes"):
        put_uf2(image, drive)
