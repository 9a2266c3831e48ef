"""The price list of the unlock holds through the real processes, whatever changes while the door is open."""

import base64
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from cabinet.cli.demo import goods
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.shop import Member, Shop, basket
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from cabinet.cloud.entries import Charge
from cabinet.cloud.run import charges
from cabinet.screenline import NO_PROOF_OF_AGE
from cabinet.sim import pictures

COLA, LIME, CHIPS = "5000000000011", "5000000000028", "5000000000042"
RULES = {
    "taxes": {"beverage": "19", "food": "7", "deposit": "0"},
    "deposit_tax": "deposit",
    "discounts": [
        {"name": "2 colas for 3.00", "skus": [COLA], "take": 2, "price": 300},
        {"name": "Happy hour", "skus": [LIME], "percent_off": "50", "from": "00:00", "until": "24:00"},
    ],
}


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """A cabinet for grown-ups only; every story leaves it idle with its door shut."""
    first = {"front": pictures.jpeg(pictures.lobby()), "top": goods.drawn(goods.DRAWN_SHELVES, 1)}
    settings: dict[str, dict[str, Any]] = {
        "identity": {"min_age": 18},
        "session": {"evidence_timeout_s": 30.0, "tally_timeout_s": 60.0},
    }
    with (
        TemporaryDirectory(prefix="shop-") as folder,
        Bench(Path(folder), interior=goods.interior(), pictures=first, settings=settings) as bench,
    ):
        shop = Shop(bench)
        shop.stock_drawn()
        yield shop


@pytest.fixture(autouse=True)
def ready(shop: Shop) -> Iterator[None]:
    shop.bench.wait_for_state("Idle")
    yield
    shop.nobody()


@pytest.fixture
def ann(shop: Shop) -> Member:
    """She has shown that she is eighteen."""
    ann = shop.enrol(Person("Ann", None, None))
    shop.bench.ask("members.age", member=ann.member, years=18)
    return ann


def add(shop: Shop, sku: str, **changed: Any) -> None:
    product = next(one for one in goods.DRAWN if one.sku == sku)
    row = {"name": product.name, "mass_g": product.mass_g, "unit_price": product.price, "tax": product.tax}
    shop.bench.ask("catalog.add", sku=sku, **{**row, **changed})


def header_of(shop: Shop, visit: str) -> dict[str, Any]:
    content = base64.b64decode(shop.bench.ask("visits.export", visit=visit)["tar_b64"])
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        file = tar.extractfile(f"{visit}/visit.json")
        assert file is not None
        told: dict[str, Any] = json.loads(file.read())
    return told


def test_prices_deposits_and_discounts_changed_while_the_door_is_open_do_not_touch_the_visit(
    shop: Shop, ann: Member
) -> None:
    add(shop, COLA, deposit=25)
    shop.bench.ask("prices.set", rules=RULES)
    visit = shop.open_as(ann.code)
    add(shop, COLA, unit_price=999, deposit=77)
    after = shop.bench.ask("prices.set", rules={})["price_version"]
    shop.take("s1", COLA)
    shop.take("s1", COLA)
    shop.take("s2", LIME)
    shown = shop.shut(visit)
    assert basket(shown) == {COLA: 2, LIME: 1}, shown
    cola, lime = sorted(shown["visit"]["lines"], key=lambda line: str(line["sku"]))
    assert (cola["total"], cola["deposit"], cola["discount"], cola["reason"]) == (350, 25, 140, "2 colas for 3.00")
    assert shown["visit"]["total_minor"] == 350 + lime["total"]
    header = header_of(shop, visit)
    assert header["prices"]["version"] == shown["visit"]["price_version"] == after - 2
    assert header["prices"]["rules"]["discounts"][0]["price"] == 300
    if not header["clock_trusted"]:  # as on a machine that no time service has told the time
        assert lime["reason"] == "Happy hour: not given, the clock is not trusted"
        assert lime["total"] == 180
    assert "Deposit 2 x 0.25" in shown["receipt"]
    assert "B      0 %      0.50      0.00      0.50" in shown["receipt"]

    def charged() -> list[Charge]:
        return [charge for charge in charges(shop.bench.cloud_db) if charge.visit == visit]

    wait_until(lambda: bool(charged()), PATIENCE_S, "the cloud has no charge")
    (charge,) = charged()
    assert (charge.total_minor, charge.review) == (shown["visit"]["total_minor"], "")


def test_a_restricted_item_is_charged_once_somebody_has_seen_a_proof_of_age(shop: Shop, ann: Member) -> None:
    add(shop, CHIPS, min_age=21)
    visit = shop.open_as(ann.code)
    shop.take("s1", CHIPS)
    shown = shop.shut(visit)
    assert (shown["visit"]["outcome"], shown["visit"]["total_minor"]) == ("review", 0)
    assert "no proof of age for Potato chips" in shown["visit"]["why"]
    shop.bench.ask("members.age", member=ann.member, years=21)
    shop.bench.wait_for_state("Idle")
    visit = shop.open_as(ann.code)
    shop.take("s1", CHIPS)
    assert shop.shut(visit)["visit"]["total_minor"] == 260


def test_a_cabinet_of_restricted_goods_stays_shut_to_members_without_a_proof_of_age(shop: Shop) -> None:
    bench, bob = shop.bench, shop.enrol(Person("Bob", None, None))
    before = bench.ask("visits.list")["visits"]
    shop.somebody(bob.code)  # and tried again every few seconds
    wait_until(lambda: bench.status()["screen"] == NO_PROOF_OF_AGE, PATIENCE_S, lambda: f"{bench.status()['screen']}")
    assert not shop.world.pull()
    assert bench.ask("visits.list")["visits"] == before
    shop.nobody()
    bench.ask("members.age", member=bob.member, years=18)
    shop.shut(shop.open_as(bob.code))
