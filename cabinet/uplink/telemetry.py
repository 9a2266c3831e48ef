"""What may be told about the cabinet beside money: its state, its parts' health, its stock, a visit in one line.

Only named fields leave.  There is no field for a member, a face or a token, so none can slip in; free text is redacted;
numbers that JSON has no word for become null.
"""

import logging
import math
from collections.abc import Mapping
from typing import Any, Final

from cabinet import wire

log = logging.getLogger(__name__)

FREE_TEXT: Final = frozenset({"why", "screen"})
MAX_ROWS: Final = 200  # parts, faults or stock rows in one message: far more than a cabinet has

_Shape = Mapping[str, Any]  # a field's name → None for a plain value, or the shape of a list's rows

FAULT: Final[_Shape] = {"part": None, "why": None, "latched": None}
STATE: Final[_Shape] = {"state": None, "screen": None, "faults": FAULT}
TELEMETRY: Final[Mapping[str, _Shape]] = {
    "health": {
        "parts": {"part": None, "ok": None, "why": None},
        "temperature_c": None,
        "disk_free_mib": None,
        "backlog": None,
        "clock_quality": None,
        "rss_mib": None,
        "cpu_share": None,
        "uptime_s": None,
        "visits_open": None,
        "tick_late_ms": None,
    },
    "stock": {"rows": {"zone": None, "sku": None, "count": None}},
    "visit": {
        "visit": None,
        "outcome": None,
        "total_minor": None,
        "currency": None,
        "lines": None,
        "confidence": None,
        "t_close_to_verdict_ms": None,
    },
}


def state_payload(cab: str, state: Mapping[str, Any], at: Mapping[str, Any]) -> dict[str, Any]:
    """Payload of `up/state` while we are there; `state` has state, screen and faults."""
    told = _told(state, STATE)
    empty = {"state": "starting", "screen": "", "faults": []}
    return {"cab": cab, "online": True, **empty, **told, "at": dict(at)}


def offline_payload(cab: str) -> dict[str, Any]:
    """Payload of `up/state` as last will and as goodbye."""
    return {"cab": cab, "online": False, "state": "offline", "screen": "", "faults": [], "at": None}


def telemetry_payload(cab: str, telemetry: Mapping[str, Any], at: Mapping[str, Any]) -> dict[str, Any]:
    """Payload of `up/telemetry`; `telemetry["kind"]` is health, stock or visit.  Raises WireError for another kind."""
    kind = str(telemetry.get("kind"))
    if kind not in TELEMETRY:
        raise wire.WireError(f"telemetry of the kind {kind!r}: known are {', '.join(TELEMETRY)}")
    rest = {key: value for key, value in telemetry.items() if key != "kind"}
    return {"cab": cab, "kind": kind, "at": dict(at), **_told(rest, TELEMETRY[kind])}


def _told(said: Mapping[str, Any], shape: _Shape) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for key, value in said.items():
        if key not in shape:
            log.error("telemetry_field_dropped field=%s", key)
        elif shape[key] is None:
            told[key] = _value(key, value)
        else:
            told[key] = [_told(row, shape[key]) for row in list(value)[:MAX_ROWS]]
    return told


def _value(key: str, value: object) -> object:
    if isinstance(value, str):
        return wire.redact(value) if key in FREE_TEXT else value[: wire.MAX_FREE_TEXT]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, bool | int) else None
