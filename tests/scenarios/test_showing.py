"""What the shopper is shown while the door is open, and that it is gone afterwards."""

from typing import Any

from cabinet.cli.demo.shop import Member, Shop, basket
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until

COLA, OATS = "5000000000011", "5000000000035"


def units(shop: Shop) -> dict[str, int] | None:
    """SKU -> units as shown now; None while it is not settled or not shown."""
    shown: dict[str, Any] | None = shop.bench.status()["interim"]
    return None if shown is None or not shown["settled"] else {one["sku"]: one["units"] for one in shown["taken"]}


def test_the_screen_follows_what_i_take_and_put_back_and_forgets_it_when_i_have_paid(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    place = shop.take("s1", COLA)
    wait_until(lambda: units(shop) == {COLA: 1}, PATIENCE_S, lambda: f"shown: {shop.bench.status()['interim']}")
    assert shop.bench.status()["screen"].startswith("So far: ")
    shop.take("s2", OATS)
    wait_until(
        lambda: units(shop) == {COLA: 1, OATS: 1}, PATIENCE_S, lambda: f"shown: {shop.bench.status()['interim']}"
    )
    shop.put_back("s1", COLA, place)
    wait_until(lambda: units(shop) == {OATS: 1}, PATIENCE_S, lambda: f"shown: {shop.bench.status()['interim']}")
    assert basket(shop.shut(visit)) == {OATS: 1}

    def forgotten() -> bool:
        after = shop.bench.status()
        return after["interim"] is None and "So far" not in after["screen"]

    wait_until(forgotten, PATIENCE_S, lambda: f"still shown: {shop.bench.status()['screen']}")
