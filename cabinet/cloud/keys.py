"""The cabinets' keys as the cloud holds them: a TOML or JSON file, `CAB_ID = "hexadecimal key"` a line.

Refuses short keys and broken files, naming the file and the cabinet, never the key.
"""

import json
import tomllib
from pathlib import Path
from typing import Any, Final

MIN_KEY_BYTES: Final = 16


class KeysError(Exception):
    """The keys file cannot be used; the message names file, cabinet and remedy."""


def load_keys(path: Path) -> dict[str, bytes]:
    """Cabinet id → key.  A TOML file may put them under `[keys]`.  Raises KeysError."""
    try:
        raw = path.read_bytes()
        found: Any = json.loads(raw) if path.suffix == ".json" else tomllib.loads(raw.decode())
    except OSError as error:
        raise KeysError(f"cannot read the keys file {path}: {error.strerror}") from error
    except ValueError as error:
        raise KeysError(f"the keys file {path} is no {path.suffix.lstrip('.') or 'toml'}: {error}") from error
    if isinstance(found, dict) and isinstance(found.get("keys"), dict):
        found = found["keys"]
    if not isinstance(found, dict) or not found:
        raise KeysError(f'the keys file {path} names no cabinet: write CAB_ID = "hexadecimal key" lines')
    return {cab: _key(path, cab, text) for cab, text in found.items()}


def _key(path: Path, cab: str, text: object) -> bytes:
    if "/" in cab or "+" in cab or "#" in cab or not cab:
        raise KeysError(f"{path}: the cabinet {cab!r} cannot be part of a topic")
    try:
        key = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        key = b""
    if len(key) < MIN_KEY_BYTES:
        raise KeysError(
            f"{path}: the key of {cab} is not at least {MIN_KEY_BYTES} bytes in hexadecimal;"
            ' make one with: python3 -c "import secrets; print(secrets.token_hex(32))"'
        )
    return key
