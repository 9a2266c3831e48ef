"""Price rules to and from plain dictionaries: the same form in a TOML file, on the socket, in the ledger, in a trace.

Every refusal is a `RulesError` that names the key and the reason.  It refuses floats, keys it does not know (a rule
half understood would charge the wrong amount), and what no till could explain.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

from cabinet.basket.evidence import Product
from cabinet.basket.prices import (
    DAY_MINUTES,
    DAYS,
    PPM,
    Bundle,
    Discount,
    LocalTime,
    Off,
    PayFor,
    PriceList,
    PriceRules,
    Window,
)
from cabinet.units import Sku

PER_CENT = PPM // 100
MAX_TAXES = 26  # a letter each on the receipt
MAX_DISCOUNTS = 200
MAX_SKUS = 1000
MAX_UNITS = 1000  # of one group: more is a typing mistake
MAX_MINOR = 100_000_000  # as the catalogue's own prices
MAX_DIGITS = 12  # so that the sum is exact
MAX_NAME = 60  # two lines of the receipt
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)

TOP = ("taxes", "deposit_tax", "discounts")
DISCOUNT = ("name", "skus", "take", "pay", "price", "percent_off", "from_units", "days", "from", "until")


class RulesError(ValueError):
    """The rules cannot be used; the message names the key and the reason."""


def rules_from(value: object) -> PriceRules:
    table = _table(value, "the rules", TOP)
    taxes = {_text(name, "taxes", 40): _ppm(rate, f"taxes.{name}") for name, rate in _map(table, "taxes").items()}
    if len(taxes) > MAX_TAXES:
        _refuse("taxes", f"{len(taxes)} classes, at most {MAX_TAXES}")
    deposit_tax = table.get("deposit_tax", "")
    if deposit_tax != "":
        deposit_tax = _text(deposit_tax, "deposit_tax", 40)
        if deposit_tax not in taxes:
            _refuse("deposit_tax", f"{deposit_tax!r} has no rate under taxes")
    listed = _list(table.get("discounts", []), "discounts", MAX_DISCOUNTS)
    discounts = tuple(_discount(one, f"discounts[{n}]") for n, one in enumerate(listed))
    names = [discount.name for discount in discounts]
    for n, name in enumerate(names):
        if name in names[:n]:
            _refuse(f"discounts[{n}].name", f"{name!r} is there twice: the receipt could not tell which it was")
    return PriceRules(taxes, deposit_tax, discounts)


def rules_to(rules: PriceRules) -> dict[str, Any]:
    return {
        "taxes": {name: per_cent(ppm) for name, ppm in rules.taxes_ppm.items()},
        **({"deposit_tax": rules.deposit_tax} if rules.deposit_tax else {}),
        "discounts": [_discount_to(discount) for discount in rules.discounts],
    }


def list_from(value: object) -> PriceList:
    """A trace's `prices`.  Keys it does not know are passed over, as everywhere in a trace; not within the rules."""
    if not isinstance(value, Mapping):
        _refuse("prices", f"expected an object, got {value!r:.40}")
    included = value.get("tax_included", True)
    if not isinstance(included, bool):
        _refuse("tax_included", f"expected true or false, got {included!r:.40}")
    local = value.get("local")
    if local is not None:
        at = _table(local, "local", ("weekday", "minute"))
        local = LocalTime(
            _whole(at.get("weekday"), "local.weekday", 0, 6),
            _whole(at.get("minute"), "local.minute", 0, DAY_MINUTES - 1),
        )
    version = _whole(value.get("version"), "version", 0, 2**53)
    return PriceList(version, rules_from(value.get("rules", {})), included, local)


def list_to(prices: PriceList) -> dict[str, Any]:
    local = prices.local
    return {
        "version": prices.version,
        "tax_included": prices.tax_included,
        **({} if local is None else {"local": {"weekday": local.weekday, "minute": local.minute}}),
        "rules": rules_to(prices.rules),
    }


def against(rules: PriceRules, catalog: Mapping[Sku, Product]) -> list[str]:
    """Where the rules and the catalogue do not fit: a discount of goods that are not there, a class without a rate."""
    found = [
        f"discounts[{n}].skus: {', '.join(strangers)} not in the catalogue"
        for n, discount in enumerate(rules.discounts)
        if (strangers := sorted(sku for sku in discount.skus if sku not in catalog))
    ]
    if rules.taxes_ppm:
        unrated = {p.tax: sku for sku, p in sorted(catalog.items(), reverse=True) if p.tax not in rules.taxes_ppm}
        found += [f"taxes: no rate for the class {tax!r} of {sku}" for tax, sku in sorted(unrated.items())]
    return found


def idle(rules: PriceRules, catalog: Mapping[Sku, Product]) -> list[str]:
    """Discounts that save nothing at these prices, however much is bought."""
    found = []
    for discount in rules.discounts:
        dearest = max((product.unit_price for sku, product in catalog.items() if discount.covers(sku)), default=0)
        gives = discount.gives
        if dearest == 0 or (isinstance(gives, Bundle) and gives.take * dearest <= gives.price):
            found.append(f"{discount.name!r} saves nothing at today's prices")
    return found


