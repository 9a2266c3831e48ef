"""`cabinet eval states`: pictures of one shelf in several states, compared two by two, beside what really changed.

Where no references are given, they come from the states themselves: changed places are grouped by likeness, and each
group takes the product's name whose counts fit it best over all pairs.  That measures what changed, how many, and
whether one product is known again; it cannot measure names that the counts do not tell apart.
"""

import itertools
import json as codec
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cabinet.cli import show
from cabinet.cli.errors import BadInputError, RefusedError

if TYPE_CHECKING:
    from cabinet.adapters.tflite import ItemRecogniser
    from cabinet.vision.gallery import Gallery
    from cabinet.vision.pictures import Picture, Seen

WIDTH = 640  # pixels at which states are compared, as an interior camera's frame
ALIKE = 0.55  # cosine above which two changed places show the same product
MOST_GROUPS = 8  # tried in every order; beyond it the counts are fitted one by one


Pair = tuple[str, str]
Changes = dict[Pair, list[tuple[Any, int]]]


@dataclass
class Group:
    """Changed places that look alike."""

    vectors: list[Any] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)  # pair -> how many left (-) or came (+)


def states(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="N.jpg and truth.json: counts of each SKU in each state.")
    ],
    references: Annotated[
        Path | None, typer.Option("--references", metavar="DIR", help="DIR/SKU/*.jpg; default: from the states.")
    ] = None,
    all_pairs: Annotated[
        bool, typer.Option("--all-pairs", help="Every two states, not only consecutive ones.")
    ] = False,
    picture: Annotated[Path | None, typer.Option("--picture", metavar="PNG", help="Draw what was found.")] = None,
    json: show.AsJson = False,
) -> None:
    """Score before/after on pictures of one shelf: per pair the SKUs and counts that left or came, exact or not.

    `truth.json` holds {"truth": {"0": {}, "1": {"cola": 2}}} and may hold "zones": {ID: [[x, y], ...]} in pixels of the
    first picture; without them the whole picture is one zone. Without `--references` (or DIR/references/), a product's
    references are crops of places that changed between other pairs of states, never of the pair being judged unless
    there is no other. `unsure` counts changed places whose direction or product was not told.
    """
    truth, zones = _truth(folder)
    shown = {state: _picture(folder / f"{state}.jpg") for state in truth}
    recogniser = _recogniser()
    names = sorted(truth, key=lambda s: (len(s), s))
    pairs = list(itertools.combinations(names, 2)) if all_pairs else list(itertools.pairwise(names))
    given = references if references is not None or not (folder / "references").is_dir() else folder / "references"
    if given is not None:
        gallery, naming, changes = _given(given, recogniser), None, None
    else:
        changes = _changes(shown, list(itertools.combinations(names, 2)), zones, recogniser)
    rows, spent_s = [], []
    for before, after in _progress(pairs):
        if changes is not None:
            others = {pair: found for pair, found in changes.items() if pair != (before, after)}
            gallery, naming = _from_states(others if any(others.values()) else changes, truth)
        began = time.perf_counter()
        seen = _look(shown[before], shown[after], zones, recogniser, gallery)
        spent_s.append(time.perf_counter() - began)
        rows.append(_judged(before, after, truth, seen, naming))
    from cabinet.cli.evaluate import measures  # noqa: PLC0415  numpy

    exact = sum(row["exact"] for row in rows)
    answer = {
        "states": len(names),
        "pairs": rows,
        "exact": exact,
        "of": len(rows),
        "wilson": [round(x, 4) for x in measures.wilson(exact, len(rows))],
        "phantoms": sum(row["phantoms"] for row in rows),
        "missed": sum(row["missed"] for row in rows),
        "unsure": sum(row["unsure"] for row in rows),
        "ms_per_pair": round(1000 * sum(spent_s) / max(len(spent_s), 1), 1),
        "interchangeable": [] if given is not None else _interchangeable(truth),
        "references": "from other states" if given is None else "given",
    }
    if picture is not None:
        from cabinet.cli.evaluate.drawing import draw_states  # noqa: PLC0415  matplotlib takes a second

        draw_states({s: p[:, :, ::-1] for s, p in shown.items()}, rows, picture)
    if json:
        show.as_json(answer)
        return
    table = [(f"{r['before']} → {r['after']}", _text(r["truth"]), _text(r["seen"]), r["exact"]) for r in rows]
    console = show.console()
    console.print(show.table("Before and after", ["states", "changed", "seen", "exact"], table))
    facts = [("exact", f"{exact} of {len(rows)}"), ("phantoms, missed", f"{answer['phantoms']}, {answer['missed']}"),
             ("unsure", answer["unsure"]),
             ("time", f"{answer['ms_per_pair']} ms a pair"), ("references", answer["references"])]  # fmt: skip
    console.print(show.facts(facts))


