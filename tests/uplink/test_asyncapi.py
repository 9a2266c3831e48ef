"""asyncapi.json against the messages of a real cabinet and a real cloud on a real broker."""

import asyncio
import contextlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import cabinet
from cabinet import wire
from cabinet.basket.verdict import Line, Tax
from cabinet.cloud.books import open_books
from cabinet.cloud.roster import FleetRoster
from cabinet.ledger import Adjustment, ClosedVisit, Consent, Incident, Ledger
from cabinet.session.states import Idle
from cabinet.sim.broker import Mosquitto
from cabinet.uplink import Uplink
from tests.ledger.examples import COLA, SHELF, charged, line, opened, shop, visit_id
from tests.uplink.fleet import member_id, with_face
from tests.uplink.fleet import said as member_of
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
    async with Spy(broker) as spy, cloud_over(broker, cloud_path), uplink_over(broker, ledger, members=True) as uplink:
        uplink.publish_state(
            {"state": "Idle", "screen": "Welcome", "faults": [{"part": "lock", "why": "loose", "latched": False}]}
        )
        shop(ledger, 1, now())
        review = ClosedVisit(visit_id(2), "review", "torn trace", currency="USD", best_guess=(line(1),))
        ledger.commit(Idle(), [opened(2), review, Incident("forced", visit_id(2), "door")], now())
        full = Line(COLA, "Cola", 3, 250, "std", 25, 250, "3 for 2", (Tax("std", 190_000, 575, 109, added=True),))
        ledger.commit(Idle(), [opened(3), charged(3, [full])], now())
        anna = ledger.add_member("Anna", Consent("1", 0, "en"))
        ledger.withdraw_face(anna, now())
        ledger.erase(anna, now())
        for change in CHANGES:
            ledger.adjust(change, now())
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
        await _ask(uplink, ledger, spy)  # before the nak: that may bring a welcome of a cloud without accounts
        newest = await _members(uplink, cloud_path)
        nak = {"store": ledger.store, "from": 1, "to": 1, "why": "gap"}
        spy.pipe.send(wire.topic(CAB, "dn", "nak"), wire.signed(KEY, CAB, "nak", nak))
        order = {"id": "c1", "kind": "dance", "nonce": "", "ttl_s": 5}
        spy.pipe.send(wire.topic(CAB, "dn", "cmd"), wire.signed(KEY, CAB, "cmd", order))
        await until(lambda: bool(spy.of("up", "res")) and len(spy.of("up", "telemetry")) >= 3, "all have passed")
        await until(lambda: any(said["to"] == newest for said in spy.of("dn", "members")), "the spy has the list too")
        return list(spy.heard)


CHANGES = (
    Adjustment("01REFUND", visit_id(1), "refund", "broken seal", "ann", 100),
    Adjustment("01CORRECTION", visit_id(3), "correction", "counted twice", "ann", 184, (line(2),)),
    Adjustment(
        "01DISPUTE", visit_id(3), "dispute", "was not me", "ann",
        facts={"evidence": "v.tar", "evidence_hash": "a" * 64, "due_ms": 5},
    ),
)  # fmt: skip  # a table


async def _ask(uplink: Uplink, ledger: Ledger, spy: Spy) -> None:
    """A cloud that keeps accounts greets, is asked, answers, and tells whom no cabinet lets in."""
    (mark, h), here = ledger.head(), {"store": ledger.store}
    greeting = {**here, "hwm": mark, "h": h, "nonce": None, "cloud_ms": 5, "config_version": 0, "terms": True}
    spy.pipe.send(wire.topic(CAB, "dn", "welcome"), wire.signed(KEY, CAB, "welcome", greeting))
    await until(lambda: bool(uplink.figures()["answers_asks"]), "the greeting has come")
    ask = {"visit": visit_id(4), "member": "01ANNA", "currency": "USD", "hold_minor": 2_000, "nonce": "0a" * 8}
    assert uplink.ask(ask)
    terms = {"visit": visit_id(4), "nonce": "0a" * 8, "granted": False, "hold_minor": 0, "why": "unpaid"}
    roster = {"version": 1, "part": 1, "parts": 1, "blocked": [{"member": "01ANNA", "why": "unpaid"}]}
    for kind, said in (("terms", terms), ("roster", roster)):
        spy.pipe.send(wire.topic(CAB, "dn", kind), wire.signed(KEY, CAB, kind, said))
    await until(lambda: bool(spy.of("up", "ask") and spy.of("dn", "roster")), "all of it has passed")


async def _members(uplink: Uplink, cloud_path: Path) -> int:
    """One of each kind of change; the version that the cabinet has in the end."""
    whole = {**with_face(0.5, 0.25), "verified": True, "age": 21, "digits": "4711", "keys": ["58" + "66" * 31]}

    async def told(version: int) -> None:
        await until(lambda: uplink._ledger.fleet_version() >= version, f"version {version} is here")

    with contextlib.closing(open_books(cloud_path)) as books:
        fleet = FleetRoster(books)
        await told(0)
        fleet.add(member_of(1, **whole), None, "ann", 1)
        fleet.add(member_of(2), None, "ann", 1)
        await told(2)
        fleet.remove(member_id(1), "ann", 2)
        fleet.change({"member": member_id(2), "verified": True}, None, "ann", 2, keep=True)
        fleet.add(member_of(3), None, "ann", 2)
        await told(5)
    return 5


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


def test_every_kind_of_change_of_the_members_was_heard(heard: list[tuple[str, bytes]]) -> None:
    told = [wire.parse(payload) for topic, payload in heard if topic.endswith("/dn/members")]
    assert {change["op"] for message in told for change in message["changes"]} == {"add", "change", "remove"}


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
        ("known", {"hash": "x"}),
        ("members", {"from": -1}),
        ("members", {"changes": [{"op": "dance", "member": "01J00000000000000000000001"}]}),
        ("members", {"changes": [{"op": "remove", "member": "Anna"}]}),
    ],
)
def test_the_schemas_refuse_what_is_wrong(
    heard: list[tuple[str, bytes]], channel: str, change: dict[str, object]
) -> None:
    payload = next(wire.parse(payload) for topic, payload in heard if topic.endswith(f"/{channel}"))
    with pytest.raises(jsonschema.ValidationError):
        check(channel, {**payload, **change})
