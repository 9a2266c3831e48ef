"""What is sold and where it stands: catalogue, recogniser's gallery, planogram, stock.

Refuses a row that could not be sold honestly (no mass, a negative price), saying which and why.  Stock is a belief:
a charge moves it, a restock sets it, and it never goes below zero.
"""

import logging
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from cabinet.basket.evidence import Product
from cabinet.basket.prices import PriceRules
from cabinet.basket.rules import against
from cabinet.ledger.entries import Moves, Stamp
from cabinet.ledger.errors import EntryRefusedError
from cabinet.ledger.notes import NoteRoom
from cabinet.ledger.prices import PriceRoom
from cabinet.ledger.room import pack, unpack
from cabinet.units import Sku, ZoneId
from cabinet.vision.gallery import Reference
from cabinet.wire import SAFE_INTEGER

log = logging.getLogger(__name__)

SKU_FORM: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}", re.ASCII)  # GTIN-14 and any operator's own code
ZONE_FORM: Final = re.compile(r"[0-9A-Za-z_-]{1,40}", re.ASCII)
MAX_MASS_G: Final = 100_000.0  # far above what any shelf carries: a typing mistake
MAX_NAME: Final = 120


class GoodsRoom(NoteRoom, PriceRoom):
    def catalog(self) -> dict[Sku, Product]:
        rows = self._file.rows("SELECT * FROM product ORDER BY sku")
        return {Sku(row.pop("sku")): Product(**row) for row in rows}

    def set_price_rules(self, rules: PriceRules, who: str, clock: Stamp) -> int:
        """For visits that begin afterwards.  Returns the price version.  EntryRefusedError: not for this catalogue."""
        misfits = against(rules, self.catalog())
        if misfits:
            raise EntryRefusedError("; ".join(misfits))
        return self.price_version() if rules == self.price_rules() else self._keep_rules(rules, who, clock)

    def put_product(self, sku: Sku, product: Product) -> int:
        """Add or change one row.  Returns the price version.  Raises EntryRefusedError naming the row."""
        return self.put_products({sku: product})

    def put_products(self, products: Mapping[Sku, Product]) -> int:
        """All of them or, where one is refused, none.  Returns the price version."""
        for sku, product in products.items():
            check_product(sku, product)
        misfits = [what for what in against(self.price_rules(), products) if what.startswith("taxes")]
        if misfits:
            raise EntryRefusedError(f"{'; '.join(misfits)}: cabinet prices set FILE gives it one")
        with self._file.writing() as db:
            known = self.catalog()
            changed = {sku: product for sku, product in products.items() if known.get(sku) != product}
            for sku, product in changed.items():
                db.table("product").upsert({"sku": sku, **_product_row(product)}, pk="sku")
            if changed:
                db.execute("UPDATE identity SET price_version = price_version + 1")
        return self.price_version()

    def remove_product(self, sku: Sku) -> bool:
        """False if there was none.  Its stock and gallery go with it; past receipts keep their own copy."""
        with self._file.writing() as db:
            for table in ("gallery", "planogram", "stock"):
                db.execute(f"DELETE FROM {table} WHERE sku = ?", [sku])  # noqa: S608  # our own table names
            gone = db.execute("DELETE FROM product WHERE sku = ?", [sku]).rowcount == 1
            if gone:
                db.execute("UPDATE identity SET price_version = price_version + 1")
        return gone

    def gallery(self, model: str) -> dict[Sku, Reference]:
        """What the recogniser remembers, made by the model with this sha256."""
        rows = self._file.rows("SELECT sku, mean, spread, count FROM gallery WHERE model = ? ORDER BY sku", model)
        return {Sku(row["sku"]): Reference(unpack(row["mean"]), row["spread"], row["count"]) for row in rows}

    def put_gallery(self, sku: Sku, reference: Reference, model: str, picture: bytes | None = None) -> None:
        """Replace what is remembered of the product; `picture`: a small JPEG of it, for people.

        Raises EntryRefusedError for an unknown SKU or a broken vector.
        """
        if sku not in self.catalog():
            raise EntryRefusedError(f"gallery: the SKU {sku!r} is not in the catalogue")
        mean, count = reference.mean, reference.count
        finite = all(math.isfinite(value) for value in (*mean, reference.spread))
        if not mean or not finite or reference.spread < 0 or count < 1 or not model:
            raise EntryRefusedError(f"gallery of {sku}: needs finite numbers, a count of at least 1 and a model")
        with self._file.writing() as db:
            row = {"sku": sku, "model": model, "mean": pack(mean), "spread": reference.spread, "count": count}
            row["picture"] = picture
            db.table("gallery").upsert(row, pk=("sku", "model"))

    def gallery_picture(self, sku: Sku, model: str) -> bytes | None:
        """A small JPEG of the product as it was taught, where one was kept."""
        row = self._file.row("SELECT picture FROM gallery WHERE sku = ? AND model = ?", sku, model)
        return None if row is None else row["picture"]

    def planogram(self) -> dict[ZoneId, tuple[Sku, ...]]:
        """Which products each zone is meant to hold, in the order given."""
        found: dict[ZoneId, tuple[Sku, ...]] = {}
        for row in self._file.rows("SELECT zone, sku FROM planogram ORDER BY zone, place"):
            found[row["zone"]] = (*found.get(row["zone"], ()), row["sku"])
        return found

    def set_planogram(self, zone: ZoneId, skus: Iterable[Sku]) -> None:
        """Replace one zone's list; an empty one forgets the zone.  Raises EntryRefusedError for unknown SKUs."""
        wanted, known = tuple(dict.fromkeys(skus)), self.catalog()
        _check_zone(zone)
        strangers = [sku for sku in wanted if sku not in known]
        if strangers:
            raise EntryRefusedError(f"planogram of zone {zone}: {', '.join(strangers)} not in the catalogue")
        with self._file.writing() as db:
            db.execute("DELETE FROM planogram WHERE zone = ?", [zone])
            for place, sku in enumerate(wanted):
                db.table("planogram").insert({"zone": zone, "place": place, "sku": sku})

    def stock(self) -> dict[ZoneId, dict[Sku, int]]:
        found: dict[ZoneId, dict[Sku, int]] = {}
        for row in self._file.rows("SELECT zone, sku, count FROM stock ORDER BY zone, sku"):
            found.setdefault(row["zone"], {})[row["sku"]] = row["count"]
        return found

    def set_stock(self, zone: ZoneId, sku: Sku, count: int) -> None:
        """What a person counted.  Raises EntryRefusedError for a negative count or an unknown SKU."""
        _check_zone(zone)
        if count < 0 or sku not in self.catalog():
            raise EntryRefusedError(f"stock of {sku!r} in zone {zone}: {count} is negative or the SKU is unknown")
        self._put_stock(zone, sku, count)

    def _put_stock(self, zone: ZoneId, sku: Sku, count: int) -> None:
        with self._file.writing() as db:
            db.execute(
                "INSERT INTO stock (zone, sku, count) VALUES (?, ?, ?)"
                " ON CONFLICT (zone, sku) DO UPDATE SET count = excluded.count",
                [zone, sku, count],
            )

    def _move_stock(self, moves: Moves) -> None:
        """Inside the closing's transaction.  What the belief was short of goes into a note, not into an incident: a
        miscounted restock is no reason to alarm anybody.
        """
        believed = self.stock()
        for zone, left in moves.items():
            for sku, quantity in left.items():
                remains = believed.get(zone, {}).get(sku, 0) - quantity
                self._put_stock(zone, sku, max(0, remains))
                if remains < 0:
                    key = f"stock.short:{zone}:{sku}"
                    self.set_note(key, str(int(self.note(key) or 0) - remains))
                    log.info("stock_short zone=%s sku=%s short=%d", zone, sku, -remains)


