"""A member of the fleet's list: comes in by card here, also while the broker is away; is taken off, and does not."""

import base64
import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from cabinet.cli.demo import goods, people
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.shop import Shop, basket
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from cabinet.sim import pictures
from tests.scenarios.command import as_json, cabinet, typed

COLA = "5000000000011"
MEMBER = "01JD0000000000000000000001"
SECRET = b"sixteen bytes !!"
CARD = people.code_picture("CAB1:" + base64.b32encode(SECRET).decode().rstrip("="))
ENTRY = {
    "member": MEMBER, "consent": {"version": "3", "language": "en", "at_ms": 1_790_000_000_000}, "verified": True,
    "cards": [hashlib.sha256(SECRET).hexdigest()],
}  # fmt: skip  # a row


def at_the_far_end(bench: Bench, *words: str) -> None:
    done = typed(["cloud", "roster", *words, "--db", str(bench.cloud_db)])
    assert done.returncode == 0, done.stderr


def buy(shop: Shop) -> str:
    visit = shop.open_as(CARD)
    shop.take("s1", COLA)
    assert basket(shop.shut(visit)) == {COLA: 1}
    shop.bench.wait_for_state("Idle")
    return visit


def knows(bench: Bench, members: int) -> bool:
    return bool(bench.status()["fleet"]["members"] == members)


def unknown_codes(bench: Bench) -> int:
    return int(bench.ask("doctor")["counters"]["greeter"].get("unknown codes", 0))


def test_a_member_of_the_fleet_shops_here_also_offline_until_they_are_taken_off(tmp_path: Path) -> None:
    first = {"front": pictures.jpeg(pictures.lobby()), "top": goods.drawn(goods.DRAWN_SHELVES, 1)}
    with (
        TemporaryDirectory(prefix="shop-") as folder,
        Bench(Path(folder), interior=goods.interior(), pictures=first) as bench,
    ):
        shop = Shop(bench)
        shop.stock_drawn()
        bench.wait_for_state("Idle")
        (tmp_path / "member.json").write_text(json.dumps(ENTRY))
        at_the_far_end(bench, "add", str(tmp_path / "member.json"))
        wait_until(lambda: knows(bench, 1), PATIENCE_S, lambda: str(bench.status()))
        visit = buy(shop)
        assert as_json(bench.socket, "visits", "show", visit)["visit"]["member"] == MEMBER
        bench.broker.stop()
        wait_until(lambda: not bench.status()["cloud"]["connected"], PATIENCE_S, "the loss is not noticed")
        buy(shop)
        at_the_far_end(bench, "remove", MEMBER)
        assert knows(bench, 1)
        bench.broker.start()
        wait_until(lambda: knows(bench, 0), PATIENCE_S, lambda: str(bench.status()))
        assert unknown_codes(bench) == 0
        shop.somebody(CARD)
        wait_until(lambda: unknown_codes(bench) > 0, PATIENCE_S, "nobody is seen")
        assert not bench.board.control({"do": "pull"})["ok"]
        assert len(bench.ask("visits.list")["visits"]) == 2
        assert "version 2, 0 members" in " ".join(cabinet(bench.socket, "status").split())
