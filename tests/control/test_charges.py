"""Money back, a bill put right and a dispute over the technician's socket: done whole or refused with why."""

import asyncio
import hashlib
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from cabinet import trace
from cabinet.basket.evidence import Product, Visit
from cabinet.basket.prices import Discount, PayFor, PriceRules
from cabinet.basket.pricing import lines
from cabinet.basket.verdict import Line
from cabinet.control.charges import ANSWER_DAYS, ChargesDesk
from cabinet.control.requests import RequestError
from cabinet.ledger import ClosedVisit, Ledger, OpenedVisit
from cabinet.session.states import Idle, Unlocked
from cabinet.units import Sku, VisitId
from cabinet.wiring.facts import prices_at
from tests.basket.visits import header
from tests.control.room import facts
from tests.ledger.examples import ANNA, SHELF, stamp

if TYPE_CHECKING:
    from cabinet.control.blurring import Blurring

VISIT = VisitId("01J8Z0000000000000000000V1")
COLA, BREAD, GUM = Sku("C"), Sku("B"), Sku("G")
CATALOG = {
    COLA: Product("Cola", 505.0, 250, tax="drink", deposit=25),
    BREAD: Product("Bread", 300.0, 199, tax="food"),
    GUM: Product("Gum", 30.0, 90, tax="food"),
}
RULES = PriceRules({"drink": 190_000, "food": 70_000}, "", (Discount("3 for 2", frozenset({COLA}), PayFor(3, 2)),))


class Room:
    """3 colas and a bread, sold at RULES: 2 x 2.50 + 3 x 0.25 + 1.99 = 7.74."""

    def __init__(self, folder: Path, **prices: Any) -> None:
        self.ledger, self.told, self.traces = Ledger(folder / "l.db"), 0, folder / "traces"
        self.ledger.put_products(CATALOG)
        self.ledger.set_price_rules(RULES, "ann", stamp())
        self.config = facts(folder, prices={"time_zone": "Europe/Berlin", **prices})
        self.disputes = folder / "disputes"
        self.desk = ChargesDesk(
            self.ledger, self.traces, self.disputes, "c1",
            lambda record: prices_at(self.config, self.ledger, record.opened, record.price_version), self._written,
        )  # fmt: skip  # what goes where
        self.sell()

    def sell(self) -> None:
        version = self.ledger.price_version()
        prices = prices_at(self.config, self.ledger, stamp(), version)
        about = replace(header(catalog=CATALOG), prices=prices)
        self.bill = lines({COLA: 3, BREAD: 1}, about)
        opened = OpenedVisit(VISIT, ANNA, "shop", "face", "", version, {SHELF: 1.0}, "")
        self.ledger.commit(Unlocked(VISIT, ANNA, 1.0), [opened], stamp())
        total = sum(line.total for line in self.bill)
        self.ledger.commit(Idle(), [ClosedVisit(VISIT, "charge", "", self.bill, total, "EUR", 0.9)], stamp())
        (self.traces / VISIT).parent.mkdir(exist_ok=True)
        trace.write(self.traces / VISIT, Visit(about, ()))

    def _written(self) -> None:
        self.told += 1

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        arguments = {"visit": VISIT, "reason": "why not", **arguments}
        told: dict[str, Any] = asyncio.run(self.desk.operations()[f"charges.{operation}"](arguments, "ann"))
        json.dumps(told)  # it goes over a socket
        return told

    def types(self) -> list[str]:
        return [row.type for row in reversed(self.ledger.outbox())]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_an_amount_is_given_back_in_the_name_of_whoever_asks_and_the_cloud_is_told(room: Room) -> None:
    told = room.ask("refund", amount_minor=120)
    assert (told["charged_minor"], told["back_minor"], told["still_minor"], told["again"]) == (774, 120, 654, False)
    assert (told["change"]["who"], told["change"]["reason"], room.told) == ("ann", "why not", 1)
    assert room.types() == ["visit.opened", "visit.closed", "visit.refunded"]
    assert (told["queued"], told["waiting"]) == (True, 3)


