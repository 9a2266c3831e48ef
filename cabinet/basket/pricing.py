"""From counts to lines at the price list frozen at the unlock.  Whole numbers only: there is no float in a bill.

Order of the sums: discounts on the products' prices (never on deposits), then deposits, then tax.  Each unit has at
most one discount: the first of the list that saves something.  A discount and a tax are worked out once, on a sum,
rounded half up, and given to the lines by largest remainder, so that the lines add up to the bill exactly.

Tax is rounded once per class on the bill's sum, as EN 16931 has it (rule BR-CO-17) and Japan's National Tax Agency for
qualified invoices (Q&A: once per rate and invoice; up, down or to the nearest, as the seller likes).

What holds: no line is below its deposits; no bill is above the undiscounted one.  One more unit never raises a bill
by more than its own price, deposit and tax, where no two discounts share a product.  It may lower the bill, as on any
till, with `take` 4 `pay` 2, a fixed price, or per cent from 2 units; with `pay` = `take` - 1 or per cent from 1 it
never does.  Refuses products that the catalogue does not know (KeyError).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat

from cabinet.basket.evidence import Header, Product
from cabinet.basket.prices import PPM, Bundle, Discount, Off, PayFor, PriceList
from cabinet.basket.verdict import Line, Tax
from cabinet.units import Minor, Sku

Catalog = Mapping[Sku, Product]


@dataclass(slots=True)
class Saved:
    minor: Minor = 0
    reasons: list[str] = field(default_factory=list)


def lines(counts: Mapping[Sku, int], about: Header | Catalog) -> tuple[Line, ...]:
    """One line per SKU with a positive count, in the order of name then SKU.  KeyError: not in the catalogue."""
    catalog, prices = (about.catalog, about.prices) if isinstance(about, Header) else (about, None)
    taken = {sku: n for sku, n in counts.items() if n > 0}
    saved = _discounts(taken, catalog, prices)
    taxes = _taxes(taken, catalog, prices, saved)
    return tuple(
        Line(
            sku,
            catalog[sku].name,
            taken[sku],
            catalog[sku].unit_price,
            catalog[sku].tax,
            catalog[sku].deposit,
            saved[sku].minor,
            "; ".join(saved[sku].reasons),
            tuple(taxes.get(sku, ())),
        )
        for sku in sorted(taken, key=lambda sku: (catalog[sku].name, sku))
    )


def restricted(counts: Mapping[Sku, int], about: Header | Catalog) -> tuple[str, ...]:
    """Names of the products taken for which the member has shown no proof of age."""
    catalog, age = (about.catalog, about.member_age or 0) if isinstance(about, Header) else (about, 0)
    return tuple(sorted(catalog[sku].name for sku, n in counts.items() if n > 0 and catalog[sku].min_age > age))


def doubts(counts: Mapping[Sku, int], header: Header) -> tuple[str, ...]:
    """Why nobody may be charged for these goods at this price list without a person."""
    found = [f"no proof of age for {name}" for name in restricted(counts, header)]
    prices = header.prices
    if prices is not None and prices.rules.taxes_ppm:
        taken = [header.catalog[sku] for sku, n in counts.items() if n > 0]
        classes = {tax for product in taken for tax in (product.tax, _deposit_tax(product, prices))}
        found += [f"no tax rate for the class {tax}" for tax in sorted(classes) if tax not in prices.rules.taxes_ppm]
    return tuple(found)


def tax_table(lines: Iterable[Line]) -> tuple[Tax, ...]:
    """Net, tax and gross of each class on the bill, in the order of the classes' names."""
    sums: dict[tuple[str, int, bool], Tax] = {}
    for share in chain.from_iterable(line.taxes for line in lines):
        key = (share.name, share.rate_ppm, share.added)
        so_far = sums.get(key, Tax(share.name, share.rate_ppm, 0, 0, added=share.added))
        sums[key] = Tax(share.name, share.rate_ppm, so_far.net + share.net, so_far.tax + share.tax, added=share.added)
    return tuple(sums[key] for key in sorted(sums))


