"""`cabinet eval items`: how well products are told apart that the model has never seen, from whole photographs.

Goes the cabinet's own way: find the product, crop, embed, compare.  Reads two folders, writes nothing but the picture
that was asked for.
"""

import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cabinet.cli import show
from cabinet.cli.errors import BadInputError, RefusedError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cabinet.adapters.tflite import ItemRecogniser
    from cabinet.vision.gallery import Gallery

KINDS = (".jpg", ".jpeg", ".png")
TIMED = 60  # crops whose time is taken beside the bare interpreter's
WORST = 30  # confusions listed


@dataclass(frozen=True, slots=True)
class Photo:
    sku: str
    path: Path


@dataclass
class Seen:
    """What the recogniser made of photographs: a unit vector each, and what could not be read."""

    photos: list[Photo]
    vectors: "NDArray[np.float32]"
    skipped: list[str]
    find_s: list[float]


def items(
    gallery: Annotated[Path, typer.Option("--gallery", metavar="DIR", help="References: DIR/SKU/*.jpg")],
    queries: Annotated[Path, typer.Option("--queries", metavar="DIR", help="Asked: DIR/SKU/*.jpg")],
    references: Annotated[
        int | None, typer.Option("--references", min=1, help="Use only the first N photographs of each SKU.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", metavar="DIR", help="Folder with model.toml; default: the one that ships.")
    ] = None,
    runtime: Annotated[str, typer.Option("--runtime", help="auto, litert or tflite.")] = "auto",
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="PNG", help="Draw confusions and reliability.")
    ] = None,
    json: show.AsJson = False,
) -> None:
    """Recognise whole photographs of products the model has never seen, and say how often that was right.

    `ece` and its confidence are among the catalogue's products; `ece_open` counts `other` as an answer, and asks each
    photograph twice: with its product in the gallery and, as a stranger, without. Photographs of SKUs that the gallery
    does not have are strangers too. Where it cannot read a photograph, it goes on and lists it under `skipped`.
    """
    recogniser = _recogniser(model, runtime)
    known, asked = photos_of(gallery, "--gallery", references), photos_of(queries, "--queries")
    taught = look(recogniser, known, "references")
    made = gallery_of(taught)
    seen = look(recogniser, asked, "queries")
    answer = figures(seen, made, recogniser)
    answer["skipped"] = taught.skipped + seen.skipped
    answer |= _times(seen, made, recogniser)
    if picture is not None:
        from cabinet.cli.evaluate.drawing import draw_items  # noqa: PLC0415  matplotlib takes a second

        draw_items(answer, picture)
    if json:
        show.as_json(answer)
        return
    _print(answer)


def photos_of(folder: Path, option: str, most: int | None = None) -> list[Photo]:
    """Every picture below DIR/SKU/.  Raises BadInputError where there is none."""
    if not folder.is_dir():
        raise BadInputError(f"{option}: {folder} is no folder", "name one that holds a folder for each SKU")
    found = [
        Photo(place.name, path)
        for place in sorted(folder.iterdir())
        if place.is_dir()
        for path in sorted(p for p in place.iterdir() if p.suffix.lower() in KINDS)[:most]
    ]
    if not found:
        raise BadInputError(f"{option}: no pictures in {folder}/SKU/", f"put {', '.join(KINDS)} files there")
    return found


def look(recogniser: "ItemRecogniser", photos: Sequence[Photo], doing: str) -> Seen:
    """Find and embed each; a photograph that cannot be read or used is skipped and named."""
    import numpy as np  # noqa: PLC0415  with OpenCV, only where pictures are looked at

    from cabinet.ports import PortError  # noqa: PLC0415  likewise

    kept, vectors, skipped, find_s = [], [], [], []
    for photo in _progress(photos, doing):
        shown = _read(photo.path)
        if shown is None:
            skipped.append(f"{photo.path}: no readable picture")
            continue
        began = time.perf_counter()
        try:
            vectors.append(recogniser.vectors([cropped(recogniser, shown)])[0])
        except PortError as error:
            skipped.append(f"{photo.path}: {error}")
            continue
        find_s.append(time.perf_counter() - began)
        kept.append(photo)
    if not kept:
        raise RefusedError(f"none of the {len(photos)} pictures can be read: {skipped[0]}", "give JPEG or PNG files")
    return Seen(kept, np.stack(vectors), skipped, find_s)


