"""What photographs of a product mean for the catalogue: its barcode, its look-alikes, what would tell them apart."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cabinet.basket.evidence import Product
from cabinet.control.enrolment import Sight, beside
from cabinet.control.requests import Answer, RequestError
from cabinet.ledger import Ledger
from cabinet.units import Sku
from cabinet.vision.gallery import Gallery

FEW = 3  # photographs; fewer are accepted with a warning, and a wider spread
MOST_TOLD = 5  # look-alikes of a new product
MOST_PAIRS = 200  # of a whole catalogue
LARGEST_MAP = 400  # products: 160,000 numbers to send
LARGEST_ALBUM = 24  # products whose pictures are sent with the map


AUTO = "auto"  # as a SKU: what the barcode in the photographs says


def named_by(barcodes: Iterable[str]) -> Sku:
    """The SKU that the photographs' barcode names.  Raises RequestError where there is none, or more than one."""
    shown = sorted(set(barcodes))
    if len(shown) != 1:
        said = (
            "no barcode can be read in the photographs" if not shown else f"the photographs show {' and '.join(shown)}"
        )
        raise RequestError(said, "give the SKU instead of auto, or photograph the barcode sharply")
    return Sku(shown[0])


def refuse_other_barcode(sku: Sku, barcodes: Iterable[str]) -> None:
    """Raises RequestError where the photographs show the barcode of another product.  A SKU of letters has none."""
    shown = [code for code in barcodes if code.lstrip("0") != sku.lstrip("0")]
    if shown and sku.isdigit():
        raise RequestError(
            f"the photographs show the barcode {shown[0]}, the SKU is {sku}",
            "correct the SKU, take other photographs, or add --ignore-barcode",
        )


def told_of(sight: Sight) -> list[str]:
    """Warnings about the photographs themselves."""
    count = sight.reference.count
    told = []
    if count < FEW:
        said = "photograph" if count == 1 else "photographs"
        told.append(f"only {count} {said}: it is recognised less surely; three to five from all sides are better")
    if sight.outliers:
        told.append(f"kept although unlike the others: photographs {', '.join(map(str, sight.outliers))}")
    return told


def confusions_of(sku: Sku, sight: Sight, ledger: Ledger, model: str, noise_g: float) -> Answer:
    """`confusable`: rows, the worst first; `confusable_jpeg_b64`: the product beside the worst of them."""
    from cabinet.vision.confusion import confusable  # noqa: PLC0415  numpy, only when somebody enrols

    catalog, gallery = ledger.catalog(), ledger.gallery(model)
    rows = [
        _row(sku, other, share, catalog[sku], catalog[other], noise_g)
        for other, share in confusable(sku, sight.reference, gallery)[:MOST_TOLD]
        if other in catalog
    ]
    if not rows:
        return {"confusable": []}
    pictures = beside([sight.picture, *(ledger.gallery_picture(Sku(row["other"]), model) for row in rows)])
    return {"confusable": rows, "confusable_jpeg_b64": base64.b64encode(pictures).decode()}


@dataclass(frozen=True, slots=True)
class Shelves:
    """What a check looks at, read from the ledger at once: it computes on another thread than the ledger's."""

    catalog: Mapping[Sku, Product]
    gallery: Gallery
    zones: Mapping[Sku, set[str]]
    pictures: Mapping[Sku, bytes | None]


def shelves(ledger: Ledger, model: str) -> Shelves:
    catalog, gallery = ledger.catalog(), ledger.gallery(model)
    zones: dict[Sku, set[str]] = {}
    standing = [*ledger.planogram().items(), *((zone, tuple(counts)) for zone, counts in ledger.stock().items())]
    for zone, there in standing:
        for sku in there:
            zones.setdefault(sku, set()).add(zone)
    few = gallery if len(gallery) <= LARGEST_ALBUM else {}
    return Shelves(catalog, gallery, zones, {sku: ledger.gallery_picture(sku, model) for sku in few})


def check(given: Shelves, noise_g: float) -> Answer:
    """Every pair that sight may mix up, the worst first; the map of a catalogue that is small enough for one."""
    from cabinet.vision.confusion import WORTH_TELLING, mixing  # noqa: PLC0415  numpy, only where somebody asks

    catalog, gallery, zones = given.catalog, given.gallery, given.zones
    skus = [sku for sku in gallery if sku in catalog]
    shares = mixing([gallery[sku] for sku in skus])
    pairs = []
    for n, one in enumerate(skus):
        for k, other in enumerate(skus[n + 1 :], n + 1):
            share = float(max(shares[n, k], shares[k, n]))
            if share > WORTH_TELLING:
                row = _row(one, other, share, catalog[one], catalog[other], noise_g)
                mine, theirs = zones.get(one, set()), zones.get(other, set())
                apart = bool(mine) and bool(theirs) and not mine & theirs
                row["told_apart_by"] = "mass" if row["separated"] else "shelf" if apart else "nothing"
                pairs.append(row)
    pairs.sort(key=lambda row: -row["share"])
    small = len(skus) <= LARGEST_MAP
    return {
        "products": len(catalog),
        "without_references": sorted(sku for sku in catalog if sku not in gallery),
        "few_references": sorted(sku for sku in skus if gallery[sku].count < FEW),
        "pairs": pairs[:MOST_PAIRS],
        "more_pairs": max(0, len(pairs) - MOST_PAIRS),
        "skus": skus if small else [],
        "names": [catalog[sku].name for sku in skus] if small else [],
        "map": [[round(float(share), 4) for share in row] for row in shares] if small else [],
        "pictures": [_coded(given.pictures.get(sku)) for sku in skus] if given.pictures else [],
    }


def _row(sku: Sku, other: Sku, share: float, mine: Product, theirs: Product, noise_g: float) -> dict[str, Any]:
    from cabinet.vision.confusion import separating_g  # noqa: PLC0415  numpy

    apart_g = abs(mine.mass_g - theirs.mass_g)
    needed_g = separating_g(mine.spread_g, theirs.spread_g, noise_g)
    separated = apart_g >= needed_g
    by = "their masses tell them apart" if separated else "their masses do not tell them apart"
    return {
        "sku": sku,
        "other": other,
        "name": mine.name,
        "other_name": theirs.name,
        "share": round(share, 4),
        "mass_apart_g": round(apart_g, 1),
        "needed_g": round(needed_g, 1),
        "separated": separated,
        "says": f"{other} {theirs.name!r} looks like it: about {share:.0%} may be mixed up by sight; "
        f"{apart_g:.0f} g apart, {needed_g:.0f} g would separate one unit: {by}",
    }


def _coded(picture: bytes | None) -> str | None:
    return None if picture is None else base64.b64encode(picture).decode()