def allocate(amount: Minor, weights: Mapping[Sku, int]) -> dict[Sku, Minor]:
    """`amount` in proportion to the weights, whole and adding up: the largest remainders get what is left over."""
    total = sum(weights.values())
    if total == 0:
        return dict.fromkeys(weights, 0)
    shares = {sku: amount * weight // total for sku, weight in weights.items()}
    short = amount - sum(shares.values())
    for sku in sorted(weights, key=lambda sku: (-(amount * weights[sku] % total), sku))[:short]:
        shares[sku] += 1
    return shares


def half_up(numerator: int, denominator: int) -> int:
    """The nearest whole number to a fraction from 0 up; a half goes up."""
    return (2 * numerator + denominator) // (2 * denominator)


def _discounts(taken: Mapping[Sku, int], catalog: Catalog, prices: PriceList | None) -> dict[Sku, Saved]:
    saved = {sku: Saved() for sku in taken}
    left = dict(taken)  # units that no discount has yet
    for discount in () if prices is None else prices.rules.discounts:
        units = _dearest_first({sku: n for sku, n in left.items() if discount.covers(sku)}, catalog)
        used, minor = _gives(discount, [catalog[sku].unit_price for sku in units])
        if minor == 0 or prices is None:
            continue
        weights: dict[Sku, Minor] = {}
        for sku in units[:used]:
            weights[sku] = weights.get(sku, 0) + catalog[sku].unit_price
        if discount.window is not None and prices.local is None:
            for sku in weights:
                saved[sku].reasons.append(f"{discount.name}: not given, the clock is not trusted")
            continue
        if discount.window is not None and prices.local is not None and not discount.window.holds(prices.local):
            continue
        for sku, share in allocate(minor, weights).items():
            saved[sku].minor += share
            if share:
                saved[sku].reasons.append(discount.name)
        for sku in units[:used]:
            left[sku] -= 1
    return saved


def _dearest_first(counts: Mapping[Sku, int], catalog: Catalog) -> list[Sku]:
    ordered = sorted(counts, key=lambda sku: (-catalog[sku].unit_price, sku))
    return list(chain.from_iterable(repeat(sku, counts[sku]) for sku in ordered))


def _gives(discount: Discount, prices: Sequence[Minor]) -> tuple[int, Minor]:
    """How many of the units (the dearest come first) the discount uses up, and what it saves on them."""
    match discount.gives:
        case Off(ppm, least):
            return (len(prices), half_up(sum(prices) * ppm, PPM)) if len(prices) >= least else (0, 0)
        case PayFor(take, pay):
            full = len(prices) // take
            return full * take, sum(sum(prices[n * take + pay : (n + 1) * take]) for n in range(full))
        case Bundle(take, price):
            less = [max(0, sum(prices[n * take : (n + 1) * take]) - price) for n in range(len(prices) // take)]
            return take * sum(minor > 0 for minor in less), sum(less)  # once a group saves nothing, none after it does


def _deposit_tax(product: Product, prices: PriceList) -> str:
    return (prices.rules.deposit_tax if product.deposit else "") or product.tax


def _taxes(
    taken: Mapping[Sku, int], catalog: Catalog, prices: PriceList | None, saved: Mapping[Sku, Saved]
) -> dict[Sku, list[Tax]]:
    """Each line's share of each class's tax.  A class without a rate has none: `doubts` sends it to a person."""
    if prices is None:
        return {}
    worth: dict[str, dict[Sku, Minor]] = {}
    for sku, n in taken.items():
        product = catalog[sku]
        goods, deposit = n * product.unit_price - saved[sku].minor, n * product.deposit
        for tax, minor in ((product.tax, goods), (_deposit_tax(product, prices), deposit)):
            if minor and tax in prices.rules.taxes_ppm:
                held = worth.setdefault(tax, {})
                held[sku] = held.get(sku, 0) + minor
    found: dict[Sku, list[Tax]] = {}
    for tax, held in sorted(worth.items()):
        ppm, added = prices.rules.taxes_ppm[tax], not prices.tax_included
        due = half_up(sum(held.values()) * ppm, PPM if added else PPM + ppm)
        for sku, share in allocate(due, held).items():
            net = held[sku] if added else held[sku] - share
            found.setdefault(sku, []).append(Tax(tax, ppm, net, share, added=added))
    return found