def cropped(recogniser: "ItemRecogniser", shown: Any) -> Any:  # noqa: ANN401  pictures
    from cabinet.vision.pictures import cut  # noqa: PLC0415  OpenCV
    from cabinet.vision.takes import padded  # noqa: PLC0415  likewise

    return cut(shown, padded(recogniser.find(shown), shown.shape[1], shown.shape[0]))


def figures(seen: Seen, gallery: "Gallery", recogniser: "ItemRecogniser") -> dict[str, Any]:
    """Everything that is counted; pure but for the numbers it is given."""
    import numpy as np  # noqa: PLC0415  likewise

    from cabinet.cli.evaluate import measures  # noqa: PLC0415  numpy
    from cabinet.vision.likeness import known, probabilities  # noqa: PLC0415  likewise

    fit = recogniser.card.fit
    among = known(gallery, recogniser.card.dim, fit)
    shares = probabilities(seen.vectors, among, fit)
    place = {sku: n for n, sku in enumerate(among.skus)}
    truth = np.array([place.get(photo.sku, -1) for photo in seen.photos])  # type: ignore[call-overload]  # Sku is text
    member = truth >= 0
    rows = np.flatnonzero(member)
    order = np.argsort(-shares[:, :-1], axis=1)
    right = order[rows, 0] == truth[rows]
    third = (order[rows, :3] == truth[rows, None]).any(1)
    without = shares.copy()  # each product as a stranger: the same gallery without it
    without[rows, truth[rows]] = 0
    without /= without.sum(1, keepdims=True)
    inside, outside = 1 - shares[rows, -1], 1 - without[:, -1]
    sure = shares[rows, :-1].max(1) / np.maximum(1 - shares[rows, -1], 1e-12)
    both = np.concatenate([shares[rows], without])
    said = both.argmax(1)
    open_truth = np.concatenate([truth[rows], np.full(len(without), shares.shape[1] - 1)])
    names = [photo.sku for photo in seen.photos]
    mixed = Counter((names[row], among.skus[order[row, 0]]) for row, hit in zip(rows, right, strict=True) if not hit)
    low, high = measures.wilson(float(right.sum()), len(rows))
    return {
        "skus": len(among.skus),
        "queries": len(rows),
        "strangers": int((~member).sum()),
        "references": {sku: gallery[sku].count for sku in among.skus},
        "top1": _share(right),
        "top3": _share(third),
        "wilson": [round(low, 4), round(high, 4)],
        "open_set_auroc": _rounded(measures.auroc(inside, outside)),
        "ece": _rounded(measures.calibration_error(sure, right)),
        "ece_open": _rounded(measures.calibration_error(both.max(1), said == open_truth)),
        "reliability": [
            {"count": count, "confidence": round(mean, 4), "right": round(share, 4)}
            for count, mean, share in measures.reliability(sure, right)
        ],
        "known_called_other": _share(shares[rows].argmax(1) == shares.shape[1] - 1),
        "stranger_called_other": _share(without.argmax(1) == shares.shape[1] - 1),
        "by_sku": {
            sku: {"queries": int((truth[rows] == n).sum()), "top1": _share(right[truth[rows] == n])}
            for sku, n in place.items()
            if (truth[rows] == n).any()
        },
        "confusions": [{"truth": a, "said": b, "count": n} for (a, b), n in mixed.most_common(WORST)],
        "model": recogniser.name,
        "runtime": recogniser.runtime,
    }


