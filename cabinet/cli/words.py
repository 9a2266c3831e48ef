"""Numbers, times and states as a person reads them.  Pure: the present is an argument."""

import datetime as dt
from typing import Any, Final

# ISO 4217 (list one, 2024): currencies whose minor unit is not a hundredth.
EXPONENTS: Final = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
    "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
    "CLF": 4, "UYW": 4,
}  # fmt: skip  # a table

STATES: Final = {
    "idle": ("ready to sell", "green"),
    "authenticating": ("somebody stands there and is being recognised", "cyan"),
    "unlocked": ("unlocked, the door has not been opened yet", "yellow"),
    "watching": ("a shopper has the door open", "yellow"),
    "closing": ("door shut, the last sensor data are coming in", "cyan"),
    "tallying": ("door shut, the bill is being worked out", "cyan"),
    "recovering": ("restarted in the middle of a visit", "magenta"),
    "servicing": ("a technician has the cabinet", "magenta"),
    "out of service": ("sells nothing", "red"),
}
OUTCOMES: Final = {
    "charge": "green", "nothing": "default", "review": "yellow", "void": "bright_black", "serviced": "magenta",
}  # fmt: skip


def clean(text: object) -> str:
    """One line without control characters: a name must not be able to move the cursor."""
    return "".join(char if char.isprintable() else "�" for char in str(text))


def clean_lines(text: object) -> str:
    return "\n".join(clean(line) for line in str(text).splitlines())


def money(minor: object, currency: object) -> str:
    """1250, "EUR" → "12.50 EUR".  Integers throughout."""
    if not isinstance(minor, int) or isinstance(minor, bool):
        return "-"
    places = EXPONENTS.get(str(currency), 2)
    whole, part = divmod(abs(minor), 10**places)
    digits = f"{whole:,}.{part:0{places}d}" if places else f"{whole:,}"
    return clean(f"{'-' if minor < 0 else ''}{digits} {currency or ''}".rstrip())


def span(seconds: float) -> str:
    """75.2 → "1 min"; the largest unit that is at least one."""
    for unit, length_s in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length_s:
            return f"{int(seconds // length_s)} {unit}"
    return f"{max(0, int(seconds))} s"


def ago(wall_ms: object, now_ms: float) -> str:
    if not isinstance(wall_ms, int | float):
        return "-"
    passed_s = (now_ms - wall_ms) / 1000
    if passed_s < -1:
        return f"in {span(-passed_s)}"
    return "just now" if passed_s < 1 else f"{span(passed_s)} ago"


def when(wall_ms: object, now_ms: float) -> str:
    """Local time, and how long ago that is."""
    if not isinstance(wall_ms, int | float):
        return "-"
    try:
        local = dt.datetime.fromtimestamp(wall_ms / 1000, tz=dt.UTC).astimezone()
    except (OverflowError, ValueError, OSError):
        return f"{wall_ms} ms, which is no time"
    return f"{local:%Y-%m-%d %H:%M:%S} ({ago(wall_ms, now_ms)})"


def grams(value: object) -> str:
    return f"{value:,.0f} g" if isinstance(value, int | float) else "-"


def count_mib(value: object) -> str:
    return f"{value:.0f} MiB" if isinstance(value, int | float) else "-"


def percent(value: object) -> str:
    return f"{value:.1%}" if isinstance(value, int | float) else "-"


def yes_no(value: object, yes: str, no: str) -> str:
    return "unknown" if value is None else yes if value else no


def state(name: object) -> tuple[str, str, str]:
    """A state's name, what it means, and its colour."""
    plain = "".join(f" {char.lower()}" if char.isupper() else char for char in str(name)).replace("_", " ").strip()
    meaning, colour = STATES.get(plain, ("", "default"))
    return clean(plain), meaning, colour


def so_far(interim: Any) -> str:  # noqa: ANN401  whatever the daemon said
    """What seems to have been taken while the door is open."""
    if not isinstance(interim, dict):
        return "the door is shut"
    taken = [one for one in interim.get("taken") or [] if isinstance(one, dict)]
    goods = ", ".join(f"{one.get('units')} × {one.get('name') or one.get('sku')}" for one in taken) or "nothing"
    return clean(goods if interim.get("settled") else f"{goods}, not settled yet")


def happening(said: dict[str, Any]) -> str:
    """One line for one thing that `watch` tells."""
    match said.get("type"):
        case "step":
            text = f"{said.get('event')}: {state(said.get('before'))[0]} → {state(said.get('after'))[0]}"
            effects = said.get("effects")
            text += f"  ({', '.join(map(str, effects))})" if isinstance(effects, list) and effects else ""
        case "notice":
            text = f"screen: {said.get('screen') or said.get('notice')}"
        case "interim":
            text = f"taken so far: {so_far(said.get('interim'))}"
        case "part":
            text = f"{said.get('part')} is in order" if said.get("ok") else f"{said.get('part')}: {said.get('why')}"
        case "sighting":
            scores = said.get("scores")
            best = max(scores.items(), key=lambda pair: pair[1]) if isinstance(scores, dict) and scores else None
            seen = f"{best[0]} {percent(best[1])}" if best else "nothing it knows"
            text = f"{said.get('camera')} saw {said.get('action')} in {said.get('zone')}: {seen}"
        case "verdict":
            text = f"verdict: {said.get('outcome')} {said.get('total_minor') or ''} {said.get('why') or ''}".rstrip()
        case other:
            text = str(other)
    return clean(text)
