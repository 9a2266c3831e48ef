"""A bench with goods on its shelves and people in front of it: what the demonstration and the scenario tests share.

People act only on the world (door, goods, what the cameras see) and learn only what the daemon tells a technician.
"""

import base64
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cabinet.cli.demo import goods, people
from cabinet.cli.demo.goods import Product
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from cabinet.cli.errors import NotReachableError
from cabinet.sim import pictures
from cabinet.sim.remote import RemoteApparatus
from cabinet.sim.world import World
from cabinet.units import Sku, ZoneId

SHOPPER = "shopper"  # one at a time
FORGED = "CAB1:" + "A" * 26  # looks like one of our codes and is nobody's
RECOGNISED_S = 60.0  # the face library's first answer on a slow machine
FIRST_FRAMES = 3  # the place without anybody, as the greeter must know it
BOLT_S = 10.0  # the bolt needs a moment to retract after the order, a busy machine some; a lease lasts no longer


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    member: str
    token: str
    face: pictures.Picture | None

    @property
    def code(self) -> pictures.Picture:
        return people.code_picture(self.token)


@dataclass
class Shop:
    bench: Bench
    seed: int = 1
    shelves: dict[str, list[str | None]] = field(default_factory=dict)
    prices: dict[str, Product] = field(default_factory=dict)
    stills: int = 0

    def __post_init__(self) -> None:
        known = {Sku(product.sku): product.goods for product in (*goods.REAL, *goods.DRAWN)}
        zones = [ZoneId(zone) for zone in self.bench.zones]
        apparatus = RemoteApparatus(self.bench.board.control, zones)
        self.world = World(zones, known, apparatus, random.Random(self.seed))

    def show(self, camera: str, jpeg: bytes) -> None:
        """From now on the camera sees this."""
        self.bench.streams.control({"camera": camera, "show_jpeg_b64": base64.b64encode(jpeg).decode()})

    # Goods.

    def stock_drawn(self, shelves: Mapping[str, Sequence[str | None]] = goods.DRAWN_SHELVES) -> None:
        """Drawn goods on the shelves, in the catalogue and in the stock."""
        self.shelves = {zone: list(places) for zone, places in shelves.items()}
        self.draw()
        self.world.stock(goods.counts(self.shelves))
        self.catalogue(goods.DRAWN, goods.counts(self.shelves), goods.drawn_references)

    def stock_photographed(self, data: Path) -> None:
        """The real cabinet of the photographs in its state 1."""
        gatorade, pringles, ruffles, sprite = (Sku(product.sku) for product in goods.REAL)
        count = {ZoneId("s1"): {gatorade: 2, ruffles: 1}, ZoneId("s2"): {pringles: 2, sprite: 2}}
        self.show("top", goods.photographed(data, 1))
        self.world.stock(count)
        self.catalogue(goods.REAL, count, lambda sku: goods.photo_references(data, sku))

    def catalogue(
        self,
        products: Sequence[Product],
        count: Mapping[ZoneId, Mapping[Sku, int]],
        references: Callable[[str], list[bytes]],
    ) -> None:
        for product in products:
            zone = next((zone for zone, skus in count.items() if product.sku in skus), self.world.zones[0])
            self.bench.ask(
                "catalog.add",
                sku=product.sku,
                name=product.name,
                mass_g=product.mass_g,
                unit_price=product.price,
                tax=product.tax,
                photos=coded(references(product.sku)),
                zone=zone,
                count=count.get(zone, {}).get(Sku(product.sku), 0),
            )
            self.prices[product.sku] = product

    def draw(self) -> None:
        """The interior camera shows the drawn shelves as they are now."""
        self.stills += 1
        self.show("top", goods.drawn(self.shelves, self.seed * 1000 + self.stills))

    # People.

    def enrol(self, person: Person) -> Member:
        photos = [] if person.enrolled_from is None else [person.enrolled_from]
        answer = self.bench.ask("members.add", name=person.name, photos=coded(photos), code=True)
        return Member(person.name, answer["member"], answer["token"], person.seen_as)

    def nobody(self) -> None:
        self.show("front", pictures.jpeg(pictures.lobby(self.seed)))

    def somebody(self, picture: pictures.Picture) -> None:
        """Step before the camera, once the greeter knows the empty place: it takes its first frames for that.

        `picture`: a whole frame of the camera, or a thing that is held before it.
        """
        wait_until(self._greeter_looks, PATIENCE_S, "the greeter gets no frames")
        whole = picture.shape[:2] == (pictures.HEIGHT, pictures.WIDTH)
        self.show("front", pictures.jpeg(picture if whole else pictures.before_camera(picture, self.seed)))

    def _greeter_looks(self) -> bool:
        try:
            return bool(self.bench.ask("doctor")["counters"]["greeter"].get("frames", 0) >= FIRST_FRAMES)
        except NotReachableError:
            return True  # a person comes whether or not the daemon lives

    def come(self, picture: pictures.Picture) -> str:
        """Stand before the camera until the door unlocks; the visit's id."""
        self.somebody(picture)
        return str(self.bench.wait_for_state("Unlocked", within_s=RECOGNISED_S)["visit"])

    def pull(self) -> bool:
        """Pull the door as soon as the bolt is in.  False: it stays locked."""
        try:
            wait_until(self.world.pull, BOLT_S, "")
        except TimeoutError:
            return False
        self.nobody()
        return True

    def open_as(self, picture: pictures.Picture) -> str:
        """Come, pull, and stand before the open door; the visit's id."""
        visit = self.come(picture)
        if not self.pull():
            raise TimeoutError(f"the door of visit {visit} did not open: {self.bench.status()}")
        self.bench.wait_for_state("Watching")
        return visit

    def take(self, zone: str, sku: str) -> int:
        """The frontmost unit leaves the drawn shelf; the place it stood in."""
        place = self.shelves[zone].index(sku)
        self.shelves[zone][place] = None
        self.draw()
        self.lift(zone, sku)
        self.feel(zone)
        return place

    def put_back(self, zone: str, sku: str, place: int) -> None:
        self.shelves[zone][place] = sku
        self.draw()
        self.lay(zone, sku)
        self.feel(zone)

    def lift(self, zone: str, sku: str) -> None:
        """A unit goes from the shelf into the hand; the pictures stay as they are."""
        self.world.take(SHOPPER, ZoneId(zone), Sku(sku))

    def lay(self, zone: str, sku: str) -> None:
        """A unit goes from the hand on the shelf; the pictures stay as they are."""
        self.world.put(SHOPPER, ZoneId(zone), Sku(sku))

    def feel(self, zone: str) -> None:
        """Wait until the cells have come to rest, as the daemon sees them."""
        wanted_g = self.bench.board.control({"do": "state"})["masses_g"][self.bench.zones.index(zone)]

        def at_rest() -> bool:
            g = self.bench.status()["zones"][zone]["g"]
            return g is not None and abs(g - wanted_g) < 5.0

        wait_until(at_rest, PATIENCE_S, lambda: f"zone {zone} does not come to rest at {wanted_g} g")

    def shut(self, visit: str) -> dict[str, Any]:
        """Shut the door and wait for the bill; the visit as the technician sees it."""
        self.world.shut()
        return self.bench.wait_for_closed(visit)


def coded(photos: Sequence[bytes]) -> list[str]:
    """As the control socket takes pictures."""
    return [base64.b64encode(photo).decode() for photo in photos]


def basket(shown: Mapping[str, Any]) -> dict[str, int]:
    """SKU -> quantity of a visit's bill."""
    return {line["sku"]: line["quantity"] for line in shown["visit"]["lines"]}
