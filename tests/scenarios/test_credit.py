"""May this member shop?  Asked of a small scripted cloud over the real broker, by the real daemon."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from cabinet import wire
from cabinet.cli.demo import goods
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.processes import CABINET, Bench
from cabinet.cli.demo.shop import Member, Shop, basket
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from cabinet.identity.credit import DENIED, MEMBER_LIMIT, UNPAID
from cabinet.screenline import refused
from cabinet.sim import pictures
from tests.scenarios.command import as_json, cabinet

COLA = "5000000000011"
BUDGET_S = 0.8


class Quiet(Bench):
    """A bench whose far end is the test itself."""

    def start_cloud(self) -> None:
        """Nobody but the scripted one below."""


@dataclass
class ScriptedCloud:
    """Welcomes, keeps the events in memory, and answers asks as it is told to.  Not a settlement: it stores nothing."""

    bench: Bench
    desk: bool = True  # says that it answers asks
    says: wire.Payload | None = None  # the terms, without visit and nonce; None: silence
    acknowledges: bool = True
    heard: list[tuple[str, wire.Payload]] = field(default_factory=list)
    _upto: int = 0
    _h: str = wire.GENESIS
    _store: str = ""

    def __enter__(self) -> Self:
        self._key = bytes.fromhex(self.bench.key_file.read_text())
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("cab/#", qos=1)
        self._client.on_message = lambda _client, _data, message: self._take(message.topic, bytes(message.payload))
        self._client.connect(self.bench.broker.host, self.bench.broker.port)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def of(self, kind: str) -> list[wire.Payload]:
        return [said for what, said in list(self.heard) if what == kind]

    def say(self, kind: str, said: wire.Payload) -> None:
        topic, payload = wire.topic(CABINET, "dn", kind), wire.signed(self._key, CABINET, kind, said)
        self._client.publish(topic, payload, qos=1)

    def block(self, version: int, **why: str) -> None:
        rows = [{"member": member, "why": word} for member, word in why.items()]
        self.say("roster", {"version": version, "part": 1, "parts": 1, "blocked": rows})

    def opened(self, visit: str) -> dict[str, Any]:
        """The body of the visit's opening, once it has come."""

        def found() -> list[wire.Payload]:
            return [ev for ev in self.of("ev") if (ev["visit"], ev["type"]) == (visit, "visit.opened")]

        wait_until(lambda: bool(found()), PATIENCE_S, lambda: f"no opening of {visit}: {self.heard[-3:]}")
        body: dict[str, Any] = found()[0]["body"]
        return body

    def _take(self, topic: str, payload: bytes) -> None:
        place = wire.split_topic(topic)
        if place is None or place[1] != "up":
            return
        kind, said = place[2], wire.parse(payload)
        self.heard.append((kind, said))
        if kind == "hello":
            self._store = said["store"]
            welcome = {"store": self._store, "hwm": self._upto, "h": self._h, "nonce": said["nonce"]}
            self.say("welcome", {**welcome, "cloud_ms": 0, "config_version": 0, "terms": self.desk})
        elif kind == "ev" and self.acknowledges and said["seq"] == self._upto + 1:
            self._upto, self._h = said["seq"], said["h"]
            self.say("ack", {"store": self._store, "upto": self._upto, "h": self._h, "selective": []})
        elif kind == "ask" and self.says is not None:
            assert wire.authentic(self._key, CABINET, "ask", said)
            self.say("terms", {"visit": said["visit"], "nonce": said["nonce"], **self.says})


GRANTED: wire.Payload = {"granted": True, "hold_minor": 1_500, "why": ""}
OWES: wire.Payload = {"granted": False, "hold_minor": 0, "why": UNPAID}


@dataclass
class Place:
    shop: Shop
    cloud: ScriptedCloud
    ann: Member

    @property
    def bench(self) -> Bench:
        return self.shop.bench

    def wait_for_desk(self) -> None:
        wait_until(lambda: bool(self.cloud.of("hello")), PATIENCE_S, "never connected")
        self.bench.wait_for_state("Idle")

    def turned_away(self, why: str) -> None:
        """Ann comes, reads why not, and finds the door locked."""
        self.shop.somebody(self.ann.code)
        wait_until(lambda: self.bench.status()["screen"] == refused(why), PATIENCE_S, lambda: str(self.bench.status()))
        assert not self.bench.board.control({"do": "pull"})["ok"]
        assert self.bench.ask("visits.list")["visits"] == []

    def buy(self) -> str:
        """Ann buys a cola; the visit's id."""
        visit = self.shop.open_as(self.ann.code)
        self.shop.take("s1", COLA)
        assert basket(self.shop.shut(visit)) == {COLA: 1}
        self.bench.wait_for_state("Idle")
        return visit


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    first = {"front": pictures.jpeg(pictures.lobby()), "top": goods.drawn(goods.DRAWN_SHELVES, 1)}
    settings = {"credit": getattr(request, "param", {})}
    with (
        TemporaryDirectory(prefix="shop-") as folder,
        Quiet(Path(folder), interior=goods.interior(), pictures=first, settings=settings) as bench,
        ScriptedCloud(bench) as cloud,
    ):
        shop = Shop(bench)
        shop.stock_drawn()
        place = Place(shop, cloud, shop.enrol(Person("Ann", None, None)))
        place.wait_for_desk()
        yield place


