"""Charges over a real mosquitto that stops, dies, forgets and lies."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet import uplink as uplink_module
from cabinet import wire
from cabinet.adapters.mqtt import Broker, MqttPipe, Tls
from cabinet.ledger import Ledger, Stamp
from cabinet.sim.broker import Mosquitto
from cabinet.uplink import offline_payload
from tests.ledger.examples import shop, visit_id
from tests.uplink.real import RETRY_S, Spy, cloud_over, now, until, uplink_over
from tests.uplink.world import CAB, KEY

pytestmark = pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "edge.db") as ledger:
        yield ledger


def test_three_visits_while_the_broker_is_down_arrive_in_order_once(
    broker: Mosquitto, ledger: Ledger, tmp_path: Path
) -> None:
    async def story() -> list[str]:
        async with cloud_over(broker, tmp_path / "cloud.db") as cloud, uplink_over(broker, ledger) as uplink:
            await until(lambda: bool(uplink.figures()["welcomed"]), "the cabinet is welcome")
            broker.stop()
            await until(lambda: not uplink.figures()["connected"], "the loss is noticed")
            for number in (1, 2, 3):
                shop(ledger, number, now())
                uplink.poke()
            broker.start()
            await until(lambda: ledger.backlog()[0] == 0, "everything is acknowledged")
            return [charge.visit for charge in cloud.charges()]

    assert asyncio.run(story()) == [visit_id(1), visit_id(2), visit_id(3)]


def test_a_charge_goes_to_the_cloud_without_waiting_for_any_timer(
    broker: Mosquitto, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the cabinet is welcome its clock stands and it never looks by itself: nothing falls due any more."""
    monkeypatch.setattr(uplink_module, "LOOK_AGAIN_S", 3600.0)
    standing: list[Stamp] = []

    async def story() -> None:
        async with (
            cloud_over(broker, tmp_path / "cloud.db"),
            uplink_over(broker, ledger, clock=lambda: standing[0] if standing else now()) as uplink,
        ):
            await until(lambda: bool(uplink.figures()["welcomed"]), "the cabinet is welcome")
            standing.append(now())
            shop(ledger, 1, standing[0])
            uplink.poke()
            await until(lambda: ledger.backlog()[0] == 0, "the charge is acknowledged")

    asyncio.run(story())


def test_a_broker_that_is_killed_and_forgets_loses_nothing(broker: Mosquitto, ledger: Ledger, tmp_path: Path) -> None:
    async def story() -> set[str]:
        async with cloud_over(broker, tmp_path / "cloud.db") as cloud, uplink_over(broker, ledger) as uplink:
            for number in range(1, 13):
                shop(ledger, number, now())
                uplink.poke()
                if number % 5 == 0:
                    await until(lambda: bool(uplink.figures()["welcomed"]), "the cabinet is welcome")
                    broker.kill()
                    broker.start()
            await until(lambda: ledger.backlog()[0] == 0, "everything is acknowledged")
            assert len(cloud.charges()) == 12
            return {charge.visit for charge in cloud.charges()}

    assert asyncio.run(story()) == {visit_id(number) for number in range(1, 13)}


def test_visits_wait_for_a_cloud_that_comes_later(broker: Mosquitto, ledger: Ledger, tmp_path: Path) -> None:
    async def story() -> list[str]:
        async with uplink_over(broker, ledger) as uplink:
            shop(ledger, 1, now())
            uplink.poke()
            await until(lambda: bool(uplink.figures()["connected"]), "the cabinet is connected")
            async with cloud_over(broker, tmp_path / "cloud.db") as cloud:
                await until(lambda: ledger.backlog()[0] == 0, "everything is acknowledged")
                return [charge.visit for charge in cloud.charges()]

    assert asyncio.run(story()) == [visit_id(1)]


def test_a_cloud_that_comes_back_greets_so_that_nobody_waits_for_a_timer(
    broker: Mosquitto, ledger: Ledger, tmp_path: Path
) -> None:
    async def story() -> None:
        async with uplink_over(broker, ledger) as uplink:
            async with cloud_over(broker, tmp_path / "cloud.db"):
                shop(ledger, 1, now())
                uplink.poke()
                await until(lambda: ledger.backlog()[0] == 0, "the first visit is acknowledged")
            shop(ledger, 2, now())
            uplink.poke()
            sent = uplink.figures()["sent"]
            await until(lambda: uplink.figures()["sent"] > sent, "events go out to nobody")
            async with Spy(broker) as spy, cloud_over(broker, tmp_path / "cloud.db"):
                await until(lambda: ledger.backlog()[0] == 0, "the second visit is acknowledged")
                await until(
                    lambda: any(said["nonce"] is None for said in spy.of("dn", "welcome")),
                    "the greeting, which answers no hello, is heard here too",
                )

    asyncio.run(story())