def _times(seen: Seen, gallery: "Gallery", recogniser: "ItemRecogniser") -> dict[str, Any]:
    """Our time for a crop (prepare, run, compare with the gallery) beside the bare interpreter's on its tensor."""
    ours, bare = [], []
    for photo in seen.photos[:: max(1, len(seen.photos) // TIMED)]:
        shown = _read(photo.path)
        if shown is None:
            continue
        crop = cropped(recogniser, shown)
        began = time.perf_counter()
        recogniser.scores(crop, gallery)
        ours.append(time.perf_counter() - began)
        with recogniser.engines.lent() as engine:  # the tensor still holds this crop
            began = time.perf_counter()
            engine.interpreter.invoke()
            bare.append(time.perf_counter() - began)
    return {
        "ms_per_image": round(1000 * statistics.median(seen.find_s), 2),
        "ms_per_crop": round(1000 * statistics.median(ours), 2),
        "invoke_ms": round(1000 * statistics.median(bare), 2),
        "overhead": round(statistics.median(a / b for a, b in zip(ours, bare, strict=True)), 3),
    }


def gallery_of(taught: Seen) -> "Gallery":
    """The references of every SKU that was looked at."""
    from cabinet.units import Sku  # noqa: PLC0415  with the rest of what needs numpy
    from cabinet.vision.likeness import reference_of  # noqa: PLC0415  likewise

    by_sku: dict[str, list[int]] = {}
    for n, photo in enumerate(taught.photos):
        by_sku.setdefault(photo.sku, []).append(n)
    return {Sku(sku): reference_of(taught.vectors[rows]) for sku, rows in by_sku.items()}


def _recogniser(model: Path | None, runtime: str) -> "ItemRecogniser":
    from cabinet.adapters.tflite import ItemRecogniser, ModelError  # noqa: PLC0415  OpenCV and a runtime
    from cabinet.config import OUR_MODEL  # noqa: PLC0415  pydantic

    if runtime not in {"auto", "litert", "tflite"}:
        raise BadInputError(f"--runtime: {runtime!r} is none", "auto, litert or tflite")
    try:
        return ItemRecogniser(model or OUR_MODEL, runtime)
    except ModelError as error:
        raise RefusedError(str(error)) from error


def _read(path: Path) -> Any:  # noqa: ANN401  a picture or None
    import cv2  # noqa: PLC0415  only where pictures are looked at

    cv2.setNumThreads(1)
    return cv2.imread(str(path), cv2.IMREAD_COLOR)


def _progress(photos: Sequence[Photo], doing: str) -> Iterator[Photo]:
    from rich.console import Console  # noqa: PLC0415  0.1 s
    from rich.progress import track  # noqa: PLC0415  likewise

    yield from track(photos, description=doing, console=Console(stderr=True), transient=True)


def _share(hits: Any) -> float:  # noqa: ANN401  an array of truths
    return round(float(hits.mean()), 4) if len(hits) else 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _print(answer: dict[str, Any]) -> None:
    low, high = answer["wilson"]
    facts = [
        ("products, questions", f"{answer['skus']}, {answer['queries']} (+ {answer['strangers']} of other products)"),
        ("named right", f"{answer['top1']:.1%} [{low:.1%}, {high:.1%}]; among the first three {answer['top3']:.1%}"),
        ("known or not, AUROC", answer["open_set_auroc"]),
        ("calibration error", f"{answer['ece']} among products, {answer['ece_open']} with strangers"),
        ("time", f"{answer['ms_per_image']} ms a photograph, {answer['ms_per_crop']} ms a crop"),
        ("over the bare interpreter", f"{answer['overhead']} times its {answer['invoke_ms']} ms"),
        ("model", f"{answer['model']} on {answer['runtime']}"),
    ]
    console = show.console()
    console.print(show.facts(facts))
    rows = [(c["truth"], c["said"], c["count"]) for c in answer["confusions"][:12]]
    if rows:
        console.print(show.table("Taken for another", ["product", "taken for", "times>"], rows))
    for line in answer["skipped"]:
        typer.secho(f"  skipped {line}", fg="yellow", err=True)
