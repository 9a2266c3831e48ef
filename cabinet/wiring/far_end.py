"""The uplink over a real broker, as the config names it."""

from collections.abc import Callable
from pathlib import Path

import cabinet
from cabinet import clock, config, wire
from cabinet.adapters.mqtt import Broker, MqttPipe, Tls, Will
from cabinet.ledger import Ledger
from cabinet.ports import PortError
from cabinet.uplink import Uplink, offline_payload

KEY_BYTES = 32


def uplink(mqtt: config.Mqtt, cab: str, ledger: Ledger, report: Callable[[str | None], None]) -> Uplink:
    """`report` is told why nothing may be sold because the cloud knows another history (None: it is settled)."""
    pipe = MqttPipe(
        Broker(
            mqtt.host,
            mqtt.port,
            client_id=cab,
            username=mqtt.username,
            password=None if mqtt.password_file is None else mqtt.password_file.read_text().strip(),
            tls=_tls(mqtt),
            retry_s=(1, round(mqtt.reconnect_max_s)),
        ),
        (wire.topic(cab, "dn", "#"),),
        will=Will(wire.topic(cab, "up", "state"), wire.plain(offline_payload(cab))),
    )
    made = Uplink(
        ledger,
        pipe,
        _key(mqtt.key_file),
        cab,
        clock=clock.stamp,
        version=cabinet.__version__,
        on_split=report,
        on_cloud_time=clock.TOLD.hear,
    )
    report(made.trouble())
    return made


def _tls(mqtt: config.Mqtt) -> Tls | None:
    if mqtt.ca_file is None and mqtt.cert_file is None:
        return None
    return Tls(mqtt.ca_file, mqtt.cert_file, mqtt.client_key_file)


def _key(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text().strip())
    except ValueError as error:
        raise PortError(f"{path}: the cloud key must be 64 hexadecimal digits: openssl rand -hex 32") from error
    if len(key) < KEY_BYTES:
        raise PortError(f"{path}: the cloud key has {len(key)} bytes, wants {KEY_BYTES}: openssl rand -hex 32")
    return key
