"""What holds for every bill, whatever the goods, the rules and the hour."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from cabinet.basket.evidence import Header, Product
from cabinet.basket.prices import PPM, Bundle, Discount, LocalTime, Off, PayFor, PriceList, PriceRules, Window
from cabinet.basket.pricing import allocate, lines, tax_table
from cabinet.basket.verdict import Line
from cabinet.units import Sku
from tests.basket.visits import header

SKUS = tuple(Sku(name) for name in "abcde")
TAXES = ("low", "high", "deposit")

takes = st.integers(2, 5).flatmap(lambda take: st.builds(PayFor, st.just(take), st.integers(0, take - 1)))
gives = st.one_of(
    takes,
    st.builds(Bundle, st.integers(1, 5), st.integers(0, 900)),
    st.builds(Off, st.integers(1, PPM), st.integers(1, 4)),
)
kind = st.one_of(
    st.integers(2, 5).map(lambda take: PayFor(take, take - 1)), st.integers(1, PPM).map(lambda ppm: Off(ppm, 1))
)  # what never makes one more unit cheaper than none
groups = st.frozensets(st.sampled_from(SKUS), max_size=4)
windows = st.none() | st.builds(
    Window, st.frozensets(st.integers(0, 6), min_size=1), st.integers(0, 1439), st.integers(1, 1440)
)
products = st.fixed_dictionaries(
    {
        sku: st.builds(
            Product,
            st.just(f"Ware {sku}"),
            st.just(100.0),
            st.integers(0, 700),
            tax=st.sampled_from(TAXES[:2]),
            deposit=st.integers(0, 30),
        )
        for sku in SKUS
    }
)
baskets = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 7), max_size=5)


@st.composite
def shops(
    draw: st.DrawFn, given_by: st.SearchStrategy[PayFor | Bundle | Off] = gives, *, disjoint: bool = False
) -> Header:
    chosen = [draw(groups) for _ in range(draw(st.integers(0, 3)))]
    if disjoint:
        before = [frozenset(sku for group in chosen[:n] for sku in group) for n in range(len(chosen))]
        chosen = [group - taken for group, taken in zip(chosen, before, strict=True) if group - taken]
    discounts = tuple(
        Discount(f"rule {n}", group, draw(given_by), None if disjoint else draw(windows))
        for n, group in enumerate(chosen)
    )
    rates = draw(st.none() | st.fixed_dictionaries({tax: st.integers(0, 400_000) for tax in TAXES}))
    rules = PriceRules(rates or {}, draw(st.sampled_from(("", "deposit"))) if rates else "", discounts)
    local = draw(st.none() | st.builds(LocalTime, st.integers(0, 6), st.integers(0, 1439)))
    return replace(header(draw(products), {"s1": ()}), prices=PriceList(1, rules, draw(st.booleans()), local))


def total(bill: tuple[Line, ...]) -> int:
    return sum(line.total for line in bill)


def undiscounted(counts: dict[Sku, int], about: Header) -> int:
    assert about.prices is not None
    bare = replace(about, prices=replace(about.prices, rules=replace(about.prices.rules, discounts=())))
    return total(lines(counts, bare))


@given(shops(), baskets)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_bill_is_the_sum_of_its_lines_and_its_tax_table_says_the_same(about: Header, counts: dict[Sku, int]) -> None:
    bill = lines(counts, about)
    assert about.prices is not None
    if about.prices.rules.taxes_ppm:
        assert sum(tax.gross for tax in tax_table(bill)) == total(bill)
    goods = sum(line.quantity * (line.unit_price + line.deposit) - line.discount for line in bill)
    added = sum(tax.tax for tax in tax_table(bill) if tax.added)
    assert total(bill) == goods + added
    assert added == 0 or not about.prices.tax_included


@given(shops(), baskets)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_no_line_is_below_its_deposits_and_no_bill_above_the_undiscounted(
    about: Header, counts: dict[Sku, int]
) -> None:
    bill = lines(counts, about)
    for line in bill:
        assert 0 <= line.discount <= line.quantity * line.unit_price
        assert line.total >= line.quantity * line.deposit
        assert all(share.net >= 0 and share.tax >= 0 for share in line.taxes)
    assert 0 <= total(bill) <= undiscounted(counts, about)


@given(shops(), baskets, st.randoms())
@settings(max_examples=100, deadline=None, derandomize=True)
def test_the_order_of_the_goods_does_not_matter(about: Header, counts: dict[Sku, int], dice: object) -> None:
    turned = list(counts.items())
    dice.shuffle(turned)  # type: ignore[attr-defined]  # random.Random, which hypothesis does not name
    assert lines(dict(turned), about) == lines(counts, about)


@given(shops(), baskets)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_bill_is_made_of_whole_numbers(about: Header, counts: dict[Sku, int]) -> None:
    for line in lines(counts, about):
        assert all(type(n) is int for n in (line.total, line.discount, line.deposit))
        assert all(type(n) is int for share in line.taxes for n in (share.net, share.tax))


@given(shops(disjoint=True), baskets, st.sampled_from(SKUS))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_one_more_unit_never_costs_more_than_its_own_price(about: Header, counts: dict[Sku, int], sku: Sku) -> None:
    """Where no two discounts share a product; taxes apart, whose rounding is per class."""
    assert about.prices is not None
    untaxed = replace(about, prices=replace(about.prices, rules=replace(about.prices.rules, taxes_ppm={})))
    more = {**counts, sku: counts.get(sku, 0) + 1}
    product = about.catalog[sku]
    assert total(lines(more, untaxed)) - total(lines(counts, untaxed)) <= product.unit_price + product.deposit


@given(shops(kind, disjoint=True), baskets, st.sampled_from(SKUS))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_one_more_unit_never_lowers_the_bill_where_one_of_n_is_free_or_all_are_cheaper(
    about: Header, counts: dict[Sku, int], sku: Sku
) -> None:
    more = {**counts, sku: counts.get(sku, 0) + 1}
    assert total(lines(more, about)) >= total(lines(counts, about))


def test_one_more_unit_may_lower_the_bill_with_the_other_rules_as_on_any_till() -> None:
    ware = {SKUS[0]: Product("Ware", 100.0, 100)}

    def at(rule: PayFor | Bundle | Off, n: int) -> int:
        rules = PriceRules(discounts=(Discount("deal", frozenset(), rule),))
        return total(lines({SKUS[0]: n}, replace(header(ware, {"s1": ()}), prices=PriceList(1, rules))))

    assert (at(PayFor(4, 2), 3), at(PayFor(4, 2), 4)) == (300, 200)
    assert (at(Bundle(3, 150), 2), at(Bundle(3, 150), 3)) == (200, 150)
    assert (at(Off(500_000, 3), 2), at(Off(500_000, 3), 3)) == (200, 150)


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.dictionaries(st.sampled_from(SKUS), st.integers(0, 5000), min_size=1))
def test_what_is_shared_out_adds_up_and_no_share_is_a_unit_away_from_its_due(
    amount: int, weights: dict[Sku, int]
) -> None:
    shares, whole = allocate(amount, weights), sum(weights.values())
    assert sum(shares.values()) == (amount if whole else 0)
    for sku, share in shares.items():
        assert not whole or abs(share * whole - amount * weights[sku]) < whole
