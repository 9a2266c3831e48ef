"""What a fleet hears of one cabinet: its birth, its end, its health, a whole visit; and never who it was."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from cabinet import wire
from cabinet.cli.demo.goods import DRAWN_SHELVES
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.processes import CABINET
from cabinet.cli.demo.shop import Member, Shop, basket
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from tests.scenarios.command import Fleet
from tests.scenarios.conftest import bench_in
from tests.uplink.test_asyncapi import check

COLA = "5000000000011"
NAME = "Ann Example-Surname"


def left(told: dict[str, Any]) -> int | None:
    """How many colas the first shelf has, of a message about the stock."""
    rows = told["rows"] if told["kind"] == "stock" else []
    return next((row["count"] for row in rows if (row["zone"], row["sku"]) == ("s1", COLA)), None)


@pytest.fixture(scope="module")
def day() -> Iterator[tuple[Fleet, Member, str]]:
    """A power cut, the start after it, and one visit; everything that was heard of it."""
    with TemporaryDirectory(prefix="shop-") as folder, bench_in(Path(folder)) as bench:
        shop = Shop(bench)
        shop.stock_drawn()
        ann = shop.enrol(Person(NAME, None, None))
        wait_until(lambda: bool(bench.status()["cloud"]["connected"]), PATIENCE_S, "never connected")
        with Fleet(bench.broker.host, bench.broker.port) as fleet:
            bench.kill("daemon")
            fleet.wait_for("state", lambda state: not state["online"])
            bench.start_daemon()
            bench.wait_for_state("Idle")
            visit = shop.open_as(ann.code)
            shop.take("s1", COLA)
            assert basket(shop.shut(visit)) == {COLA: 1}
            wait_until(lambda: bool(bench.ask("outbox")["count"] == 0), PATIENCE_S, "the outbox does not empty")
            closing = fleet.wait_for("ev", lambda ev: (ev["visit"], ev["type"]) == (visit, "visit.closed"))
            fleet.wait_for("ack", lambda ack: ack["upto"] >= closing["seq"])
            wait_until(lambda: fleet.of("state")[-1]["state"] == "Idle", PATIENCE_S, "it does not come to rest")
            fleet.wait_for("telemetry", lambda told: told["kind"] == "visit")
            fleet.wait_for("telemetry", lambda told: told["kind"] == "health" and told["backlog"] == 0)
            fleet.wait_for("telemetry", lambda told: left(told) == 1)
            yield fleet, ann, visit


@pytest.fixture
def fleet(day: tuple[Fleet, Member, str]) -> Fleet:
    return day[0]


@pytest.fixture
def visit(day: tuple[Fleet, Member, str]) -> str:
    return day[2]


def test_every_message_is_as_the_document_describes(fleet: Fleet) -> None:
    kinds = set()
    for topic, payload, _ in fleet.heard:
        place = wire.split_topic(topic)
        assert place is not None, topic
        assert place[0] == CABINET
        check(place[2], wire.parse(payload))
        kinds.add(place[2])
    assert kinds >= {"hello", "welcome", "ev", "ack", "state", "telemetry"}


def test_a_daemon_that_is_killed_is_told_of_by_its_will(fleet: Fleet) -> None:
    states = fleet.of("state")
    ends = [n for n, state in enumerate(states) if not state["online"]]
    assert ends
    assert states[ends[0]] == {
        "cab": CABINET, "online": False, "state": "offline", "screen": "", "faults": [], "at": None,
    }  # fmt: skip


def test_a_start_is_told_with_state_and_hello(fleet: Fleet) -> None:
    states = fleet.of("state", retained=False)
    born = next(state for n, state in enumerate(states) if state["online"] and not states[n - 1]["online"])
    assert born["state"] in {"OutOfService", "Idle"}  # its parts may be there before the broker is
    (hello, *_) = fleet.of("hello")
    assert born["at"]["boot"] == hello["boot"]


def test_the_states_of_the_visit_are_told_in_their_order(fleet: Fleet) -> None:
    told = [state["state"] for state in fleet.of("state", retained=False)]
    changes = [name for n, name in enumerate(told) if n == 0 or name != told[n - 1]]
    opened = changes.index("Unlocked") - 1
    assert changes[opened : opened + 6] == ["Authenticating", "Unlocked", "Watching", "Closing", "Tallying", "Idle"]


def test_the_visit_is_told_in_one_line(fleet: Fleet, visit: str) -> None:
    (told,) = [telemetry for telemetry in fleet.of("telemetry") if telemetry["kind"] == "visit"]
    assert (told["visit"], told["outcome"], told["total_minor"], told["lines"]) == (visit, "charge", 220, 1)
    assert told["t_close_to_verdict_ms"] > 0


def test_the_charge_is_an_event_and_is_acknowledged_by_its_hash(fleet: Fleet, visit: str) -> None:
    events = {event["type"]: event for event in fleet.of("ev") if event["visit"] == visit}
    assert set(events) >= {"visit.opened", "visit.closed"}
    known = {event["seq"]: event["h"] for event in fleet.of("ev")}
    acks = [ack for ack in fleet.of("ack") if ack["upto"] >= events["visit.closed"]["seq"]]
    assert acks
    assert all(known[ack["upto"]] == ack["h"] for ack in acks)


def test_health_names_every_part(fleet: Fleet) -> None:
    health = [told for told in fleet.of("telemetry") if told["kind"] == "health"][-1]
    assert {part["part"] for part in health["parts"]} >= {"board", "lock", "scale:s1", "camera:top", "recogniser"}


def test_the_stock_is_told_less_what_was_bought(fleet: Fleet) -> None:
    told = [count for telemetry in fleet.of("telemetry") if (count := left(telemetry)) is not None]
    assert told[-1] == list(DRAWN_SHELVES["s1"]).count(COLA) - 1


def test_no_message_names_the_member_or_holds_the_code(day: tuple[Fleet, Member, str]) -> None:
    fleet, ann, _ = day
    whole = b"\n".join(payload for _, payload, _ in fleet.heard)
    assert whole
    for secret in (NAME, "Surname", ann.token, ann.token.removeprefix("CAB1:")):
        assert secret.encode() not in whole
