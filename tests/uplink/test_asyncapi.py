"""asyncapi.json against the messages of a real cabinet and a real cloud on a real broker."""

import asyncio
import json
import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import cabinet
from cabinet import wire
from cabinet.ledger import ClosedVisit, Consent, Incident, Ledger
from cabinet.session.states import Idle
from cabinet.sim.broker import Mosquitto
from tests.ledger.examples import COLA, SHELF, line, opened, shop, visit_id
from tests.uplink.real import Spy, cloud_over, now, until, uplink_over
from tests.uplink.world import CAB, KEY

DOCUMENT: dict[str, Any] = json.loads((Path(cabinet.__file__).parent / "asyncapi.json").read_text())


def schema_of(channel: str) -> dict[str, Any]:
    """One JSON Schema for everything the channel may carry."""
    messages = DOCUMENT["channels"][channel]["messages"].values()
    payloads = [resolve(resolve(message["$ref"])["payload"]["$ref"], keep=True) for message in messages]
    return {"anyOf": payloads, "components": DOCUMENT["components"]}


def resolve(ref: str, *, keep: bool = False) -> dict[str, Any]:
    found = DOCUMENT
    for part in ref.removeprefix("#/").split("/"):
        found = found[part]
    return {"$ref": ref} if keep else found


def check(channel: str, payload: object) -> None:
    jsonschema.Draft202012Validator(schema_of(channel)).validate(payload)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    refs = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(DOCUMENT)))
    assert refs
    for ref in refs:
        assert resolve(ref)


def test_every_schema_is_a_valid_json_schema() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_channel_has_one_operation_and_an_address_of_ours() -> None:
    operated = sorted(operation["channel"]["$ref"] for operation in DOCUMENT["operations"].values())
    assert operated == sorted(f"#/channels/{name}" for name in DOCUMENT["channels"])
    for name, channel in DOCUMENT["channels"].items():
        place = wire.split_topic(channel["address"])
        assert place is not None
        assert place[2] == name


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, bytes]]:
    """Everything that passed the broker while a cabinet lived one of each."""
    if shutil.which("mosquitto") is None:
        pytest.skip("mosquitto is not installed")
    folder = tmp_path_factory.mktemp("asyncapi")
    with Mosquitto(folder) as broker, Ledger(folder / "edge.db") as ledger:
        return asyncio.run(_live(broker, ledger, folder / "cloud.db"))


async def _live(broker: Mosquitto, ledger: Ledger, cloud_path: Path) -> list[tuple[str, bytes]]:
    async with Spy(broker) as spy, cloud_over(broker, cloud_path), uplink_over(broker, ledger) as uplink:
        uplink.publish_state(
            {"state": "Idle", "screen": "Welcome", "faults": [{"part": "lock", "why": "loose", "latched": False}]}
        )
        shop(ledger, 1, now())
        review = ClosedVisit(visit_id(2), "review", "torn trace", currency="USD", best_guess=(line(1),))
        ledger.commit(Idle(), [opened(2), review, Incident("forced", visit_id(2), "door")], now())
        ledger.erase(ledger.add_member("Anna", Consent("1", 0, "en")), now())
        uplink.poke()
        await until(lambda: ledger.backlog()[0] == 0, "everything is acknowledged")
        parts = [{"part": "lock", "ok": True, "why": ""}]
        uplink.publish_telemetry(
            {"kind": "health", "parts": parts, "temperature_c": 4.5, "backlog": 0, "clock_quality": "ntp"}
        )
        uplink.publish_telemetry({"kind": "stock", "rows": [{"zone": SHELF, "sku": COLA, "count": 3}]})
        summary = {
            "visit": visit_id(1), "outcome": "charge", "total_minor": 250, "currency": "USD", "lines": 1,
            "confidence": 0.97, "t_close_to_verdict_ms": 120,
        }  # fmt: skip
        uplink.publish_telemetry({"kind": "visit", **summary})
        nak = {"store": ledger.store, "from": 1, "to": 1, "why": "gap"}
        spy.pipe.send(wire.topic(CAB, "dn", "nak"), wire.signed(KEY, CAB, "nak", nak))
        order = {"id": "c1", "kind": "dance", "nonce": "", "ttl_s": 5}
        spy.pipe.send(wire.topic(CAB, "dn", "cmd"), wire.signed(KEY, CAB, "cmd", order))
        await until(lambda: bool(spy.of("up", "res")) and len(spy.of("up", "telemetry")) == 3, "all have passed")
        return list(spy.heard)


def test_every_message_on_a_real_broker_is_as_described(heard: list[tuple[str, bytes]]) -> None:
    for topic, payload in heard:
        place = wire.split_topic(topic)
        assert place is not None
        check(place[2], wire.parse(payload))


def test_every_channel_was_heard(heard: list[tuple[str, bytes]]) -> None:
    assert {topic.split("/")[-1] for topic, _ in heard} == set(DOCUMENT["channels"])


def test_every_kind_of_event_was_heard(heard: list[tuple[str, bytes]]) -> None:
    events = [wire.parse(payload) for topic, payload in heard if topic.endswith("/up/ev")]
    assert {event["type"] for event in events} == set(
        DOCUMENT["components"]["schemas"]["Event"]["properties"]["type"]["enum"]
    )


def test_no_message_names_a_member(heard: list[tuple[str, bytes]]) -> None:
    assert not any(b"Anna" in payload for _, payload in heard)


@pytest.mark.parametrize(
    ("channel", "change"),
    [
        ("ev", {"seq": 0}),
        ("ev", {"type": "party"}),
        ("ev", {"h": "x"}),
        ("state", {"member": "Anna"}),
        ("ack", {"sig": ""}),
    ],
)
def test_the_schemas_refuse_what_is_wrong(
    heard: list[tuple[str, bytes]], channel: str, change: dict[str, object]
) -> None:
    payload = next(wire.parse(payload) for topic, payload in heard if topic.endswith(f"/{channel}"))
    with pytest.raises(jsonschema.ValidationError):
        check(channel, {**payload, **change})