def test_a_puback_without_a_cloud_frees_nothing(broker: Mosquitto, ledger: Ledger) -> None:
    async def story() -> None:
        async with Spy(broker) as spy, uplink_over(broker, ledger) as uplink:
            shop(ledger, 1, now())
            uplink.poke()
            await until(lambda: bool(spy.of("up", "hello")), "hello is heard")
            welcome = {
                "store": ledger.store, "hwm": 0, "h": wire.GENESIS, "nonce": None, "cloud_ms": 0, "config_version": 0,
            }  # fmt: skip
            spy.pipe.send(wire.topic(CAB, "dn", "welcome"), wire.signed(KEY, CAB, "welcome", welcome))
            await until(lambda: len(spy.of("up", "ev")) >= 4, "both events are said twice")

    asyncio.run(story())
    assert ledger.backlog()[0] == 2


def test_a_forged_ack_over_the_broker_prunes_nothing(broker: Mosquitto, ledger: Ledger) -> None:
    async def story() -> None:
        async with Spy(broker) as spy, uplink_over(broker, ledger) as uplink:
            shop(ledger, 1, now())
            uplink.poke()
            seq, h = ledger.head()
            ack = {"store": ledger.store, "upto": seq, "h": h, "selective": []}
            await until(lambda: bool(uplink.figures()["connected"]), "the cabinet is connected")
            spy.pipe.send(wire.topic(CAB, "dn", "ack"), wire.signed(b"mallory" * 5, CAB, "ack", ack))
            spy.pipe.send(wire.topic(CAB, "dn", "ack"), wire.canonical(ack))
            spy.pipe.send(wire.topic(CAB, "dn", "ack"), b"\x00garbage")
            await until(
                lambda: uplink.figures().get("forged", 0) == 2 and uplink.figures().get("garbage", 0) == 1,
                "all are heard",
            )

    asyncio.run(story())
    assert ledger.backlog()[0] == 2


def test_a_cabinet_that_dies_between_commit_and_ack_charges_once(
    broker: Mosquitto, ledger: Ledger, tmp_path: Path
) -> None:
    async def story() -> list[str]:
        async with cloud_over(broker, tmp_path / "cloud.db") as cloud:
            async with Spy(broker) as spy, uplink_over(broker, ledger) as dying:
                dying._sender.heard = lambda *_: []  # type: ignore[method-assign]  # deaf: dies before any ack
                shop(ledger, 1, now())
                for row in ledger.unacknowledged():
                    spy.pipe.send(wire.topic(CAB, "up", "ev"), wire.canonical(row.message()))
                await until(lambda: len(cloud.charges()) == 1, "the charge is committed")
            ledger.close()
            with Ledger(tmp_path / "edge.db") as again:
                assert again.backlog()[0] == 2
                async with uplink_over(broker, again):
                    await until(lambda: again.backlog()[0] == 0, "everything is acknowledged")
            return [charge.visit for charge in cloud.charges()]

    assert asyncio.run(story()) == [visit_id(1)]


def test_a_cabinet_that_vanishes_is_offline_by_its_last_will(broker: Mosquitto, ledger: Ledger) -> None:
    async def story() -> list[wire.Payload]:
        async with Spy(broker) as spy, uplink_over(broker, ledger) as uplink:
            uplink.publish_state({"state": "Idle", "screen": "Welcome", "faults": []})
            await until(lambda: any(state["online"] for state in spy.of("up", "state")), "the birth is heard")
            thread_socket = uplink._pipe._client.socket()  # type: ignore[attr-defined]  # pull the cable
            thread_socket.shutdown(2)
            await until(lambda: any(not state["online"] for state in spy.of("up", "state")), "the will is heard")
            return spy.of("up", "state")

    states = asyncio.run(story())
    assert next(state["state"] for state in states if not state["online"]) == "offline"


def test_the_state_is_retained_for_whoever_comes_later(broker: Mosquitto, ledger: Ledger) -> None:
    async def story() -> wire.Payload:
        async with uplink_over(broker, ledger) as uplink:
            uplink.publish_state({"state": "Idle", "screen": "Welcome", "faults": []})
            await until(lambda: bool(uplink.figures()["connected"]), "the cabinet is connected")
            async with Spy(broker) as late:
                await until(lambda: bool(late.of("up", "state")), "the retained state is heard")
                return late.of("up", "state")[0]

    state = asyncio.run(story())
    assert (state["online"], state["state"], state["screen"]) == (True, "Idle", "Welcome")