def test_all_gives_back_what_is_left_and_then_nothing_is(room: Room) -> None:
    room.ask("refund", amount_minor=100)
    assert room.ask("refund", all=True)["change"]["back_minor"] == 674
    for how in ({"all": True}, {"amount_minor": 1}, {"lines": {BREAD: 1}}):
        with pytest.raises(RequestError, match=r"nothing is left|0 are left"):
            room.ask("refund", **how)
    assert room.told == 2


def test_units_of_a_line_are_given_back_at_what_they_cost_to_the_last_cent(room: Room) -> None:
    cost = [room.ask("refund", lines={COLA: 1})["change"]["back_minor"] for _ in range(3)]
    assert (cost, sum(cost)) == ([191, 192, 192], 575)  # 2 x 2.50 for three, and their deposits
    with pytest.raises(RequestError, match="1 of C cannot be given back: 3 are on the bill, 3 were given back before"):
        room.ask("refund", lines={COLA: 1})
    with pytest.raises(RequestError, match="G is not on the bill"):
        room.ask("refund", lines={GUM: 1})


def test_more_than_was_charged_is_refused(room: Room) -> None:
    with pytest.raises(RequestError, match="775 cannot be given back"):
        room.ask("refund", amount_minor=775)
    assert (room.told, room.types()[-1]) == (0, "visit.closed")


