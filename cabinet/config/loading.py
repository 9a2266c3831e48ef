"""The file read: its paths made whole, everything checked, and every complaint in one line."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cabinet.config.explaining import plain
from cabinet.config.values import ConfigError
from cabinet.config.whole import Config

PATHS = ("cabinet.data_dir", "cabinet.socket", "board.key_file", "items.model", "identity.issuer_keys_file",
         "identity.live_model", "mqtt.key_file", "mqtt.password_file",
         "mqtt.ca_file", "mqtt.cert_file", "mqtt.client_key_file")  # fmt: skip


def load(path: Path) -> Config:
    """Read and check the file.  Relative paths in it are relative to its folder.  Raises ConfigError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name the file with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    try:
        config = Config.model_validate(_anchored(table, path.parent.absolute()))
    except ValidationError as error:
        raise ConfigError("\n".join(plain(path, fault) for fault in error.errors())) from error
    missing = _missing_files(config)
    if missing:
        raise ConfigError("\n".join(f"{path}: {line}" for line in missing))
    return config


def _anchored(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    anchored = {name: dict(value) if isinstance(value, dict) else value for name, value in table.items()}
    for path in PATHS:
        section, key = path.split(".")
        there = anchored.get(section)
        if isinstance(there, dict) and isinstance(there.get(key), str):
            there[key] = folder / there[key]
    for camera in anchored["cameras"] if isinstance(anchored.get("cameras"), list) else []:
        if isinstance(camera, dict) and _is_file(camera.get("source")):
            camera["source"] = str(folder / camera["source"])
    return anchored


def _missing_files(config: Config) -> list[str]:
    lines = []
    if not (config.items.model / "model.toml").is_file():
        lines.append(f"items.model: there is no model.toml in {config.items.model}; name a folder such as models/item")
    issuers = config.identity.issuer_keys_file
    if issuers is not None and not issuers.is_file():
        lines.append(f"identity.issuer_keys_file: {issuers} is not there; create it or correct the path")
    if config.mqtt is not None:
        for key in ("key_file", "password_file", "ca_file", "cert_file", "client_key_file"):
            file = getattr(config.mqtt, key)
            if file is not None and not file.is_file():
                lines.append(f"mqtt.{key}: {file} is not there; create it or correct the path")
    lines += [
        f"cameras.{camera.id}.source: {camera.source} is not there; name a device, file or address"
        for camera in config.cameras
        if _is_file(camera.source) and not Path(str(camera.source)).exists()
    ]
    if config.cabinet.data_dir.exists() and not config.cabinet.data_dir.is_dir():
        lines.append(f"cabinet.data_dir: {config.cabinet.data_dir} is not a folder")
    return lines


def _is_file(source: object) -> bool:
    """A device may come later and an address may be down; a recording is there or was mistyped."""
    return isinstance(source, str) and "://" not in source and not source.startswith(("csi:", "/dev/"))