def check_product(sku: Sku, product: Product) -> None:
    """Raises EntryRefusedError naming the row, the field, the value and what would be right."""
    where = f"catalogue row {sku!r}"
    if not SKU_FORM.fullmatch(sku):
        raise EntryRefusedError(f"{where}: a SKU is 1 to 40 digits or letters (then also . _ -)")
    if not product.name.strip() or len(product.name) > MAX_NAME:
        raise EntryRefusedError(f"{where}: the name has 1 to {MAX_NAME} characters")
    for field, minor in (("unit_price", product.unit_price), ("deposit", product.deposit)):
        if not _is_whole(minor) or not 0 <= minor <= SAFE_INTEGER:
            raise EntryRefusedError(
                f"{where}: {field} is {minor!r}, must be a whole number of minor units (cents), 0 or more"
            )
    for field, value in (("mass_g", product.mass_g), ("mass_sd_g", product.mass_sd_g)):
        if value is not None and not 0 < value <= MAX_MASS_G:
            raise EntryRefusedError(f"{where}: {field} is {value}, must be above 0 and at most {MAX_MASS_G:g} grams")
    if not _is_whole(product.min_age) or not 0 <= product.min_age <= 150:
        raise EntryRefusedError(f"{where}: min_age is {product.min_age!r}, must be whole years from 0 to 150")
    if not product.tax.strip() or len(product.tax) > 40:
        raise EntryRefusedError(f"{where}: the tax class has 1 to 40 characters")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_zone(zone: ZoneId) -> None:
    if not ZONE_FORM.fullmatch(zone):
        raise EntryRefusedError(f"the zone {zone!r} is not 1 to 40 letters, digits, _ or -")


def _product_row(product: Product) -> dict[str, Any]:
    return {
        "name": product.name,
        "mass_g": float(product.mass_g),
        "mass_sd_g": None if product.mass_sd_g is None else float(product.mass_sd_g),
        "unit_price": product.unit_price,
        "tax": product.tax,
        "min_age": product.min_age,
        "deposit": product.deposit,
    }