@pytest.mark.parametrize("how", [{}, {"all": True, "amount_minor": 1}, {"amount_minor": -1}, {"lines": {COLA: 0}}])
def test_an_unclear_refund_is_refused(room: Room, how: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        room.ask("refund", **how)
    assert room.told == 0


@pytest.mark.parametrize("how", [{"amount_minor": 774}, {"all": True}, {"lines": {COLA: 3}}])
def test_the_same_id_twice_is_one_refund(room: Room, how: dict[str, Any]) -> None:
    first = room.ask("refund", id="01J8Z0000000000000000000R1", **how)
    second = room.ask("refund", id="01J8Z0000000000000000000R1", **how)
    assert (second["again"], second["change"], second["back_minor"]) == (True, first["change"], first["back_minor"])
    assert (room.told, room.types().count("visit.refunded")) == (1, 1)


def test_a_corrected_bill_is_priced_by_the_visits_own_list_taxes_and_deposits_with_it(room: Room) -> None:
    room.ledger.put_products({COLA: Product("Cola", 505.0, 999, tax="drink", deposit=99)})
    room.ledger.set_price_rules(PriceRules({"drink": 500_000, "food": 500_000}), "bob", stamp())
    told = room.ask("correct", set={COLA: 2})
    cola = next(line for line in told["lines"] if line["sku"] == COLA)
    assert (cola["unit_price"], cola["deposit"], cola["discount"], cola["total"]) == (250, 25, 0, 550)
    assert cola["taxes"] == ({"name": "drink", "rate_ppm": 190_000, "net": 462, "tax": 88, "added": False},)
    assert (told["change"]["back_minor"], told["still_minor"]) == (25, 749)
    assert room.ledger.outbox(1)[0].body["total_minor"] == 749
    assert [line["quantity"] for line in told["bill"]] == [1, 3]


def test_a_tax_that_was_added_to_the_bill_is_added_again_whatever_the_configuration_says_now(tmp_path: Path) -> None:
    room = Room(tmp_path, tax_included=False)
    room.config = facts(tmp_path, prices={"time_zone": "Europe/Berlin", "tax_included": True})
    total = room.ask("show")["charged_minor"]
    told = room.ask("correct", set={BREAD: 0})
    assert (total, told["still_minor"]) == (684 + 213, 684)  # 5.75 + 19 %, 1.99 + 7 %


def test_a_bill_whose_quantities_did_not_change_comes_out_as_it_was(room: Room) -> None:
    with pytest.raises(RequestError, match="that is the bill already"):
        room.ask("correct", set={COLA: 3, BREAD: 1})


def test_a_correction_never_charges_more(room: Room) -> None:
    with pytest.raises(RequestError, match="a correction only ever gives back"):
        room.ask("correct", set={BREAD: 2})
    room.ask("refund", amount_minor=300)
    with pytest.raises(RequestError, match="a correction only ever gives back"):
        room.ask("correct", set={COLA: 2})
    assert room.types()[-1] == "visit.refunded"


def test_what_was_taken_for_something_dearer_is_corrected_at_the_visits_price(room: Room) -> None:
    room.ledger.put_products({GUM: Product("Gum", 30.0, 900, tax="food")})
    told = room.ask("correct", set={BREAD: 0, GUM: 1})
    assert (told["still_minor"], told["change"]["back_minor"]) == (575 + 90, 109)


def test_a_product_whose_price_nobody_knows_any_more_is_refused(room: Room) -> None:
    (room.traces / VISIT / "visit.json").unlink()
    room.ledger.put_products({GUM: Product("Gum", 30.0, 91, tax="food")})
    with pytest.raises(RequestError, match="nobody knows any more what G cost"):
        room.ask("correct", set={BREAD: 0, GUM: 1})


def test_a_correction_may_be_corrected_back_down_and_units_of_it_refunded(room: Room) -> None:
    room.ask("correct", set={COLA: 2})
    assert room.ask("refund", lines={COLA: 1})["change"]["back_minor"] == 275
    with pytest.raises(RequestError, match="2 are on the bill, 1 were given back before"):
        room.ask("refund", lines={COLA: 2})
    told = room.ask("correct", set={COLA: 0, BREAD: 1})
    assert (told["still_minor"], told["back_minor"]) == (199, 575)


def test_everything_taken_off_the_bill_leaves_nothing_charged(room: Room) -> None:
    told = room.ask("correct", set={COLA: 0, BREAD: 0})
    assert (told["still_minor"], told["lines"], told["change"]["back_minor"]) == (0, [], 774)


def test_a_dispute_has_its_evidence_on_the_disk_with_its_hash_and_a_day_for_the_answer(room: Room) -> None:
    told = room.ask("dispute")
    change, tar = told["dispute"], room.disputes / f"{VISIT}.tar"
    assert (change["evidence"], change["evidence_hash"]) == (tar.name, hashlib.sha256(tar.read_bytes()).hexdigest())
    assert change["due_ms"] - change["wall_ms"] == pytest.approx(ANSWER_DAYS * 86_400_000, abs=60_000)
    with tarfile.open(tar) as packed:
        assert f"{VISIT}/visit.json" in packed.getnames()
    assert room.ledger.outbox(1)[0].body == {
        **{key: change[key] for key in ("id", "reason", "who", "evidence", "evidence_hash", "due_ms")}
    }
    assert [one.kind for one in room.ledger.adjustments(VISIT)] == ["dispute"]


def test_faces_in_the_evidence_of_a_dispute_are_blurred_and_the_recording_is_not(room: Room) -> None:
    still = room.traces / VISIT / "frames" / "top" / "00000000.jpg"
    still.parent.mkdir(parents=True)
    still.write_bytes(b"a face")
    room.desk.blur = cast("Blurring", lambda jpeg: (b"a blur", 1) if jpeg == b"a face" else None)
    room.ask("dispute")
    with tarfile.open(room.disputes / f"{VISIT}.tar") as packed:
        shown = packed.extractfile(f"{VISIT}/frames/top/00000000.jpg")
        assert shown is not None
        assert shown.read() == b"a blur"
        assert f"{VISIT}/withheld.json" in packed.getnames()
    assert still.read_bytes() == b"a face"


def test_whoever_packs_evidence_is_written_down_with_the_reason(room: Room) -> None:
    room.ask("dispute", reason="they say they took one")
    assert [(one.who, one.what, one.visit, one.why) for one in room.ledger.accesses()] == [
        ("ann", "charges.dispute", VISIT, "they say they took one")
    ]


def test_a_second_dispute_shows_the_first_and_leaves_its_evidence_alone(room: Room) -> None:
    first = room.ask("dispute")
    tar = room.disputes / f"{VISIT}.tar"
    content = tar.read_bytes()
    (room.traces / VISIT / "visit.json").write_text("{}")
    second = room.ask("dispute", reason="again")
    assert (second["again"], second["change"], tar.read_bytes()) == (True, first["change"], content)
    assert (room.types().count("visit.disputed"), room.told) == (1, 1)


def test_two_disputes_at_the_same_instant_are_one(room: Room) -> None:
    async def both() -> list[dict[str, Any]]:
        ask = room.desk.operations()["charges.dispute"]
        asked = {"visit": VISIT, "reason": "x"}
        return list(await asyncio.gather(ask(asked, "ann"), ask(asked, "bob")))

    one, other = asyncio.run(both())
    assert one["change"] == other["change"]
    assert hashlib.sha256((room.disputes / f"{VISIT}.tar").read_bytes()).hexdigest() == one["change"]["evidence_hash"]


def test_a_dispute_whose_recording_is_gone_says_so(room: Room) -> None:
    (room.traces / VISIT / "visit.json").unlink()
    (room.traces / VISIT / "events.jsonl").unlink()
    (room.traces / VISIT).rmdir()
    assert room.ask("dispute")["dispute"]["evidence"] == ""


@pytest.mark.parametrize(
    ("operation", "more"),
    [("refund", {"all": True}), ("correct", {"set": {COLA: 1}}), ("dispute", {}), ("show", {})],
)
def test_a_visit_that_was_not_charged_or_is_unknown_is_refused_with_why(
    room: Room, operation: str, more: dict[str, Any]
) -> None:
    other = VisitId("01J8Z0000000000000000000V2")
    with pytest.raises(RequestError, match="there is no such visit"):
        room.ask(operation, visit=other, **more)
    room.ledger.commit(Unlocked(other, ANNA, 1.0), [OpenedVisit(other, ANNA, "shop", "face", "", 1, {}, "")], stamp())
    room.ledger.commit(Idle(), [ClosedVisit(other, "review", "the door was forced")], stamp())
    with pytest.raises(RequestError, match="was not charged: a person has not decided"):
        room.ask(operation, visit=other, **more)


def test_a_reason_is_asked_for(room: Room) -> None:
    for reason in ("", "  ", None, "x" * 201):
        with pytest.raises(RequestError, match="reason"):
            room.ask("refund", all=True, reason=reason)


@pytest.mark.parametrize("given", ["ticket-1", 5, "01j8z0000000000000000000r1", ""])
def test_an_id_that_is_no_ulid_is_refused(room: Room, given: object) -> None:
    with pytest.raises(RequestError, match="ULID"):
        room.ask("refund", all=True, id=given)


def test_the_list_tells_what_was_given_back_and_what_is_disputed(room: Room) -> None:
    assert room.ask("list", refunded=True) == {"charges": []}
    room.ask("refund", amount_minor=1)
    room.ask("dispute")
    for which in ({}, {"refunded": True}, {"disputed": True}):
        (one,) = room.ask("list", **which)["charges"]
        assert (one["visit"], one["still_minor"], one["disputed"]) == (VISIT, 773, True)


def test_the_receipt_shows_what_was_given_back_and_the_new_total(room: Room) -> None:
    room.ask("refund", amount_minor=120, reason="broken seal")
    receipt = room.ask("correct", set={BREAD: 0}, reason="no bread")["receipt"]
    squeezed = [" ".join(line.split()) for line in receipt.splitlines()]
    assert "TOTAL EUR 7.74" in squeezed
    assert any(line.startswith("Refund 20") and line.endswith("-1.20") for line in squeezed)
    assert squeezed[-1] == "NEW TOTAL EUR 5.75"
    assert ("broken seal" in squeezed, "The bill is now:" in squeezed) == (True, True)
    assert isinstance(room.bill[0], Line)
