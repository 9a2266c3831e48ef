"""What the world round the emulated board may be told to do: one JSON object in, one out.

Pure.  A command that makes no sense is answered {"ok": false, "error": ...} and changes nothing.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, Protocol

from firmware_bridge.emulator.firmware import Firmware
from firmware_bridge.emulator.world import Cell

MOST_G = 200_000.0  # grams on a shelf: more is a typing error

Reply = dict[str, Any]


class Plug(Protocol):
    """The cable between board and host."""

    @property
    def plugged(self) -> bool: ...
    def unplug(self) -> None: ...
    def replug(self) -> None: ...


def obey_line(line: bytes, firmware: Firmware, plug: Plug, now_ms: int) -> bytes:
    """One JSON line in, one JSON line out."""
    try:
        command = json.loads(line)
        if not isinstance(command, dict):
            raise TypeError("not an object")  # noqa: TRY301  one answer for all nonsense
        reply = obey(command, firmware, plug, now_ms)
    except (KeyError, TypeError, ValueError) as error:
        reply = {"ok": False, "error": f"{type(error).__name__}: {error}"}
    return json.dumps(reply).encode() + b"\n"


def obey(command: Mapping[str, Any], firmware: Firmware, plug: Plug, now_ms: int) -> Reply:
    """Do it at `now_ms`.  KeyError, TypeError or ValueError for nonsense."""
    world = firmware.world
    match command["do"]:
        case "state":
            return state(firmware, plug)
        case "pull":
            return {"ok": world.pull()}
        case "shut":
            world.shut()
        case "force":
            world.force()
        case "jam":
            world.jammed = bool(command["stuck"])
        case "mass":
            _cell(firmware, command).put(_number(command, "g", MOST_G), now_ms)
        case "add":
            cell = _cell(firmware, command)
            cell.put(cell.load_g + _number(command, "g", MOST_G), now_ms)
        case "hand":
            for_s = _number(command, "for_s", 60.0)
            if for_s <= 0:
                raise ValueError(f"for_s is {for_s}, want more than 0")
            _cell(firmware, command).press(_number(command, "g", MOST_G), 1000 * for_s, now_ms)
        case "cell":
            _cell(firmware, command).dead = bool(command["dead"])
        case "temperature":
            world.celsius = _number(command, "c", 150.0)
        case "unplug":
            plug.unplug()
        case "replug":
            plug.replug()
        case "reset":
            firmware.reset(now_ms)
        case other:
            raise ValueError(f"unknown command {other!r}")
    return {"ok": True}


def state(firmware: Firmware, plug: Plug) -> Reply:
    """The whole truth, of the world and of the board, whatever the wire made of it."""
    world = firmware.world
    return {
        "ok": True,
        "door_open": world.door_open,
        "bolt_locked": world.bolt_in_strike,
        "lock_driven": firmware.driven,
        "door_open_debounced": firmware.door_open,
        "jammed": world.jammed,
        "lease": firmware.lease.hex() if firmware.lease is not None else None,
        "faults": sorted(firmware.faults),
        "lamp": ("off", "ready", "busy", "open", "alarm")[firmware.lamp],
        "buzzer": ("none", "ok", "prompt", "alarm")[firmware.buzzer],
        "masses_g": [round(cell.load_g, 1) for cell in world.cells],
        "cells_dead": [cell.dead for cell in world.cells],
        "temperature_c": world.celsius,
        "plugged": plug.plugged,
        "session": firmware.link.opened_with is not None,
        "boot_id": firmware.boot_id.hex(),
        "boots": firmware.boots,
        "uptime_ms": firmware.uptime_ms(),
        "bad_frames": firmware.link.bad_frames,
        "lost_frames": firmware.link.lost_frames,
    }


def _cell(firmware: Firmware, command: Mapping[str, Any]) -> Cell:
    zone, cells = command["zone"], firmware.world.cells
    if not isinstance(zone, int) or not 0 <= zone < len(cells):
        raise ValueError(f"zone {zone!r}, want 0..{len(cells) - 1}")
    return cells[zone]


def _number(command: Mapping[str, Any], key: str, most: float) -> float:
    value = float(command[key])
    if not math.isfinite(value) or abs(value) > most:
        raise ValueError(f"{key} is {value}, want at most {most} either way")
    return value
