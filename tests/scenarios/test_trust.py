"""Why a member was let in or turned away, asked of the real daemon by the real command line."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cabinet.cli.demo import goods
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.shop import Member, Shop, basket
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from cabinet.identity.risk import CARD_TOO_OFTEN
from cabinet.screenline import refused
from cabinet.sim import pictures
from tests.scenarios.command import as_json, cabinet

COLA = "5000000000011"


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Where a card opens twice a day, for ten at most."""
    first = {"front": pictures.jpeg(pictures.lobby()), "top": goods.drawn(goods.DRAWN_SHELVES, 1)}
    settings = {"identity": {"card_hold_minor": 1_000, "card_visits_per_day": 2}}
    with (
        TemporaryDirectory(prefix="shop-") as folder,
        Bench(Path(folder), interior=goods.interior(), pictures=first, settings=settings) as bench,
    ):
        shop = Shop(bench)
        shop.stock_drawn()
        bench.wait_for_state("Idle")
        yield shop


def buy(shop: Shop, member: Member) -> str:
    visit = shop.open_as(member.code)
    shop.take("s1", COLA)
    assert basket(shop.shut(visit)) == {COLA: 1}
    shop.bench.wait_for_state("Idle")
    return visit


def test_a_technician_reads_why_a_member_was_let_in_for_how_much_and_why_not_any_more(shop: Shop) -> None:
    ann, socket = shop.enrol(Person("Ann", None, None)), shop.bench.socket
    first = as_json(socket, "visits", "show", buy(shop, ann))["admission"]
    assert (first["member"], first["way"], first["judgement"]) == (ann.member, "card", "allow")
    assert (first["limit_minor"], first["reasons"]) == (1_000, ["card: limit 1000", "new: limit 2000"])

    cabinet(socket, "members", "trust", ann.member, "--add", "misconduct", "--note", "left a stone")
    told = as_json(socket, "members", "trust", ann.member)
    assert (told["trust"], [event["note"] for event in told["events"]]) == (45, ["left a stone"])
    second = buy(shop, ann)
    assert as_json(socket, "visits", "show", second)["admission"]["reasons"][0] == "trust 45 < 50"
    assert "trust 45 < 50; card: limit 1000" in cabinet(socket, "visits", "show", second)

    shop.somebody(ann.code)
    line = refused(CARD_TOO_OFTEN)
    wait_until(lambda: shop.bench.status()["screen"] == line, PATIENCE_S, lambda: str(shop.bench.status()))
    assert not shop.world.pull()
    (attempt, *_) = as_json(socket, "visits", "refused")["refused"]
    assert (attempt["member"], attempt["why"]) == (ann.member, CARD_TOO_OFTEN)
    assert attempt["reasons"][0] == "card visits 2 of 2 in 1 d"
    assert "Ann" not in cabinet(socket, "visits", "refused")
    said = "\n".join(shop.bench.logs())
    assert ("trust_event kind=misconduct" in said, "left a stone" in said) == (True, False)