def _judged(
    before: str,
    after: str,
    truth: Mapping[str, Mapping[str, int]],
    seen: "Sequence[Seen]",
    naming: Mapping[str, str] | None,
) -> dict[str, Any]:
    """Differences as sku -> units that came (+) or left (-); zeros left out."""
    skus = {*truth[before], *truth[after]}
    wanted = {s: truth[after].get(s, 0) - truth[before].get(s, 0) for s in sorted(skus)}
    wanted = {s: n for s, n in wanted.items() if n}
    found: Counter[str] = Counter()
    regions = []
    for one in seen:
        name = _best(one)
        name = name if naming is None or name is None else naming.get(name, f"group {name}")
        regions.append({"action": one.action, "sku": name, "other": round(one.other, 3), "box": list(one.box)})
        if name is not None and one.action != "unknown":
            found[name] += 1 if one.action == "return" else -1
    unsure = sum(r["sku"] is None or r["action"] == "unknown" for r in regions)
    told = {s: n for s, n in sorted(found.items()) if n}
    more = sum(max(0, abs(n) - (abs(wanted.get(s, 0)) if n * wanted.get(s, 0) > 0 else 0)) for s, n in told.items())
    less = sum(max(0, abs(n) - (abs(told.get(s, 0)) if n * told.get(s, 0) > 0 else 0)) for s, n in wanted.items())
    return {"before": before, "after": after, "truth": wanted, "seen": told, "exact": wanted == told,
            "phantoms": more, "missed": less, "unsure": unsure, "regions": regions}  # fmt: skip


def _best(seen: "Seen") -> str | None:
    """The likeliest product; None where something else is likelier than all of them together."""
    best = max(seen.scores, key=seen.scores.__getitem__, default=None)
    return None if best is None or seen.other > 0.5 else str(best)


def _changes(
    shown: "Mapping[str, Picture]", pairs: Sequence[Pair], zones: Mapping[str, Any], recogniser: "ItemRecogniser"
) -> Changes:
    """Of each pair: the vector of each changed place, and whether the thing left (-1) or came (+1)."""
    from cabinet.vision.change import compare  # noqa: PLC0415  OpenCV
    from cabinet.vision.pictures import cut  # noqa: PLC0415  likewise
    from cabinet.vision.takes import padded  # noqa: PLC0415  likewise

    found: Changes = {}
    for before, after in _progress(pairs):
        comparison = compare(shown[before], shown[after], _polygons(zones, shown[before]))
        laid = comparison.alignment.after
        found[before, after] = []
        for region in comparison.regions:
            left = region.lost >= region.gained  # a thing's own picture differs all over; the shelf behind it does not
            box = padded(region.box, laid.shape[1], laid.shape[0])
            vector = recogniser.vectors([cut(shown[before] if left else laid, box)])[0]
            found[before, after].append((vector, -1 if left else 1))
    return found


def _from_states(changes: Changes, truth: Mapping[str, Mapping[str, int]]) -> "tuple[Gallery, dict[str, str]]":
    """Groups of alike changed places as a gallery, and the product's name of each group."""
    import numpy as np  # noqa: PLC0415  only where pictures are looked at

    from cabinet.units import Sku  # noqa: PLC0415  with them
    from cabinet.vision.likeness import reference_of, unit  # noqa: PLC0415  likewise

    groups: list[Group] = []
    for pair, found in changes.items():
        for vector, way in found:
            near = [(float(unit(np.mean(g.vectors, 0)[None])[0] @ vector), n) for n, g in enumerate(groups)]
            best = max(near, default=(0.0, -1))
            if best[0] < ALIKE:
                groups.append(Group())
                best = 1.0, len(groups) - 1
            groups[best[1]].vectors.append(vector)
            groups[best[1]].counts[pair] += way
    pairs = list(changes)
    groups.sort(key=lambda g: -len(g.vectors))
    skus = sorted({sku for counts in truth.values() for sku in counts})
    named = _named([g.counts for g in groups], skus, truth, pairs)
    gallery = {Sku(str(n)): reference_of(np.stack(g.vectors)) for n, g in enumerate(groups)}
    return gallery, {str(n): name for n, name in enumerate(named) if name is not None}


