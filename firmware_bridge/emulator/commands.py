"""What the world round the emulated board may be told to do: one JSON object in, one out.

Pure.  A command that makes no sense is answered {"ok": false, "error": ...} and changes nothing.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, Protocol

from firmware_bridge.emulator.cells import Cell
from firmware_bridge.emulator.world import World

MOST_G = 200_000.0  # grams on a shelf: more is a typing error
POWER, BROWN_OUT, OTHER = 0, 2, 3  # reset causes, as the board tells them
DOOR = ("pull", "shut", "force")
LAMPS = ("off", "ready", "busy", "open", "alarm")
BUZZERS = ("none", "ok", "prompt", "alarm")
THOUGHTS: Mapping[str, Any] = {  # of a board that has not spoken yet
    "door_open_debounced": None,
    "lease": None,
    "faults": [],
    "session": False,
    "boot_id": None,
    "uptime_ms": 0,
    "bad_frames": 0,
    "lost_frames": 0,
    "cause": None,
    "keyed": None,
    "journal_next": None,
}

Reply = dict[str, Any]


class Stage(Protocol):
    """The emulated board as the world handles it."""

    @property
    def world(self) -> World: ...
    @property
    def plugged(self) -> bool: ...
    @property
    def pins(self) -> Mapping[str, Any]:
        """relay, lamp, buzzer as the chip holds them; chip, boots, watchdog_resets, crashes, interpreter."""

    @property
    def thoughts(self) -> Mapping[str, Any]:
        """What the board thinks, as far as it has told."""

    def unplug(self) -> None: ...
    def replug(self) -> None: ...
    def restart(self, cause: int) -> None: ...
    def hang(self) -> None: ...


def obey_line(line: bytes, stage: Stage, now_ms: float) -> bytes:
    """One JSON line in, one JSON line out."""
    try:
        command = parsed(line)
        reply = obey(command, stage, now_ms)
    except (KeyError, TypeError, ValueError) as error:
        reply = {"ok": False, "error": f"{type(error).__name__}: {error}"}
    return json.dumps(reply).encode() + b"\n"


def parsed(line: bytes) -> Mapping[str, Any]:
    """ValueError or TypeError for anything but an object."""
    command = json.loads(line)
    if not isinstance(command, dict):
        raise TypeError("not an object")
    return command


def asks_for_thoughts(line: bytes) -> bool:
    """Whether the answer wants to hear the board first."""
    return _what(line) == "state"


def moves_the_door(line: bytes) -> bool:
    """Whether a hand is laid on it."""
    return _what(line) in DOOR


def _what(line: bytes) -> object:
    try:
        return parsed(line).get("do")
    except (TypeError, ValueError):
        return None


def obey(command: Mapping[str, Any], stage: Stage, now_ms: float) -> Reply:
    """Do it at `now_ms`.  KeyError, TypeError or ValueError for nonsense."""
    world = stage.world
    match command["do"]:
        case "state":
            return look(stage) | dict(THOUGHTS) | dict(stage.thoughts)
        case "look":
            return look(stage)
        case "memory":
            return {"ok": True, "hex": world.nv.content.hex()}
        case "pull":
            return {"ok": world.pull()}
        case "shut":
            return {"ok": world.shut()}
        case "force":
            world.force()
        case "jam":
            world.break_part("bolt_jammed_out", bool(command["stuck"]))
        case "break":
            _break(world, command)
        case "mass" | "add" | "hand" | "cell":
            _touch(world, command, now_ms)
        case "temperature":
            world.thermometer.celsius = _number(command, "c", 150.0)
        case "unplug":
            stage.unplug()
        case "replug":
            stage.replug()
        case "reset":
            stage.restart(_cause(command))
        case "brownout":
            stage.restart(BROWN_OUT)
        case "hang":
            stage.hang()
        case other:
            raise ValueError(f"unknown command {other!r}")
    return {"ok": True}


def look(stage: Stage) -> Reply:
    """What can be seen from outside: the cabinet and the pins.  Needs no chip that answers."""
    world, pins = stage.world, stage.pins
    inputs = world.inputs()
    return {
        "ok": True,
        "door_open": world.door_open,
        "bolt_locked": world.bolt_in_strike,
        "lock_driven": bool(pins["relay"]) and world.drive.pump_passes,
        "relay": pins["relay"],
        "pump": world.drive.pump_passes,
        "coil": world.coil,
        "jammed": "bolt_jammed_out" in world.broken,
        "housing_open": inputs.housing_open,
        "contacts_shut": [inputs.door_a_shut, inputs.door_b_shut],
        "bolt_switch": inputs.bolt_home,
        "clashes": world.clashes,
        "changes": list(world.changes),  # (ms of the machine's monotonic clock, what, is now)
        "broken": sorted(world.broken),
        "cells_broken": [sorted(cell.broken) for cell in world.cells],
        "cells_dead": [cell.dead for cell in world.cells],
        "masses_g": [round(cell.load_g, 1) for cell in world.cells],
        "temperature_c": world.thermometer.celsius,
        "lamp": LAMPS[pins["lamp"]],
        "buzzer": BUZZERS[pins["buzzer"]],
        "plugged": stage.plugged,
        "chip": pins["chip"],
        "interpreter": pins["interpreter"],
        "boots": pins["boots"],
        "watchdog_resets": pins["watchdog_resets"],
        "crashes": pins["crashes"],
    }


def _touch(world: World, command: Mapping[str, Any], now_ms: float) -> None:
    cell = _cell(world, command)
    match command["do"]:
        case "mass":
            cell.put(_number(command, "g", MOST_G), now_ms)
        case "add":
            cell.put(cell.load_g + _number(command, "g", MOST_G), now_ms)
        case "hand":
            for_s = _number(command, "for_s", 60.0)
            if for_s <= 0:
                raise ValueError(f"for_s is {for_s}, want more than 0")
            cell.press(_number(command, "g", MOST_G), 1000 * for_s, now_ms)
        case _:
            world.break_part("cell_dead", bool(command["dead"]), command["zone"])


def _break(world: World, command: Mapping[str, Any]) -> None:
    zone, on = command.get("zone"), command.get("on", True)
    if not isinstance(on, bool) or not (zone is None or isinstance(zone, int)):
        raise TypeError(f"on {on!r} and zone {zone!r}, want true or false and a number")
    world.break_part(command["what"], on, zone)


def _cause(command: Mapping[str, Any]) -> int:
    cause = command.get("cause", OTHER)
    if not isinstance(cause, int) or not POWER <= cause <= OTHER:
        raise ValueError(f"cause {cause!r}, want {POWER}..{OTHER}")
    return cause


def _cell(world: World, command: Mapping[str, Any]) -> Cell:
    zone, cells = command["zone"], world.cells
    if not isinstance(zone, int) or not 0 <= zone < len(cells):
        raise ValueError(f"zone {zone!r}, want 0..{len(cells) - 1}")
    return cells[zone]


def _number(command: Mapping[str, Any], key: str, most: float) -> float:
    value = float(command[key])
    if not math.isfinite(value) or abs(value) > most:
        raise ValueError(f"{key} is {value}, want at most {most} either way")
    return value