def test_a_grant_opens_with_the_clouds_terms_in_the_opening(place: Place) -> None:
    place.cloud.says = GRANTED
    visit = place.buy()
    assert place.cloud.opened(visit)["terms"] == {"by": "cloud", "hold_minor": 1_500}
    (ask,) = place.cloud.of("ask")
    assert (ask["visit"], ask["member"], ask["hold_minor"]) == (visit, place.ann.member, 2_000)

    def closings() -> list[dict[str, Any]]:
        return [ev for ev in place.cloud.of("ev") if ev["type"] == "visit.closed"]

    wait_until(lambda: bool(closings()), PATIENCE_S, "the cloud hears of no closing")
    assert [closing["body"]["member"] for closing in closings()] == [place.ann.member]


@pytest.mark.campaign
def test_who_owes_is_turned_away_with_words_and_no_unlock(place: Place) -> None:
    place.cloud.says = OWES
    place.turned_away(UNPAID)


def test_a_silent_cloud_costs_the_budget_and_then_the_offline_policy_opens(place: Place) -> None:
    place.shop.somebody(place.ann.code)
    wait_until(lambda: bool(place.cloud.of("ask")), PATIENCE_S, "nobody was asked")
    asked_s = time.monotonic()
    visit = str(place.bench.wait_for_state("Unlocked")["visit"])
    assert time.monotonic() - asked_s > BUDGET_S / 2  # it waited; how long exactly is told on virtual time
    assert place.cloud.opened(visit)["terms"] == {"by": "offline", "hold_minor": 2_000}
    assert place.bench.ask("doctor")["counters"]["till"]["no answer"] == 1


@pytest.mark.campaign
def test_a_cloud_that_answers_no_asks_is_not_asked(place: Place) -> None:
    place.cloud.desk = False
    place.bench.end("daemon")
    place.cloud.heard.clear()
    place.bench.start_daemon()
    place.wait_for_desk()
    visit = place.shop.open_as(place.ann.code)
    assert place.cloud.opened(visit)["terms"]["by"] == "offline"
    assert place.cloud.of("ask") == []


@pytest.mark.parametrize("place", [{"offline_member_visits": 1}], indirect=True)
def test_a_member_whose_unconfirmed_visits_are_used_up_is_turned_away_with_words(place: Place) -> None:
    place.cloud.acknowledges = False
    place.buy()
    place.shop.nobody()
    status = as_json(place.bench.socket, "status")["credit"]
    assert status["unconfirmed"] == {"visits": 1, "minor": place.shop.prices[COLA].price}
    place.shop.somebody(place.ann.code)
    wait_until(lambda: place.bench.status()["screen"] == refused(MEMBER_LIMIT), 40.0, lambda: str(place.bench.status()))
    assert not place.bench.board.control({"do": "pull"})["ok"]
    assert len(place.bench.ask("visits.list")["visits"]) == 1


@pytest.mark.campaign
def test_a_blocked_member_stays_blocked_without_the_cloud_and_after_a_restart(place: Place) -> None:
    place.cloud.block(7, **{place.ann.member: DENIED})
    wait_until(lambda: place.bench.status()["credit"]["blocked"] == 1, PATIENCE_S, "the roster does not come")
    place.bench.broker.stop()
    place.bench.kill("daemon")
    place.bench.start_daemon()
    place.bench.wait_for_state("Idle")
    place.turned_away(DENIED)
    credit = as_json(place.bench.socket, "status")["credit"]
    assert (credit["roster"]["version"], credit["blocked"]) == (7, 1)
    assert "list of blocked members 7" in " ".join(cabinet(place.bench.socket, "status").split())
    (listed,) = as_json(place.bench.socket, "members", "list")["members"]
    assert listed["blocked"] == DENIED


def test_a_forged_grant_lets_nobody_in_who_owes(place: Place) -> None:
    place.cloud.block(1, **{place.ann.member: UNPAID})
    wait_until(lambda: place.bench.status()["credit"]["blocked"] == 1, PATIENCE_S, "the roster does not come")
    place.cloud.says = GRANTED
    place.cloud._key, key = secrets.token_bytes(32), place.cloud._key
    take = place.cloud._take

    def unasked(topic: str, payload: bytes) -> None:
        said = wire.parse(payload)
        if topic.endswith("/up/ask"):  # the forger hears the nonce, and has no key
            place.cloud.say("terms", {"visit": said["visit"], "nonce": said["nonce"], **GRANTED})
        else:
            take(topic, payload)

    place.cloud._client.on_message = lambda _client, _data, message: unasked(message.topic, bytes(message.payload))
    assert place.cloud._key != key
    place.turned_away(UNPAID)
