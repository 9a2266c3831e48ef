"""Price rules are kept by version; proofs of age go with their member; closings carry discounts, deposits and taxes."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from cabinet.basket.evidence import Product
from cabinet.basket.prices import Discount, Off, PriceRules
from cabinet.basket.verdict import Line, Tax
from cabinet.ledger import ClosedVisit, Consent, EntryRefusedError, Ledger
from cabinet.ledger.schema import MIGRATIONS
from cabinet.session.states import Idle
from cabinet.units import MemberId, Sku
from tests.ledger.examples import CATALOG, COLA, WATER, charged, line, opened, stamp, visit_id

RATES = {"standard": 190_000, "reduced": 70_000}
HALF = PriceRules(RATES, "", (Discount("Half", frozenset({COLA}), Off(500_000)),))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "l.db")
    ledger.put_products(CATALOG)
    return ledger


def test_every_version_of_the_rules_is_kept(ledger: Ledger) -> None:
    before = ledger.price_version()
    first = ledger.set_price_rules(HALF, "ann", stamp())
    ledger.put_product(COLA, replace(CATALOG[COLA], unit_price=999))
    second = ledger.set_price_rules(PriceRules(RATES), "ann", stamp())
    assert (first, second) == (before + 1, before + 3)
    assert ledger.price_rules() == PriceRules(RATES)
    assert [ledger.price_rules(version) for version in range(before, second + 1)] == [
        PriceRules(),
        HALF,
        HALF,  # the catalogue changed, the rules did not
        PriceRules(RATES),
    ]


def test_the_same_rules_again_are_no_new_version(ledger: Ledger) -> None:
    version = ledger.set_price_rules(HALF, "ann", stamp())
    assert ledger.set_price_rules(HALF, "bob", stamp()) == version


@pytest.mark.parametrize("sql", ["UPDATE price_rules SET rules = '{}'", "DELETE FROM price_rules"])
def test_the_file_itself_refuses_to_change_past_rules(ledger: Ledger, sql: str) -> None:
    ledger.set_price_rules(HALF, "ann", stamp())
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        ledger._file.connection.execute(sql)


def test_rules_that_do_not_fit_the_catalogue_are_refused_and_nothing_changes(ledger: Ledger) -> None:
    stranger = PriceRules({"standard": 1}, "", (Discount("x", frozenset({Sku("X9")}), Off(1)),))
    before = ledger.price_version()
    with pytest.raises(EntryRefusedError, match=r"skus: X9 not in the catalogue; taxes: no rate .* 'reduced' of W1"):
        ledger.set_price_rules(stranger, "ann", stamp())
    assert (ledger.price_rules(), ledger.price_version()) == (PriceRules(), before)


def test_once_there_are_rates_a_product_of_a_class_without_one_is_refused(ledger: Ledger) -> None:
    ledger.set_price_rules(HALF, "ann", stamp())
    with pytest.raises(EntryRefusedError, match="no rate for the class 'luxury' of N1: cabinet prices set"):
        ledger.put_product(Sku("N1"), Product("Nuts", 100.0, 199, tax="luxury"))
    ledger.put_product(Sku("N1"), Product("Nuts", 100.0, 199, tax="reduced"))


def test_a_product_keeps_its_deposit(ledger: Ledger) -> None:
    bottle = replace(CATALOG[WATER], deposit=25)
    ledger.put_product(WATER, bottle)
    assert ledger.catalog()[WATER] == bottle
    with pytest.raises(EntryRefusedError, match="deposit is -1, must be a whole number of minor units"):
        ledger.put_product(WATER, replace(bottle, deposit=-1))


def test_an_older_ledger_gets_deposits_and_ages_without_losing_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cabinet.ledger.MIGRATIONS", MIGRATIONS[:3])
    with Ledger(tmp_path / "old.db") as old, old._file.writing() as db:
        db.execute("INSERT INTO product VALUES ('W1', 'Water', 520.0, NULL, 120, 'reduced', 0)")
        db.execute("INSERT INTO member VALUES ('01ANNA', 'Anna', '1', 0, 'en')")
    monkeypatch.setattr("cabinet.ledger.MIGRATIONS", MIGRATIONS)
    with Ledger(tmp_path / "old.db") as ledger:
        assert ledger.catalog() == {WATER: Product("Water", 520.0, 120, tax="reduced")}
        assert ledger.member_age(MemberId("01ANNA")) is None
        assert ledger.price_rules() == PriceRules()


# Proofs of age.


def test_a_proof_of_age_is_kept_taken_back_and_erased_with_its_member(ledger: Ledger) -> None:
    anna = ledger.add_member("Anna", Consent("1", 0, "en"))
    assert ledger.member_age(anna) is None
    ledger.verify_age(anna, 18, "ann", stamp())
    assert (ledger.member_age(anna), ledger.members()[0].age) == (18, 18)
    ledger.verify_age(anna, 0, "ann", stamp())
    assert ledger.member_age(anna) is None
    ledger.verify_age(anna, 21, "ann", stamp())
    ledger.erase(anna, stamp())
    assert ledger.member_age(anna) is None


@pytest.mark.parametrize("years", [-1, 151, True])
def test_an_age_that_is_none_is_refused(ledger: Ledger, years: int) -> None:
    anna = ledger.add_member("Anna", Consent("1", 0, "en"))
    with pytest.raises(EntryRefusedError, match="whole years from 0 to 150"):
        ledger.verify_age(anna, years, "ann", stamp())


def test_the_age_of_nobody_is_refused(ledger: Ledger) -> None:
    with pytest.raises(EntryRefusedError, match="there is no member"):
        ledger.verify_age(MemberId("nobody"), 18, "ann", stamp())


# Closings.

FULL = Line(COLA, "Cola", 3, 250, "standard", 25, 250, "3 for 2", (Tax("standard", 190_000, 575, 109, added=True),))


def test_a_closing_keeps_deposits_discounts_and_taxes(ledger: Ledger) -> None:
    ledger.commit(Idle(), [opened(1), charged(1, [FULL])], stamp())
    record = ledger.visit(visit_id(1))
    assert record is not None
    assert (record.lines, record.total_minor) == ((FULL,), 3 * 275 - 250 + 109)


def test_the_closing_event_tells_the_cloud_each_part_and_the_taxes_of_the_whole_bill(ledger: Ledger) -> None:
    ledger.commit(Idle(), [opened(1), charged(1, [FULL, line(1, sku=WATER)])], stamp())
    body = ledger.unacknowledged()[-1].body
    tax = {"tax": "standard", "rate_ppm": 190_000, "net_minor": 575, "tax_minor": 109, "added": True}
    assert body["lines"][0] == {
        "sku": COLA, "name": "Cola", "quantity": 3, "unit_price_minor": 250, "tax": "standard", "deposit_minor": 25,
        "discount_minor": 250, "reason": "3 for 2", "taxes": [tax],
    }  # fmt: skip  # a row
    assert set(body["lines"][1]) == {"sku", "name", "quantity", "unit_price_minor", "tax"}
    assert body["taxes"] == [tax]


def test_a_basket_too_large_for_an_event_still_tells_its_taxes(ledger: Ledger) -> None:
    lines = [replace(FULL, sku=Sku(f"{n:013d}")) for n in range(60)]
    ledger.commit(Idle(), [opened(1), charged(1, lines)], stamp())
    body = ledger.unacknowledged()[-1].body
    assert (body["lines"], body["lines_omitted"]) == ([], 60)
    assert [(tax["net_minor"], tax["tax_minor"]) for tax in body["taxes"]] == [(60 * 575, 60 * 109)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"deposit": -1}, "deposit -1"),
        ({"discount": -1}, "-1 off"),
        ({"discount": 751}, "751 off"),  # more than the goods: it would eat the deposit
        ({"taxes": (Tax("standard", 190_000, 5, -1),)}, "taxes of .* are negative"),
    ],
)
def test_a_line_that_no_bill_may_have_is_refused(ledger: Ledger, change: dict[str, object], says: str) -> None:
    ledger.commit(Idle(), [opened(1)], stamp())
    with pytest.raises(EntryRefusedError, match=says):
        ledger.commit(Idle(), [ClosedVisit(visit_id(1), "review", best_guess=(replace(FULL, **change),))], stamp())  # type: ignore[arg-type]  # a table of fields


def test_a_total_that_forgets_a_deposit_is_refused(ledger: Ledger) -> None:
    ledger.commit(Idle(), [opened(1)], stamp())
    with pytest.raises(EntryRefusedError, match="says 500, its lines add up to 684"):
        ledger.commit(Idle(), [replace(charged(1, [FULL]), total_minor=500)], stamp())