def per_cent(ppm: int) -> str:
    """`19`, `8.875`: exact, without a float."""
    whole, part = divmod(ppm, PER_CENT)
    return f"{whole}.{part:04}".rstrip("0") if part else str(whole)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _discount(value: object, where: str) -> Discount:
    table = _table(value, where, DISCOUNT)
    name = _text(table.get("name"), f"{where}.name", MAX_NAME)
    return Discount(name, _skus(table.get("skus"), f"{where}.skus"), _gives(table, where), _window(table, where))


def _gives(table: Mapping[str, Any], where: str) -> PayFor | Bundle | Off:
    kinds = [key for key in ("pay", "price", "percent_off") if key in table]
    if len(kinds) != 1:
        _refuse(where, f"needs one of pay, price, percent_off, and has {' and '.join(kinds) or 'none'}")
    if kinds == ["percent_off"]:
        if "take" in table:
            _refuse(f"{where}.take", "belongs to pay or price; with percent_off it is from_units")
        ppm = _ppm(table["percent_off"], f"{where}.percent_off")
        if ppm == 0:
            _refuse(f"{where}.percent_off", "is 0: that is no discount")
        return Off(ppm, _whole(table.get("from_units", 1), f"{where}.from_units", 1, MAX_UNITS))
    if "from_units" in table:
        _refuse(f"{where}.from_units", f"belongs to percent_off; with {kinds[0]} it is take")
    take = _whole(table.get("take"), f"{where}.take", 2 if kinds == ["pay"] else 1, MAX_UNITS)
    if kinds == ["price"]:
        return Bundle(take, _whole(table["price"], f"{where}.price", 0, MAX_MINOR))
    return PayFor(take, _whole(table["pay"], f"{where}.pay", 0, take - 1))


def _window(table: Mapping[str, Any], where: str) -> Window | None:
    if not any(key in table for key in ("days", "from", "until")):
        return None
    named = _list(table.get("days", list(DAYS)), f"{where}.days", 7)
    for day in named:
        if day not in DAYS:
            _refuse(f"{where}.days", f"{day!r} is none of {', '.join(DAYS)}")
    if not named:
        _refuse(f"{where}.days", "is empty: the discount would never hold")
    begin, end = (
        _minute(table.get("from", "00:00"), f"{where}.from"),
        _minute(table.get("until", "24:00"), f"{where}.until"),
    )
    if begin in {end, DAY_MINUTES}:
        _refuse(f"{where}.from", f"{clock(begin)} until {clock(end)} is no time at all")
    return Window(frozenset(DAYS.index(day) for day in named), begin, end)


def _discount_to(discount: Discount) -> dict[str, Any]:
    told: dict[str, Any] = {"name": discount.name, "skus": sorted(discount.skus) or "all"}
    match discount.gives:
        case PayFor(take, pay):
            told |= {"take": take, "pay": pay}
        case Bundle(take, price):
            told |= {"take": take, "price": price}
        case Off(ppm, least):
            told |= {"percent_off": per_cent(ppm), "from_units": least}
    if discount.window is not None:
        window = discount.window
        told |= {"days": [DAYS[day] for day in sorted(window.days)]}
        told |= {"from": clock(window.begin), "until": clock(window.end)}
    return told


def _skus(value: object, where: str) -> frozenset[Sku]:
    if value == "all":
        return frozenset()
    skus = frozenset(Sku(_text(sku, where, 40)) for sku in _list(value, where, MAX_SKUS))
    if not skus:
        _refuse(where, 'is empty: name SKUs, or write "all" for every product')
    return skus


def _ppm(value: object, where: str) -> int:
    """Per cent, from a whole number, a text, or what a TOML file wrote with a point; exact or refused."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal) or len(str(value)) > MAX_DIGITS:
        _refuse(where, f'expected per cent such as 19 or "8.875", got {value!r:.40}')
    try:
        ppm = Decimal(value) * PER_CENT
    except ArithmeticError:
        _refuse(where, f"{value!r} is no number of per cent")
    if not ppm.is_finite() or not 0 <= ppm <= PPM:
        _refuse(where, f"{value} % is not within 0 to 100")
    if ppm != int(ppm):
        _refuse(where, f"{value} % has more than 4 decimals")
    return int(ppm)


def _minute(value: object, where: str) -> int:
    if not isinstance(value, str) or not CLOCK.fullmatch(value):
        _refuse(where, f'expected a time of day such as "17:00", got {value!s:.40}')
    hours, minutes = value.split(":")
    return int(hours) * 60 + int(minutes)


def _whole(value: object, where: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        _refuse(where, "is missing" if value is None else f"expected a whole number {low} to {high}, got {value!r:.40}")
    return value


def _text(value: object, where: str, longest: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > longest or not value.isprintable():
        _refuse(where, "is missing" if value is None else f"expected 1 to {longest} characters, got {value!r:.40}")
    return value


def _list(value: object, where: str, most: int) -> list[Any]:
    if not isinstance(value, list):
        _refuse(where, "is missing" if value is None else f"expected a list, got {value!r:.40}")
    if len(value) > most:
        _refuse(where, f"{len(value)} entries, at most {most}")
    return value


def _map(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, Mapping):
        _refuse(key, f"expected a table, got {value!r:.40}")
    return value


def _table(value: object, where: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        _refuse(where, f"expected a table, got {value!r:.40}")
    for key in value:
        if key not in known:
            _refuse(f"{where}.{key}" if where != "the rules" else str(key), f"unknown key; known: {', '.join(known)}")
    return value


def _refuse(where: str, why: str) -> NoReturn:
    raise RulesError(f"{where}: {why}")