def test_telemetry_is_shed_while_there_is_no_broker(broker: Mosquitto, ledger: Ledger) -> None:
    broker.stop()

    async def story() -> bool:
        async with uplink_over(broker, ledger) as uplink:
            await until(lambda: "no broker at" in str(uplink.figures()["why"]), "the reason is known")
            return uplink.publish_telemetry({"kind": "stock", "rows": []})

    assert asyncio.run(story()) is False


def test_a_refused_password_is_told_in_words(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), CAB, "right"], check=True)  # its own tool
    passwords.chmod(0o644)

    async def story(port: int, password: str) -> str | None:
        pipe = MqttPipe(Broker("127.0.0.1", port, CAB, CAB, password, retry_s=RETRY_S), ())
        told: list[bool] = []
        pipe.start(lambda _topic, _payload: None, told.append)
        await until(lambda: bool(told) or "refuses" in str(pipe.trouble()), "an answer of the broker")
        why = pipe.trouble()
        await pipe.stop()
        return why

    with Mosquitto(tmp_path, extra=[f"password_file {passwords}"], anonymous=False) as broker:
        assert "refuses us: Not authorized" in str(asyncio.run(story(broker.port, "wrong")))


def test_the_pipe_speaks_tls_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificates, is not installed")
    _make_certificates(tmp_path)
    extra = [
        f"cafile {tmp_path}/ca.pem",
        f"certfile {tmp_path}/server.pem",
        f"keyfile {tmp_path}/server.key",
        "require_certificate true",
        "use_identity_as_username true",
    ]

    async def story(port: int) -> list[bytes]:
        tls = Tls(tmp_path / "ca.pem", tmp_path / "client.pem", tmp_path / "client.key")
        pipe = MqttPipe(Broker("localhost", port, CAB, tls=tls, retry_s=RETRY_S), ("cab/#",))
        heard: list[bytes] = []
        ready: list[bool] = []
        pipe.start(lambda _topic, payload: heard.append(payload), ready.append)
        await until(lambda: ready[-1:] == [True], "the pipe is ready")
        pipe.send("cab/x", b"hello")
        await until(lambda: bool(heard), "the echo")
        await pipe.stop()
        return heard

    with Mosquitto(tmp_path, extra=extra) as broker:
        assert asyncio.run(story(broker.port)) == [b"hello"]


def _make_certificates(folder: Path) -> None:
    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    fresh = ["-newkey", "rsa:2048", "-nodes", "-days", "2"]
    openssl("req", "-x509", *fresh, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test-ca")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name, common in (("server", "localhost"), ("client", CAB)):
        openssl("req", *fresh[:3], "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={common}")
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", "names", "-out", f"{name}.pem",
        )  # fmt: skip


@pytest.mark.parametrize(("size", "goes"), [(4096, True), (4097, False)])
def test_an_event_above_4_kib_is_not_handed_over(broker: Mosquitto, size: int, goes: bool) -> None:  # noqa: FBT001  # a table
    async def story() -> bool:
        async with Spy(broker) as spy:
            return spy.pipe.send(wire.topic(CAB, "up", "ev"), b"x" * size)

    assert asyncio.run(story()) is goes


def test_a_cabinet_that_stops_properly_says_so_itself(broker: Mosquitto, ledger: Ledger) -> None:
    async def story() -> list[wire.Payload]:
        async with Spy(broker) as spy:
            async with uplink_over(broker, ledger) as uplink:
                await until(lambda: bool(uplink.figures()["connected"]), "the cabinet is connected")
            await until(lambda: spy.of("up", "state")[-1:] == [offline_payload(CAB)], "the goodbye is heard")
            return spy.of("up", "state")

    birth, *goodbyes = asyncio.run(story())
    assert birth["online"]
    assert all(not state["online"] for state in goodbyes)  # a broker that cannot answer any more adds the last will


def test_a_cloud_that_knows_another_history_stops_the_sale_until_that_is_stored(
    broker: Mosquitto, ledger: Ledger, tmp_path: Path
) -> None:
    told: list[str | None] = []

    async def story() -> None:
        shop(ledger, 1, now())
        ledger.close()
        shutil.copy(tmp_path / "edge.db", tmp_path / "copy.db")
        async with cloud_over(broker, tmp_path / "cloud.db"):
            with Ledger(tmp_path / "edge.db") as first:
                shop(first, 2, now())
                async with uplink_over(broker, first):
                    await until(lambda: first.backlog()[0] == 0, "both visits are acknowledged")
            with Ledger(tmp_path / "copy.db") as restored:
                async with uplink_over(broker, restored) as uplink:
                    uplink._on_split = told.append
                    await until(lambda: len(told) >= 2, "the split is told and over")

    asyncio.run(story())
    assert "another history" in str(told[0])
    assert told[1] is None