def _named(
    counts: Sequence[Counter[tuple[str, str]]], skus: Sequence[str], truth: Mapping[str, Mapping[str, int]],
    pairs: Sequence[tuple[str, str]],
) -> list[str | None]:  # fmt: skip
    """The product of each group: the choice whose counts differ least from the truth, over all pairs."""
    size = min(len(counts), MOST_GROUPS)

    def cost(group: Counter[tuple[str, str]], sku: str | None) -> int:
        wanted = {p: 0 if sku is None else truth[p[1]].get(sku, 0) - truth[p[0]].get(sku, 0) for p in pairs}
        return sum(abs(group[p] - wanted[p]) for p in pairs)

    choices: list[str | None] = [*skus, *[None] * size]
    best = min(
        set(itertools.permutations(choices, size)) if size <= 5 else [tuple(choices[:size])],
        key=lambda chosen: (sum(cost(g, s) for g, s in zip(counts, chosen, strict=False)), str(chosen)),
        default=(),
    )
    return [*best, *[None] * (len(counts) - len(best))]


def _interchangeable(truth: Mapping[str, Mapping[str, int]]) -> list[list[str]]:
    """SKUs that always change together: the states alone cannot tell which of them is which."""
    together: dict[tuple[int, ...], list[str]] = {}
    for sku in sorted({sku for counts in truth.values() for sku in counts}):
        counts = [stands.get(sku, 0) for stands in truth.values()]
        together.setdefault(tuple(n - counts[0] for n in counts), []).append(sku)
    return [skus for skus in together.values() if len(skus) > 1]


def _look(
    before: "Picture", after: "Picture", zones: Mapping[str, Any], recogniser: "ItemRecogniser", gallery: "Gallery"
) -> "list[Seen]":
    from cabinet.vision.takes import look  # noqa: PLC0415  OpenCV

    return look(before, after, _polygons(zones, before), recogniser, gallery)


def _polygons(zones: Mapping[str, Any], shown: "Picture") -> Any:  # noqa: ANN401  zones as vision wants them
    high, wide = shown.shape[:2]
    return zones or {"all": [(0, 0), (wide, 0), (wide, high), (0, high)]}


def _given(folder: Path, recogniser: "ItemRecogniser") -> "Gallery":
    from cabinet.cli.evaluate.items import gallery_of, look, photos_of  # noqa: PLC0415  with what needs numpy

    return gallery_of(look(recogniser, photos_of(folder, "--references"), "references"))


def _recogniser() -> "ItemRecogniser":
    from cabinet.adapters.tflite import ItemRecogniser, ModelError  # noqa: PLC0415  OpenCV and a runtime
    from cabinet.config import OUR_MODEL  # noqa: PLC0415  with it

    try:
        return ItemRecogniser(OUR_MODEL)
    except ModelError as error:
        raise RefusedError(str(error)) from error


def _picture(path: Path) -> "Picture":
    import cv2  # noqa: PLC0415  only where pictures are looked at
    import numpy as np  # noqa: PLC0415  likewise

    shown = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if shown is None:
        raise BadInputError(f"{path} is no readable picture", "give one JPEG for each state of truth.json")
    high = max(1, round(shown.shape[0] * WIDTH / shown.shape[1]))
    return np.asarray(cv2.resize(shown, (WIDTH, high), interpolation=cv2.INTER_AREA), np.uint8)


def _truth(folder: Path) -> tuple[dict[str, dict[str, int]], dict[str, Any]]:
    path = folder / "truth.json"
    try:
        facts = codec.loads(path.read_text(encoding="utf-8"))
        truth = {str(s): {str(sku): int(n) for sku, n in counts.items()} for s, counts in facts["truth"].items()}
        zones = {
            str(zone): [(float(x), float(y)) for x, y in corners] for zone, corners in facts.get("zones", {}).items()
        }
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be read ({error.strerror})", "it says what stands there in each state"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInputError(f"{path}: {error!r}", 'it holds {"truth": {"0": {"SKU": COUNT}}}') from error
    if len(truth) < 2:
        raise BadInputError(f"{path}: {len(truth)} states", "give at least two")
    return truth, zones


def _progress(pairs: Sequence[tuple[str, str]]) -> Any:  # noqa: ANN401  an iterator of pairs
    from rich.console import Console  # noqa: PLC0415  0.1 s
    from rich.progress import track  # noqa: PLC0415  likewise

    return track(pairs, description="comparing", console=Console(stderr=True), transient=True)


def _text(changes: Mapping[str, int]) -> str:
    return ", ".join(f"{sku} {n:+d}" for sku, n in changes.items()) or "nothing"
