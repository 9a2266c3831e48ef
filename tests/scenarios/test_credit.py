"""May this member shop?  Asked of a small scripted cloud over the real broker, by the real daemon."""

import secrets
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
BUDGET_MS = 3000  # longer than a cabinet's own: the tests share two busy cores, and what is told is who decides


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
    forges: bool = False  # what it says to asks is signed by somebody without our key
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

    def say(self, kind: str, said: wire.Payload, *, forged: bool = False) -> None:
        key = secrets.token_bytes(32) if forged else self._key
        topic, payload = wire.topic(CABINET, "dn", kind), wire.signed(key, CABINET, kind, said)
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
            self.say("terms", {"visit": said["visit"], "nonce": said["nonce"], **self.says}, forged=self.forges)


GRANTED: wire.Payload = {"granted": True, "hold_minor": 1_500, "why": ""}
OWES: wire.Payload = {"granted": False, "hold_minor": 0, "why": UNPAID}


@dataclass
class Place:
    shop: Shop
    cloud: ScriptedCloud

    @property
    def bench(self) -> Bench:
        return self.shop.bench

    def member(self, name: str) -> Member:
        return self.shop.enrol(Person(name, None, None))

    def wait_for_desk(self) -> None:
        """The daemon has heard the welcome, and whether there is a desk."""
        wait_until(lambda: bool(self.cloud.of("hello")), PATIENCE_S, "never connected")
        self.emptied()  # nothing leaves before the welcome
        self.bench.wait_for_state("Idle")

    def turned_away(self, member: Member, why: str) -> None:
        """They come, read why not, and find the door locked; nothing is opened for them."""
        before = self.bench.ask("visits.list")["visits"]
        self.shop.somebody(member.code)  # and tried again every few seconds
        wait_until(lambda: self.bench.status()["screen"] == refused(why), PATIENCE_S, lambda: str(self.bench.status()))
        assert not self.bench.board.control({"do": "pull"})["ok"]
        assert self.bench.ask("visits.list")["visits"] == before

    def buy(self, member: Member) -> str:
        """They buy a cola; the visit's id."""
        visit = self.shop.open_as(member.code)
        self.shop.take("s1", COLA)
        assert basket(self.shop.shut(visit)) == {COLA: 1}
        self.bench.wait_for_state("Idle")
        return visit

    def emptied(self) -> None:
        wait_until(lambda: self.bench.ask("outbox")["count"] == 0, PATIENCE_S, "the outbox does not empty")


@pytest.fixture(scope="module")
def lasting() -> Iterator[Place]:
    """One cabinet; each story has a member of its own, and the cloud says what the story lets it say."""
    first = {"front": pictures.jpeg(pictures.lobby()), "top": goods.drawn(goods.DRAWN_SHELVES, 1)}
    settings: dict[str, dict[str, Any]] = {
        "credit": {"offline_member_visits": 1, "budget_ms": BUDGET_MS},
        "session": {"evidence_timeout_s": 30.0, "tally_timeout_s": 60.0},
    }
    with (
        TemporaryDirectory(prefix="shop-") as folder,
        Quiet(Path(folder), interior=goods.interior(), pictures=first, settings=settings) as bench,
        ScriptedCloud(bench) as cloud,
    ):
        shop = Shop(bench)
        shop.stock_drawn()
        place = Place(shop, cloud)
        place.wait_for_desk()
        yield place


@pytest.fixture
def place(lasting: Place) -> Iterator[Place]:
    lasting.bench.wait_for_state("Idle")
    yield lasting
    lasting.shop.nobody()
    lasting.cloud.says, lasting.cloud.desk, lasting.cloud.forges = None, True, False


def test_a_grant_opens_with_the_clouds_terms_in_the_opening(place: Place) -> None:
    place.cloud.says = GRANTED
    ann = place.member("Ann")
    visit = place.buy(ann)
    assert place.cloud.opened(visit)["terms"] == {"by": "cloud", "hold_minor": 1_500}
    (ask,) = [ask for ask in place.cloud.of("ask") if ask["visit"] == visit]
    assert (ask["member"], ask["hold_minor"]) == (ann.member, 2_000)

    def closings() -> list[dict[str, Any]]:
        return [ev for ev in place.cloud.of("ev") if (ev["visit"], ev["type"]) == (visit, "visit.closed")]

    wait_until(lambda: bool(closings()), PATIENCE_S, "the cloud hears of no closing")
    assert {closing["body"]["member"] for closing in closings()} == {ann.member}


