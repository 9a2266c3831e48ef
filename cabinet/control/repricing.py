"""A bill of the past with other quantities: priced by the price list of its visit, and what units of it had cost.

Pure.  It refuses (RequestError) a product whose price at that visit nobody knows any more.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from cabinet.basket.evidence import Header, Product
from cabinet.basket.prices import PriceList
from cabinet.basket.pricing import doubts, lines
from cabinet.basket.verdict import Line
from cabinet.control.requests import RequestError
from cabinet.units import Minor, Sku, VisitId

SOME_MASS_G = 1.0  # a bill weighs nothing, a Product has to


def priced_anew(
    bill: Sequence[Line], counts: Mapping[Sku, int], prices: PriceList, known: Mapping[Sku, Product]
) -> tuple[Line, ...]:
    """The bill with these quantities instead; SKUs that are not named keep theirs.

    `known`: the catalogue of the visit, for products that are not on the bill.  The bill's own lines say what theirs
    cost, so that a bill whose quantities did not change comes out as it was.
    """
    catalog = {**known, **{line.sku: sold_as(line) for line in bill}}
    for sku in counts:
        if sku not in catalog:
            on_it = ", ".join(line.sku for line in bill)
            raise RequestError(
                f"nobody knows any more what {sku} cost at that visit",
                f"on the bill are {on_it}; refund an amount instead: cabinet charges refund VISIT --amount",
            )
    wanted = {line.sku: line.quantity for line in bill} | dict(counts)
    header = _header(catalog, prices)
    unsure = [why for why in doubts(wanted, header) if "tax rate" in why]  # not the age: the goods are gone
    if unsure:
        raise RequestError("; ".join(unsure), "refund an amount instead: cabinet charges refund VISIT --amount")
    return lines(wanted, header)


def cost_of(bill: Sequence[Line], refunded: Counter[Sku], units: Mapping[Sku, int]) -> Minor:
    """What these units of the bill had cost, beside those given back before; every unit of a line adds up to it."""
    cost, by_sku = 0, {line.sku: line for line in bill}
    for sku, n in units.items():
        line, before = by_sku.get(sku), refunded[sku]
        if line is None:
            raise RequestError(f"{sku} is not on the bill", f"on it are {', '.join(by_sku)}")
        left = line.quantity - before
        if n > left:
            raise RequestError(
                f"{n} of {sku} cannot be given back: {line.quantity} are on the bill, {before} were given back before",
                "cabinet charges show VISIT tells what is left",
            )
        cost += line.total * (before + n) // line.quantity - line.total * before // line.quantity
    return cost


def tax_is_added(bill: Sequence[Line], otherwise: bool) -> bool:  # noqa: FBT001  # two truths about the same thing
    """As the bill itself says it: the configuration may have changed since."""
    said = [share.added for line in bill for share in line.taxes]
    return said[0] if said else otherwise


def sold_as(line: Line) -> Product:
    """The product as this line of a bill has it."""
    return Product(line.name, SOME_MASS_G, line.unit_price, tax=line.tax, deposit=line.deposit)


def _header(catalog: Mapping[Sku, Product], prices: PriceList) -> Header:
    """Of which pricing reads the catalogue and the price list."""
    return Header(
        visit=VisitId(""), cabinet="", started_at="", clock_trusted=True, purpose="shop", currency="", zones={},
        cameras={}, catalog=catalog, planogram={}, stock={}, prices=prices,
    )  # fmt: skip  # nothing of it but two fields matters
