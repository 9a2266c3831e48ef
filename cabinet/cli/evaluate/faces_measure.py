"""The run of `cabinet eval faces`: folders in, the answer out."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cabinet.cli.errors import RefusedError
from cabinet.cli.evaluate import faces_answer, faces_speed, faces_stock
from cabinet.cli.evaluate.faces_pictures import NAMELESS, Photo, people, progress
from cabinet.cli.evaluate.faces_seen import Look, Looked, asked_again, look_at
from cabinet.cli.evaluate.faces_sums import Crowd
from cabinet.identity.liveness import LiveRules
from cabinet.identity.recognise import Rules
from cabinet.ports import Faces

if TYPE_CHECKING:
    from cabinet.config import Identity


@dataclass(frozen=True)
class Folders:
    """Pictures to be looked at; `left_out`: nobody is a stranger, so each member is one for an attempt."""

    enrol: Sequence[Photo]
    probe: Sequence[Photo]
    impostor: Sequence[Photo]
    spoof: Sequence[Photo]

    @property
    def left_out(self) -> bool:
        return not self.impostor


@dataclass(frozen=True)
class Eyes:
    """Who looks, and by which rules it is decided."""

    faces: Faces
    rules: Rules
    live: LiveRules
    stock: faces_stock.Stock | None
    tell: bool = False
    trouble: str = ""  # which models are missing, and what is done instead


def folders(enrol: Path, probe: Path, impostor: Path | None, spoof: Path | None) -> Folders:
    """Raises BadInputError where a folder is missing or empty."""
    known = people(enrol, "--enrol")
    names = {photo.name for photo in known}
    asked = people(probe, "--probe")
    strange = [] if impostor is None else people(impostor, "--impostor", flat=NAMELESS)
    attacks = [] if spoof is None else people(spoof, "--spoof", flat="any")
    return Folders(
        known,
        [photo for photo in asked if photo.name in names],
        [photo for photo in asked if photo.name not in names] + strange,
        attacks,
    )


def measure(given: Folders, make: Callable[[], Eyes]) -> dict[str, Any]:
    """Everything that `--json` prints.  Raises RefusedError where nobody can be enrolled."""
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        looking = make()
        try:
            return loop.run_until_complete(_measured(given, looking))
        finally:
            close(looking)


def close(eyes: Eyes) -> None:
    """The library's process goes with it."""
    end = getattr(eyes.faces, "close", None)  # a port has none
    if end is not None:
        end()


async def _measured(given: Folders, eyes: Eyes) -> dict[str, Any]:

    looked = await _looked(given, eyes)
    if not any(look.vector for look in looked.enrolled):
        first = looked.skipped[0] if looked.skipped else f"no face in {given.enrol[0].path}"
        raise RefusedError(
            f"--enrol: none of {len(given.enrol)} pictures shows a face that can be used; {first}",
            "give pictures of one face each, from the front",
        )
    looked.enrolled = await _again(eyes, looked.enrolled, None, given)
    crowd = Crowd.of(looked.enrolled, eyes.rules)
    looked.probes = await _again(eyes, looked.probes, crowd, given)
    looked.impostors = await _again(eyes, looked.impostors, crowd, given)
    timed = await faces_speed.frames(eyes.faces, given.probe or given.impostor, crowd, eyes.stock, tell=eyes.tell)
    answer = faces_answer.answer(looked, crowd, eyes.live, left_out=given.left_out)
    answer |= {"model": eyes.faces.model, "reference_model": eyes.faces.reference_model, "at_720p": timed}
    answer["trouble"] = eyes.trouble
    answer["stock"] = _stock(given, eyes)
    return faces_answer.with_goals(answer)


async def _looked(given: Folders, eyes: Eyes) -> Looked:

    return Looked(
        await look_at(eyes.faces, given.enrol, "enrolling", tell=eyes.tell),
        await look_at(eyes.faces, given.probe, "members", tell=eyes.tell),
        await look_at(eyes.faces, given.impostor, "strangers", tell=eyes.tell),
        await look_at(eyes.faces, given.spoof, "attacks", tell=eyes.tell, encode=False),
    )


async def _again(eyes: Eyes, looks: list[Look], crowd: Crowd | None, given: Folders) -> list[Look]:
    """With the slower network's answer, for everybody enrolled, and for those of whom the small one is not sure."""
    done = []
    with progress("slower network", len(looks), tell=eyes.tell) as one_more:
        for look in looks:
            one_more()
            doubted = crowd is None or (look.vector and (
                crowd.doubts(look) or (given.left_out and crowd.doubts(look, look.photo.name))
            ))  # fmt: skip  # one condition
            done.append(await asked_again(eyes.faces, look) if look.vector and doubted else look)
    return done


def _stock(given: Folders, eyes: Eyes) -> dict[str, Any]:
    if eyes.stock is None:
        return {"measured": False}

    def took(photos: Sequence[Photo], doing: str) -> list[faces_stock.Took]:
        return [] if eyes.stock is None else eyes.stock.look_at(photos, f"face_recognition: {doing}", tell=eyes.tell)

    enrolled, probes = took(given.enrol, "enrolling"), took(given.probe, "members")
    others = probes if given.left_out else took(given.impostor, "strangers")
    told = faces_stock.figures(enrolled, probes, others, left_out=given.left_out)
    usual = {key: told["at_0.6"][key] for key in ("threshold", "false_accepts", "false_rejects", "far", "frr")}
    return {"measured": True, "model": "face_recognition, HOG and its encodings", **usual, **told}


def eyes(*, stock: bool, tell: bool) -> Eyes:
    """The product's own, as the configuration's defaults have it.  Raises RefusedError."""
    from cabinet.config import Identity  # noqa: PLC0415  pydantic
    from cabinet.wiring.faces import face_reader  # noqa: PLC0415  OpenCV and a runtime

    who = Identity()
    beside = faces_stock.Stock() if stock else None
    reader = face_reader(who)
    bounds = reader.live_thresholds
    live = LiveRules(who.liveness) if bounds is None else LiveRules(who.liveness, *bounds)
    return Eyes(reader, rules_of(who), live, beside, tell, reader.trouble() or "")


def rules_of(who: "Identity") -> Rules:

    return Rules(who.false_match, who.false_match_digits, who.face_distance, who.face_margin)
