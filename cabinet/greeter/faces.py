"""The faces in a frame: which one is meant, is it good enough, is a person there, and whose is it.

One frame, one answer; the slower network is asked once an attempt, where the small one is not sure of whom it found.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cabinet import clock
from cabinet.greeter.asking import ONE_ONLY, STEP_UP, Looking, better
from cabinet.identity import decide
from cabinet.identity.decide import Decision, Refused, Undecided, by_face
from cabinet.identity.gallery import FaceGallery
from cabinet.identity.liveness import watch
from cabinet.identity.outcomes import Matched, NeedsDigits, SeveralPeople, Unknown
from cabinet.identity.recognise import Least, Rules, both, choose, decide_face, doubtful, good_enough
from cabinet.identity.seen import SeenFace
from cabinet.ports import Faces, Frame, PortError
from cabinet.units import MemberId

if TYPE_CHECKING:
    from cabinet.ports import Picture


@dataclass
class FaceDesk:
    faces: Faces
    rules: Rules
    frames: decide.Rules
    report: Callable[[str, str | None], None]  # told when the face library fails (None: when it works)
    least: Least = field(default_factory=Least)
    gallery: FaceGallery = field(default_factory=FaceGallery)
    references: FaceGallery = field(default_factory=FaceGallery)

    @property
    def anybody(self) -> bool:
        """Is there anybody to be recognised?  Else no face is looked at."""
        return len(self.gallery) > 0

    def know(self, templates: Callable[[str], Iterable[tuple[MemberId, Sequence[float]]]]) -> None:
        """The members have changed; `templates` gives those of a model."""
        self.gallery = FaceGallery(templates(self.faces.model))
        self.references = FaceGallery(templates(self.faces.reference_model))

    async def consider(self, looking: Looking, frame: Frame, counts: Counter[str]) -> Decision:
        try:
            said = await self._consider(looking, frame, counts)
        except PortError as error:
            counts["face library failed"] += 1
            self.report("faces", str(error))
            return Undecided(looking.attempt)
        self.report("faces", None)
        return said

    async def _consider(self, looking: Looking, frame: Frame, counts: Counter[str]) -> Decision:
        face = self._meant(looking, choose(await self.faces.find(frame.picture)), counts)
        if face is None:
            return Undecided(looking.attempt)
        if looking.attempt.challenge is not None:
            return await self._challenged(looking, frame.picture, face)
        bad = good_enough(face, self.least)
        if bad is not None:
            counts[f"face {bad.why}"] += 1
            looking.hint = better(bad)
            return Undecided(looking.attempt)
        looking.hint = ""
        outcome = await self._whose(looking, frame.picture, face)
        return by_face(outcome, face.live, looking.attempt, self.frames)

    def _meant(
        self, looking: Looking, chosen: SeenFace | SeveralPeople | None, counts: Counter[str]
    ) -> SeenFace | None:
        """The face to look at; without one whoever stands there is told why."""
        if isinstance(chosen, SeenFace):
            return chosen
        if chosen is None:
            counts["no clear face"] += 1
            looking.hint = STEP_UP
            return None
        counts["several people"] += 1
        looking.attempt = replace(looking.attempt, several=not looking.confirmed)
        if chosen.nearest is None:
            looking.hint = ONE_ONLY
        return chosen.nearest

    async def _challenged(self, looking: Looking, picture: "Picture", face: SeenFace) -> Decision:
        challenge = looking.attempt.challenge
        assert challenge is not None  # noqa: S101  asked before
        seen = await self.faces.attend(picture, face)
        now = watch(challenge, seen.quality.yaw, clock.now_s())
        if now == "failed":
            return Refused(decide.NOT_LIVE)
        if now == "met":
            looking.asked, looking.hint = "nothing", ""
            return Undecided(decide.turned(looking.attempt))
        return Undecided(replace(looking.attempt, challenge=now))

    async def _whose(self, looking: Looking, picture: "Picture", face: SeenFace) -> Matched | NeedsDigits | Unknown:
        near, templates = self.gallery.nearest(await self.faces.encode(picture, face)), self.gallery.searched()
        unsure = doubtful(near, templates, self.rules) and near[0].member in self.references
        if unsure and not looking.doubted:
            looking.doubted = True
            near = both(near, self.references.nearest(await self.faces.reference(picture, face)))
        return decide_face(near, templates, self.rules)
