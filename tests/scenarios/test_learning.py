"""What a technician leaves, takes and counts, on real processes: shelf and ledger are compared, masses are learnt."""

import pytest

from cabinet.cli.demo.shop import SHOPPER, Shop
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from cabinet.ledger import Ledger
from cabinet.units import Sku, ZoneId
from tests.scenarios.command import as_json

COLA, S1 = "5000000000011", ZoneId("s1")


def incidents(shop: Shop) -> list[str]:
    with Ledger(shop.bench.data / "ledger.db", read_only=True) as ledger:
        return [row.body["why"] for row in ledger.outbox(limit=200) if row.type == "incident"]


@pytest.mark.campaign
def test_a_technicians_day_teaches_the_mass_and_tells_of_the_bottle_that_went(shop: Shop) -> None:
    socket = shop.bench.socket
    visit = as_json(socket, "unlock", "--purpose", "restock", "--reason", "weekly")["visit"]
    assert shop.pull()
    for _ in range(3):
        shop.world.supply(SHOPPER, Sku(COLA))
        shop.lay("s1", COLA)
        shop.feel("s1")
    assert shop.shut(visit)["visit"]["outcome"] == "serviced"
    stood = {row["sku"]: row["count"] for row in as_json(socket, "stock", "list")["stock"] if row["zone"] == "s1"}
    as_json(socket, "stock", "set", "s1", COLA, str(stood[COLA] + 3))

    def learnt() -> bool:
        rows = as_json(socket, "catalog", "masses")["masses"]
        return any(row["sku"] == COLA and row["units"] == 3 and row["in_use"] for row in rows)

    wait_until(learnt, PATIENCE_S, "the mass is learnt")
    assert incidents(shop) == []
    shop.bench.wait_for_state("Idle")
    visit = as_json(socket, "unlock", "--reason", "new lamp")["visit"]
    assert shop.pull()
    shop.lift("s1", COLA)
    shop.feel("s1")
    shop.shut(visit)
    wait_until(lambda: bool(incidents(shop)), PATIENCE_S, "the bottle is missed")
    (why,) = incidents(shop)
    assert why.startswith("goods left during a service: zone s1 weighs")
    assert COLA in why