@pytest.mark.campaign
def test_who_owes_is_turned_away_with_words_and_no_unlock(place: Place) -> None:
    place.cloud.says = OWES
    place.turned_away(place.member("Bob"), UNPAID)


def test_a_silent_cloud_is_waited_for_in_vain_and_then_the_offline_policy_opens(place: Place) -> None:
    def in_vain() -> int:
        return int(place.bench.ask("doctor")["counters"]["till"].get("no answer", 0))

    place.emptied()
    before = in_vain()
    visit = place.shop.open_as(place.member("Cal").code)
    assert visit in {ask["visit"] for ask in place.cloud.of("ask")}
    assert place.cloud.opened(visit)["terms"] == {"by": "offline", "hold_minor": 2_000}
    assert in_vain() > before  # for how long exactly is told on virtual time
    place.shop.shut(visit)


@pytest.mark.campaign
def test_a_cloud_that_answers_no_asks_is_not_asked(place: Place) -> None:
    place.emptied()
    place.cloud.desk = False
    place.bench.end("daemon")
    place.cloud.heard.clear()
    place.bench.start_daemon()
    place.wait_for_desk()
    visit = place.shop.open_as(place.member("Dee").code)
    assert place.cloud.opened(visit)["terms"]["by"] == "offline"
    assert place.cloud.of("ask") == []
    place.shop.shut(visit)
    place.bench.end("daemon")
    place.cloud.desk = True
    place.bench.start_daemon()
    place.wait_for_desk()


@pytest.mark.campaign
def test_a_blocked_member_stays_blocked_without_the_cloud_and_after_a_restart(place: Place) -> None:
    eve = place.member("Eve")
    place.cloud.block(7, **{eve.member: DENIED})
    wait_until(lambda: place.bench.status()["credit"]["blocked"] == 1, PATIENCE_S, "the roster does not come")
    place.bench.broker.stop()
    place.bench.kill("daemon")
    place.bench.start_daemon()
    place.bench.wait_for_state("Idle")
    place.turned_away(eve, DENIED)
    credit = as_json(place.bench.socket, "status")["credit"]
    assert (credit["roster"]["version"], credit["blocked"]) == (7, 1)
    assert "list of blocked members 7" in " ".join(cabinet(place.bench.socket, "status").split())
    listed = {row["member"]: row for row in as_json(place.bench.socket, "members", "list")["members"]}
    assert listed[eve.member]["blocked"] == DENIED
    place.bench.broker.start()
    place.wait_for_desk()


def test_a_forged_grant_lets_nobody_in_who_owes(place: Place) -> None:
    fay = place.member("Fay")
    place.cloud.block(8, **{fay.member: UNPAID})
    wait_until(lambda: place.bench.status()["credit"]["roster"] is not None, PATIENCE_S, "the roster does not come")
    wait_until(lambda: place.bench.status()["credit"]["roster"]["version"] == 8, PATIENCE_S, "the roster does not come")
    place.cloud.says, place.cloud.forges = GRANTED, True  # the forger hears the nonce, and has no key
    place.turned_away(fay, UNPAID)
    assert fay.member in {ask["member"] for ask in place.cloud.of("ask")}


def test_a_member_whose_unconfirmed_visits_are_used_up_is_turned_away_with_words(place: Place) -> None:
    place.emptied()
    gus = place.member("Gus")
    place.cloud.acknowledges = False
    place.buy(gus)
    status = as_json(place.bench.socket, "status")["credit"]
    assert status["unconfirmed"] == {"visits": 1, "minor": place.shop.prices[COLA].price}
    place.shop.nobody()
    place.turned_away(gus, MEMBER_LIMIT)
    place.cloud.acknowledges = True
    place.emptied()
