"""The fleet's list of members over a real mosquitto: who was added comes in, also while the broker is away; who was
removed does not, once there is a connection again.
"""

import asyncio
import contextlib
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cabinet.cloud.books import open_books
from cabinet.cloud.roster import FleetRoster
from cabinet.identity.codes import format_code
from cabinet.identity.signing import kid_of
from cabinet.ledger import Ledger
from cabinet.sim.broker import Mosquitto
from tests.uplink.fleet import MODEL, member_id, said, with_face
from tests.uplink.real import cloud_over, until, uplink_over

pytestmark = pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed")

SECRET = b"sixteen bytes !!"
CARD = format_code(SECRET)
PHONE = Ed25519PrivateKey.from_private_bytes(b"p" * 32).public_key().public_bytes_raw()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "edge.db") as ledger:
        yield ledger


def test_a_member_of_the_cloud_comes_in_also_offline_and_a_removed_one_does_not(
    broker: Mosquitto, ledger: Ledger, tmp_path: Path
) -> None:
    one = said(1, cards=[hashlib.sha256(SECRET).hexdigest()], keys=[PHONE.hex()], **with_face(0.5, 0.25))

    def known() -> tuple[object, bool, bool]:
        key = ledger.key(kid_of(PHONE))
        return ledger.member_of_token(CARD), key is not None, bool(ledger.templates(MODEL))

    async def story() -> None:
        async with cloud_over(broker, tmp_path / "cloud.db"), uplink_over(broker, ledger, members=True) as uplink:
            await until(lambda: uplink.figures().get("members", 0) > 0, "the empty list is confirmed")
            with contextlib.closing(open_books(tmp_path / "cloud.db")) as books:
                fleet = FleetRoster(books)
                fleet.add(one, None, "ann", 1)
                await until(
                    lambda: known() == (member_id(1), True, True), "the member is known by card, phone and face"
                )
                broker.stop()
                await until(lambda: not uplink.figures()["connected"], "the loss is noticed")
                fleet.remove(member_id(1), "ann", 2)
                await asyncio.sleep(0)
                assert known() == (member_id(1), True, True)
                broker.start()
                await until(lambda: known() == (None, False, False), "the member is known no more")
                assert ledger.member(member_id(1)) is None

    asyncio.run(story())
    assert ledger.backlog()[0] == 0


def test_who_is_erased_at_one_cabinet_is_removed_by_the_cloud(
    broker: Mosquitto, ledger: Ledger, tmp_path: Path
) -> None:
    async def story() -> None:
        async with (
            cloud_over(broker, tmp_path / "cloud.db") as store,
            uplink_over(broker, ledger, members=True) as uplink,
        ):
            fleet = FleetRoster(store.books)
            fleet.add(said(1), None, "ann", 1)
            await until(lambda: ledger.fleet_version() == 1, "the member is here")
            assert ledger.erase(member_id(1), uplink._clock()) is not None
            uplink.poke()
            await until(lambda: fleet.member(member_id(1)) is None, "the cloud has heard of it")
            await until(lambda: ledger.fleet_version() == 2, "and has told it")
            assert ledger.fleet_rows() == {}

    asyncio.run(story())
