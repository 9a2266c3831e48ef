"""The serial board as the cabinet's parts."""

from cabinet.adapters.mcu.desk import BoardDesk
from cabinet.adapters.mcu.key import KeyFile
from cabinet.adapters.mcu.parts import SIGNAL_ATTEMPT_S, BoardParts

__all__ = ["SIGNAL_ATTEMPT_S", "BoardDesk", "BoardParts", "KeyFile"]
