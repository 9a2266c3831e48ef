"""QR codes and barcodes: pyzbar first, then zxing-cpp on the half-size picture, then on the full one.

The two fail on different pictures (zbar on tilt, zxing on little else), and half size is four times cheaper.  pyzbar
comes last on the full picture: none of 306 drawn frames of a phone with a token needed it, and asked before zxing it
made the slowest tenth of the reads take 41 instead of 17 ms at 1280 x 720.  What a code says is a stranger's text:
bytes that are no UTF-8, control characters and texts that are too long are dropped and counted, never repaired.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.ports import PortError

MAX_TEXT = 256  # characters; a card has 31, a token 194
MAX_CODES = 16  # in one frame
HALVE_ABOVE = 480  # pixels of width; below it half size loses the modules

Pixels = NDArray[np.uint8]
Reader = Callable[[Pixels], list[bytes]]  # grey picture -> raw texts


@dataclass
class Counters:
    read: int = 0
    garbage: int = 0


class CodeReader:
    """Implements `Codes`."""

    def __init__(self) -> None:
        """Raises PortError if neither library can be used."""
        self._trouble: str | None = None
        self.counters = Counters()
        self._readers: list[Reader] = []
        complaints = []
        for load in (_pyzbar, _zxing):
            try:
                self._readers.append(load())
            except (ImportError, OSError, AttributeError) as error:
                complaints.append(f"{load.__name__.strip('_')} cannot be used ({type(error).__name__})")
        if not self._readers:
            raise PortError(f"codes: {'; '.join(complaints)}: sudo apt-get install libzbar0, then make setup")
        if complaints:
            self._trouble = f"{complaints[0]}, the other reader works alone: sudo apt-get install libzbar0, make setup"

    def trouble(self) -> str | None:
        """What works less well than it should, or None."""
        return self._trouble

    def read(self, picture: Pixels) -> Sequence[str]:
        """The different texts in a frame (BGR), at most MAX_CODES, each at most MAX_TEXT characters of clean UTF-8."""
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise PortError(f"codes: no picture to look at: {picture.dtype} {picture.shape}")
        grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
        for reader, view in self._looks(grey):
            texts = self._clean(reader(view))
            if texts:
                self.counters.read += len(texts)
                return texts
        return []

    def _looks(self, grey: Pixels) -> Iterator[tuple[Reader, Pixels]]:
        if grey.shape[1] > HALVE_ABOVE:
            half = np.asarray(cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
            yield from ((reader, half) for reader in self._readers)
        yield from ((reader, grey) for reader in reversed(self._readers))

    def _clean(self, raw: list[bytes]) -> list[str]:
        texts: dict[str, None] = {}
        for code in raw[:MAX_CODES]:
            try:
                text = code.decode("utf-8")
            except UnicodeDecodeError:
                self.counters.garbage += 1
                continue
            if not text or len(text) > MAX_TEXT or not text.isprintable():
                self.counters.garbage += 1
            else:
                texts[text] = None
        return list(texts)


def is_gtin(text: str) -> bool:
    """Whether it is an EAN-8, UPC-A, EAN-13 or GTIN-14 with a right check digit (GS1 General Specifications 7.9)."""
    if not text.isascii() or not text.isdigit() or len(text) not in {8, 12, 13, 14}:
        return False
    digits = [int(digit) for digit in reversed(text)]
    return (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0


def _pyzbar() -> Reader:
    from pyzbar import pyzbar  # noqa: PLC0415  fails where libzbar0 is missing

    names = ("QRCODE", "EAN13", "EAN8", "UPCA", "UPCE", "CODE128")
    kinds = [pyzbar.ZBarSymbol[name] for name in names]

    def read(grey: Pixels) -> list[bytes]:
        try:
            return [bytes(code.data) for code in pyzbar.decode(grey, symbols=kinds)]
        except pyzbar.PyZbarError:  # a picture that zbar refuses has no code for it
            return []

    return read


def _zxing() -> Reader:
    import zxingcpp  # noqa: PLC0415  likewise optional

    kinds: Any = [
        zxingcpp.BarcodeFormat.QRCode,
        zxingcpp.BarcodeFormat.EAN13,
        zxingcpp.BarcodeFormat.EAN8,
        zxingcpp.BarcodeFormat.UPCA,
        zxingcpp.BarcodeFormat.UPCE,
        zxingcpp.BarcodeFormat.Code128,
    ]  # its stub knows less

    def read(grey: Pixels) -> list[bytes]:
        return [bytes(code.bytes) for code in zxingcpp.read_barcodes(grey, formats=kinds) if code.valid]

    return read
