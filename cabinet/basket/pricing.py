"""From counts to lines at the prices frozen at the unlock.  Integer money; refuses products without a price."""

from collections.abc import Mapping

from cabinet.basket.evidence import Product
from cabinet.basket.verdict import Line
from cabinet.units import Sku


def lines(counts: Mapping[Sku, int], catalog: Mapping[Sku, Product]) -> tuple[Line, ...]:
    """One line per SKU with a positive count, in the order of name then SKU.  KeyError: not in the catalogue."""
    taken = sorted((catalog[sku].name, sku, n) for sku, n in counts.items() if n > 0)
    return tuple(Line(sku, name, n, catalog[sku].unit_price, catalog[sku].tax) for name, sku, n in taken)


def restricted(counts: Mapping[Sku, int], catalog: Mapping[Sku, Product]) -> tuple[str, ...]:
    """Names of the products taken that need a proof of age."""
    return tuple(sorted(catalog[sku].name for sku, n in counts.items() if n > 0 and catalog[sku].min_age > 0))
