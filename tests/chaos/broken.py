"""Two cabinets that are broken on purpose, so that the harness is seen to notice.  Nothing else may use this.

`puback`: the edge holds a row for delivered once the broker has sent its PUBACK.  `nodedupe`: the cloud's tables have
no unique keys, so what comes twice is stored twice; it runs as `python -m tests.chaos.broken cloud run …`.
"""

from typing import Any

from paho.mqtt import client as paho

from cabinet import clock, wire
from cabinet.adapters.mqtt import Broker, MqttPipe, Will
from cabinet.ledger import Ledger

UNIQUE = (("    stored_ms {int} NOT NULL,\n    UNIQUE (cab, store, seq, h)\n", "    stored_ms {int} NOT NULL\n"),
          ("visit TEXT NOT NULL UNIQUE", "visit TEXT NOT NULL"))  # fmt: skip  # pairs: as it is, and without the key


class TrustingPipe(MqttPipe):
    """Takes a PUBACK for a receipt, and therefore finds nothing to say again whatever the cloud's mark says."""

    def __init__(self, broker: Broker, subscribe: tuple[str, ...], ledger: Ledger, *, will: Will | None = None) -> None:
        self._ledger = ledger
        self._sent: dict[int, bytes] = {}  # message id → event
        ledger.reopen = lambda above: 0  # type: ignore[method-assign]  # what is delivered is delivered
        super().__init__(broker, subscribe, will=will)

    def _make_client(self, will: Will | None) -> paho.Client:
        client = super()._make_client(will)
        publish = client.publish

        def noted(topic: str, payload: bytes, **rest: Any) -> paho.MQTTMessageInfo:
            info = publish(topic, payload, **rest)
            if topic.endswith("/up/ev"):
                self._sent[info.mid] = payload
            return info

        client.publish = noted  # type: ignore[method-assign,assignment]  # the one place that knows the message id
        client.on_publish = lambda _client, _data, mid, _reason, _properties: self._to_loop(self._delivered, mid)
        return client

    def _delivered(self, mid: int) -> None:
        payload = self._sent.pop(mid, None)
        if payload is not None:
            event = wire.parse(payload)
            self._ledger.acknowledge(0, wire.GENESIS, {event["seq"]: event["h"]}, clock=clock.stamp())


def keyless(sql: str) -> str:
    """Raises ValueError where the tables are no longer written as we know them: then nothing would be broken."""
    for keyed, bare in UNIQUE:
        if keyed not in sql:
            raise ValueError(f"this unique key is no longer there to be taken away: {keyed!r}")
        sql = sql.replace(keyed, bare)
    return sql


def forget_unique_keys() -> None:
    """Nor does such a cloud look at whether a place is taken."""
    from cabinet.cloud.books import schema
    from cabinet.cloud.store import CloudStore

    CloudStore._fork = lambda *_: None  # type: ignore[method-assign]  # likewise on purpose

    first, *rest = schema.MIGRATIONS
    schema.MIGRATIONS = (keyless(first), *rest)  # type: ignore[misc,assignment]  # the product's constant, broken on purpose


def main() -> None:
    forget_unique_keys()
    from cabinet.__main__ import main as cabinet

    cabinet()


if __name__ == "__main__":
    main()
