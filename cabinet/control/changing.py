"""What a technician may change: members, goods, stock, and a service visit.  Everything is refused or done whole."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cabinet import clock
from cabinet.basket.evidence import Product
from cabinet.config import Config
from cabinet.control import goods
from cabinet.control.enrolment import Enrolment
from cabinet.control.learning import strays
from cabinet.control.looking import stock_rows
from cabinet.control.maintenance import Maintenance
from cabinet.control.members import MembersDesk
from cabinet.control.requests import Answer, Arguments, Refusals, RequestError, integer, photos, product, text
from cabinet.daemon import Daemon
from cabinet.ledger import Ledger
from cabinet.parts import Parts
from cabinet.session.events import ServiceRequested
from cabinet.session.states import open_visit
from cabinet.units import Sku, ZoneId

BOARD_WAIT_S = 2.0  # a daemon that just began finds its board within a tenth of it
LOOK_EVERY_S = 0.02


@dataclass
class Changing:
    config: Config
    ledger: Ledger
    daemon: Daemon
    parts: Parts
    enrolment: Enrolment
    maintenance: Maintenance
    changed: Callable[[], None]  # the catalogue or stock changed
    members_changed: Callable[[], None]

    def operations(self) -> dict[str, Any]:
        return {
            **MembersDesk(self.config, self.ledger, self.enrolment, self.members_changed).operations(),
            "catalog.add": self.catalog_add,
            "catalog.check": self.catalog_check,
            "stock.set": self.stock_set,
            "unlock": self.unlock,
        }

    async def catalog_add(self, arguments: Arguments, _: str) -> Answer:
        sku = Sku(text(arguments, "sku"))
        zone = arguments.get("zone")
        if zone is not None:
            self._zone(zone)
        described, pictures = product(arguments), photos(arguments)
        sight = None
        if pictures:
            sight = await self.enrolment.sight_of(sku, pictures, keep_outliers=bool(arguments.get("keep_outliers")))
            if sku != goods.AUTO and not arguments.get("ignore_barcode"):
                goods.refuse_other_barcode(sku, sight.barcodes)
        if sku == goods.AUTO:
            sku = goods.named_by(() if sight is None else sight.barcodes)
        count = integer(arguments, "count", self._standing(zone, sku), low=0, high=10_000)
        with Refusals():
            version = self.ledger.put_product(sku, described)
            if sight is not None:
                self.ledger.put_gallery(sku, sight.reference, self.enrolment.item_model, sight.picture)
            if zone is not None:
                self.ledger.set_stock(ZoneId(zone), sku, count)
        warnings = [] if pictures else ["no photographs: mass alone has to tell it apart"]
        warnings += _equal_masses(self.ledger.catalog(), sku)
        self.changed()
        answer: Answer = {"sku": sku, "price_version": version, "references": len(pictures), "warnings": warnings}
        if sight is not None:
            warnings += goods.told_of(sight)
            answer |= goods.confusions_of(sku, sight, self.ledger, self.enrolment.item_model, self._noise_g())
            warnings += [row["says"] for row in answer["confusable"]]
        return answer

    async def catalog_check(self, _: Arguments, __: str) -> Answer:
        """Which products will be taken for which, and whether mass or the shelf tells them apart."""
        given = goods.shelves(self.ledger, self.enrolment.item_model)
        return await asyncio.to_thread(goods.check, given, self._noise_g())

    def _noise_g(self) -> float:
        return max(zone.noise_g for zone in self.config.zones)

    async def stock_set(self, arguments: Arguments, _: str) -> Answer:
        zone = self._zone(text(arguments, "zone"))
        with Refusals():
            self.ledger.set_stock(zone, Sku(text(arguments, "sku")), integer(arguments, "count", low=0, high=10_000))
        self.changed()
        return {"stock": stock_rows(self.ledger)}

    async def unlock(self, arguments: Arguments, who: str) -> Answer:
        """Not for shopping: a service visit, recorded with the technician's name and reason."""
        purpose, reason = text(arguments, "purpose", "service"), text(arguments, "reason")
        if purpose not in {"restock", "service"}:
            raise RequestError(f"purpose {purpose!r} is unknown", "restock or service")
        self.maintenance.refuse_unlock()
        await self._board_back()
        visit = clock.new_visit()
        step = await self.daemon.ask(ServiceRequested(clock.now_s(), visit, who, purpose, reason))  # type: ignore[arg-type]  # checked above
        if open_visit(step.after) != visit:
            raise RequestError(f"the cabinet is {type(step.after).__name__}", "wait until the visit has ended")
        trouble = self.parts.why("lock")
        if trouble is not None:
            raise RequestError(trouble, "cabinet doctor names the part")
        return {"visit": visit, "strays": strays(self.ledger)}

    async def _board_back(self) -> None:
        """Wait a little for a board that is away: an unlock that goes nowhere would still be a visit."""
        until_s = clock.now_s() + BOARD_WAIT_S
        while self.parts.why("board") is not None and clock.now_s() < until_s:  # noqa: ASYNC110  parts tell changes, not states; 2 s at most
            await asyncio.sleep(LOOK_EVERY_S)

    def _standing(self, zone: str | None, sku: Sku) -> int:
        """What a request that names no count leaves as it is."""
        return 0 if zone is None else self.ledger.stock().get(ZoneId(zone), {}).get(sku, 0)

    def _zone(self, zone: str) -> ZoneId:
        known = [z.id for z in self.config.zones]
        if zone not in known:
            raise RequestError(f"there is no zone {zone!r}", f"zones here: {', '.join(known)}")
        return ZoneId(zone)


def _equal_masses(catalog: Mapping[Sku, Product], sku: Sku) -> list[str]:
    mine = catalog[sku]
    return [
        f"{other} {product.name!r} weighs within 5 g of it: sight has to tell them apart"
        for other, product in catalog.items()
        if other != sku and abs(product.mass_g - mine.mass_g) < 5.0
    ]
