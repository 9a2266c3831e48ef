"""Import the Pico's own modules under CPython, with a fake chip in place of MicroPython's modules."""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

from tests.firmware_bridge.fake_pico import Chip

PACKAGE = "firmware_bridge.firmware"
OWN = ("fram", "lights", "hx711", "pico", "main")  # the modules that import MicroPython's


@contextmanager
def on(chip: Chip) -> Iterator[Callable[[str], ModuleType]]:
    """`load(name)` imports one; afterwards everything is as before."""
    names = [*chip.modules(), *(f"{PACKAGE}.{name}" for name in OWN)]
    kept = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    for name in ("switches", "memory"):  # these may have the real `time`
        importlib.import_module(f"{PACKAGE}.{name}")
    sys.modules.update(chip.modules())
    try:
        yield lambda name: importlib.import_module(f"{PACKAGE}.{name}")
    finally:
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(kept)
